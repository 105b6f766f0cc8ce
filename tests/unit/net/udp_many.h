/* SPDX-License-Identifier: MIT */
/*
 * udp_many.h - tests of receiving and sending many datagrams at once, for both ways in which the
 * library can do that: test_udp_many.c takes the one that was built in, test_udp_many_loop.c the
 * other one.
 */
#ifndef ANYC_TESTS_UNIT_NET_UDP_MANY_H
#define ANYC_TESTS_UNIT_NET_UDP_MANY_H

#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <unistd.h>

#include "support/datagram_peer.h"
#include "support/peer.h"
#include "support/tasks.h"

enum { MANY_COUNT = 100, MANY_ROOM = 64 };

/* A socket of anyc and a raw one that exchange datagrams. */
struct many_link {
    anyc_udp_socket *socket;
    int peer;
    struct datagram_name name; /* of the socket */
    struct datagram_name peer_name;
};

/* Room for many datagrams. */
struct many_room {
    anyc_datagram datagrams[MANY_COUNT];
    char bytes[MANY_COUNT][MANY_ROOM];
};

static inline struct many_link many_link_open(int family)
{
    anyc_create_udp_socket_options options = {.local_host = peer_loopback(family)};
    struct many_link link;
    int fd = -1;

    ck_assert_ok(anyc_create_udp_socket(&options, &link.socket));
    ck_assert_ok(anyc_extra(link.socket, &ANYC_SOCKET_RAW_SOCKET, &fd));
    link.peer = datagram_peer_udp(family, 0);
    link.name = datagram_peer_name(fd);
    link.peer_name = datagram_peer_name(link.peer);
    return link;
}

static inline void many_link_close(struct many_link *link)
{
    ck_assert_ok(anyc_aclose(link->socket));
    close(link->peer);
}

/* The text of the nth datagram; every seventh is empty. */
static inline size_t many_text(size_t i, char *text)
{
    if (i % 7 == 3)
        return 0;
    return (size_t)snprintf(text, MANY_ROOM, "datagram %zu", i);
}

static inline struct many_room *many_room_create(void)
{
    struct many_room *room = calloc(1, sizeof *room);

    for (size_t i = 0; i < MANY_COUNT; i++) {
        room->datagrams[i].data = room->bytes[i];
        room->datagrams[i].size = MANY_ROOM;
    }
    return room;
}

/* The same, filled with what is to be sent to the peer. */
static inline struct many_room *many_room_fill(const struct many_link *link)
{
    struct many_room *room = many_room_create();

    for (size_t i = 0; i < MANY_COUNT; i++) {
        room->datagrams[i].len = many_text(i, room->bytes[i]);
        room->datagrams[i].address = link->peer_name.address;
        room->datagrams[i].address_len = link->peer_name.len;
    }
    return room;
}

static inline void many_peer_sends(const struct many_link *link, size_t from, size_t to)
{
    char text[MANY_ROOM];

    for (size_t i = from; i < to; i++)
        datagram_peer_send(link->peer, text, many_text(i, text), &link->name);
}

static inline void many_check(const struct many_link *link, const anyc_datagram *datagram,
                              size_t number)
{
    char text[MANY_ROOM];
    size_t len = many_text(number, text);

    ck_assert_uint_eq(datagram->len, len);
    ck_assert(!datagram->truncated);
    ck_assert(memcmp(datagram->data, text, len) == 0);
    ck_assert_uint_eq(datagram->address_len, link->peer_name.len);
    ck_assert_mem_eq(&datagram->address, &link->peer_name.address, link->peer_name.len);
}

static inline void many_receive_all(int family)
{
    struct many_link link = many_link_open(family);
    struct many_room *room = many_room_create();
    size_t counts[] = {1, 5, 12, 13, 24, MANY_COUNT};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        many_peer_sends(&link, 0, counts[i]);
        ck_assert_int_eq(anyc_udp_socket_receive_many(link.socket, room->datagrams, MANY_COUNT),
                         (ssize_t)counts[i]);
        for (size_t n = 0; n < counts[i]; n++)
            many_check(&link, &room->datagrams[n], n);
    }
    free(room);
    many_link_close(&link);
}

/* No more are taken than there is room for; the others are for the next call. */
static inline void many_receive_in_parts(int family)
{
    struct many_link link = many_link_open(family);
    struct many_room *room = many_room_create();

    many_peer_sends(&link, 0, 30);
    ck_assert_int_eq(anyc_udp_socket_receive_many(link.socket, room->datagrams, 13), 13);
    many_check(&link, &room->datagrams[12], 12);
    ck_assert_uint_eq(room->datagrams[13].address_len, 0);
    ck_assert_int_eq(anyc_udp_socket_receive_many(link.socket, room->datagrams, 1), 1);
    many_check(&link, &room->datagrams[0], 13);
    ck_assert_ok(anyc_udp_socket_receive(link.socket, room->datagrams));
    many_check(&link, &room->datagrams[0], 14);
    ck_assert_int_eq(anyc_udp_socket_receive_many(link.socket, room->datagrams, 15), 15);
    many_check(&link, &room->datagrams[14], 29);
    free(room);
    many_link_close(&link);
}

struct many_call {
    const struct many_link *link;
    struct many_room *room;
    ssize_t rc;
};

static inline int many_receive_task(void *arg)
{
    struct many_call *call = arg;

    call->rc = anyc_udp_socket_receive_many(call->link->socket, call->room->datagrams, MANY_COUNT);
    return call->rc == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

/* It waits for the first, each time anew. */
static inline void many_receive_waits(int family)
{
    struct many_link link = many_link_open(family);
    struct many_call call = {&link, many_room_create(), 0};

    for (int i = 0; i < 3; i++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;

        anyc_task_group_enter(&group);
        spawn(&group, many_receive_task, &call);
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        ck_assert_int_eq(anyc_udp_socket_receive_many(link.socket, call.room->datagrams, 1),
                         ANYC_EBUSY);
        many_peer_sends(&link, 0, 20);
        ck_assert_ok(anyc_task_group_exit(&group, 0));
        ck_assert_int_eq(call.rc, 20);
        many_check(&link, &call.room->datagrams[19], 19);
    }
    free(call.room);
    many_link_close(&link);
}

static inline void many_receive_cancelled(int family)
{
    struct many_link link = many_link_open(family);
    struct many_call call = {&link, many_room_create(), 0};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    spawn(&group, many_receive_task, &call);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    many_peer_sends(&link, 0, 20);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(call.rc, ANYC_ECANCELLED);
    ck_assert_ok(many_receive_task(&call));
    ck_assert_int_eq(call.rc, 20);
    free(call.room);
    many_link_close(&link);
}

static inline void many_receive_cut(int family)
{
    struct many_link link = many_link_open(family);
    struct many_room *room = many_room_create();

    room->datagrams[1].size = 3;
    for (int i = 0; i < 3; i++)
        datagram_peer_send(link.peer, "longer", 6, &link.name);
    ck_assert_int_eq(anyc_udp_socket_receive_many(link.socket, room->datagrams, MANY_COUNT), 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(room->datagrams[i].len, i == 1 ? 3 : 6);
        ck_assert(room->datagrams[i].truncated == (i == 1));
    }
    ck_assert_str_eq(room->bytes[1], "lon");
    free(room);
    many_link_close(&link);
}

static inline void many_receive_arguments(int family)
{
    struct many_link link = many_link_open(family);
    struct many_room *room = many_room_create();

    many_peer_sends(&link, 0, 2);
    ck_assert_int_eq(anyc_udp_socket_receive_many(link.socket, room->datagrams, 0), ANYC_EINVAL);
    room->datagrams[1].size = 0;
    ck_assert_int_eq(anyc_udp_socket_receive_many(link.socket, room->datagrams, 2), ANYC_EINVAL);
    room->datagrams[1].size = MANY_ROOM;
    ck_assert_int_eq(anyc_udp_socket_receive_many(link.socket, room->datagrams, 2), 2);
    ck_assert_ok(anyc_close(link.socket));
    ck_assert_int_eq(anyc_udp_socket_receive_many(link.socket, room->datagrams, 2), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_udp_socket_send_many(link.socket, room->datagrams, 2), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_udp_socket_send_many(link.socket, room->datagrams, 0), ANYC_ECLOSED);
    free(room);
    many_link_close(&link);
}

static inline void many_check_sent(const struct many_link *link, size_t from, size_t to)
{
    char text[MANY_ROOM];
    char buf[MANY_ROOM];

    for (size_t i = from; i < to; i++) {
        struct datagram_name sender;
        size_t len = many_text(i, text);

        ck_assert_uint_eq(datagram_peer_receive(link->peer, buf, sizeof buf, &sender), len);
        ck_assert(memcmp(buf, text, len) == 0);
        ck_assert_mem_eq(&sender.address, &link->name.address, link->name.len);
    }
    datagram_peer_check_empty(link->peer);
}

static inline void many_send_all(int family)
{
    struct many_link link = many_link_open(family);
    struct many_room *room = many_room_fill(&link);
    size_t counts[] = {0, 1, 5, 12, 13, 24, MANY_COUNT};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        ck_assert_int_eq(anyc_udp_socket_send_many(link.socket, room->datagrams, counts[i]),
                         (ssize_t)counts[i]);
        many_check_sent(&link, 0, counts[i]);
    }
    free(room);
    many_link_close(&link);
}

/* Those before one that cannot be sent are; the next call says why. */
static inline void many_send_partly(int family)
{
    struct many_link link = many_link_open(family);
    struct many_room *room = many_room_fill(&link);
    char *large = calloc(1, 70000);

    room->datagrams[20].data = large;
    room->datagrams[20].len = 70000;
    ck_assert_int_eq(anyc_udp_socket_send_many(link.socket, room->datagrams, 40), 20);
    many_check_sent(&link, 0, 20);
    ck_assert_int_eq(anyc_udp_socket_send_many(link.socket, room->datagrams + 20, 20), -EMSGSIZE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "70000 bytes"));
    datagram_peer_check_empty(link.peer);
    ck_assert_int_eq(anyc_udp_socket_send_many(link.socket, room->datagrams + 21, 19), 19);
    many_check_sent(&link, 21, 40);
    free(large);
    free(room);
    many_link_close(&link);
}

static inline void many_send_cancelled(int family)
{
    struct many_link link = many_link_open(family);
    struct many_room *room = many_room_fill(&link);
    anyc_cancel_scope scope;

    anyc_cancel_scope_enter(&scope, NULL);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_udp_socket_send_many(link.socket, room->datagrams, 5), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_udp_socket_send_many(link.socket, room->datagrams, 0), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    datagram_peer_check_empty(link.peer);
    free(room);
    many_link_close(&link);
}

/* With a peer, addresses neither come nor count. */
static inline void many_connected(int family)
{
    int peer = datagram_peer_udp(family, 0);
    struct many_link link = {.peer = peer, .peer_name = datagram_peer_name(peer)};
    struct many_room *room = many_room_fill(&link);
    anyc_connected_udp_socket *socket;
    int fd = -1;

    ck_assert_ok(
        anyc_create_connected_udp_socket(peer_loopback(family), peer_port(peer), NULL, &socket));
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_RAW_SOCKET, &fd));
    link.name = datagram_peer_name(fd);
    for (size_t i = 0; i < 30; i++)
        room->datagrams[i].address_len = 3;
    ck_assert_int_eq(anyc_connected_udp_socket_send_many(socket, room->datagrams, 30), 30);
    many_check_sent(&link, 0, 30);
    memset(room->bytes, 0, sizeof room->bytes);
    many_peer_sends(&link, 0, 30);
    ck_assert_int_eq(anyc_connected_udp_socket_receive_many(socket, room->datagrams, MANY_COUNT),
                     30);
    ck_assert_uint_eq(room->datagrams[29].address_len, 0);
    ck_assert_str_eq(room->bytes[29], "datagram 29");
    free(room);
    close(peer);
    anyc_aclose(socket);
}

/* NT-R022: a refusal that comes up behind datagrams is told once, by the next call. */
static inline void many_refused(int family)
{
    int peer = datagram_peer_udp(family, 0);
    struct many_link link = {.peer = peer, .peer_name = datagram_peer_name(peer)};
    struct many_room *room = many_room_fill(&link);
    anyc_connected_udp_socket *socket;
    int fd = -1;

    ck_assert_ok(
        anyc_create_connected_udp_socket(peer_loopback(family), peer_port(peer), NULL, &socket));
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_RAW_SOCKET, &fd));
    link.name = datagram_peer_name(fd);
    many_peer_sends(&link, 0, 20);
    close(peer);
    ck_assert_ok(anyc_connected_udp_socket_send(socket, "anybody?", 8));
    ck_assert_int_eq(anyc_connected_udp_socket_receive_many(socket, room->datagrams, MANY_COUNT),
                     ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, ECONNREFUSED);
    ck_assert_int_eq(anyc_connected_udp_socket_receive_many(socket, room->datagrams, MANY_COUNT),
                     20);
    free(room);
    anyc_aclose(socket);
}

#endif
