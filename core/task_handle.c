/* SPDX-License-Identifier: MIT */
/*
 * task_handle.c - wait for one task, cancel it, read its result. AnyIO: TaskHandle (4.14).
 *
 * A handle holds a scope around the whole task. Invariant: task != NULL iff the task has not ended.
 */
#include <anyc/task.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/group.h"
#include "core/scope.h"

static const struct wait_type handle_wait = {"task to end", NULL, NULL};

int anyc__handle_init(anyc_task_handle *handle, anyc_task_group *group, anyc_task *task,
                      const char *origin, const char *name)
{
    char *copy = name != NULL ? anyc__strdup(name) : NULL;

    if (name != NULL && copy == NULL) {
        anyc__task_destroy(task);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    *handle = (anyc_task_handle){
        .task = task,
        .origin = origin != NULL ? origin : "task",
        .name = copy,
        .id = task->id,
        .state = ANYC_TASK_PENDING,
    };
    if (copy != NULL)
        anyc__list_push(&group->handles, &handle->link);
    return 0;
}

void anyc__handle_discard(anyc_task_handle *handle)
{
    if (handle->name == NULL)
        return;
    anyc__list_remove(&handle->link);
    anyc__free(handle->name);
    handle->name = NULL;
}

void anyc__handles_release(anyc_task_group *group)
{
    anyc_list *node;

    while ((node = anyc__list_first(&group->handles)) != NULL)
        anyc__handle_discard(ANYC__CONTAINER(node, anyc_task_handle, link));
}

int anyc__handle_child_ended(anyc_task *task, int rc)
{
    anyc_task_handle *handle = task->handle;
    anyc_list *node;

    handle->result = rc;
    if (rc >= 0)
        handle->state = ANYC_TASK_FINISHED;
    else
        handle->state = rc == ANYC_ECANCELLED ? ANYC_TASK_CANCELLED : ANYC_TASK_FAILED;
    if (rc == ANYC_ECANCELLED)
        rc = anyc__scope_result(&handle->scope, rc);
    anyc__scope_pop(&handle->scope);
    handle->task = NULL;
    while ((node = anyc__list_first(&handle->waiters)) != NULL)
        anyc__wake(ANYC__CONTAINER(node, struct task_wait, link), 0);
    return rc;
}

/* -- public -- */

int anyc_task_group_create_task_from(const char *origin, anyc_task_group *group, anyc_task_fn fn,
                                     void *arg, const char *name, anyc_task_handle *out_handle)
{
    anyc_task *task;
    int rc;

    if (fn == NULL || out_handle == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a task needs a function, and a place for its handle");
    rc = anyc__group_check(group);
    if (rc < 0)
        return rc;
    task = anyc__task_create(group->host->loop, origin, name, NULL, 0);
    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    task->fn.plain = fn;
    task->arg = arg;
    rc = anyc__handle_init(out_handle, group, task, origin, name);
    if (rc < 0)
        return rc;
    return anyc__group_spawn(group, task, out_handle, NULL);
}

int(anyc_task_group_create_task)(anyc_task_group *group, anyc_task_fn fn, void *arg,
                                 const char *name, anyc_task_handle *out_handle)
{
    return anyc_task_group_create_task_from(NULL, group, fn, arg, name, out_handle);
}

int anyc_task_handle_wait(anyc_task_handle *handle, int *out_result)
{
    struct task_wait wait = {.rc = 0};
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc == 0 && handle->task != NULL) {
        anyc__list_push(&handle->waiters, &wait.link);
        rc = anyc__wait(&wait, &handle_wait, handle);
    }
    if (rc < 0)
        return rc;
    if (out_result != NULL)
        return anyc_task_handle_result(handle, out_result);
    return handle->state == ANYC_TASK_CANCELLED ? anyc__fail_plain(ANYC_ETASKCANCELLED) : 0;
}

void anyc_task_handle_cancel(anyc_task_handle *handle, const char *reason)
{
    if (handle->task == NULL)
        return;
    handle->state = ANYC_TASK_CANCELLING;
    anyc__scope_cancel(&handle->scope, reason, false);
}

int anyc_task_handle_result(const anyc_task_handle *handle, int *out_result)
{
    int error = 0;
    int rc = anyc_task_handle_error(handle, &error);

    if (rc < 0)
        return rc;
    if (error < 0)
        return anyc__fail(ANYC_ETASKFAILED, 0, "task \"%s\" failed: %s",
                          anyc_task_handle_name(handle), anyc_strerror(error));
    *out_result = handle->result;
    return 0;
}

int anyc_task_handle_error(const anyc_task_handle *handle, int *out_error)
{
    if (handle->state == ANYC_TASK_PENDING)
        return anyc__fail_plain(ANYC_EPENDING);
    if (handle->state == ANYC_TASK_CANCELLING || handle->state == ANYC_TASK_CANCELLED)
        return anyc__fail_plain(ANYC_ETASKCANCELLED);
    *out_error = handle->state == ANYC_TASK_FAILED ? handle->result : 0;
    return 0;
}

anyc_task_state anyc_task_handle_state(const anyc_task_handle *handle)
{
    return handle->state;
}

const char *anyc_task_handle_name(const anyc_task_handle *handle)
{
    return handle->name != NULL ? handle->name : handle->origin;
}

void *anyc_task_handle_start_value(const anyc_task_handle *handle)
{
    return handle->start_value;
}
