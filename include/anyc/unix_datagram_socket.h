/* SPDX-License-Identifier: MIT */
/*
 * unix_datagram_socket.h - UNIX datagram sockets (unix(7)), connected to one peer or not.
 *
 *     anyc_create_unix_datagram_socket_options options = {.local_path = "/run/log"};
 *     anyc_unix_datagram_socket *socket;
 *
 *     rc = anyc_create_unix_datagram_socket(&options, &socket);
 *     if (rc < 0)
 *         return rc;
 *     rc = anyc_unix_datagram_socket_sendto(socket, "hello", 5, "/run/other", 0);
 *     anyc_aclose(socket);
 *
 * What receiving and sending mean, and their errors, stand in anyc/datagram.h. They lose nothing on
 * the way: a sender waits until the receiver's queue has room.
 *
 * Names are paths, or abstract names (Linux), which begin with a zero byte and may hold more of
 * them. The length that goes with a name counts its bytes; 0 means up to the first zero byte, which
 * will do for every path. Closing a socket does not remove its path.
 */
#ifndef ANYC_UNIX_DATAGRAM_SOCKET_H
#define ANYC_UNIX_DATAGRAM_SOCKET_H

#include <sys/types.h>

#include <anyc/base.h>
#include <anyc/datagram.h>
#include <anyc/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A UNIX datagram socket that exchanges datagrams with anybody. */
typedef struct anyc_unix_datagram_socket {
    anyc_resource resource;
} anyc_unix_datagram_socket;

/** A UNIX datagram socket that exchanges datagrams with one peer. */
typedef struct anyc_connected_unix_datagram_socket {
    anyc_resource resource;
} anyc_connected_unix_datagram_socket;

/* -- not connected -- */

/** What a UNIX datagram socket may be told; all zero means the defaults. */
typedef struct anyc_create_unix_datagram_socket_options {
    const char *local_path; /* its name; NULL: none, nobody can send to it then */
    size_t local_path_len;  /* bytes; 0: up to the first zero byte */
    int local_mode;         /* permissions of the path, 0..07777; 0: by the umask */
} anyc_create_unix_datagram_socket_options;

/**
 * Make a UNIX datagram socket. A socket that stands at its path already is removed first.
 *
 * @param options     NULL or zero fields: defaults
 * @param out_socket  the socket
 *
 * Returns: 0, or
 *   ANYC_EINVAL     an empty path, a zero byte within one, a mode out of range, or one for an
 *                   abstract name or no name
 *   -ENAMETOOLONG   the name is too long (107 bytes of a path, 108 of an abstract name on Linux)
 *   -EADDRINUSE     the name is taken; at the path stands something that is no socket
 *   -errno          of the file system or bind(2): EACCES, ENOENT, EROFS ...
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 * Owns:    the socket is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   create_unix_datagram_socket (4.1).
 */
ANYC_MUST_USE ANYC_API int
anyc_create_unix_datagram_socket(const anyc_create_unix_datagram_socket_options *options,
                                 anyc_unix_datagram_socket **out_socket);

/**
 * Make a UNIX datagram socket of a descriptor. It is made non-blocking and close-on-exec.
 *
 * @param fd          an AF_UNIX datagram socket; it may have a name, and need not
 * @param out_socket  the socket
 *
 * Returns: 0, or
 *   ANYC_EINVAL     it is no socket, or one of another kind; the message says which
 *   -EBADF          it is not open
 *   ANYC_EBUSY      something of this loop uses the descriptor
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 *   -errno          the loop cannot wait for it
 * Owns:    takes `fd` on success; on failure it is the caller's, and is as it was.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   abc.UNIXDatagramSocket.from_socket (4.10).
 */
ANYC_MUST_USE ANYC_API int
anyc_unix_datagram_socket_from_fd(int fd, anyc_unix_datagram_socket **out_socket);

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
 *   ANYC_EBROKEN    the system reported an error of the socket
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM, -ENOBUFS  the system is short of memory
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, no datagram was taken.
 * Threads: the socket's loop only.
 * AnyIO:   abc.UNIXDatagramSocket.receive.
 */
ANYC_API int anyc_unix_datagram_socket_receive(anyc_unix_datagram_socket *socket,
                                               anyc_datagram *datagram);

/**
 * Send one datagram to its `address`, waiting until there is room for it. The system does not say
 * when a receiver's full queue has room again, so it is tried after pauses of 1 ms to 0.1 s.
 *
 * @param socket    open socket; borrowed
 * @param datagram  `data`, `len`, `address` and `address_len`; borrowed until the call returns
 *
 * Returns: 0, or
 *   ANYC_EBUSY      another task is sending
 *   ANYC_ECLOSED    this side closed the socket, also while it was waiting
 *   ANYC_EBROKEN    nobody receives at this name; the socket stays usable
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM, -ENOBUFS  the system is short of memory
 *   -EMSGSIZE       it is too long: it must fit into the send buffer (SO_SNDBUF)
 *   -EACCES         the receiver's path may not be written
 *   -EPERM          the receiver is connected to somebody else
 *   -EPROTOTYPE     the receiver is a stream socket
 *   -ENOTCONN       it has no address
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, it was not sent.
 * Threads: the socket's loop only.
 * AnyIO:   abc.UNIXDatagramSocket.send.
 */
ANYC_API int anyc_unix_datagram_socket_send(anyc_unix_datagram_socket *socket,
                                            const anyc_datagram *datagram);

/**
 * Send one datagram to a name.
 *
 * @param socket    open socket; borrowed
 * @param data      the bytes; borrowed until the call returns
 * @param len       how many; may be 0
 * @param path      the receiver's name
 * @param path_len  bytes of it; 0: up to the first zero byte
 *
 * Returns: as anyc_unix_datagram_socket_send, or
 *   ANYC_EINVAL     no path, an empty one, or a zero byte within one; looked at first
 *   -ENAMETOOLONG   the name is too long
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, it was not sent.
 * Threads: the socket's loop only.
 * AnyIO:   abc.UNIXDatagramSocket.sendto.
 */
ANYC_API int anyc_unix_datagram_socket_sendto(anyc_unix_datagram_socket *socket, const void *data,
                                              size_t len, const char *path, size_t path_len);

/* -- connected -- */

/** What a connected UNIX datagram socket may be told; all zero means the defaults. */
typedef struct anyc_create_connected_unix_datagram_socket_options {
    size_t remote_path_len; /* bytes of the peer's name; 0: up to the first zero byte */
    const char *local_path; /* its own name; NULL: none, the peer cannot answer then */
    size_t local_path_len;  /* bytes; 0: up to the first zero byte */
    int local_mode;         /* permissions of its path, 0..07777; 0: by the umask */
} anyc_create_connected_unix_datagram_socket_options;

/**
 * Make a UNIX datagram socket that is connected to another one. A socket that stands at its own
 * path already is removed first.
 *
 * @param remote_path  the peer's name
 * @param options      NULL or zero fields: defaults
 * @param out_socket   the socket
 *
 * Returns: as anyc_create_unix_datagram_socket, also for the peer's name, or
 *   -ENOENT, -ECONNREFUSED  nobody receives at this name
 *   -errno                  of connect(2): EACCES, EPERM, EPROTOTYPE ...
 * Owns:    the socket is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   create_connected_unix_datagram_socket (4.1).
 */
ANYC_MUST_USE ANYC_API int anyc_create_connected_unix_datagram_socket(
    const char *remote_path, const anyc_create_connected_unix_datagram_socket_options *options,
    anyc_connected_unix_datagram_socket **out_socket);

/**
 * Make a connected UNIX datagram socket of a descriptor. It is made non-blocking and close-on-exec.
 *
 * @param fd          an AF_UNIX datagram socket that is connected
 * @param out_socket  the socket
 *
 * Returns: as anyc_unix_datagram_socket_from_fd; ANYC_EINVAL too if it is not connected.
 * Owns:    takes `fd` on success; on failure it is the caller's, and is as it was.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   abc.ConnectedUNIXDatagramSocket.from_socket (4.10).
 */
ANYC_MUST_USE ANYC_API int
anyc_connected_unix_datagram_socket_from_fd(int fd,
                                            anyc_connected_unix_datagram_socket **out_socket);

/**
 * Receive one datagram of the peer, waiting until there is one. It waits also after the peer has
 * gone: that is told to who sends.
 *
 * @param socket         open socket; borrowed
 * @param buf            where it goes; borrowed, unchanged on error
 * @param size           room in `buf`, bytes, at least 1
 * @param out_truncated  whether it had more than `size` bytes; may be NULL
 *
 * Returns: bytes stored, 0..size, or an error as anyc_unix_datagram_socket_receive.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, no datagram was taken.
 * Threads: the socket's loop only.
 * AnyIO:   abc.ConnectedUNIXDatagramSocket.receive.
 */
ANYC_API ssize_t anyc_connected_unix_datagram_socket_receive(
    anyc_connected_unix_datagram_socket *socket, void *buf, size_t size, bool *out_truncated);

/**
 * Send one datagram to the peer, waiting until its queue has room.
 *
 * @param socket  open socket; borrowed
 * @param data    the bytes; borrowed until the call returns
 * @param len     how many; may be 0
 *
 * Returns: as anyc_unix_datagram_socket_send; ANYC_EBROKEN if the peer has gone.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, it was not sent.
 * Threads: the socket's loop only.
 * AnyIO:   abc.ConnectedUNIXDatagramSocket.send.
 */
ANYC_API int anyc_connected_unix_datagram_socket_send(anyc_connected_unix_datagram_socket *socket,
                                                      const void *data, size_t len);

#ifdef __cplusplus
}
#endif

#endif
