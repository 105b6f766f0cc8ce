/* SPDX-License-Identifier: MIT */
/*
 * deadline.h - the deadlines of a task: of its scopes, and of its wait.
 *
 * A task has one timer for all of them, which is never later than the earliest. It may be earlier:
 * when a deadline is given up the timer is left as it is, and set anew when it goes off. So a
 * timeout around each receive of a busy connection costs no more than a comparison, and one timer
 * each time that a whole timeout has passed.
 *
 * loop->deadlines counts those that are still to come; a timer that is left over wakes nobody.
 */
#ifndef ANYC_CORE_DEADLINE_H
#define ANYC_CORE_DEADLINE_H

#include "core/loop.h"

/* Set the task's timer, which is later or not armed, to this deadline. */
void anyc__deadline_arm(anyc_task *task, int64_t deadline_ns);

/* The deadline of a scope or of a wait of this task begins to count. */
static inline void anyc__deadline_begin(anyc_task *task, int64_t deadline_ns)
{
    task->loop->deadlines++;
    if (deadline_ns < task->timer.deadline_ns)
        anyc__deadline_arm(task, deadline_ns);
}

/* It has been given up, or has passed. */
static inline void anyc__deadline_end(anyc_loop *loop)
{
    loop->deadlines--;
}

/* The task ends. */
static inline void anyc__deadline_forget(anyc_task *task)
{
    if (task->timer.deadline_ns != ANYC__NO_DEADLINE)
        anyc__timer_remove(&task->loop->timers, &task->timer);
}

/* See to the deadlines that have passed at now_ns. */
void anyc__expire(anyc_loop *loop);

#endif
