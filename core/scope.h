/* SPDX-License-Identifier: MIT */
/*
 * scope.h - the tree of cancel scopes, for the files of core.
 *
 * Scopes of one task form a chain, linked by outer and inner. The outermost scope of a child task
 * has its group's scope as `outer`; the group finds it through its list of children. Invariant:
 * scope->limit_ns == INT64_MIN if its cancel was called, else the smaller of its own deadline and,
 * unless it is shielded, outer->limit_ns. So a checkpoint looks at one number.
 */
#ifndef ANYC_CORE_SCOPE_H
#define ANYC_CORE_SCOPE_H

#include <anyc/cancel.h>

#include "core/task.h"

#define SCOPE_CANCELLED INT64_MIN
#define SCOPE_MAGIC 0x616e7963u /* with the address folded in, see scope_mark */

/* Fill in a scope of `task` that lies directly within `outer`, without linking it to the task. */
void anyc__scope_init(anyc_cancel_scope *scope, anyc_task *task, anyc_cancel_scope *outer,
                      int64_t deadline_ns);

/* What the entering calls have in common. The deadline is compared with the loop's now_ns, which the
 * caller has brought up to date if there is a deadline; that of the options is not looked at. */
int anyc__scope_enter(anyc_cancel_scope *scope, int64_t deadline_ns,
                      const anyc_cancel_scope_options *options);

/* Make an initialised scope the task's innermost one, and arm its deadline. */
void anyc__scope_push(anyc_cancel_scope *scope);

/* Take the task's innermost scope off. */
void anyc__scope_pop(anyc_cancel_scope *scope);

/* Is this memory a scope that is entered now? Safe on any memory. */
bool anyc__scope_entered(const anyc_cancel_scope *scope);

/* Take a scope that is not the innermost one out of its task's chain. */
void anyc__scope_splice(anyc_cancel_scope *scope);

/* Recompute the limit after a change of this scope, and push it inward; wakes whom it reaches. */
void anyc__scope_update(anyc_cancel_scope *changed);

/* Answers what a scope's exit makes of the block's result, and notes whether it swallowed it. */
int anyc__scope_result(anyc_cancel_scope *scope, int rc);

/* Is a cancellation from outside visible through this scope? */
bool anyc__scope_cancelled_from_outside(const anyc_cancel_scope *scope);

/* Has a cancellation reached the innermost scope of a task that waits? For other threads. */
static inline bool anyc__scope_reached(const anyc_cancel_scope *scope)
{
    return __atomic_load_n(&scope->limit_ns, __ATOMIC_RELAXED) == SCOPE_CANCELLED;
}

/* Cancel on behalf of a deadline or a task. */
void anyc__scope_cancel(anyc_cancel_scope *scope, const char *reason, bool by_deadline);

/* A task has returned: let go of the scopes that it did not leave, if they are still there. */
void anyc__scopes_abandon(anyc_task *task);

/* A task has returned without leaving this scope, group or handle: end the program if the object was
 * on the task's stack, where it may be overwritten by now. Does not read it. */
void anyc__check_outlives(const anyc_task *task, const void *object);

#endif
