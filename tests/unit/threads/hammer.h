/* SPDX-License-Identifier: MIT */
/*
 * hammer.h - for how long tests of many threads go on: for a moment, or for as many seconds as the
 * environment variable ANYC_TEST_HAMMER_SECONDS says.
 */
#ifndef ANYC_TESTS_UNIT_THREADS_HAMMER_H
#define ANYC_TESTS_UNIT_THREADS_HAMMER_H

#include <stdlib.h>
#include <time.h>

#define HAMMER_SECONDS_USUALLY 0.3

static inline double hammer_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* When a test that begins now is to end. */
static inline double hammer_end(void)
{
    const char *text = getenv("ANYC_TEST_HAMMER_SECONDS");

    return hammer_now() + (text != NULL ? strtod(text, NULL) : HAMMER_SECONDS_USUALLY);
}

#endif
