/* SPDX-License-Identifier: MIT */
/*
 * test_token.c - tokens of a run, by which threads of the program's own call into it.
 * AnyIO: tests/test_from_thread.py, the tests with "unclaimed" threads.
 */
#include "support/tasks.h"

#include <anyc/event.h>
#include <anyc/thread.h>

#include <pthread.h>
#include <stdatomic.h>

#include "support/fail_alloc.h"
#include "support/thread.h"

struct visit {
    anyc_token *token;
    anyc_event event;
    int rc;
    int result;
};

static void visit_begin(struct visit *visit)
{
    *visit = (struct visit){.rc = 1};
    ck_assert_ok(anyc_current_token(&visit->token));
}

static int set_and_answer_7(void *arg)
{
    struct visit *visit = arg;

    anyc_event_set(&visit->event);
    return 7;
}

static int visit_run(void *arg)
{
    struct visit *visit = arg;

    visit->rc = anyc_from_thread_run(set_and_answer_7, visit, visit->token, &visit->result);
    return visit->rc;
}

static int visit_run_sync(void *arg)
{
    struct visit *visit = arg;

    visit->rc = anyc_from_thread_run_sync(set_and_answer_7, visit, visit->token, &visit->result);
    return visit->rc;
}

static void check_visit(int (*fn)(void *arg))
{
    struct side_thread side;
    struct visit visit;

    visit_begin(&visit);
    side_thread_start(&side, fn, &visit);
    ck_assert_ok(anyc_event_wait(&visit.event));
    ck_assert_ok(side_thread_await(&side));
    ck_assert_int_eq(visit.result, 7);
    anyc_token_release(visit.token);
}

/* FT-008 */
ANYC_TEST(test_token__lets_a_foreign_thread_run_a_task_function)
{
    check_visit(visit_run);
}

/* FT-016 */
ANYC_TEST(test_token__lets_a_foreign_thread_call_a_plain_function)
{
    check_visit(visit_run_sync);
}

ANYC_TEST_PLAIN(test_token__needs_a_loop)
{
    anyc_token *token = NULL;

    ck_assert_int_eq(anyc_current_token(&token), ANYC_ENOLOOP);
    ck_assert_ptr_null(token);
    anyc_token_release(NULL);
}

ANYC_TEST(test_token__is_one_for_a_run)
{
    anyc_token *first = NULL;
    anyc_token *second = NULL;

    ck_assert_ok(anyc_current_token(&first));
    ck_assert_ok(anyc_current_token(&second));
    ck_assert_ptr_eq(first, second);
    anyc_token_release(first);
    anyc_token_release(second);
}

ANYC_TEST(test_token__is_of_no_use_in_the_loops_own_thread)
{
    struct visit visit;

    visit_begin(&visit);
    ck_assert_int_eq(visit_run(&visit), ANYC_ESTATE);
    ck_assert_int_eq(visit_run_sync(&visit), ANYC_ESTATE);
    ck_assert(!anyc_event_is_set(&visit.event));
    anyc_token_release(visit.token);
}

/* The worker's own run: as without a token. */
ANYC_TEST(test_token__serves_workers_too)
{
    struct visit visit;

    visit_begin(&visit);
    ck_assert_ok(anyc_to_thread_run_sync(visit_run, &visit, NULL, NULL));
    ck_assert_int_eq(visit.result, 7);
    ck_assert_ok(anyc_to_thread_run_sync(visit_run_sync, &visit, NULL, NULL));
    anyc_token_release(visit.token);
}

/* -- the end of the run -- */

static int visit_main(void *arg)
{
    visit_begin(arg);
    return 0;
}

/* FT-014 */
ANYC_TEST_PLAIN(test_token__tells_that_the_run_has_ended)
{
    struct visit visit;

    ck_assert_ok(run_on_backend(visit_main, &visit));
    ck_assert_int_eq(visit_run(&visit), ANYC_ERUNFINISHED);
    ck_assert_int_eq(visit_run_sync(&visit), ANYC_ERUNFINISHED);
    ck_assert(!anyc_event_is_set(&visit.event));
    anyc_token_release(visit.token);
    forget_last_error();
}

struct endless {
    struct visit visit;
    struct side_thread side;
    int in_loop;
};

static int endless_in_loop(void *arg)
{
    struct endless *endless = arg;

    anyc_event_set(&endless->visit.event);
    endless->in_loop = anyc_sleep_forever();
    return anyc_sleep_forever(); /* it may clean up, but not stay */
}

static int endless_thread(void *arg)
{
    struct endless *endless = arg;

    return anyc_from_thread_run(endless_in_loop, endless, endless->visit.token, NULL);
}

static int endless_main(void *arg)
{
    struct endless *endless = arg;

    visit_begin(&endless->visit);
    side_thread_start(&endless->side, endless_thread, endless);
    ck_assert_ok(anyc_event_wait(&endless->visit.event));
    return E1;
}

ANYC_TEST_PLAIN(test_token__cancels_what_runs_at_the_end_of_the_run)
{
    struct endless endless = {.in_loop = 1};

    ck_assert_int_eq(run_on_backend(endless_main, &endless), E1);
    ck_assert_int_eq(side_thread_join(&endless.side), ANYC_ECANCELLED);
    ck_assert_int_eq(endless.in_loop, ANYC_ECANCELLED);
    anyc_token_release(endless.visit.token);
    forget_last_error();
}

/* A function called when the run ends may not start anything new there. */
static int late_in_loop(void *arg)
{
    struct endless *endless = arg;
    int rc;

    anyc_event_set(&endless->visit.event);
    rc = anyc_sleep_forever();
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    rc = anyc_to_thread_run_sync(visit_run, &endless->visit, NULL, NULL);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    return E2;
}

static int late_thread(void *arg)
{
    struct endless *endless = arg;
    anyc_token *token = endless->visit.token;
    int rc = anyc_from_thread_run(late_in_loop, endless, token, NULL);

    ck_assert_int_eq(anyc_from_thread_run(note_task, NULL, token, NULL), ANYC_ERUNFINISHED);
    return rc;
}

static int late_main(void *arg)
{
    struct endless *endless = arg;

    visit_begin(&endless->visit);
    side_thread_start(&endless->side, late_thread, endless);
    ck_assert_ok(anyc_event_wait(&endless->visit.event));
    return 0;
}

ANYC_TEST_PLAIN(test_token__takes_no_call_when_the_main_task_has_ended)
{
    struct endless endless = {.in_loop = 1};

    ck_assert_ok(run_on_backend(late_main, &endless));
    ck_assert_int_eq(side_thread_join(&endless.side), E2);
    anyc_token_release(endless.visit.token);
}

/* -- deadlocks -- */

static int release_thread(void *arg)
{
    anyc_token_release(arg);
    return 0;
}

static int hold_main(void *arg)
{
    struct side_thread *side = arg;
    anyc_token *token = NULL;

    ck_assert_ok(anyc_current_token(&token));
    side_thread_start(side, release_thread, token);
    return anyc_sleep_forever(); /* ends when there is no token any more, and not before */
}

ANYC_TEST_PLAIN(test_token__keeps_the_run_from_counting_as_deadlocked)
{
    struct side_thread side;

    ck_assert_int_eq(run_on_backend(hold_main, &side), ANYC_EDEADLOCK);
    ck_assert_ok(side_thread_join(&side));
    forget_last_error();
}

static int stuck_in_loop(void *arg)
{
    anyc_event never = ANYC_EVENT_INIT;

    (void)arg;
    return anyc_event_wait(&never);
}

static int stuck_thread(void *arg)
{
    return anyc_from_thread_run(stuck_in_loop, arg, NULL, NULL);
}

static int stuck_main(void *arg)
{
    return anyc_to_thread_run_sync(stuck_thread, arg, NULL, NULL);
}

/* A worker that waits for the loop wakes nobody. */
ANYC_TEST_PLAIN(test_token__a_worker_that_waits_for_the_loop_is_part_of_a_deadlock)
{
    ck_assert_int_eq(run_on_backend(stuck_main, NULL), ANYC_EDEADLOCK);
    forget_last_error();
}

static int nap_in_loop(void *arg)
{
    (void)arg;
    return anyc_sleep(1000);
}

static int nap_thread(void *arg)
{
    struct visit *visit = arg;
    anyc_token *token = visit != NULL ? visit->token : NULL;
    int rc = anyc_from_thread_run(nap_in_loop, NULL, token, NULL);

    if (visit != NULL)
        loop_event_set_with(&visit->event, token);
    return rc;
}

/* ... and virtual time goes on meanwhile. */
ANYC_TEST_WITH(test_token__virtual_time_goes_on_while_threads_wait_for_the_loop,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    static const anyc_to_thread_run_sync_options abandon = {.abandon_on_cancel = true};
    struct side_thread side;
    struct visit visit;

    ck_assert_ok(anyc_to_thread_run_sync(nap_thread, NULL, NULL, NULL));
    ck_assert_double_eq(anyc_current_time(), 1000);
    ck_assert_ok(anyc_to_thread_run_sync(nap_thread, NULL, &abandon, NULL));
    ck_assert_double_eq(anyc_current_time(), 2000);
    visit_begin(&visit);
    side_thread_start(&side, nap_thread, &visit);
    ck_assert_ok(anyc_event_wait(&visit.event));
    ck_assert_double_eq(anyc_current_time(), 3000);
    ck_assert_ok(side_thread_await(&side));
    anyc_token_release(visit.token);
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
    anyc_token *token = NULL;

    fail_alloc_arm(scarce->n);
    scarce->rc = anyc_current_token(&token);
    scarce->failed = fail_alloc_disarm();
    ck_assert((token != NULL) == (scarce->rc == 0));
    anyc_token_release(token);
    return 0;
}

ANYC_TEST_PLAIN(test_token__answers_when_memory_runs_out)
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
