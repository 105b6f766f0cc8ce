/* SPDX-License-Identifier: MIT */
/*
 * timeout.c - scopes with a deadline, and what a task can learn of its cancellation.
 * AnyIO: move_on_after, fail_after, current_effective_deadline.
 */
#include <anyc/cancel.h>

#include <math.h>

#include "core/error.h"
#include "core/loop.h"
#include "core/scope.h"

static int enter_after(anyc_cancel_scope *scope, double delay, bool shield, bool fail)
{
    const anyc_task *task = anyc__task();

    if (isnan(delay))
        return anyc__fail_plain(ANYC_EINVAL);
    return anyc__scope_enter(scope, task != NULL ? anyc__deadline_after(task->loop, delay) : 0,
                             &(anyc_cancel_scope_options){.shield = shield, .fail = fail});
}

static int enter_at(anyc_cancel_scope *scope, double deadline, bool shield, bool fail)
{
    const anyc_task *task = anyc__task();

    if (isnan(deadline))
        return anyc__fail_plain(ANYC_EINVAL);
    if (task != NULL)
        (void)anyc__now(task->loop);
    return anyc__scope_enter(scope, anyc__ns_from_seconds(deadline),
                             &(anyc_cancel_scope_options){.shield = shield, .fail = fail});
}

int anyc_move_on_after(anyc_cancel_scope *scope, double delay, bool shield)
{
    return enter_after(scope, delay, shield, false);
}

int anyc_fail_after(anyc_cancel_scope *scope, double delay, bool shield)
{
    return enter_after(scope, delay, shield, true);
}

int anyc_move_on_at(anyc_cancel_scope *scope, double deadline, bool shield)
{
    return enter_at(scope, deadline, shield, false);
}

int anyc_fail_at(anyc_cancel_scope *scope, double deadline, bool shield)
{
    return enter_at(scope, deadline, shield, true);
}

double anyc_current_effective_deadline(void)
{
    const anyc_task *task = anyc__task();

    if (task == NULL)
        return INFINITY;
    if (task->scope->limit_ns == SCOPE_CANCELLED)
        return -INFINITY;
    return anyc__seconds_from_ns(task->scope->limit_ns);
}

bool anyc_has_pending_cancellation(void)
{
    anyc_task *task = anyc__task();

    return task != NULL && anyc__task_cancelled(task);
}

/* The scope whose cancellation reaches the task. */
static const anyc_cancel_scope *cancelled_scope(const anyc_task *task)
{
    const anyc_cancel_scope *scope = task->scope;

    while (scope != NULL && !scope->cancel_called)
        scope = scope->outer;
    return scope;
}

const char *anyc_cancel_reason(void)
{
    anyc_task *task = anyc__task();
    const anyc_cancel_scope *scope;

    if (task == NULL || !anyc__task_cancelled(task))
        return NULL;
    scope = cancelled_scope(task);
    if (scope == NULL)
        anyc__fail(ANYC_ECANCELLED, 0, "cancelled: the run is ending");
    else if (scope->by_deadline)
        anyc__fail(ANYC_ECANCELLED, 0, "cancelled by a deadline%s%s",
                   scope->reason != NULL ? ": " : "", scope->reason != NULL ? scope->reason : "");
    else
        anyc__fail(ANYC_ECANCELLED, 0, "cancelled%s%s%s%s",
                   scope->canceller[0] != '\0' ? " by task " : "", scope->canceller,
                   scope->reason != NULL ? ": " : "", scope->reason != NULL ? scope->reason : "");
    return anyc_last_error()->message;
}
