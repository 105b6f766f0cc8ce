/* SPDX-License-Identifier: MIT */
/*
 * test_fork.c - forking beside a run: in a worker thread, in a thread that has no part in it, and what
 * the child sees of portals, futures and processes. What forking in a task does is in unit/core.
 */
#include <anyc/anyc.h>
#include <anyc/portal.h>
#include <anyc/process.h>
#include <anyc/testing.h>

#include <sys/socket.h>

#include "support/fork_child.h"
#include "support/tasks.h"

static int add_one(void *arg)
{
    ++*(int *)arg;
    return 0;
}

static int sleep_and_add_one(void *arg)
{
    ck_assert_ok(anyc_sleep(0.001));
    return add_one(arg);
}

static void check_fresh_run(void)
{
    int count = 0;

    ck_assert_ok(run_on_backend(sleep_and_add_one, &count));
    ck_assert_int_eq(count, 1);
}

/* -- in a worker thread -- */

static void calls_of_worker(void)
{
    int count = 0;

    ck_assert_forked(anyc_from_thread_run(add_one, &count, NULL, NULL));
    ck_assert_forked(anyc_from_thread_run_sync(add_one, &count, NULL, NULL));
    ck_assert_forked(anyc_from_thread_check_cancelled());
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ENOLOOP);
    ck_assert_int_eq(count, 0);
    check_fresh_run();
    anyc_after_fork_child();
    check_fresh_run();
}

static int fork_and_call(void *arg)
{
    in_child(calls_of_worker);
    return anyc_from_thread_run(sleep_and_add_one, arg, NULL, NULL);
}

ANYC_TEST(test_fork__in_a_worker_thread_the_child_is_told_and_may_run)
{
    int count = 0;

    ck_assert_ok(anyc_to_thread_run_sync(fork_and_call, &count, NULL, NULL));
    ck_assert_int_eq(count, 1);
}

static anyc_byte_stream *its_stream;

static int read_three(void *arg)
{
    char text[4];

    (void)arg;
    ck_assert_int_eq(anyc_receive(its_stream, text, sizeof text), 3);
    return 0;
}

static void close_its_stream(void)
{
    ck_assert_ok(anyc_aclose(its_stream));
}

static int fork_and_close(void *arg)
{
    in_child(close_its_stream);
    return (int)write(*(const int *)arg, "abc", 3);
}

/* The system watches the same for both processes. */
ANYC_TEST(test_fork__what_the_child_of_a_worker_closes_stays_watched_for_the_parent)
{
    int fds[2];
    int sent;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_ok(anyc_unix_socket_stream_from_fd(fds[0], &its_stream));
    for (int i = 0; i < 2; i++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;

        ck_assert_ok(anyc_task_group_enter(&group));
        spawn(&group, read_three, NULL);
        ck_assert_ok(anyc_to_thread_run_sync(fork_and_close, &fds[1], NULL, &sent));
        ck_assert_ok(anyc_task_group_exit(&group, 0));
    }
    close(fds[1]);
    ck_assert_ok(anyc_aclose(its_stream));
}

static int return_in_child(void *arg)
{
    fork_stray_begin(arg);
    return 0;
}

ANYC_TEST(test_fork__a_worker_that_returns_in_the_child_ends_it)
{
    struct fork_stray stray;

    ck_assert_ok(anyc_to_thread_run_sync(return_in_child, &stray, NULL, NULL));
    fork_stray_is_ended(&stray);
}

/* -- in a thread that has no part in the run -- */

static anyc_blocking_portal *its_portal;
static anyc_thread_future *its_future;
static anyc_token *its_token;

static int take_token(void *arg)
{
    return anyc_current_token(arg);
}

static void calls_of_stranger(void)
{
    int count = 0;

    ck_assert_forked(anyc_blocking_portal_call(its_portal, add_one, &count, NULL));
    ck_assert_forked(anyc_blocking_portal_start_task_soon(its_portal, add_one, &count, NULL, NULL));
    ck_assert_forked(anyc_from_thread_run(add_one, &count, its_token, NULL));
    ck_assert_forked(anyc_from_thread_run_sync(add_one, &count, its_token, NULL));
    ck_assert_forked(anyc_thread_future_wait(its_future, 10));
    ck_assert(!anyc_thread_future_cancel(its_future));
    check_fresh_run();
    anyc_token_release(its_token);
    ck_assert_ok(anyc_blocking_portal_stop(its_portal, true));
    ck_assert_ok(anyc_aclose(its_portal));
    anyc_after_fork_child();
    check_fresh_run();
    ck_assert_int_eq(count, 0);
    fork_child_forget_threads();
}

ANYC_TEST_PLAIN(test_fork__beside_a_run_the_child_is_told_and_may_run)
{
    int count = 0;

    ck_assert_ok(anyc_start_blocking_portal(anyc_testing_backend(), NULL, &its_portal));
    ck_assert_ok(anyc_blocking_portal_call(its_portal, take_token, &its_token, NULL));
    ck_assert_ok(
        anyc_blocking_portal_start_task_soon(its_portal, forever_task, NULL, NULL, &its_future));
    in_child(calls_of_stranger);
    ck_assert_ok(anyc_blocking_portal_call(its_portal, sleep_and_add_one, &count, NULL));
    ck_assert_ok(anyc_from_thread_run_sync(add_one, &count, its_token, NULL));
    ck_assert_int_eq(count, 2);
    ck_assert(anyc_thread_future_cancel(its_future));
    ck_assert_ok(anyc_thread_future_wait(its_future, 10));
    anyc_thread_future_unref(its_future);
    anyc_token_release(its_token);
    ck_assert_ok(anyc_aclose(its_portal));
    forget_last_error();
}

/* -- processes -- */

static anyc_process *its_process;

static void close_its_process(void)
{
    ck_assert_ok(anyc_process_kill(its_process));
    ck_assert_ok(anyc_aclose(its_process));
}

ANYC_TEST(test_fork__a_process_of_the_parent_is_not_the_childs)
{
    const char *const cat[] = {"cat", NULL};
    char text[4];

    ck_assert_ok(anyc_open_process(cat, NULL, &its_process));
    in_child(close_its_process);
    ck_assert_ok(anyc_send(anyc_process_stdin(its_process), "abc", 3));
    ck_assert_int_eq(anyc_receive(anyc_process_stdout(its_process), text, sizeof text), 3);
    ck_assert_ok(anyc_aclose(its_process));
}
