/* SPDX-License-Identifier: MIT */
/*
 * switch.h - change from one stack to another: inline assembly for x86-64 and aarch64 in
 * switch_x86_64.h and switch_aarch64.h, ucontext(3) elsewhere.
 *
 * The switch is inlined, and jumps: a call that is left by a jump, or a return on another stack,
 * unbalances the processor's stack of return addresses, and every return after it is mispredicted
 * (measured: 30 ns a switch instead of 4).
 *
 * The floating-point environment (rounding, exception masks) is one for the whole thread: saving
 * it would double the price of a switch.
 */
#ifndef ANYC_CORE_SWITCH_H
#define ANYC_CORE_SWITCH_H

#include <stddef.h>
#include <stdint.h>

/* Where a task begins, in scheduler.c. */
_Noreturn void anyc__task_main(void);

#if !defined(ANYC_SWITCH_UCONTEXT) && defined(__x86_64__) && !defined(__ILP32__)
#include "core/switch_x86_64.h"
#elif !defined(ANYC_SWITCH_UCONTEXT) && defined(__aarch64__)
#include "core/switch_aarch64.h"
#else

/* Save the registers of this stack, note at *save_sp where, and go on where `sp` was saved. Returns
 * when something switches back. */
void anyc__switch(void **save_sp, void *sp);

/* Prepare a stack from `low` up to `top` so that the first switch to the returned pointer calls
 * anyc__task_main(), with nothing to return to. */
void *anyc__switch_prepare(char *top, char *low);

#endif

#endif
