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
    struct group_failures nested = {
        .count = entry->nested_count,
        .entries = (anyc_task_error *)(uintptr_t)entry->nested,
    };

    anyc__free((char *)(uintptr_t)entry->task_name);
    anyc__free((char *)(uintptr_t)entry->message);
    while (nested.count > 0)
        entry_free(&nested.entries[--nested.count]);
    anyc__free(nested.entries);
}

void anyc__group_failures_free(struct group_failures *failures)
{
    if (failures == NULL)
        return;
    while (failures->count > 0)
        entry_free(&failures->entries[--failures->count]);
    anyc__free(failures->entries);
    anyc__free(failures);
}

/* Room for one more entry, or NULL without memory. */
static anyc_task_error *failures_extend(struct group_failures **slot)
{
    struct group_failures *failures = *slot;
    anyc_task_error *entries;
    size_t capacity;

    if (failures == NULL) {
        failures = anyc__zalloc(sizeof *failures);
        if (failures == NULL)
            return NULL;
        *slot = failures;
    }
    if (failures->count == failures->capacity) {
        capacity = failures->capacity > 0 ? failures->capacity * 2 : 4;
        entries = anyc__realloc_array(failures->entries, capacity, sizeof *entries);
        if (entries == NULL)
            return NULL;
        failures->entries = entries;
        failures->capacity = capacity;
    }
    return &failures->entries[failures->count];
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
    anyc__free(inner);
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
