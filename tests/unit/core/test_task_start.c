/* SPDX-License-Identifier: MIT */
/*
 * test_task_start.c - starting a task and waiting until it is ready. AnyIO: TaskGroup.start.
 *
 * What happens when the starter is cancelled at each moment is in test_task_start_cancel.c.
 */
#include "support/tasks.h"

#include <anyc/event.h>

#include <string.h>

static int started_task(void *arg, anyc_task_status *status)
{
    (void)arg;
    return anyc_task_status_started(status, NULL);
}

/* TG-006 */
ANYC_TEST(test_task_start__gives_null_when_no_value_was_signalled)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int something;
    void *value = &something;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start(&group, started_task, NULL, NULL, &value));
    ck_assert_ptr_null(value);
    ck_assert_ok(anyc_task_group_start(&group, started_task, NULL, NULL, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

static int started_foo_task(void *arg, anyc_task_status *status)
{
    return anyc_task_status_started(status, arg);
}

/* TG-010 */
ANYC_TEST(test_task_start__gives_the_value_that_was_signalled)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char foo[] = "foo";
    void *value = NULL;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start(&group, started_foo_task, foo, NULL, &value));
    ck_assert_ptr_eq(value, foo);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

struct twice {
    int first, second, third;
    int rcs[3];
    bool went_on;
};

static int started_twice_task(void *arg, anyc_task_status *status)
{
    struct twice *twice = arg;

    twice->rcs[0] = anyc_task_status_started(status, &twice->first);
    twice->rcs[1] = anyc_task_status_started(status, &twice->second);
    ck_assert_ok(anyc_checkpoint());
    twice->rcs[2] = anyc_task_status_started(status, &twice->third);
    twice->went_on = true;
    return 0;
}

/* TG-007 */
ANYC_TEST(test_task_start__refuses_a_second_signal)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct twice twice = {0};
    void *value = NULL;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start(&group, started_twice_task, &twice, NULL, &value));
    ck_assert_ptr_eq(value, &twice.first);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(twice.rcs[0], 0);
    ck_assert_int_eq(twice.rcs[1], ANYC_ESTATE);
    ck_assert_int_eq(twice.rcs[2], ANYC_ESTATE);
    ck_assert(twice.went_on);
    ck_assert_ptr_eq(value, &twice.first);
}

static int five_then_eight_task(void *arg, anyc_task_status *status)
{
    ck_assert_ok(anyc_task_status_started(status, arg));
    return 8;
}

/* TG-008 */
ANYC_TEST(test_task_start__takes_a_signal_before_any_checkpoint)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    int five = 5;
    void *value = NULL;
    int result = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(
        anyc_task_group_start_task(&group, five_then_eight_task, &five, NULL, &value, &handle));
    ck_assert_int_eq(*(int *)value, 5);
    ck_assert_ptr_eq(anyc_task_handle_start_value(&handle), &five);
    ck_assert_ok(anyc_task_handle_wait(&handle, &result));
    ck_assert_int_eq(result, 8);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

static int fail_unstarted_task(void *arg, anyc_task_status *status)
{
    anyc_task_group inner = ANYC_TASK_GROUP_INIT;

    (void)arg;
    (void)status;
    ck_assert_ok(anyc_task_group_enter(&inner)); /* leaves a message with the error */
    return anyc_task_group_exit(&inner, E1);
}

/* TG-011 */
ANYC_TEST(test_task_start__gives_the_starter_alone_an_error_before_the_signal)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int something;
    void *value = &something;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_int_eq(anyc_task_group_start(&group, fail_unstarted_task, NULL, NULL, &value), E1);
    ck_assert_int_eq(anyc_last_error()->code, E1);
    ck_assert_ptr_eq(value, &something);
    ck_assert(!anyc_cancel_scope_cancel_called(anyc_task_group_cancel_scope(&group)));
    ck_assert_ok(anyc_checkpoint());
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    check_no_failure(&group);
}

static int started_then_fail_task(void *arg, anyc_task_status *status)
{
    ck_assert_ok(anyc_task_status_started(status, arg));
    return E1;
}

/* TG-012 */
ANYC_TEST(test_task_start__gives_the_group_an_error_after_the_signal)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int two = 2;
    void *value = NULL;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start(&group, started_then_fail_task, &two, NULL, &value));
    ck_assert_ptr_eq(value, &two);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), E1);
    check_one_failure(&group, E1);
}

static int unstarted_task(void *arg, anyc_task_status *status)
{
    (void)arg;
    (void)status;
    return 0;
}

/* TG-013 */
ANYC_TEST(test_task_start__tells_when_the_task_ended_without_a_signal)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_int_eq(anyc_task_group_start(&group, unstarted_task, NULL, "lazy", NULL),
                     ANYC_ENOTSTARTED);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "\"lazy\""));
    ck_assert_int_eq((anyc_task_group_start)(&group, unstarted_task, NULL, NULL, NULL),
                     ANYC_ENOTSTARTED);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "\"task\""));
    ck_assert(!anyc_cancel_scope_cancel_called(anyc_task_group_cancel_scope(&group)));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    check_no_failure(&group);
}

ANYC_TEST(test_task_start__forgets_the_handle_of_a_task_that_was_not_started)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int round = 0; round < 2; round++) {
        anyc_task_handle handle;

        ck_assert_int_eq(
            anyc_task_group_start_task(&group, unstarted_task, NULL, "lazy", NULL, &handle),
            ANYC_ENOTSTARTED);
        memset(&handle, 0x5a, sizeof handle);
        ck_assert_int_eq(
            anyc_task_group_start_task(&group, fail_unstarted_task, NULL, "bad", NULL, &handle),
            E1);
        memset(&handle, 0x5a, sizeof handle);
    }
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

ANYC_TEST(test_task_start__lets_a_task_signal_that_nobody_waits_for)
{
    ck_assert_ok(anyc_task_status_started(NULL, NULL));
}

struct scoped {
    anyc_event go;
    int after; /* what a checkpoint after the signal answers */
};

/* It signals inside a scope of its own, which must stay its own. */
static int start_in_scope_task(void *arg, anyc_task_status *status)
{
    struct scoped *scoped = arg;
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    ck_assert_ok(anyc_task_status_started(status, NULL));
    rc = anyc_event_wait(&scoped->go);
    anyc_cancel_scope_cancel(&scope, NULL);
    scoped->after = anyc_checkpoint();
    return anyc_cancel_scope_exit(&scope, rc);
}

ANYC_TEST(test_task_start__keeps_scopes_entered_before_the_signal)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct scoped scoped = {0};

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start(&group, start_in_scope_task, &scoped, NULL, NULL));
    anyc_event_set(&scoped.go);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(scoped.after, ANYC_ECANCELLED);
}

struct other_group {
    anyc_task_group *group;
    int rc;
};

static int start_in_other_task(void *arg)
{
    struct other_group *other = arg;

    other->rc = anyc_task_group_start(other->group, started_then_fail_task, NULL, NULL, NULL);
    return other->rc;
}

ANYC_TEST(test_task_start__works_from_a_task_of_another_group)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_group starters = ANYC_TASK_GROUP_INIT;
    struct other_group other = {.group = &group, .rc = 1};

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_enter(&starters));
    spawn(&starters, start_in_other_task, &other);
    ck_assert_int_eq(anyc_task_group_exit(&starters, 0), ANYC_ECANCELLED);
    ck_assert_int_eq(other.rc, 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, ANYC_ECANCELLED), E1);
    check_one_failure(&group, E1);
}
