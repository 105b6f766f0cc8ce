/* SPDX-License-Identifier: MIT */
/*
 * scheduler.c - the ready queue, switching between tasks, and the turns of the loop.
 *
 * A task that suspends switches straight to the next ready one; control returns to the loop's own
 * stack when none is left or the batch is used up. A turn runs batches until all that was ready when
 * it began has run, and the queue is empty or TURN_NS are over; the batch is sized so that the clock
 * is read rarely, and often enough.
 */
#include <math.h>

#include "core/deadline.h"
#include "core/deadlock.h"
#include "core/error.h"
#include "core/fork.h"
#include "core/instruments.h"
#include "core/loop.h"
#include "core/scope.h"
#include "core/suspend.h"
#include "core/tools.h"

#define TURN_NS 200000       /* about so long, no look at descriptors while tasks are ready */
#define BATCH_LONG_NS 100000 /* halve the batch when it takes longer ... */
#define BATCH_SHORT_NS 25000 /* ... and double it when it is over sooner */
#define BATCH_MOST 256

static struct loop_head no_loop; /* never written to: it has no calls left */

_Thread_local anyc_loop *anyc__loop __attribute__((tls_model("initial-exec")));
_Thread_local struct loop_head *anyc__head __attribute__((tls_model("initial-exec"))) = &no_loop;

void anyc__loop_set(anyc_loop *loop)
{
    anyc__loop = loop;
    anyc__head = loop != NULL ? &loop->head : &no_loop;
}

void anyc__task_ready(anyc_task *task)
{
    anyc_loop *loop = task->loop;

    if (task->state != TASK_NEW)
        task->state = TASK_READY;
    if (UNLIKELY(loop->instruments != NULL))
        anyc__instruments_ready(task);
    if (!loop->in_turn && loop->ready_head == NULL)
        loop->backend->task_ready(loop);
    anyc__queue_push(loop, task);
}

/* -- switching -- */

void anyc__switch_watched(anyc_loop *loop, void **save_sp, void **save_tool, anyc_task *next)
{
    if (next != NULL) {
        anyc__tools_before_switch(save_tool, next->tool, next->stack_low,
                                  next->pool->size - next->pool->guard);
        anyc__switch(save_sp, next->sp);
    } else {
        anyc__tools_before_switch(save_tool, loop->tool, loop->thread_stack_low,
                                  loop->thread_stack_size);
        anyc__switch(save_sp, loop->sp);
    }
    if (save_tool != NULL)
        anyc__tools_after_switch(*save_tool, NULL, NULL);
}

bool anyc__task_prepare(anyc_task *task)
{
    char *low = anyc__stack_acquire(task->pool);

    if (low == NULL)
        return false;
    task->stack_low = low;
    task->sp = anyc__switch_prepare(anyc__stack_start(task->pool, low), low);
    if (UNLIKELY(anyc__tools_watch)) {
        anyc__tools_stack_reused(low, anyc__stack_top(task->pool, low));
        task->tool = anyc__tools_fiber_create();
    }
    return true;
}

/* The stack of the task that ended before this one is surely not executed on any more. */
static void task_leave_stack(anyc_loop *loop, anyc_task *task)
{
    if (loop->zombie_stack != NULL)
        anyc__stack_release(loop->zombie_pool, loop->zombie_stack);
    anyc__tools_fiber_destroy(loop->zombie_tool);
    loop->zombie_stack = task->stack_low;
    loop->zombie_pool = task->pool;
    loop->zombie_tool = task->tool;
}

static void task_end(anyc_loop *loop, anyc_task *task, int rc)
{
    if (UNLIKELY(loop->instruments != NULL))
        anyc__instruments_exited(task, rc);
    anyc__task_ended(task, rc);
    anyc__task_destroy(task);
}

/* Call its function. What held that is the task's timer from now on. */
static inline int task_call(anyc_task *task)
{
    anyc_start_fn start = task->fn.start;
    anyc_task_fn plain = task->fn.plain;
    void *arg = task->arg;

    task->timer.link = (anyc_list){NULL, NULL};
    return task->has_status ? start(arg, (anyc_task_status *)(void *)task) : plain(arg);
}

WITH_ALL_IT_CALLS _Noreturn void anyc__task_main(void)
{
    anyc_loop *loop = anyc__loop;
    anyc_task *task = loop->head.current;
    anyc_task *next;
    void *nowhere;
    int rc;

    if (UNLIKELY(anyc__tools_watch)) {
        if (loop->thread_stack_size == 0)
            anyc__tools_after_switch(NULL, &loop->thread_stack_low, &loop->thread_stack_size);
        else
            anyc__tools_after_switch(NULL, NULL, NULL);
    }
    rc = task_call(task);
    if (UNLIKELY(anyc__loop != loop))
        anyc__fork_went_on("returning from a task");
    task_leave_stack(loop, task);
    task_end(loop, task, rc);
    next = loop->main_task != NULL ? anyc__next_direct(loop) : NULL;
    if (next == NULL)
        loop->head = (struct loop_head){NULL, 0};
    anyc__switch_to(loop, &nowhere, NULL, next);
    __builtin_unreachable();
}

/* -- waiting -- */

bool anyc__task_cancelled(anyc_task *task)
{
    anyc_loop *loop = task->loop;
    int64_t limit_ns = task->scope->limit_ns;

    if (limit_ns != SCOPE_CANCELLED) {
        if (limit_ns > anyc__now_near(loop) || limit_ns > anyc__now(loop))
            return false;
        anyc__expire(loop);
    }
    return true;
}

int anyc__check_limit(anyc_task *task)
{
    if (!anyc__task_cancelled(task))
        return 0;
    task->last_code = ANYC_ECANCELLED;
    return ANYC_ECANCELLED;
}

void anyc__yield(anyc_task *task)
{
    anyc__yield_inlined(task);
}

int anyc__enter_slowly(anyc_task **out_task)
{
    anyc_task *task = anyc__task();
    int rc;

    if (task == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    *out_task = task;
    rc = anyc__check_cancelled(task);
    if (rc < 0 || --task->loop->head.calls_left >= 0)
        return rc;
    anyc__yield(task);
    return anyc__check_cancelled(task);
}

static void wait_abandon(struct task_wait *wait)
{
    if (wait->type->abandon != NULL)
        wait->type->abandon(wait);
}

int anyc__wait_give_up(struct task_wait *wait)
{
    wait_abandon(wait);
    if (anyc__list_linked(&wait->link))
        anyc__list_remove(&wait->link);
    wait->rc = ANYC_ECANCELLED;
    wait->task->last_code = ANYC_ECANCELLED;
    return ANYC_ECANCELLED;
}

int anyc__wait(struct task_wait *wait, const struct wait_type *type, const void *on)
{
    return anyc__wait_inlined(wait, type, on);
}

int anyc__wait_shielded(struct task_wait *wait, const struct wait_type *type, const void *on)
{
    return anyc__wait_shielded_inlined(wait, type, on);
}

void anyc__wake_waiting(anyc_task *task, int rc)
{
    task->wait->rc = rc;
    task->wait = NULL;
    anyc__task_ready(task);
}

void anyc__wake(struct task_wait *wait, int rc)
{
    ANYC_ASSERT(wait->task->wait == wait);
    if (anyc__list_linked(&wait->link))
        anyc__list_remove(&wait->link);
    anyc__wake_waiting(wait->task, rc);
}

void anyc__task_interrupt(anyc_task *task)
{
    struct task_wait *wait = task->wait;

    if (wait == NULL || task->wait_shielded)
        return;
    wait_abandon(wait);
    anyc__wake(wait, ANYC_ECANCELLED);
}

void anyc__task_time_out(anyc_task *task)
{
    struct task_wait *wait = task->wait;

    if (task->asleep) { /* its stack is far: do not look at the node */
        anyc__wake_waiting(task, ANYC_ETIMEDOUT);
        return;
    }
    wait_abandon(wait);
    anyc__wake(wait, ANYC_ETIMEDOUT);
}

int anyc__wait_until(struct task_wait *wait, const struct wait_type *type, const void *on,
                     int64_t deadline_ns)
{
    anyc_loop *loop = anyc__loop;
    anyc_task *task = loop->head.current;
    int rc;

    if (deadline_ns == ANYC__NO_DEADLINE)
        return anyc__wait(wait, type, on);
    task->wait_deadline_ns = deadline_ns;
    anyc__deadline_begin(task, deadline_ns);
    rc = anyc__wait_inlined(wait, type, on);
    anyc__deadline_end(loop);
    task->wait_deadline_ns = ANYC__NO_DEADLINE;
    return rc;
}

/* -- turns -- */

static void run_batch(anyc_loop *loop)
{
    void *sp_of_loop;

    loop->switches_left = loop->batch;
    while (loop->ready_head != NULL && loop->switches_left > 0 && loop->main_task != NULL) {
        anyc_task *task = anyc__queue_pop(loop);
        uint64_t id = task->id;
        bool heard = loop->instruments != NULL; /* the task may be the one that adds the first */

        if (task->state == TASK_NEW && !anyc__task_prepare(task)) {
            task_end(loop, task, anyc__fail_plain(ANYC_ENOMEM));
            continue;
        }
        anyc__task_resume(loop, task);
        if (UNLIKELY(heard))
            anyc__instruments_step(loop, id, true);
        if (UNLIKELY(anyc__tools_watch)) {
            anyc__tools_before_switch(&sp_of_loop, task->tool, task->stack_low,
                                      task->pool->size - task->pool->guard);
            anyc__switch(&loop->sp, task->sp);
            anyc__tools_after_switch(sp_of_loop, NULL, NULL);
        } else {
            anyc__switch(&loop->sp, task->sp);
        }
        if (UNLIKELY(heard))
            anyc__instruments_step(loop, id, false);
    }
}

/* Run each task that is ready once, and then go on for TURN_NS in all or so: descriptors are
 * level-triggered, and a look at them before their tasks have run would find the same again. The
 * virtual clock stands still meanwhile. Answers whether any task ran. */
static bool run_ready(anyc_loop *loop)
{
    int64_t end_ns = loop->now_ns + TURN_NS;
    bool ran = loop->ready_head != NULL;

    if (UNLIKELY(anyc__loop != loop))
        anyc__fork_went_on("returning to the loop");
    loop->turn_last = ran ? ANYC__CONTAINER(loop->ready_tail, anyc_task, ready_next) : NULL;
    while (loop->ready_head != NULL && loop->main_task != NULL &&
           (loop->turn_last != NULL || (loop->virtual_ns < 0 && loop->now_ns < end_ns))) {
        int64_t begin_ns = loop->now_ns;
        int64_t taken_ns;

        run_batch(loop);
        taken_ns = anyc__now(loop) - begin_ns;
        anyc__expire(loop);
        if (taken_ns > BATCH_LONG_NS && loop->batch > 1)
            loop->batch /= 2;
        else if (taken_ns < BATCH_SHORT_NS && loop->batch < BATCH_MOST)
            loop->batch *= 2;
    }
    return ran;
}

static void settlers_wake(anyc_loop *loop)
{
    anyc_list *node;

    while ((node = anyc__list_first(&loop->settlers)) != NULL)
        anyc__wake(ANYC__CONTAINER(node, struct task_wait, link), 0);
}

/* May the virtual clock jump to the next deadline? Not while a thread is at work. */
static bool can_jump(const anyc_loop *loop)
{
    return loop->virtual_ns >= 0 && loop->holds == 0 && loop->deadlines > 0;
}

/* No task is ready and there is no event: is there something that only waited for this? */
static bool quiet_work(anyc_loop *loop)
{
    if (!anyc__list_empty(&loop->settlers)) {
        settlers_wake(loop);
        return true;
    }
    if (can_jump(loop)) {
        loop->virtual_ns = anyc__timer_next(&loop->timers);
        (void)anyc__now(loop);
        anyc__expire(loop);
        return true;
    }
    return false;
}

static bool wants_quiet(const anyc_loop *loop)
{
    return !anyc__list_empty(&loop->settlers) || can_jump(loop);
}

static bool can_wake(anyc_loop *loop)
{
    return loop->deadlines > 0 || loop->holds > 0 || loop->watch_waits > 0 ||
           atomic_load_explicit(&loop->doors, memory_order_relaxed) > 0 ||
           loop->backend->alive(loop);
}

/* Arm the native timer for the next deadline, and `latest_ns` at the latest, if it would be late. One
 * that is early is left: looking is cheap. */
static void timer_arm(anyc_loop *loop, int64_t latest_ns)
{
    int64_t next_ns = anyc__timer_next(&loop->timers);

    if (loop->virtual_ns >= 0)
        return;
    if (latest_ns < next_ns)
        next_ns = latest_ns;
    if (loop->armed_ns <= loop->now_ns)
        loop->armed_ns = ANYC__NO_DEADLINE;
    if (next_ns >= loop->armed_ns)
        return;
    loop->armed_ns = next_ns;
    loop->backend->sleep_until(loop, next_ns);
}

/* Nothing is to be done but to clear up a little. */
static anyc_turn turn_idle(anyc_loop *loop)
{
    int64_t trim_ns = anyc__stack_trim(loop->pools, loop->now_ns);

    if (trim_ns <= loop->now_ns)
        return ANYC_TURN_READY;
    timer_arm(loop, trim_ns);
    return ANYC_TURN_IDLE;
}

static anyc_turn turn_run(anyc_loop *loop)
{
    for (;;) {
        if (run_ready(loop))
            loop->quiet_poll = false;
        if (loop->main_task == NULL)
            return ANYC_TURN_DONE;
        if (loop->ready_head != NULL)
            return ANYC_TURN_READY;
        if (wants_quiet(loop)) {
            if (!loop->quiet_poll) {
                loop->quiet_poll = true;
                return ANYC_TURN_READY;
            }
            if (quiet_work(loop))
                continue;
        }
        if (can_wake(loop))
            return ANYC_TURN_IDLE;
        anyc__deadlock(loop);
    }
}

anyc_turn anyc_backend_turn(anyc_loop *loop)
{
    anyc_turn turn;

    loop->in_turn = true;
    if (UNLIKELY(loop->instruments != NULL))
        anyc__instruments_poll(loop, -1.0);
    anyc__post_run(loop);
    (void)anyc__now(loop);
    anyc__expire(loop);
    turn = turn_run(loop);
    if (turn == ANYC_TURN_IDLE)
        turn = turn_idle(loop);
    if (UNLIKELY(loop->instruments != NULL) && turn != ANYC_TURN_DONE)
        anyc__instruments_poll(loop, turn == ANYC_TURN_READY ? 0.0
                                     : loop->armed_ns == ANYC__NO_DEADLINE
                                         ? INFINITY
                                         : (double)(loop->armed_ns - loop->now_ns) / 1e9);
    loop->in_turn = false;
    return turn;
}
