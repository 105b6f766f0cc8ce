/* SPDX-License-Identifier: MIT */
/*
 * deadline.c - what happens when deadlines pass; see deadline.h.
 */
#include "core/deadline.h"

#include "core/scope.h"

void anyc__deadline_arm(anyc_task *task, int64_t deadline_ns)
{
    anyc_loop *loop = task->loop;

    ANYC_ASSERT(task->state != TASK_NEW);
    anyc__timer_remove(&loop->timers, &task->timer);
    task->timer.deadline_ns = deadline_ns;
    anyc__timer_add(&loop->timers, &task->timer);
    if (!loop->in_turn)
        loop->backend->task_ready(loop); /* the turn arms the native timer */
}

/* The scope of the task's own that lies around this one, or NULL. */
static anyc_cancel_scope *scope_around(const anyc_task *task, const anyc_cancel_scope *scope)
{
    return scope == task->outermost ? NULL : scope->outer;
}

static anyc_cancel_scope *scope_innermost(const anyc_task *task)
{
    return task->outermost == NULL ? NULL : task->scope;
}

/* The earliest deadline of a scope of the task that is not cancelled. */
static int64_t scopes_deadline(const anyc_task *task)
{
    int64_t earliest_ns = ANYC__NO_DEADLINE;
    const anyc_cancel_scope *scope;

    for (scope = scope_innermost(task); scope != NULL; scope = scope_around(task, scope)) {
        if (!scope->cancel_called && scope->deadline_ns < earliest_ns)
            earliest_ns = scope->deadline_ns;
    }
    return earliest_ns;
}

static void scopes_expire(const anyc_task *task, int64_t now_ns)
{
    anyc_cancel_scope *scope;

    for (scope = scope_innermost(task); scope != NULL; scope = scope_around(task, scope)) {
        if (scope->deadline_ns <= now_ns)
            anyc__scope_cancel(scope, NULL, true);
    }
}

/* The task's timer has gone off. What is due first comes first: a wait that ended in time is not
 * cut short by the scope around it. */
static void task_expire(anyc_task *task, int64_t now_ns)
{
    int64_t scopes_ns = scopes_deadline(task);
    int64_t wait_ns = task->wait != NULL ? task->wait_deadline_ns : ANYC__NO_DEADLINE;

    task->timer.deadline_ns = ANYC__NO_DEADLINE;
    if (wait_ns <= now_ns && wait_ns < scopes_ns)
        anyc__task_time_out(task);
    if (scopes_ns <= now_ns) {
        scopes_expire(task, now_ns);
        scopes_ns = scopes_deadline(task);
    }
    if (task->wait != NULL && task->wait_deadline_ns < scopes_ns)
        scopes_ns = task->wait_deadline_ns;
    if (scopes_ns != ANYC__NO_DEADLINE)
        anyc__deadline_arm(task, scopes_ns);
}

void anyc__expire(anyc_loop *loop)
{
    struct timer *timer;

    while ((timer = anyc__timer_expire(&loop->timers, loop->now_ns)) != NULL)
        task_expire(ANYC__CONTAINER(timer, anyc_task, timer), loop->now_ns);
}
