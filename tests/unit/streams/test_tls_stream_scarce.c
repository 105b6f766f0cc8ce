/* SPDX-License-Identifier: MIT */
/*
 * test_tls_stream_scarce.c - TLS streams when the nth allocation of anyc fails, for n = 1, 2, 3...
 * until none does. (mbedTLS's own do not count: it asks the C library.)
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <stdlib.h>
#include <string.h>

#include "support/fail_alloc.h"
#include "support/stream_job.h"
#include "support/tasks.h"
#include "support/tls_files.h"
#include "support/tls_pair.h"

/* Does it with the nth allocation failing, in a run; true when none failed. */
typedef bool (*scarce_fn)(long n);

static int scarce_main(void *arg)
{
    scarce_fn fn = *(scarce_fn *)arg;

    for (long n = 1; !fn(n); n++)
        ck_assert_int_lt(n, 200);
    return 0;
}

static void without_memory(scarce_fn fn)
{
    fail_alloc_install();
    ck_assert_int_eq(run_on_backend(scarce_main, &fn), 0);
    ck_assert_int_eq(fail_alloc_live(), 0);
}

/* -- wrapping -- */

/* One side's handshake begins when the other one waits for it, and the memory begins to fail. */
static bool wrap_without_memory(long n, bool at_client)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct byte_pair pair;
    struct tls_end client = {.options.hostname = "localhost"};
    struct tls_end server = {.rc = 1};
    struct tls_end *end = at_client ? &client : &server;
    struct tls_end *other = at_client ? &server : &client;
    bool failed;

    byte_pair_unix(&pair);
    client.stream = pair.a;
    client.options.context = tls_context_client();
    server.stream = pair.b;
    server.options.context = tls_context_server();
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    spawn(&group, tls_end_wrap, other);
    settle();
    fail_alloc_arm(n);
    (void)tls_end_wrap(end);
    failed = fail_alloc_disarm();
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    if (client.rc == 0 && server.rc == 0)
        tls_pair_close(&(struct byte_pair){client.stream, server.stream});
    else
        ck_assert(failed && (client.rc == ANYC_ENOMEM || server.rc == ANYC_ENOMEM));
    if (end->rc == 0 && other->rc < 0)
        anyc_aclose_forcefully(end->stream);
    if (other->rc == 0 && end->rc < 0)
        anyc_aclose_forcefully(other->stream);
    anyc_tls_context_destroy(client.options.context);
    anyc_tls_context_destroy(server.options.context);
    return !failed;
}

static bool wrap_client(long n)
{
    return wrap_without_memory(n, true);
}

static bool wrap_server(long n)
{
    return wrap_without_memory(n, false);
}

ANYC_TEST_PLAIN(test_tls_stream_scarce__a_handshake_fails_and_leaves_the_transport)
{
    without_memory(wrap_client);
    without_memory(wrap_server);
}

/* -- receiving and sending -- */

enum { LENGTH = 50000 };

static void fill_pattern(char *data)
{
    for (size_t i = 0; i < LENGTH; i++)
        data[i] = (char)((i * 31 + i / 253) % 251);
}

/* Over sockets, which take all that is sent here, and need no memory of anyc. */
static void open_sockets(struct byte_pair *pair)
{
    byte_pair_unix(pair);
    tls_pair_wrap(pair, NULL);
}

static bool receive_without_memory(long n)
{
    static char sent[LENGTH];
    static char received[LENGTH];
    struct byte_pair pair;
    bool failed = false;
    size_t at = 0;

    open_sockets(&pair);
    fill_pattern(sent);
    ck_assert_int_eq(anyc_send(pair.b, sent, LENGTH), 0);
    fail_alloc_arm(n);
    while (at < LENGTH) {
        ssize_t got = anyc_receive(pair.a, received + at, LENGTH - at);

        failed = got < 0 || failed;
        ck_assert(got > 0 || got == ANYC_ENOMEM);
        at += got > 0 ? (size_t)got : 0;
    }
    failed = fail_alloc_disarm() || failed;
    ck_assert(memcmp(sent, received, LENGTH) == 0);
    tls_pair_close(&pair);
    return !failed;
}

ANYC_TEST_PLAIN(test_tls_stream_scarce__a_receive_loses_nothing)
{
    without_memory(receive_without_memory);
}

/* After a send that failed a line goes on in the same way: what comes is a beginning of the one and
 * all of the other. */
static bool send_some_way(long n, int (*send)(anyc_byte_stream *stream, char *data))
{
    static char sent[LENGTH];
    static char received[LENGTH + 1];
    struct byte_pair pair;
    size_t at = 0;
    bool failed;
    int rc;

    open_sockets(&pair);
    fill_pattern(sent);
    fail_alloc_arm(n);
    rc = send(pair.a, sent);
    failed = fail_alloc_disarm();
    ck_assert(rc == 0 || (failed && rc == ANYC_ENOMEM));
    ck_assert_int_eq(anyc_send(pair.a, "\xff", 1), 0);
    do {
        ck_assert_uint_lt(at, sizeof received);
        at += (size_t)anyc_receive(pair.b, received + at, sizeof received - at);
    } while (received[at - 1] != '\xff');
    ck_assert(memcmp(sent, received, at - 1) == 0);
    ck_assert(rc < 0 ? (at - 1) % tls_record_len(pair.a) == 0 : at - 1 == LENGTH);
    tls_pair_close(&pair);
    return !failed;
}

static int send_whole(anyc_byte_stream *stream, char *data)
{
    return anyc_send(stream, data, LENGTH);
}

static int send_pieces(anyc_byte_stream *stream, char *data)
{
    const struct iovec pieces[] = {
        {data, 100}, {data + 100, 20000}, {data + 20100, LENGTH - 20100}};

    return anyc_sendv(stream, pieces, 3);
}

static bool send_without_memory(long n)
{
    return send_some_way(n, send_whole);
}

static bool sendv_without_memory(long n)
{
    return send_some_way(n, send_pieces);
}

ANYC_TEST_PLAIN(test_tls_stream_scarce__a_send_ends_between_records)
{
    without_memory(send_without_memory);
    without_memory(sendv_without_memory);
}

/* TLS over TLS over memory streams, which need memory for each chunk: the layers agree on what was
 * sent, or nothing could be read. */
static bool layers_without_memory(long n)
{
    struct byte_pair pair;
    char received[64] = "";
    const char *expected = "once once more";
    size_t skip;
    bool failed;
    int rc;

    byte_pair_from_objects(&pair, 16);
    tls_pair_wrap(&pair, NULL);
    tls_pair_wrap(&pair, NULL);
    fail_alloc_arm(n);
    rc = anyc_send(pair.a, "once ", 5);
    failed = fail_alloc_disarm();
    ck_assert(rc == 0 || (failed && rc == ANYC_ENOMEM));
    ck_assert_int_eq(anyc_send(pair.a, "once more", 9), 0);
    do {
        size_t at = strlen(received);

        ck_assert_int_gt(anyc_receive(pair.b, received + at, sizeof received - 1 - at), 0);
    } while (strstr(received, "more") == NULL);
    skip = strlen(received) == 9 ? 5 : 0;
    ck_assert(rc < 0 || skip == 0);
    ck_assert_str_eq(received, expected + skip);
    tls_pair_close(&pair);
    return !failed;
}

ANYC_TEST_PLAIN(test_tls_stream_scarce__layers_stay_in_step)
{
    without_memory(layers_without_memory);
}

/* -- ends -- */

static int close_task(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_aclose(job->stream);
    return 0;
}

/* Both sides; whoever has no memory goes by force, so that the other is cut. */
static bool close_without_memory(long n)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct byte_pair pair;
    struct job other;
    bool failed;
    int rc;

    open_sockets(&pair);
    other = (struct job){pair.b, NULL, 0, 1};
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, close_task, &other);
    settle();
    fail_alloc_arm(n);
    rc = anyc_aclose(pair.a);
    failed = fail_alloc_disarm();
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert(rc == 0 || (failed && (rc == ANYC_ENOMEM || rc == ANYC_EBROKEN)));
    ck_assert(rc != ANYC_EBROKEN || other.rc == ANYC_ENOMEM);
    return !failed;
}

ANYC_TEST_PLAIN(test_tls_stream_scarce__a_close_frees_all)
{
    without_memory(close_without_memory);
}

static int unwrap_task(void *arg)
{
    struct job *job = arg;
    anyc_bytes leftover = {NULL, 0};

    job->rc = anyc_tls_stream_unwrap(job->stream, &job->stream, &leftover);
    anyc_bytes_deinit(&leftover);
    return 0;
}

/* A connection that went on with an earlier session. So far its server has sent in one go only, and
 * has no memory in hand. */
static void open_resumed(struct byte_pair *pair)
{
    const struct tls_pair_options options = {.client = tls_context_client(),
                                             .server = tls_context_server()};
    struct byte_pair first;
    bool reused = false;

    tls_pair_open(&first, &options);
    tls_pair_close(&first);
    tls_pair_wrap(pair, &options);
    ck_assert_int_eq(anyc_extra(pair->b, &ANYC_TLS_SESSION_REUSED, &reused), 0);
    ck_assert(reused);
    anyc_tls_context_destroy(options.client);
    anyc_tls_context_destroy(options.server);
}

/* It can be called again. There is something behind the end, that needs memory too. */
static bool unwrap_without_memory(long n)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_byte_stream *transport = NULL;
    anyc_bytes leftover = {NULL, 0};
    struct byte_pair pair;
    anyc_byte_stream *raw;
    struct job other;
    bool failed;
    int rc;

    byte_pair_unix(&pair);
    raw = pair.a;
    open_resumed(&pair);
    other = (struct job){pair.a, NULL, 0, 1};
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, unwrap_task, &other);
    settle();
    put(raw, "plain");
    fail_alloc_arm(n);
    rc = anyc_tls_stream_unwrap(pair.b, &transport, &leftover);
    failed = fail_alloc_disarm();
    if (rc < 0) {
        ck_assert(failed && rc == ANYC_ENOMEM);
        ck_assert_int_eq(anyc_tls_stream_unwrap(pair.b, &transport, &leftover), 0);
    }
    ck_assert_uint_eq(leftover.len, 5);
    ck_assert_mem_eq(leftover.data, "plain", 5);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(other.rc, 0);
    anyc_bytes_deinit(&leftover);
    tls_pair_drop(&(struct byte_pair){transport, other.stream});
    return !failed;
}

ANYC_TEST_PLAIN(test_tls_stream_scarce__an_unwrap_can_be_called_again)
{
    without_memory(unwrap_without_memory);
}
