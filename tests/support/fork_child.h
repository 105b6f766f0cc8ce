/* SPDX-License-Identifier: MIT */
/*
 * fork_child.h - children that a test forks inside or beside a run, unlike other tests, which must not.
 */
#ifndef ANYC_TESTS_SUPPORT_FORK_CHILD_H
#define ANYC_TESTS_SUPPORT_FORK_CHILD_H

#include <check.h>

#include <anyc/error.h>
#include <anyc/testing.h>

#include <signal.h>
#include <string.h>

#include "support/crash.h"
#include "support/valgrind.h"

/* The call is refused because the loop is the parent's. */
#define ck_assert_forked(call)                                                              \
    do {                                                                                    \
        ck_assert_int_eq((call), ANYC_ESTATE);                                              \
        ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "anyc_after_fork_child")); \
    } while (0)

/* TSan calls no handlers in a child, nor lets it have threads, if its parent had threads or tasks. */
static inline bool fork_child_is_able(void)
{
#if defined(__SANITIZE_THREAD__)
    return false;
#else
    return true;
#endif
}

/* For a test whose child receives signals. */
static inline void fork_child_needs_signals(void)
{
    if (!fork_child_is_able())
        ANYC_TEST_SKIP("TSan delivers no signals to a child");
}

/* In a child, at its end: what belongs to threads that only its parent has is out of its reach, and
 * Valgrind would call it lost. A program that is executed instead has lost nothing. */
static inline void fork_child_forget_threads(void)
{
    if (RUNNING_ON_VALGRIND)
        (void)execlp("true", "true", (char *)NULL);
}

/* Calls a body in a child, where it must succeed. */
static inline void in_child(void (*body)(void))
{
    struct crash crash;

    crash_watch(&crash, body);
    ck_assert_msg(crash.signal == 0 && crash.status == 0, "signal %d, status %d: %s", crash.signal,
                  crash.status, crash.text);
}

/* A child that goes on with what the parent was doing, and is to be ended for it. */
struct fork_stray {
    pid_t pid;
    int errors; /* what it writes to the standard error */
};

/* Returns in both processes. */
static inline void fork_stray_begin(struct fork_stray *stray)
{
    const struct rlimit none = {0, 0};
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    stray->pid = fork();
    ck_assert_int_ge(stray->pid, 0);
    if (stray->pid == 0) {
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)dup2(fds[1], STDERR_FILENO);
        (void)close(fds[0]);
    }
    (void)close(fds[1]);
    stray->errors = fds[0];
}

/* In the parent: it was ended with a message that says what to do. */
static inline void fork_stray_is_ended(struct fork_stray *stray)
{
    struct crash crash;
    int status;

    crash_read(&crash, stray->errors);
    (void)close(stray->errors);
    ck_assert_int_eq(waitpid(stray->pid, &status, 0), stray->pid);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    ck_assert_ptr_nonnull(strstr(crash.text, "_exit()"));
}

#endif
