/* SPDX-License-Identifier: MIT */
/*
 * lock.h - what a condition needs of its lock.
 */
#ifndef ANYC_SYNC_LOCK_H
#define ANYC_SYNC_LOCK_H

#include <anyc/lock.h>

#include "core/task.h"

static inline bool anyc__lock_held_by(const anyc_lock *lock, const anyc_task *task)
{
    return lock->owner_id == task->id;
}

/* Let a task that waits for something else wait for a lock that is held instead. It runs again
 * when it owns the lock; no cancellation ends this wait. */
void anyc__lock_queue(anyc_lock *lock, struct task_wait *wait);

/* Take a lock that `task`, the running one, does not hold, through any cancellation. Answers 0, or
 * ANYC_ECANCELLED when the run is torn down. */
int anyc__lock_acquire_shielded(anyc_lock *lock, anyc_task *task);

/* Release a lock that is held by the running task. */
void anyc__lock_pass_on(anyc_lock *lock);

/* Fail because `task` tries to do `action` to a lock without holding it. */
int anyc__lock_fail_not_held(const anyc_lock *lock, const anyc_task *task, const char *action);

#endif
