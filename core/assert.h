/* SPDX-License-Identifier: MIT */
/*
 * assert.h - checks for bugs of anyc or its caller, never for input, peers or the system.
 */
#ifndef ANYC_CORE_ASSERT_H
#define ANYC_CORE_ASSERT_H

#include <anyc/base.h>

/* End the program with a message that names the task and the place: for misuse that would corrupt
 * memory if it went on. Holds in every build. */
_Noreturn void anyc__abort(const char *format, ...) ANYC_PRINTF(1, 2);

#ifdef NDEBUG
#define ANYC_ASSERT(condition) ((void)0)
#else
#define ANYC_ASSERT(condition) \
    ((condition) ? (void)0     \
                 : anyc__abort("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition))
#endif

#endif
