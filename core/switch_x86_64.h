/* SPDX-License-Identifier: MIT */
/*
 * switch_x86_64.h - the stack switch for the System V ABI of x86-64.
 *
 * All callee-saved registers but rbp are clobbered, so the compiler saves those that are in use.
 * What includes this is compiled with -mno-red-zone. No CET note: see docs/architecture.md.
 */
#ifndef ANYC_CORE_SWITCH_X86_64_H
#define ANYC_CORE_SWITCH_X86_64_H

#include <string.h>

/* Save rbp and where to go on, note the stack pointer at *save_sp, and go on where `sp` was saved. */
static inline __attribute__((always_inline)) void anyc__switch(void **save_sp, void *sp)
{
    __asm__ volatile("pushq %%rbp\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "movq %%rsp, (%[save])\n\t"
                     "movq %[load], %%rsp\n\t"
                     "popq %%rax\n\t"
                     "jmpq *%%rax\n"
                     "1:\n\t"
                     "popq %%rbp\n\t"
                     : [save] "+S"(save_sp), [load] "+D"(sp)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                       "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc",
                       "memory");
}

/* In switch_entry.S: goes to anyc__task_main, with no caller to unwind to. */
void anyc__switch_entry(void);

/* Prepare a stack so that the first switch to the returned pointer begins a task. */
static inline void *anyc__switch_prepare(char *top, char *low)
{
    void (*entry)(void) = anyc__switch_entry;
    char *frame = (char *)((uintptr_t)top & ~(uintptr_t)15) - sizeof entry;

    (void)low;
    memcpy(frame, &entry, sizeof entry);
    return frame;
}

#endif
