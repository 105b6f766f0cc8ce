/* SPDX-License-Identifier: MIT */
/*
 * resource_guard.h - refuse, instead of queueing, a second task that uses a resource.
 *
 *     anyc_resource_guard reading = ANYC_RESOURCE_GUARD_INIT("reading from");
 *
 *     rc = anyc_resource_guard_enter(&reading);   // ANYC_EBUSY if another task is inside
 *     if (rc < 0)
 *         return rc;
 *     rc = read_message(stream);
 *     anyc_resource_guard_exit(&reading);
 */
#ifndef ANYC_RESOURCE_GUARD_H
#define ANYC_RESOURCE_GUARD_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A guard. All fields are private; all zero is a guard too. */
typedef struct anyc_resource_guard {
    const char *action; /* NULL: "using" */
    bool guarded;
} anyc_resource_guard;

/** The initial value of a guard; `action` is borrowed and completes "another task is already ...
 * this resource". */
#define ANYC_RESOURCE_GUARD_INIT(action) \
    {                                    \
        (action), false                  \
    }

/**
 * Begin to use the resource.
 *
 * @param guard  the guard
 *
 * Returns: 0, or ANYC_EBUSY if it is entered already; the message tells the action.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: one loop only.
 * AnyIO:   ResourceGuard.__enter__.
 */
ANYC_MUST_USE ANYC_API int anyc_resource_guard_enter(anyc_resource_guard *guard);

/**
 * End the use.
 *
 * @param guard  entered
 *
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: one loop only.
 * AnyIO:   ResourceGuard.__exit__.
 */
ANYC_API void anyc_resource_guard_exit(anyc_resource_guard *guard);

#ifdef __cplusplus
}
#endif

#endif
