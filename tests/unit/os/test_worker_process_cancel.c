/* SPDX-License-Identifier: MIT */
/*
 * test_worker_process_cancel.c - calls of worker processes that are cancelled, at every point.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include "child.h"
#include "os/worker_process_start.h"
#include "support/tasks.h"
#include "worker.h"

#define LARGE ((size_t)8 * 1024 * 1024) /* more than any socket holds */

/* A program that is to hang in its initialisation is told so by this variable. */
#define HANG "ANYC_TEST_WORKER_HANGS"

__attribute__((constructor)) static void hang_if_told(void)
{
    while (getenv(HANG) != NULL)
        pause();
}

/* A call in a task of its own, within a scope. */
struct attempt {
    anyc_task_group group;
    anyc_cancel_scope scope;
    struct worker_call call;
};

static int attempt_task(void *arg)
{
    struct attempt *attempt = arg;
    int rc = anyc_cancel_scope_enter(&attempt->scope, NULL);

    ck_assert_ok(rc);
    rc = worker_call_task(&attempt->call);
    return anyc_cancel_scope_exit(&attempt->scope, rc);
}

/* It begins when others run next. */
static void attempt_start(struct attempt *attempt, anyc_process_fn fn, const void *input,
                          size_t input_size, bool cancellable)
{
    *attempt = (struct attempt){.group = ANYC_TASK_GROUP_INIT};
    attempt->call = (struct worker_call){
        .fn = fn, .input = input, .input_size = input_size, .options.cancellable = cancellable};
    ck_assert_ok(anyc_task_group_enter(&attempt->group));
    spawn(&attempt->group, attempt_task, attempt);
}

static void attempt_cancel(struct attempt *attempt)
{
    anyc_cancel_scope_cancel(&attempt->scope, NULL);
}

static void attempt_end(struct attempt *attempt)
{
    ck_assert_ok(anyc_task_group_exit(&attempt->group, 0));
}

/* TP-002; test_cancel_during. When the call has answered, the function does not run any more. */
ANYC_TEST_WITH(test_worker_process_cancel__kills_the_worker_if_asked_for, .timeout = 4)
{
    struct attempt attempt;
    struct gate gate;
    pid_t pid = worker_pid();

    gate_make(&gate);
    attempt_start(&attempt, worker_wait, &gate, sizeof gate, true);
    ck_assert_int_eq(gate_await(&gate), pid);
    attempt_cancel(&attempt);
    attempt_end(&attempt);
    ck_assert_int_eq(attempt.call.rc, ANYC_ECANCELLED);
    ck_assert(!worker_exists(pid));
    ck_assert_int_ne(worker_pid(), pid);
    gate_remove(&gate);
}

/* OS-R009. */
ANYC_TEST(test_worker_process_cancel__is_held_back_until_the_function_has_returned)
{
    struct attempt attempt;
    struct gate gate;
    pid_t pid = worker_pid();

    gate_make(&gate);
    attempt_start(&attempt, worker_wait, &gate, sizeof gate, false);
    ck_assert_int_eq(gate_await(&gate), pid);
    attempt_cancel(&attempt);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(attempt.call.rc, 1);
    gate_open(&gate);
    attempt_end(&attempt);
    ck_assert_int_eq(attempt.call.rc, 0);
    ck_assert_int_eq(attempt.call.pid, pid);
    ck_assert(attempt.call.cancelled);
    ck_assert_int_eq(worker_pid(), pid);
    gate_remove(&gate);
}

ANYC_TEST(test_worker_process_cancel__comes_before_anything_is_done)
{
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    rc = anyc_to_process_run_sync(worker_tell_pid, NULL, 0, NULL, NULL);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    child_check_none();
}

ANYC_TEST(test_worker_process_cancel__ends_the_wait_for_a_token)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    struct attempt attempt;

    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter));
    attempt_start(&attempt, worker_tell_pid, NULL, 0, false);
    attempt.call.options.limiter = &limiter;
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    attempt_cancel(&attempt);
    attempt_end(&attempt);
    ck_assert_int_eq(attempt.call.rc, ANYC_ECANCELLED);
    child_check_none();
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    anyc_capacity_limiter_deinit(&limiter);
}

/* The token was there, and then came the cancellation. */
ANYC_TEST(test_worker_process_cancel__gives_the_token_back)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    struct attempt attempt;

    attempt_start(&attempt, worker_tell_pid, NULL, 0, false);
    attempt.call.options.limiter = &limiter;
    while (anyc_capacity_limiter_borrowed_tokens(&limiter) == 0)
        ck_assert_ok(anyc_checkpoint());
    attempt_cancel(&attempt);
    attempt_end(&attempt);
    ck_assert_int_eq(attempt.call.rc, ANYC_ECANCELLED);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 0);
    child_check_none();
    anyc_capacity_limiter_deinit(&limiter);
}

/* Even if the function's call could not be cancelled: it has not begun. */
ANYC_TEST(test_worker_process_cancel__kills_a_worker_that_is_being_started)
{
    struct attempt attempt;

    setenv(HANG, "1", 1);
    attempt_start(&attempt, worker_tell_pid, NULL, 0, false);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    attempt_cancel(&attempt);
    attempt_end(&attempt);
    ck_assert_int_eq(attempt.call.rc, ANYC_ECANCELLED);
    child_check_none();
    unsetenv(HANG);
    ck_assert_int_gt(worker_pid(), 0);
}

/* The worker is stopped, so that it takes no more than the socket holds. */
ANYC_TEST(test_worker_process_cancel__ends_the_sending_of_a_large_input)
{
    struct attempt attempt;
    void *input = calloc(1, LARGE);
    pid_t pid = worker_pid();

    ck_assert_ok(kill(pid, SIGSTOP));
    attempt_start(&attempt, worker_tell_pid, input, LARGE, true);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    attempt_cancel(&attempt);
    attempt_end(&attempt);
    ck_assert_int_eq(attempt.call.rc, ANYC_ECANCELLED);
    ck_assert(!worker_exists(pid));
    free(input);
}

ANYC_TEST(test_worker_process_cancel__does_not_end_the_sending_for_a_held_back_one)
{
    struct attempt attempt;
    void *input = calloc(1, LARGE);
    pid_t pid = worker_pid();

    ck_assert_ok(kill(pid, SIGSTOP));
    attempt_start(&attempt, worker_tell_pid, input, LARGE, false);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    attempt_cancel(&attempt);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(kill(pid, SIGCONT));
    attempt_end(&attempt);
    ck_assert_int_eq(attempt.call.rc, 0);
    ck_assert_int_eq(attempt.call.pid, pid);
    free(input);
}

/* Puts out so much that it cannot be sent at once, and stops meanwhile. */
static int stop_while_sending(const void *input, size_t input_size, anyc_bytes *output)
{
    (void)input;
    (void)input_size;
    *output = (anyc_bytes){calloc(1, LARGE), LARGE};
    if (fork() == 0) {
        pid_t worker = getppid();

        usleep(20000); /* until it waits for room, or so */
        kill(worker, SIGSTOP);
        _exit(0);
    }
    return 0;
}

static int stop_task(void *arg)
{
    struct attempt *attempt = arg;

    (void)anyc_sleep(0.1);
    attempt_cancel(attempt);
    return 0;
}

/* At whatever moment it is stopped, the cancellation ends it. */
ANYC_TEST(test_worker_process_cancel__ends_the_receiving_of_a_large_output)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct attempt attempt;
    pid_t pid = worker_pid();

    attempt_start(&attempt, stop_while_sending, NULL, 0, true);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, stop_task, &attempt);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    attempt_end(&attempt);
    ck_assert(attempt.call.rc == 0 || attempt.call.rc == ANYC_ECANCELLED);
    ck_assert(attempt.call.rc == 0 || !worker_exists(pid));
    if (worker_exists(pid))
        kill(pid, SIGKILL);
}

static int sleep_long(const void *input, size_t input_size, anyc_bytes *output)
{
    (void)input;
    (void)input_size;
    (void)output;
    sleep(30);
    return 0;
}

/* Cancelled after one switch of tasks, two, three ... to the end: nothing is left over. */
ANYC_TEST(test_worker_process_cancel__may_come_after_any_number_of_turns)
{
    struct attempt attempt;

    for (int turns = 1; turns < 60; turns++) {
        attempt_start(&attempt, sleep_long, NULL, 0, true);
        for (int i = 0; i < turns; i++)
            ck_assert_ok(turns % 3 == 0 ? anyc_sleep(0.0002) : anyc_checkpoint());
        attempt_cancel(&attempt);
        attempt_end(&attempt);
        ck_assert_int_eq(attempt.call.rc, ANYC_ECANCELLED);
        child_check_none();
    }
}
