/* SPDX-License-Identifier: MIT */
/*
 * socket_stream.c - a byte stream over one connected socket. AnyIO: abc.SocketStream.
 */
#include "net/socket_stream.h"

#include <errno.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "core/alloc.h"
#include "core/error.h"
#include "net/socket.h"

static struct socket_stream *socket_stream_of(anyc_byte_stream *stream)
{
    return ANYC__CONTAINER(stream, struct socket_stream, base.stream);
}

static int socket_stream_shut_down(struct descriptor_stream *stream)
{
    if (stream->watch == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (stream->eof_sent)
        return 0;
    if (shutdown(stream->watch->fd, SHUT_WR) < 0)
        return anyc__descriptor_stream_fail(stream, -errno);
    stream->eof_sent = true;
    return 0;
}

static int socket_stream_send_eof(anyc_byte_stream *base)
{
    struct descriptor_stream *stream = anyc__descriptor_stream_of(base);
    int rc = anyc__descriptor_stream_begin(stream, &stream->sending);

    if (rc < 0)
        return rc;
    rc = socket_stream_shut_down(stream);
    anyc__descriptor_stream_end(stream, &stream->sending);
    return rc;
}

static int socket_stream_extra(anyc_resource *resource, const anyc_typed_attribute *attribute,
                               void *out)
{
    struct socket_stream *stream = ANYC__CONTAINER(resource, struct socket_stream, base.resource);
    int fd = stream->base.watch == NULL ? -1 : stream->base.watch->fd;

    return anyc__socket_extra(fd, anyc__socket_stream_peer(stream), stream->peer_len, attribute,
                              out);
}

static const anyc_byte_stream_ops socket_stream_ops = {
    .resource =
        {
            .type = "socket stream",
            .close = anyc__descriptor_stream_close,
            .destroy = anyc__descriptor_stream_destroy,
            .extra = socket_stream_extra,
        },
    .receive = anyc__descriptor_stream_receive,
    .send = anyc__descriptor_stream_send,
    .sendv = anyc__descriptor_stream_sendv,
    .send_some = anyc__descriptor_stream_send_some,
    .send_eof = socket_stream_send_eof,
};

int anyc__socket_stream_create(anyc_watch *watch, const struct sockaddr *peer, socklen_t peer_len,
                               anyc_byte_stream **out_stream)
{
    struct socket_stream *stream = anyc__zalloc(sizeof *stream + peer_len);
    int rc;

    if (stream == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = anyc_byte_stream_init(&stream->base.stream, &socket_stream_ops);
    if (rc < 0) {
        anyc__free(stream);
        return rc;
    }
    stream->base.watch = watch;
    stream->peer_len = peer_len;
    memcpy(stream->peer, peer, peer_len);
    *out_stream = &stream->base.stream;
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
