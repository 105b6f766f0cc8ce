/* SPDX-License-Identifier: MIT */
/*
 * child.h - start the program of child.c, and look at what it says and leaves behind.
 */
#ifndef ANYC_TESTS_UNIT_OS_CHILD_H
#define ANYC_TESTS_UNIT_OS_CHILD_H

#include <check.h>

#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/process.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its command line: CHILD("exit", "3"). ANYC_TEST_CHILD is its path. */
#define CHILD(...) ((const char *const[]){ANYC_TEST_CHILD, __VA_ARGS__, NULL})

/* Start it; that must succeed. */
static inline anyc_process *child_open(const char *const *argv, const anyc_process_options *options)
{
    anyc_process *process = NULL;
    int rc = anyc_open_process(argv, options, &process);

    ck_assert_msg(rc == 0, "%s", anyc_last_error()->message);
    return process;
}

/* Run it to its end; that must succeed. */
static inline anyc_completed_process child_run(const char *const *argv,
                                               const anyc_process_options *options)
{
    anyc_completed_process completed;
    int rc = anyc_run_process(argv, options, &completed);

    ck_assert_msg(rc == 0, "%s", anyc_last_error()->message);
    return completed;
}

/* What it writes to standard output; the same room each time. */
static inline const char *child_says(const char *const *argv, const anyc_process_options *options)
{
    static char text[4096];
    anyc_completed_process completed = child_run(argv, options);

    ck_assert_uint_lt(completed.std_out_len, sizeof text);
    memcpy(text, completed.std_out, completed.std_out_len + 1);
    anyc_free_completed_process(&completed);
    return text;
}

/* Wait for its end: its return code. */
static inline int child_wait(anyc_process *process)
{
    int returncode = 12345;

    ck_assert_int_eq(anyc_process_wait(process, &returncode), 0);
    return returncode;
}

/* Receive exactly this text. */
static inline void child_expect(anyc_byte_stream *stream, const char *text)
{
    char room[256] = "";
    size_t len = 0;

    while (len < strlen(text)) {
        ssize_t n = anyc_receive(stream, room + len, strlen(text) - len);

        ck_assert_int_gt(n, 0);
        len += (size_t)n;
    }
    ck_assert_str_eq(room, text);
}

/* This program has no children, zombies included. */
static inline void child_check_none(void)
{
    siginfo_t info;

    ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), -1);
    ck_assert_int_eq(errno, ECHILD);
}

#endif
