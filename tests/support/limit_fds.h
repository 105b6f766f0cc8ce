/* SPDX-License-Identifier: MIT */
/*
 * limit_fds.h - lets a test run out of descriptors.
 */
#ifndef ANYC_TESTS_SUPPORT_LIMIT_FDS_H
#define ANYC_TESTS_SUPPORT_LIMIT_FDS_H

#include <check.h>

#include <sys/resource.h>
#include <unistd.h>

/* Leave room for so many more descriptors; returns the old limit. */
static inline struct rlimit limit_fds(int more)
{
    struct rlimit old;
    struct rlimit limit;
    int next = dup(STDERR_FILENO); /* the lowest free number */

    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    limit = old;
    limit.rlim_cur = (rlim_t)(next + more);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return old;
}

/* Back to the old limit. */
static inline void unlimit_fds(const struct rlimit *old)
{
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, old), 0);
}

#endif
