/* SPDX-License-Identifier: MIT */
/*
 * cancel_scope.c - cancel scopes and timeouts. AnyIO: anyio.CancelScope.
 *
 * The tree and its invariant stand in scope.h. A cancellation is pushed inward once, by a work
 * list that is linked through the scopes themselves, so it neither recurses nor allocates.
 */
#include <anyc/cancel.h>

#include <math.h>
#include <string.h>

#include "core/clear.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/scope.h"
#include "core/tools.h"

/* A mark that other memory hardly holds: left-over stack contents differ in address or state. */
static uint32_t scope_mark(const anyc_cancel_scope *scope)
{
    return SCOPE_MAGIC ^ (uint32_t)((uintptr_t)scope >> 3);
}

bool anyc__scope_entered(const anyc_cancel_scope *scope)
{
    return scope->magic == scope_mark(scope) && scope->task != NULL;
}

/* What reaches in from outside; nothing gets through a shield but the end of a deadlocked run. */
static int64_t scope_outer_limit(const anyc_cancel_scope *scope)
{
    bool closed_off = scope->shield && !scope->task->loop->ending;

    return scope->outer == NULL || closed_off ? ANYC__NO_DEADLINE : scope->outer->limit_ns;
}

static int64_t scope_limit(const anyc_cancel_scope *scope)
{
    int64_t own = scope->cancel_called ? SCOPE_CANCELLED : scope->deadline_ns;
    int64_t outer = scope_outer_limit(scope);

    return outer < own ? outer : own;
}

void anyc__scope_init(anyc_cancel_scope *scope, anyc_task *task, anyc_cancel_scope *outer,
                      int64_t deadline_ns)
{
    anyc__clear(scope, offsetof(anyc_cancel_scope, canceller) + 1);
    scope->outer = outer;
    scope->task = task;
    scope->deadline_ns = deadline_ns;
    scope->magic = scope_mark(scope);
}

void anyc__scope_push(anyc_cancel_scope *scope)
{
    anyc_task *task = scope->task;

    scope->limit_ns = scope_limit(scope);
    if (task->outermost == NULL)
        task->outermost = scope;
    else
        scope->outer->inner = scope;
    task->scope = scope;
    if (scope->deadline_ns != ANYC__NO_DEADLINE)
        anyc__deadline_begin(task, scope->deadline_ns);
}

/* The deadline of a scope that is left or cancelled. */
static void scope_deadline_end(const anyc_cancel_scope *scope)
{
    if (scope->deadline_ns != ANYC__NO_DEADLINE)
        anyc__deadline_end(scope->task->loop);
}

void anyc__scope_splice(anyc_cancel_scope *scope)
{
    anyc_task *task = scope->task;

    ANYC_ASSERT(task != NULL);
    if (!scope->cancel_called)
        scope_deadline_end(scope);
    if (scope->inner != NULL)
        scope->inner->outer = scope->outer;
    else
        task->scope = scope->outer;
    if (task->outermost == scope)
        task->outermost = scope->inner;
    else
        scope->outer->inner = scope->inner;
    if (scope->inner != NULL)
        anyc__scope_update(scope->inner);
    scope->task = NULL;
}

void anyc__scope_pop(anyc_cancel_scope *scope)
{
    anyc_task *task = scope->task;

    ANYC_ASSERT(task != NULL);
    if (!scope->cancel_called)
        scope_deadline_end(scope);
    if (task->outermost == scope)
        task->outermost = NULL;
    else
        scope->outer->inner = NULL;
    task->scope = scope->outer;
    scope->task = NULL;
}

static void work_push(anyc_cancel_scope **work, anyc_cancel_scope *scope)
{
    scope->pending = *work;
    *work = scope;
}

/* The task hangs on the scope that changed, and has none of its own there. */
static void reach_task(anyc_task *task, int64_t limit_ns)
{
    if (limit_ns == SCOPE_CANCELLED)
        anyc__task_interrupt(task);
}

static void reach_children(const anyc_cancel_scope *scope, anyc_cancel_scope **work)
{
    const anyc_list *children = &scope->group->children;
    anyc_list *node;

    for (node = anyc__list_first(children); node != NULL; node = anyc__list_after(children, node)) {
        anyc_task *child = ANYC__CONTAINER(node, anyc_task, link);

        if (child->outermost != NULL)
            work_push(work, child->outermost);
        else
            reach_task(child, scope->limit_ns);
    }
}

void anyc__scope_update(anyc_cancel_scope *changed)
{
    anyc_cancel_scope *work = NULL;

    work_push(&work, changed);
    while (work != NULL) {
        anyc_cancel_scope *scope = work;
        int64_t limit_ns = scope_limit(scope);

        work = scope->pending;
        if (limit_ns == scope->limit_ns && !scope->task->loop->ending)
            continue;
        /* for anyc__scope_reached in other threads */
        __atomic_store_n(&scope->limit_ns, limit_ns, __ATOMIC_RELAXED);
        if (scope->inner != NULL)
            work_push(&work, scope->inner);
        else
            reach_task(scope->task, limit_ns);
        if (scope->group != NULL)
            reach_children(scope, &work);
    }
}

void anyc__scope_cancel(anyc_cancel_scope *scope, const char *reason, bool by_deadline)
{
    const anyc_task *canceller = anyc__task();

    if (scope->cancel_called)
        return;
    scope->cancel_called = true;
    scope->by_deadline = by_deadline;
    if (!by_deadline)
        scope->reason = reason; /* the one it holds is for the deadline */
    if (canceller != NULL && !by_deadline) {
        strncpy(scope->canceller, anyc__task_name(canceller), sizeof scope->canceller - 1);
        scope->canceller[sizeof scope->canceller - 1] = '\0';
    }
    scope_deadline_end(scope);
    anyc__scope_update(scope);
}

bool anyc__scope_cancelled_from_outside(const anyc_cancel_scope *scope)
{
    return scope_outer_limit(scope) == SCOPE_CANCELLED;
}

static int timed_out(const anyc_cancel_scope *scope)
{
    if (scope->reason == NULL)
        return anyc__fail_plain(ANYC_ETIMEDOUT);
    return anyc__fail(ANYC_ETIMEDOUT, ETIMEDOUT, "%s", scope->reason);
}

int anyc__scope_result(anyc_cancel_scope *scope, int rc)
{
    if (rc != ANYC_ECANCELLED || !scope->cancel_called || anyc__scope_cancelled_from_outside(scope))
        return rc;
    scope->caught = true;
    return scope->fail && scope->by_deadline ? timed_out(scope) : 0;
}

struct open_search {
    const anyc_cancel_scope *scope;
    bool found;
};

static bool open_search_task(anyc_task *task, void *arg)
{
    struct open_search *search = arg;
    const anyc_cancel_scope *scope;

    if (task != search->scope->task)
        return true;
    for (scope = task->scope; scope != NULL && !search->found; scope = scope->outer)
        search->found = scope == search->scope;
    return false;
}

/* The memory looks like an entered scope; is it one, and not what an ended task left behind? */
static bool scope_is_open(anyc_loop *loop, const anyc_cancel_scope *scope)
{
    struct open_search search = {scope, false};

    anyc__task_each(loop, open_search_task, &search);
    return search.found;
}

void anyc__check_outlives(const anyc_task *task, const void *object)
{
    const char *address = object;

    if (task->stack_low != NULL && address >= task->stack_low &&
        address < anyc__stack_top(task->pool, task->stack_low))
        anyc__abort("the task returned without leaving a cancel scope or task group that lies on "
                    "its stack; call anyc_cancel_scope_exit or anyc_task_group_exit on every way "
                    "out");
}

void anyc__scopes_abandon(anyc_task *task)
{
    const anyc_cancel_scope *own = anyc__task_own_scope(task);
    const anyc_cancel_scope *left_open;

    for (left_open = task->scope; left_open != own; left_open = left_open->outer)
        anyc__check_outlives(task, left_open);
    while (task->scope != own) {
        anyc_cancel_scope *scope = task->scope;

        if (scope->group != NULL)
            anyc__group_abandon(scope->group);
        anyc__log(ANYC_ESTATE, "task \"%s\" returned without leaving a %s", anyc__task_name(task),
                  scope->group != NULL ? "task group" : "cancel scope");
        anyc__scope_pop(scope);
    }
}

int anyc__scope_enter(anyc_cancel_scope *scope, int64_t deadline_ns,
                      const anyc_cancel_scope_options *options)
{
    anyc_task *task = anyc__task();

    if (task == NULL) {
        scope->magic = 0;
        return anyc__fail_plain(ANYC_ENOLOOP);
    }
    anyc__tools_may_be_unset(scope, sizeof *scope);
    if (anyc__scope_entered(scope) && scope_is_open(task->loop, scope))
        return anyc__fail(ANYC_ESTATE, 0, "the cancel scope is entered already");
    anyc__scope_init(scope, task, task->scope, deadline_ns);
    scope->shield = options->shield;
    scope->fail = options->fail;
    scope->reason = options->reason;
    anyc__scope_push(scope);
    if (deadline_ns <= task->loop->now_ns)
        anyc__scope_cancel(scope, NULL, true);
    return 0;
}

/* -- public -- */

int anyc_cancel_scope_enter(anyc_cancel_scope *scope, const anyc_cancel_scope_options *options)
{
    static const anyc_cancel_scope_options defaults;
    int64_t deadline_ns = ANYC__NO_DEADLINE;

    if (options == NULL)
        options = &defaults;
    if (anyc__task() != NULL && isnan(options->deadline))
        return anyc__fail_plain(ANYC_EINVAL);
    if (anyc__task() != NULL && options->deadline != 0.0) {
        deadline_ns = anyc__ns_from_seconds(options->deadline);
        (void)anyc__now(anyc__loop);
    }
    return anyc__scope_enter(scope, deadline_ns, options);
}

int anyc_cancel_scope_exit(anyc_cancel_scope *scope, int rc)
{
    anyc_task *task = anyc__task();

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    if (task->scope != scope || scope->task != task || scope->group != NULL)
        return anyc__fail(ANYC_ESTATE, 0,
                          "the cancel scope is not the innermost one that task \"%s\" has entered",
                          anyc__task_name(task));
    rc = anyc__scope_result(scope, rc);
    anyc__scope_pop(scope);
    return rc;
}

void anyc_cancel_scope_cancel(anyc_cancel_scope *scope, const char *reason)
{
    if (anyc__scope_entered(scope))
        anyc__scope_cancel(scope, reason, false);
}

bool anyc_cancel_scope_cancel_called(const anyc_cancel_scope *scope)
{
    return scope->cancel_called;
}

bool anyc_cancel_scope_cancelled_caught(const anyc_cancel_scope *scope)
{
    return scope->caught;
}

double anyc_cancel_scope_deadline(const anyc_cancel_scope *scope)
{
    return anyc__seconds_from_ns(scope->deadline_ns);
}

static int scope_check(const anyc_cancel_scope *scope)
{
    if (anyc__loop == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    if (!anyc__scope_entered(scope))
        return anyc__fail(ANYC_ESTATE, 0, "the cancel scope is not entered");
    return 0;
}

int anyc_cancel_scope_set_deadline(anyc_cancel_scope *scope, double deadline)
{
    int rc = scope_check(scope);

    if (rc < 0)
        return rc;
    if (isnan(deadline))
        return anyc__fail_plain(ANYC_EINVAL);
    if (!scope->cancel_called)
        scope_deadline_end(scope);
    scope->deadline_ns = anyc__ns_from_seconds(deadline);
    if (scope->cancel_called)
        return 0;
    if (scope->deadline_ns != ANYC__NO_DEADLINE)
        anyc__deadline_begin(scope->task, scope->deadline_ns);
    if (scope->deadline_ns <= anyc__now(scope->task->loop))
        anyc__scope_cancel(scope, NULL, true);
    else
        anyc__scope_update(scope);
    return 0;
}

bool anyc_cancel_scope_shield(const anyc_cancel_scope *scope)
{
    return scope->shield;
}

int anyc_cancel_scope_set_shield(anyc_cancel_scope *scope, bool shield)
{
    int rc = scope_check(scope);

    if (rc < 0)
        return rc;
    scope->shield = shield;
    anyc__scope_update(scope);
    return 0;
}
