/* SPDX-License-Identifier: MIT */
/*
 * datagram_peer.h - plain POSIX datagram sockets for the other side of a socket under test. As in
 * peer.h they block for 10 seconds at most, and whatever the system refuses fails the test.
 */
#ifndef ANYC_TESTS_SUPPORT_DATAGRAM_PEER_H
#define ANYC_TESTS_SUPPORT_DATAGRAM_PEER_H

#include <stddef.h>

#include <sys/socket.h>

#include "support/unix_peer.h"

/* The name of a socket as the system has it. */
struct datagram_name {
    struct sockaddr_storage address;
    socklen_t len;
};

/* A UDP socket, bound to a port of the family's loopback address; 0: a free one. */
int datagram_peer_udp(int family, int port);

/* A UNIX datagram socket, bound to a name; NULL: without one. */
int datagram_peer_unix(const struct unix_place *place);

/* The socket's own name. */
struct datagram_name datagram_peer_name(int fd);

void datagram_peer_connect(int fd, const struct datagram_name *to);

/* Send one datagram; `to`: NULL on a connected socket. */
void datagram_peer_send(int fd, const void *data, size_t len, const struct datagram_name *to);

/* The next datagram: its length; out_from may be NULL. */
size_t datagram_peer_receive(int fd, void *buf, size_t size, struct datagram_name *out_from);

/* Nothing is there to be received. */
void datagram_peer_check_empty(int fd);

#endif
