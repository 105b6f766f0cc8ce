/* SPDX-License-Identifier: MIT */
/*
 * socket_io.c - the operations of loops that report readiness: the system call first, a wait when
 * it would block, and again.
 *
 * Nothing is taken from the kernel before a wait, and no wait follows once something was taken,
 * so a cancellation loses nothing. The watch may be gone after a wait that failed.
 */
#include "net/socket_io.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "core/watch.h"
#include "net/socket.h"

/* recv(2), or read(2) for what is no socket, as the kernel says. Answers bytes or -errno. */
static ssize_t io_read(int fd, void *buf, size_t max_bytes)
{
    ssize_t n;

    do {
        n = recv(fd, buf, max_bytes, 0);
        if (n < 0 && errno == ENOTSOCK)
            n = read(fd, buf, max_bytes);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* writev(2) on a pipe or the like, which has no MSG_NOSIGNAL: a SIGPIPE that this write brought
 * about is taken back before anyone sees it. */
static ssize_t io_write_quietly(int fd, const struct iovec *pieces, int count)
{
    const struct timespec now = {0};
    sigset_t pipe_only;
    sigset_t before;
    sigset_t pending;
    bool was_pending;
    ssize_t n;
    int error;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    n = writev(fd, pieces, count);
    error = errno;
    if (n < 0 && error == EPIPE && !was_pending)
        (void)sigtimedwait(&pipe_only, NULL, &now); /* none is there if the program ignores it */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return n;
}

/* send(2), sendmsg(2) or writev(2). Answers bytes or -errno. */
static ssize_t io_write(int fd, const struct iovec *pieces, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};
    ssize_t n;

    do {
        if (count == 1)
            n = send(fd, pieces->iov_base, pieces->iov_len, MSG_NOSIGNAL);
        else
            n = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == ENOTSOCK)
            n = io_write_quietly(fd, pieces, count);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

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

ssize_t anyc_backend_default_receive(anyc_watch *watch, void *buf, size_t max_bytes)
{
    ssize_t n;
    int rc = 0;

    n = io_read(watch->fd, buf, max_bytes);
    while (n < 0 && anyc__socket_would_block((int)-n)) {
        rc = anyc__watch_wait(watch, ANYC_READABLE);
        if (rc < 0)
            return rc;
        n = io_read(watch->fd, buf, max_bytes);
    }
    return n;
}

ssize_t anyc_backend_default_send(anyc_watch *watch, const struct iovec *pieces, int count)
{
    ssize_t n;
    int rc = 0;

    n = io_write(watch->fd, pieces, count);
    while (n < 0 && anyc__socket_would_block((int)-n)) {
        rc = anyc__watch_wait(watch, ANYC_WRITABLE);
        if (rc < 0)
            return rc;
        n = io_write(watch->fd, pieces, count);
    }
    return n;
}

int anyc_backend_default_accept(anyc_watch *watch, struct sockaddr *peer, socklen_t *peer_len)
{
    socklen_t room = *peer_len;
    int fd;
    int rc = 0;

    fd = io_accept(watch->fd, peer, peer_len);
    while (fd < 0 && anyc__socket_would_block(-fd)) {
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
