/* SPDX-License-Identifier: MIT */
/*
 * cancel.h - cancel scopes and timeouts.
 *
 *     anyc_cancel_scope scope;
 *     anyc_fail_after(&scope, 2.0, false);
 *     int rc = fetch(url);
 *     rc = anyc_cancel_scope_exit(&scope, rc);   // ANYC_ETIMEDOUT if the deadline cut fetch short
 *
 * A cancelled scope is a state, not a message: every checkpoint inside answers ANYC_ECANCELLED
 * until the scope is left. Scopes of one task nest; leave them in reverse order, in the task that
 * entered them. A scope needs no initialisation before it is entered; its memory must stay in
 * place until it is left.
 */
#ifndef ANYC_CANCEL_H
#define ANYC_CANCEL_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A region of a task that can be cancelled as a whole. All fields are private. */
typedef struct anyc_cancel_scope {
    struct anyc_cancel_scope *outer;   /* enclosing scope, of this task or of its group */
    struct anyc_cancel_scope *inner;   /* the next scope inward of the same task */
    struct anyc_cancel_scope *pending; /* work list while a change is pushed inward */
    anyc_task *task;                   /* that entered it; NULL: not entered */
    struct anyc_task_group *group;     /* the group whose scope this is */
    int64_t limit_ns;                  /* effective deadline; INT64_MIN: effectively cancelled */
    int64_t deadline_ns;               /* its own; INT64_MAX: none */
    const char *reason;                /* of the first cancel */
    uint32_t magic;                    /* tells an entered scope from any other memory */
    bool shield;
    bool fail; /* exit turns a deadline into ANYC_ETIMEDOUT */
    bool cancel_called;
    bool by_deadline;   /* what cancelled it first */
    bool caught;        /* the exit swallowed a cancellation */
    char canceller[27]; /* name of the task that cancelled it, cut to fit */
} anyc_cancel_scope;

/** What a scope may be told on entry; all zero means the defaults. */
typedef struct anyc_cancel_scope_options {
    double deadline;    /* seconds on the loop's clock; 0: none; in the past: cancelled at once */
    bool shield;        /* keep cancellation of outer scopes out */
    bool fail;          /* let the exit answer ANYC_ETIMEDOUT if the deadline cut something short */
    const char *reason; /* for people, of a cancellation by the deadline; borrowed until the exit */
} anyc_cancel_scope_options;

/**
 * Enter a scope.
 *
 * @param scope    storage for it; borrowed until the exit
 * @param options  NULL or zero fields: no deadline, no shield
 *
 * Returns: 0, or
 *   ANYC_ENOLOOP  not called from a task
 *   ANYC_ESTATE   the scope is entered already
 *   ANYC_EINVAL   the deadline is not a number
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: tasks only.
 * AnyIO:   CancelScope.__enter__.
 */
ANYC_API int anyc_cancel_scope_enter(anyc_cancel_scope *scope,
                                     const anyc_cancel_scope_options *options);

/**
 * Leave a scope with the result of its block.
 *
 * @param scope  the innermost scope of this task
 * @param rc     the block's result
 *
 * Returns: what the caller should go on with:
 *   0               rc was ANYC_ECANCELLED, this scope's own cancellation caused it and no outer
 *                   one reaches in
 *   ANYC_ETIMEDOUT  the same by a deadline, in a scope of anyc_fail_after or anyc_fail_at
 *   rc              otherwise
 *   ANYC_ESTATE     the scope is not entered, not by this task, or not the innermost: it stays as
 *                   it was
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    the storage is the caller's again.
 * Cancel:  never suspends.
 * Threads: tasks only.
 * AnyIO:   CancelScope.__exit__.
 */
ANYC_MUST_USE ANYC_API int anyc_cancel_scope_exit(anyc_cancel_scope *scope, int rc);

/**
 * Cancel a scope: all that waits inside, children of groups included, gets ANYC_ECANCELLED, unless
 * a shield lies between. Repeating it changes nothing. Not entered: does nothing.
 *
 * @param scope   an entered scope
 * @param reason  for people, or NULL; borrowed until the scope is left
 *
 * Owns:    nothing is taken; allocates nothing.
 * Cancel:  never suspends.
 * Threads: the scope's loop only (any task, or a callback of the loop).
 * AnyIO:   CancelScope.cancel.
 */
ANYC_API void anyc_cancel_scope_cancel(anyc_cancel_scope *scope, const char *reason);

/**
 * Was the scope cancelled, by a call or by its deadline? Can be read after the exit too.
 *
 * @param scope  that was entered once
 *
 * Returns: true once it was.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the scope's loop only.
 * AnyIO:   CancelScope.cancel_called.
 */
ANYC_API bool anyc_cancel_scope_cancel_called(const anyc_cancel_scope *scope);

/**
 * Did the exit swallow a cancellation?
 *
 * @param scope  that was entered once
 *
 * Returns: true after an exit that turned ANYC_ECANCELLED into another result.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the scope's loop only.
 * AnyIO:   CancelScope.cancelled_caught.
 */
ANYC_API bool anyc_cancel_scope_cancelled_caught(const anyc_cancel_scope *scope);

/**
 * The scope's own deadline.
 *
 * @param scope  that was entered once
 *
 * Returns: seconds on the loop's clock, INFINITY if there is none.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the scope's loop only.
 * AnyIO:   CancelScope.deadline.
 */
ANYC_API double anyc_cancel_scope_deadline(const anyc_cancel_scope *scope);

/**
 * Move the deadline; at once: one in the past cancels the scope in this call. After a cancel it
 * changes nothing any more.
 *
 * @param scope     an entered scope
 * @param deadline  seconds on the loop's clock; INFINITY: none
 *
 * Returns: 0, ANYC_ESTATE if the scope is not entered, ANYC_ENOLOOP outside of a run, or
 *          ANYC_EINVAL for no number.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the scope's loop only.
 * AnyIO:   CancelScope.deadline (set).
 */
ANYC_API int anyc_cancel_scope_set_deadline(anyc_cancel_scope *scope, double deadline);

/**
 * Is the scope shielded from outer cancellation?
 *
 * @param scope  that was entered once
 *
 * Returns: true if it is.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the scope's loop only.
 * AnyIO:   CancelScope.shield.
 */
ANYC_API bool anyc_cancel_scope_shield(const anyc_cancel_scope *scope);

/**
 * Put a shield up or take it down; at once: a task inside is woken if an outer cancellation waits.
 *
 * @param scope   an entered scope
 * @param shield  the new state
 *
 * Returns: 0, ANYC_ESTATE if the scope is not entered, or ANYC_ENOLOOP outside of a run.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the scope's loop only.
 * AnyIO:   CancelScope.shield (set).
 */
ANYC_API int anyc_cancel_scope_set_shield(anyc_cancel_scope *scope, bool shield);

/**
 * Enter a scope that cancels itself after a delay, and then exits with 0.
 *
 * @param scope   storage for it; leave it with anyc_cancel_scope_exit
 * @param delay   seconds; INFINITY: never; 0 or less: at once
 * @param shield  keep outer cancellation out
 *
 * Returns: as anyc_cancel_scope_enter.
 * Owns:    `scope` is borrowed until its exit.
 * Cancel:  never suspends.
 * Threads: tasks only.
 * AnyIO:   move_on_after.
 */
ANYC_API int anyc_move_on_after(anyc_cancel_scope *scope, double delay, bool shield);

/**
 * Enter a scope that cancels itself after a delay, and then exits with ANYC_ETIMEDOUT.
 *
 * @param scope   storage for it; leave it with anyc_cancel_scope_exit
 * @param delay   seconds; INFINITY: never; 0 or less: at once
 * @param shield  keep outer cancellation out
 *
 * Returns: as anyc_cancel_scope_enter.
 * Owns:    `scope` is borrowed until its exit.
 * Cancel:  never suspends.
 * Threads: tasks only.
 * AnyIO:   fail_after.
 */
ANYC_API int anyc_fail_after(anyc_cancel_scope *scope, double delay, bool shield);

/**
 * As anyc_move_on_after, with a moment of the loop's clock.
 *
 * @param scope     storage for it; leave it with anyc_cancel_scope_exit
 * @param deadline  seconds on the clock of anyc_current_time
 * @param shield    keep outer cancellation out
 *
 * Returns: as anyc_cancel_scope_enter.
 * Owns:    `scope` is borrowed until its exit.
 * Cancel:  never suspends.
 * Threads: tasks only.
 * AnyIO:   move_on_at.
 */
ANYC_API int anyc_move_on_at(anyc_cancel_scope *scope, double deadline, bool shield);

/**
 * As anyc_fail_after, with a moment of the loop's clock.
 *
 * @param scope     storage for it; leave it with anyc_cancel_scope_exit
 * @param deadline  seconds on the clock of anyc_current_time
 * @param shield    keep outer cancellation out
 *
 * Returns: as anyc_cancel_scope_enter.
 * Owns:    `scope` is borrowed until its exit.
 * Cancel:  never suspends.
 * Threads: tasks only.
 * AnyIO:   fail_at.
 */
ANYC_API int anyc_fail_at(anyc_cancel_scope *scope, double deadline, bool shield);

/**
 * The nearest deadline of the scopes that reach this task.
 *
 * Returns: seconds on the loop's clock; -INFINITY if the task is cancelled, INFINITY without a
 *          deadline or outside a task.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   current_effective_deadline.
 */
ANYC_API double anyc_current_effective_deadline(void);

/**
 * Would the next checkpoint of this task answer ANYC_ECANCELLED?
 *
 * Returns: true if it would; false outside a task.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   TaskInfo.has_pending_cancellation.
 */
ANYC_API bool anyc_has_pending_cancellation(void);

/**
 * Why the calling task is cancelled: the reason given, the deadline, and the task that asked for it.
 *
 * Returns: one line, or NULL if the task is not cancelled.
 * Owns:    borrowed, valid until the task's next failing call.
 * Cancel:  never suspends.
 * Threads: tasks only.
 * AnyIO:   str() of the cancellation exception (4.11).
 */
ANYC_API const char *anyc_cancel_reason(void);

#ifdef __cplusplus
}
#endif

#endif
