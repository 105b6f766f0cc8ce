/* SPDX-License-Identifier: MIT */
/*
 * tools.h - tell ASan, TSan and Valgrind of every stack and every switch.
 *
 * The sanitizers' functions are weak: one uninstrumented library serves instrumented programs too.
 * Without a tool all of this costs one predicted test per switch.
 */
#ifndef ANYC_CORE_TOOLS_H
#define ANYC_CORE_TOOLS_H

#include <anyc/base.h>

/* A sanitizer watches: use the functions below around each switch. */
extern bool anyc__tools_watch;

/* Valgrind runs the program. */
extern bool anyc__tools_valgrind;

/* The memory is about to be read although it may never have been written: that is no bug. */
void anyc__tools_may_be_unset(const void *memory, size_t size);

/* What happened in one thread before the first call happened before the second one in another: for
 * TSan, which does not see the atomic operations of a library that is not instrumented. */
void anyc__tools_release(void *address);
void anyc__tools_acquire(void *address);

/* A stack was mapped; it stays until the process or its pool ends. */
void anyc__tools_stack_created(char *low, char *top);
/* The stack is about to be used by a new task: whatever the last one left there is over. */
void anyc__tools_stack_reused(char *low, char *top);

/* Name the fiber of a new task, and end it; of the calling thread. NULL where none is needed. */
void *anyc__tools_fiber_create(void);
void anyc__tools_fiber_destroy(void *fiber);
void *anyc__tools_fiber_current(void);

/* Before a switch: `*from_tool` is the state of who leaves (NULL pointer: it never comes back),
 * `to_tool` and the bounds are those of who comes. */
void anyc__tools_before_switch(void **from_tool, void *to_tool, const char *low, size_t size);
/* After it, on the new stack: its saved state. The bounds of the stack left are stored if asked. */
void anyc__tools_after_switch(void *tool, const void **out_low, size_t *out_size);

#endif
