/* SPDX-License-Identifier: MIT */
/*
 * datagram_link.h - a datagram socket of anyc, of any kind, and a raw one with which it exchanges
 * datagrams; for what all kinds have in common.
 */
#ifndef ANYC_TESTS_UNIT_NET_DATAGRAM_LINK_H
#define ANYC_TESTS_UNIT_NET_DATAGRAM_LINK_H

#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <string.h>

#include <unistd.h>

#include "support/datagram_peer.h"
#include "support/peer.h"
#include "support/unix_peer.h"

struct datagram_variant {
    int family;
    bool connected;
    bool abstract; /* AF_UNIX */
    bool unnamed;  /* AF_UNIX: the socket has no name, so nobody can send to it */
};

/* One of the sockets is set. */
struct datagram_link {
    struct datagram_variant variant;
    anyc_resource *resource; /* of the socket */
    anyc_udp_socket *udp;
    anyc_connected_udp_socket *connected_udp;
    anyc_unix_datagram_socket *unix_datagram;
    anyc_connected_unix_datagram_socket *connected_unix_datagram;
    int peer; /* raw; -1: it has gone */
    struct unix_place place;
    struct unix_place peer_place;
    struct datagram_name name; /* of the socket */
    struct datagram_name peer_name;
};

/* An argument and the outcome of a task. */
struct datagram_call {
    struct datagram_link *link;
    void *buf;
    size_t len;
    ssize_t rc;
    bool done;
};

static inline void datagram_link_open_udp(struct datagram_link *link)
{
    int family = link->variant.family;
    const char *host = peer_loopback(family);

    link->peer = datagram_peer_udp(family, 0);
    if (link->variant.connected) {
        ck_assert_int_eq(anyc_create_connected_udp_socket(host, peer_port(link->peer), NULL,
                                                          &link->connected_udp),
                         0);
        link->resource = &link->connected_udp->resource;
    } else {
        const anyc_create_udp_socket_options options = {.local_host = host};

        ck_assert_int_eq(anyc_create_udp_socket(&options, &link->udp), 0);
        link->resource = &link->udp->resource;
    }
}

static inline void datagram_link_open_unix(struct datagram_link *link)
{
    const char *own = link->variant.unnamed ? NULL : link->place.name;

    link->place = unix_place_make(link->variant.abstract);
    link->peer_place = unix_place_make(link->variant.abstract);
    link->peer = datagram_peer_unix(&link->peer_place);
    if (link->variant.connected) {
        const anyc_create_connected_unix_datagram_socket_options options = {
            .remote_path_len = link->peer_place.len,
            .local_path = own,
            .local_path_len = link->place.len};

        ck_assert_int_eq(anyc_create_connected_unix_datagram_socket(link->peer_place.name, &options,
                                                                    &link->connected_unix_datagram),
                         0);
        link->resource = &link->connected_unix_datagram->resource;
    } else {
        const anyc_create_unix_datagram_socket_options options = {
            .local_path = own, .local_path_len = link->place.len};

        ck_assert_int_eq(anyc_create_unix_datagram_socket(&options, &link->unix_datagram), 0);
        link->resource = &link->unix_datagram->resource;
    }
}

static inline int datagram_link_fd(const struct datagram_link *link)
{
    int fd = -1;

    ck_assert_int_eq((anyc_extra)(link->resource, &ANYC_SOCKET_RAW_SOCKET, sizeof fd, &fd), 0);
    return fd;
}

static inline struct datagram_link datagram_link_open(const struct datagram_variant *variant)
{
    struct datagram_link link = {.variant = *variant};

    if (variant->family == AF_UNIX)
        datagram_link_open_unix(&link);
    else
        datagram_link_open_udp(&link);
    link.name = datagram_peer_name(datagram_link_fd(&link));
    link.peer_name = datagram_peer_name(link.peer);
    return link;
}

/* The socket may have been freed: `resource` is NULL then. */
static inline void datagram_link_close(struct datagram_link *link)
{
    if (link->resource != NULL)
        ck_assert_int_eq((anyc_aclose)(link->resource), 0);
    if (link->peer >= 0)
        close(link->peer);
    if (link->variant.family == AF_UNIX) {
        unix_place_remove(&link->place);
        unix_place_remove(&link->peer_place);
    }
}

/* Receive into `buf`: bytes or an error. */
static inline ssize_t datagram_link_receive(struct datagram_link *link, void *buf, size_t size,
                                            bool *out_truncated)
{
    anyc_datagram datagram = {.data = buf, .size = size};
    int rc;

    if (link->connected_udp != NULL)
        return anyc_connected_udp_socket_receive(link->connected_udp, buf, size, out_truncated);
    if (link->connected_unix_datagram != NULL)
        return anyc_connected_unix_datagram_socket_receive(link->connected_unix_datagram, buf, size,
                                                           out_truncated);
    if (link->udp != NULL)
        rc = anyc_udp_socket_receive(link->udp, &datagram);
    else
        rc = anyc_unix_datagram_socket_receive(link->unix_datagram, &datagram);
    if (rc == 0 && out_truncated != NULL)
        *out_truncated = datagram.truncated;
    return rc < 0 ? rc : (ssize_t)datagram.len;
}

/* Send to the peer. */
static inline int datagram_link_send(struct datagram_link *link, const void *data, size_t len)
{
    anyc_datagram datagram = {.data = (void *)data,
                              .len = len,
                              .address = link->peer_name.address,
                              .address_len = link->peer_name.len};

    if (link->connected_udp != NULL)
        return anyc_connected_udp_socket_send(link->connected_udp, data, len);
    if (link->connected_unix_datagram != NULL)
        return anyc_connected_unix_datagram_socket_send(link->connected_unix_datagram, data, len);
    if (link->udp != NULL)
        return anyc_udp_socket_send(link->udp, &datagram);
    return anyc_unix_datagram_socket_send(link->unix_datagram, &datagram);
}

/* The peer sends. */
static inline void datagram_link_get(struct datagram_link *link, const char *text)
{
    datagram_peer_send(link->peer, text, strlen(text), &link->name);
}

/* The next datagram that the socket receives is this. */
static inline void datagram_link_check_receives(struct datagram_link *link, const char *text)
{
    char buf[64] = "";

    ck_assert_int_eq(datagram_link_receive(link, buf, sizeof buf, NULL), (ssize_t)strlen(text));
    ck_assert_str_eq(buf, text);
}

/* The next datagram that the peer receives is this. */
static inline void datagram_link_check_sent(struct datagram_link *link, const char *text)
{
    char buf[64] = "";

    ck_assert_uint_eq(datagram_peer_receive(link->peer, buf, sizeof buf, NULL), strlen(text));
    ck_assert_str_eq(buf, text);
}

/* As tasks. */
static inline int datagram_call_receive(void *arg)
{
    struct datagram_call *call = arg;

    call->rc = datagram_link_receive(call->link, call->buf, call->len, NULL);
    call->done = true;
    return call->rc == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

static inline int datagram_call_send(void *arg)
{
    struct datagram_call *call = arg;

    call->rc = datagram_link_send(call->link, call->buf, call->len);
    call->done = true;
    return call->rc == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

static inline void datagram_for_each(const struct datagram_variant *variants, size_t count,
                                     void (*body)(struct datagram_link *link))
{
    for (size_t i = 0; i < count; i++) {
        struct datagram_link link;

        if (variants[i].family == AF_INET6 && !peer_has_family(AF_INET6))
            continue;
        link = datagram_link_open(&variants[i]);
        body(&link);
        datagram_link_close(&link);
    }
}

/* Call a test's body with a link of each kind. */
static inline void datagram_for_each_link(void (*body)(struct datagram_link *link))
{
    static const struct datagram_variant variants[] = {
        {.family = AF_INET},
        {.family = AF_INET6},
        {.family = AF_INET, .connected = true},
        {.family = AF_INET6, .connected = true},
        {.family = AF_UNIX},
        {.family = AF_UNIX, .abstract = true},
        {.family = AF_UNIX, .connected = true},
        {.family = AF_UNIX, .connected = true, .abstract = true},
    };

    datagram_for_each(variants, sizeof variants / sizeof *variants, body);
}

/* The same with UNIX sockets that have no name. */
static inline void datagram_for_each_unnamed(void (*body)(struct datagram_link *link))
{
    static const struct datagram_variant variants[] = {
        {.family = AF_UNIX, .unnamed = true},
        {.family = AF_UNIX, .unnamed = true, .connected = true},
    };

    datagram_for_each(variants, sizeof variants / sizeof *variants, body);
}

#endif
