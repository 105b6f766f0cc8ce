/* SPDX-License-Identifier: MIT */
/*
 * test_process.c - programs that are left running: their streams, their end, their close.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <fcntl.h>
#include <math.h>
#include <signal.h>

#include "child.h"
#include "support/steps.h"

/* SP-003 (test_terminate). */
ANYC_TEST(test_process__terminates)
{
    anyc_process *process = child_open(CHILD("wait", "heed"), NULL);
    anyc_buffered_stream *lines = NULL;
    char line[16] = "";

    ck_assert_ok(anyc_buffered_stream_create(anyc_process_stdout(process), &lines));
    ck_assert_int_eq(anyc_buffered_receive_until(lines, "\n", 1, 15, line, sizeof line), 5);
    ck_assert_mem_eq(line, "ready", 5);
    ck_assert_ok(anyc_process_terminate(process));
    ck_assert_int_eq(child_wait(process), 2);
    ck_assert_ok(anyc_aclose(lines));
    ck_assert_ok(anyc_aclose(process));
}

/* SP-004 (test_process_receive_invalid_max_bytes); the size has no sign. */
ANYC_TEST(test_process__receives_one_byte_at_least)
{
    anyc_process *process = child_open(CHILD("exit", "0"), NULL);
    char byte;

    ck_assert_int_eq(anyc_receive(anyc_process_stdout(process), &byte, 0), ANYC_EINVAL);
    ck_assert_int_eq(anyc_receive(anyc_process_stdout(process), &byte, (size_t)-1), ANYC_EINVAL);
    ck_assert_int_eq(child_wait(process), 0);
    ck_assert_ok(anyc_aclose(process));
}

static int temporary_file(const char *content)
{
    char name[] = "/tmp/anyc-process-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    unlink(name);
    ck_assert_int_eq(pwrite(fd, content, strlen(content), 0), (ssize_t)strlen(content));
    return fd;
}

static void check_content(int fd, const char *expected)
{
    char text[256] = "";

    ck_assert_int_ge(pread(fd, text, sizeof text - 1, 0), 0);
    ck_assert_str_eq(text, expected);
}

/* SP-007 (test_open_process_connect_to_file). */
ANYC_TEST(test_process__is_connected_to_files)
{
    int files[] = {temporary_file("Hello, process!"), temporary_file(""), temporary_file("")};
    const anyc_process_options options = {.std_in = ANYC_STDIO_FD,
                                          .std_out = ANYC_STDIO_FD,
                                          .std_err = ANYC_STDIO_FD,
                                          .std_in_fd = files[0],
                                          .std_out_fd = files[1],
                                          .std_err_fd = files[2]};
    anyc_process *process = child_open(CHILD("quote"), &options);

    ck_assert_ptr_null(anyc_process_stdin(process));
    ck_assert_ptr_null(anyc_process_stdout(process));
    ck_assert_ptr_null(anyc_process_stderr(process));
    ck_assert_int_eq(child_wait(process), 0);
    ck_assert_ok(anyc_aclose(process));
    check_content(files[1], "somebody said 'Hello, process!', and stdout says YES!\n");
    check_content(files[2], "somebody said 'Hello, process!', but stderr says NO!\n");
    for (int i = 0; i < 3; i++)
        close(files[i]);
}

/* A child that sleeps, in a scope that is cancelled before it is closed. */
static anyc_process *closed_when_cancelled(void)
{
    anyc_process *process = NULL;
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    process = child_open(CHILD("wait", "ignore"), NULL);
    anyc_cancel_scope_cancel(&scope, NULL);
    rc = anyc_close(process);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    return process;
}

/* SP-010 (test_process_aexit_cancellation_doesnt_orphan_process); OS-R023. */
ANYC_TEST(test_process__is_killed_by_a_cancelled_close)
{
    anyc_process *process = closed_when_cancelled();
    int returncode = 0;

    ck_assert_ok(anyc_process_returncode(process, &returncode));
    ck_assert_int_eq(returncode, -SIGKILL);
    child_check_none();
    ck_assert_int_eq(child_wait(process), -SIGKILL);
    ck_assert_ok(anyc_aclose(process));
}

static void check_streams_closed(const anyc_process *process)
{
    char byte;

    ck_assert_int_eq(anyc_send(anyc_process_stdin(process), "foo", 3), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send_eof(anyc_process_stdin(process)), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_receive(anyc_process_stdout(process), &byte, 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_receive(anyc_process_stderr(process), &byte, 1), ANYC_ECLOSED);
}

/* SP-011 (test_process_aexit_cancellation_closes_standard_streams); OS-R023. */
ANYC_TEST(test_process__closes_its_streams_when_cancelled)
{
    anyc_process *process = closed_when_cancelled();

    check_streams_closed(process);
    ck_assert_ok(anyc_aclose(process));
}

/* SP-012 (test_exceptions_after_subprocess_closes_standard_streams); OS-R024. */
ANYC_TEST(test_process__streams_tell_its_end_from_our_close)
{
    anyc_process *process = child_open(CHILD("exit", "0"), NULL);
    anyc_byte_stream *input = anyc_process_stdin(process);
    int rc = 0;
    char byte;

    ck_assert_int_eq(child_wait(process), 0);
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = anyc_send(input, "foo", 3);
    ck_assert_int_eq(rc, ANYC_EBROKEN);
    ck_assert_int_eq(anyc_send(input, "foo", 3), ANYC_EBROKEN);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "the standard input of process"));
    ck_assert_int_eq(anyc_last_error()->os_error, EPIPE);
    ck_assert_int_eq(anyc_receive(anyc_process_stdout(process), &byte, 1), ANYC_EOF);
    ck_assert_int_eq(anyc_receive(anyc_process_stdout(process), &byte, 1), ANYC_EOF);
    ck_assert_int_eq(anyc_receive(anyc_process_stderr(process), &byte, 1), ANYC_EOF);
    ck_assert_ok(anyc_close(process));
    check_streams_closed(process);
    ck_assert_ok(anyc_aclose(process));
}

/* SP-015 (test_close_early); OS-R025. */
ANYC_TEST(test_process__is_closed_with_output_on_the_way)
{
    for (int i = 0; i < 20; i++) {
        anyc_process *process = child_open(CHILD("bytes", "25600"), NULL);

        ck_assert_ok(anyc_aclose(process));
    }
    child_check_none();
}

static int receive_one(void *arg)
{
    anyc_byte_stream *stream = arg;
    char byte;

    return (int)anyc_receive(stream, &byte, 1) == ANYC_ECLOSED ? 0 : ANYC_EINVAL;
}

/* SP-016 (test_close_while_reading). */
ANYC_TEST(test_process__stream_is_closed_under_a_reader)
{
    const char *const sleeper[] = {"sleep", "100", NULL};
    anyc_process *process = child_open(sleeper, NULL);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(
        anyc_task_group_start_soon(&group, receive_one, anyc_process_stdout(process), NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_close(anyc_process_stdout(process)));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_process_terminate(process));
    ck_assert_ok(anyc_aclose(process));
}

/* OS-R008: closing the process does the same. */
ANYC_TEST(test_process__close_wakes_readers)
{
    anyc_process *process = child_open(CHILD("cat"), NULL);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(
        anyc_task_group_start_soon(&group, receive_one, anyc_process_stdout(process), NULL));
    ck_assert_ok(
        anyc_task_group_start_soon(&group, receive_one, anyc_process_stderr(process), NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_aclose(process));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    child_check_none();
}

/* SP-017 (test_wait_returns_on_process_exit_with_open_stdout); OS-R021. */
ANYC_TEST(test_process__ends_though_its_pipes_stay_open)
{
    anyc_process *process = child_open(CHILD("grandchild"), NULL);
    anyc_cancel_scope scope;
    char byte;

    ck_assert_ok(anyc_fail_after(&scope, 5.0, false));
    ck_assert_int_eq(child_wait(process), 0);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_ok(anyc_fail_after(&scope, 3.0, false));
    ck_assert_ok(anyc_aclose(anyc_process_stdin(process)));
    child_expect(anyc_process_stdout(process), "grandchild\n");
    ck_assert_int_eq(anyc_receive(anyc_process_stdout(process), &byte, 1), ANYC_EOF);
    ck_assert_int_eq(anyc_receive(anyc_process_stderr(process), &byte, 1), ANYC_EOF);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_ok(anyc_aclose(process));
}

/* SP-018 (test_close_with_stdout_blocked_subprocess); OS-R022. */
ANYC_TEST(test_process__close_ends_one_that_is_stuck_in_a_write)
{
    anyc_process *process = child_open(CHILD("bytes", "1048576"), NULL);
    anyc_cancel_scope scope;
    int returncode = 0;

    ck_assert_ok(anyc_fail_after(&scope, 5.0, false));
    ck_assert_ok(anyc_close(process));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_ok(anyc_process_returncode(process, &returncode));
    ck_assert_int_eq(returncode, -SIGPIPE);
    ck_assert_ok(anyc_aclose(process));
}

/* OS-R001: all three streams are pipes. */
ANYC_TEST(test_process__talks_through_pipes)
{
    anyc_process *process = child_open(CHILD("cat"), NULL);

    ck_assert_ok(anyc_send(anyc_process_stdin(process), "one ", 4));
    child_expect(anyc_process_stdout(process), "one ");
    ck_assert_ok(anyc_sendv(anyc_process_stdin(process),
                            (const struct iovec[]){{"two ", 4}, {"three", 5}}, 2));
    ck_assert_int_eq(anyc_send_some(anyc_process_stdin(process), "!", 1), 1);
    ck_assert_ok(anyc_send_eof(anyc_process_stdin(process)));
    ck_assert_ok(anyc_send_eof(anyc_process_stdin(process)));
    ck_assert_int_eq(anyc_send(anyc_process_stdin(process), "x", 1), ANYC_ECLOSED);
    child_expect(anyc_process_stdout(process), "two three!");
    ck_assert_int_eq(child_wait(process), 0);
    ck_assert_ok(anyc_aclose(process));
}

ANYC_TEST(test_process__streams_have_one_direction)
{
    anyc_process *process = child_open(CHILD("cat"), NULL);
    anyc_byte_stream *output = anyc_process_stdout(process);
    char byte;
    int port;

    ck_assert_int_eq(anyc_receive(anyc_process_stdin(process), &byte, 1), -ENOTSUP);
    ck_assert_int_eq(anyc_send(output, "x", 1), -ENOTSUP);
    ck_assert_int_eq(anyc_send_some(output, "x", 1), -ENOTSUP);
    ck_assert_int_eq(anyc_sendv(output, (const struct iovec[]){{"x", 1}}, 1), -ENOTSUP);
    ck_assert_int_eq(anyc_send_eof(output), -ENOTSUP);
    ck_assert_int_eq(anyc_extra(output, &ANYC_SOCKET_LOCAL_PORT, &port), ANYC_EATTRIBUTE);
    ck_assert_int_eq(anyc_extra(process, &ANYC_SOCKET_LOCAL_PORT, &port), ANYC_EATTRIBUTE);
    ck_assert_ok(anyc_aclose(process));
}

struct waiter {
    anyc_process *process;
    int rc;
    int returncode;
};

static int wait_for_end(void *arg)
{
    struct waiter *waiter = arg;

    waiter->rc = anyc_process_wait(waiter->process, &waiter->returncode);
    return 0;
}

/* OS-R005: any number of tasks may wait; cancelling one leaves the others and the process alone. */
ANYC_TEST(test_process__is_waited_for_by_many)
{
    anyc_process *process = child_open(CHILD("cat"), NULL);
    struct waiter waiters[4] = {{process, 1, 1}, {process, 1, 1}, {process, 1, 1}, {process, 1, 1}};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_group cancelled = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_enter(&cancelled));
    for (int i = 0; i < 4; i++)
        ck_assert_ok(anyc_task_group_start_soon(i == 1 ? &cancelled : &group, wait_for_end,
                                                &waiters[i], NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&cancelled, NULL);
    ck_assert_ok(anyc_task_group_exit(&cancelled, 0));
    ck_assert_int_eq(waiters[1].rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_process_returncode(process, NULL), ANYC_EPENDING);
    ck_assert_int_eq(waiters[0].rc, 1);
    ck_assert_ok(anyc_process_kill(process));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    for (int i = 0; i < 4; i++) {
        if (i != 1)
            ck_assert_int_eq(waiters[i].rc + waiters[i].returncode, -SIGKILL);
    }
    ck_assert_ok(anyc_aclose(process));
}

/* OS-R005: the return code is current although the loop had no time to notice the end. */
ANYC_TEST(test_process__return_code_needs_no_wait)
{
    anyc_process *process = child_open(CHILD("exit", "7"), NULL);
    int returncode = 0;
    int rc;
    siginfo_t info;

    ck_assert_ok(waitid(P_PID, (id_t)anyc_process_pid(process), &info, WEXITED | WNOWAIT));
    rc = anyc_process_returncode(process, &returncode);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(returncode, 7);
    child_check_none();
    ck_assert_int_eq(child_wait(process), 7);
    ck_assert_ok(anyc_aclose(process));
}

/* OS-R006. */
ANYC_TEST(test_process__signals_after_its_end_are_harmless)
{
    anyc_process *process = child_open(CHILD("exit", "0"), NULL);

    ck_assert_int_eq(anyc_process_send_signal(process, 12345), ANYC_EINVAL);
    ck_assert_int_eq(child_wait(process), 0);
    ck_assert_ok(anyc_process_terminate(process));
    ck_assert_ok(anyc_process_kill(process));
    ck_assert_ok(anyc_process_send_signal(process, SIGHUP));
    ck_assert_ok(anyc_close(process));
    ck_assert_ok(anyc_process_kill(process));
    ck_assert_ok(anyc_aclose(process));
}

/* OS-R006: children of others in this program stay theirs. */
ANYC_TEST(test_process__leaves_other_children_alone)
{
    pid_t other = fork();
    int status;

    ck_assert_int_ge(other, 0);
    if (other == 0)
        _exit(5);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(anyc_run_process(CHILD("exit", "0"), NULL, NULL), 0);
    ck_assert_int_eq(waitpid(other, &status, 0), other);
    ck_assert_int_eq(WEXITSTATUS(status), 5);
}

static int send_much(void *arg)
{
    static char much[1000000];
    anyc_byte_stream *stream = arg;

    return anyc_send(stream, much, sizeof much) == ANYC_EBROKEN ? 0 : ANYC_EINVAL;
}

/* OS-R024: also a send that has begun. */
ANYC_TEST(test_process__end_breaks_a_send)
{
    anyc_process *process = child_open(CHILD("wait", "ready"), NULL);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, send_much, anyc_process_stdin(process), NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_process_kill(process));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_aclose(process));
}

/* OS-R008: without a time limit it waits until the child heeds the end of its input. */
ANYC_TEST(test_process__close_waits_for_its_end)
{
    anyc_process *process = child_open(CHILD("cat"), NULL);
    int returncode = 1;

    ck_assert_ok(anyc_close(process));
    ck_assert_ok(anyc_process_returncode(process, &returncode));
    ck_assert_int_eq(returncode, 0);
    ck_assert_ok(anyc_close(process));
    ck_assert_ok(anyc_aclose(process));
}

static int aclose_it(void *arg)
{
    anyc_process *process = arg;

    return anyc_aclose(process);
}

/* OS-R023: a close that waits already. */
ANYC_TEST(test_process__is_killed_by_cancelling_a_close)
{
    anyc_process *process = child_open(CHILD("wait", "ignore"), NULL);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, aclose_it, process, NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    child_check_none();
}

/* Nobody waits for it; it has ended by the end of the run at the latest. */
ANYC_TEST(test_process__is_closed_by_force)
{
    anyc_process *process = child_open(CHILD("wait", "ignore"), NULL);
    siginfo_t info;
    pid_t pid = anyc_process_pid(process);

    anyc_aclose_forcefully(process);
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        ck_assert_ok(anyc_sleep(0.001)); /* it is reaped by the loop alone */
    ck_assert_int_eq(errno, ECHILD);
    anyc_aclose_forcefully(child_open(CHILD("wait", "ignore"), NULL));
}

/* Who waits is told how it ended, though its memory is about to go. */
ANYC_TEST(test_process__is_closed_by_force_under_waiters)
{
    anyc_process *process = child_open(CHILD("wait", "ignore"), NULL);
    struct waiter waiters[2] = {{process, 1, 1}, {process, 1, 1}};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 2; i++)
        ck_assert_ok(anyc_task_group_start_soon(&group, wait_for_end, &waiters[i], NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_aclose_forcefully(process);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(waiters[i].rc, 0);
        ck_assert_int_eq(waiters[i].returncode, -SIGKILL);
    }
    child_check_none();
}

ANYC_TEST(test_process__stops_when_asked)
{
    anyc_process *process = child_open(CHILD("wait", "heed"), NULL);
    int returncode = 0;

    child_expect(anyc_process_stdout(process), "ready\n");
    ck_assert_ok(anyc_process_stop(process, INFINITY, &returncode));
    ck_assert_int_eq(returncode, 2);
    ck_assert_ok(anyc_process_stop(process, 0.0, &returncode));
    ck_assert_int_eq(returncode, 2);
    ck_assert_ok(anyc_aclose(process));
}

ANYC_TEST_WITH(test_process__is_killed_when_its_time_is_over, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_process *process = child_open(CHILD("wait", "ignore"), NULL);
    double begin = anyc_current_time();
    int returncode = 0;

    child_expect(anyc_process_stdout(process), "ready\n");
    ck_assert_ok(anyc_process_stop(process, 10.0, &returncode));
    ck_assert_int_eq(returncode, -SIGKILL);
    ck_assert_double_ge(anyc_current_time() - begin, 10.0);
    ck_assert_ok(anyc_aclose(process));
}

/* A stopped process cannot heed SIGTERM unless it is continued. */
ANYC_TEST(test_process__stops_one_that_is_stopped)
{
    anyc_process *process = child_open(CHILD("wait", "stop"), NULL);
    int returncode = 0;

    child_expect(anyc_process_stdout(process), "ready\n");
    ck_assert_ok(anyc_process_send_signal(process, SIGSTOP));
    ck_assert_ok(anyc_process_stop(process, INFINITY, &returncode));
    ck_assert_int_eq(returncode, -SIGTERM);
    ck_assert_ok(anyc_aclose(process));
}

static int stop_for_ever(void *arg)
{
    anyc_process *process = arg;

    return anyc_process_stop(process, INFINITY, NULL);
}

ANYC_TEST(test_process__is_killed_by_cancelling_a_stop)
{
    anyc_process *process = child_open(CHILD("wait", "ignore"), NULL);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int returncode = 0;

    child_expect(anyc_process_stdout(process), "ready\n");
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, stop_for_ever, process, NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_process_returncode(process, &returncode));
    ck_assert_int_eq(returncode, -SIGKILL);
    ck_assert_ok(anyc_aclose(process));
}

ANYC_TEST(test_process__stop_needs_a_time)
{
    anyc_process *process = child_open(CHILD("cat"), NULL);

    ck_assert_int_eq(anyc_process_stop(process, -1.0, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_process_stop(process, (double)NAN, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_process_returncode(process, NULL), ANYC_EPENDING);
    ck_assert_ok(anyc_aclose(process));
}

static int wait_while_nothing_can_come(void *arg)
{
    anyc_process *process = arg;

    return anyc_process_wait(process, NULL);
}

/* A process that runs may still wake a task, so this is no deadlock. */
ANYC_TEST(test_process__keeps_a_run_from_being_deadlocked)
{
    const char *const sleeper[] = {"sleep", "0.05", NULL};
    const anyc_process_options options = {
        .std_in = ANYC_STDIO_DEVNULL, .std_out = ANYC_STDIO_DEVNULL, .std_err = ANYC_STDIO_DEVNULL};
    anyc_process *process = child_open(sleeper, &options);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, wait_while_nothing_can_come, process, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_aclose(process));
}
