/* SPDX-License-Identifier: MIT */
/*
 * process_start.h - start a program as a plan says.
 */
#ifndef ANYC_OS_PROCESS_START_H
#define ANYC_OS_PROCESS_START_H

#include "os/process_plan.h"

struct process_started {
    pid_t pid;
    int pidfd; /* close-on-exec; -1: the system has none */
};

/* Suspends the thread until the program is loaded, or until that has failed. Answers 0 or -errno, with
 * a message that names the step; then there is no process. */
int anyc__process_start(const struct process_plan *plan, struct process_started *out_started);

#endif
