/* SPDX-License-Identifier: MIT */
/*
 * task.c - control blocks of tasks: dense slabs, names, and their end.
 */
#include "core/task.h"

#include <string.h>

#include "core/alloc.h"
#include "core/clear.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/scope.h"

#define SLAB_TASKS_FIRST 16
#define SLAB_TASKS_MOST 4096

struct task_slab {
    struct task_slab *next;
    size_t count;
    anyc_task *tasks; /* aligned to a cache line, within this block */
};

static const char empty_origin[] = "task\0";

static bool slab_add(anyc_loop *loop)
{
    size_t count = loop->slabs != NULL ? loop->slabs->count * 2 : SLAB_TASKS_FIRST;
    struct task_slab *slab;
    size_t i;

    if (count > SLAB_TASKS_MOST)
        count = SLAB_TASKS_MOST;
    slab = anyc__alloc(sizeof *slab + ANYC__CACHE_LINE + count * sizeof(anyc_task));
    if (slab == NULL)
        return false;
    slab->count = count;
    slab->tasks = (anyc_task *)(((uintptr_t)(slab + 1) + ANYC__CACHE_LINE - 1) / ANYC__CACHE_LINE *
                                ANYC__CACHE_LINE);
    slab->next = loop->slabs;
    loop->slabs = slab;
    for (i = count; i > 0; i--) {
        slab->tasks[i - 1].state = TASK_ENDED;
        slab->tasks[i - 1].ready_next = loop->free_tasks;
        loop->free_tasks = &slab->tasks[i - 1];
    }
    return true;
}

/* One block for the name, if there is one, and then the argument. */
static bool task_own(anyc_task *task, const char *name, const void *copy, size_t copy_size)
{
    size_t name_size = name != NULL ? strlen(name) + 1 : 0;
    size_t copy_at = (name_size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    size_t total;

    if (copy == NULL)
        copy_size = 0;
    if (__builtin_add_overflow(copy_at, copy_size, &total))
        return false;
    task->owned = anyc__alloc(copy != NULL ? total : name_size);
    if (task->owned == NULL)
        return false;
    if (name != NULL) {
        memcpy(task->owned, name, name_size);
        task->named = true;
    }
    if (copy != NULL) {
        task->arg = (char *)task->owned + copy_at;
        memcpy(task->arg, copy, copy_size);
    }
    return true;
}

anyc_task *anyc__task_create(anyc_loop *loop, const char *origin, const char *name,
                             const void *copy, size_t copy_size)
{
    anyc_task *task;

    if (loop->free_tasks == NULL && !slab_add(loop))
        return NULL;
    task = loop->free_tasks;
    ANYC_ASSERT(task != NULL);
    loop->free_tasks = task->ready_next;
    anyc__clear(task, sizeof *task);
    task->loop = loop;
    task->state = TASK_NEW;
    task->origin = origin != NULL ? origin : empty_origin;
    task->id = ++loop->next_task_id;
    task->timer.deadline_ns = ANYC__NO_DEADLINE;
    task->wait_deadline_ns = ANYC__NO_DEADLINE;
    loop->task_count++;
    if ((name != NULL || copy != NULL) && !task_own(task, name, copy, copy_size)) {
        anyc__task_destroy(task);
        return NULL;
    }
    return task;
}

void anyc__task_destroy(anyc_task *task)
{
    anyc_loop *loop = task->loop;

    anyc__deadline_forget(task);
    if (task->owned != NULL)
        anyc__free(task->owned);
    if (task->failure != NULL)
        anyc__failure_free(task->failure);
    if (task->group_failures != NULL)
        anyc__group_failures_free(task->group_failures);
    task->state = TASK_ENDED;
    task->ready_next = loop->free_tasks;
    loop->free_tasks = task;
    loop->task_count--;
}

void anyc__task_each(anyc_loop *loop, bool (*visit)(anyc_task *task, void *arg), void *arg)
{
    const struct task_slab *slab;
    size_t i;

    for (slab = loop->slabs; slab != NULL; slab = slab->next) {
        for (i = 0; i < slab->count; i++) {
            if (slab->tasks[i].state != TASK_ENDED && !visit(&slab->tasks[i], arg))
                return;
        }
    }
}

bool anyc__task_alive(const anyc_task *task, uint64_t id)
{
    const anyc_loop *loop = anyc__loop;
    const struct task_slab *slab = loop != NULL ? loop->slabs : NULL;
    uintptr_t address = (uintptr_t)task;

    while (slab != NULL &&
           (address < (uintptr_t)slab->tasks || address >= (uintptr_t)(slab->tasks + slab->count)))
        slab = slab->next;
    return slab != NULL && task->state != TASK_ENDED && task->id == id;
}

void anyc__task_slabs_destroy(anyc_loop *loop)
{
    while (loop->slabs != NULL) {
        struct task_slab *slab = loop->slabs;

        loop->slabs = slab->next;
        anyc__free(slab);
    }
    loop->free_tasks = NULL;
}

const char *anyc__task_name(const anyc_task *task)
{
    return task->named ? task->owned : task->origin;
}

const char *anyc__task_place(const anyc_task *task)
{
    return task->origin + strlen(task->origin) + 1;
}

void anyc__task_ended(anyc_task *task, int rc)
{
    if (task->scope != anyc__task_own_scope(task))
        anyc__scopes_abandon(task);
    if (task->group != NULL) {
        anyc__group_child_ended(task, rc);
    } else {
        task->loop->main_task = NULL;
        task->loop->main_rc = rc;
        task->loop->main_failure = task->failure;
        task->failure = NULL;
    }
}
