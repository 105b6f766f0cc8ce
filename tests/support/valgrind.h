/* SPDX-License-Identifier: MIT */
/*
 * valgrind.h - for tests of what Valgrind does otherwise than the system.
 */
#ifndef ANYC_TESTS_SUPPORT_VALGRIND_H
#define ANYC_TESTS_SUPPORT_VALGRIND_H

#include <anyc/testing.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

/* End this test as skipped if it runs under Valgrind. */
static inline void skip_on_valgrind(const char *reason)
{
    if (RUNNING_ON_VALGRIND)
        ANYC_TEST_SKIP(reason);
}

#endif
