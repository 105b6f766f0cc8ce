/* SPDX-License-Identifier: MIT */
/*
 * process_stdio.h - the descriptors of a process that is about to be started, and our ends of its
 * pipes.
 */
#ifndef ANYC_OS_PROCESS_STDIO_H
#define ANYC_OS_PROCESS_STDIO_H

#include <anyc/process.h>

#define ANYC__STDIO_COUNT 3

struct process_stdio {
    int theirs[ANYC__STDIO_COUNT];                /* -1: it has none */
    bool made[ANYC__STDIO_COUNT];                 /* for it: closed when it has started */
    anyc_byte_stream *streams[ANYC__STDIO_COUNT]; /* NULL: no pipe */
};

/* Open what the options ask for. The caller is a task, and does not suspend until the process has
 * started. On failure nothing is open: ANYC_EINVAL, -EBADF, ANYC_ENOMEM or -errno, with a message. */
int anyc__process_stdio_open(struct process_stdio *stdio, anyc_loop *loop,
                             const anyc_process_options *options);

/* Close what was made for the process. */
void anyc__process_stdio_close_theirs(struct process_stdio *stdio);

/* Close and free the streams too. */
void anyc__process_stdio_undo(struct process_stdio *stdio);

#endif
