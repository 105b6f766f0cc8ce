/* SPDX-License-Identifier: MIT */
/*
 * concurrency.c - call functions in tasks and collect their results. AnyIO: gather, amap,
 * as_completed.
 *
 * Each is a task group with little around it. The tasks get the origin of the user's functions, so
 * that these stand in names, dumps and lists of failures, and not the helpers in here.
 */
#include <anyc/concurrency.h>

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/group.h"
#include "sync/waiters.h"

static int calls_check(const anyc_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (calls == NULL || calls[i].fn == NULL)
            return anyc__fail(ANYC_EINVAL, 0, "call %zu has no function", i);
    }
    return 0;
}

/* -- gather -- */

struct gather_slot {
    const anyc_call *call;
    int result;
};

static int gather_run(void *arg)
{
    struct gather_slot *slot = arg;

    slot->result = slot->call->fn(slot->call->arg);
    return slot->result;
}

static int gather_all(struct gather_slot *slots, const anyc_call *calls, size_t count)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc = anyc_task_group_enter(&group);

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        slots[i].call = &calls[i];
        rc = anyc_task_group_start_soon_from(calls[i].origin, &group, gather_run, &slots[i],
                                             calls[i].name);
    }
    return anyc_task_group_exit(&group, rc);
}

int anyc_gather(const anyc_call *calls, size_t count, int *results)
{
    struct gather_slot *slots;
    anyc_task *task;
    int rc;

    rc = anyc__enter(&task);
    if (rc == 0)
        rc = calls_check(calls, count);
    if (rc < 0 || count == 0)
        return rc;
    slots = anyc__alloc_array(count, sizeof *slots);
    if (slots == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = gather_all(slots, calls, count);
    for (size_t i = 0; rc == 0 && results != NULL && i < count; i++)
        results[i] = slots[i].result;
    anyc__free(slots);
    return rc;
}

/* -- amap -- */

/* What the tasks of one map share, on the caller's stack. */
struct amap {
    anyc_task_fn fn;
    char *args;
    size_t arg_size;
    size_t count;
    size_t next;  /* the element that nobody took yet */
    size_t tasks; /* fewer than `count`: each makes several calls */
    int *results; /* NULL: not wanted */
};

static int amap_call_next(struct amap *map)
{
    size_t i = map->next++;
    int result = map->fn(map->args + i * map->arg_size);

    if (map->results != NULL)
        map->results[i] = result;
    return result;
}

static int amap_run(void *arg)
{
    struct amap *map = arg;
    anyc_task *task;
    int rc = amap_call_next(map);

    while (rc >= 0 && map->tasks < map->count && map->next < map->count) {
        rc = anyc__enter(&task); /* no further call once the map has failed */
        if (rc == 0 && map->next < map->count)
            rc = amap_call_next(map);
    }
    return rc;
}

static int amap_all(struct amap *map, const char *origin, const char *name)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc = anyc_task_group_enter(&group);

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < map->tasks; i++)
        rc = anyc_task_group_start_soon_from(origin, &group, amap_run, map, name);
    return anyc_task_group_exit(&group, rc);
}

int anyc_amap_from(const char *origin, anyc_task_fn fn, void *args, size_t count, size_t arg_size,
                   const anyc_amap_options *options, int *results)
{
    const anyc_amap_options defaults = {0};
    struct amap map = {.fn = fn, .args = args, .arg_size = arg_size, .count = count};
    anyc_task *task;
    int rc;

    if (options == NULL)
        options = &defaults;
    rc = anyc__enter(&task);
    if (rc == 0 && fn == NULL)
        rc = anyc__fail(ANYC_EINVAL, 0, "a map needs a function");
    if (rc < 0 || count == 0)
        return rc;
    map.tasks = options->limit != 0 && options->limit < count ? options->limit : count;
    if (results != NULL) {
        map.results = anyc__alloc_array(count, sizeof *results);
        if (map.results == NULL)
            return anyc__fail_plain(ANYC_ENOMEM);
    }
    rc = amap_all(&map, origin, options->name);
    if (rc == 0 && results != NULL)
        memcpy(results, map.results, count * sizeof *results);
    anyc__free(map.results);
    return rc;
}

int(anyc_amap)(anyc_task_fn fn, void *args, size_t count, size_t arg_size,
               const anyc_amap_options *options, int *results)
{
    return anyc_amap_from(NULL, fn, args, count, arg_size, options, results);
}

/* -- as_completed -- */

struct as_completed_item {
    anyc_as_completed *tasks;
    anyc_task_fn fn;
    void *arg;
    anyc_list link; /* in tasks->ended, from the end of the function until it is handed out */
    anyc_task_handle handle;
};

static const struct wait_type as_completed_wait = {.what = "next task to end"};

/* The waiter runs after this task has returned, so it finds the handle complete. */
static int as_completed_run(void *arg)
{
    struct as_completed_item *item = arg;
    struct task_wait *waiter;
    int rc = item->fn(item->arg);

    waiter = anyc__waiters_first(&item->tasks->waiters);
    anyc__list_push(&item->tasks->ended, &item->link);
    if (waiter != NULL)
        anyc__wake(waiter, 0);
    return rc;
}

static int as_completed_start(anyc_as_completed *tasks, const anyc_call *calls, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct as_completed_item *item = &tasks->items[i];

        *item = (struct as_completed_item){.tasks = tasks, .fn = calls[i].fn, .arg = calls[i].arg};
        rc = anyc_task_group_create_task_from(calls[i].origin, &tasks->group, as_completed_run,
                                              item, calls[i].name, &item->handle);
    }
    return rc;
}

/* Leave the group and forget the items. */
static int as_completed_end(anyc_as_completed *tasks, int rc)
{
    rc = anyc_task_group_exit(&tasks->group, rc);
    anyc__free(tasks->items);
    tasks->items = NULL;
    tasks->entered = false;
    return rc;
}

/* Answers 0 if the running task may go on with `tasks`. */
static int as_completed_check(const anyc_as_completed *tasks)
{
    if (!tasks->entered)
        return anyc__fail(ANYC_ESTATE, 0, "as_completed is not entered");
    return 0;
}

int anyc_as_completed_enter(anyc_as_completed *tasks, const anyc_call *calls, size_t count)
{
    struct as_completed_item *items = NULL;
    int rc;

    if (anyc__task() == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    if (tasks->entered)
        return anyc__fail(ANYC_ESTATE, 0, "as_completed is entered already");
    rc = calls_check(calls, count);
    if (rc == 0 && count > 0) {
        items = anyc__alloc_array(count, sizeof *items);
        if (items == NULL)
            rc = anyc__fail_plain(ANYC_ENOMEM);
    }
    if (rc < 0)
        return rc;
    *tasks = (anyc_as_completed){.items = items, .left = count, .entered = true};
    rc = anyc_task_group_enter(&tasks->group); /* cannot fail in a task */
    if (rc == 0)
        rc = as_completed_start(tasks, calls, count);
    return rc < 0 ? as_completed_end(tasks, rc) : 0;
}

int anyc_as_completed_next(anyc_as_completed *tasks, anyc_task_handle **out_handle,
                           size_t *out_index)
{
    struct as_completed_item *item;
    anyc_task *task;
    int rc;

    rc = anyc__enter(&task);
    if (rc == 0)
        rc = as_completed_check(tasks);
    if (rc == 0 && !anyc__list_empty(&tasks->waiters))
        rc = anyc__fail_plain(ANYC_EBUSY);
    while (rc == 0 && anyc__list_empty(&tasks->ended))
        rc = tasks->left == 0 ? anyc__fail_plain(ANYC_EOF)
                              : anyc__waiters_join(&tasks->waiters, &as_completed_wait, tasks);
    if (rc < 0)
        return rc;
    item = ANYC__CONTAINER(anyc__list_pop(&tasks->ended), struct as_completed_item, link);
    tasks->left--;
    *out_handle = &item->handle;
    if (out_index != NULL)
        *out_index = (size_t)(item - tasks->items);
    return 0;
}

int anyc_as_completed_exit(anyc_as_completed *tasks, int rc)
{
    const anyc_task *task = anyc__task();
    int check;

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    check = as_completed_check(tasks);
    if (check < 0)
        return check;
    if (task != tasks->group.host || task->scope != &tasks->group.scope)
        return anyc__fail(ANYC_ESTATE, 0,
                          "as_completed is not the innermost scope that task \"%s\" "
                          "has entered",
                          anyc__task_name(task));
    if (rc >= 0)
        anyc_task_group_cancel(&tasks->group, "as_completed was left");
    return as_completed_end(tasks, rc);
}

const anyc_task_error *anyc_last_group_errors(size_t *out_count)
{
    const anyc_task *task = anyc__task();
    const struct group_failures *failures = task != NULL ? task->group_failures : NULL;
    size_t count = failures != NULL ? failures->count : 0;

    if (out_count != NULL)
        *out_count = count;
    return count > 0 ? failures->entries : NULL;
}
