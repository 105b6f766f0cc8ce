/* SPDX-License-Identifier: MIT */
/*
 * test_portal.c - blocking portals into the running loop: calls, the door, the exit.
 * AnyIO: tests/test_from_thread.py, TestBlockingPortal.
 */
#include "support/tasks.h"

#include <anyc/event.h>
#include <anyc/portal.h>
#include <anyc/thread.h>

#include <pthread.h>

#include "support/fail_alloc.h"
#include "support/thread.h"

struct sum {
    anyc_blocking_portal *portal;
    int a;
    int b;
    pthread_t thread;
    int result;
};

static int sum_up(void *arg)
{
    struct sum *sum = arg;

    sum->thread = pthread_self();
    return anyc_checkpoint() < 0 ? E1 : sum->a + sum->b;
}

static int sum_thread(void *arg)
{
    struct sum *sum = arg;

    return anyc_blocking_portal_call(sum->portal, sum_up, sum, &sum->result);
}

/* FT-020 */
ANYC_TEST(test_portal__runs_a_task_function_for_a_worker)
{
    struct sum sum = {.a = 1, .b = 2};

    ck_assert_ok(anyc_blocking_portal_enter(&sum.portal));
    ck_assert_ok(anyc_to_thread_run_sync(sum_thread, &sum, NULL, NULL));
    ck_assert_int_eq(sum.result, 3);
    ck_assert(pthread_equal(sum.thread, pthread_self()));
    ck_assert_ok(anyc_aclose(sum.portal));
}

ANYC_TEST(test_portal__runs_a_task_function_for_a_foreign_thread)
{
    struct sum sum = {.a = 3, .b = 4};
    struct side_thread side;

    ck_assert_ok(anyc_blocking_portal_enter(&sum.portal));
    side_thread_start(&side, sum_thread, &sum);
    ck_assert_ok(side_thread_await(&side));
    ck_assert_int_eq(sum.result, 7);
    ck_assert_ok(anyc_aclose(sum.portal));
}

/* Threads that call a function, which counts itself and then sleeps. */
struct sleepers {
    anyc_blocking_portal *portal;
    struct side_thread threads[2];
    double seconds;
    int count;
    anyc_event both;
};

static int sleepers_task(void *arg)
{
    struct sleepers *sleepers = arg;

    if (++sleepers->count == 2)
        anyc_event_set(&sleepers->both);
    return anyc_sleep(sleepers->seconds);
}

static int sleepers_thread(void *arg)
{
    struct sleepers *sleepers = arg;

    return anyc_blocking_portal_call(sleepers->portal, sleepers_task, sleepers, NULL);
}

/* Opens a portal and waits until both threads are asleep in it. */
static void sleepers_start(struct sleepers *sleepers, double seconds)
{
    *sleepers = (struct sleepers){.seconds = seconds};
    ck_assert_ok(anyc_blocking_portal_enter(&sleepers->portal));
    for (int i = 0; i < 2; i++)
        side_thread_start(&sleepers->threads[i], sleepers_thread, sleepers);
    ck_assert_ok(anyc_event_wait(&sleepers->both));
}

static void sleepers_join(struct sleepers *sleepers, int code)
{
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(side_thread_join(&sleepers->threads[i]), code);
}

/* FT-021 */
ANYC_TEST(test_portal__an_error_of_the_block_cancels_the_calls)
{
    struct sleepers sleepers;
    double begin = anyc_current_time();

    sleepers_start(&sleepers, 3);
    ck_assert_int_eq(anyc_blocking_portal_exit(sleepers.portal, E1), E1);
    sleepers_join(&sleepers, ANYC_ECANCELLED);
    ck_assert_double_lt(anyc_current_time() - begin, 2.5);
    ck_assert_ok(anyc_aclose(sleepers.portal));
}

/* FT-022 */
ANYC_TEST(test_portal__a_normal_exit_waits_for_the_calls)
{
    struct sleepers sleepers;

    sleepers_start(&sleepers, 0.2);
    ck_assert_ok(anyc_blocking_portal_exit(sleepers.portal, 0));
    sleepers_join(&sleepers, 0);
    ck_assert_ok(anyc_aclose(sleepers.portal));
}

ANYC_TEST(test_portal__the_scopes_around_it_reach_the_calls)
{
    struct sleepers sleepers;
    anyc_cancel_scope scope;

    anyc_cancel_scope_enter(&scope, NULL);
    sleepers_start(&sleepers, 3);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_blocking_portal_exit(sleepers.portal, 0), ANYC_ECANCELLED);
    ck_assert_ok(anyc_aclose(sleepers.portal));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    sleepers_join(&sleepers, ANYC_ECANCELLED);
}

ANYC_TEST(test_portal__closing_forcefully_cancels_the_calls)
{
    struct sleepers sleepers;

    sleepers_start(&sleepers, INFINITY);
    anyc_aclose_forcefully(sleepers.portal);
    sleepers_join(&sleepers, ANYC_ECANCELLED);
}

static int code_thread(void *arg)
{
    int code = E1;

    return anyc_blocking_portal_call(arg, code_task, &code, NULL);
}

ANYC_TEST(test_portal__an_error_goes_to_the_caller_alone)
{
    anyc_blocking_portal *portal;

    ck_assert_ok(anyc_blocking_portal_enter(&portal));
    ck_assert_int_eq(anyc_to_thread_run_sync(code_thread, portal, NULL, NULL), E1);
    ck_assert_ok(anyc_checkpoint());
    ck_assert_ok(anyc_aclose(portal));
}

static int named_task(void *arg)
{
    anyc_task_info info;
    int rc = anyc_get_current_task(&info);

    (void)snprintf(arg, 64, "%s", info.name);
    return rc;
}

static int named_thread(void *arg)
{
    struct sum *sum = arg;
    static char name[64];

    ck_assert_ok(anyc_blocking_portal_call(sum->portal, named_task, name, NULL));
    ck_assert_str_eq(name, "named_task");
    ck_assert_ok((anyc_blocking_portal_call)(sum->portal, named_task, name, NULL));
    ck_assert_str_eq(name, "task");
    return 0;
}

ANYC_TEST(test_portal__a_task_has_the_name_of_its_function)
{
    struct sum sum = {.a = 0};

    ck_assert_ok(anyc_blocking_portal_enter(&sum.portal));
    ck_assert_ok(anyc_to_thread_run_sync(named_thread, &sum, NULL, NULL));
    ck_assert_ok(anyc_aclose(sum.portal));
}

/* -- the door -- */

static int refused_thread(void *arg)
{
    bool called = false;
    anyc_thread_future *future = NULL;

    ck_assert_int_eq(anyc_blocking_portal_call(arg, note_task, &called, NULL), ANYC_ESTATE);
    ck_assert_str_eq(anyc_last_error()->message, "the blocking portal is not running");
    ck_assert_int_eq(anyc_blocking_portal_start_task_soon(arg, note_task, &called, NULL, &future),
                     ANYC_ESTATE);
    ck_assert_ptr_null(future);
    ck_assert(!called);
    ck_assert_ok(anyc_blocking_portal_stop(arg, true)); /* harmless */
    return 0;
}

/* FT-028 */
ANYC_TEST_PLAIN(test_portal__a_closed_one_takes_no_calls)
{
    anyc_start_blocking_portal_options options = {.name = NULL};
    anyc_blocking_portal *portal;

    ck_assert_ok(anyc_start_blocking_portal(anyc_testing_backend(), &options, &portal));
    ck_assert_ok(anyc_close(portal));
    ck_assert_ok(anyc_close(portal));
    ck_assert_ok(refused_thread(portal));
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

ANYC_TEST(test_portal__a_stopped_one_takes_no_calls)
{
    anyc_blocking_portal *portal;

    ck_assert_ok(anyc_blocking_portal_enter(&portal));
    ck_assert_ok(anyc_blocking_portal_stop(portal, false));
    ck_assert_ok(anyc_to_thread_run_sync(refused_thread, portal, NULL, NULL));
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED); /* refused_thread's second stop */
    ck_assert_int_eq(anyc_blocking_portal_exit(portal, ANYC_ECANCELLED), 0);
    ck_assert_ok(anyc_to_thread_run_sync(refused_thread, portal, NULL, NULL));
    ck_assert_ok(anyc_aclose(portal));
}

ANYC_TEST(test_portal__is_of_no_use_in_the_loops_own_thread)
{
    anyc_thread_future *future = NULL;
    anyc_blocking_portal *portal;
    bool called = false;

    ck_assert_ok(anyc_blocking_portal_enter(&portal));
    ck_assert_int_eq(anyc_blocking_portal_call(portal, note_task, &called, NULL), ANYC_ESTATE);
    ck_assert_int_eq(
        anyc_blocking_portal_start_task_soon(portal, note_task, &called, NULL, &future),
        ANYC_ESTATE);
    ck_assert_ok(anyc_aclose(portal));
    ck_assert(!called);
}

static int stop_thread(void *arg)
{
    return anyc_blocking_portal_stop(arg, false);
}

ANYC_TEST(test_portal__wakes_who_waits_for_its_stop)
{
    anyc_blocking_portal *portal;
    struct side_thread side;

    ck_assert_ok(anyc_blocking_portal_enter(&portal));
    side_thread_start(&side, stop_thread, portal);
    ck_assert_ok(anyc_blocking_portal_sleep_until_stopped(portal));
    ck_assert_ok(anyc_blocking_portal_sleep_until_stopped(portal)); /* at once */
    ck_assert_ok(side_thread_join(&side));
    ck_assert_ok(anyc_aclose(portal));
}

static int wait_for_stop(void *arg)
{
    return anyc_blocking_portal_sleep_until_stopped(arg);
}

ANYC_TEST(test_portal__waiting_for_its_stop_can_be_cancelled)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_blocking_portal *portal;

    ck_assert_ok(anyc_blocking_portal_enter(&portal));
    anyc_task_group_enter(&group);
    spawn(&group, wait_for_stop, portal);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_aclose(portal));
}

ANYC_TEST(test_portal__cancelling_what_remains_cancels_the_block_too)
{
    anyc_blocking_portal *portal;

    ck_assert_ok(anyc_blocking_portal_enter(&portal));
    ck_assert_ok(anyc_blocking_portal_stop(portal, true));
    ck_assert_int_eq(anyc_sleep_forever(), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_blocking_portal_exit(portal, ANYC_ECANCELLED), 0);
    ck_assert_ok(anyc_checkpoint());
    ck_assert_ok(anyc_aclose(portal));
}

/* -- misuse -- */

ANYC_TEST_PLAIN(test_portal__needs_a_loop)
{
    anyc_blocking_portal *portal = NULL;

    ck_assert_int_eq(anyc_blocking_portal_enter(&portal), ANYC_ENOLOOP);
    ck_assert_ptr_null(portal);
}

static int aclose_task(void *arg)
{
    ck_assert_int_eq(anyc_blocking_portal_exit(arg, 0), ANYC_ESTATE);
    ck_assert_int_eq(anyc_aclose((anyc_blocking_portal *)arg), ANYC_ESTATE);
    return 0;
}

/* A portal that the wrong task closes, or that is not the innermost scope, stays as it is. */
ANYC_TEST(test_portal__is_left_by_its_own_task_and_in_order)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct sum sum = {.a = 1, .b = 2};

    ck_assert_ok(anyc_blocking_portal_enter(&sum.portal));
    anyc_task_group_enter(&group);
    spawn(&group, aclose_task, sum.portal);
    ck_assert_int_eq(anyc_blocking_portal_exit(sum.portal, 0), ANYC_ESTATE);
    ck_assert_int_eq(anyc_aclose(sum.portal), ANYC_ESTATE);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_to_thread_run_sync(sum_thread, &sum, NULL, NULL));
    ck_assert_ok(anyc_aclose(sum.portal));
}

static int call_nothing(void *arg)
{
    ck_assert_int_eq(anyc_blocking_portal_call(arg, NULL, NULL, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_blocking_portal_start_task_soon(arg, NULL, NULL, NULL, NULL),
                     ANYC_EINVAL);
    ck_assert_int_eq(anyc_blocking_portal_start_task(arg, NULL, NULL, NULL, NULL, NULL),
                     ANYC_EINVAL);
    ck_assert_int_eq(anyc_blocking_portal_wrap_context(arg, NULL, NULL, NULL, NULL, NULL),
                     ANYC_EINVAL);
    return 0;
}

ANYC_TEST(test_portal__refuses_to_call_nothing)
{
    anyc_blocking_portal *portal;

    ck_assert_ok(anyc_blocking_portal_enter(&portal));
    ck_assert_ok(anyc_to_thread_run_sync(call_nothing, portal, NULL, NULL));
    ck_assert_ok(anyc_aclose(portal));
}

/* -- the exit comes at any moment -- */

struct storm {
    anyc_blocking_portal *portal;
};

/* Calls are answered until they are refused. */
static int storm_thread(void *arg)
{
    struct storm *storm = arg;
    bool called = false;
    int rc = 0;

    while (rc != ANYC_ESTATE) {
        rc = anyc_blocking_portal_call(storm->portal, note_task, &called, NULL);
        ck_assert(rc == 0 || rc == ANYC_ESTATE);
    }
    return 0;
}

ANYC_TEST(test_portal__survives_its_exit_at_any_moment)
{
    for (int i = 0; i < 30; i++) {
        struct side_thread sides[4];
        struct storm storm;

        ck_assert_ok(anyc_blocking_portal_enter(&storm.portal));
        for (int k = 0; k < 4; k++)
            side_thread_start(&sides[k], storm_thread, &storm);
        for (int k = 0; k < i * 20; k++)
            ck_assert_ok(anyc_checkpoint());
        ck_assert_ok(anyc_blocking_portal_exit(storm.portal, 0));
        for (int k = 0; k < 4; k++)
            ck_assert_ok(side_thread_await(&sides[k]));
        ck_assert_ok(anyc_aclose(storm.portal));
    }
}

/* -- out of memory -- */

struct scarce {
    long n;
    bool failed;
    int rc;
};

static int scarce_thread(void *arg)
{
    bool called = false;
    int rc = anyc_blocking_portal_call(arg, note_task, &called, NULL);

    ck_assert(called == (rc == 0));
    return rc;
}

static int scarce_main(void *arg)
{
    struct scarce *scarce = arg;
    anyc_blocking_portal *portal = NULL;
    bool called = false;

    ck_assert_ok(anyc_to_thread_run_sync(note_task, &called, NULL, NULL)); /* starts a worker */
    fail_alloc_arm(scarce->n);
    scarce->rc = anyc_blocking_portal_enter(&portal);
    if (scarce->rc == 0)
        scarce->rc = anyc_to_thread_run_sync(scarce_thread, portal, NULL, NULL);
    scarce->failed = fail_alloc_disarm();
    return portal != NULL ? anyc_aclose(portal) : 0;
}

ANYC_TEST_PLAIN(test_portal__answers_when_memory_runs_out)
{
    struct scarce scarce = {.failed = true};

    fail_alloc_install();
    for (scarce.n = 1; scarce.failed; scarce.n++) {
        ck_assert_ok(run_on_backend(scarce_main, &scarce));
        ck_assert_int_eq(scarce.rc, scarce.failed ? ANYC_ENOMEM : 0);
    }
    ck_assert_int_gt(scarce.n, 2);
    ck_assert_int_eq(fail_alloc_live(), 0);
}
