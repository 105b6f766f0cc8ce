/* SPDX-License-Identifier: MIT */
/*
 * test_concurrency.c - gather, amap, as_completed. The rows of AnyIO's test_concurrency_utils.py
 * are in behaviour/test_concurrency_utils.c.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/concurrency.h>
#include <anyc/error.h>
#include <anyc/event.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/testing.h>

#include "support/fail_alloc.h"
#include "support/steps.h"

static int return_value(void *arg)
{
    return *(int *)arg;
}

/* Takes a checkpoint for each unit of its value, so larger ones end later. */
static int return_value_later(void *arg)
{
    const int *value = arg;

    for (int i = 0; i < *value; i++) {
        int rc = anyc_checkpoint();

        if (rc < 0)
            return rc;
    }
    return *value;
}

static int wait_forever(void *arg)
{
    int *ended = arg;
    int rc = anyc_sleep_forever();

    (*ended)++;
    return rc;
}

ANYC_TEST(test_concurrency__gather_keeps_the_order_of_the_calls)
{
    int values[3] = {5, 1, 3};
    int results[3] = {0};
    const anyc_call calls[] = {ANYC_CALL(return_value_later, &values[0]),
                               ANYC_CALL(return_value_later, &values[1]),
                               ANYC_CALL(return_value, &values[2])};

    ck_assert_ok(anyc_gather(calls, 3, results));
    ck_assert_mem_eq(results, values, sizeof values);
    ck_assert_ok(anyc_gather(calls, 3, NULL));
    ck_assert_ok(anyc_gather(NULL, 0, NULL));
}

static int fail_in_cleanup(void *arg)
{
    (void)arg;
    return anyc_sleep_forever() < 0 ? -ENOTEMPTY : 0;
}

ANYC_TEST(test_concurrency__gather_lists_every_failure)
{
    int error = -E2BIG;
    int ended = 0;
    const anyc_call calls[] = {ANYC_CALL_NAMED(fail_in_cleanup, NULL, "cleaner"),
                               ANYC_CALL(wait_forever, &ended), ANYC_CALL(return_value, &error)};
    const anyc_task_error *errors;
    size_t count = 0;

    ck_assert_int_eq(anyc_gather(calls, 3, NULL), -E2BIG);
    ck_assert_int_eq(ended, 1);
    errors = anyc_last_group_errors(&count);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(errors[0].code, -E2BIG);
    ck_assert_str_eq(errors[0].task_name, "return_value");
    ck_assert_int_eq(errors[1].code, -ENOTEMPTY);
    ck_assert_str_eq(errors[1].task_name, "cleaner");
}

ANYC_TEST_WITH(test_concurrency__gather_is_cancelled_with_its_tasks, .clock = ANYC_CLOCK_VIRTUAL)
{
    int ended = 0;
    int results[2] = {77, 77};
    const anyc_call calls[] = {ANYC_CALL(wait_forever, &ended), ANYC_CALL(wait_forever, &ended)};
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_fail_after(&scope, 1, false));
    rc = anyc_gather(calls, 2, results);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_int_eq(ended, 2);
    ck_assert_int_eq(results[0], 77);
    ck_assert_int_eq(anyc_gather(calls, 2, results), ANYC_ECANCELLED);
    ck_assert_int_eq(ended, 2); /* started nothing */
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_ETIMEDOUT);
}

ANYC_TEST(test_concurrency__a_missing_function_is_refused)
{
    int value = 1;
    const anyc_call calls[] = {ANYC_CALL(return_value, &value), {NULL, NULL, NULL, NULL}};
    anyc_as_completed tasks = ANYC_AS_COMPLETED_INIT;

    ck_assert_int_eq(anyc_gather(calls, 2, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_gather(NULL, 2, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_amap(NULL, &value, 1, sizeof value, NULL, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_as_completed_enter(&tasks, calls, 2), ANYC_EINVAL);
    ck_assert_int_eq(anyc_as_completed_exit(&tasks, 0), ANYC_ESTATE);
}

ANYC_TEST_PLAIN(test_concurrency__answers_outside_a_run)
{
    int value = 1;
    const anyc_call calls[] = {ANYC_CALL(return_value, &value)};
    anyc_as_completed tasks = ANYC_AS_COMPLETED_INIT;
    anyc_task_handle *handle;
    size_t count = 9;

    ck_assert_int_eq(anyc_gather(calls, 1, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_amap(return_value, &value, 1, sizeof value, NULL, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_as_completed_enter(&tasks, calls, 1), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_as_completed_next(&tasks, &handle, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_as_completed_exit(&tasks, 0), ANYC_ENOLOOP);
    ck_assert_ptr_null(anyc_last_group_errors(&count));
    ck_assert_uint_eq(count, 0);
}

struct job {
    int *inside;
    int *most_inside;
    int value;
    int doubled;
};

static int double_value(void *arg)
{
    struct job *job = arg;
    int rc;

    if (++*job->inside > *job->most_inside)
        *job->most_inside = *job->inside;
    rc = anyc_checkpoint();
    --*job->inside;
    job->doubled = 2 * job->value;
    return rc < 0 ? rc : job->value;
}

/* Over 10 jobs; answers how many were inside at once. */
static int map_with_limit(size_t limit)
{
    struct job jobs[10];
    int results[10];
    int inside = 0;
    int most_inside = 0;

    for (int i = 0; i < 10; i++)
        jobs[i] = (struct job){&inside, &most_inside, i, -1};
    ck_assert_ok(anyc_amap(double_value, jobs, 10, sizeof jobs[0],
                           &(anyc_amap_options){.limit = limit}, results));
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(results[i], i);
        ck_assert_int_eq(jobs[i].doubled, i + i);
    }
    return most_inside;
}

ANYC_TEST(test_concurrency__a_map_keeps_its_limit)
{
    ck_assert_int_eq(map_with_limit(0), 10);
    ck_assert_int_eq(map_with_limit(1), 1);
    ck_assert_int_eq(map_with_limit(3), 3);
    ck_assert_int_eq(map_with_limit(10), 10);
    ck_assert_int_eq(map_with_limit(50), 10);
}

static int count_and_fail_at_three(void *arg)
{
    static int calls;

    (void)arg;
    return ++calls == 3 ? -E2BIG : calls;
}

ANYC_TEST(test_concurrency__a_map_with_a_limit_starts_no_call_after_a_failure)
{
    int numbers[100] = {0};

    ck_assert_int_eq(anyc_amap(count_and_fail_at_three, numbers, 100, sizeof numbers[0],
                               &(anyc_amap_options){.limit = 2}, NULL),
                     -E2BIG);
    ck_assert_int_le(count_and_fail_at_three(NULL), 5);
}

static int check_name(void *arg)
{
    anyc_task_info info;

    ck_assert_ok(anyc_get_current_task(&info));
    ck_assert_str_eq(info.name, arg);
    return 0;
}

ANYC_TEST(test_concurrency__tasks_have_the_name_of_the_function_or_the_one_given)
{
    char own[] = "check_name";
    char given[] = "other";
    const anyc_call calls[] = {ANYC_CALL(check_name, own),
                               ANYC_CALL_NAMED(check_name, given, "other")};

    ck_assert_ok(anyc_amap(check_name, own, 1, sizeof own, NULL, NULL));
    ck_assert_ok(
        anyc_amap(check_name, given, 1, sizeof given, &(anyc_amap_options){.name = "other"}, NULL));
    ck_assert_ok(anyc_gather(calls, 2, NULL));
}

ANYC_TEST(test_concurrency__as_completed_refuses_wrong_use)
{
    anyc_as_completed tasks = ANYC_AS_COMPLETED_INIT;
    anyc_task_handle *handle;
    anyc_cancel_scope scope;

    ck_assert_int_eq(anyc_as_completed_next(&tasks, &handle, NULL), ANYC_ESTATE);
    ck_assert_int_eq(anyc_as_completed_exit(&tasks, 0), ANYC_ESTATE);
    ck_assert_ok(anyc_as_completed_enter(&tasks, NULL, 0));
    ck_assert_int_eq(anyc_as_completed_enter(&tasks, NULL, 0), ANYC_ESTATE);
    ck_assert_int_eq(anyc_as_completed_next(&tasks, &handle, NULL), ANYC_EOF);
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    ck_assert_int_eq(anyc_as_completed_exit(&tasks, 0), ANYC_ESTATE);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_ok(anyc_as_completed_exit(&tasks, 0));
    ck_assert_int_eq(anyc_as_completed_exit(&tasks, 0), ANYC_ESTATE);
}

ANYC_TEST(test_concurrency__as_completed_passes_the_result_of_its_body_on)
{
    int ended = 0;
    const anyc_call calls[] = {ANYC_CALL(wait_forever, &ended)};
    anyc_as_completed tasks = ANYC_AS_COMPLETED_INIT;

    ck_assert_ok(anyc_as_completed_enter(&tasks, calls, 1));
    ck_assert_int_eq(anyc_as_completed_exit(&tasks, -E2BIG), -E2BIG);
    tasks = (anyc_as_completed)ANYC_AS_COMPLETED_INIT;
    ck_assert_ok(anyc_as_completed_enter(&tasks, calls, 1));
    ck_assert_int_eq(anyc_as_completed_exit(&tasks, 7), 7);
    ck_assert_int_eq(ended, 2);
}

static int wait_for_event(void *arg)
{
    return anyc_event_wait(arg);
}

ANYC_TEST_WITH(test_concurrency__a_cancelled_next_loses_no_task, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_event event = ANYC_EVENT_INIT;
    const anyc_call calls[] = {ANYC_CALL(wait_for_event, &event)};
    anyc_as_completed tasks = ANYC_AS_COMPLETED_INIT;
    anyc_task_handle *handle = NULL;
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_as_completed_enter(&tasks, calls, 1));
    ck_assert_ok(anyc_move_on_after(&scope, 1, false));
    ck_assert_int_eq(anyc_as_completed_next(&tasks, &handle, NULL), ANYC_ECANCELLED);
    anyc_event_set(&event);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    ck_assert_ptr_null(handle);
    ck_assert_ok(anyc_as_completed_next(&tasks, &handle, NULL));
    ck_assert_int_eq(anyc_task_handle_state(handle), ANYC_TASK_FINISHED);
    ck_assert_int_eq(anyc_as_completed_next(&tasks, &handle, NULL), ANYC_EOF);
    ck_assert_ok(anyc_as_completed_exit(&tasks, 0));
}

/* Each allocation fails once; whatever was started has ended, and nothing is left. */
static int run_all(void)
{
    int values[3] = {2, 1, 0};
    int results[3] = {77, 77, 77};
    const anyc_call calls[] = {ANYC_CALL(return_value_later, &values[0]),
                               ANYC_CALL(return_value_later, &values[1]),
                               ANYC_CALL_NAMED(return_value, &values[2], "named")};
    anyc_as_completed tasks = ANYC_AS_COMPLETED_INIT;
    anyc_task_handle *handle;
    int rc = anyc_gather(calls, 3, results);

    if (rc == 0)
        rc = anyc_amap(return_value_later, values, 3, sizeof values[0], NULL, results);
    ck_assert_int_eq(results[0], results[0] == 77 ? 77 : 2);
    if (rc == 0)
        rc = anyc_as_completed_enter(&tasks, calls, 3);
    if (rc < 0)
        return rc;
    while (rc == 0)
        rc = anyc_as_completed_next(&tasks, &handle, NULL);
    return anyc_as_completed_exit(&tasks, rc == ANYC_EOF ? 0 : rc);
}

static int run_all_without_memory(void *arg)
{
    bool failed = true;
    long n;

    (void)arg;
    for (n = 0; failed; n++) {
        int rc;

        fail_alloc_arm(n + 1);
        rc = run_all();
        failed = fail_alloc_disarm();
        ck_assert(rc == 0 || (failed && rc == ANYC_ENOMEM));
        ck_assert_ok(anyc_checkpoint());
    }
    ck_assert_int_gt(n, 3);
    return 0;
}

ANYC_TEST_PLAIN(test_concurrency__survives_without_memory)
{
    fail_alloc_install();
    ck_assert_ok(anyc_run(run_all_without_memory, anyc_testing_backend()));
    ck_assert_int_eq(fail_alloc_live(), 0);
}
