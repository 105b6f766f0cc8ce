/* SPDX-License-Identifier: MIT */
/*
 * group.h - task groups, for the files of core.
 */
#ifndef ANYC_CORE_GROUP_H
#define ANYC_CORE_GROUP_H

#include "core/loop.h"
#include "core/task.h"

/* A task that waits in anyc_task_group_start, on its stack. */
struct task_start {
    anyc_cancel_scope scope; /* around the new task until it signals, unless it has a handle */
    struct task_wait wait;   /* of the starter */
    void *value;
    bool abandoned; /* the starter was cancelled: it waits for the end of the new task, or will */
    bool done;      /* the new task has signalled or ended; it may be gone */
};

/* The list of a group's failures; grows only when something fails. */
struct group_failures {
    struct group_failures *pending; /* work list while a tree of lists is freed */
    size_t count;
    size_t capacity;
    anyc_task_error entries[]; /* names, messages and nested lists belong to the entry */
};

/* The scope in which a task's function begins, and should end. */
static inline const anyc_cancel_scope *anyc__task_own_scope(const anyc_task *task)
{
    if (task->handle != NULL)
        return &task->handle->scope;
    if (task->start != NULL)
        return &task->start->scope;
    return task->group != NULL ? &task->group->scope : &task->loop->root_group.scope;
}

/* Put a failure on the group's list and cancel the group. Takes over the task's list of an inner
 * group if that is what failed. Without memory for the entry its code still counts. */
void anyc__group_fail(anyc_task_group *group, anyc_task *task, int rc);

void anyc__group_failures_free(struct group_failures *failures);

/* Open a group that is all zero, or was left, for its host, inside of `outer`. */
void anyc__group_open(anyc_task_group *group, anyc_task *host, anyc_cancel_scope *outer);

/* Cancel a group's children and wait for their ends: by its host. */
void anyc__group_drain(anyc_task_group *group);

/* A new child in the ready queue; `start` may be NULL. On failure nothing has changed. */
int anyc__group_spawn(anyc_task_group *group, anyc_task *task, anyc_task_handle *handle,
                      struct task_start *start);

/* 0 if the group is entered and its exit not finished; else ANYC_ENOLOOP or ANYC_ESTATE. */
int anyc__group_check(const anyc_task_group *group);

/* The host returned without leaving the group: let go of what it holds. It must have no child. */
void anyc__group_abandon(anyc_task_group *group);

/* A child has ended with this result. */
void anyc__group_child_ended(anyc_task *task, int rc);

/* The parts of that in task_start.c and task_handle.c. The former answers what is left for the
 * group: 0 if the starter takes the result. */
int anyc__start_child_ended(anyc_task *task, int rc);
int anyc__handle_child_ended(anyc_task *task, int rc);

/* Fill in the handle of a task that is about to be spawned; destroys the task if that fails. */
int anyc__handle_init(anyc_task_handle *handle, anyc_task_group *group, anyc_task *task,
                      const char *origin, const char *name);

/* The caller's storage of a handle is about to go: forget it. */
void anyc__handle_discard(anyc_task_handle *handle);

/* The group is left: free the names that handles of its tasks kept. */
void anyc__handles_release(anyc_task_group *group);

#endif
