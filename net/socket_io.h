/* SPDX-License-Identifier: MIT */
/*
 * socket_io.h - accept and connect by the backend of the watch's loop, as streams/descriptor_io.h has
 * it for receive and send.
 */
#ifndef ANYC_NET_SOCKET_IO_H
#define ANYC_NET_SOCKET_IO_H

#include "core/loop.h"

static inline int anyc__backend_accept(anyc_watch *watch, struct sockaddr *peer,
                                       socklen_t *peer_len)
{
    return watch->loop->backend->accept(watch, peer, peer_len);
}

static inline int anyc__backend_connect(anyc_watch *watch, const struct sockaddr *address,
                                        socklen_t address_len)
{
    return watch->loop->backend->connect(watch, address, address_len);
}

#endif
