/* SPDX-License-Identifier: MIT */
/*
 * datagram.h - what UDP sockets (anyc/udp_socket.h) and UNIX datagram sockets
 * (anyc/unix_datagram_socket.h) have in common.
 *
 *     char room[65536];
 *     anyc_datagram datagram = {.data = room, .size = sizeof room};
 *
 *     rc = anyc_udp_socket_receive(socket, &datagram);
 *     if (rc == 0 && !datagram.truncated)
 *         rc = anyc_udp_socket_send(socket, &datagram);    // back to who sent it
 *
 * Each datagram is received whole or not at all, and an empty one is as good as any other: there is
 * no end of file. One task may receive while another sends; a second one in the same direction gets
 * ANYC_EBUSY. When a call is cancelled, no datagram was lost, and none was sent.
 *
 * A datagram that is longer than the room for it is cut to fit, its rest is lost, and `truncated`
 * says so. With 65,536 bytes of room that never happens by UDP.
 *
 * Errors. -errno means that this datagram cannot be sent by this socket: -EMSGSIZE if it is too
 * long, -EACCES, -EPERM, -EAFNOSUPPORT ...; or that the machine is short of something: ANYC_ENOMEM,
 * -ENOBUFS. ANYC_EBROKEN means that a receiver cannot be reached, the os_error of anyc_last_error()
 * says why: nobody is there (ECONNREFUSED, ENOENT), or no way leads to him (ENETUNREACH,
 * EHOSTUNREACH). The socket itself stays usable in any case. A connected UDP socket hears of it
 * later, once, by whichever call comes next; the datagram of that call was not sent. One that is
 * not connected does not hear of it.
 */
#ifndef ANYC_DATAGRAM_H
#define ANYC_DATAGRAM_H

#include <sys/socket.h>

#include <anyc/base.h>
#include <anyc/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One datagram, and the room for one. What is not said to be set by receiving is the caller's. */
typedef struct anyc_datagram {
    void *data;            /* its bytes; only read when it is sent */
    size_t size;           /* room at `data`, bytes, at least 1; not used for sending */
    size_t len;            /* bytes of it; set by receiving */
    bool truncated;        /* it had more than `size` bytes; set by receiving */
    socklen_t address_len; /* bytes of `address`; set by receiving; 0 on connected sockets */
    struct sockaddr_storage address; /* who sent it, or who is to get it; set by receiving */
} anyc_datagram;

/**
 * The address of a datagram in the form in which people write it.
 *
 * @param datagram     received by a socket that is not connected
 * @param out_address  the address; a UNIX socket without a name has an empty one
 *
 * Returns: 0, or ANYC_EATTRIBUTE if the datagram has no address.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   the second half of UDPPacketType and UNIXDatagramPacketType.
 */
ANYC_API int anyc_datagram_get_address(const anyc_datagram *datagram,
                                       anyc_socket_address *out_address);

/**
 * Say who is to get a datagram. Nothing is looked up: names are for anyc_udp_socket_sendto and
 * anyc_getaddrinfo.
 *
 * @param datagram  its `address` and `address_len` are set
 * @param address   the address: what anyc_datagram_get_address or the attribute
 *                  ANYC_SOCKET_LOCAL_ADDRESS of another socket gives. Written by hand, `host_len`
 *                  may be 0 unless the name of a UNIX socket has a zero byte in it
 *
 * Returns: 0, or, and then nothing has changed,
 *   ANYC_EINVAL       the host is no literal address of the family, the port is not within
 *                     1..65535, or a UNIX name is empty or has a zero byte in the middle of a path
 *   -ENAMETOOLONG     the name of a UNIX socket is too long
 *   -EAFNOSUPPORT     the family is neither AF_INET, AF_INET6 nor AF_UNIX
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   the second half of UDPPacketType and UNIXDatagramPacketType.
 */
ANYC_API int anyc_datagram_set_address(anyc_datagram *datagram, const anyc_socket_address *address);

#ifdef __cplusplus
}
#endif

#endif
