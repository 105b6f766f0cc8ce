/* SPDX-License-Identifier: MIT */
/*
 * semaphore.h - so many tasks at a time.
 *
 *     anyc_semaphore slots = ANYC_SEMAPHORE_INIT(4);
 *
 *     rc = anyc_semaphore_acquire(&slots);
 *     if (rc < 0)
 *         return rc;
 *     rc = fetch(url);
 *     anyc_semaphore_release(&slots);
 *
 * Nobody owns a slot: any task, and callbacks of the loop, may release one. Waiters are served in
 * the order in which they came; a release hands its slot to the first of them at once. A semaphore
 * needs no end and may be made before a loop runs; one that is all zero has no slots yet.
 */
#ifndef ANYC_SEMAPHORE_H
#define ANYC_SEMAPHORE_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A counter of free slots. All fields are private; initialise with one of the macros below. */
typedef struct anyc_semaphore {
    anyc_list waiters; /* not empty only if value == 0 */
    size_t value;
    size_t max_value; /* 0: none */
    bool fast_acquire;
} anyc_semaphore;

/** The initial value of a semaphore with so many free slots and no maximum. */
#define ANYC_SEMAPHORE_INIT(initial_value) ANYC_SEMAPHORE_INIT_MAX(initial_value, 0)

/** The same with a maximum of free slots, at least as many as the first; 0: none. */
#define ANYC_SEMAPHORE_INIT_MAX(initial_value, max_value) \
    {                                                     \
        {NULL, NULL}, (initial_value), (max_value), false \
    }

/** What a semaphore may be told; all zero means the defaults. */
typedef struct anyc_semaphore_options {
    size_t max_value;  /* refuse releases beyond so many free slots; 0: none */
    bool fast_acquire; /* do not let others run when a slot is free */
} anyc_semaphore_options;

/** What can be known of a semaphore. */
typedef struct anyc_semaphore_stats {
    size_t tasks_waiting;
} anyc_semaphore_stats;

/**
 * Initialise a semaphore with options.
 *
 * @param semaphore      storage for it, not in use
 * @param initial_value  free slots at first
 * @param options        NULL or zero fields: defaults
 *
 * Returns: 0, or ANYC_EINVAL if the maximum is below the initial value.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Semaphore(initial_value, max_value, fast_acquire).
 */
ANYC_API int anyc_semaphore_init(anyc_semaphore *semaphore, size_t initial_value,
                                 const anyc_semaphore_options *options);

/**
 * Take a slot, waiting until it is this task's turn. Lets others run once after taking a free
 * slot, unless the semaphore was made with fast_acquire.
 *
 * @param semaphore  the semaphore
 *
 * Returns: 0, or
 *   ANYC_ECANCELLED the enclosing scope was cancelled; nothing was taken
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    the slot is out of the count until anyc_semaphore_release.
 * Cancel:  checkpoint. Once a slot was handed over, the result is 0.
 * Threads: tasks of one loop.
 * AnyIO:   Semaphore.acquire, Semaphore.__aenter__.
 */
ANYC_MUST_USE ANYC_API int anyc_semaphore_acquire(anyc_semaphore *semaphore);

/**
 * Take a slot if one is free.
 *
 * @param semaphore  the semaphore
 *
 * Returns: 0, or ANYC_EWOULDBLOCK if none is free.
 * Owns:    as anyc_semaphore_acquire.
 * Cancel:  never suspends, and does not look for a cancellation.
 * Threads: the semaphore's loop only (any task, or a callback of the loop).
 * AnyIO:   Semaphore.acquire_nowait.
 */
ANYC_MUST_USE ANYC_API int anyc_semaphore_acquire_nowait(anyc_semaphore *semaphore);

/**
 * Give a slot to the first waiter, or make it free.
 *
 * @param semaphore  the semaphore
 *
 * Returns: 0, or ANYC_EINVAL if as many slots as the maximum allows are free already.
 * Owns:    nothing; allocates nothing.
 * Cancel:  never suspends; the waiter runs later.
 * Threads: the semaphore's loop only (any task, or a callback of the loop).
 * AnyIO:   Semaphore.release, Semaphore.__aexit__.
 */
ANYC_API int anyc_semaphore_release(anyc_semaphore *semaphore);

/**
 * The number of free slots.
 *
 * @param semaphore  the semaphore
 *
 * Returns: that number.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the semaphore's loop only.
 * AnyIO:   Semaphore.value.
 */
ANYC_API size_t anyc_semaphore_value(const anyc_semaphore *semaphore);

/**
 * The maximum of free slots.
 *
 * @param semaphore  the semaphore
 *
 * Returns: the maximum, or 0 if there is none.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the semaphore's loop only.
 * AnyIO:   Semaphore.max_value (None for none).
 */
ANYC_API size_t anyc_semaphore_max_value(const anyc_semaphore *semaphore);

/**
 * How many tasks wait. Takes time in proportion to them.
 *
 * @param semaphore  the semaphore
 * @param out_stats  filled in
 *
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the semaphore's loop only.
 * AnyIO:   Semaphore.statistics.
 */
ANYC_API void anyc_semaphore_statistics(const anyc_semaphore *semaphore,
                                        anyc_semaphore_stats *out_stats);

#ifdef __cplusplus
}
#endif

#endif
