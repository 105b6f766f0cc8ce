/* SPDX-License-Identifier: MIT */
/*
 * loop.h - one run: the ready queue, the deadlines, and the backend that drives it.
 */
#ifndef ANYC_CORE_LOOP_H
#define ANYC_CORE_LOOP_H

#include <stdatomic.h>

#include <anyc/backend.h>
#include <anyc/cancel.h>
#include <anyc/instrument.h>

#include "core/list.h"
#include "core/post.h"
#include "core/stack.h"
#include "core/task.h"
#include "core/timer.h"

/* Modules above core keep one object in each loop. */
enum loop_local {
    LOOP_LOCAL_WORKERS,  /* threads/: the worker pool */
    LOOP_LOCAL_RUN_VARS, /* core/run_var.c */
    LOOP_LOCAL_SIGNALS,  /* os/ */
    LOOP_LOCAL_PROCESSES,
    LOOP_LOCAL_COUNT
};

struct task_slab;
struct watch_table;

/* The processor's counter as a clock between two readings of the real one; see cycles.h. */
struct cycle_clock {
    uint64_t last;         /* count when now_ns was read */
    uint64_t trusted;      /* cycles for which now_ns and the count tell the time; 0: never */
    uint64_t ns_per_cycle; /* times 2^32 */
    uint64_t measured; /* count and clock when the rate was measured last; 0: unusable, or not */
    int64_t measured_ns;
};

/* Invariants: ready_head == NULL iff ready_tail == &ready_head; head.current != NULL only while a task
 * runs. */
struct anyc_loop {
    /* every switch */
    struct loop_head head;
    anyc_task *ready_head;
    anyc_task **ready_tail;
    anyc_task *turn_last;  /* the last that was ready when the turn began; NULL: it has run */
    void *sp;              /* of the thread that runs the loop, while a task runs */
    int32_t switches_left; /* of this batch */
    bool in_turn;
    bool quiet_poll; /* the loop looked for events since a task ran last */
    bool ending;     /* cancel through shields: the run is being torn down */
    int64_t now_ns;  /* the clock at the last look */
    struct cycle_clock cycles;
    char *zombie_stack; /* of the task that ended last: maybe still executed on */
    struct stack_pool *zombie_pool;
    void *zombie_tool;
    void *tool; /* the thread's own */

    const anyc_backend *backend;
    struct timer_wheel timers;
    size_t deadlines;   /* of scopes and waits, still to come */
    int64_t armed_ns;   /* the native timer; ANYC__NO_DEADLINE: off */
    int64_t virtual_ns; /* the virtual clock, or -1 */
    int32_t batch;      /* switches between two looks at the clock */

    anyc_cancel_scope root_scope;
    struct task_slab *slabs; /* control blocks, in use or free */
    anyc_task *free_tasks;
    struct stack_pool *pools;
    size_t stack_size;
    size_t task_count;
    uint64_t next_task_id;
    anyc_list settlers; /* tasks in anyc_wait_all_tasks_blocked */
    struct instrument_node *instruments;
    uint64_t run_id; /* tells runs apart, from 1 */

    size_t holds;        /* threads, tokens, receivers by which a task may be woken */
    size_t watch_waits;  /* tasks that wait for a descriptor */
    size_t open_watches; /* not yet confirmed as closed */
    void (*on_signal)(anyc_loop *loop, int signum); /* os/ */
    anyc_watch **watches;                           /* by descriptor */
    size_t watches_size;
    struct post_queue posts;

    void *locals[LOOP_LOCAL_COUNT];
    void (*local_ends[LOOP_LOCAL_COUNT])(anyc_loop *loop, void *local);

    anyc_task *main_task;
    int main_rc;
    struct task_failure *main_failure; /* the main task's last error, handed to the thread */
    bool deadlocked;
    const void *thread_stack_low; /* for ASan */
    size_t thread_stack_size;
};

/* Say which loop runs in this thread; NULL: none. */
void anyc__loop_set(anyc_loop *loop);

/* Seconds of the API to ns and back. NAN is the caller's to refuse. */
int64_t anyc__ns_from_seconds(double seconds);
double anyc__seconds_from_ns(int64_t ns);

/* A fresh reading of the clock the run goes by, kept in now_ns. */
int64_t anyc__now(anyc_loop *loop);

/* The same to some nanoseconds, for less; leaves now_ns as it is. */
int64_t anyc__now_near(anyc_loop *loop);

/* now + delay without overflow; ANYC__NO_DEADLINE stays so. With a delay <= 0 now_ns is fresh. */
int64_t anyc__deadline_after(anyc_loop *loop, double delay);

/* While something outside the loop's sight (a thread, a token, a signal receiver) may wake a task,
 * the run does not count as deadlocked. */
static inline void anyc__loop_hold(anyc_loop *loop)
{
    loop->holds++;
}

static inline void anyc__loop_release(anyc_loop *loop)
{
    loop->holds--;
}

/* `end` is called when the run ends, on the loop's thread, outside a task, in the order of the enum. */
void anyc__loop_set_local(anyc_loop *loop, enum loop_local which, void *local,
                          void (*end)(anyc_loop *loop, void *local));

#endif
