/* SPDX-License-Identifier: MIT */
/*
 * test_timeout.c - scopes with a deadline. AnyIO: test_taskgroups.py.
 *
 * Moving deadlines, and several at once, are in test_deadline.c.
 */
#include "support/tasks.h"

#include <string.h>
#include <time.h>

static void check_fail_after(double delay)
{
    anyc_cancel_scope scope;
    double begin = anyc_current_time();
    int rc;

    ck_assert_ok(anyc_fail_after(&scope, delay, false));
    rc = anyc_sleep(1);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ptr_nonnull(strstr(anyc_cancel_reason(), "deadline"));
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_ETIMEDOUT);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ETIMEDOUT);
    ck_assert(anyc_cancel_scope_cancel_called(&scope));
    ck_assert(anyc_cancel_scope_cancelled_caught(&scope));
    ck_assert_double_eq_tol(anyc_current_time() - begin, delay, 1e-9);
    ck_assert_ok(anyc_checkpoint());
}

/* TG-035 */
ANYC_TEST_WITH(test_timeout__fail_after_0_times_out, .clock = ANYC_CLOCK_VIRTUAL)
{
    check_fail_after(0);
}

/* TG-035 */
ANYC_TEST_WITH(test_timeout__fail_after_a_delay_times_out, .clock = ANYC_CLOCK_VIRTUAL)
{
    check_fail_after(0.1);
}

static void check_fail_at(double delay)
{
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_fail_at(&scope, anyc_current_time() + delay, false));
    rc = anyc_sleep(1);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ptr_nonnull(strstr(anyc_cancel_reason(), "deadline"));
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_ETIMEDOUT);
    ck_assert(anyc_cancel_scope_cancel_called(&scope));
    ck_assert(anyc_cancel_scope_cancelled_caught(&scope));
}

/* TG-044 */
ANYC_TEST_WITH(test_timeout__fail_at_now_times_out, .clock = ANYC_CLOCK_VIRTUAL)
{
    check_fail_at(0);
}

/* TG-044 */
ANYC_TEST_WITH(test_timeout__fail_at_a_later_moment_times_out, .clock = ANYC_CLOCK_VIRTUAL)
{
    check_fail_at(0.1);
}

/* TG-036 */
ANYC_TEST_WITH(test_timeout__fail_after_without_a_timeout_lets_all_complete,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_fail_after(&scope, INFINITY, false));
    ck_assert_double_eq(anyc_cancel_scope_deadline(&scope), INFINITY);
    ck_assert_double_eq(anyc_current_effective_deadline(), INFINITY);
    ck_assert_ok(anyc_sleep(0.1));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert(!anyc_cancel_scope_cancel_called(&scope));
    ck_assert(!anyc_cancel_scope_cancelled_caught(&scope));
}

static void check_move_on(bool at, double delay)
{
    anyc_cancel_scope scope;
    bool flag = false;
    int rc;

    if (at)
        ck_assert_ok(anyc_move_on_at(&scope, anyc_current_time() + delay, false));
    else
        ck_assert_ok(anyc_move_on_after(&scope, delay, false));
    rc = anyc_sleep(1);
    if (rc == 0)
        flag = true;
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    ck_assert(!flag);
    ck_assert(anyc_cancel_scope_cancel_called(&scope));
    ck_assert(anyc_cancel_scope_cancelled_caught(&scope));
}

/* TG-041 */
ANYC_TEST_WITH(test_timeout__move_on_after_cuts_the_block_short, .clock = ANYC_CLOCK_VIRTUAL)
{
    check_move_on(false, 0);
    check_move_on(false, 0.1);
    ck_assert_double_eq(anyc_current_time(), 0.1);
}

/* TG-047 */
ANYC_TEST_WITH(test_timeout__move_on_at_cuts_the_block_short, .clock = ANYC_CLOCK_VIRTUAL)
{
    check_move_on(true, 0);
    check_move_on(true, 0.1);
    ck_assert_double_eq(anyc_current_time(), 0.1);
}

/* TG-048 */
ANYC_TEST_WITH(test_timeout__move_on_at_without_a_deadline_lets_all_complete,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_move_on_at(&scope, INFINITY, false));
    ck_assert_double_eq(anyc_cancel_scope_deadline(&scope), INFINITY);
    ck_assert_ok(anyc_sleep(0.1));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert(!anyc_cancel_scope_cancel_called(&scope));
}

/* TG-034 */
ANYC_TEST_WITH(test_timeout__leaves_nothing_over_in_the_task, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_move_on_after(&scope, 0.1, false));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, anyc_sleep(1)));
    ck_assert_ok(anyc_checkpoint());
    ck_assert(!anyc_has_pending_cancellation());
}

/* TG-037 */
ANYC_TEST_WITH(test_timeout__works_after_a_cancellation, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_task_group_enter(&group));
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, anyc_sleep_forever()));
    ck_assert_ok(anyc_fail_after(&scope, 0.1, false));
    rc = anyc_sleep(0.5);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_ETIMEDOUT);
    ck_assert_double_eq(anyc_current_time(), 0.1);
}

/* TG-038, TG-R15 */
ANYC_TEST(test_timeout__cancelled_by_hand_is_no_timeout)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_fail_after(&scope, 1, false));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, anyc_checkpoint()));
    ck_assert(anyc_cancel_scope_cancelled_caught(&scope));
}

/* Blocks the whole thread. */
static void block(long milliseconds)
{
    const struct timespec time = {0, milliseconds * 1000000};

    ck_assert_int_eq(nanosleep(&time, NULL), 0);
}

/* TG-039, TG-R15 */
ANYC_TEST(test_timeout__remembers_that_the_hand_came_first)
{
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_fail_after(&scope, 0.1, false));
    anyc_cancel_scope_cancel(&scope, NULL);
    block(110);
    rc = anyc_checkpoint();
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
}

ANYC_TEST(test_timeout__remembers_that_the_deadline_came_first)
{
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_fail_after(&scope, 0.001, false));
    block(2);
    rc = anyc_checkpoint();
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_ETIMEDOUT);
}

ANYC_TEST(test_timeout__is_no_timeout_when_the_block_ends_late_without_a_checkpoint)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_fail_after(&scope, 0.001, false));
    block(2);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, 7), 7);
    ck_assert(!anyc_cancel_scope_cancelled_caught(&scope));
}

ANYC_TEST_WITH(test_timeout__gives_way_to_an_error_of_the_block, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_fail_after(&scope, 0.1, false));
    ck_assert_int_eq(anyc_sleep(1), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, E1), E1);
}

static void check_oopsies(double deadline)
{
    const anyc_cancel_scope_options options = {
        .deadline = deadline,
        .fail = true,
        .reason = "oopsies",
    };
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, &options));
    rc = anyc_sleep(1);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_ETIMEDOUT);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ETIMEDOUT);
    ck_assert_str_eq(anyc_last_error()->message, "oopsies");
    ck_assert(anyc_cancel_scope_cancel_called(&scope));
    ck_assert(anyc_cancel_scope_cancelled_caught(&scope));
}

/* TG-040, TG-046: fail_after(0) and fail_at(now) with a reason are the same call here. */
ANYC_TEST(test_timeout__tells_its_reason)
{
    check_oopsies(anyc_current_time());
    check_oopsies(-INFINITY);
    check_oopsies(anyc_current_time() + 0.001);
}

ANYC_TEST(test_timeout__does_not_give_the_deadlines_reason_for_another_cancellation)
{
    const anyc_cancel_scope_options options = {
        .deadline = anyc_current_time() + 100,
        .reason = "oopsies",
    };
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, &options));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_ptr_nonnull(anyc_cancel_reason());
    ck_assert_ptr_null(strstr(anyc_cancel_reason(), "oopsies"));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
}

ANYC_TEST(test_timeout__needs_a_number)
{
    anyc_cancel_scope scope = {0};
    const anyc_cancel_scope_options options = {.deadline = NAN};

    ck_assert_int_eq(anyc_fail_after(&scope, NAN, false), ANYC_EINVAL);
    ck_assert_int_eq(anyc_move_on_after(&scope, NAN, false), ANYC_EINVAL);
    ck_assert_int_eq(anyc_fail_at(&scope, NAN, false), ANYC_EINVAL);
    ck_assert_int_eq(anyc_move_on_at(&scope, NAN, false), ANYC_EINVAL);
    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, &options), ANYC_EINVAL);
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    ck_assert_int_eq(anyc_cancel_scope_set_deadline(&scope, NAN), ANYC_EINVAL);
    ck_assert_ok(anyc_checkpoint());
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_double_eq(anyc_current_effective_deadline(), INFINITY);
}
