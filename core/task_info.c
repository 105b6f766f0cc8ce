/* SPDX-License-Identifier: MIT */
/*
 * task_info.c - what can be known of tasks. AnyIO: TaskInfo, get_current_task, get_running_tasks,
 * wait_all_tasks_blocked.
 */
#include <anyc/task.h>

#include <anyc/testing.h>

#include "core/error.h"
#include "core/loop.h"
#include "core/task.h"

static const struct wait_type settle_wait = {"all tasks to be blocked", NULL, NULL};

static void info_fill(const anyc_task *task, anyc_task_info *info)
{
    *info = (anyc_task_info){
        .id = task->id,
        .parent_id = task->group != NULL ? task->group->host->id : 0,
        .name = anyc__task_name(task),
        .place = anyc__task_place(task),
        .running = task->state == TASK_RUNNING,
    };
    if (task->wait != NULL) {
        info->waiting_for = task->wait->type->what;
        info->waiting_on = task->wait->on;
    }
    if (task->stack_low != NULL) {
        info->stack_size = task->pool->size - task->pool->guard;
        info->stack_used = anyc__stack_used(task->pool, task->stack_low);
    }
}

int anyc_get_current_task(anyc_task_info *out_info)
{
    const anyc_task *task = anyc__task();

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    info_fill(task, out_info);
    return 0;
}

struct info_list {
    anyc_task_info *infos;
    size_t capacity;
    size_t count;
};

static bool info_add(anyc_task *task, void *arg)
{
    struct info_list *list = arg;

    if (list->count < list->capacity)
        info_fill(task, &list->infos[list->count]);
    list->count++;
    return true;
}

int anyc_get_running_tasks(anyc_task_info *infos, size_t capacity, size_t *out_count)
{
    struct info_list list = {infos, capacity, 0};

    if (anyc__loop == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    anyc__task_each(anyc__loop, info_add, &list);
    *out_count = list.count;
    return 0;
}

int anyc_wait_all_tasks_blocked(void)
{
    struct task_wait wait = {.rc = 0};
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    anyc__list_push(&task->loop->settlers, &wait.link);
    return anyc__wait(&wait, &settle_wait, NULL);
}
