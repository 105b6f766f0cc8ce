/* SPDX-License-Identifier: MIT */
/*
 * process_child.h - what a new process does until it executes its program, and how it says what went
 * wrong on the way.
 */
#ifndef ANYC_OS_PROCESS_CHILD_H
#define ANYC_OS_PROCESS_CHILD_H

#include "os/process_plan.h"

/* The steps, in their order. */
enum process_step {
    PROCESS_STEP_DESCRIPTORS,
    PROCESS_STEP_CHDIR,
    PROCESS_STEP_SETSID,
    PROCESS_STEP_SETPGID,
    PROCESS_STEP_SETGROUPS,
    PROCESS_STEP_SETGID,
    PROCESS_STEP_SETUID,
    PROCESS_STEP_EXEC
};

/* Written to report_fd by a process that does not get to execute its program. */
struct process_report {
    int step;  /* enum process_step */
    int error; /* errno */
};

struct process_birth {
    const struct process_plan *plan;
    int report_fd;            /* close-on-exec */
    volatile bool one_memory; /* set by the child: its parent shares its memory and waits for it */
};

/* Runs in the new process, which shares the memory of the one that makes it; that waits meanwhile.
 * All signals are blocked. arg: a struct process_birth. Does not return. */
int anyc__process_child(void *arg);

#endif
