/* SPDX-License-Identifier: MIT */
/*
 * test_deadline.c - moving deadlines, several at once, and what reaches a task.
 * AnyIO: test_taskgroups.py.
 */
#include "support/tasks.h"

#include <anyc/event.h>

#include <time.h>

/* TG-R33 */
ANYC_TEST(test_deadline__is_infinity_without_a_scope)
{
    ck_assert_double_eq(anyc_current_effective_deadline(), INFINITY);
}

ANYC_TEST_PLAIN(test_deadline__is_infinity_outside_of_a_run)
{
    ck_assert_double_eq(anyc_current_effective_deadline(), INFINITY);
    ck_assert(!anyc_has_pending_cancellation());
    ck_assert_ptr_null(anyc_cancel_reason());
}

/* TG-066 */
ANYC_TEST_WITH(test_deadline__can_be_moved_away, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_fail_after(&scope, 0.1, false));
    ck_assert_ok(anyc_cancel_scope_set_deadline(&scope, anyc_cancel_scope_deadline(&scope) + 0.3));
    ck_assert_double_eq_tol(anyc_current_effective_deadline(), 0.4, 1e-9);
    ck_assert_ok(anyc_sleep(0.2));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
}

ANYC_TEST_WITH(test_deadline__can_be_taken_away, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_fail_after(&scope, 0.1, false));
    ck_assert_ok(anyc_cancel_scope_set_deadline(&scope, INFINITY));
    ck_assert_double_eq(anyc_cancel_scope_deadline(&scope), INFINITY);
    ck_assert_double_eq(anyc_current_effective_deadline(), INFINITY);
    ck_assert_ok(anyc_sleep(1));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
}

ANYC_TEST(test_deadline__moved_into_the_past_cancels_at_once)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    ck_assert_ok(anyc_cancel_scope_set_deadline(&scope, anyc_current_time() - 1));
    ck_assert(anyc_cancel_scope_cancel_called(&scope));
    ck_assert_double_eq(anyc_current_effective_deadline(), -INFINITY);
    ck_assert_ok(anyc_cancel_scope_set_deadline(&scope, INFINITY)); /* too late */
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
}

ANYC_TEST(test_deadline__past_at_the_entry_cancels_at_once)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_move_on_after(&scope, -1, false));
    ck_assert(anyc_cancel_scope_cancel_called(&scope));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_ok(anyc_move_on_at(&scope, -INFINITY, false));
    ck_assert(anyc_cancel_scope_cancel_called(&scope));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
}

struct moved {
    anyc_cancel_scope scope;
    anyc_event never;
    double cut_at;
};

static int wait_in_timeout_task(void *arg)
{
    struct moved *moved = arg;
    int rc;

    ck_assert_ok(anyc_fail_after(&moved->scope, 100, false));
    rc = anyc_event_wait(&moved->never);
    moved->cut_at = anyc_current_time();
    rc = anyc_cancel_scope_exit(&moved->scope, rc);
    ck_assert_int_eq(rc, ANYC_ETIMEDOUT);
    return 0;
}

ANYC_TEST_WITH(test_deadline__can_be_moved_by_another_task, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct moved moved = {0};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_in_timeout_task, &moved);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_cancel_scope_set_deadline(&moved.scope, 50));
    ck_assert_ok(anyc_cancel_scope_set_deadline(&moved.scope, 70));
    ck_assert_ok(anyc_cancel_scope_set_deadline(&moved.scope, 3));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_double_eq(moved.cut_at, 3);
}

ANYC_TEST_WITH(test_deadline__moved_into_the_past_by_another_task_wakes,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct moved moved = {.cut_at = -1};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_in_timeout_task, &moved);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_cancel_scope_set_deadline(&moved.scope, -5));
    ck_assert(anyc_cancel_scope_cancel_called(&moved.scope));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_double_eq(moved.cut_at, 0);
}

ANYC_TEST_WITH(test_deadline__of_a_group_reaches_its_children, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct sleeper sleeper = {.seconds = 10};
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, sleeper_task, &sleeper);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_cancel_scope_set_deadline(&scope, 2));
    rc = anyc_task_group_exit(&group, 0);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    ck_assert_int_eq(sleeper.slept, ANYC_ECANCELLED);
    ck_assert_double_eq(anyc_current_time(), 2);
}

static int tell_deadline_task(void *arg)
{
    *(double *)arg = anyc_current_effective_deadline();
    return 0;
}

/* A child belongs to the group, not to the scope in which it was spawned. */
ANYC_TEST_WITH(test_deadline__of_the_host_is_none_of_the_childs, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope outer, inner;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    double deadline = 0;

    ck_assert_ok(anyc_move_on_after(&outer, 50, false));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_move_on_after(&inner, 5, false));
    spawn(&group, tell_deadline_task, &deadline);
    ck_assert_double_eq(anyc_current_effective_deadline(), 5);
    ck_assert_ok(anyc_cancel_scope_exit(&inner, 0));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_double_eq(deadline, 50);
    ck_assert_ok(anyc_cancel_scope_exit(&outer, 0));
}

/* TG-067, TG-R19 */
ANYC_TEST_WITH(test_deadline__cuts_a_group_short_with_one_plain_timeout,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct sleeper sleeper = {.seconds = 2};
    int rc;

    ck_assert_ok(anyc_fail_after(&scope, 0.1, false));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, sleeper_task, &sleeper);
    rc = anyc_task_group_exit(&group, anyc_sleep(2));
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    check_no_failure(&group);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_ETIMEDOUT);
    ck_assert_double_eq(anyc_current_time(), 0.1);
}

/* TG-068 */
ANYC_TEST_WITH(test_deadline__gives_way_to_an_outer_cancellation, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope a, b, timeout;
    int rc;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_cancel_scope_enter(&a, NULL));
    ck_assert_ok(anyc_cancel_scope_enter(&b, NULL));
    ck_assert_ok(anyc_fail_after(&timeout, 1, false));
    spawn(&group, killer_task, &a);
    rc = anyc_cancel_scope_exit(&timeout, anyc_sleep(2));
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    rc = anyc_cancel_scope_exit(&b, rc);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&a, rc));
    ck_assert(anyc_cancel_scope_cancel_called(&a));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_double_eq(anyc_current_time(), 0);
}

ANYC_TEST_WITH(test_deadline__of_the_outer_scope_wins_when_both_have_passed,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope outer, inner;
    int rc;

    ck_assert_ok(anyc_fail_after(&outer, 1, false));
    ck_assert_ok(anyc_fail_after(&inner, 1, false));
    rc = anyc_cancel_scope_exit(&inner, anyc_sleep(5));
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&outer, rc), ANYC_ETIMEDOUT);
}

/* The wait's own end and the scope's deadline come due between two looks at the clock. */
ANYC_TEST(test_deadline__may_pass_together_with_the_end_of_a_sleep)
{
    for (int i = 0; i < 20000; i++) {
        anyc_cancel_scope scope;
        int rc;

        ck_assert_ok(anyc_move_on_after(&scope, (i % 64) * 2e-8, false));
        rc = anyc_sleep(1e-9);
        ck_assert(rc == 0 || rc == ANYC_ECANCELLED);
        ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    }
}

/* A checkpoint compares the clock itself. */
ANYC_TEST(test_deadline__shows_at_a_checkpoint_though_the_loop_did_not_run)
{
    const struct timespec two_ms = {0, 2000000};
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_move_on_after(&scope, 0.001, false));
    ck_assert_int_eq(nanosleep(&two_ms, NULL), 0);
    ck_assert_int_eq(anyc_checkpoint_if_cancelled(), ANYC_ECANCELLED);
    ck_assert(anyc_cancel_scope_cancel_called(&scope));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
}
