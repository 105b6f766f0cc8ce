/* SPDX-License-Identifier: MIT */
/*
 * test_task_timer.c - a task's one timer stands for all its deadlines (WHITEBOX).
 */
#include "support/tasks.h"

#include <math.h>

#include "core/deadline.h"
#include "core/loop.h"

/* A receive with a timeout, many times: what happens between is less than the timeout. */
static void time_out_often(int times)
{
    for (int i = 0; i < times; i++) {
        anyc_cancel_scope scope;

        ck_assert_ok(anyc_fail_after(&scope, 10, false));
        ck_assert_ok(anyc_sleep(0.5));
        ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    }
}

ANYC_TEST_WITH(test_task_timer__timeouts_in_a_row_share_a_timer, .clock = ANYC_CLOCK_VIRTUAL)
{
    time_out_often(1000);
    ck_assert_double_eq(anyc_current_time(), 500);
    ck_assert_uint_le(anyc__loop->timers.count, 1);
    ck_assert_uint_eq(anyc__loop->deadlines, 0);
}

/* The timer is set to a deadline that was given up; the later one is met all the same. */
ANYC_TEST_WITH(test_task_timer__later_than_one_given_up_is_met, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_fail_after(&scope, 3, false));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_ok(anyc_fail_after(&scope, 7, false));
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, anyc_sleep_forever()), ANYC_ETIMEDOUT);
    ck_assert_double_eq(anyc_current_time(), 7);
}

ANYC_TEST_WITH(test_task_timer__earlier_than_the_timer_is_met, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope outer;
    anyc_cancel_scope inner;

    ck_assert_ok(anyc_move_on_after(&outer, 9, false));
    ck_assert_ok(anyc_move_on_after(&inner, 2, false));
    ck_assert_ok(anyc_cancel_scope_exit(&inner, anyc_sleep_forever()));
    ck_assert_double_eq(anyc_current_time(), 2);
    ck_assert_ok(anyc_cancel_scope_exit(&outer, anyc_sleep_forever()));
    ck_assert_double_eq(anyc_current_time(), 9);
}

/* A sleep that ends before the deadline around it has ended in time, however late that is seen. */
ANYC_TEST_WITH(test_task_timer__of_a_sleep_before_that_of_its_scope, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_move_on_after(&scope, 5, false));
    rc = anyc_sleep(4.999999);
    ck_assert_int_eq(rc, 0);
    ck_assert(!anyc_cancel_scope_cancel_called(&scope));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
}

static int wait_for_ever_after_timeouts(void *arg)
{
    (void)arg;
    time_out_often(3);
    return anyc_sleep_forever();
}

/* A timer that is left over does not count as something that could wake a task. */
ANYC_TEST_PLAIN(test_task_timer__given_up_hides_no_deadlock)
{
    const anyc_run_options options = {.backend = anyc_testing_backend(),
                                      .clock = ANYC_CLOCK_VIRTUAL};

    ck_assert_int_eq(anyc_run_with(wait_for_ever_after_timeouts, NULL, &options), ANYC_EDEADLOCK);
}

static int leave_a_timer(void *arg)
{
    (void)arg;
    time_out_often(1);
    return 0;
}

ANYC_TEST_WITH(test_task_timer__timer_goes_with_its_task, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 100; i++)
        ck_assert_ok(anyc_task_group_start_soon(&group, leave_a_timer, NULL, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_eq(anyc__loop->timers.count, 0);
    ck_assert_uint_eq(anyc__loop->deadlines, 0);
}

/* Set, moved, taken back, cancelled: the count of what is to come stays right. */
ANYC_TEST_WITH(test_task_timer__is_counted_once, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_fail_after(&scope, 5, false));
    ck_assert_uint_eq(anyc__loop->deadlines, 1);
    ck_assert_ok(anyc_cancel_scope_set_deadline(&scope, 8));
    ck_assert_uint_eq(anyc__loop->deadlines, 1);
    ck_assert_ok(anyc_cancel_scope_set_deadline(&scope, INFINITY));
    ck_assert_uint_eq(anyc__loop->deadlines, 0);
    ck_assert_ok(anyc_cancel_scope_set_deadline(&scope, 8));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_uint_eq(anyc__loop->deadlines, 0);
    ck_assert_ok(anyc_cancel_scope_set_deadline(&scope, 9));
    ck_assert_uint_eq(anyc__loop->deadlines, 0);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    ck_assert_uint_eq(anyc__loop->deadlines, 0);
}
