/* SPDX-License-Identifier: MIT */
/*
 * instrument.c - a loop's instruments, called in the order in which they were added.
 */
#include <anyc/instrument.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/instruments.h"
#include "core/loop.h"
#include "core/task.h"

struct instrument_node {
    struct instrument_node *next;
    const anyc_instrument *instrument;
    void *arg;
};

void anyc__instruments_spawned(const anyc_task *task)
{
    const struct instrument_node *node;

    for (node = task->loop->instruments; node != NULL; node = node->next) {
        if (node->instrument->task_spawned != NULL)
            node->instrument->task_spawned(task->id, anyc__task_name(task), node->arg);
    }
}

void anyc__instruments_ready(const anyc_task *task)
{
    const struct instrument_node *node;

    for (node = task->loop->instruments; node != NULL; node = node->next) {
        if (node->instrument->task_ready != NULL)
            node->instrument->task_ready(task->id, node->arg);
    }
}

void anyc__instruments_exited(const anyc_task *task, int rc)
{
    const struct instrument_node *node;

    for (node = task->loop->instruments; node != NULL; node = node->next) {
        if (node->instrument->task_exited != NULL)
            node->instrument->task_exited(task->id, rc, node->arg);
    }
}

void anyc__instruments_step(anyc_loop *loop, uint64_t id, bool before)
{
    const struct instrument_node *node;

    for (node = loop->instruments; node != NULL; node = node->next) {
        void (*step)(uint64_t, void *) =
            before ? node->instrument->before_step : node->instrument->after_step;

        if (step != NULL)
            step(id, node->arg);
    }
}

void anyc__instruments_poll(anyc_loop *loop, double timeout)
{
    const struct instrument_node *node;

    for (node = loop->instruments; node != NULL; node = node->next) {
        if (timeout >= 0.0 && node->instrument->before_poll != NULL)
            node->instrument->before_poll(timeout, node->arg);
        if (timeout < 0.0 && node->instrument->after_poll != NULL)
            node->instrument->after_poll(node->arg);
    }
}

void anyc__instruments_free(anyc_loop *loop)
{
    while (loop->instruments != NULL) {
        struct instrument_node *node = loop->instruments;

        loop->instruments = node->next;
        anyc__free(node);
    }
}

int anyc_add_instrument(const anyc_instrument *instrument, void *arg)
{
    struct instrument_node *node;
    struct instrument_node **end;

    if (anyc__loop == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    node = anyc__zalloc(sizeof *node);
    if (node == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    node->instrument = instrument;
    node->arg = arg;
    for (end = &anyc__loop->instruments; *end != NULL; end = &(*end)->next)
        continue;
    *end = node;
    return 0;
}

int anyc_remove_instrument(const anyc_instrument *instrument)
{
    struct instrument_node **link;
    struct instrument_node *node;

    if (anyc__loop == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    for (link = &anyc__loop->instruments; *link != NULL; link = &(*link)->next) {
        if ((*link)->instrument != instrument)
            continue;
        node = *link;
        *link = node->next;
        anyc__free(node);
        return 0;
    }
    return anyc__fail(ANYC_ENOTFOUND, 0, "the instrument was not added to this loop");
}
