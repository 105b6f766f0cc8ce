/* SPDX-License-Identifier: MIT */
/*
 * send_file.h - sending a file by the system itself, where it can.
 */
#ifndef ANYC_NET_SEND_FILE_H
#define ANYC_NET_SEND_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/task.h"
#include "net/socket_stream.h"

#define ANYC__SEND_FILE_PART 262144 /* bytes at a time */

/* What is left to be sent. Invariant: offset + left is as at the beginning, less if the file ends
 * before. */
struct file_part {
    const char *path; /* for messages, or NULL */
    int fd;
    int64_t offset;
    int64_t left;
    int64_t sent;
    bool in_memory; /* its file system: no read of it waits */
    bool copied; /* it has to be read by a worker thread, as none can tell whether a read waits */
};

/* Send it all: 0 when nothing is left, -ENOTSUP if the system does not know how to (then the part
 * says what is left), or what the caller of anyc_send_file is told. */
int anyc__send_file_direct(anyc_task *task, struct socket_stream *socket, struct file_part *part);

/* The next bytes of it, read by a worker thread into `buf`; neither offset nor left changes. Answers
 * bytes, or a code that is told. */
ssize_t anyc__send_file_read(anyc_task *task, const struct file_part *part, void *buf, size_t size);

/* Tell that reading it failed with -errno. Answers `rc`. */
int anyc__send_file_fail(const struct file_part *part, int rc);

#endif
