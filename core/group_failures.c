/* SPDX-License-Identifier: MIT */
/*
 * group_failures.c - what failed in a group. AnyIO: ExceptionGroup.
 *
 * The list belongs to the group until its exit, then to the host task, which keeps the list of the
 * last group it left. If the task passes that group's result on, the list goes with it and becomes
 * the nested list of the outer group's entry.
 */
#include <stdint.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/group.h"
#include "core/scope.h"

static void entry_free(anyc_task_error *entry)
{
    anyc__free((char *)(uintptr_t)entry->task_name);
    anyc__free((char *)(uintptr_t)entry->message);
}

/* The list whose entries these are. */
static struct group_failures *list_of(const anyc_task_error *entries)
{
    return ANYC__CONTAINER((uintptr_t)entries, struct group_failures, entries);
}

/* Lists may be nested deeper than a task's stack is: no recursion. */
void anyc__group_failures_free(struct group_failures *failures)
{
    struct group_failures *work = failures;

    if (failures != NULL)
        failures->pending = NULL;
    while (work != NULL) {
        struct group_failures *list = work;

        work = list->pending;
        while (list->count > 0) {
            anyc_task_error *entry = &list->entries[--list->count];

            entry_free(entry);
            if (entry->nested != NULL) {
                list_of(entry->nested)->pending = work;
                work = list_of(entry->nested);
            }
        }
        anyc__free(list);
    }
}

/* Room for one more entry, or NULL without memory. */
static anyc_task_error *failures_extend(struct group_failures **slot)
{
    struct group_failures *failures = *slot;
    size_t count = failures != NULL ? failures->count : 0;
    size_t capacity;

    if (failures == NULL || count == failures->capacity) {
        capacity = count > 0 ? count * 2 : 4;
        failures = anyc__realloc_array(failures, 1,
                                       sizeof *failures + capacity * sizeof failures->entries[0]);
        if (failures == NULL)
            return NULL;
        failures->count = count;
        failures->capacity = capacity;
        *slot = failures;
    }
    return &failures->entries[count];
}

/* The list of the inner group whose result this failure is, taken from the task. */
static void take_nested(anyc_task *task, anyc_task_error *entry)
{
    struct group_failures *inner = task->group_failures;

    if (inner == NULL || inner->count == 0 || inner->entries[0].code != entry->code)
        return;
    entry->nested = inner->entries;
    entry->nested_count = inner->count;
    task->group_failures = NULL;
}

void anyc__group_fail(anyc_task_group *group, anyc_task *task, int rc)
{
    anyc_task_error *entry = failures_extend(&group->failures);

    if (entry != NULL) {
        *entry = (anyc_task_error){.code = rc};
        entry->task_name = anyc__strdup(anyc__task_name(task));
        entry->message = anyc__strdup(anyc__failure_message(task->failure, rc));
        if (entry->task_name == NULL || entry->message == NULL) {
            entry_free(entry);
        } else {
            take_nested(task, entry);
            group->failures->count++;
        }
    }
    if (group->first_failure == 0)
        group->first_failure = rc;
    anyc__scope_cancel(&group->scope, NULL, false);
}

const anyc_task_error *anyc_task_group_errors(const anyc_task_group *group, size_t *out_count)
{
    const struct group_failures *failures = group->failures;
    size_t count = failures != NULL ? failures->count : 0;

    if (out_count != NULL)
        *out_count = count;
    return count > 0 ? failures->entries : NULL;
}
