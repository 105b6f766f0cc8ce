/* SPDX-License-Identifier: MIT */
/*
 * task_start.c - start a task and wait until it is ready. AnyIO: TaskGroup.start.
 *
 * Until the new task signals, a scope of the starter's lies around it, so that a cancelled starter
 * can cancel it alone. At the signal that scope is taken out of the task's chain. The status that
 * the task is given is the task itself in disguise: it lives as long as the task does.
 */
#include <anyc/task.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/scope.h"

/* The starter was cancelled. Until it runs and cancels the new task, that one may signal or end. */
static void start_abandoned(struct task_wait *wait)
{
    ANYC__CONTAINER(wait, struct task_start, wait)->abandoned = true;
}

static const struct wait_type start_wait = {"task to start", start_abandoned, NULL};

int anyc_task_status_started(anyc_task_status *status, void *value)
{
    anyc_task *task = (anyc_task *)(void *)status;
    struct task_start *start;

    if (task == NULL)
        return 0;
    if (task->signalled)
        return anyc__fail(ANYC_ESTATE, 0, "task \"%s\" has signalled already that it has started",
                          anyc__task_name(task));
    task->signalled = true;
    start = task->start;
    if (task->handle != NULL)
        task->handle->start_value = value;
    if (start == NULL || start->abandoned)
        return 0;
    start->value = value;
    start->done = true;
    task->start = NULL;
    if (task->handle == NULL)
        anyc__scope_splice(&start->scope);
    anyc__wake(&start->wait, 0);
    return 0;
}

int anyc__start_child_ended(anyc_task *task, int rc)
{
    struct task_start *start = task->start;
    anyc_task *starter = start->wait.task;

    start->done = true;
    if (task->handle == NULL)
        anyc__scope_pop(&start->scope);
    if (start->abandoned) {
        if (starter->wait == &start->wait)
            anyc__wake(&start->wait, 0);
        return rc;
    }
    if (rc >= 0) {
        anyc__wake(&start->wait, ANYC_ENOTSTARTED);
        return 0;
    }
    /* the failure is the starter's alone, with its message */
    anyc__failure_free(starter->failure);
    starter->failure = task->failure;
    starter->last_code = task->last_code;
    task->failure = NULL;
    if (rc == ANYC_ECANCELLED && starter->scope->limit_ns != SCOPE_CANCELLED)
        rc = ANYC_ETASKCANCELLED;
    anyc__wake(&start->wait, rc);
    return 0;
}

/* The starter was cancelled: so is the new task, and its end is waited for. */
static int start_abandon(struct task_start *start, anyc_cancel_scope *scope)
{
    if (!start->done)
        anyc__scope_cancel(scope, NULL, false);
    while (!start->done) /* the end of a deadlocked run may interrupt the wait */
        (void)anyc__wait_shielded(&start->wait, &start_wait, NULL);
    return anyc__fail_plain(ANYC_ECANCELLED);
}

static int start_failed(int rc, const char *name)
{
    if (rc == ANYC_ENOTSTARTED)
        return anyc__fail(rc, 0, "task \"%s\" ended without signalling that it had started", name);
    return rc;
}

int anyc_task_group_start_from(const char *origin, anyc_task_group *group, anyc_start_fn fn,
                               void *arg, const char *name, void **out_value,
                               anyc_task_handle *out_handle)
{
    struct task_start start = {.value = NULL};
    anyc_task *starter, *task;
    int rc;

    if (fn == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a task needs a function");
    rc = anyc__enter(&starter);
    if (rc < 0)
        return rc;
    rc = anyc__group_check(group);
    if (rc < 0)
        return rc;
    task = anyc__task_create(starter->loop, origin, name, NULL, 0);
    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    task->fn.start = fn;
    task->arg = arg;
    task->has_status = true;
    if (out_handle != NULL) {
        rc = anyc__handle_init(out_handle, group, task, origin, name);
        if (rc < 0)
            return rc;
    }
    start.wait.task = starter;
    rc = anyc__group_spawn(group, task, out_handle, &start);
    if (rc < 0)
        return rc;
    rc = anyc__wait(&start.wait, &start_wait, NULL);
    if (rc == ANYC_ECANCELLED && start.abandoned)
        rc = start_abandon(&start, out_handle != NULL ? &out_handle->scope : &start.scope);
    if (rc < 0) {
        if (out_handle != NULL)
            anyc__handle_discard(out_handle);
        return start_failed(rc, name != NULL ? name : origin != NULL ? origin : "task");
    }
    if (out_value != NULL)
        *out_value = start.value;
    return 0;
}

int(anyc_task_group_start)(anyc_task_group *group, anyc_start_fn fn, void *arg, const char *name,
                           void **out_value)
{
    return anyc_task_group_start_from(NULL, group, fn, arg, name, out_value, NULL);
}

int(anyc_task_group_start_task)(anyc_task_group *group, anyc_start_fn fn, void *arg,
                                const char *name, void **out_value, anyc_task_handle *out_handle)
{
    return anyc_task_group_start_from(NULL, group, fn, arg, name, out_value, out_handle);
}
