/* SPDX-License-Identifier: MIT */
/*
 * no_send_file_direct.c - for systems that lack sendfile(2) as Linux has it, or RWF_NOWAIT.
 */
#include "net/send_file.h"

#include <errno.h>

int anyc__send_file_direct(anyc_task *task, struct socket_stream *socket, struct file_part *part)
{
    (void)task;
    (void)socket;
    (void)part;
    return -ENOTSUP;
}
