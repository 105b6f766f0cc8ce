/* SPDX-License-Identifier: MIT */
/*
 * test_futures.c - AnyIO's test_futures.py.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/future.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "support/steps.h"

#define E1 (-E2BIG)

static int one = 1;
static int two = 2;

static int set_two_later(void *arg)
{
    ck_assert_ok(anyc_checkpoint());
    return anyc_future_set_result(arg, &two);
}

/* FU-001 */
ANYC_TEST(test_futures__a_result_that_is_set_is_got)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    void *value = NULL;

    ck_assert_ok(anyc_future_set_result(&future, &one));
    ck_assert_ok(anyc_future_wait(&future, &value));
    ck_assert_ptr_eq(value, &one);
}

/* FU-003 */
ANYC_TEST(test_futures__a_wait_begun_before_gets_the_result)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    void *value = NULL;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, set_two_later, &future, NULL));
    ck_assert(!anyc_future_done(&future));
    ck_assert_ok(anyc_future_wait(&future, &value));
    ck_assert_ptr_eq(value, &two);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

/* FU-004 */
ANYC_TEST(test_futures__a_plain_wait_leaves_the_result_to_be_read)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    void *value = NULL;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, set_two_later, &future, NULL));
    ck_assert_ok(anyc_future_wait(&future, NULL));
    ck_assert_ok(anyc_future_result(&future, &value));
    ck_assert_ptr_eq(value, &two);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

static int set_e1_later(void *arg)
{
    ck_assert_ok(anyc_checkpoint());
    return anyc_future_set_error(arg, E1);
}

/* FU-005 */
ANYC_TEST(test_futures__an_error_makes_the_wait_fail)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    void *value = NULL;
    int error = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, set_e1_later, &future, NULL));
    ck_assert_int_eq(anyc_future_wait(&future, &value), ANYC_EFUTUREFAILED);
    ck_assert_ptr_null(value);
    ck_assert_ok(anyc_future_error(&future, &error));
    ck_assert_int_eq(error, E1);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

/* FU-007 */
ANYC_TEST(test_futures__a_cancelled_future_does_not_cancel_who_waits)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    anyc_cancel_scope scope;
    void *value = NULL;
    int rc;

    anyc_future_cancel(&future);
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    rc = anyc_future_wait(&future, &value);
    ck_assert_int_eq(rc, ANYC_EFUTURECANCELLED);
    ck_assert(!anyc_is_cancelled(rc));
    ck_assert(!anyc_has_pending_cancellation());
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_EFUTURECANCELLED);
}

/* FU-008 and FU-009 */
ANYC_TEST(test_futures__a_pending_one_has_no_result_and_no_error)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    void *value = NULL;
    int error = 1;

    ck_assert_int_eq(anyc_future_result(&future, &value), ANYC_EPENDING);
    ck_assert_int_eq(anyc_future_error(&future, &error), ANYC_EPENDING);
    ck_assert_ptr_null(value);
    ck_assert_int_eq(error, 1);
}

/* FU-011 */
ANYC_TEST(test_futures__a_cancelled_one_has_no_error)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    void *value;
    int error;

    anyc_future_cancel(&future);
    ck_assert_int_eq(anyc_future_error(&future, &error), ANYC_EFUTURECANCELLED);
    ck_assert_int_eq(anyc_future_result(&future, &value), ANYC_EFUTURECANCELLED);
}

/* FU-013 */
ANYC_TEST(test_futures__a_failed_one_is_not_cancelled)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    void *value;

    ck_assert_ok(anyc_future_set_error(&future, E1));
    anyc_future_cancel(&future);
    ck_assert_int_eq(anyc_future_wait(&future, &value), ANYC_EFUTUREFAILED);
    ck_assert_int_eq(anyc_future_result(&future, &value), ANYC_EFUTUREFAILED);
}

/* FU-014 */
ANYC_TEST(test_futures__a_cancelled_one_takes_no_result)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    char item[] = "Item";

    anyc_future_cancel(&future);
    ck_assert_int_eq(anyc_future_set_result(&future, item), ANYC_EFUTURECANCELLED);
    ck_assert_int_eq(anyc_future_set_error(&future, E1), ANYC_EFUTURECANCELLED);
    ck_assert_int_eq(anyc_future_status(&future), ANYC_FUTURE_CANCELLED);
}

/* FU-015 */
ANYC_TEST(test_futures__the_debug_text_shows_status_and_name)
{
    anyc_future future = ANYC_FUTURE_INIT("name");
    char text[64];

    ck_assert_int_gt(anyc_future_format(&future, text, sizeof text), 0);
    ck_assert_ptr_nonnull(strstr(text, "pending"));
    ck_assert_ptr_nonnull(strstr(text, "\"name\""));
}

struct waiter {
    anyc_future *future;
    void *value;
};

static int wait_for_value(void *arg)
{
    struct waiter *waiter = arg;

    return anyc_future_wait(waiter->future, &waiter->value);
}

/* FU-016 */
ANYC_TEST(test_futures__several_waiters_get_the_same_value)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    struct waiter waiters[2] = {{&future, NULL}, {&future, NULL}};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, wait_for_value, &waiters[0], NULL));
    ck_assert_ok(anyc_task_group_start_soon(&group, wait_for_value, &waiters[1], NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_future_set_result(&future, &one));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ptr_eq(waiters[0].value, &one);
    ck_assert_ptr_eq(waiters[1].value, &one);
}

/* FU-017 */
ANYC_TEST_WITH(test_futures__a_cancelled_waiter_cancels_nothing_else, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    struct waiter waiters[2] = {{&future, NULL}, {&future, NULL}};
    anyc_task_handle handles[2];
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    int result;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (size_t i = 0; i < 2; i++)
        ck_assert_ok(
            anyc_task_group_create_task(&group, wait_for_value, &waiters[i], NULL, &handles[i]));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_handle_cancel(&handles[0], NULL);
    ck_assert_int_eq(anyc_task_handle_wait(&handles[0], &result), ANYC_ETASKCANCELLED);
    ck_assert_int_eq(anyc_future_status(&future), ANYC_FUTURE_PENDING);
    ck_assert_ok(anyc_future_set_result(&future, &one));
    ck_assert_ok(anyc_fail_after(&scope, 1, false));
    ck_assert_ok(anyc_task_handle_wait(&handles[1], &result));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ptr_null(waiters[0].value);
    ck_assert_ptr_eq(waiters[1].value, &one);
}
