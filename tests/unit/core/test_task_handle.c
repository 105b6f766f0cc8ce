/* SPDX-License-Identifier: MIT */
/*
 * test_task_handle.c - waiting for one task, cancelling it, its result. AnyIO: TestCreateTask.
 */
#include "support/tasks.h"

#include <anyc/event.h>

#include <string.h>

struct sum {
    int a, b, start_value;
};

static int sum_task(void *arg, anyc_task_status *status)
{
    struct sum *sum = arg;

    ck_assert_ok(anyc_task_status_started(status, &sum->start_value));
    ck_assert_ok(anyc_checkpoint());
    return sum->a + sum->b;
}

/* TG-096 */
ANYC_TEST(test_task_handle__gives_the_start_value_and_the_result)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct sum sum = {4, 5, 3};
    anyc_task_handle handle;
    int result = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_task(&group, sum_task, &sum, NULL, NULL, &handle));
    ck_assert_int_eq(*(int *)anyc_task_handle_start_value(&handle), 3);
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_PENDING);
    ck_assert_ok(anyc_task_handle_wait(&handle, &result));
    ck_assert_int_eq(result, 9);
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_FINISHED);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

struct started_sleeper {
    int start_value;
    struct sleeper sleeper;
};

static int start_then_sleep_task(void *arg, anyc_task_status *status)
{
    struct started_sleeper *started = arg;

    ck_assert_ok(anyc_task_status_started(status, &started->start_value));
    return sleeper_task(&started->sleeper);
}

/* TG-097 */
ANYC_TEST_WITH(test_task_handle__cancels_a_started_task, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct started_sleeper started = {.start_value = 3, .sleeper.seconds = 5};
    anyc_task_handle handle;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(
        anyc_task_group_start_task(&group, start_then_sleep_task, &started, NULL, NULL, &handle));
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert_int_eq(anyc_task_handle_wait(&handle, NULL), ANYC_ETASKCANCELLED);
    ck_assert(!started.sleeper.done);
    ck_assert_int_eq(*(int *)anyc_task_handle_start_value(&handle), 3);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_double_eq(anyc_current_time(), 0);
}

/* TG-103: the end of the task wakes the waiter before it cancels the group. */
ANYC_TEST(test_task_handle__gives_the_error_of_a_failed_task)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    int code = E1;
    int error = 77;
    int result = 77;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, code_task, &code, "failing", &handle));
    ck_assert_int_eq(anyc_task_handle_error(&handle, &error), ANYC_EPENDING);
    ck_assert_int_eq(anyc_task_handle_wait(&handle, &result), ANYC_ETASKFAILED);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "failing"));
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_FAILED);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_task_group_exit(&group, ANYC_ECANCELLED), E1);
    check_one_failure(&group, E1);
    ck_assert_ok(anyc_task_handle_error(&handle, &error));
    ck_assert_int_eq(error, E1);
    ck_assert_int_eq(anyc_task_handle_result(&handle, &result), ANYC_ETASKFAILED);
    ck_assert_int_eq(result, 77);
}

struct flagged {
    anyc_event event;
    bool flag;
};

static int flag_and_wait_task(void *arg)
{
    struct flagged *flagged = arg;

    flagged->flag = true;
    return anyc_event_wait(&flagged->event);
}

static void check_cancelled_handle(bool settle_first)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct flagged flagged = {0};
    anyc_task_handle handle;
    int value = 77;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, flag_and_wait_task, &flagged, NULL, &handle));
    if (settle_first)
        ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_CANCELLING);
    ck_assert_int_eq(anyc_task_handle_result(&handle, &value), ANYC_ETASKCANCELLED);
    ck_assert_int_eq(anyc_task_handle_error(&handle, &value), ANYC_ETASKCANCELLED);
    ck_assert_int_eq(anyc_task_handle_wait(&handle, &value), ANYC_ETASKCANCELLED);
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_CANCELLED);
    ck_assert_int_eq(anyc_task_handle_wait(&handle, &value), ANYC_ETASKCANCELLED);
    ck_assert_int_eq(anyc_task_handle_wait(&handle, NULL), ANYC_ETASKCANCELLED);
    ck_assert(flagged.flag);
    ck_assert_int_eq(value, 77);
    ck_assert(!anyc_cancel_scope_cancel_called(anyc_task_group_cancel_scope(&group)));
    ck_assert_ok(anyc_checkpoint());
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

/* TG-105 */
ANYC_TEST(test_task_handle__cancels_a_task_right_after_its_spawn)
{
    check_cancelled_handle(false);
}

/* TG-105 */
ANYC_TEST(test_task_handle__cancels_a_waiting_task)
{
    check_cancelled_handle(true);
}

/* TG-106 */
ANYC_TEST(test_task_handle__waits_for_the_end_of_a_failing_task)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    int code = E1;
    int error = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, code_task, &code, NULL, &handle));
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_PENDING);
    ck_assert_ok(anyc_task_handle_wait(&handle, NULL));
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), E1);
    check_one_failure(&group, E1);
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_FAILED);
    ck_assert_ok(anyc_task_handle_error(&handle, &error));
    ck_assert_int_eq(error, E1);
    ck_assert_ok(anyc_task_handle_wait(&handle, NULL));
}

ANYC_TEST(test_task_handle__does_nothing_to_an_ended_task_when_cancelled)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    bool ran = false;
    int result = 1;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, note_task, &ran, NULL, &handle));
    ck_assert_ok(anyc_task_handle_wait(&handle, &result));
    anyc_task_handle_cancel(&handle, "too late");
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_FINISHED);
    ck_assert_ok(anyc_task_handle_wait(&handle, &result));
    ck_assert_int_eq(result, 0);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_FINISHED);
}

static int drop_cancellation_task(void *arg)
{
    ck_assert_int_eq(anyc_sleep_forever(), ANYC_ECANCELLED);
    return *(int *)arg;
}

ANYC_TEST(test_task_handle__counts_a_cancelled_task_with_a_result_as_finished)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    int seven = 7;
    int result = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(
        anyc_task_group_create_task(&group, drop_cancellation_task, &seven, NULL, &handle));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert_ok(anyc_task_handle_wait(&handle, &result));
    ck_assert_int_eq(result, 7);
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_FINISHED);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

ANYC_TEST(test_task_handle__lists_the_error_of_a_cancelled_task)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    int code = E1;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, drop_cancellation_task, &code, NULL, &handle));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), E1);
    check_one_failure(&group, E1);
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_FAILED);
}

ANYC_TEST(test_task_handle__stays_pending_while_its_group_is_cancelled)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    int result;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, forever_task, NULL, NULL, &handle));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_PENDING);
    ck_assert_int_eq(anyc_task_handle_result(&handle, &result), ANYC_EPENDING);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_CANCELLED);
    ck_assert_int_eq(anyc_task_handle_result(&handle, &result), ANYC_ETASKCANCELLED);
}

struct waiter {
    anyc_task_handle *handle;
    anyc_cancel_scope scope;
    int rc;
    int result;
};

static int wait_task(void *arg)
{
    struct waiter *waiter = arg;

    ck_assert_ok(anyc_cancel_scope_enter(&waiter->scope, NULL));
    waiter->rc = anyc_task_handle_wait(waiter->handle, &waiter->result);
    return anyc_cancel_scope_exit(&waiter->scope, 0);
}

static int wait_for_event_task(void *arg)
{
    int rc = anyc_event_wait(arg);

    return rc < 0 ? rc : 5;
}

ANYC_TEST(test_task_handle__wakes_every_waiter_that_was_not_cancelled)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_event event = ANYC_EVENT_INIT;
    anyc_task_handle handle;
    struct waiter waiters[3];

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, wait_for_event_task, &event, NULL, &handle));
    for (int i = 0; i < 3; i++) {
        waiters[i] = (struct waiter){.handle = &handle};
        spawn(&group, wait_task, &waiters[i]);
    }
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&waiters[1].scope, NULL);
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_PENDING);
    anyc_event_set(&event);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(waiters[0].result, 5);
    ck_assert_int_eq(waiters[1].rc, ANYC_ECANCELLED);
    ck_assert_int_eq(waiters[1].result, 0);
    ck_assert_int_eq(waiters[2].result, 5);
}

static int cancel_itself_task(void *arg)
{
    anyc_task_handle_cancel(arg, NULL);
    return anyc_checkpoint();
}

ANYC_TEST(test_task_handle__can_be_cancelled_by_the_task_itself)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, cancel_itself_task, &handle, NULL, &handle));
    ck_assert_int_eq(anyc_task_handle_wait(&handle, NULL), ANYC_ETASKCANCELLED);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

ANYC_TEST(test_task_handle__keeps_its_name_until_the_group_is_left)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, note_task, &ran, "given", &handle));
    ck_assert_ok(anyc_task_handle_wait(&handle, NULL));
    ck_assert_str_eq(anyc_task_handle_name(&handle), "given");
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_str_eq(anyc_task_handle_name(&handle), "note_task");
}
