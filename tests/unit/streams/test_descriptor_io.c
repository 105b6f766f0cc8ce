/* SPDX-License-Identifier: MIT */
/*
 * test_descriptor_io.c - receive and send of loops that report readiness, on what is no socket.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include <unistd.h>

#include "core/watch.h"
#include "streams/descriptor_io.h"

struct pipe_call {
    anyc_watch *watch;
    ssize_t rc;
};

static int read_pipe(void *arg)
{
    struct pipe_call *call = arg;
    char buf[8];

    call->rc = anyc__backend_receive(call->watch, buf, sizeof buf);
    return 0;
}

/* Pipes have neither recv nor send, but end in the same way; and no SIGPIPE. */
ANYC_TEST(test_descriptor_io__works_on_pipes)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    const struct iovec pieces[] = {{"he", 2}, {"llo", 3}};
    struct pipe_call call = {NULL, 0};
    anyc_watch *out = NULL;
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    ck_assert_int_eq(anyc__watch_open(anyc__loop, ends[0], &call.watch), 0);
    ck_assert_int_eq(anyc__watch_open(anyc__loop, ends[1], &out), 0);
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, read_pipe, &call, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc__backend_send(out, pieces, 2), 5);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(call.rc, 5);
    anyc__watch_close(call.watch, ANYC_ECLOSED);
    close(ends[0]);
    ck_assert_int_eq(anyc__backend_send(out, pieces, 2), -EPIPE);
    ck_assert_int_eq(anyc__backend_send(out, pieces, 1), -EPIPE);
    anyc__watch_close(out, ANYC_ECLOSED);
    close(ends[1]);
}

static int pipe_signals;

static void count_pipe_signal(int signum)
{
    (void)signum;
    pipe_signals++;
}

/* A SIGPIPE that the program itself has sent to itself is not taken away with that of a write. */
ANYC_TEST(test_descriptor_io__leaves_a_foreign_sigpipe_alone)
{
    const struct iovec piece = {"x", 1};
    anyc_watch *out = NULL;
    sigset_t pipe_only;
    int ends[2];

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    ck_assert(signal(SIGPIPE, count_pipe_signal) != SIG_ERR);
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    close(ends[0]);
    ck_assert_int_eq(anyc__watch_open(anyc__loop, ends[1], &out), 0);
    ck_assert_int_eq(anyc__backend_send(out, &piece, 1), -EPIPE);
    ck_assert_int_eq(pipe_signals, 0);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, &pipe_only, NULL), 0);
    ck_assert_int_eq(raise(SIGPIPE), 0);
    ck_assert_int_eq(anyc__backend_send(out, &piece, 1), -EPIPE);
    ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, &pipe_only, NULL), 0);
    ck_assert_int_eq(pipe_signals, 1);
    anyc__watch_close(out, ANYC_ECLOSED);
    close(ends[1]);
}
