/* SPDX-License-Identifier: MIT */
/*
 * test_thread_future.c - the results of tasks, for other threads. AnyIO: concurrent.futures.Future,
 * as the portal's tests use it.
 */
#include "own_portal.h"

#include <anyc/capacity_limiter.h>
#include <anyc/thread.h>

#include <stdatomic.h>
#include <time.h>

#include "support/fail_alloc.h"
#include "support/thread.h"

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* A task that waits for an event and returns a code. */
struct slow {
    anyc_event go;
    int rc;
    bool begun;
};

static int slow_task(void *arg)
{
    struct slow *slow = arg;
    int rc;

    slow->begun = true;
    rc = anyc_event_wait(&slow->go);
    return rc < 0 ? rc : slow->rc;
}

static anyc_thread_future *slow_start(anyc_blocking_portal *portal, struct slow *slow)
{
    anyc_thread_future *future = NULL;

    ck_assert_ok(anyc_blocking_portal_start_task_soon(portal, slow_task, slow, NULL, &future));
    return future;
}

/* -- what has become of it -- */

ANYC_TEST_PLAIN(test_thread_future__is_pending_until_the_task_has_ended)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct slow slow = {.rc = 3};
    anyc_thread_future *future = slow_start(portal, &slow);
    int result = 0;

    own_portal_settle(portal);
    ck_assert(!anyc_thread_future_done(future));
    ck_assert_int_eq(anyc_thread_future_status(future), ANYC_FUTURE_PENDING);
    ck_assert_int_eq(anyc_thread_future_result(future, &result), ANYC_EPENDING);
    own_portal_set(portal, &slow.go);
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert(anyc_thread_future_done(future));
    ck_assert_int_eq(anyc_thread_future_status(future), ANYC_FUTURE_FINISHED);
    ck_assert_ok(anyc_thread_future_result(future, &result));
    ck_assert_int_eq(result, 3);
    ck_assert(!anyc_thread_future_cancel(future)); /* too late */
    ck_assert_int_eq(anyc_thread_future_status(future), ANYC_FUTURE_FINISHED);
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

ANYC_TEST_PLAIN(test_thread_future__gives_the_tasks_error)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct slow slow = {.go.set = true, .rc = E1};
    anyc_thread_future *future = slow_start(portal, &slow);
    int result = 5;

    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_int_eq(anyc_thread_future_status(future), ANYC_FUTURE_FAILED);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(anyc_thread_future_result(future, &result), E1);
    ck_assert_int_eq(result, 5);
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

static int words_task(void *arg)
{
    anyc_capacity_limiter limiter;

    (void)arg;
    return anyc_capacity_limiter_init(&limiter, 1.5);
}

ANYC_TEST_PLAIN(test_thread_future__gives_the_message_of_the_error_each_time)
{
    anyc_blocking_portal *portal = own_portal_start();
    anyc_thread_future *future;

    ck_assert_ok(anyc_blocking_portal_start_task_soon(portal, words_task, NULL, NULL, &future));
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_ok(anyc_aclose(portal));
    for (int i = 0; i < 2; i++) {
        forget_last_error();
        ck_assert_int_eq(anyc_thread_future_result(future, NULL), ANYC_EINVAL);
        ck_assert_str_eq(anyc_last_error()->message,
                         "capacity limiter: 1.5 is not a number of tokens");
    }
    anyc_thread_future_unref(future);
    forget_last_error();
}

/* -- waiting -- */

ANYC_TEST_PLAIN(test_thread_future__a_wait_may_time_out)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct slow slow = {.rc = 0};
    anyc_thread_future *future = slow_start(portal, &slow);
    double begin = seconds_now();

    ck_assert_int_eq(anyc_thread_future_wait(future, 0), ANYC_ETIMEDOUT);
    ck_assert_int_eq(anyc_thread_future_wait(future, -1), ANYC_ETIMEDOUT);
    ck_assert_int_eq(anyc_thread_future_wait(future, -INFINITY), ANYC_ETIMEDOUT);
    ck_assert_int_eq(anyc_thread_future_wait(future, NAN), ANYC_EINVAL);
    ck_assert_double_lt(seconds_now() - begin, 5);
    begin = seconds_now();
    ck_assert_int_eq(anyc_thread_future_wait(future, 0.02), ANYC_ETIMEDOUT);
    ck_assert_double_ge(seconds_now() - begin, 0.02);
    own_portal_set(portal, &slow.go);
    ck_assert_ok(anyc_thread_future_wait(future, 1e300));
    ck_assert_ok(anyc_thread_future_wait(future, 0));
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

static int wait_thread(void *arg)
{
    return anyc_thread_future_wait(arg, INFINITY);
}

static int wait_5_s_thread(void *arg)
{
    return anyc_thread_future_wait(arg, 5);
}

static int callback_thread(void *arg);

/* TT-R07: in whichever way they wait. */
ANYC_TEST_PLAIN(test_thread_future__its_cancellation_wakes_all_who_wait)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct slow slow = {.rc = 0};
    anyc_thread_future *future = slow_start(portal, &slow);
    struct side_thread sides[9];

    for (int i = 0; i < 9; i++)
        side_thread_start(&sides[i],
                          i % 3 == 0   ? wait_thread
                          : i % 3 == 1 ? wait_5_s_thread
                                       : callback_thread,
                          future);
    usleep(2000);
    ck_assert(anyc_thread_future_cancel(future));
    for (int i = 0; i < 9; i++)
        ck_assert_ok(side_thread_join(&sides[i]));
    ck_assert_int_eq(anyc_thread_future_status(future), ANYC_FUTURE_CANCELLED);
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_aclose(portal));
}

static int wait_here(void *arg)
{
    ck_assert_int_eq(anyc_thread_future_wait(arg, INFINITY), ANYC_ESTATE);
    ck_assert_int_eq(anyc_thread_future_wait(arg, 0), ANYC_ESTATE);
    return 0;
}

static int wait_here_done(void *arg)
{
    return anyc_thread_future_wait(arg, INFINITY);
}

ANYC_TEST_PLAIN(test_thread_future__the_loops_thread_cannot_wait_for_it)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct slow slow = {.rc = 0};
    anyc_thread_future *future = slow_start(portal, &slow);

    ck_assert_ok(anyc_blocking_portal_call(portal, wait_here, future, NULL));
    own_portal_set(portal, &slow.go);
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_ok(anyc_blocking_portal_call(portal, wait_here_done, future, NULL));
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_aclose(portal));
}

/* -- cancelling -- */

static int cancel_here(void *arg)
{
    ck_assert(anyc_thread_future_cancel(arg));
    ck_assert(anyc_thread_future_cancel(arg)); /* still true: it has not ended */
    return 0;
}

ANYC_TEST_PLAIN(test_thread_future__can_be_cancelled_in_the_loops_thread)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct slow slow = {.rc = 0};
    anyc_thread_future *future = slow_start(portal, &slow);

    ck_assert_ok(anyc_blocking_portal_call(portal, cancel_here, future, NULL));
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_int_eq(anyc_thread_future_status(future), ANYC_FUTURE_CANCELLED);
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_aclose(portal));
}

static int stubborn_task(void *arg)
{
    struct slow *slow = arg;

    ck_assert_int_eq(anyc_event_wait(&slow->go), ANYC_ECANCELLED);
    return 11;
}

/* What the task makes of a cancellation is its own affair. */
ANYC_TEST_PLAIN(test_thread_future__a_task_may_end_well_although_it_was_cancelled)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct slow slow = {.rc = 0};
    anyc_thread_future *future;
    int result = 0;

    ck_assert_ok(anyc_blocking_portal_start_task_soon(portal, stubborn_task, &slow, NULL, &future));
    ck_assert(anyc_thread_future_cancel(future));
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_ok(anyc_thread_future_result(future, &result));
    ck_assert_int_eq(result, 11);
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_aclose(portal));
}

/* Holds the loop up, so that nothing else happens there until it is released. */
struct held {
    sem_t begun;
    sem_t release;
    struct slow slow;
    anyc_thread_future *future; /* of the task that waits for `slow` */
    bool by_holder;             /* who is to cancel it, as soon as that task is made */
};

static size_t task_count(void)
{
    size_t count = 0;

    ck_assert_ok(anyc_get_running_tasks(NULL, 0, &count));
    return count;
}

/* The main task, this one, and then the new one, which is behind this one in the queue. */
static int hold_loop(void *arg)
{
    struct held *held = arg;

    sem_post(&held->begun);
    ck_assert(gate_wait(&held->release));
    if (!held->by_holder)
        return 0;
    while (task_count() < 3)
        ck_assert_ok(anyc_checkpoint());
    ck_assert(!held->slow.begun);
    ck_assert(anyc_thread_future_cancel(held->future));
    return 0;
}

enum moment { BEFORE_ITS_MAKING, BEFORE_ITS_FIRST_TURN, WHILE_IT_RUNS };

static void cancel_at(enum moment moment)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct held held = {.by_holder = moment == BEFORE_ITS_FIRST_TURN};

    sem_init(&held.begun, 0, 0);
    sem_init(&held.release, 0, 0);
    ck_assert_ok(anyc_blocking_portal_start_task_soon(portal, hold_loop, &held, NULL, NULL));
    ck_assert(gate_wait(&held.begun));
    held.future = slow_start(portal, &held.slow);
    if (moment == BEFORE_ITS_MAKING)
        ck_assert(anyc_thread_future_cancel(held.future));
    sem_post(&held.release);
    if (moment == WHILE_IT_RUNS) {
        own_portal_settle(portal);
        ck_assert(anyc_thread_future_cancel(held.future));
    }
    ck_assert_ok(anyc_thread_future_wait(held.future, 5));
    ck_assert_int_eq(anyc_thread_future_status(held.future), ANYC_FUTURE_CANCELLED);
    ck_assert(held.slow.begun); /* up to its first wait */
    ck_assert_ok(anyc_aclose(portal));
    anyc_thread_future_unref(held.future);
    sem_destroy(&held.begun);
    sem_destroy(&held.release);
}

/* TT-R03 */
ANYC_TEST_PLAIN(test_thread_future__can_be_cancelled_at_every_moment)
{
    cancel_at(BEFORE_ITS_MAKING);
    cancel_at(BEFORE_ITS_FIRST_TURN);
    cancel_at(WHILE_IT_RUNS);
}

static int cancel_thread(void *arg)
{
    (void)anyc_thread_future_cancel(arg); /* it may have ended */
    return 0;
}

static int short_task(void *arg)
{
    (void)arg;
    return anyc_checkpoint();
}

/* ... and when it ends at the same time. */
ANYC_TEST_PLAIN(test_thread_future__survives_being_cancelled_by_many)
{
    anyc_blocking_portal *portal = own_portal_start();

    for (int i = 0; i < 100; i++) {
        struct side_thread sides[3];
        anyc_thread_future *future;

        ck_assert_ok(anyc_blocking_portal_start_task_soon(portal, short_task, NULL, NULL, &future));
        for (int k = 0; k < 3; k++)
            side_thread_start(&sides[k], k < 2 ? cancel_thread : wait_thread, future);
        for (int k = 0; k < 3; k++)
            ck_assert_ok(side_thread_join(&sides[k]));
        ck_assert(anyc_thread_future_done(future));
        anyc_thread_future_unref(future);
    }
    ck_assert_ok(anyc_aclose(portal));
}

ANYC_TEST_PLAIN(test_thread_future__outlives_the_portal_and_the_run)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct slow slow = {.rc = 0};
    anyc_thread_future *future = slow_start(portal, &slow);

    anyc_aclose_forcefully(portal);
    ck_assert(!anyc_thread_future_cancel(future));
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_int_eq(anyc_thread_future_result(future, NULL), ANYC_EFUTURECANCELLED);
    anyc_thread_future_unref(future);
    forget_last_error();
}

static int cancel_later_thread(void *arg)
{
    usleep(20000);
    return anyc_thread_future_cancel(arg) ? 0 : E1;
}

struct latecomer {
    anyc_blocking_portal *portal;
    anyc_thread_future *future;
};

static int latecomer_thread(void *arg)
{
    struct latecomer *late = arg;

    return anyc_blocking_portal_start_task_soon(late->portal, forever_task, NULL, NULL,
                                                &late->future);
}

ANYC_TEST(test_thread_future__keeps_the_run_from_counting_as_deadlocked)
{
    struct latecomer late;
    struct side_thread side;

    ck_assert_ok(anyc_blocking_portal_enter(&late.portal));
    ck_assert_ok(anyc_to_thread_run_sync(latecomer_thread, &late, NULL, NULL));
    side_thread_start(&side, cancel_later_thread, late.future);
    ck_assert_ok(anyc_aclose(late.portal)); /* the door is closed; the task goes on */
    ck_assert_ok(side_thread_join(&side));
    anyc_thread_future_unref(late.future);
}

/* -- callbacks -- */

struct callback {
    sem_t called;
    char order[8];
    int count;
    bool was_done;
    bool in_loop;
};

static void callback_done(anyc_thread_future *future, void *arg)
{
    struct callback *callback = arg;

    callback->was_done = anyc_thread_future_done(future);
    callback->in_loop = anyc_current_backend() != NULL;
    sem_post(&callback->called);
}

static int callback_thread(void *arg)
{
    struct callback callback = {.count = 0};
    int rc;

    sem_init(&callback.called, 0, 0);
    rc = anyc_thread_future_add_done_callback(arg, callback_done, &callback);
    if (rc == 0 && !gate_wait(&callback.called))
        rc = E1;
    sem_destroy(&callback.called);
    return rc == 0 && callback.was_done ? 0 : E2;
}

ANYC_TEST_PLAIN(test_thread_future__calls_back_when_it_is_done_or_at_once)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct slow slow = {.rc = 0};
    anyc_thread_future *future = slow_start(portal, &slow);
    struct callback callback = {.count = 0};

    sem_init(&callback.called, 0, 0);
    ck_assert_ok(anyc_thread_future_add_done_callback(future, callback_done, &callback));
    own_portal_settle(portal);
    ck_assert_int_ne(sem_trywait(&callback.called), 0);
    own_portal_set(portal, &slow.go);
    ck_assert(gate_wait(&callback.called));
    ck_assert(callback.was_done);
    ck_assert(callback.in_loop);
    ck_assert_ok(anyc_thread_future_add_done_callback(future, callback_done, &callback));
    ck_assert_int_eq(sem_trywait(&callback.called), 0);
    ck_assert(!callback.in_loop);
    ck_assert_int_eq(anyc_thread_future_add_done_callback(future, NULL, NULL), ANYC_EINVAL);
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_aclose(portal));
    sem_destroy(&callback.called);
    forget_last_error();
}

struct ordered {
    struct callback *callback;
    char letter;
};

static void ordered_done(anyc_thread_future *future, void *arg)
{
    struct ordered *ordered = arg;

    (void)future;
    ordered->callback->order[ordered->callback->count++] = ordered->letter;
}

ANYC_TEST_PLAIN(test_thread_future__calls_back_in_order_and_before_the_portal_is_gone)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct slow slow = {.rc = 0};
    anyc_thread_future *future = slow_start(portal, &slow);
    struct callback callback = {.count = 0};
    struct ordered ordered[3];

    for (int i = 0; i < 3; i++) {
        ordered[i] = (struct ordered){&callback, (char)('a' + i)};
        ck_assert_ok(anyc_thread_future_add_done_callback(future, ordered_done, &ordered[i]));
    }
    anyc_thread_future_unref(future); /* the task keeps it until then */
    own_portal_set(portal, &slow.go);
    ck_assert_ok(anyc_aclose(portal));
    ck_assert_str_eq(callback.order, "abc");
}

ANYC_TEST_PLAIN(test_thread_future__a_callback_needs_memory)
{
    anyc_blocking_portal *portal;
    struct slow slow = {.rc = 0};
    anyc_thread_future *future;

    fail_alloc_install();
    portal = own_portal_start();
    future = slow_start(portal, &slow);
    own_portal_settle(portal);
    fail_alloc_arm(1);
    ck_assert_int_eq(anyc_thread_future_add_done_callback(future, callback_done, NULL),
                     ANYC_ENOMEM);
    ck_assert(fail_alloc_disarm());
    ck_assert(anyc_thread_future_cancel(future));
    ck_assert_ok(anyc_aclose(portal));
    anyc_thread_future_unref(future);
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
}

/* -- references -- */

ANYC_TEST_PLAIN(test_thread_future__goes_with_the_last_reference)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct slow slow = {.go.set = true, .rc = 9};
    anyc_thread_future *future = slow_start(portal, &slow);
    int result = 0;

    ck_assert_ptr_eq(anyc_thread_future_ref(future), future);
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_ok(anyc_thread_future_result(future, &result));
    ck_assert_int_eq(result, 9);
    anyc_thread_future_unref(future);
    anyc_thread_future_unref(NULL);
    ck_assert_ok(anyc_aclose(portal));
}
