/* SPDX-License-Identifier: MIT */
/*
 * libevent_posix.c - for systems without eventfd or epoll.
 */
#include "backends/libevent.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int anyc__libevent_open_wake(int fds[2])
{
    int pair[2];
    int rc = 0;

    if (pipe(pair) < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        if (fcntl(pair[i], F_SETFD, FD_CLOEXEC) < 0 || fcntl(pair[i], F_SETFL, O_NONBLOCK) < 0)
            rc = -errno;
    }
    if (rc < 0) {
        close(pair[0]);
        close(pair[1]);
        return rc;
    }
    fds[0] = pair[0];
    fds[1] = pair[1];
    return 0;
}

int anyc__libevent_check_fd(int fd)
{
    struct stat info;

    if (fstat(fd, &info) < 0)
        return -errno;
    return S_ISREG(info.st_mode) || S_ISDIR(info.st_mode) || S_ISBLK(info.st_mode) ? -EPERM : 0;
}
