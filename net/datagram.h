/* SPDX-License-Identifier: MIT */
/*
 * datagram.h - what is behind the four kinds of datagram sockets: UDP and UNIX, connected or not.
 */
#ifndef ANYC_NET_DATAGRAM_H
#define ANYC_NET_DATAGRAM_H

#include <anyc/datagram.h>
#include <anyc/udp_socket.h>
#include <anyc/unix_datagram_socket.h>

#include "core/list.h"
#include "core/watch.h"
#include "streams/stream.h"

enum datagram_kind { DATAGRAM_UDP, DATAGRAM_CONNECTED_UDP, DATAGRAM_UNIX, DATAGRAM_CONNECTED_UNIX };

/* A task that is at work holds the memory, so that the socket may be closed and freed meanwhile: it
 * finds `watch` NULL when it comes back. Invariants: watch == NULL iff closed; life.users ==
 * receiving + sending; `pausing` holds one node at most, of the task that is sending. */
struct datagram_socket {
    union {
        anyc_resource resource;
        anyc_udp_socket udp;
        anyc_connected_udp_socket connected_udp;
        anyc_unix_datagram_socket unix_datagram;
        anyc_connected_unix_datagram_socket connected_unix_datagram;
    };
    anyc_watch *watch; /* NULL: closed */
    struct stream_life life;
    enum datagram_kind kind;
    int family;
    bool receiving;     /* a task is receiving */
    bool sending;       /* a task is sending */
    int late_error;     /* errno that came up behind datagrams that were received, or 0 */
    anyc_list pausing;  /* the task that waits for room in another socket's queue */
    socklen_t peer_len; /* 0: not connected */
    uint64_t peer[];    /* the peer's address, aligned for any */
};

/* Make an object of a non-blocking socket. peer_len: 0 for kinds that are not connected. On success
 * it owns the descriptor; on failure (ANYC_ENOMEM, those of anyc__watch_open) that stays the
 * caller's. */
int anyc__datagram_create(anyc_loop *loop, int fd, enum datagram_kind kind, int family,
                          const struct sockaddr *peer, socklen_t peer_len,
                          struct datagram_socket **out_socket);

/* The same, for a socket that was connected just now: the peer is asked of the system. */
int anyc__datagram_create_connected(anyc_loop *loop, int fd, enum datagram_kind kind, int family,
                                    struct datagram_socket **out_socket);

/* The functions named ..._from_fd: check the descriptor and make an object of it. */
int anyc__datagram_adopt(int fd, enum datagram_kind kind, struct datagram_socket **out_socket);

/* The public functions of the same names, for any kind. */
ssize_t anyc__datagram_receive_many(struct datagram_socket *socket, anyc_datagram *datagrams,
                                    size_t count);
int anyc__datagram_receive(struct datagram_socket *socket, anyc_datagram *datagram);
ssize_t anyc__datagram_receive_bytes(struct datagram_socket *socket, void *buf, size_t size,
                                     bool *out_truncated);
ssize_t anyc__datagram_send_many(struct datagram_socket *socket, const anyc_datagram *datagrams,
                                 size_t count);
int anyc__datagram_send(struct datagram_socket *socket, const anyc_datagram *datagram);
int anyc__datagram_send_bytes(struct datagram_socket *socket, const void *data, size_t len);

/* The parts of a send, for who must wait for something else before: begin (0, ANYC_EBUSY,
 * ANYC_ECANCELLED, ANYC_ENOLOOP; nothing is to be ended then), write once or not at all, end. */
int anyc__datagram_begin_send(struct datagram_socket *socket);
int anyc__datagram_write(struct datagram_socket *socket, const anyc_datagram *datagram);
void anyc__datagram_end_send(struct datagram_socket *socket);

#endif
