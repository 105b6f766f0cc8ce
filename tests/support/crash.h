/* SPDX-License-Identifier: MIT */
/*
 * crash.h - watch a program end: runs a function in a process of its own.
 *
 *     struct crash crash;
 *
 *     crash_watch(&crash, overflow_a_stack);
 *     ck_assert_int_eq(crash.signal, SIGSEGV);
 *     ck_assert_ptr_nonnull(strstr(crash.text, "overflowed"));
 */
#ifndef ANYC_TESTS_SUPPORT_CRASH_H
#define ANYC_TESTS_SUPPORT_CRASH_H

#include <check.h>

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a process ended. */
struct crash {
    int signal;      /* that ended it, or 0 */
    int status;      /* its exit code; 0 if the function returned */
    char text[1024]; /* what it wrote to stderr, cut to fit */
};

static inline void crash_run(void (*body)(void), int fd)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)dup2(fd, STDERR_FILENO);
    (void)close(fd);
    body();
    _exit(0);
}

static inline void crash_read(struct crash *crash, int fd)
{
    char rest[256];
    size_t len = 0;
    ssize_t got;

    while (len < sizeof crash->text - 1) {
        got = read(fd, crash->text + len, sizeof crash->text - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    crash->text[len] = '\0';
    while (read(fd, rest, sizeof rest) > 0)
        continue;
}

/* Not from a task: the other process would go on with its loop. */
static inline void crash_watch(struct crash *crash, void (*body)(void))
{
    int pipe_fds[2];
    int status;
    pid_t pid;

    ck_assert_int_eq(pipe(pipe_fds), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)close(pipe_fds[0]);
        crash_run(body, pipe_fds[1]);
    }
    (void)close(pipe_fds[1]);
    crash_read(crash, pipe_fds[0]);
    (void)close(pipe_fds[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    crash->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    crash->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
