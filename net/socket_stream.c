/* SPDX-License-Identifier: MIT */
/*
 * socket_stream.c - a byte stream over one connected socket. AnyIO: abc.SocketStream.
 */
#include "net/socket_stream.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/task.h"
#include "net/address.h"
#include "net/socket.h"
#include "net/socket_io.h"

/* What is left to be sent: `rest` of a piece, then `count` pieces from `next` on. */
struct socket_outgoing {
    struct iovec rest;
    const struct iovec *next;
    int count;
};

static struct socket_stream *socket_stream_of(anyc_byte_stream *stream)
{
    return ANYC__CONTAINER(stream, struct socket_stream, stream);
}

void anyc__socket_stream_end(struct socket_stream *stream, bool *direction)
{
    anyc__stream_end(&stream->life, direction, stream);
}

int anyc__socket_stream_begin(struct socket_stream *stream, bool *direction)
{
    return anyc__stream_begin(&stream->life, direction, stream);
}

/* The connection failed: tell the first reason, also when the kernel has forgotten it. */
static int socket_stream_broken(struct socket_stream *stream, int error)
{
    char peer[ANYC__ADDRESS_TEXT_SIZE];

    /* EPIPE alone does not spoil receiving: the peer may have ended its sending in good order. */
    if (stream->error == 0 && error != EPIPE)
        stream->error = error;
    if (stream->error != 0)
        error = stream->error;
    anyc__address_format(anyc__socket_stream_peer(stream), stream->peer_len, peer, sizeof peer);
    return anyc__fail(ANYC_EBROKEN, error, "the connection with %s failed: %s",
                      peer[0] == '\0' ? "an unnamed UNIX socket" : peer, anyc_strerror(-error));
}

int anyc__socket_stream_fail(struct socket_stream *stream, int rc)
{
    if (rc == ANYC_ECANCELLED)
        return rc;
    if (stream->watch == NULL || rc == ANYC_ECLOSED)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (rc == ANYC_EBUSY) /* somebody waits for the raw descriptor */
        return anyc__fail_plain(rc);
    if (rc == -ENOMEM || rc == -ENOBUFS) /* the connection is well, the machine is not */
        return anyc__fail_errno(-rc, "socket");
    return socket_stream_broken(stream, -rc);
}

int anyc__socket_stream_eof(struct socket_stream *stream)
{
    if (stream->error != 0) /* a reset that was told to a sender reads as an end of file */
        return socket_stream_broken(stream, stream->error);
    return anyc__fail_plain(ANYC_EOF);
}

static ssize_t socket_stream_read(struct socket_stream *stream, void *buf, size_t max_bytes)
{
    anyc_watch *watch = stream->watch;
    int rc = 0;
    ssize_t n;

    if (watch == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (watch->drained && anyc__backend_reads_when_ready(watch))
        rc = anyc__watch_wait(watch, ANYC_READABLE);
    if (rc < 0)
        return anyc__socket_stream_fail(stream, rc);
    n = anyc__backend_receive(watch, buf, max_bytes);
    if (n < 0)
        return anyc__socket_stream_fail(stream, (int)n);
    watch->drained = n > 0 && (size_t)n < max_bytes;
    return n > 0 ? n : anyc__socket_stream_eof(stream);
}

static ssize_t socket_stream_receive(anyc_byte_stream *base, void *buf, size_t max_bytes)
{
    struct socket_stream *stream = socket_stream_of(base);
    ssize_t n = anyc__socket_stream_begin(stream, &stream->receiving);

    if (n < 0)
        return n;
    n = socket_stream_read(stream, buf, max_bytes);
    anyc__socket_stream_end(stream, &stream->receiving);
    return n;
}

/* Take `n` bytes off the front. */
static void socket_outgoing_advance(struct socket_outgoing *out, size_t n)
{
    for (;;) {
        if (n < out->rest.iov_len) {
            out->rest.iov_base = (char *)out->rest.iov_base + n;
            out->rest.iov_len -= n;
            return;
        }
        n -= out->rest.iov_len;
        out->rest.iov_len = 0;
        if (n == 0)
            return;
        out->rest = *out->next++;
        out->count--;
    }
}

/* Send the rest of a piece, or as many whole pieces as one call takes. */
static ssize_t socket_outgoing_send(const struct socket_outgoing *out, anyc_watch *watch)
{
    if (out->rest.iov_len > 0)
        return anyc__backend_send(watch, &out->rest, 1);
    return anyc__backend_send(watch, out->next, out->count < IOV_MAX ? out->count : IOV_MAX);
}

static bool socket_outgoing_is_empty(struct socket_outgoing *out)
{
    if (out->rest.iov_len > 0)
        return false;
    while (out->count > 0 && out->next->iov_len == 0) {
        out->next++;
        out->count--;
    }
    return out->count == 0;
}

/* before: bytes that had gone before these pieces; sent: all that have gone. */
static int socket_stream_cut_short(const struct iovec *pieces, int count, size_t before,
                                   size_t sent)
{
    size_t total = before;

    for (int i = 0; i < count; i++)
        total += pieces[i].iov_len;
    return anyc__fail(ANYC_ECANCELLED, 0, "%zu of %zu bytes were sent", sent, total);
}

int anyc__socket_stream_write(struct socket_stream *stream, const struct iovec *pieces, int count,
                              size_t before)
{
    struct socket_outgoing out = {.next = pieces, .count = count};
    size_t sent = before;
    ssize_t n = 0;

    if (stream->watch == NULL || stream->eof_sent)
        return anyc__fail_plain(ANYC_ECLOSED);
    while (n >= 0 && !socket_outgoing_is_empty(&out)) {
        n = stream->watch == NULL ? ANYC_ECLOSED : socket_outgoing_send(&out, stream->watch);
        if (n > 0) {
            sent += (size_t)n;
            socket_outgoing_advance(&out, (size_t)n);
        }
    }
    if (n == ANYC_ECANCELLED)
        return socket_stream_cut_short(pieces, count, before, sent);
    return n < 0 ? anyc__socket_stream_fail(stream, (int)n) : 0;
}

static int socket_stream_sendv(anyc_byte_stream *base, const struct iovec *pieces, int count)
{
    struct socket_stream *stream = socket_stream_of(base);
    int rc = anyc__socket_stream_begin(stream, &stream->sending);

    if (rc < 0)
        return rc;
    rc = anyc__socket_stream_write(stream, pieces, count, 0);
    anyc__socket_stream_end(stream, &stream->sending);
    return rc;
}

static int socket_stream_send(anyc_byte_stream *base, const void *buf, size_t len)
{
    const struct iovec piece = {.iov_base = (void *)buf, .iov_len = len};

    return socket_stream_sendv(base, &piece, 1);
}

static int socket_stream_shut_down(struct socket_stream *stream)
{
    if (stream->watch == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (stream->eof_sent)
        return 0;
    if (shutdown(stream->watch->fd, SHUT_WR) < 0)
        return socket_stream_broken(stream, errno);
    stream->eof_sent = true;
    return 0;
}

static int socket_stream_send_eof(anyc_byte_stream *base)
{
    struct socket_stream *stream = socket_stream_of(base);
    int rc = anyc__socket_stream_begin(stream, &stream->sending);

    if (rc < 0)
        return rc;
    rc = socket_stream_shut_down(stream);
    anyc__socket_stream_end(stream, &stream->sending);
    return rc;
}

static int socket_stream_close(anyc_resource *resource, bool forcefully)
{
    struct socket_stream *stream = ANYC__CONTAINER(resource, struct socket_stream, resource);
    anyc_watch *watch = stream->watch;
    int fd;

    (void)forcefully; /* what the kernel holds goes out by itself */
    if (watch == NULL)
        return 0;
    stream->watch = NULL;
    fd = watch->fd;
    anyc__watch_close(watch, ANYC_ECLOSED);
    anyc__socket_close(fd);
    return 0;
}

static void socket_stream_destroy(anyc_resource *resource)
{
    struct socket_stream *stream = ANYC__CONTAINER(resource, struct socket_stream, resource);

    if (anyc__stream_destroy(&stream->life))
        anyc__free(stream);
}

static int socket_stream_extra(anyc_resource *resource, const anyc_typed_attribute *attribute,
                               void *out)
{
    struct socket_stream *stream = ANYC__CONTAINER(resource, struct socket_stream, resource);
    int fd = stream->watch == NULL ? -1 : stream->watch->fd;

    return anyc__socket_extra(fd, anyc__socket_stream_peer(stream), stream->peer_len, attribute,
                              out);
}

static const anyc_byte_stream_ops socket_stream_ops = {
    .resource =
        {
            .type = "socket stream",
            .close = socket_stream_close,
            .destroy = socket_stream_destroy,
            .extra = socket_stream_extra,
        },
    .receive = socket_stream_receive,
    .send = socket_stream_send,
    .sendv = socket_stream_sendv,
    .send_eof = socket_stream_send_eof,
};

int anyc__socket_stream_create(anyc_watch *watch, const struct sockaddr *peer, socklen_t peer_len,
                               anyc_byte_stream **out_stream)
{
    struct socket_stream *stream = anyc__zalloc(sizeof *stream + peer_len);
    int rc;

    if (stream == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = anyc_byte_stream_init(&stream->stream, &socket_stream_ops);
    if (rc < 0) {
        anyc__free(stream);
        return rc;
    }
    stream->watch = watch;
    stream->peer_len = peer_len;
    memcpy(stream->peer, peer, peer_len);
    *out_stream = &stream->stream;
    return 0;
}

int anyc__socket_stream_open(anyc_loop *loop, int fd, const struct sockaddr *peer,
                             socklen_t peer_len, anyc_byte_stream **out_stream)
{
    anyc_watch *watch = NULL;
    int rc = anyc__watch_open(loop, fd, &watch);

    if (rc < 0)
        return rc;
    rc = anyc__socket_stream_create(watch, peer, peer_len, out_stream);
    if (rc < 0)
        anyc__watch_close(watch, ANYC_ECLOSED);
    else if (peer->sa_family == AF_INET || peer->sa_family == AF_INET6)
        (void)anyc__socket_set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* fails after a reset */
    return rc;
}

struct socket_stream *anyc__socket_stream_cast(anyc_byte_stream *stream)
{
    return stream->ops == &socket_stream_ops ? socket_stream_of(stream) : NULL;
}
