/* SPDX-License-Identifier: MIT */
/*
 * task.h - tasks, and how they wait: what every module above core builds on.
 *
 * An asynchronous function has this form:
 *
 *     rc = anyc__enter(&task);              // cancelled? no loop? its turn used up?
 *     if (rc < 0)
 *         return rc;
 *     if (can be done now)
 *         return 0;
 *     anyc__list_push(&object->waiters, &wait.link);
 *     return anyc__wait(&wait, &object_wait, object);
 *
 * anyc__enter may let other tasks run, so an object that anyc_aclose can free must be held (a count
 * of users) before it is called, not after.
 *
 * Who completes the wait calls anyc__wake(wait, rc), which takes the node out of the queue and
 * makes the task ready. A cancellation does the same with ANYC_ECANCELLED, so a node in a queue
 * never belongs to a task that has been cancelled, and whichever comes first wins.
 */
#ifndef ANYC_CORE_TASK_H
#define ANYC_CORE_TASK_H

#include <anyc/cancel.h>
#include <anyc/task.h>

#include "core/list.h"
#include "core/timer.h"

struct task_wait;

/* A kind of wait. */
struct wait_type {
    const char *what; /* "lock": for dumps and the deadlock list */

    /* Called once when the wait is given up, before the task is made ready, to undo what stands
     * beside the queue (counts, hand-overs); the node is unlinked afterwards. NULL: nothing. */
    void (*abandon)(struct task_wait *wait);

    /* The task that must act first (the owner of a lock), or NULL. NULL slot: unknown. */
    const anyc_task *(*owner)(const struct task_wait *wait);
};

/* On the stack of the task that waits. Link it into the queue of what it waits for, if that has
 * one; zero it otherwise. */
struct task_wait {
    anyc_list link;
    anyc_task *task;
    const struct wait_type *type;
    const void *on; /* the object, for dumps */
    int rc;         /* result of the wait */
};

enum task_state {
    TASK_NEW,     /* in the ready queue, has no stack yet */
    TASK_READY,   /* in the ready queue */
    TASK_RUNNING, /* the loop's head.current */
    TASK_WAITING, /* task->wait != NULL */
    TASK_ENDED
};

/* Invariants: state == TASK_WAITING iff wait != NULL; scope is never NULL; a task of state NEW or
 * READY is in the ready queue exactly once. */
struct anyc_task {
    /* written at each switch */
    void *sp;
    anyc_task *ready_next;
    anyc_cancel_scope *scope; /* innermost scope that reaches the task */
    struct task_wait *wait;
    anyc_loop *loop;
    void *tool; /* ASan's fake stack or TSan's fiber */
    uint8_t state;
    bool wait_shielded;  /* the present wait cannot be cancelled */
    bool has_status : 1; /* fn is an anyc_start_fn */
    bool named : 1;      /* `owned` begins with the name given to it */
    bool asleep : 1;     /* it waits for its deadline: there is nothing to undo */
    bool signalled;      /* it said that it has started */
    int last_code;   /* of its last failing call; the details are in `failure` if that is newer */
    char *stack_low; /* lowest usable address; NULL before the first run */

    /* written at spawn */
    struct stack_pool *pool;
    union {
        struct { /* until it runs */
            union {
                anyc_task_fn plain;
                anyc_start_fn start;
            } fn;
            void *arg;
        };
        struct timer timer; /* see core/deadline.h; ANYC__NO_DEADLINE: not armed */
    };
    int64_t wait_deadline_ns;     /* of the present wait; ANYC__NO_DEADLINE: none */
    anyc_task_group *group;       /* NULL: the main task */
    anyc_list link;               /* in group->children */
    anyc_task_handle *handle;     /* or NULL */
    struct task_start *start;     /* who waits for it to signal that it has started, or NULL */
    anyc_cancel_scope *outermost; /* its own outermost scope, or NULL */
    const char *origin;           /* "function\0file:line", static */
    void *owned;                  /* copied name and argument, freed at the end */
    uint64_t id;

    /* written on failure */
    struct task_failure *failure;          /* last error with a message, or NULL */
    struct group_failures *group_failures; /* list of the last group that failed, or NULL */
};

/* The loop that runs in this thread, or NULL. */
extern _Thread_local anyc_loop *anyc__loop __attribute__((tls_model("initial-exec")));

/* What the functions below look at. Invariant: calls_left > 0 => current != NULL. */
struct loop_head {
    anyc_task *current; /* that runs, or NULL */
    int32_t calls_left; /* of it, until it must let others run */
};

/* The head of that loop; without a loop, that of none: never NULL. */
extern _Thread_local struct loop_head *anyc__head __attribute__((tls_model("initial-exec")));

/* The running task, or NULL outside one. */
static inline anyc_task *anyc__task(void)
{
    return anyc__head->current;
}

/* As anyc__enter if that would answer 0 without letting others run; else does nothing. */
ALWAYS_INLINE bool anyc__enter_at_once(anyc_task **out_task)
{
    struct loop_head *head = anyc__head;
    int32_t calls_left = head->calls_left - 1;

    if (UNLIKELY(calls_left < 0 || head->current->scope->limit_ns != INT64_MAX))
        return false;
    head->calls_left = calls_left;
    *out_task = head->current;
    return true;
}

/* The rest of anyc__enter. */
int anyc__enter_slowly(anyc_task **out_task);

/* Begin an asynchronous function. Answers 0 and the running task, or ANYC_ENOLOOP outside a task,
 * or ANYC_ECANCELLED. A task that has made many calls without waiting is put at the back of the
 * queue first. Nothing of the caller's operation may have happened before. */
ALWAYS_INLINE int anyc__enter(anyc_task **out_task)
{
    return anyc__enter_at_once(out_task) ? 0 : anyc__enter_slowly(out_task);
}

/* As anyc__enter without the yield: for the parts of an operation after it first did something.
 * Answers 0 or ANYC_ECANCELLED. */
int anyc__check_limit(anyc_task *task);

static inline int anyc__check_cancelled(anyc_task *task)
{
    return task->scope->limit_ns == INT64_MAX ? 0 : anyc__check_limit(task);
}

/* Suspend the running task until anyc__wake or a cancellation. If the task is cancelled already,
 * does what the cancellation would do and does not suspend. Answers the result given to
 * anyc__wake, or ANYC_ECANCELLED. The node is unlinked on return. */
int anyc__wait(struct task_wait *wait, const struct wait_type *type, const void *on);

/* The same, but no cancellation ends it. */
int anyc__wait_shielded(struct task_wait *wait, const struct wait_type *type, const void *on);

/* As anyc__wait, until `deadline_ns` of the loop's clock at the latest: answers ANYC_ETIMEDOUT
 * then, after `abandon`. */
int anyc__wait_until(struct task_wait *wait, const struct wait_type *type, const void *on,
                     int64_t deadline_ns);

/* End the wait with a result and make its task ready. On the loop's thread only; allocates
 * nothing, runs nobody. */
void anyc__wake(struct task_wait *wait, int rc);

/* The same for a task whose node is in no queue. */
void anyc__wake_waiting(anyc_task *task, int rc);

/* Let every task that is ready run once. Cannot be cancelled. */
void anyc__yield(anyc_task *task);

/* The name given at spawn, else the function's; never NULL. */
const char *anyc__task_name(const anyc_task *task);

/* What `origin` says after the function's name: "file:line". */
const char *anyc__task_place(const anyc_task *task);

/* Is there still a task with this id at this address? In the running loop; `task` may be stale. For
 * objects that remember a task which may have ended. */
bool anyc__task_alive(const anyc_task *task, uint64_t id);

/* As anyc_task_group_start_soon_copy, for an argument that must not be lost: the task has its stack
 * already, so that it runs whatever happens. With `arg_size` 0 the argument is not copied. */
int anyc__group_start_certain(const char *origin, anyc_task_group *group, anyc_task_fn fn,
                              const void *arg, size_t arg_size, const char *name);

/* -- between the files of core only -- */

/* Make a task that waits or is new ready to run. */
void anyc__task_ready(anyc_task *task);

/* Would anyc__check_cancelled answer ANYC_ECANCELLED? Leaves the last error alone. */
bool anyc__task_cancelled(anyc_task *task);

/* Give up the wait of a task if it is in one that can be cancelled. */
void anyc__task_interrupt(anyc_task *task);

/* The deadline of the task's wait has passed. */
void anyc__task_time_out(anyc_task *task);

/* Control block for a new task of state NEW that is not in the ready queue yet; NULL without
 * memory. `name` and the `copy_size` bytes at `copy` are copied (NULL: none); with a copy, it is
 * the task's argument. */
anyc_task *anyc__task_create(anyc_loop *loop, const char *origin, const char *name,
                             const void *copy, size_t copy_size);
void anyc__task_destroy(anyc_task *task);

/* Free the memory of all control blocks, at the end of the run. */
void anyc__task_slabs_destroy(anyc_loop *loop);

/* Call `visit` for each task of the loop that has not ended; stops when it answers false. */
void anyc__task_each(anyc_loop *loop, bool (*visit)(anyc_task *task, void *arg), void *arg);

/* The task's function returned: closes what it left open and tells its group. Runs on the task's
 * own stack, or on the loop's if the task could not be given one. */
void anyc__task_ended(anyc_task *task, int rc);

#endif
