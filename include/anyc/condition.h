/* SPDX-License-Identifier: MIT */
/*
 * condition.h - wait, under a lock, until another task says that something changed.
 *
 *     anyc_condition changed = ANYC_CONDITION_INIT;
 *
 *     rc = anyc_condition_acquire(&changed);
 *     while (rc == 0 && queue_is_empty())
 *         rc = anyc_condition_wait(&changed);   // gives the lock back meanwhile
 *     ...
 *     anyc_condition_release(&changed);
 *
 * A condition has a lock of its own, or shares one that it is given. A task that was notified
 * queues for the lock at once and runs only after it got it. A condition is all zero at first,
 * needs no end, and may be made before a loop runs.
 */
#ifndef ANYC_CONDITION_H
#define ANYC_CONDITION_H

#include <anyc/base.h>
#include <anyc/lock.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A condition. All fields are private; initialise with ANYC_CONDITION_INIT. */
typedef struct anyc_condition {
    anyc_list waiters; /* not notified yet */
    anyc_lock *shared; /* NULL: own */
    anyc_lock own;
} anyc_condition;

#define ANYC_CONDITION_INIT ANYC_ZERO_INIT(shared)

/** The initial value of a condition that uses the caller's lock, given by its address. */
#define ANYC_CONDITION_INIT_LOCK(lock)             \
    {                                              \
        {NULL, NULL}, (lock),                      \
        {                                          \
            {NULL, NULL}, NULL, (uint64_t)0, false \
        }                                          \
    }

/** What can be known of a condition. */
typedef struct anyc_condition_stats {
    size_t tasks_waiting; /* not notified yet */
    anyc_lock_stats lock_statistics;
} anyc_condition_stats;

/** Asked under the lock: 0 is "not yet", any other result ends anyc_condition_wait_for. */
typedef int (*anyc_condition_predicate_fn)(void *arg);

/**
 * Initialise a condition with a lock; ANYC_CONDITION_INIT and ANYC_CONDITION_INIT_LOCK do the same.
 *
 * @param condition  storage for it, not in use
 * @param lock       shared with others and borrowed for the condition's life; NULL: one of its own
 *
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Condition(lock).
 */
ANYC_API void anyc_condition_init(anyc_condition *condition, anyc_lock *lock);

/**
 * Take the condition's lock.
 *
 * @param condition  the condition; borrowed until the release
 *
 * Returns: as anyc_lock_acquire.
 * Owns:    the task holds the lock until it calls anyc_condition_release.
 * Cancel:  checkpoint. Once the lock was handed over, the result is 0.
 * Threads: tasks of one loop.
 * AnyIO:   Condition.acquire, Condition.__aenter__.
 */
ANYC_MUST_USE ANYC_API int anyc_condition_acquire(anyc_condition *condition);

/**
 * Take the condition's lock if it is free.
 *
 * @param condition  the condition
 *
 * Returns: as anyc_lock_acquire_nowait.
 * Owns:    as anyc_condition_acquire.
 * Cancel:  never suspends, and does not look for a cancellation.
 * Threads: tasks of one loop.
 * AnyIO:   Condition.acquire_nowait.
 */
ANYC_MUST_USE ANYC_API int anyc_condition_acquire_nowait(anyc_condition *condition);

/**
 * Release the condition's lock.
 *
 * @param condition  held by this task
 *
 * Returns: as anyc_lock_release.
 * Owns:    nothing; allocates nothing.
 * Cancel:  never suspends.
 * Threads: tasks of one loop.
 * AnyIO:   Condition.release, Condition.__aexit__.
 */
ANYC_API int anyc_condition_release(anyc_condition *condition);

/**
 * Does any task hold the condition's lock?
 *
 * @param condition  the condition
 *
 * Returns: true if one does.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the condition's loop only.
 * AnyIO:   Condition.locked.
 */
ANYC_API bool anyc_condition_locked(const anyc_condition *condition);

/**
 * Notify the tasks that have waited longest. They go on after this task released the lock.
 *
 * @param condition  held by this task
 * @param count      how many to notify; those there are, if there are fewer
 *
 * Returns: 0, or
 *   ANYC_ESTATE  this task does not hold the condition's lock
 *   ANYC_ENOLOOP not called from a task
 * Owns:    nothing; allocates nothing.
 * Cancel:  never suspends.
 * Threads: tasks of one loop.
 * AnyIO:   Condition.notify(n).
 */
ANYC_API int anyc_condition_notify(anyc_condition *condition, size_t count);

/**
 * Notify all tasks that wait.
 *
 * @param condition  held by this task
 *
 * Returns: as anyc_condition_notify.
 * Owns:    nothing; allocates nothing.
 * Cancel:  never suspends.
 * Threads: tasks of one loop.
 * AnyIO:   Condition.notify_all.
 */
ANYC_API int anyc_condition_notify_all(anyc_condition *condition);

/**
 * Release the lock, wait to be notified, and take the lock back.
 *
 * @param condition  held by this task
 *
 * Returns: 0, or
 *   ANYC_ECANCELLED the enclosing scope was cancelled; the lock is held again all the same
 *   ANYC_ESTATE     this task does not hold the condition's lock
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    the lock is this task's again on every return but ANYC_ESTATE and ANYC_ENOLOOP.
 * Cancel:  checkpoint; taking the lock back is shielded. Once notified, the result is 0.
 * Threads: tasks of one loop.
 * AnyIO:   Condition.wait.
 */
ANYC_API int anyc_condition_wait(anyc_condition *condition);

/**
 * Wait as often as it takes until a predicate, asked under the lock, answers other than 0.
 *
 * @param condition  held by this task
 * @param predicate  asked at once and after each notification; must not wait
 * @param arg        handed to it
 *
 * Returns: the predicate's result if it is not 0 (also a negative one), else as
 *          anyc_condition_wait; ANYC_EINVAL without a predicate.
 * Owns:    as anyc_condition_wait.
 * Cancel:  checkpoint, also if the predicate holds at once.
 * Threads: tasks of one loop.
 * AnyIO:   Condition.wait_for.
 */
ANYC_API int anyc_condition_wait_for(anyc_condition *condition,
                                     anyc_condition_predicate_fn predicate, void *arg);

/**
 * How many tasks wait to be notified, and the lock's statistics.
 *
 * @param condition  the condition
 * @param out_stats  filled in
 *
 * Owns:    the owner's name is borrowed, valid until the next checkpoint.
 * Cancel:  never suspends.
 * Threads: the condition's loop only.
 * AnyIO:   Condition.statistics.
 */
ANYC_API void anyc_condition_statistics(const anyc_condition *condition,
                                        anyc_condition_stats *out_stats);

#ifdef __cplusplus
}
#endif

#endif
