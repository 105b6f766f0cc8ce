/* SPDX-License-Identifier: MIT */
/*
 * unix_socket.h - UNIX stream sockets (unix(7)): connections within one machine, over which
 * descriptors can be passed to another process.
 *
 *     static int print_from(const char *path)
 *     {
 *         anyc_byte_stream *stream;
 *         char buf[64];
 *         ssize_t n;
 *         int rc = anyc_connect_unix(path, NULL, &stream);
 *
 *         if (rc < 0)
 *             return rc;
 *         n = anyc_receive(stream, buf, sizeof buf);
 *         printf("%.*s", n > 0 ? (int)n : 0, buf);
 *         anyc_aclose(stream);
 *         return n < 0 ? (int)n : 0;
 *     }
 *
 * A connection is an anyc_byte_stream, a listener an anyc_listener, as for TCP (anyc/socket.h). Its
 * names are paths, or, on Linux, abstract names: those begin with a zero byte, may hold more of
 * them, end where their length says, and have no file.
 */
#ifndef ANYC_UNIX_SOCKET_H
#define ANYC_UNIX_SOCKET_H

#include <anyc/base.h>
#include <anyc/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a connect may be told; all zero means the defaults. */
typedef struct anyc_connect_unix_options {
    size_t path_len; /* bytes of the name, for abstract ones; 0: up to its first zero byte */
} anyc_connect_unix_options;

/**
 * Connect to a UNIX stream socket. If the queue of the listener is full, the call tries again after
 * pauses of 1 ms to 0.1 s, since the system has nothing to wait for then.
 *
 * @param path        where it listens: a path, or an abstract name with its length in the options
 * @param options     NULL or zero fields: defaults
 * @param out_stream  the connection
 *
 * Returns: 0, or
 *   ANYC_EINVAL     no path, an empty one, a zero byte within it
 *   -ENAMETOOLONG   more than 107 bytes (an abstract name: 108)
 *   -ENOENT         there is nothing at the path
 *   -ECONNREFUSED   nobody listens there
 *   -errno          the system refused otherwise: EACCES, EPROTOTYPE ...
 *   ANYC_ECANCELLED the enclosing scope was cancelled; nothing stays open
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 * Owns:    the stream is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   connect_unix.
 */
ANYC_API int anyc_connect_unix(const char *path, const anyc_connect_unix_options *options,
                               anyc_byte_stream **out_stream);

/** What a listener may be told; all zero means the defaults. */
typedef struct anyc_create_unix_listener_options {
    size_t path_len; /* as for anyc_connect_unix */
    int mode;        /* permissions of the path, 0600; 0: as the umask has it */
    int backlog;     /* 0: 65536; a larger one is cut to that */
} anyc_create_unix_listener_options;

/**
 * Listen on a UNIX stream socket. A socket that stands at the path is removed first, also one that
 * somebody still listens on; anything else there is an error. The path has its mode before anybody
 * can connect. It stays when the listener is closed: unlink(2) it, or leave it to the next one.
 *
 * @param path          where: a path, or an abstract name with its length in the options
 * @param options       NULL or zero fields: defaults
 * @param out_listener  for anyc_listener_serve or anyc_socket_listener_accept
 *
 * Returns: 0, or
 *   ANYC_EINVAL     no path, an empty one, a zero byte within it; a mode outside 0..07777, or one
 *                   for an abstract name; a negative backlog
 *   -ENAMETOOLONG   more than 107 bytes (an abstract name: 108)
 *   -EADDRINUSE     something that is no socket stands at the path; the abstract name is taken
 *   -errno          the system refused otherwise: ENOENT, EACCES ...
 *   ANYC_ECANCELLED the enclosing scope was cancelled, and nothing was touched
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 * Owns:    the listener is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint until a worker thread binds the socket, then shielded for that moment.
 * Threads: tasks only.
 * AnyIO:   create_unix_listener.
 */
ANYC_API int anyc_create_unix_listener(const char *path,
                                       const anyc_create_unix_listener_options *options,
                                       anyc_listener **out_listener);

/**
 * Send bytes and descriptors with them. The descriptors travel with the first byte.
 *
 * @param stream   open UNIX stream; borrowed
 * @param message  the bytes; borrowed until the call returns
 * @param len      how many, at least 1
 * @param fds      the descriptors; borrowed until the call returns
 * @param count    how many, 1..253 (what the system takes at once)
 *
 * Returns: 0, or
 *   ANYC_EINVAL      no bytes, no descriptors or too many of them; the stream is not a UNIX one;
 *                    one of the descriptors is of a kind that cannot be sent
 *   -EBADF           one of the descriptors is not open; nothing was sent
 *   -ETOOMANYREFS    too many descriptors are on their way in the system; nothing was sent
 *   ANYC_ECLOSED     this side closed the stream or ended its sending
 *   ANYC_EBROKEN     the connection failed, or the peer has gone
 *   ANYC_EBUSY       another task is sending
 *   ANYC_ECANCELLED  the enclosing scope was cancelled
 *   ANYC_ENOLOOP     not called from a task
 *   ANYC_ENOMEM, -ENOBUFS  the system is short of memory
 * Owns:    the descriptors stay the caller's, who may close them at once; the peer gets copies.
 * Cancel:  checkpoint. When cancelled midway a part has gone, as anyc_send has it: unless that is
 *          "0 of 17 bytes", the descriptors have gone too.
 * Threads: the stream's loop only.
 * AnyIO:   abc.UNIXSocketStream.send_fds.
 */
ANYC_API int anyc_unix_socket_stream_send_fds(anyc_byte_stream *stream, const void *message,
                                              size_t len, const int *fds, size_t count);

/**
 * Receive bytes and the descriptors that came with them, waiting until there is something. One call
 * never takes the descriptors of two sends. anyc_receive, which has no place for descriptors,
 * takes the bytes and closes them.
 *
 * @param stream     open UNIX stream; borrowed
 * @param buf        where the bytes go
 * @param max_bytes  room in `buf`; with 0 only descriptors that stand first in line are taken
 * @param fds        where the descriptors go; close-on-exec
 * @param max_fds    room in `fds`, at least 1; 253 is always enough
 * @param out_count  how many descriptors came, 0..max_fds
 *
 * Returns: bytes stored, 0..max_bytes, or
 *   ANYC_EINVAL     no room for descriptors, max_bytes is larger than SSIZE_MAX, or the stream is
 *                   not a UNIX one
 *   ANYC_EOF        the peer finished sending
 *   -EMSGSIZE       more descriptors came than there is room for
 *   -EMFILE         more descriptors came than this process may have
 *   ANYC_ESTATE     something else came with the bytes (credentials, on a socket with SO_PASSCRED)
 *   ANYC_ECLOSED    this side closed the stream, also while it was waiting
 *   ANYC_EBROKEN    the connection failed
 *   ANYC_EBUSY      another task is receiving
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    the descriptors are the caller's: close(2) each. On failure there are none: after
 *          -EMSGSIZE, -EMFILE and ANYC_ESTATE all that came are closed, and the bytes with them
 *          are lost; the stream itself is well.
 * Cancel:  checkpoint. When cancelled, neither bytes nor descriptors are lost.
 * Threads: the stream's loop only.
 * AnyIO:   abc.UNIXSocketStream.receive_fds.
 */
ANYC_API ssize_t anyc_unix_socket_stream_receive_fds(anyc_byte_stream *stream, void *buf,
                                                     size_t max_bytes, int *fds, size_t max_fds,
                                                     size_t *out_count);

#ifdef __cplusplus
}
#endif

#endif
