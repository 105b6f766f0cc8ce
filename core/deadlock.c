/* SPDX-License-Identifier: MIT */
/*
 * deadlock.c - end a run in which every task waits and nothing can wake one.
 */
#include "core/deadlock.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/scope.h"
#include "core/task.h"

/* A text that grows; without memory it stays as it is. */
struct text {
    char *data;
    size_t len;
    size_t size;
};

static void text_add(struct text *text, const char *format, ...) ANYC_PRINTF(2, 3);

static void text_add(struct text *text, const char *format, ...)
{
    va_list args;
    int more;

    va_start(args, format);
    more = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (more < 0)
        return;
    if (text->len + (size_t)more + 1 > text->size) {
        size_t size = (text->len + (size_t)more + 1) * 2;
        char *data = anyc__realloc_array(text->data, size, 1);

        if (data == NULL)
            return;
        text->data = data;
        text->size = size;
    }
    va_start(args, format);
    (void)vsnprintf(text->data + text->len, text->size - text->len, format, args);
    va_end(args);
    text->len += (size_t)more;
}

static bool describe(anyc_task *task, void *arg)
{
    struct text *text = arg;
    const struct task_wait *wait = task->wait;
    const anyc_task *owner = NULL;
    const char *place = anyc__task_place(task);

    text_add(text, "\n  task %llu \"%s\"%s%s%s", (unsigned long long)task->id,
             anyc__task_name(task), *place != '\0' ? " (" : "", place, *place != '\0' ? ")" : "");
    if (wait == NULL)
        return true;
    text_add(text, " waits for %s", wait->type->what);
    if (wait->on != NULL)
        text_add(text, " %p", wait->on);
    if (wait->type->owner != NULL)
        owner = wait->type->owner(wait);
    if (owner != NULL)
        text_add(text, ", held by task %llu \"%s\"", (unsigned long long)owner->id,
                 anyc__task_name(owner));
    return true;
}

static bool interrupt(anyc_task *task, void *arg)
{
    (void)arg;
    task->wait_shielded = false;
    anyc__task_interrupt(task);
    return true;
}

void anyc__deadlock(anyc_loop *loop)
{
    struct text text = {NULL, 0, 0};

    if (loop->ending) {
        anyc__task_each(loop, interrupt, NULL);
        return;
    }
    loop->deadlocked = true;
    loop->ending = true;
    text_add(&text, "%zu %s and nothing can wake %s:", loop->task_count,
             loop->task_count == 1 ? "task waits" : "tasks wait",
             loop->task_count == 1 ? "it" : "any");
    anyc__task_each(loop, describe, &text);
    /* outside a task: this sets the failure of the thread, which is that of the run */
    anyc__fail(ANYC_EDEADLOCK, 0, "%s", text.data != NULL ? text.data : "every task waits");
    anyc__free(text.data);
    anyc__scope_cancel(&loop->root_group.scope, "the run is deadlocked", false);
}
