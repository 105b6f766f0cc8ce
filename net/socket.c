/* SPDX-License-Identifier: MIT */
/*
 * socket.c - the descriptors behind streams and listeners: made and set up.
 */
#include "net/socket.h"

#include <errno.h>

#define BACKLOG_MAX 65536

int anyc__socket_open(int family, int type)
{
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

int anyc__socket_set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

int anyc__socket_listen(int fd, int backlog)
{
    if (backlog == 0 || backlog > BACKLOG_MAX)
        backlog = BACKLOG_MAX;
    return listen(fd, backlog) < 0 ? -errno : 0;
}
