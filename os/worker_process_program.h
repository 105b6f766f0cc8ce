/* SPDX-License-Identifier: MIT */
/*
 * worker_process_program.h - how to execute this program once more, as a worker.
 */
#ifndef ANYC_OS_WORKER_PROCESS_PROGRAM_H
#define ANYC_OS_WORKER_PROCESS_PROGRAM_H

#include "os/worker_process_message.h"

/* What execve(2) is to be given. */
struct worker_program {
    int exe;       /* descriptor of the file, not 0, 1 or 2 */
    char path[32]; /* that leads to it: "/proc/self/fd/7" */
    const char **argv;
    const char **env;
    char *args;      /* what entries of argv point to, or NULL */
    char *file;      /* likewise */
    char *preload;   /* what entries of env point to, or NULL */
    char birth[128]; /* likewise */
};

/* Fill it in for a worker of this kind, whose `preload` is decided here. Answers 0; ANYC_ENOMEM; -EPERM:
 * the program has raised privileges; -ENOTSUP: it was started in a way that cannot be repeated; -errno.
 * deinit is due in any case. */
int anyc__worker_program_init(struct worker_program *program, struct worker_birth *birth);
void anyc__worker_program_deinit(struct worker_program *program);

#endif
