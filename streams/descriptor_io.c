/* SPDX-License-Identifier: MIT */
/*
 * descriptor_io.c - receive and send for loops that report readiness: the system call first, a wait
 * when it would block, and again.
 *
 * Nothing is taken from the kernel before a wait, and no wait follows once something was taken,
 * so a cancellation loses nothing. The watch may be gone after a wait that failed.
 */
#include "streams/descriptor_io.h"

#include <errno.h>
#include <unistd.h>

#include "core/descriptor.h"
#include "core/sigpipe.h"
#include "core/watch.h"

/* Did the system call just now say that the descriptor is no socket? It is not asked again. */
static bool io_no_socket(anyc_watch *watch, ssize_t n)
{
    watch->no_socket = watch->no_socket || (n < 0 && errno == ENOTSOCK);
    return watch->no_socket;
}

/* recv(2), or read(2) for what is no socket. Answers bytes or -errno. */
static ssize_t io_read(anyc_watch *watch, void *buf, size_t max_bytes)
{
    ssize_t n = -1;

    do {
        if (!watch->no_socket)
            n = recv(watch->fd, buf, max_bytes, 0);
        if (io_no_socket(watch, n))
            n = read(watch->fd, buf, max_bytes);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* writev(2) on a pipe or the like, which has no MSG_NOSIGNAL. */
static ssize_t io_write_quietly(int fd, const struct iovec *pieces, int count)
{
    struct sigpipe_block block;
    ssize_t n;

    anyc__sigpipe_block(&block);
    n = writev(fd, pieces, count);
    anyc__sigpipe_unblock(&block, n < 0 && errno == EPIPE);
    return n;
}

/* send(2) or sendmsg(2). */
static ssize_t io_send(int fd, const struct iovec *pieces, int count)
{
    const struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};

    if (count == 1)
        return send(fd, pieces->iov_base, pieces->iov_len, MSG_NOSIGNAL);
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* Send, or writev(2) to what is no socket. Answers bytes or -errno. */
static ssize_t io_write(anyc_watch *watch, const struct iovec *pieces, int count)
{
    ssize_t n = -1;

    do {
        if (!watch->no_socket)
            n = io_send(watch->fd, pieces, count);
        if (io_no_socket(watch, n))
            n = io_write_quietly(watch->fd, pieces, count);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t anyc_backend_default_receive(anyc_watch *watch, void *buf, size_t max_bytes)
{
    ssize_t n;
    int rc = 0;

    n = io_read(watch, buf, max_bytes);
    while (n < 0 && anyc__would_block((int)-n)) {
        rc = anyc__watch_wait(watch, ANYC_READABLE);
        if (rc < 0)
            return rc;
        n = io_read(watch, buf, max_bytes);
    }
    return n;
}

ssize_t anyc_backend_default_send(anyc_watch *watch, const struct iovec *pieces, int count)
{
    ssize_t n;
    int rc = 0;

    n = io_write(watch, pieces, count);
    while (n < 0 && anyc__would_block((int)-n)) {
        rc = anyc__watch_wait(watch, ANYC_WRITABLE);
        if (rc < 0)
            return rc;
        n = io_write(watch, pieces, count);
    }
    return n;
}
