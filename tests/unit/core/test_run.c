/* SPDX-License-Identifier: MIT */
/*
 * test_run.c - running a program on a loop. AnyIO: test_eventloop.py.
 */
#include "support/tasks.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

static int never_called(void *arg)
{
    *(bool *)arg = true;
    return 0;
}

ANYC_TEST_PLAIN(test_run__refuses_a_name_that_nobody_knows)
{
    bool called = false;
    anyc_run_options options = {.backend = "nonesuch"};

    ck_assert_int_eq(anyc_run_with(never_called, &called, &options), ANYC_ENOBACKEND);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ENOBACKEND);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "nonesuch"));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, anyc_testing_backend()));
    options.backend = "../nonesuch";
    ck_assert_int_eq(anyc_run_with(never_called, &called, &options), ANYC_ENOBACKEND);
    ck_assert(!called);
    forget_last_error();
}

static int answer_42(void *arg)
{
    ck_assert_ptr_null(arg);
    ck_assert_ok(anyc_checkpoint());
    return 42;
}

ANYC_TEST_PLAIN(test_run__gives_the_main_tasks_result)
{
    int code = E1;

    ck_assert_int_eq(anyc_run(answer_42, anyc_testing_backend()), 42);
    ck_assert_int_eq((anyc_run)(answer_42, anyc_testing_backend()), 42);
    ck_assert_int_eq(run_on_backend(answer_42, NULL), 42);
    ck_assert_int_eq((anyc_run_with)(answer_42, NULL, NULL), 42);
    ck_assert_int_eq(run_on_backend(code_task, &code), E1);
    ck_assert_int_eq(anyc_last_error()->code, E1);
    forget_last_error();
}

static int misuse_a_scope(void *arg)
{
    anyc_cancel_scope scope = {0};

    (void)arg;
    return anyc_cancel_scope_exit(&scope, 0);
}

ANYC_TEST_PLAIN(test_run__hands_the_main_tasks_message_to_the_thread)
{
    ck_assert_int_eq(run_on_backend(misuse_a_scope, NULL), ANYC_ESTATE);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "misuse_a_scope"));
    forget_last_error();
}

ANYC_TEST(test_run__is_refused_inside_a_run)
{
    bool called = false;

    ck_assert_int_eq(run_on_backend(never_called, &called), ANYC_ERUNNING);
    ck_assert_int_eq(anyc_run(answer_42, NULL), ANYC_ERUNNING);
    ck_assert(!called);
    ck_assert_ok(anyc_checkpoint());
}

static void *run_in_thread(void *backend)
{
    static int rc;

    rc = anyc_run(answer_42, backend);
    return &rc;
}

ANYC_TEST(test_run__has_a_loop_for_each_thread)
{
    pthread_t thread;
    void *rc;

    ck_assert_ok(pthread_create(&thread, NULL, run_in_thread, (void *)anyc_testing_backend()));
    ck_assert_ok(pthread_join(thread, &rc));
    ck_assert_int_eq(*(int *)rc, 42);
    ck_assert_ok(anyc_checkpoint());
}

static int status_task(void *arg, anyc_task_status *status)
{
    (void)arg;
    return anyc_task_status_started(status, NULL);
}

/* TG-R35 */
ANYC_TEST_PLAIN(test_run__outside_of_one_every_call_of_a_task_group_says_so)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle = {0};
    bool ran = false;
    int number = 0;

    ck_assert_int_eq(anyc_task_group_enter(&group), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, note_task, &ran, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(
        anyc_task_group_start_soon_copy(&group, note_task, &number, sizeof number, NULL),
        ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_task_group_create_task(&group, note_task, &ran, NULL, &handle),
                     ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_task_group_start(&group, status_task, NULL, NULL, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_task_group_start_task(&group, status_task, NULL, NULL, NULL, &handle),
                     ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_task_group_set_stack_size(&group, 65536), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_task_handle_wait(&handle, NULL), ANYC_ENOLOOP);
    anyc_task_group_cancel(&group, NULL);
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert(!ran);
}

/* TG-R35 */
ANYC_TEST_PLAIN(test_run__outside_of_one_every_call_of_a_scope_says_so)
{
    anyc_cancel_scope scope;

    memset(&scope, 0x5a, sizeof scope);
    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_move_on_after(&scope, 1, false), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_fail_after(&scope, 1, false), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_move_on_at(&scope, 1, false), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_fail_at(&scope, 1, false), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, 0), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_cancel_scope_set_deadline(&scope, 1), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_cancel_scope_set_shield(&scope, true), ANYC_ENOLOOP);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_ptr_null(anyc_cancel_reason());
    ck_assert(!anyc_has_pending_cancellation());
}

/* TG-R35 */
ANYC_TEST_PLAIN(test_run__outside_of_one_every_other_call_says_so)
{
    anyc_run_var variable = ANYC_RUN_VAR_INIT_DEFAULT("variable", NULL);
    anyc_run_var_token token = {0};
    anyc_task_info info;
    size_t count;
    void *value;

    ck_assert_int_eq(anyc_sleep(0), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_sleep(1), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_sleep_forever(), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_sleep_until(1), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_checkpoint_if_cancelled(), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_cancel_shielded_checkpoint(), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_get_current_task(&info), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_get_running_tasks(&info, 1, &count), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_run_var_get(&variable, &value), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_run_var_set(&variable, NULL, &token), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_run_var_reset(&variable, &token), ANYC_ENOLOOP);
    ck_assert(isnan(anyc_current_time()));
    ck_assert_ptr_null(anyc_current_backend());
}

static int jump_10_seconds(void *arg)
{
    double begin = anyc_current_time();

    (void)arg;
    ck_assert_ok(anyc_sleep(10));
    ck_assert_double_eq(anyc_current_time() - begin, 10);
    return 0;
}

static double seconds_since(struct timespec begin)
{
    struct timespec now;

    ck_assert_ok(clock_gettime(CLOCK_MONOTONIC, &now));
    return (double)(now.tv_sec - begin.tv_sec) + (double)(now.tv_nsec - begin.tv_nsec) / 1e9;
}

/* EL-008 */
ANYC_TEST_PLAIN(test_run__takes_a_clock_that_jumps)
{
    anyc_run_options options = {
        .backend = anyc_testing_backend(),
        .clock = ANYC_CLOCK_VIRTUAL,
    };
    struct timespec begin;

    ck_assert_ok(clock_gettime(CLOCK_MONOTONIC, &begin));
    ck_assert_ok(anyc_run_with(jump_10_seconds, NULL, &options));
    ck_assert_double_lt(seconds_since(begin), 1);
}

ANYC_TEST_WITH(test_run__wakes_sleepers_of_the_virtual_clock_in_order, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct sleeper sleepers[20];

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 20; i++) {
        sleepers[i] = (struct sleeper){.seconds = 1000.0 * (20 - i)};
        spawn(&group, sleeper_task, &sleepers[i]);
    }
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    for (int i = 19; i >= 0; i--) {
        ck_assert(!sleepers[i].done);
        ck_assert_ok(anyc_sleep_until(sleepers[i].seconds));
        ck_assert(sleepers[i].done);
        ck_assert_double_eq(anyc_current_time(), sleepers[i].seconds);
    }
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

ANYC_TEST(test_run__sleeps_no_shorter_than_asked)
{
    for (int i = 0; i < 20; i++) {
        double begin = anyc_current_time();
        double seconds = 0.0001 * i;

        ck_assert_ok(anyc_sleep(seconds));
        ck_assert_double_ge(anyc_current_time() - begin, seconds);
    }
}

static int check_stack_size(void *arg)
{
    size_t wanted = *(size_t *)arg;
    anyc_task_info info;

    ck_assert_ok(anyc_get_current_task(&info));
    ck_assert_uint_lt(info.stack_size, wanted);
    ck_assert_uint_gt(info.stack_size, wanted / 2);
    return 0;
}

ANYC_TEST_PLAIN(test_run__gives_tasks_stacks_of_the_size_asked_for)
{
    size_t size = 1 << 20;
    anyc_run_options options = {.backend = anyc_testing_backend(), .stack_size = size};

    ck_assert_ok(anyc_run_with(check_stack_size, &size, &options));
    options.stack_size = 16383;
    ck_assert_int_eq(anyc_run_with(check_stack_size, &size, &options), ANYC_EINVAL);
    options.stack_size = SIZE_MAX;
    ck_assert_int_eq(anyc_run_with(check_stack_size, &size, &options), ANYC_EINVAL);
    ck_assert_int_eq(anyc_run_with(NULL, NULL, NULL), ANYC_EINVAL);
    forget_last_error();
}

/* Of which library it is cannot be seen. */
ANYC_TEST_PLAIN(test_run__on_a_loop_of_the_host_needs_a_name)
{
    int loop = 0;
    anyc_run_options options = {.loop = &loop};

    ck_assert_int_eq(anyc_run_with(check_stack_size, NULL, &options), ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "backend"));
    forget_last_error();
}

ANYC_TEST_PLAIN(test_run__says_that_no_stack_of_that_size_can_be_had)
{
    anyc_run_options options = {
        .backend = anyc_testing_backend(),
        .stack_size = ((size_t)1 << 58) + 4096, /* times 64, it wraps around */
    };
    bool called = false;

    ck_assert_int_eq(anyc_run_with(never_called, &called, &options), ANYC_ENOMEM);
    ck_assert(!called);
    forget_last_error();
}

ANYC_TEST_PLAIN(test_run__can_be_repeated)
{
    for (int i = 0; i < 200; i++)
        ck_assert_int_eq(run_on_backend(answer_42, NULL), 42);
}
