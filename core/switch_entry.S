/* SPDX-License-Identifier: MIT */
/*
 * switch_entry.S - the first instructions of a task.
 *
 * They jump to anyc__task_main, with a return address that says in its call frame information that
 * it has no caller: debuggers and unwinders stop there. A call would leave an entry on the
 * processor's stack of return addresses that no return ever takes off, and every return of whoever
 * runs after the task would be mispredicted.
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
        leaq    1f(%rip), %rax
        pushq   %rax
        jmp     anyc__task_main
        nop
1:      ud2
        .cfi_endproc
#elif defined(__aarch64__)
        .type   anyc__switch_entry, %function
anyc__switch_entry:
        .cfi_startproc
        .cfi_undefined x30
        mov     x29, xzr
        adr     x30, 1f
        b       anyc__task_main
        nop
1:      brk     #1
        .cfi_endproc
#endif
        .size   anyc__switch_entry, .-anyc__switch_entry

#if defined(__x86_64__)
        .section .note.GNU-stack, "", @progbits
#else
        .section .note.GNU-stack, "", %progbits
#endif
