/* SPDX-License-Identifier: MIT */
/*
 * tcp_link.h - a stream of anyc that is connected to a raw socket by TCP.
 */
#ifndef ANYC_TESTS_UNIT_NET_TCP_LINK_H
#define ANYC_TESTS_UNIT_NET_TCP_LINK_H

#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <sys/socket.h>
#include <unistd.h>

#include "support/peer.h"
#include "unit/net/stream_call.h"

/* Far more than the buffers of a narrow link can ever take. */
enum { TCP_LINK_TOO_MUCH = 4 * 1024 * 1024 };

struct tcp_link {
    anyc_byte_stream *stream;
    int listener; /* raw */
    int peer;     /* raw */
};

static inline struct tcp_link tcp_link_connect(int family, int listener)
{
    struct tcp_link link = {.listener = listener};
    int port = peer_port(listener);

    ck_assert_int_eq(anyc_connect_tcp(peer_loopback(family), port, NULL, &link.stream), 0);
    link.peer = peer_accept(listener);
    return link;
}

static inline struct tcp_link tcp_link_open(int family)
{
    return tcp_link_connect(family, peer_listen(family));
}

/* A link whose way to the peer has small buffers, which the kernel never makes larger. The peer's
 * is that of the listener, so that its window is small from the start. */
static inline struct tcp_link tcp_link_open_narrow(int family)
{
    const int size = 16384;
    struct tcp_link link;
    int listener = peer_listen(family);
    int fd = -1;

    ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    link = tcp_link_connect(family, listener);
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_RAW_SOCKET, &fd), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    return link;
}

/* The raw peer is closed already if it is -1. */
static inline void tcp_link_close(struct tcp_link *link)
{
    ck_assert_int_eq(anyc_aclose(link->stream), 0);
    close(link->listener);
    if (link->peer >= 0)
        close(link->peer);
}

/* The peer goes. */
static inline void tcp_link_hang_up(struct tcp_link *link)
{
    close(link->peer);
    link->peer = -1;
}

static inline void tcp_link_reset(struct tcp_link *link)
{
    peer_reset(link->peer);
    link->peer = -1;
}

/* A link that is full: the next send has to wait at once. Should the kernel find room again all
 * the same, a send of TCP_LINK_TOO_MUCH goes on waiting. */
static inline struct tcp_link tcp_link_open_full(int family)
{
    struct tcp_link link = tcp_link_open_narrow(family);
    int fd = -1;

    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_RAW_SOCKET, &fd), 0);
    peer_fill(fd);
    return link;
}

#endif
