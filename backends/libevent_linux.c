/* SPDX-License-Identifier: MIT */
/*
 * libevent_linux.c - for systems with eventfd and epoll.
 */
#include "backends/libevent.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

int anyc__libevent_open_wake(int fds[2])
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return -errno;
    fds[0] = fd;
    fds[1] = fd;
    return 0;
}

/* Lets the kernel say whether it can watch a file of an uncommon kind. */
static int libevent_probe_fd(int fd)
{
    struct epoll_event event = {0};
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int rc = 0;

    if (epoll_fd < 0)
        return -errno;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        rc = -errno;
    close(epoll_fd);
    return rc;
}

int anyc__libevent_check_fd(int fd)
{
    struct stat info;

    if (fstat(fd, &info) < 0)
        return -errno;
    if (S_ISSOCK(info.st_mode) || S_ISFIFO(info.st_mode))
        return 0;
    return libevent_probe_fd(fd);
}
