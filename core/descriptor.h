/* SPDX-License-Identifier: MIT */
/*
 * descriptor.h - what there is to do with any descriptor.
 */
#ifndef ANYC_CORE_DESCRIPTOR_H
#define ANYC_CORE_DESCRIPTOR_H

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

/* Does this errno only say that the call would have to wait? */
static inline bool anyc__would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

/* Close a descriptor; nothing to do for -1. Keeps errno. */
static inline void anyc__descriptor_close(int fd)
{
    int kept = errno;

    if (fd >= 0)
        close(fd); /* also when it answers EINTR the descriptor is gone */
    errno = kept;
}

#endif
