/* SPDX-License-Identifier: MIT */
/*
 * udp_socket.h - UDP sockets, connected to one peer or not.
 *
 *     anyc_create_udp_socket_options options = {.local_host = "::1", .local_port = 5000};
 *     anyc_udp_socket *socket;
 *     char room[65536];
 *     anyc_datagram datagram = {.data = room, .size = sizeof room};
 *
 *     rc = anyc_create_udp_socket(&options, &socket);
 *     if (rc < 0)
 *         return rc;
 *     while (rc == 0) {
 *         rc = anyc_udp_socket_receive(socket, &datagram);
 *         if (rc == 0)
 *             rc = anyc_udp_socket_send(socket, &datagram);    // an echo server
 *     }
 *     anyc_aclose(socket);
 *
 * What receiving and sending mean, and their errors, stand in anyc/datagram.h. The attributes of
 * anyc/socket.h (ANYC_SOCKET_LOCAL_PORT ...) can be read from the sockets by anyc_extra.
 */
#ifndef ANYC_UDP_SOCKET_H
#define ANYC_UDP_SOCKET_H

#include <sys/types.h>

#include <anyc/base.h>
#include <anyc/datagram.h>
#include <anyc/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A UDP socket that exchanges datagrams with anybody. */
typedef struct anyc_udp_socket {
    anyc_resource resource;
} anyc_udp_socket;

/** A UDP socket that exchanges datagrams with one peer; those of others never reach it. */
typedef struct anyc_connected_udp_socket {
    anyc_resource resource;
} anyc_connected_udp_socket;

/* -- not connected -- */

/** What a UDP socket may be told; `family` or `local_host` must be given. */
typedef struct anyc_create_udp_socket_options {
    int family;             /* AF_INET or AF_INET6; 0: that of the local host */
    const char *local_host; /* name or literal address; NULL: all interfaces */
    int local_port;         /* 0: a free one */
    bool reuse_port;        /* SO_REUSEPORT: several sockets share the port */
    bool ipv6_only;         /* IPV6_V6ONLY: no IPv4 through "::"; false: as the system has it */
} anyc_create_udp_socket_options;

/**
 * Make a UDP socket. It is bound from the start, so that it can receive. Of a host with several
 * addresses it gets the first.
 *
 * @param options     see there
 * @param out_socket  the socket
 *
 * Returns: 0, or
 *   ANYC_EINVAL     neither family nor host, a family that is not one of IP, a port out of range
 *   ANYC_EAI(code)  the look-up's own error
 *   -errno          of socket(2) or bind(2): EADDRINUSE, EADDRNOTAVAIL, EACCES, EAFNOSUPPORT ...
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 * Owns:    the socket is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   create_udp_socket (there a local port without a local host is ignored).
 */
ANYC_MUST_USE ANYC_API int anyc_create_udp_socket(const anyc_create_udp_socket_options *options,
                                                  anyc_udp_socket **out_socket);

/**
 * Make a UDP socket of a descriptor. It is made non-blocking and close-on-exec.
 *
 * @param fd          an IPv4 or IPv6 UDP socket that is bound to a port
 * @param out_socket  the socket
 *
 * Returns: 0, or
 *   ANYC_EINVAL     it is no socket, or one of another kind, or not bound; the message says which
 *   -EBADF          it is not open
 *   ANYC_EBUSY      something of this loop uses the descriptor
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 *   -errno          the loop cannot wait for it
 * Owns:    takes `fd` on success; on failure it is the caller's, and is as it was.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   abc.UDPSocket.from_socket (4.10).
 */
ANYC_MUST_USE ANYC_API int anyc_udp_socket_from_fd(int fd, anyc_udp_socket **out_socket);

/**
 * Receive one datagram, waiting until there is one.
 *
 * @param socket    open socket; borrowed
 * @param datagram  `data` and `size` say where it goes; the rest is set. Unchanged on error
 *
 * Returns: 0, or
 *   ANYC_EINVAL     there is no room at all; looked at first
 *   ANYC_EBUSY      another task is receiving
 *   ANYC_ECLOSED    this side closed the socket, also while it was waiting
 *   ANYC_EBROKEN    the system reported an error of the network
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM, -ENOBUFS  the system is short of memory
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, no datagram was taken.
 * Threads: the socket's loop only.
 * AnyIO:   abc.UDPSocket.receive.
 */
ANYC_API int anyc_udp_socket_receive(anyc_udp_socket *socket, anyc_datagram *datagram);

/**
 * Receive the datagrams that are there, waiting until there is at least one. A system call takes
 * several where the system can do that.
 *
 * @param socket     open socket; borrowed
 * @param datagrams  each as for anyc_udp_socket_receive; those that were not filled are unchanged
 * @param count      of them, at least 1
 *
 * Returns: how many were received, from the first on: 1..count, or an error as
 *          anyc_udp_socket_receive, and then none was taken.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, no datagram was taken.
 * Threads: the socket's loop only.
 * AnyIO:   no counterpart; recvmmsg(2).
 */
ANYC_API ssize_t anyc_udp_socket_receive_many(anyc_udp_socket *socket, anyc_datagram *datagrams,
                                              size_t count);

/**
 * Send one datagram to its `address`, waiting until the system takes it.
 *
 * @param socket    open socket; borrowed
 * @param datagram  `data`, `len`, `address` and `address_len`; borrowed until the call returns
 *
 * Returns: 0, or
 *   ANYC_EBUSY      another task is sending
 *   ANYC_ECLOSED    this side closed the socket, also while it was waiting
 *   ANYC_EBROKEN    the receiver cannot be reached; the socket stays usable
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM, -ENOBUFS  the system is short of memory
 *   -EMSGSIZE       it is too long: UDP carries 65,507 bytes by IPv4, 65,527 by IPv6
 *   -EDESTADDRREQ   it has no address
 *   -errno          it is refused for another reason: see anyc/datagram.h
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, it was not sent.
 * Threads: the socket's loop only.
 * AnyIO:   abc.UDPSocket.send.
 */
ANYC_API int anyc_udp_socket_send(anyc_udp_socket *socket, const anyc_datagram *datagram);

/**
 * Send as many datagrams as the system takes without waiting again, waiting until it takes at least
 * one. A system call sends several where the system can do that.
 *
 * @param socket     open socket; borrowed
 * @param datagrams  each as for anyc_udp_socket_send; borrowed until the call returns
 * @param count      of them; with 0 the call is only a checkpoint that tells a closed socket
 *
 * Returns: how many were sent, from the first on: 1..count (0 if `count` is 0). Call again for the
 *          rest: if the next one cannot be sent, that call says why. Or an error as
 *          anyc_udp_socket_send, about the first one, and then none was sent.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, none was sent.
 * Threads: the socket's loop only.
 * AnyIO:   no counterpart; sendmmsg(2).
 */
ANYC_API ssize_t anyc_udp_socket_send_many(anyc_udp_socket *socket, const anyc_datagram *datagrams,
                                           size_t count);

/**
 * Send one datagram to a host. A name is looked up each time: who sends more than a few had better
 * look it up once (anyc_getaddrinfo).
 *
 * @param socket  open socket; borrowed
 * @param data    the bytes; borrowed until the call returns
 * @param len     how many; may be 0
 * @param host    name or literal address
 * @param port    1..65535
 *
 * Returns: as anyc_udp_socket_send, or
 *   ANYC_EINVAL     no host, or a port out of range; looked at first
 *   ANYC_EAI(code)  the look-up's own error
 *   -EAFNOSUPPORT   the literal address is of another family than the socket
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, it was not sent.
 * Threads: the socket's loop only. Closing the socket does not cut a look-up short.
 * AnyIO:   abc.UDPSocket.sendto.
 */
ANYC_API int anyc_udp_socket_sendto(anyc_udp_socket *socket, const void *data, size_t len,
                                    const char *host, int port);

/* -- connected -- */

/** What a connected UDP socket may be told; all zero means the defaults. */
typedef struct anyc_create_connected_udp_socket_options {
    int family;             /* AF_INET or AF_INET6; 0: either */
    const char *local_host; /* send from this address; NULL: the system chooses */
    int local_port;         /* send from this port; 0: a free one */
    bool reuse_port;        /* SO_REUSEPORT: several sockets share the port */
} anyc_create_connected_udp_socket_options;

/**
 * Make a UDP socket that is connected to a host. Nothing is sent by that, nobody need be there. The
 * local host, if there is one, fixes the family; of a host with several addresses the first is
 * taken.
 *
 * @param host        name or literal address
 * @param port        1..65535
 * @param options     NULL or zero fields: defaults
 * @param out_socket  the socket
 *
 * Returns: 0, or
 *   ANYC_EINVAL     no host, a port out of range, a family that is not one of IP
 *   ANYC_EAI(code)  the look-up's own error
 *   -errno          of socket(2), bind(2) or connect(2): EADDRINUSE, ENETUNREACH, EAFNOSUPPORT ...
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 * Owns:    the socket is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   create_connected_udp_socket (there a local port without a local host is ignored).
 */
ANYC_MUST_USE ANYC_API int
anyc_create_connected_udp_socket(const char *host, int port,
                                 const anyc_create_connected_udp_socket_options *options,
                                 anyc_connected_udp_socket **out_socket);

/**
 * Make a connected UDP socket of a descriptor. It is made non-blocking and close-on-exec.
 *
 * @param fd          an IPv4 or IPv6 UDP socket that is connected
 * @param out_socket  the socket
 *
 * Returns: as anyc_udp_socket_from_fd; ANYC_EINVAL too if it is not connected.
 * Owns:    takes `fd` on success; on failure it is the caller's, and is as it was.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   abc.ConnectedUDPSocket.from_socket (4.10).
 */
ANYC_MUST_USE ANYC_API int
anyc_connected_udp_socket_from_fd(int fd, anyc_connected_udp_socket **out_socket);

/**
 * Receive one datagram of the peer, waiting until there is one.
 *
 * @param socket         open socket; borrowed
 * @param buf            where it goes; borrowed, unchanged on error
 * @param size           room in `buf`, bytes, at least 1
 * @param out_truncated  whether it had more than `size` bytes; may be NULL
 *
 * Returns: bytes stored, 0..size, or an error as anyc_udp_socket_receive. ANYC_EBROKEN means that a
 *          datagram sent before could not be delivered, as with ECONNREFUSED; the socket stays
 *          usable.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, no datagram was taken.
 * Threads: the socket's loop only.
 * AnyIO:   abc.ConnectedUDPSocket.receive.
 */
ANYC_API ssize_t anyc_connected_udp_socket_receive(anyc_connected_udp_socket *socket, void *buf,
                                                   size_t size, bool *out_truncated);

/**
 * Receive the datagrams that are there, waiting until there is at least one.
 *
 * @param socket     open socket; borrowed
 * @param datagrams  as for anyc_udp_socket_receive_many; they get no address
 * @param count      of them, at least 1
 *
 * Returns: as anyc_udp_socket_receive_many, and as anyc_connected_udp_socket_receive.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, no datagram was taken.
 * Threads: the socket's loop only.
 * AnyIO:   no counterpart; recvmmsg(2).
 */
ANYC_API ssize_t anyc_connected_udp_socket_receive_many(anyc_connected_udp_socket *socket,
                                                        anyc_datagram *datagrams, size_t count);

/**
 * Send one datagram to the peer, waiting until the system takes it.
 *
 * @param socket  open socket; borrowed
 * @param data    the bytes; borrowed until the call returns
 * @param len     how many; may be 0
 *
 * Returns: as anyc_udp_socket_send. ANYC_EBROKEN means that a datagram sent before could not be
 *          delivered, and that this one was not sent; the socket stays usable.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, it was not sent.
 * Threads: the socket's loop only.
 * AnyIO:   abc.ConnectedUDPSocket.send.
 */
ANYC_API int anyc_connected_udp_socket_send(anyc_connected_udp_socket *socket, const void *data,
                                            size_t len);

/**
 * Send as many datagrams as the system takes without waiting again, waiting until it takes at least
 * one.
 *
 * @param socket     open socket; borrowed
 * @param datagrams  `data` and `len` of each; borrowed until the call returns
 * @param count      of them; with 0 the call is only a checkpoint that tells a closed socket
 *
 * Returns: as anyc_udp_socket_send_many, and as anyc_connected_udp_socket_send. An error that the
 *          system finds in the middle of a batch may go unreported.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, none was sent.
 * Threads: the socket's loop only.
 * AnyIO:   no counterpart; sendmmsg(2).
 */
ANYC_API ssize_t anyc_connected_udp_socket_send_many(anyc_connected_udp_socket *socket,
                                                     const anyc_datagram *datagrams, size_t count);

#ifdef __cplusplus
}
#endif

#endif
