/* SPDX-License-Identifier: MIT */
/*
 * socket_stream.h - a byte stream over one connected socket.
 *
 * One task may receive while another sends; each direction has a guard of its own. A task that is
 * at work holds the memory, so that the stream may be closed and freed meanwhile: it finds `watch`
 * NULL when it comes back. Invariants: watch == NULL iff closed; life.users == receiving + sending.
 */
#ifndef ANYC_NET_SOCKET_STREAM_H
#define ANYC_NET_SOCKET_STREAM_H

#include <anyc/stream.h>

#include "core/watch.h"
#include "streams/stream.h"

struct socket_stream {
    union {
        anyc_resource resource;
        anyc_byte_stream stream;
    };
    anyc_watch *watch; /* NULL: closed */
    struct stream_life life;
    bool receiving; /* a task is in receive */
    bool sending;   /* a task is in send, sendv or send_eof */
    bool eof_sent;
    int error; /* errno of the first failure: the kernel tells it only once */
    socklen_t peer_len;
    uint64_t peer[]; /* the peer's address, aligned for any */
};

/* Make a stream of a connected, non-blocking socket. On success it owns the watch and the
 * descriptor; on failure (ANYC_ENOMEM) both stay the caller's. The peer's address is copied. */
int anyc__socket_stream_create(anyc_watch *watch, const struct sockaddr *peer, socklen_t peer_len,
                               anyc_byte_stream **out_stream);

/* The same for a descriptor that nobody watches yet; one of TCP gets TCP_NODELAY. On failure
 * (ANYC_ENOMEM, ANYC_EBUSY if the loop watches it already, -errno of the loop) it stays the
 * caller's. */
int anyc__socket_stream_open(anyc_loop *loop, int fd, const struct sockaddr *peer,
                             socklen_t peer_len, anyc_byte_stream **out_stream);

/* -- for other operations on the same streams -- */

/* NULL if it is a stream of another kind. */
struct socket_stream *anyc__socket_stream_cast(anyc_byte_stream *stream);

static inline const struct sockaddr *anyc__socket_stream_peer(const struct socket_stream *stream)
{
    return (const struct sockaddr *)(const void *)stream->peer;
}

/* The frame of every operation. direction: &stream->receiving or &stream->sending. begin answers 0,
 * ANYC_EBUSY, or as anyc__enter; only after 0 comes end, and then the stream may be gone. */
int anyc__socket_stream_begin(struct socket_stream *stream, bool *direction);
void anyc__socket_stream_end(struct socket_stream *stream, bool *direction);

/* What the caller is told when a system call or a wait answered rc < 0. */
int anyc__socket_stream_fail(struct socket_stream *stream, int rc);

/* What the caller is told when there is nothing more to read. */
int anyc__socket_stream_eof(struct socket_stream *stream);

/* Send all the pieces. before: bytes of the same message that have gone already. */
int anyc__socket_stream_write(struct socket_stream *stream, const struct iovec *pieces, int count,
                              size_t before);

#endif
