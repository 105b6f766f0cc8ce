/* SPDX-License-Identifier: MIT */
/*
 * unix_fds.c - descriptors over UNIX streams (SCM_RIGHTS, unix(7)). AnyIO: UNIXSocketStream's
 * send_fds and receive_fds.
 *
 * The system takes and gives descriptors as control data beside the bytes, at most 253 with one
 * sendmsg(2). A received descriptor is open from the moment recvmsg(2) returns, so nothing may
 * suspend between that and handing them to the caller or closing them.
 */
#include <anyc/unix_socket.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "core/descriptor.h"
#include "core/error.h"
#include "net/socket.h"
#include "net/socket_stream.h"

#define FDS_MAX 253 /* the kernel's SCM_MAX_FD */

/* Control data with descriptors. The functions that have it on their stack do not suspend. */
union fds_control {
    struct cmsghdr header;
    unsigned char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

/* What a receive is asked for. */
struct fds_request {
    void *buf;
    size_t max_bytes;
    int *fds;
    size_t max_fds;
    size_t *out_count;
};

static size_t fds_room(const struct fds_request *request)
{
    return request->max_fds < FDS_MAX ? request->max_fds : FDS_MAX;
}

/* The UNIX stream behind a byte stream, or NULL after a message. */
static struct descriptor_stream *fds_stream(anyc_byte_stream *base)
{
    struct socket_stream *stream = anyc__socket_stream_cast(base);

    if (stream != NULL && anyc__socket_stream_peer(stream)->sa_family == AF_UNIX)
        return &stream->base;
    (void)anyc__fail(ANYC_EINVAL, 0, "this %s is not that of a UNIX socket",
                     base->resource.ops->type); /* NULL says it */
    return NULL;
}

/* -- sending -- */

/* sendmsg(2) with the descriptors: bytes or -errno. */
static ssize_t fds_put(int socket, const struct iovec *piece, const int *fds, size_t count)
{
    union fds_control control = {.header = {.cmsg_len = CMSG_LEN(count * sizeof *fds),
                                            .cmsg_level = SOL_SOCKET,
                                            .cmsg_type = SCM_RIGHTS}};
    struct msghdr message = {.msg_iov = (struct iovec *)piece,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_LEN(count * sizeof *fds)};
    ssize_t n;

    memcpy(CMSG_DATA(&control.header), fds, count * sizeof *fds);
    do
        n = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Send the first part of the message, which carries the descriptors, waiting until it fits: bytes
 * or an error as of a wait or of fds_put. */
static ssize_t fds_put_waiting(struct descriptor_stream *stream, const struct iovec *piece,
                               const int *fds, size_t count)
{
    ssize_t n = fds_put(stream->watch->fd, piece, fds, count);
    int rc = 0;

    while (rc == 0 && n < 0 && anyc__would_block((int)-n)) {
        rc = anyc__watch_wait(stream->watch, ANYC_WRITABLE);
        if (rc == 0)
            n = fds_put(stream->watch->fd, piece, fds, count);
    }
    return rc < 0 ? rc : n;
}

static int fds_send_fail(struct descriptor_stream *stream, int rc, size_t len, size_t count)
{
    if (rc == ANYC_ECANCELLED)
        return anyc__fail(rc, 0, "0 of %zu bytes were sent", len);
    if (rc == -EBADF)
        return anyc__fail(rc, EBADF, "of the %zu descriptors to be sent, one is not open", count);
    if (rc == -ETOOMANYREFS || rc == -EINVAL)
        return anyc__fail_errno(-rc, "%zu descriptors cannot be sent", count);
    return anyc__descriptor_stream_fail(stream, rc);
}

static int fds_send(struct descriptor_stream *stream, const struct iovec *piece, const int *fds,
                    size_t count)
{
    struct iovec rest = *piece;
    ssize_t n;

    if (stream->watch == NULL || stream->eof_sent)
        return anyc__fail_plain(ANYC_ECLOSED);
    n = fds_put_waiting(stream, piece, fds, count);
    if (n < 0)
        return fds_send_fail(stream, (int)n, piece->iov_len, count);
    rest.iov_base = (char *)piece->iov_base + n;
    rest.iov_len -= (size_t)n;
    return anyc__descriptor_stream_write(stream, &rest, 1, (size_t)n);
}

static int fds_send_check(size_t len, size_t count)
{
    if (len == 0 || len > SSIZE_MAX)
        return anyc__fail(ANYC_EINVAL, 0, "descriptors cannot be sent with %zu bytes", len);
    if (count == 0 || count > FDS_MAX)
        return anyc__fail(ANYC_EINVAL, 0, "%zu descriptors at once are not within 1..%d", count,
                          FDS_MAX);
    return 0;
}

int anyc_unix_socket_stream_send_fds(anyc_byte_stream *base, const void *message, size_t len,
                                     const int *fds, size_t count)
{
    const struct iovec piece = {.iov_base = (void *)message, .iov_len = len};
    struct descriptor_stream *stream = fds_stream(base);
    int rc = stream == NULL ? ANYC_EINVAL : fds_send_check(len, count);

    if (rc == 0)
        rc = anyc__descriptor_stream_begin(stream, &stream->sending);
    if (rc < 0)
        return rc;
    rc = fds_send(stream, &piece, fds, count);
    anyc__descriptor_stream_end(stream, &stream->sending);
    return rc;
}

/* -- receiving -- */

/* Give the descriptors of the control data to `out_fds`, or, if that is NULL, close them. Answers
 * how many there were. */
static size_t fds_unpack(struct msghdr *message, int *out_fds)
{
    size_t count = 0;

    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL; at = CMSG_NXTHDR(message, at)) {
        size_t bytes = at->cmsg_len - CMSG_LEN(0);

        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < bytes / sizeof(int); i++, count++) {
            int fd;

            memcpy(&fd, CMSG_DATA(at) + i * sizeof fd, sizeof fd);
            if (out_fds != NULL)
                out_fds[count] = fd;
            else
                anyc__descriptor_close(fd);
        }
    }
    return count;
}

/* Is there control data of another kind? */
static bool fds_has_others(struct msghdr *message)
{
    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL; at = CMSG_NXTHDR(message, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            return true;
    }
    return false;
}

/* Something is wrong with what came: keep nothing of it. */
static int fds_refuse(struct msghdr *message, ssize_t n, size_t room)
{
    bool others = fds_has_others(message);
    size_t count = fds_unpack(message, NULL);

    if (others)
        return anyc__fail(ANYC_ESTATE, 0,
                          "other control data than descriptors came (is SO_PASSCRED on?): "
                          "%zd bytes and %zu descriptors are lost",
                          n, count);
    if (count < room)
        return anyc__fail(-EMFILE, EMFILE,
                          "this process may not have all descriptors that came: "
                          "they are closed, %zd bytes with them are lost",
                          n);
    return anyc__fail(-EMSGSIZE, EMSGSIZE,
                      "more than %zu descriptors came: "
                      "they are closed, %zd bytes with them are lost",
                      room, n);
}

/* No bytes and no descriptors: the end, unless there was no room for bytes and there are some. */
static ssize_t fds_nothing(struct descriptor_stream *stream, const struct fds_request *request)
{
    char byte;

    if (request->max_bytes > 0 || recv(stream->watch->fd, &byte, 1, MSG_PEEK) <= 0)
        return anyc__descriptor_stream_eof(stream);
    *request->out_count = 0;
    return 0;
}

/* What recvmsg(2) took becomes the caller's. */
static ssize_t fds_give(struct descriptor_stream *stream, const struct fds_request *request,
                        struct msghdr *message, ssize_t n)
{
    size_t count = fds_unpack(message, request->fds);

    /* descriptors end a read, whatever stands behind them */
    stream->watch->drained = n > 0 && (size_t)n < request->max_bytes && count == 0;
    if (n == 0 && count == 0)
        return fds_nothing(stream, request);
    *request->out_count = count;
    return n;
}

/* recvmsg(2), and what to make of it. -EAGAIN: nothing has come yet. */
static ssize_t fds_take(struct descriptor_stream *stream, const struct fds_request *request)
{
    union fds_control control;
    struct iovec piece = {.iov_base = request->buf, .iov_len = request->max_bytes};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_LEN(fds_room(request) * sizeof(int))};
    ssize_t n;

    do
        n = recvmsg(stream->watch->fd, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && anyc__would_block(errno))
        return -EAGAIN;
    if (n < 0)
        return anyc__descriptor_stream_fail(stream, -errno);
    if ((message.msg_flags & MSG_CTRUNC) != 0 || fds_has_others(&message))
        return fds_refuse(&message, n, fds_room(request));
    return fds_give(stream, request, &message, n);
}

static ssize_t fds_receive(struct descriptor_stream *stream, const struct fds_request *request)
{
    ssize_t n;
    int rc;

    if (stream->watch == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    n = fds_take(stream, request);
    while (n == -EAGAIN) {
        rc = anyc__watch_wait(stream->watch, ANYC_READABLE);
        n = rc < 0 ? anyc__descriptor_stream_fail(stream, rc) : fds_take(stream, request);
    }
    return n;
}

static int fds_receive_check(size_t max_bytes, size_t max_fds)
{
    if (max_bytes > SSIZE_MAX)
        return anyc__fail(ANYC_EINVAL, 0, "there is no room for %zu bytes", max_bytes);
    if (max_fds == 0 || max_fds > SSIZE_MAX)
        return anyc__fail(ANYC_EINVAL, 0, "there is no room for %zu descriptors", max_fds);
    return 0;
}

ssize_t anyc_unix_socket_stream_receive_fds(anyc_byte_stream *base, void *buf, size_t max_bytes,
                                            int *fds, size_t max_fds, size_t *out_count)
{
    const struct fds_request request = {buf, max_bytes, fds, max_fds, out_count};
    struct descriptor_stream *stream = fds_stream(base);
    ssize_t n = stream == NULL ? ANYC_EINVAL : fds_receive_check(max_bytes, max_fds);

    if (n == 0)
        n = anyc__descriptor_stream_begin(stream, &stream->receiving);
    if (n < 0)
        return n;
    n = fds_receive(stream, &request);
    anyc__descriptor_stream_end(stream, &stream->receiving);
    return n;
}
