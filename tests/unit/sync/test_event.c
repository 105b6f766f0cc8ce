/* SPDX-License-Identifier: MIT */
/*
 * test_event.c - anyc_event. AnyIO: TestEvent.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/event.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "support/steps.h"

struct waiter {
    anyc_event *event;
    struct steps *steps;
    char letter;
    int rc;
};

static int wait_for_event(void *arg)
{
    struct waiter *waiter = arg;

    waiter->rc = anyc_event_wait(waiter->event);
    if (waiter->rc == 0)
        steps_add(waiter->steps, waiter->letter);
    return waiter->rc;
}

static size_t waiting(const anyc_event *event)
{
    anyc_event_stats stats;

    anyc_event_statistics(event, &stats);
    return stats.tasks_waiting;
}

static int check_and_set(void *arg)
{
    ck_assert(!anyc_event_is_set(arg));
    anyc_event_set(arg);
    return 0;
}

/* SY-015 */
ANYC_TEST(test_event__wakes_the_task_that_waits)
{
    anyc_event event = ANYC_EVENT_INIT;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, check_and_set, &event, NULL));
    ck_assert_ok(anyc_event_wait(&event));
    ck_assert(anyc_event_is_set(&event));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

struct started {
    anyc_event event;
    bool started;
    bool woken;
    int rc;
};

static int note_start_and_wait(void *arg)
{
    struct started *state = arg;

    state->started = true;
    state->rc = anyc_event_wait(&state->event);
    state->woken = state->rc == 0;
    return state->rc;
}

/* SY-016 */
ANYC_TEST(test_event__does_not_wake_a_task_cancelled_before_the_set)
{
    struct started state = {.rc = 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, note_start_and_wait, &state, NULL));
    anyc_task_group_cancel(&group, NULL);
    anyc_event_set(&state.event);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(state.started);
    ck_assert(!state.woken);
    ck_assert_int_eq(state.rc, ANYC_ECANCELLED);
}

/* SY-018 */
ANYC_TEST(test_event__statistics_count_the_waiters)
{
    anyc_event event = ANYC_EVENT_INIT;
    struct steps steps = {""};
    struct waiter waiters[2] = {{&event, &steps, '0', 1}, {&event, &steps, '1', 1}};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_uint_eq(waiting(&event), 0);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_ok(anyc_task_group_start_soon(&group, wait_for_event, &waiters[i], NULL));
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        ck_assert_uint_eq(waiting(&event), i + 1);
    }
    anyc_event_set(&event);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_eq(waiting(&event), 0);
}

/* SY-R15 */
ANYC_TEST(test_event__wakes_all_waiters_in_the_next_round_once_each)
{
    anyc_event event = ANYC_EVENT_INIT;
    struct steps steps = {""};
    struct waiter waiters[3] = {
        {&event, &steps, 'a', 1}, {&event, &steps, 'b', 1}, {&event, &steps, 'c', 1}};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (size_t i = 0; i < 3; i++)
        ck_assert_ok(anyc_task_group_start_soon(&group, wait_for_event, &waiters[i], NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_event_set(&event);
    anyc_event_set(&event);
    ck_assert_steps(&steps, "");
    ck_assert_uint_eq(waiting(&event), 0);
    ck_assert_ok(anyc_checkpoint()); /* one round */
    ck_assert_steps(&steps, "abc");
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_steps(&steps, "abc");
}

static void cancel_one_of_three(size_t position, const char *expected)
{
    anyc_event event = ANYC_EVENT_INIT;
    struct steps steps = {""};
    struct waiter waiters[3];
    anyc_task_handle handles[3];
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (size_t i = 0; i < 3; i++) {
        waiters[i] = (struct waiter){&event, &steps, (char)('a' + i), 1};
        ck_assert_ok(
            anyc_task_group_create_task(&group, wait_for_event, &waiters[i], NULL, &handles[i]));
    }
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_handle_cancel(&handles[position], NULL);
    ck_assert_uint_eq(waiting(&event), 2);
    anyc_event_set(&event);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_steps(&steps, expected);
    ck_assert_int_eq(waiters[position].rc, ANYC_ECANCELLED);
}

ANYC_TEST(test_event__a_cancelled_waiter_leaves_at_once_from_any_position)
{
    cancel_one_of_three(0, "bc");
    cancel_one_of_three(1, "ac");
    cancel_one_of_three(2, "ab");
}

ANYC_TEST(test_event__a_set_before_the_cancel_wins)
{
    anyc_event event = ANYC_EVENT_INIT;
    struct steps steps = {""};
    struct waiter waiter = {&event, &steps, 'a', 1};
    anyc_task_handle handle;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, wait_for_event, &waiter, NULL, &handle));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_event_set(&event);
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(waiter.rc, 0);
}

ANYC_TEST(test_event__waiting_on_a_set_event_meets_a_cancellation)
{
    anyc_event event = ANYC_EVENT_INIT;
    anyc_cancel_scope scope;

    anyc_event_set(&event);
    ck_assert_ok(anyc_event_wait(&event));
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_event_wait(&event), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
}

ANYC_TEST_WITH(test_event__a_deadline_ends_the_wait, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_event event = ANYC_EVENT_INIT;
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_fail_after(&scope, 5, false));
    ck_assert_int_eq(anyc_event_wait(&event), ANYC_ECANCELLED);
    ck_assert_uint_eq(waiting(&event), 0);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), ANYC_ETIMEDOUT);
}

static int set_what_a_waiter_owns(void *arg)
{
    anyc_event *const *place = arg;

    anyc_event_set(*place);
    return 0;
}

static int own_an_event(void *arg)
{
    anyc_event event = ANYC_EVENT_INIT;
    anyc_event **place = arg;

    *place = &event;
    return anyc_event_wait(&event);
}

ANYC_TEST(test_event__may_lie_on_the_stack_of_its_waiter)
{
    anyc_event *event = NULL;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, own_an_event, &event, NULL));
    ck_assert_ok(anyc_task_group_start_soon(&group, set_what_a_waiter_owns, &event, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

ANYC_TEST_PLAIN(test_event__works_outside_a_run_but_for_waiting)
{
    anyc_event event = ANYC_EVENT_INIT;

    ck_assert_int_eq(anyc_event_wait(&event), ANYC_ENOLOOP);
    ck_assert_uint_eq(waiting(&event), 0);
    anyc_event_set(&event);
    ck_assert(anyc_event_is_set(&event));
    ck_assert_int_eq(anyc_event_wait(&event), ANYC_ENOLOOP);
}
