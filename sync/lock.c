/* SPDX-License-Identifier: MIT */
/*
 * lock.c - a fair mutex for tasks of one loop. AnyIO: anyio.Lock.
 *
 * Waiters queue in FIFO order; a release makes the first one the owner before it wakes it, so no
 * late comer overtakes it. Invariants: owner_id == 0 (free) implies that the queue is empty, and
 * owner == NULL; owner_id != 0 is the id of the task that took the lock, at whose address `owner`
 * there may meanwhile be none, or another one.
 */
#include "sync/lock.h"

#include "core/error.h"
#include "sync/waiters.h"

/* The task that holds the lock, unless it has ended. */
static const anyc_task *lock_owner(const anyc_lock *lock)
{
    return anyc__task_alive(lock->owner, lock->owner_id) ? lock->owner : NULL;
}

static const anyc_task *lock_wait_owner(const struct task_wait *wait)
{
    return lock_owner(wait->on);
}

static const struct wait_type lock_wait = {.what = "lock", .owner = lock_wait_owner};

static void lock_give(anyc_lock *lock, const anyc_task *task)
{
    lock->owner = task;
    lock->owner_id = task->id;
}

static int lock_fail_held(const anyc_task *task)
{
    return anyc__fail(ANYC_ESTATE, 0, "task \"%s\" tries to acquire a lock that it holds already",
                      anyc__task_name(task));
}

int anyc__lock_fail_not_held(const anyc_lock *lock, const anyc_task *task, const char *action)
{
    const anyc_task *owner = lock_owner(lock);
    const char *name = anyc__task_name(task);

    if (owner != NULL)
        return anyc__fail(ANYC_ESTATE, 0, "task \"%s\" tries to %s a lock that task \"%s\" holds",
                          name, action, anyc__task_name(owner));
    return anyc__fail(ANYC_ESTATE, 0, "task \"%s\" tries to %s a lock that %s holds", name, action,
                      lock->owner_id == 0 ? "nobody" : "a task that has ended");
}

void anyc__lock_queue(anyc_lock *lock, struct task_wait *wait)
{
    anyc__list_remove(&wait->link);
    anyc__list_push(&lock->waiters, &wait->link);
    wait->type = &lock_wait;
    wait->on = lock;
    wait->task->wait_shielded = true;
}

int anyc__lock_acquire_shielded(anyc_lock *lock, anyc_task *task)
{
    struct task_wait wait = {0};

    if (lock->owner_id == 0) {
        lock_give(lock, task);
        return 0;
    }
    anyc__list_push(&lock->waiters, &wait.link);
    return anyc__wait_shielded(&wait, &lock_wait, lock);
}

void anyc__lock_pass_on(anyc_lock *lock)
{
    struct task_wait *next = anyc__waiters_first(&lock->waiters);

    if (next == NULL) {
        lock->owner = NULL;
        lock->owner_id = 0;
        return;
    }
    lock_give(lock, next->task);
    anyc__wake(next, 0);
}

void anyc_lock_init(anyc_lock *lock, const anyc_lock_options *options)
{
    *lock = (anyc_lock){.fast_acquire = options != NULL && options->fast_acquire};
}

/* What is not done at once; has the checkpoint been passed? */
static NEVER_INLINE int lock_acquire_slowly(anyc_lock *lock, bool entered)
{
    anyc_task *task = anyc__task();
    int rc = entered ? 0 : anyc__enter_slowly(&task);

    if (rc < 0)
        return rc;
    if (lock->owner_id == 0) {
        lock_give(lock, task);
        if (!lock->fast_acquire)
            anyc__yield_inlined(task);
        return 0;
    }
    if (anyc__lock_held_by(lock, task))
        return lock_fail_held(task);
    return anyc__waiters_join(&lock->waiters, &lock_wait, lock);
}

int anyc_lock_acquire(anyc_lock *lock)
{
    anyc_task *task = NULL;
    bool entered = anyc__enter_at_once(&task);

    if (UNLIKELY(!entered || lock->owner_id != 0 || !lock->fast_acquire))
        return lock_acquire_slowly(lock, entered);
    lock_give(lock, task);
    return 0;
}

int anyc_lock_acquire_nowait(anyc_lock *lock)
{
    anyc_task *task = anyc__task();

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    if (lock->owner_id == 0) {
        lock_give(lock, task);
        return 0;
    }
    if (anyc__lock_held_by(lock, task))
        return lock_fail_held(task);
    return anyc__fail_plain(ANYC_EWOULDBLOCK);
}

int anyc_lock_release(anyc_lock *lock)
{
    const anyc_task *task = anyc__task();

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    if (!anyc__lock_held_by(lock, task))
        return anyc__lock_fail_not_held(lock, task, "release");
    anyc__lock_pass_on(lock);
    return 0;
}

bool anyc_lock_locked(const anyc_lock *lock)
{
    return lock->owner_id != 0;
}

void anyc_lock_statistics(const anyc_lock *lock, anyc_lock_stats *out_stats)
{
    const anyc_task *owner = lock_owner(lock);

    *out_stats = (anyc_lock_stats){
        .locked = anyc_lock_locked(lock),
        .owner_id = lock->owner_id,
        .owner_name = owner != NULL ? anyc__task_name(owner) : NULL,
        .tasks_waiting = anyc__waiters_count(&lock->waiters),
    };
}
