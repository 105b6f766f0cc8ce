/* SPDX-License-Identifier: MIT */
/*
 * test_portal_thread.c - blocking portals with a loop in a thread of their own.
 * AnyIO: tests/test_from_thread.py, TestBlockingPortal.
 */
#include "support/tasks.h"

#include <anyc/portal.h>
#include <anyc/thread.h>

#include <pthread.h>
#include <signal.h>

#include "support/fail_alloc.h"
#include "support/thread.h"
#include "support/threads_refused.h"
#include "support/valgrind.h"

struct place {
    pthread_t thread;
    char thread_name[16];
    sigset_t blocked;
    const char *backend;
};

static int look_around(void *arg)
{
    struct place *place = arg;

    place->thread = pthread_self();
    place->backend = anyc_current_backend();
    pthread_sigmask(SIG_SETMASK, NULL, &place->blocked);
    return pthread_getname_np(place->thread, place->thread_name, sizeof place->thread_name);
}

/* A portal that is started, asked where it is, and ended. */
static void visit(const anyc_start_blocking_portal_options *options, struct place *place)
{
    anyc_blocking_portal *portal;
    int before = thread_count_before();

    ck_assert_ok(anyc_start_blocking_portal(anyc_testing_backend(), options, &portal));
    ck_assert_ok(anyc_blocking_portal_call(portal, look_around, place, NULL));
    ck_assert_ok(anyc_aclose(portal));
    ck_assert(thread_count_falls_to(before));
}

/* FT-024 */
ANYC_TEST_PLAIN(test_portal_thread__has_a_loop_of_its_own)
{
    struct place place;

    visit(NULL, &place);
    ck_assert(!pthread_equal(place.thread, pthread_self()));
    ck_assert_str_eq(place.backend, anyc_testing_backend());
}

/* FT-025 */
ANYC_TEST_PLAIN(test_portal_thread__has_the_name_that_was_given)
{
    anyc_start_blocking_portal_options options = {.name = "foo"};
    struct place place;

    visit(&options, &place);
    ck_assert_str_eq(place.thread_name, "foo");
}

/* FT-026 */
ANYC_TEST_PLAIN(test_portal_thread__has_a_name_of_its_own)
{
    struct place places[2];
    char begin[64];
    size_t len = (size_t)snprintf(begin, sizeof begin, "%s-portal-", anyc_testing_backend());

    visit(NULL, &places[0]);
    visit(NULL, &places[1]);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(strncmp(places[i].thread_name, begin, len < 15 ? len : 15), 0);
    if (len < 15)
        ck_assert_str_ne(places[0].thread_name, places[1].thread_name);
}

ANYC_TEST_PLAIN(test_portal_thread__leaves_signals_to_other_threads)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGCHLD, SIGUSR1, SIGALRM};
    struct place place;

    visit(NULL, &place);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        ck_assert(sigismember(&place.blocked, signals[i]));
    ck_assert(!sigismember(&place.blocked, SIGSEGV));
}

/* FT-027 */
ANYC_TEST_PLAIN(test_portal_thread__answers_for_an_unknown_backend)
{
    anyc_blocking_portal *portal = NULL;
    int before = thread_count_before();

    ck_assert_int_eq(anyc_start_blocking_portal("foo", NULL, &portal), ANYC_ENOBACKEND);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "foo"));
    ck_assert_ptr_null(portal);
    ck_assert(thread_count_falls_to(before));
    forget_last_error();
}

ANYC_TEST_PLAIN(test_portal_thread__hands_the_options_to_the_run)
{
    anyc_start_blocking_portal_options options = {.run.stack_size = 1};
    anyc_blocking_portal *portal = NULL;

    ck_assert_int_eq(anyc_start_blocking_portal(anyc_testing_backend(), &options, &portal),
                     ANYC_EINVAL);
    ck_assert_ptr_null(portal);
    forget_last_error();
}

ANYC_TEST_PLAIN(test_portal_thread__answers_when_no_thread_can_be_had)
{
    anyc_blocking_portal *portal = NULL;

    skip_on_valgrind("pthread_create() answers EINVAL, not EAGAIN");
    refuse_threads(true);
    ck_assert_int_eq(anyc_start_blocking_portal(anyc_testing_backend(), NULL, &portal), -EAGAIN);
    refuse_threads(false);
    ck_assert_ptr_null(portal);
    forget_last_error();
}

/* -- from inside of a running loop -- */

/* FT-046, TT-R11. The outer run is on the backend of the test. */
ANYC_TEST(test_portal_thread__can_be_used_by_a_task_of_another_loop)
{
    const char *const *inner = anyc_get_available_backends(NULL);

    for (size_t i = 0; inner[i] != NULL; i++) {
        anyc_blocking_portal *portal;
        struct place place;

        ck_assert_ok(anyc_start_blocking_portal(inner[i], NULL, &portal));
        ck_assert_ok(anyc_blocking_portal_call(portal, look_around, &place, NULL));
        ck_assert_str_eq(place.backend, inner[i]);
        ck_assert(!pthread_equal(place.thread, pthread_self()));
        ck_assert_ok(anyc_aclose(portal));
        ck_assert_ok(anyc_checkpoint());
        ck_assert_str_eq(anyc_current_backend(), anyc_testing_backend());
    }
}

/* -- its end -- */

static int sleep_forever_task(void *arg)
{
    anyc_event_set(arg);
    return anyc_sleep_forever();
}

struct forever {
    anyc_blocking_portal *portal;
    anyc_event asleep;
};

static int forever_thread(void *arg)
{
    struct forever *forever = arg;

    return anyc_blocking_portal_call(forever->portal, sleep_forever_task, &forever->asleep, NULL);
}

static int wait_for_event(void *arg)
{
    return anyc_event_wait(arg);
}

/* Starts a portal, and a thread that is asleep in it. */
static void forever_start(struct forever *forever, struct side_thread *side)
{
    *forever = (struct forever){.portal = NULL};
    ck_assert_ok(anyc_start_blocking_portal(anyc_testing_backend(), NULL, &forever->portal));
    side_thread_start(side, forever_thread, forever);
    ck_assert_ok(
        anyc_blocking_portal_call(forever->portal, wait_for_event, &forever->asleep, NULL));
}

ANYC_TEST_PLAIN(test_portal_thread__an_error_of_the_block_cancels_what_remains)
{
    struct forever forever;
    struct side_thread side;

    forever_start(&forever, &side);
    ck_assert_int_eq(anyc_blocking_portal_exit(forever.portal, E1), E1);
    ck_assert_int_eq(anyc_blocking_portal_exit(forever.portal, E2), E2); /* no more to do */
    ck_assert_int_eq(side_thread_join(&side), ANYC_ECANCELLED);
    ck_assert_ok(anyc_aclose(forever.portal));
}

ANYC_TEST_PLAIN(test_portal_thread__closing_forcefully_cancels_what_remains)
{
    struct forever forever;
    struct side_thread side;

    forever_start(&forever, &side);
    anyc_aclose_forcefully(forever.portal);
    ck_assert_int_eq(side_thread_join(&side), ANYC_ECANCELLED);
}

static int stop_by_itself(void *arg)
{
    return anyc_blocking_portal_stop(arg, true);
}

/* FT-047's stop, from within: the thread is still there to be joined. */
ANYC_TEST_PLAIN(test_portal_thread__can_be_stopped_by_its_own_task)
{
    struct forever forever;
    struct side_thread side;

    forever_start(&forever, &side);
    ck_assert_int_eq(
        anyc_blocking_portal_call(forever.portal, stop_by_itself, forever.portal, NULL), 0);
    ck_assert_int_eq(side_thread_join(&side), ANYC_ECANCELLED);
    ck_assert_ok(anyc_aclose(forever.portal));
}

static int leave_by_itself(void *arg)
{
    ck_assert_int_eq(anyc_blocking_portal_exit(arg, 0), ANYC_ESTATE);
    ck_assert_int_eq(anyc_aclose((anyc_blocking_portal *)arg), ANYC_ESTATE);
    return 0;
}

ANYC_TEST_PLAIN(test_portal_thread__cannot_be_left_in_its_own_thread)
{
    anyc_blocking_portal *portal;
    struct place place;

    ck_assert_ok(anyc_start_blocking_portal(anyc_testing_backend(), NULL, &portal));
    ck_assert_ok(anyc_blocking_portal_call(portal, leave_by_itself, portal, NULL));
    ck_assert_ok(anyc_blocking_portal_call(portal, look_around, &place, NULL)); /* still there */
    ck_assert_ok(anyc_aclose(portal));
}

/* -- out of memory -- */

/* One allocation may fail without harm: that of the stack for the message of an overflow. */
ANYC_TEST_PLAIN(test_portal_thread__answers_when_memory_runs_out)
{
    int before = thread_count_before();
    bool failed = true;
    int harmless = 0;
    long n;

    fail_alloc_install();
    for (n = 1; failed; n++) {
        anyc_blocking_portal *portal = NULL;
        int rc;

        fail_alloc_arm(n);
        rc = anyc_start_blocking_portal(anyc_testing_backend(), NULL, &portal);
        failed = fail_alloc_disarm();
        ck_assert(rc == 0 || (rc == ANYC_ENOMEM && failed));
        harmless += failed && rc == 0;
        ck_assert((portal != NULL) == (rc == 0));
        if (portal != NULL)
            ck_assert_ok(anyc_aclose(portal));
        ck_assert(thread_count_falls_to(before));
    }
    ck_assert_int_gt(n, 4);
    ck_assert_int_le(harmless, 1);
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
}
