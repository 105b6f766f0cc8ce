/* SPDX-License-Identifier: MIT */
/*
 * suspend.h - what happens when a task suspends, inlined.
 *
 * The processor predicts a return by the call that came last, so after a switch between tasks that
 * run different code the first return is mispredicted (5 to 10 ns), and so is the next for every
 * function that lies between the switch and the program's own call. Therefore the calls that are made
 * most (events, locks, memory streams, the exit of a group) have the switch in themselves, and all
 * others call anyc__wait.
 */
#ifndef ANYC_CORE_SUSPEND_H
#define ANYC_CORE_SUSPEND_H

#include "core/assert.h"
#include "core/loop.h"
#include "core/scope.h"
#include "core/switch.h"
#include "core/tools.h"

#define ANYC__STACKS_AHEAD 4  /* brought near before their tasks run ... */
#define ANYC__FRAME_LINES 5   /* ... as far as a task returns from a wait ... */
#define ANYC__FEW_TASKS 64    /* ... unless they are so few that they stay near anyway */
#define ANYC__CALLS_A_TURN 64 /* of one task without waiting, before others get their turn */

/* Give a new task its stack; false when there is none to be had. */
bool anyc__task_prepare(anyc_task *task);

/* anyc__switch_to while a tool watches. */
void anyc__switch_watched(anyc_loop *loop, void **save_sp, void **save_tool, anyc_task *next);

/* The running task is cancelled as it is about to wait. Answers ANYC_ECANCELLED. */
int anyc__wait_give_up(struct task_wait *wait);

ALWAYS_INLINE void anyc__queue_push(anyc_loop *loop, anyc_task *task)
{
    task->ready_next = NULL;
    *loop->ready_tail = task;
    loop->ready_tail = &task->ready_next;
}

ALWAYS_INLINE anyc_task *anyc__queue_pop(anyc_loop *loop)
{
    anyc_task *task = loop->ready_head;

    loop->ready_head = task->ready_next;
    if (loop->ready_head == NULL)
        loop->ready_tail = &loop->ready_head;
    if (task == loop->turn_last)
        loop->turn_last = NULL;
    return task;
}

/* Have the stacks of the tasks that run next brought near: with many tasks they are far. */
static inline void anyc__stacks_prefetch(const anyc_task *task)
{
    for (int i = 0; i < ANYC__STACKS_AHEAD && task != NULL; i++) {
        const char *frame = task->sp;

        for (int line = 0; line < ANYC__FRAME_LINES; line++)
            __builtin_prefetch(frame + line * ANYC__CACHE_LINE);
        task = task->ready_next;
    }
}

/* The task is the one that runs now. */
ALWAYS_INLINE void anyc__task_resume(anyc_loop *loop, anyc_task *task)
{
    task->state = TASK_RUNNING;
    loop->head.current = task;
    loop->head.calls_left = ANYC__CALLS_A_TURN;
    if (--loop->switches_left % ANYC__STACKS_AHEAD == 0 && loop->task_count > ANYC__FEW_TASKS)
        anyc__stacks_prefetch(loop->ready_head);
}

/* The next task that can be switched to right from another task, or NULL: back to the loop. */
ALWAYS_INLINE anyc_task *anyc__next_direct(anyc_loop *loop)
{
    anyc_task *next = loop->ready_head;

    if (next == NULL || loop->switches_left <= 0 || loop->instruments != NULL)
        return NULL;
    if (next->state == TASK_NEW && (!anyc__stack_ready(next->pool) || !anyc__task_prepare(next)))
        return NULL;
    (void)anyc__queue_pop(loop);
    anyc__task_resume(loop, next);
    return next;
}

/* Leave this stack for that of `next`, or of the loop. A stack that is never resumed has no
 * save_tool. */
ALWAYS_INLINE void anyc__switch_to(anyc_loop *loop, void **save_sp, void **save_tool,
                                   anyc_task *next)
{
    if (UNLIKELY(anyc__tools_watch))
        anyc__switch_watched(loop, save_sp, save_tool, next);
    else
        anyc__switch(save_sp, next != NULL ? next->sp : loop->sp);
}

/* The running task is in the ready queue or waits: run others until it is its turn again. */
ALWAYS_INLINE void anyc__task_suspend(anyc_loop *loop, anyc_task *task)
{
    anyc_task *next = anyc__next_direct(loop);

    if (next == task)
        return;
    if (next == NULL)
        loop->head = (struct loop_head){NULL, 0};
    anyc__switch_to(loop, &task->sp, &task->tool, next);
}

/* As anyc__yield. */
ALWAYS_INLINE void anyc__yield_inlined(anyc_task *task)
{
    task->state = TASK_READY;
    anyc__queue_push(task->loop, task);
    anyc__task_suspend(task->loop, task);
}

ALWAYS_INLINE int anyc__wait_suspend(anyc_task *task, struct task_wait *wait,
                                     const struct wait_type *type, const void *on)
{
    wait->task = task;
    wait->type = type;
    wait->on = on;
    task->wait = wait;
    task->state = TASK_WAITING;
    anyc__task_suspend(task->loop, task);
    if (UNLIKELY(wait->rc < 0))
        task->last_code = wait->rc;
    return wait->rc;
}

/* As anyc__wait. */
ALWAYS_INLINE int anyc__wait_inlined(struct task_wait *wait, const struct wait_type *type,
                                     const void *on)
{
    anyc_task *task = anyc__task();

    ANYC_ASSERT(task != NULL && task->state == TASK_RUNNING);
    if (UNLIKELY(task->scope->limit_ns == SCOPE_CANCELLED)) { /* the turn sees to deadlines */
        wait->task = task;
        wait->type = type;
        wait->on = on;
        return anyc__wait_give_up(wait);
    }
    task->wait_shielded = false;
    return anyc__wait_suspend(task, wait, type, on);
}

/* As anyc__wait_shielded. */
ALWAYS_INLINE int anyc__wait_shielded_inlined(struct task_wait *wait, const struct wait_type *type,
                                              const void *on)
{
    anyc_task *task = anyc__task();

    ANYC_ASSERT(task != NULL && task->state == TASK_RUNNING);
    task->wait_shielded = true;
    return anyc__wait_suspend(task, wait, type, on);
}

#endif
