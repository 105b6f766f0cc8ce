/* SPDX-License-Identifier: MIT */
/*
 * lock.h - one task at a time.
 *
 *     anyc_lock lock = ANYC_LOCK_INIT;
 *
 *     rc = anyc_lock_acquire(&lock);
 *     if (rc < 0)
 *         return rc;
 *     rc = update(shared);            // may wait: nobody else gets in
 *     anyc_lock_release(&lock);
 *
 * A lock belongs to the task that acquired it. Waiters are served in the order in which they came:
 * a release hands the lock to the first of them at once, so nobody gets in between. A task that
 * ends while it holds a lock leaves it held for good, as in AnyIO. A lock is all zero at first,
 * needs no end, and may be made before a loop runs.
 */
#ifndef ANYC_LOCK_H
#define ANYC_LOCK_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A lock for the tasks of one loop. All fields are private; initialise with ANYC_LOCK_INIT. */
typedef struct anyc_lock {
    anyc_list waiters;
    const anyc_task *owner; /* NULL: free; see owner_id */
    uint64_t owner_id;      /* tells the owner from a later task at the same address */
    bool fast_acquire;
} anyc_lock;

#define ANYC_LOCK_INIT ANYC_ZERO_INIT(fast_acquire)

/** The initial value of a lock whose acquire does not let others run when the lock is free. */
#define ANYC_LOCK_INIT_FAST                   \
    {                                         \
        {NULL, NULL}, NULL, (uint64_t)0, true \
    }

/** What a lock may be told; all zero means the defaults. */
typedef struct anyc_lock_options {
    bool fast_acquire; /* do not let others run when the lock is free */
} anyc_lock_options;

/** What can be known of a lock. */
typedef struct anyc_lock_stats {
    bool locked;
    uint64_t owner_id;      /* of the task that holds it; 0: nobody */
    const char *owner_name; /* NULL: nobody, or a task that has ended */
    size_t tasks_waiting;
} anyc_lock_stats;

/**
 * Initialise a lock with options; ANYC_LOCK_INIT and ANYC_LOCK_INIT_FAST do the same.
 *
 * @param lock     storage for it, not in use
 * @param options  NULL or zero fields: defaults
 *
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Lock(fast_acquire).
 */
ANYC_API void anyc_lock_init(anyc_lock *lock, const anyc_lock_options *options);

/**
 * Take the lock, waiting until it is this task's turn. Lets others run once after taking a free
 * lock, unless it was made with fast_acquire.
 *
 * @param lock  the lock; borrowed until the release
 *
 * Returns: 0, or
 *   ANYC_ECANCELLED the enclosing scope was cancelled; nothing was taken
 *   ANYC_ESTATE     this task holds it already
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    the task holds the lock until it calls anyc_lock_release.
 * Cancel:  checkpoint. Once the lock was handed over, the result is 0.
 * Threads: tasks of one loop.
 * AnyIO:   Lock.acquire, Lock.__aenter__.
 */
ANYC_MUST_USE ANYC_API int anyc_lock_acquire(anyc_lock *lock);

/**
 * Take the lock if it is free.
 *
 * @param lock  the lock
 *
 * Returns: 0, or
 *   ANYC_EWOULDBLOCK another task holds it
 *   ANYC_ESTATE      this task holds it already
 *   ANYC_ENOLOOP     not called from a task
 * Owns:    as anyc_lock_acquire.
 * Cancel:  never suspends, and does not look for a cancellation.
 * Threads: tasks of one loop.
 * AnyIO:   Lock.acquire_nowait.
 */
ANYC_MUST_USE ANYC_API int anyc_lock_acquire_nowait(anyc_lock *lock);

/**
 * Give the lock to the first waiter, or make it free.
 *
 * @param lock  held by this task
 *
 * Returns: 0, or
 *   ANYC_ESTATE  this task does not hold it; the message names who does
 *   ANYC_ENOLOOP not called from a task
 * Owns:    nothing; allocates nothing.
 * Cancel:  never suspends; the next owner runs later.
 * Threads: tasks of one loop.
 * AnyIO:   Lock.release, Lock.__aexit__.
 */
ANYC_API int anyc_lock_release(anyc_lock *lock);

/**
 * Does any task hold the lock?
 *
 * @param lock  the lock
 *
 * Returns: true if one does.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the lock's loop only.
 * AnyIO:   Lock.locked.
 */
ANYC_API bool anyc_lock_locked(const anyc_lock *lock);

/**
 * Who holds the lock and how many wait. Takes time in proportion to the waiters.
 *
 * @param lock       the lock
 * @param out_stats  filled in
 *
 * Owns:    the owner's name is borrowed, valid until the next checkpoint.
 * Cancel:  never suspends.
 * Threads: the lock's loop only.
 * AnyIO:   Lock.statistics.
 */
ANYC_API void anyc_lock_statistics(const anyc_lock *lock, anyc_lock_stats *out_stats);

#ifdef __cplusplus
}
#endif

#endif
