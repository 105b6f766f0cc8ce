/* SPDX-License-Identifier: MIT */
/*
 * unix_link.h - a stream of anyc that is connected to a raw socket of AF_UNIX.
 */
#ifndef ANYC_TESTS_UNIT_NET_UNIX_LINK_H
#define ANYC_TESTS_UNIT_NET_UNIX_LINK_H

#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <sys/socket.h>
#include <unistd.h>

#include "support/peer.h"
#include "support/unix_peer.h"
#include "unit/net/stream_call.h"

/* Far more than the buffers of a link can ever take. */
enum { UNIX_LINK_TOO_MUCH = 4 * 1024 * 1024 };

struct unix_link {
    anyc_byte_stream *stream;
    int listener; /* raw; -1: the link is a pair */
    int peer;     /* raw */
};

static inline int unix_link_connect_to(const struct unix_place *place,
                                       anyc_byte_stream **out_stream)
{
    const anyc_connect_unix_options options = {.path_len = place->len};

    return anyc_connect_unix(place->name, &options, out_stream);
}

static inline struct unix_link unix_link_open(const struct unix_place *place)
{
    struct unix_link link = {.listener = unix_peer_listen(place)};

    ck_assert_int_eq(unix_link_connect_to(place, &link.stream), 0);
    link.peer = peer_accept(link.listener);
    return link;
}

/* Without a listener and names. */
static inline struct unix_link unix_link_pair(void)
{
    struct unix_link link = {.listener = -1};
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_int_eq(anyc_unix_socket_stream_from_fd(fds[0], &link.stream), 0);
    link.peer = fds[1];
    return link;
}

static inline int unix_link_fd(const struct unix_link *link)
{
    int fd = -1;

    ck_assert_int_eq(anyc_extra(link->stream, &ANYC_SOCKET_RAW_SOCKET, &fd), 0);
    return fd;
}

/* The peer goes. */
static inline void unix_link_hang_up(struct unix_link *link)
{
    close(link->peer);
    link->peer = -1;
}

static inline void unix_link_close(struct unix_link *link)
{
    ck_assert_int_eq(anyc_aclose(link->stream), 0);
    if (link->listener >= 0)
        close(link->listener);
    if (link->peer >= 0)
        close(link->peer);
}

/* The same listener made by anyc. */
static inline anyc_listener *unix_link_listen(const struct unix_place *place)
{
    const anyc_create_unix_listener_options options = {.path_len = place->len};
    anyc_listener *listener;

    ck_assert_int_eq(anyc_create_unix_listener(place->name, &options, &listener), 0);
    return listener;
}

/* Attributes that UNIX sockets do not have. */
static inline void unix_link_check_no_port(anyc_resource *x, const anyc_typed_attribute *attribute)
{
    int port = 0;

    ck_assert_int_eq((anyc_extra)(x, attribute, sizeof port, &port), ANYC_EATTRIBUTE);
}

/* An address attribute is this name, byte for byte. */
static inline void unix_link_check_name(const anyc_socket_address *address, const char *name,
                                        size_t len)
{
    ck_assert_int_eq(address->family, AF_UNIX);
    ck_assert_int_eq(address->port, 0);
    ck_assert_uint_eq(address->host_len, len);
    if (len > 0)
        ck_assert_mem_eq(address->host, name, len);
}

#endif
