/* SPDX-License-Identifier: MIT */
/*
 * task_group.c - task groups. AnyIO: anyio.abc.TaskGroup.
 *
 * The group's scope is one of its host's; the children hang on it. Invariant: child_count is the
 * length of `children`; a group with children is on its host's chain of scopes, so neither can go
 * away before the other.
 */
#include <anyc/task.h>

#include "core/alloc.h"
#include "core/clear.h"
#include "core/error.h"
#include "core/group.h"
#include "core/instruments.h"
#include "core/loop.h"
#include "core/scope.h"
#include "core/suspend.h"

#define GROUP_ENTERED 0x67726f75u
#define GROUP_LEFT 0x6c656674u

static const struct wait_type exit_wait = {"task group to end", NULL, NULL};

static bool group_active(const anyc_task_group *group)
{
    return group->magic == GROUP_ENTERED && anyc__scope_entered(&group->scope);
}

int anyc__group_check(const anyc_task_group *group)
{
    if (anyc__loop == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    if (!group_active(group))
        return anyc__fail(ANYC_ESTATE, 0, "the task group is not active");
    return 0;
}

void anyc__group_open(anyc_task_group *group, anyc_task *host, anyc_cancel_scope *outer)
{
    anyc__clear(&group->host, sizeof *group - offsetof(anyc_task_group, host));
    anyc__scope_init(&group->scope, host, outer, ANYC__NO_DEADLINE);
    group->scope.group = group;
    group->host = host;
    group->stacks = host->pool;
    group->magic = GROUP_ENTERED;
    anyc__scope_push(&group->scope);
}

int anyc__group_spawn(anyc_task_group *group, anyc_task *task, anyc_task_handle *handle,
                      struct task_start *start)
{
    anyc_cancel_scope *own = handle != NULL ? &handle->scope : start != NULL ? &start->scope : NULL;

    task->group = group;
    task->pool = group->stacks;
    task->handle = handle;
    task->start = start;
    task->scope = &group->scope;
    if (own != NULL) {
        anyc__scope_init(own, task, &group->scope, ANYC__NO_DEADLINE);
        anyc__scope_push(own);
    }
    anyc__list_push(&group->children, &task->link);
    group->child_count++;
    if (task->loop->instruments != NULL)
        anyc__instruments_spawned(task);
    anyc__task_ready(task);
    return 0;
}

void anyc__group_child_ended(anyc_task *task, int rc)
{
    anyc_task_group *group = task->group;
    struct task_wait *host_wait = group->exit_wait;

    if (task->start != NULL)
        rc = anyc__start_child_ended(task, rc);
    if (task->handle != NULL)
        rc = anyc__handle_child_ended(task, rc);
    anyc__list_remove(&task->link);
    group->child_count--;
    if (rc == ANYC_ECANCELLED) {
        if (anyc__scope_cancelled_from_outside(&group->scope))
            group->cut_short = true;
    } else if (rc < 0) {
        anyc__group_fail(group, task, rc);
    }
    if (group->child_count == 0 && host_wait != NULL && group->host->wait == host_wait)
        anyc__wake(host_wait, 0);
}

void anyc__group_abandon(anyc_task_group *group)
{
    const anyc_list *node;

    if (group->child_count > 0)
        anyc__abort("the task returned without leaving a task group that has %zu tasks; "
                    "call anyc_task_group_exit on every way out",
                    group->child_count);
    for (node = anyc__list_first(&group->handles); node != NULL;
         node = anyc__list_after(&group->handles, node))
        anyc__check_outlives(group->host, node);
    anyc__group_failures_free(group->failures);
    group->failures = NULL;
    anyc__handles_release(group);
    group->magic = GROUP_LEFT;
}

/* -- public -- */

WITH_ALL_IT_CALLS int anyc_task_group_enter(anyc_task_group *group)
{
    anyc_task *task = anyc__task();

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    if (group->magic == GROUP_LEFT || group_active(group))
        return anyc__fail(ANYC_ESTATE, 0,
                          "the task group was entered before: use a fresh one, initialised with "
                          "ANYC_TASK_GROUP_INIT");
    anyc__group_open(group, task, task->scope);
    return 0;
}

static int exit_check(const anyc_task_group *group)
{
    const anyc_task *task = anyc__task();
    int rc;

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    rc = anyc__group_check(group);
    if (rc < 0)
        return rc;
    if (group->host != task || task->scope != &group->scope)
        return anyc__fail(ANYC_ESTATE, 0,
                          "the task group is not the innermost scope that task \"%s\" has entered",
                          anyc__task_name(task));
    return 0;
}

/* Wait for the children; without any, let others run once. */
static void exit_join(anyc_task_group *group)
{
    struct task_wait wait = {.rc = 0};

    if (group->child_count == 0)
        anyc__yield(group->host);
    while (group->child_count > 0) {
        group->exit_wait = &wait;
        (void)anyc__wait_shielded_inlined(&wait, &exit_wait, group);
        group->exit_wait = NULL;
        if (anyc__scope_cancelled_from_outside(&group->scope))
            group->cut_short = true;
    }
}

void anyc__group_drain(anyc_task_group *group)
{
    if (group->child_count == 0)
        return;
    anyc__scope_cancel(&group->scope, "the host has ended", false);
    exit_join(group);
}

/* What the list of failures, the body's result and the cancellations amount to. */
static int exit_result(anyc_task_group *group, int rc, bool cancelled_before)
{
    anyc_task *host = group->host;
    const anyc_task_error *errors;

    if (group->first_failure < 0) {
        anyc__group_failures_free(host->group_failures);
        host->group_failures = group->failures;
        errors = anyc_task_group_errors(group, NULL);
        if (errors == NULL || errors[0].code != group->first_failure)
            return anyc__fail_plain(group->first_failure); /* there was no memory for its entry */
        return anyc__fail(group->first_failure, anyc__errno_of(group->first_failure), "%s",
                          errors[0].message);
    }
    if (rc == ANYC_ECANCELLED && !cancelled_before)
        return rc; /* the body's, not this group's */
    if (group->cut_short && rc >= 0)
        rc = ANYC_ECANCELLED;
    return anyc__scope_result(&group->scope, rc);
}

WITH_ALL_IT_CALLS int anyc_task_group_exit(anyc_task_group *group, int rc)
{
    int check = exit_check(group);
    bool cancelled_before;

    if (check < 0)
        return check;
    cancelled_before = group->scope.cancel_called;
    if (rc < 0 && rc != ANYC_ECANCELLED)
        anyc__group_fail(group, group->host, rc);
    else if (rc < 0)
        anyc__scope_cancel(&group->scope, NULL, false);
    exit_join(group);
    rc = exit_result(group, rc, cancelled_before);
    anyc__scope_pop(&group->scope);
    anyc__handles_release(group);
    group->magic = GROUP_LEFT;
    return rc;
}

anyc_cancel_scope *anyc_task_group_cancel_scope(anyc_task_group *group)
{
    return &group->scope;
}

void anyc_task_group_cancel(anyc_task_group *group, const char *reason)
{
    anyc_cancel_scope_cancel(&group->scope, reason);
}

int anyc_task_group_set_stack_size(anyc_task_group *group, size_t stack_size)
{
    struct stack_pool *pool;
    int rc = anyc__group_check(group);

    if (rc == 0)
        rc = anyc__stack_check_size(stack_size);
    if (rc < 0)
        return rc;
    pool = anyc__stack_pool_find(&group->host->loop->pools, stack_size);
    if (pool == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    group->stacks = pool;
    return 0;
}

/* The common way of all spawning calls that have no starter. */
static int spawn(const char *origin, anyc_task_group *group, anyc_task_fn fn, void *arg,
                 const void *copy, size_t copy_size, const char *name, anyc_task_handle *handle)
{
    anyc_task *task;
    int rc;

    if (fn == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a task needs a function");
    rc = anyc__group_check(group);
    if (rc < 0)
        return rc;
    task = anyc__task_create(group->host->loop, origin, name, copy, copy_size);
    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    task->fn.plain = fn;
    if (copy == NULL)
        task->arg = arg;
    return anyc__group_spawn(group, task, handle, NULL);
}

int anyc__group_start_certain(const char *origin, anyc_task_group *group, anyc_task_fn fn,
                              const void *arg, size_t arg_size, const char *name)
{
    anyc_task *task;
    int rc = anyc__group_check(group);

    if (rc < 0)
        return rc;
    task = anyc__task_create(group->host->loop, origin, name, arg_size > 0 ? arg : NULL, arg_size);
    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    task->fn.plain = fn;
    if (arg_size == 0)
        task->arg = (void *)arg;
    task->pool = group->stacks;
    if (!anyc__task_prepare(task)) {
        anyc__task_destroy(task);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    task->state = TASK_READY; /* with a stack it is not new any more */
    return anyc__group_spawn(group, task, NULL, NULL);
}

WITH_ALL_IT_CALLS int anyc_task_group_start_soon_from(const char *origin, anyc_task_group *group,
                                                      anyc_task_fn fn, void *arg, const char *name)
{
    return spawn(origin, group, fn, arg, NULL, 0, name, NULL);
}

int(anyc_task_group_start_soon)(anyc_task_group *group, anyc_task_fn fn, void *arg,
                                const char *name)
{
    return spawn(NULL, group, fn, arg, NULL, 0, name, NULL);
}

int anyc_task_group_start_soon_copy_from(const char *origin, anyc_task_group *group,
                                         anyc_task_fn fn, const void *arg, size_t arg_size,
                                         const char *name)
{
    return spawn(origin, group, fn, NULL, arg, arg_size, name, NULL);
}

int(anyc_task_group_start_soon_copy)(anyc_task_group *group, anyc_task_fn fn, const void *arg,
                                     size_t arg_size, const char *name)
{
    return spawn(NULL, group, fn, NULL, arg, arg_size, name, NULL);
}
