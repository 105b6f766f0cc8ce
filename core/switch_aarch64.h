/* SPDX-License-Identifier: MIT */
/*
 * switch_aarch64.h - the stack switch for the AAPCS64.
 *
 * All callee-saved registers but x29 and x30 are clobbered, so the compiler saves those in use.
 */
#ifndef ANYC_CORE_SWITCH_AARCH64_H
#define ANYC_CORE_SWITCH_AARCH64_H

#include <string.h>

/* Save x29, x30 and where to go on, note the stack pointer at *save_sp, and go on where `sp` was
 * saved. */
static inline __attribute__((always_inline)) void anyc__switch(void **save_sp, void *sp)
{
    register void **save __asm__("x0") = save_sp;
    register void *load __asm__("x1") = sp;

    __asm__ volatile("stp x29, x30, [sp, #-32]!\n\t"
                     "adr x9, 1f\n\t"
                     "str x9, [sp, #16]\n\t"
                     "mov x9, sp\n\t"
                     "str x9, [%[save]]\n\t"
                     "mov sp, %[load]\n\t"
                     "ldr x9, [sp, #16]\n\t"
                     "br x9\n"
                     "1:\n\t"
                     "ldp x29, x30, [sp], #32\n\t"
                     : [save] "+r"(save), [load] "+r"(load)
                     :
                     : "x9", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x10", "x11", "x12", "x13",
                       "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24",
                       "x25", "x26", "x27", "x28", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7",
                       "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18",
                       "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",
                       "v30", "v31", "cc", "memory");
}

/* In switch_entry.S: goes to anyc__task_main, with no caller to unwind to. */
void anyc__switch_entry(void);

/* Prepare a stack so that the first switch to the returned pointer begins a task. */
static inline void *anyc__switch_prepare(char *top, char *low)
{
    void (*entry)(void) = anyc__switch_entry;
    char *frame = (char *)((uintptr_t)top & ~(uintptr_t)15) - 32;

    (void)low;
    memcpy(frame + 16, &entry, sizeof entry);
    return frame;
}

#endif
