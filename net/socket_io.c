/* SPDX-License-Identifier: MIT */
/*
 * socket_io.c - accept and connect for loops that report readiness, as streams/descriptor_io.c has
 * it for receive and send.
 */
#include "net/socket_io.h"

#include <errno.h>

#include "core/descriptor.h"
#include "core/watch.h"
#include "net/socket.h"

/* Did the connection at hand fail, while the listener is well? accept(2) lists these. */
static bool io_peer_went(int error)
{
    return error == ECONNABORTED || error == EPROTO || error == ENETDOWN || error == ENETUNREACH ||
           error == EHOSTUNREACH || error == ENOPROTOOPT;
}

/* accept4(2), passing over connections that went before they were taken: a descriptor or -errno. */
static int io_accept(int fd, struct sockaddr *peer, socklen_t *peer_len)
{
    socklen_t room = *peer_len;
    int accepted;

    do {
        *peer_len = room;
        accepted = accept4(fd, peer, peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (accepted < 0 && (errno == EINTR || io_peer_went(errno)));
    if (accepted < 0)
        return -errno;
    if (*peer_len > room)
        *peer_len = room;
    return accepted;
}

/* What became of a connect that was under way: 0, -EAGAIN while it still is, or -errno. */
static int io_connect_outcome(int fd)
{
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof peer;
    int error = 0;
    socklen_t error_len = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) < 0)
        return -errno;
    if (error != 0)
        return -error;
    if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0)
        return 0;
    return errno == ENOTCONN ? -EAGAIN : -errno;
}

int anyc_backend_default_accept(anyc_watch *watch, struct sockaddr *peer, socklen_t *peer_len)
{
    socklen_t room = *peer_len;
    int fd;
    int rc = 0;

    fd = io_accept(watch->fd, peer, peer_len);
    while (fd < 0 && anyc__would_block(-fd)) {
        rc = anyc__watch_wait(watch, ANYC_READABLE);
        if (rc < 0)
            return rc;
        *peer_len = room;
        fd = io_accept(watch->fd, peer, peer_len);
    }
    return fd;
}

int anyc_backend_default_connect(anyc_watch *watch, const struct sockaddr *address,
                                 socklen_t address_len)
{
    int rc = 0;

    if (connect(watch->fd, address, address_len) == 0)
        return 0;
    /* An interrupted connect of a non-blocking socket goes on by itself. */
    if (errno != EINPROGRESS && errno != EINTR)
        return -errno;
    do {
        rc = anyc__watch_wait(watch, ANYC_WRITABLE);
        if (rc == 0)
            rc = io_connect_outcome(watch->fd);
    } while (rc == -EAGAIN);
    return rc;
}
