/* SPDX-License-Identifier: MIT */
/*
 * socket_listener.h - a listener over one listening socket.
 */
#ifndef ANYC_NET_SOCKET_LISTENER_H
#define ANYC_NET_SOCKET_LISTENER_H

#include <anyc/stream.h>

/* Make a listener of a listening, non-blocking socket; it owns the descriptor on success. On
 * failure (ANYC_ENOMEM, -errno of the loop) the descriptor stays the caller's. */
int anyc__socket_listener_create(anyc_loop *loop, int fd, anyc_listener **out_listener);

#endif
