/* SPDX-License-Identifier: MIT */
/*
 * test_tls_many_handshakes.c - many TLS handshakes in one run, half of which fail or are cancelled
 * at random points: afterwards there is no more of anything than before.
 *
 * ANYC_TLS_HANDSHAKES says how many, ANYC_TLS_SEED repeats a run:
 *
 *     ANYC_TLS_HANDSHAKES=10000 test_tls_many_handshakes
 *
 * What mbedTLS holds is counted by the C library, roughly; sanitizers and Valgrind see each block.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include <time.h>
#include <unistd.h>

#include "support/peer.h"
#include "support/steps.h"
#include "support/stream_job.h"
#include "support/tls_files.h"
#include "support/tls_pair.h"
#include "support/valgrind.h"
#include "tls_fate.h"

#define HANDSHAKES 400
#define HANDSHAKES_ON_VALGRIND 40
#define AT_ONCE 6
#define MANY 50
#define LEAST_LEAK 32 /* bytes for each handshake, that mallinfo2() is trusted to show */
#define SLACK 262144  /* bytes that allocators keep for themselves */

struct crowd {
    struct fates fates;
    uint32_t next;  /* number of a handshake */
    uint32_t count; /* of them */
};

/* What this process holds. */
struct held {
    int fds;
    size_t tasks;
    size_t bytes; /* of the C library; 0 where it does not count */
};

static uint32_t from_environment(const char *name, uint32_t otherwise)
{
    const char *value = getenv(name);

    return value != NULL ? (uint32_t)strtoul(value, NULL, 10) : otherwise;
}

static struct held look(void)
{
    struct held held = {.fds = peer_count_fds()};

    ck_assert_ok(anyc_get_running_tasks(NULL, 0, &held.tasks));
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    if (!RUNNING_ON_VALGRIND)
        held.bytes = mallinfo2().uordblks;
#endif
    return held;
}

static int shake_task(void *arg)
{
    struct crowd *crowd = arg;

    while (crowd->next < crowd->count)
        fates_shake(&crowd->fates, crowd->next++);
    return 0;
}

static void shake_up_to(struct crowd *crowd, uint32_t count)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    crowd->count = count;
    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < AT_ONCE; i++)
        ck_assert_ok(anyc_task_group_start_soon(&group, shake_task, crowd, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

/* Where there were many of a kind, not all of them came too late. */
static void check_fates(const struct fates *fates)
{
    for (int i = 0; i < FATE_COUNT; i++) {
        fprintf(stderr, " %zu/%zu", fates->succeeded[i], fates->ended[i]);
        ck_assert(i == FATE_GOOD || fates->ended[i] < MANY ||
                  fates->succeeded[i] < fates->ended[i]);
    }
    fprintf(stderr, " of each kind succeeded\n");
}

ANYC_TEST_WITH(test_tls_many_handshakes__leave_nothing_behind, .timeout = 600)
{
    uint32_t count = from_environment("ANYC_TLS_HANDSHAKES",
                                      RUNNING_ON_VALGRIND ? HANDSHAKES_ON_VALGRIND : HANDSHAKES);
    uint32_t seed =
        from_environment("ANYC_TLS_SEED", (uint32_t)time(NULL) ^ (uint32_t)getpid() << 16);
    struct crowd crowd = {0};
    struct held before;
    struct held after;

    fprintf(stderr, "ANYC_TLS_SEED=%u\n", seed);
    fates_init(&crowd.fates, seed);
    shake_up_to(&crowd, count / 4); /* workers have started, caches are warm */
    before = look();
    shake_up_to(&crowd, count);
    after = look();
    check_fates(&crowd.fates);
    ck_assert_int_eq(after.fds, before.fds);
    ck_assert_uint_eq(after.tasks, before.tasks);
    ck_assert_uint_le(after.bytes, before.bytes + SLACK + (size_t)count * LEAST_LEAK);
    fates_deinit(&crowd.fates);
}

static bool is_resumed(anyc_tls_context *client, anyc_tls_context *server)
{
    const struct tls_pair_options options = {.client = client, .server = server};
    struct byte_pair pair;
    bool resumed = false;

    tls_pair_open(&pair, &options);
    put(pair.b, "data");
    expect(pair.a, "data"); /* and the ticket before it, with TLS 1.3 */
    ck_assert_ok(anyc_extra(pair.a, &ANYC_TLS_SESSION_REUSED, &resumed));
    tls_pair_drop(&pair);
    return resumed;
}

/* Several servers have one name, and not all of them give tickets: one that was given by another
 * server is not put to a session with this one (mbedTLS up to 3.6 would). */
ANYC_TEST(test_tls_many_handshakes__tickets_stay_with_their_sessions)
{
    const anyc_tls_certificate localhost = {.chain.file = TLS_FILE("localhost.pem"),
                                            .key.file = TLS_FILE("localhost.key")};
    anyc_tls_context *client = tls_context_client();
    anyc_tls_context *gives = tls_context_server();
    anyc_tls_context *gives_none =
        tls_context(&(anyc_tls_context_options){.server_side = true,
                                                .certificates = &localhost,
                                                .certificate_count = 1,
                                                .no_resumption = true});

    ck_assert(!is_resumed(client, gives));
    ck_assert(is_resumed(client, gives));
    ck_assert(!is_resumed(client, gives_none));
    /* with TLS 1.3 the other server's ticket is still there, as it has not been put to anything */
    ck_assert_int_eq(is_resumed(client, gives), tls_can(ANYC_TLS_1_3));
    ck_assert(is_resumed(client, gives));
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(gives);
    anyc_tls_context_destroy(gives_none);
}
