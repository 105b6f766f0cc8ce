/* SPDX-License-Identifier: MIT */
/*
 * condition.c - wait for news under a lock. AnyIO: anyio.Condition.
 *
 * A notification moves the waiter's node from the condition's queue into that of the lock, which
 * is held by the notifier. So the waiter runs once, as the lock's owner, and a cancellation after
 * the notification changes nothing. One that comes first takes the node out of the queue; that
 * task then takes the lock back by itself.
 */
#include <anyc/condition.h>

#include "core/error.h"
#include "sync/lock.h"
#include "sync/waiters.h"

static const struct wait_type condition_wait = {.what = "condition"};

static anyc_lock *condition_lock(anyc_condition *condition)
{
    return condition->shared != NULL ? condition->shared : &condition->own;
}

/* Answers 0 if the running task holds the lock. */
static int condition_check_held(anyc_condition *condition, const anyc_task *task,
                                const char *action)
{
    const anyc_lock *lock = condition_lock(condition);

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    if (!anyc__lock_held_by(lock, task))
        return anyc__lock_fail_not_held(lock, task, action);
    return 0;
}

static int condition_wait_held(anyc_condition *condition, anyc_task *task)
{
    anyc_lock *lock = condition_lock(condition);
    int rc;

    anyc__lock_pass_on(lock);
    rc = anyc__waiters_join(&condition->waiters, &condition_wait, condition);
    if (rc < 0) /* not notified, so not in the lock's queue yet */
        (void)anyc__lock_acquire_shielded(lock, task); /* fails only as rc did */
    return rc;
}

void anyc_condition_init(anyc_condition *condition, anyc_lock *lock)
{
    *condition = (anyc_condition){.shared = lock};
}

int anyc_condition_acquire(anyc_condition *condition)
{
    return anyc_lock_acquire(condition_lock(condition));
}

int anyc_condition_acquire_nowait(anyc_condition *condition)
{
    return anyc_lock_acquire_nowait(condition_lock(condition));
}

int anyc_condition_release(anyc_condition *condition)
{
    return anyc_lock_release(condition_lock(condition));
}

bool anyc_condition_locked(const anyc_condition *condition)
{
    return anyc_lock_locked(condition->shared != NULL ? condition->shared : &condition->own);
}

int anyc_condition_notify(anyc_condition *condition, size_t count)
{
    anyc_lock *lock = condition_lock(condition);
    int rc = condition_check_held(condition, anyc__task(), "notify under");

    while (rc == 0 && count > 0 && !anyc__list_empty(&condition->waiters)) {
        anyc__lock_queue(lock, anyc__waiters_first(&condition->waiters));
        count--;
    }
    return rc;
}

int anyc_condition_notify_all(anyc_condition *condition)
{
    return anyc_condition_notify(condition, SIZE_MAX);
}

int anyc_condition_wait(anyc_condition *condition)
{
    anyc_task *task;
    int rc;

    rc = anyc__enter(&task);
    if (rc == 0)
        rc = condition_check_held(condition, task, "wait under");
    if (rc == 0)
        rc = condition_wait_held(condition, task);
    return rc;
}

int anyc_condition_wait_for(anyc_condition *condition, anyc_condition_predicate_fn predicate,
                            void *arg)
{
    anyc_task *task;
    int rc;

    rc = anyc__enter(&task);
    if (rc == 0)
        rc = condition_check_held(condition, task, "wait under");
    if (rc == 0 && predicate == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a condition to wait for needs a predicate");
    while (rc == 0) {
        rc = predicate(arg);
        if (rc != 0)
            break;
        rc = condition_wait_held(condition, task);
    }
    return rc;
}

void anyc_condition_statistics(const anyc_condition *condition, anyc_condition_stats *out_stats)
{
    out_stats->tasks_waiting = anyc__waiters_count(&condition->waiters);
    anyc_lock_statistics(condition->shared != NULL ? condition->shared : &condition->own,
                         &out_stats->lock_statistics);
}
