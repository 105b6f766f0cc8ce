/* SPDX-License-Identifier: MIT */
/*
 * test_concurrency_utils.c - AnyIO's test_concurrency_utils.py.
 */
#include <check.h>

#include <anyc/concurrency.h>
#include <anyc/error.h>
#include <anyc/event.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/testing.h>

#include "support/steps.h"

#define E1 (-E2BIG)

static int return_value(void *arg)
{
    return *(int *)arg;
}

static int wait_forever(void *arg)
{
    bool *cancelled = arg;
    int rc = anyc_sleep_forever();

    *cancelled = rc == ANYC_ECANCELLED;
    return rc;
}

static void check_only_failure(int code)
{
    size_t count = 0;
    const anyc_task_error *errors = anyc_last_group_errors(&count);

    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(errors[0].code, code);
    ck_assert_ptr_null(errors[0].nested);
}

/* CU-002 */
ANYC_TEST(test_concurrency_utils__gather_passes_a_failure_on)
{
    int value = 5;
    int error = E1;
    int results[2] = {77, 77};
    const anyc_call calls[] = {ANYC_CALL(return_value, &value), ANYC_CALL(return_value, &error)};

    ck_assert_int_eq(anyc_gather(calls, 2, results), E1);
    check_only_failure(E1);
    ck_assert_int_eq(results[0], 77);
    ck_assert_int_eq(results[1], 77);
}

struct chained {
    anyc_event *before; /* NULL: begins at once */
    anyc_event *after;
    int result;
};

static int end_in_turn(void *arg)
{
    struct chained *chained = arg;
    int rc = chained->before != NULL ? anyc_event_wait(chained->before) : 0;

    if (rc < 0)
        return rc;
    if (chained->after != NULL)
        anyc_event_set(chained->after);
    return chained->result;
}

/* CU-003 */
ANYC_TEST(test_concurrency_utils__as_completed_hands_out_tasks_as_they_end)
{
    anyc_event second = ANYC_EVENT_INIT;
    anyc_event third = ANYC_EVENT_INIT;
    struct chained args[3] = {{&third, NULL, 1}, {NULL, &second, 2}, {&second, &third, 3}};
    const anyc_call calls[] = {ANYC_CALL(end_in_turn, &args[0]), ANYC_CALL(end_in_turn, &args[1]),
                               ANYC_CALL(end_in_turn, &args[2])};
    const int expected[3] = {2, 3, 1};
    anyc_as_completed tasks = ANYC_AS_COMPLETED_INIT;
    anyc_task_handle *handle;

    ck_assert_ok(anyc_as_completed_enter(&tasks, calls, 3));
    for (size_t i = 0; i < 3; i++) {
        size_t index = 9;
        int result = 0;

        ck_assert_ok(anyc_as_completed_next(&tasks, &handle, &index));
        ck_assert_ok(anyc_task_handle_result(handle, &result));
        ck_assert_int_eq(result, expected[i]);
        ck_assert_int_eq(args[index].result, expected[i]);
    }
    ck_assert_int_eq(anyc_as_completed_next(&tasks, &handle, NULL), ANYC_EOF);
    ck_assert_ok(anyc_as_completed_exit(&tasks, 0));
}

static int another_function(void *arg)
{
    return return_value(arg);
}

static void check_next_name(anyc_as_completed *tasks, const char *const *names)
{
    anyc_task_handle *handle;
    size_t index;

    ck_assert_ok(anyc_as_completed_next(tasks, &handle, &index));
    ck_assert_str_eq(anyc_task_handle_name(handle), names[index]);
}

/* CU-004 */
ANYC_TEST(test_concurrency_utils__as_completed_names_tasks_by_their_functions)
{
    int value = 1;
    const anyc_call calls[] = {ANYC_CALL(return_value, &value),
                               ANYC_CALL(another_function, &value)};
    const char *const names[] = {"return_value", "another_function"};
    anyc_as_completed tasks = ANYC_AS_COMPLETED_INIT;

    ck_assert_ok(anyc_as_completed_enter(&tasks, calls, 2));
    check_next_name(&tasks, names);
    check_next_name(&tasks, names);
    ck_assert_ok(anyc_as_completed_exit(&tasks, 0));
}

/* CU-006 */
ANYC_TEST(test_concurrency_utils__as_completed_passes_a_failure_on)
{
    bool cancelled = false;
    int error = E1;
    const anyc_call calls[] = {ANYC_CALL(wait_forever, &cancelled),
                               ANYC_CALL(return_value, &error)};
    anyc_as_completed tasks = ANYC_AS_COMPLETED_INIT;
    anyc_task_handle *handle;
    int rc;

    ck_assert_ok(anyc_as_completed_enter(&tasks, calls, 2));
    do
        rc = anyc_as_completed_next(&tasks, &handle, NULL);
    while (rc == 0);
    ck_assert_int_eq(anyc_as_completed_exit(&tasks, rc), E1);
    check_only_failure(E1);
    ck_assert(cancelled);
}

/* CU-007 */
ANYC_TEST(test_concurrency_utils__as_completed_is_left_early)
{
    bool cancelled = false;
    int value = 1;
    int result = 0;
    const anyc_call calls[] = {ANYC_CALL(return_value, &value),
                               ANYC_CALL(wait_forever, &cancelled)};
    anyc_as_completed tasks = ANYC_AS_COMPLETED_INIT;
    anyc_task_handle *handle;

    ck_assert_ok(anyc_as_completed_enter(&tasks, calls, 2));
    ck_assert_ok(anyc_as_completed_next(&tasks, &handle, NULL));
    ck_assert_ok(anyc_task_handle_result(handle, &result));
    ck_assert_int_eq(result, 1);
    ck_assert_ok(anyc_as_completed_exit(&tasks, 0));
    ck_assert(cancelled);
}

/* CU-009 */
ANYC_TEST(test_concurrency_utils__a_map_over_nothing)
{
    int result = 77;

    ck_assert_ok(anyc_amap(return_value, NULL, 0, sizeof(int), NULL, &result));
    ck_assert_int_eq(result, 77);
}

static int fail_for_two(void *arg)
{
    const int *number = arg;

    return *number == 2 ? E1 : *number;
}

/* CU-010 */
ANYC_TEST(test_concurrency_utils__a_map_passes_a_failure_on)
{
    int numbers[] = {1, 2, 3};
    int results[] = {77, 77, 77};

    ck_assert_int_eq(anyc_amap(fail_for_two, numbers, 3, sizeof numbers[0], NULL, results), E1);
    check_only_failure(E1);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(results[i], 77);
}
