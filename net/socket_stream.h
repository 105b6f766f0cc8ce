/* SPDX-License-Identifier: MIT */
/*
 * socket_stream.h - a byte stream over one connected socket.
 */
#ifndef ANYC_NET_SOCKET_STREAM_H
#define ANYC_NET_SOCKET_STREAM_H

#include <anyc/stream.h>

#include "core/watch.h"

/* Make a stream of a connected, non-blocking socket. On success it owns the watch and the
 * descriptor; on failure (ANYC_ENOMEM) both stay the caller's. The peer's address is copied. */
int anyc__socket_stream_create(anyc_watch *watch, const struct sockaddr *peer, socklen_t peer_len,
                               anyc_byte_stream **out_stream);

#endif
