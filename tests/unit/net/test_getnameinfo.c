/* SPDX-License-Identifier: MIT */
/*
 * test_getnameinfo.c - look-ups of the names of addresses.
 */
#include <check.h>

#include <anyc/dns.h>
#include <anyc/error.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "net/address.h"
#include "net/resolver.h"
#include "support/fail_alloc.h"
#include "support/thread.h"
#include "threads/worker_pool.h"

#define NUMERIC (NI_NUMERICHOST | NI_NUMERICSERV)

/* What the test's own resolver was asked, and what it answers. */
static struct {
    pthread_mutex_t lock; /* of what is asked, two threads may come at once */
    atomic_int calls;
    pthread_t thread;
    sem_t gate;
    bool waits; /* at the gate */
    int flags;
    int eai;
    int os_error;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int fake_getnameinfo(const struct sockaddr *address, socklen_t len, char *host,
                            socklen_t host_size, char *service, socklen_t service_size, int flags)
{
    (void)address;
    (void)len;
    pthread_mutex_lock(&fake.lock);
    fake.thread = pthread_self();
    fake.flags = flags;
    fake.calls++;
    pthread_mutex_unlock(&fake.lock);
    if (fake.waits)
        gate_wait(&fake.gate);
    errno = fake.os_error;
    if (host != NULL)
        snprintf(host, host_size, "a.example");
    if (service != NULL)
        snprintf(service, service_size, "http");
    return fake.eai;
}

static void fake_install(void)
{
    anyc__resolver_hooks.getnameinfo = fake_getnameinfo;
    sem_init(&fake.gate, 0, 0);
}

/* 127.0.0.1, port 6666. */
static const struct sockaddr *local(socklen_t *out_len)
{
    static struct sockaddr_storage storage;

    ck_assert(anyc__address_parse("127.0.0.1", 6666, &storage, out_len));
    return (const struct sockaddr *)&storage;
}

/* DN-004 */
ANYC_TEST(test_getnameinfo__gives_the_texts_of_the_system)
{
    char expected_host[256];
    char expected_service[NI_MAXSERV];
    char host[256];
    char service[NI_MAXSERV];
    socklen_t len;
    const struct sockaddr *address = local(&len);

    ck_assert_int_eq(getnameinfo(address, len, expected_host, sizeof expected_host,
                                 expected_service, sizeof expected_service, 0),
                     0);
    ck_assert_int_eq(anyc_getnameinfo(address, len, 0, host, sizeof host, service, sizeof service),
                     0);
    ck_assert_str_eq(host, expected_host);
    ck_assert_str_eq(service, expected_service);
}

ANYC_TEST(test_getnameinfo__asks_the_system_in_a_thread)
{
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];
    socklen_t len;
    const struct sockaddr *address = local(&len);

    fake_install();
    ck_assert_int_eq(
        anyc_getnameinfo(address, len, NI_NAMEREQD, host, sizeof host, service, sizeof service), 0);
    ck_assert(!pthread_equal(fake.thread, pthread_self()));
    ck_assert_int_eq(fake.flags, NI_NAMEREQD);
    ck_assert_str_eq(host, "a.example");
    ck_assert_str_eq(service, "http");
}

ANYC_TEST(test_getnameinfo__gives_numbers_at_once)
{
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];
    int threads = thread_count_before();
    socklen_t len;
    const struct sockaddr *address = local(&len);

    ck_assert_int_eq(
        anyc_getnameinfo(address, len, NUMERIC, host, sizeof host, service, sizeof service), 0);
    ck_assert_str_eq(host, "127.0.0.1");
    ck_assert_str_eq(service, "6666");
    host[0] = '\0';
    ck_assert_int_eq(anyc_getnameinfo(address, len, NI_NUMERICHOST, host, sizeof host, NULL, 0), 0);
    ck_assert_str_eq(host, "127.0.0.1");
    ck_assert_int_eq(thread_count(), threads);
}

ANYC_TEST(test_getnameinfo__leaves_the_texts_alone_unless_both_fit)
{
    char host[9] = "?";
    char service[5] = "?";
    socklen_t len;
    const struct sockaddr *address = local(&len);

    ck_assert_int_eq(
        anyc_getnameinfo(address, len, NUMERIC, host, sizeof host, service, sizeof service),
        ANYC_EAI(EAI_OVERFLOW));
    ck_assert_str_eq(service, "?");
    ck_assert_int_eq(anyc_getnameinfo(address, len, NUMERIC, NULL, 0, service, 4),
                     ANYC_EAI(EAI_OVERFLOW));
    ck_assert_str_eq(host, "?");
    ck_assert_int_eq(anyc_getnameinfo(address, len, NUMERIC, NULL, 0, service, 5), 0);
    ck_assert_str_eq(service, "6666");
}

ANYC_TEST(test_getnameinfo__gives_the_resolvers_error)
{
    char host[NI_MAXHOST] = "?";
    socklen_t len;
    const struct sockaddr *address = local(&len);

    fake_install();
    fake.eai = EAI_AGAIN;
    ck_assert_int_eq(anyc_getnameinfo(address, len, 0, host, sizeof host, NULL, 0),
                     ANYC_EAI(EAI_AGAIN));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "127.0.0.1:6666"));
    fake.eai = EAI_SYSTEM;
    fake.os_error = EMFILE;
    ck_assert_int_eq(anyc_getnameinfo(address, len, 0, host, sizeof host, NULL, 0),
                     ANYC_EAI(EAI_SYSTEM));
    ck_assert_int_eq(anyc_last_error()->os_error, EMFILE);
    ck_assert_str_eq(host, "?");
}

ANYC_TEST(test_getnameinfo__refuses_what_is_no_address)
{
    char host[NI_MAXHOST];
    socklen_t len;
    const struct sockaddr *address = local(&len);

    ck_assert_int_eq(anyc_getnameinfo(NULL, len, 0, host, sizeof host, NULL, 0),
                     ANYC_EAI(EAI_FAMILY));
    ck_assert_int_eq(anyc_getnameinfo(address, 4096, 0, host, sizeof host, NULL, 0),
                     ANYC_EAI(EAI_FAMILY));
    ck_assert_int_eq(anyc_getnameinfo(address, 4, NUMERIC, host, sizeof host, NULL, 0),
                     ANYC_EAI(EAI_FAMILY));
}

ANYC_TEST_PLAIN(test_getnameinfo__needs_a_loop)
{
    char host[NI_MAXHOST];
    socklen_t len;
    const struct sockaddr *address = local(&len);

    ck_assert_int_eq(anyc_getnameinfo(address, len, 0, host, sizeof host, NULL, 0), ANYC_ENOLOOP);
}

/* -- cancellation -- */

ANYC_TEST(test_getnameinfo__asks_nobody_in_a_cancelled_scope)
{
    char host[NI_MAXHOST];
    anyc_cancel_scope scope;
    socklen_t len;
    const struct sockaddr *address = local(&len);

    fake_install();
    anyc_move_on_after(&scope, 0, false);
    ck_assert_int_eq(anyc_getnameinfo(address, len, NUMERIC, host, sizeof host, NULL, 0),
                     ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(fake.calls, 0);
}

static int look_up(void *arg)
{
    char *host = arg;
    socklen_t len;
    const struct sockaddr *address = local(&len);

    return anyc_getnameinfo(address, len, 0, host, NI_MAXHOST, NULL, 0);
}

ANYC_TEST(test_getnameinfo__is_abandoned_when_cancelled)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_capacity_limiter *limiter;
    char host[NI_MAXHOST] = "?";

    fake_install();
    fake.waits = true;
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, look_up, host, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_str_eq(host, "?");
    sem_post(&fake.gate);
    sem_post(&fake.gate);
    ck_assert_int_eq(look_up(host), 0);
    ck_assert_str_eq(host, "a.example");
    ck_assert_int_eq(anyc__worker_limiter(anyc__loop, WORKER_LOOKUPS, &limiter), 0);
    wait_for_tokens(limiter);
}

/* -- out of memory -- */

struct scarce {
    long n;
    bool failed;
    int rc;
};

static int scarce_main(void *arg)
{
    struct scarce *scarce = arg;
    char host[NI_MAXHOST] = "?";

    fail_alloc_arm(scarce->n);
    scarce->rc = look_up(host);
    scarce->failed = fail_alloc_disarm();
    ck_assert_str_eq(host, scarce->rc == 0 ? "a.example" : "?");
    return 0;
}

ANYC_TEST_PLAIN(test_getnameinfo__answers_when_memory_runs_out)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};
    struct scarce scarce = {.failed = true};

    fake_install();
    fail_alloc_install();
    for (scarce.n = 1; scarce.failed; scarce.n++) {
        ck_assert_int_eq(anyc_run_with(scarce_main, &scarce, &options), 0);
        ck_assert_int_eq(scarce.rc, scarce.failed ? ANYC_ENOMEM : 0);
    }
    ck_assert_int_gt(scarce.n, 2);
    ck_assert_int_eq(fail_alloc_live(), 0);
}
