/* SPDX-License-Identifier: MIT */
/*
 * switch_ucontext.c - the stack switch for processors without assembly of ours, by ucontext(3).
 *
 * Slower by a hundred times (each switch sets the signal mask by a system call), and correct.
 * A saved "stack pointer" is the address of a context: of a task at the lowest address of its
 * stack, of a thread in its own storage.
 */
#include <stddef.h>
#include <ucontext.h>

#include "core/switch.h"

static _Thread_local ucontext_t thread_context;
static _Thread_local ucontext_t *running; /* NULL: the thread's own */

void anyc__switch(void **save_sp, void *sp)
{
    ucontext_t *from = running != NULL ? running : &thread_context;

    *save_sp = from;
    running = sp != &thread_context ? sp : NULL;
    (void)swapcontext(from, sp);
}

void *anyc__switch_prepare(char *top, char *low)
{
    ucontext_t *context = (ucontext_t *)(void *)low;
    char *bottom = low + sizeof *context;

    (void)getcontext(context);
    context->uc_stack.ss_sp = bottom;
    context->uc_stack.ss_size = (size_t)(top - bottom);
    context->uc_link = NULL;
    makecontext(context, anyc__task_main, 0);
    return context;
}
