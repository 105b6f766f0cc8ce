/* SPDX-License-Identifier: MIT */
/*
 * descriptors.h - ask whether a native loop can be opened at all.
 *
 * libuv's first loop calls abort() and libevent's every loop exit() when the process has no
 * descriptor left for their inner pipes, and libuv's later ones leave one open. So an adapter asks
 * first, and answers -EMFILE.
 */
#ifndef ANYC_BACKENDS_DESCRIPTORS_H
#define ANYC_BACKENDS_DESCRIPTORS_H

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* More than either library opens for a loop and its signals. */
#define ANYC__DESCRIPTORS_OF_LOOP 8

/* 0 if a loop's worth of descriptors is free at this moment, else -EMFILE or -ENFILE. */
static inline int anyc__descriptors_check(void)
{
    int fds[ANYC__DESCRIPTORS_OF_LOOP];
    int count;
    int rc = 0;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    for (count = 2; count < ANYC__DESCRIPTORS_OF_LOOP; count++) {
        fds[count] = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
        if (fds[count] < 0) {
            rc = -errno;
            break;
        }
    }
    while (count > 0)
        close(fds[--count]);
    return rc;
}

#endif
