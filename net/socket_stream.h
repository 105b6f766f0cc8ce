/* SPDX-License-Identifier: MIT */
/*
 * socket_stream.h - a byte stream over one connected socket.
 */
#ifndef ANYC_NET_SOCKET_STREAM_H
#define ANYC_NET_SOCKET_STREAM_H

#include <sys/socket.h>

#include "streams/descriptor_stream.h"

struct socket_stream {
    struct descriptor_stream base;
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

/* NULL if it is a stream of another kind. */
struct socket_stream *anyc__socket_stream_cast(anyc_byte_stream *stream);

static inline const struct sockaddr *anyc__socket_stream_peer(const struct socket_stream *stream)
{
    return (const struct sockaddr *)(const void *)stream->peer;
}

#endif
