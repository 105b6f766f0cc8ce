/* SPDX-License-Identifier: MIT */
/*
 * switch_entry.S - the first instructions of a task. The frame has no caller, and says so in its
 * call frame information: debuggers and unwinders stop here.
 */
        .text
        .globl  anyc__switch_entry
        .hidden anyc__switch_entry
        .p2align 4
#if defined(__x86_64__)
        .type   anyc__switch_entry, @function
anyc__switch_entry:
        .cfi_startproc
        .cfi_undefined %rip
        xorl    %ebp, %ebp
        call    anyc__task_main
        ud2
        .cfi_endproc
#elif defined(__aarch64__)
        .type   anyc__switch_entry, %function
anyc__switch_entry:
        .cfi_startproc
        .cfi_undefined x30
        mov     x29, xzr
        mov     x30, xzr
        bl      anyc__task_main
        brk     #1
        .cfi_endproc
#endif
        .size   anyc__switch_entry, .-anyc__switch_entry

#if defined(__x86_64__)
        .section .note.GNU-stack, "", @progbits
#else
        .section .note.GNU-stack, "", %progbits
#endif
