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
#include <anyc/task.h>

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
    LOOP_LOCAL_WORKER_PROCESSES,
    LOOP_LOCAL_PROCESSES, /* after them: it waits for their ends */
    LOOP_LOCAL_TLS,       /* streams/: the context of clients that name none */
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
    bool adopted; /* the native loop is the host's */
    struct timer_wheel timers;
    size_t deadlines;   /* of scopes and waits, still to come */
    int64_t armed_ns;   /* the native timer; ANYC__NO_DEADLINE: off */
    int64_t virtual_ns; /* the virtual clock, or -1 */
    int32_t batch;      /* switches between two looks at the clock */

    anyc_task_group root_group; /* around the main task; holds what no task has started */
    struct task_slab *slabs;    /* control blocks, in use or free */
    anyc_task *free_tasks;
    struct stack_pool *pools;
    size_t stack_size;
    size_t task_count;
    uint64_t next_task_id;
    anyc_list settlers; /* tasks in anyc_wait_all_tasks_blocked */
    struct instrument_node *instruments;
    uint64_t run_id; /* tells runs apart, from 1 */
    unsigned forks;  /* anyc__forks of its process; see fork.h */

    size_t holds;        /* threads at work and receivers, by which a task may be woken */
    atomic_size_t doors; /* tokens and portals by which foreign threads may come in at any time */
    size_t watch_waits;  /* tasks that wait for a descriptor */
    size_t open_watches; /* not yet confirmed as closed */
    void (*on_signal)(anyc_loop *loop, int signum); /* os/ */
    anyc_watch **watches;                           /* by descriptor */
    size_t watches_size;
    struct post_queue posts;

    void *locals[LOOP_LOCAL_COUNT];
    void (*local_ends[LOOP_LOCAL_COUNT])(anyc_loop *loop, void *local);

    anyc_task *main_task;
    anyc_task_fn main_fn;
    void *main_arg;
    bool closing; /* main_fn has returned: no task may be added to the root group */
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

/* The same for what waits for foreign threads to come in: nothing is at work, so that the virtual
 * clock goes on. The opening is for the loop's thread; the closing for any while the loop stays. */
static inline void anyc__loop_open_door(anyc_loop *loop)
{
    atomic_fetch_add_explicit(&loop->doors, 1, memory_order_relaxed);
}

void anyc__loop_close_door(anyc_loop *loop);

/* `end` is called when the run ends, on the loop's thread, outside a task, in the order of the enum. */
void anyc__loop_set_local(anyc_loop *loop, enum loop_local which, void *local,
                          void (*end)(anyc_loop *loop, void *local));

#endif
