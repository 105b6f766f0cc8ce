/* SPDX-License-Identifier: MIT */
/*
 * tcp_link.h - a stream of anyc that is connected to a raw socket, and tasks that use it.
 */
#ifndef ANYC_TESTS_UNIT_NET_TCP_LINK_H
#define ANYC_TESTS_UNIT_NET_TCP_LINK_H

#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <unistd.h>

#include "support/peer.h"

struct tcp_link {
    anyc_byte_stream *stream;
    int listener; /* raw */
    int peer;     /* raw */
};

/* An argument and the outcome of a task. */
struct tcp_call {
    anyc_byte_stream *stream;
    char *buf;
    size_t len;
    ssize_t rc;
    bool done;
};

static inline struct tcp_link tcp_link_open(int family)
{
    struct tcp_link link = {.listener = peer_listen(family)};
    int port = peer_port(link.listener);

    ck_assert_int_eq(anyc_connect_tcp(peer_loopback(family), port, NULL, &link.stream), 0);
    link.peer = peer_accept(link.listener);
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

/* Send until nothing more fits: the next send has to wait. */
static inline void tcp_link_fill(struct tcp_link *link)
{
    char block[4096] = {0};
    anyc_cancel_scope scope;
    int rc = 0;

    while (rc == 0) {
        anyc_move_on_after(&scope, 0.01, false);
        rc = anyc_send(link->stream, block, sizeof block);
        ck_assert(anyc_cancel_scope_exit(&scope, rc) == 0);
    }
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
}

static inline int tcp_call_receive(void *arg)
{
    struct tcp_call *call = arg;

    call->rc = anyc_receive(call->stream, call->buf, call->len);
    call->done = true;
    return call->rc == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

static inline int tcp_call_send(void *arg)
{
    struct tcp_call *call = arg;

    call->rc = anyc_send(call->stream, call->buf, call->len);
    call->done = true;
    return call->rc == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

#endif
