/* SPDX-License-Identifier: MIT */
/*
 * fork.h - what becomes of a run in a child of fork(2).
 *
 * The child has a copy of the run's memory, but shares its descriptors, and with them what the system
 * watches for it; of the threads only the one that forked is there. So the child may not go on with
 * the run: calls that need a loop answer ANYC_ESTATE, and what is closed leaves the loop alone.
 */
#ifndef ANYC_CORE_FORK_H
#define ANYC_CORE_FORK_H

#include <anyc/base.h>

/* How many forks ago the process began in which this library was loaded. What a thread of another
 * loop may use remembers it, and is of no use when it has changed. */
extern unsigned anyc__forks;

/* Before any run: be told of forks. */
void anyc__fork_watch(void);

/* Of a loop that is the parent's: from now on it is left alone. Called before something of it is closed,
 * for loops of other threads; for that of the forking thread it has been done. */
void anyc__fork_leave(anyc_loop *loop);

/* Did this thread run a loop when it forked this process, and has it not started afresh? */
bool anyc__fork_inside(void);

/* ANYC_ESTATE, with a message that says what to do. */
int anyc__fail_forked(void);

/* The child goes on with the run of its parent: end it. */
_Noreturn void anyc__fork_went_on(const char *how);

#endif
