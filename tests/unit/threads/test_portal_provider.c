/* SPDX-License-Identifier: MIT */
/*
 * test_portal_provider.c - a portal that several threads share. AnyIO: tests/test_from_thread.py,
 * TestBlockingPortalProvider.
 */
#include "own_portal.h"

#include <anyc/portal_provider.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "support/crash.h"
#include "support/fail_alloc.h"
#include "support/thread.h"

struct user {
    anyc_blocking_portal_provider *provider;
    pthread_t thread;
    const char *backend;
    anyc_event event;
    atomic_int inside;
};

static atomic_int loop_threads; /* how many loops have recorded themselves */
static _Thread_local bool recorded;

static int record(void *arg)
{
    struct user *user = arg;

    if (!recorded)
        atomic_fetch_add(&loop_threads, 1);
    recorded = true;
    user->thread = pthread_self();
    user->backend = anyc_current_backend();
    return 0;
}

static anyc_blocking_portal_provider *provider_create(void)
{
    anyc_blocking_portal_provider *provider = NULL;

    ck_assert_ok(anyc_blocking_portal_provider_create(anyc_testing_backend(), NULL, &provider));
    return provider;
}

/* TT-010 */
ANYC_TEST_PLAIN(test_portal_provider__starts_a_loop_for_each_use)
{
    int before = thread_count_before();
    struct user user = {.provider = provider_create()};

    ck_assert_int_eq(thread_count(), before);
    for (int i = 0; i < 3; i++) {
        anyc_blocking_portal *portal;

        ck_assert_ok(anyc_blocking_portal_provider_enter(user.provider, &portal));
        ck_assert_ok(anyc_blocking_portal_call(portal, record, &user, NULL));
        anyc_blocking_portal_provider_exit(user.provider);
        ck_assert_str_eq(user.backend, anyc_testing_backend());
        ck_assert_int_eq(atomic_load(&loop_threads), i + 1);
    }
    anyc_blocking_portal_provider_destroy(user.provider);
    ck_assert(thread_count_falls_to(before));
}

static int record_and_wait(void *arg)
{
    struct user *user = arg;

    (void)record(user);
    atomic_fetch_add(&user->inside, 1);
    return anyc_event_wait(&user->event);
}

static int user_thread(void *arg)
{
    struct user *user = arg;
    anyc_blocking_portal *portal;
    int rc = anyc_blocking_portal_provider_enter(user->provider, &portal);

    if (rc < 0)
        return rc;
    rc = anyc_blocking_portal_call(portal, record_and_wait, user, NULL);
    anyc_blocking_portal_provider_exit(user->provider);
    return rc;
}

/* TT-012 */
ANYC_TEST_PLAIN(test_portal_provider__several_threads_share_one_loop)
{
    int before = thread_count_before();
    struct user user = {.provider = provider_create()};
    anyc_blocking_portal *portal;
    struct side_thread sides[3];

    for (int i = 0; i < 3; i++)
        side_thread_start(&sides[i], user_thread, &user);
    ck_assert_ok(anyc_blocking_portal_provider_enter(user.provider, &portal));
    while (atomic_load(&user.inside) < 3)
        usleep(100);
    own_portal_settle(portal);
    own_portal_set(portal, &user.event);
    for (int i = 0; i < 3; i++)
        ck_assert_ok(side_thread_join(&sides[i]));
    anyc_blocking_portal_provider_exit(user.provider);
    ck_assert_int_eq(atomic_load(&loop_threads), 1);
    anyc_blocking_portal_provider_destroy(user.provider);
    ck_assert(thread_count_falls_to(before));
}

ANYC_TEST_PLAIN(test_portal_provider__copies_what_it_is_told)
{
    char backend[64];
    char name[] = "foo";
    char seen[16] = "";
    anyc_start_blocking_portal_options options = {.name = name};
    anyc_blocking_portal_provider *provider;
    anyc_blocking_portal *portal;
    struct user user = {.provider = NULL};

    (void)snprintf(backend, sizeof backend, "%s", anyc_testing_backend());
    ck_assert_ok(anyc_blocking_portal_provider_create(backend, &options, &provider));
    memset(backend, 'x', sizeof backend);
    memset(name, 'x', 3);
    ck_assert_ok(anyc_blocking_portal_provider_enter(provider, &portal));
    ck_assert_ok(anyc_blocking_portal_call(portal, record, &user, NULL));
    ck_assert_ok(pthread_getname_np(user.thread, seen, sizeof seen));
    ck_assert_str_eq(seen, "foo");
    anyc_blocking_portal_provider_exit(provider);
    anyc_blocking_portal_provider_destroy(provider);
    anyc_blocking_portal_provider_destroy(NULL);
}

ANYC_TEST_PLAIN(test_portal_provider__a_failed_start_does_not_count)
{
    anyc_blocking_portal_provider *provider;
    anyc_blocking_portal *portal = NULL;

    ck_assert_ok(anyc_blocking_portal_provider_create("foo", NULL, &provider));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(anyc_blocking_portal_provider_enter(provider, &portal), ANYC_ENOBACKEND);
    ck_assert_ptr_null(portal);
    anyc_blocking_portal_provider_destroy(provider);
    forget_last_error();
}

static void destroy_in_use(void)
{
    anyc_blocking_portal_provider *provider = provider_create();
    anyc_blocking_portal *portal;

    if (anyc_blocking_portal_provider_enter(provider, &portal) == 0)
        anyc_blocking_portal_provider_destroy(provider);
}

ANYC_TEST_PLAIN(test_portal_provider__ends_the_program_when_it_is_destroyed_in_use)
{
    struct crash crash;

    crash_watch(&crash, destroy_in_use);
    ck_assert_int_eq(crash.signal, SIGABRT);
    ck_assert_ptr_nonnull(strstr(crash.text, "while somebody is in it"));
}

static int busy_thread(void *arg)
{
    struct user *user = arg;
    bool called = false;

    for (int i = 0; i < 20; i++) {
        anyc_blocking_portal *portal;

        ck_assert_ok(anyc_blocking_portal_provider_enter(user->provider, &portal));
        ck_assert_ok(anyc_blocking_portal_call(portal, note_task, &called, NULL));
        anyc_blocking_portal_provider_exit(user->provider);
    }
    return 0;
}

ANYC_TEST_PLAIN(test_portal_provider__survives_threads_that_come_and_go)
{
    int before = thread_count_before();
    struct user user = {.provider = provider_create()};
    struct side_thread sides[20];

    for (int i = 0; i < 20; i++)
        side_thread_start(&sides[i], busy_thread, &user);
    for (int i = 0; i < 20; i++)
        ck_assert_ok(side_thread_join(&sides[i]));
    anyc_blocking_portal_provider_destroy(user.provider);
    ck_assert(thread_count_falls_to(before));
}

ANYC_TEST_PLAIN(test_portal_provider__answers_when_memory_runs_out)
{
    anyc_start_blocking_portal_options options = {.name = "foo"};
    bool failed = true;
    long n;

    fail_alloc_install();
    for (n = 1; failed; n++) {
        anyc_blocking_portal_provider *provider = NULL;
        int rc;

        fail_alloc_arm(n);
        rc = anyc_blocking_portal_provider_create(anyc_testing_backend(), &options, &provider);
        failed = fail_alloc_disarm();
        ck_assert_int_eq(rc, failed ? ANYC_ENOMEM : 0);
        anyc_blocking_portal_provider_destroy(provider);
    }
    ck_assert_int_eq(n, 5);
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
}
