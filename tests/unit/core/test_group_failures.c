/* SPDX-License-Identifier: MIT */
/*
 * test_group_failures.c - what a group does when a child or its body fails, and the list that it
 * keeps. AnyIO: test_taskgroups.py (ExceptionGroup).
 */
#include "support/tasks.h"

#include <stdlib.h>
#include <string.h>

/* TG-020 */
ANYC_TEST_WITH(test_group_failures__a_failing_body_cancels_the_children,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct sleeper sleeper = {.seconds = 3};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, sleeper_task, &sleeper);
    ck_assert_int_eq(anyc_task_group_exit(&group, E1), E1);
    check_one_failure(&group, E1);
    ck_assert(!sleeper.done);
    ck_assert_double_eq(anyc_current_time(), 0);
}

static int settle_and_fail_task(void *arg)
{
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    return *(int *)arg;
}

/* TG-024 */
ANYC_TEST_WITH(test_group_failures__a_failing_child_cancels_the_host, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int code = E1;
    int rc;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, settle_and_fail_task, &code);
    rc = anyc_sleep(0.5);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_task_group_exit(&group, rc), E1);
    check_one_failure(&group, E1);
}

/* TG-061 */
ANYC_TEST_WITH(test_group_failures__a_failing_child_cancels_its_siblings,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct sleeper sleeper = {.seconds = 1};
    int code = E1;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, sleeper_task, &sleeper);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    spawn(&group, code_task, &code);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), E1);
    check_one_failure(&group, E1);
    ck_assert(!sleeper.done);
    ck_assert_int_eq(sleeper.slept, ANYC_ECANCELLED);
}

/* TG-031 */
ANYC_TEST_WITH(test_group_failures__keeps_the_error_of_a_cancelled_child,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct sleeper first = {.seconds = 0.1, .rc = E1};
    struct sleeper second = {.seconds = 0.15, .rc = E2};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, sleeper_task, &first);
    spawn(&group, sleeper_task, &second);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), E1);
    check_two_failures(&group, E1, E2);
    ck_assert_int_eq(second.slept, ANYC_ECANCELLED);
}

/* TG-032 */
ANYC_TEST_WITH(test_group_failures__lists_the_errors_of_body_and_child, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct sleeper sleeper = {.seconds = 2, .rc = E1};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, sleeper_task, &sleeper);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(anyc_task_group_exit(&group, E2), E2);
    check_two_failures(&group, E1, E2);
    ck_assert_double_eq(anyc_current_time(), 0);
}

/* TG-072 */
ANYC_TEST_WITH(test_group_failures__hangs_the_list_of_an_inner_group_on_its_entry,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group outer = ANYC_TASK_GROUP_INIT;
    anyc_task_group inner = ANYC_TASK_GROUP_INIT;
    struct sleeper first = {.seconds = 0.1, .rc = E1};
    struct sleeper second = {.seconds = 0.1, .rc = E2};
    const anyc_task_error *errors;
    size_t count;
    int rc;

    ck_assert_ok(anyc_task_group_enter(&outer));
    spawn(&outer, sleeper_task, &first);
    ck_assert_ok(anyc_task_group_enter(&inner));
    spawn(&inner, sleeper_task, &second);
    rc = anyc_task_group_exit(&inner, anyc_sleep(1));
    ck_assert_int_eq(rc, E2);
    check_one_failure(&inner, E2);
    ck_assert_int_eq(anyc_task_group_exit(&outer, rc), E1);
    errors = anyc_task_group_errors(&outer, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(errors[0].code, E1);
    ck_assert_ptr_null(errors[0].nested);
    ck_assert_int_eq(errors[1].code, E2);
    ck_assert_uint_eq(errors[1].nested_count, 1);
    ck_assert_int_eq(errors[1].nested[0].code, E2);
    ck_assert_ptr_null(errors[1].nested[0].nested);
}

/* TG-083, TG-R19 */
ANYC_TEST_WITH(test_group_failures__mere_cancellations_are_none, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope outer;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct sleeper sleeper = {.seconds = 5};
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&outer, NULL));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, sleeper_task, &sleeper);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&outer, NULL);
    rc = anyc_task_group_exit(&group, anyc_sleep(5));
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    check_no_failure(&group);
    ck_assert_ok(anyc_cancel_scope_exit(&outer, rc));
    ck_assert_double_eq(anyc_current_time(), 0);
}

/* TG-089 */
ANYC_TEST(test_group_failures__leave_no_cancellation_behind)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int code = E1;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, code_task, &code);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), E1);
    check_one_failure(&group, E1);
    ck_assert(!anyc_has_pending_cancellation());
    ck_assert_ok(anyc_checkpoint());
}

ANYC_TEST(test_group_failures__win_over_a_cancellation_from_outside)
{
    anyc_cancel_scope outer;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct sleeper sleeper = {.seconds = 5, .rc = E1};
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&outer, NULL));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, sleeper_task, &sleeper);
    spawn(&group, forever_task, NULL);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&outer, NULL);
    rc = anyc_task_group_exit(&group, anyc_checkpoint());
    ck_assert_int_eq(rc, E1);
    check_one_failure(&group, E1);
    ck_assert_int_eq(anyc_cancel_scope_exit(&outer, rc), E1);
}

/* The message comes from the task, the name is kept though the task has ended. */
static int refused_task(void *arg)
{
    anyc_cancel_scope scope;

    (void)arg;
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    return anyc_cancel_scope_exit(&scope, 0);
}

ANYC_TEST(test_group_failures__tell_the_task_and_its_message)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    const anyc_task_error *errors;
    char name[] = "a name";
    char message[160];
    size_t count;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, refused_task, NULL, name));
    memset(name, 'x', strlen(name));
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_ESTATE);
    errors = anyc_task_group_errors(&group, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(errors[0].task_name, "a name");
    ck_assert_ptr_nonnull(strstr(errors[0].message, "not the innermost"));
    ck_assert_uint_lt(strlen(errors[0].message), sizeof message);
    strcpy(message, errors[0].message);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ESTATE);
    ck_assert_str_eq(anyc_last_error()->message, message);
}

ANYC_TEST(test_group_failures__name_the_host_for_the_body)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_info host;

    ck_assert_ok(anyc_get_current_task(&host));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_int_eq(anyc_task_group_exit(&group, -ENOENT), -ENOENT);
    check_one_failure(&group, -ENOENT);
    ck_assert_str_eq(anyc_task_group_errors(&group, NULL)[0].task_name, host.name);
    ck_assert_str_eq(anyc_task_group_errors(&group, NULL)[0].message, anyc_strerror(-ENOENT));
}

ANYC_TEST(test_group_failures__stay_readable_after_a_group_without_any)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_group next = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_int_eq(anyc_task_group_exit(&group, E1), E1);
    ck_assert_ok(anyc_checkpoint());
    check_one_failure(&group, E1);
    ck_assert_ok(anyc_task_group_enter(&next));
    ck_assert_int_eq(anyc_task_group_exit(&next, E2), E2);
    check_one_failure(&next, E2);
}

/* A list that the task has dealt with is not hung on what fails later. */
ANYC_TEST(test_group_failures__do_not_follow_the_task_into_another_failure)
{
    anyc_task_group outer = ANYC_TASK_GROUP_INIT;
    anyc_task_group inner = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&outer));
    ck_assert_ok(anyc_task_group_enter(&inner));
    ck_assert_int_eq(anyc_task_group_exit(&inner, E2), E2);
    ck_assert_int_eq(anyc_task_group_exit(&outer, E1), E1);
    check_one_failure(&outer, E1);
    ck_assert_ptr_null(anyc_task_group_errors(&outer, NULL)[0].nested);
}

ANYC_TEST(test_group_failures__lists_1000_of_them_in_order)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    const anyc_task_error *errors;
    int *codes = calloc(1000, sizeof *codes);
    size_t count;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 1000; i++) {
        codes[i] = E1 - i;
        spawn(&group, code_task, &codes[i]);
    }
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), E1);
    errors = anyc_task_group_errors(&group, &count);
    ck_assert_uint_eq(count, 1000);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(errors[i].code, E1 - i);
    free(codes);
}

static int fail_deep_task(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int *depth = arg;

    if (--*depth == 0)
        return E1;
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, fail_deep_task, depth);
    return anyc_task_group_exit(&group, 0);
}

ANYC_TEST(test_group_failures__may_be_nested_5000_deep)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    const anyc_task_error *errors;
    int depth = 5000;
    int levels = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, fail_deep_task, &depth);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), E1);
    for (errors = anyc_task_group_errors(&group, NULL); errors != NULL; errors = errors->nested)
        levels++;
    ck_assert_int_eq(levels, 5000);
}
