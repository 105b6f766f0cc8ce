/* SPDX-License-Identifier: MIT */
/*
 * event.c - a flag that tasks wait for. AnyIO: anyio.Event.
 *
 * Invariant: set implies that the queue is empty.
 */
#include <anyc/event.h>

#include "core/task.h"
#include "sync/waiters.h"

static const struct wait_type event_wait = {.what = "event"};

void anyc_event_set(anyc_event *event)
{
    event->set = true;
    anyc__waiters_wake(&event->waiters, 0);
}

bool anyc_event_is_set(const anyc_event *event)
{
    return event->set;
}

int anyc_event_wait(anyc_event *event)
{
    anyc_task *task;
    int rc;

    rc = anyc__enter(&task);
    if (rc < 0 || event->set)
        return rc;
    return anyc__waiters_join(&event->waiters, &event_wait, event);
}

void anyc_event_statistics(const anyc_event *event, anyc_event_stats *out_stats)
{
    out_stats->tasks_waiting = anyc__waiters_count(&event->waiters);
}
