/* SPDX-License-Identifier: MIT */
/*
 * from_fd.h - sockets that somebody else made: streams and listeners of descriptors, and those that
 * a service manager hands over when it starts the program (sd_listen_fds(3)).
 *
 *     static int serve_what_systemd_gave(void *arg)
 *     {
 *         anyc_listen_fd_list given;
 *         anyc_listener *listener;
 *         int rc = anyc_listen_fds(NULL, &given);
 *
 *         if (rc <= 0)
 *             return rc;
 *         rc = anyc_socket_listener_from_fd(given.items[0].fd, &listener);
 *         anyc_free_listen_fds(&given);
 *         if (rc < 0)
 *             return rc;
 *         rc = anyc_listener_serve(listener, handle, NULL, NULL);
 *         anyc_aclose(listener);
 *         return rc;
 *     }
 *
 * A descriptor that is not what the function wants stays the caller's, unchanged; the message of
 * anyc_last_error() names it and says what is wrong. One that is taken becomes non-blocking and
 * close-on-exec, and is closed with its object.
 */
#ifndef ANYC_FROM_FD_H
#define ANYC_FROM_FD_H

#include <anyc/base.h>
#include <anyc/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Make a stream of a connected stream socket, of TCP or any other family.
 *
 * @param fd          the descriptor; taken on success
 * @param out_stream  the stream
 *
 * Returns: 0, or
 *   ANYC_EINVAL     it is not a socket, not connected, or not a stream socket
 *   -EBADF          it is not open
 *   ANYC_EBUSY      this loop uses the descriptor already
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 * Owns:    takes `fd` on success; on failure it stays the caller's, as it was. The stream is the
 *          caller's: end it with anyc_aclose.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   abc.SocketStream.from_socket (4.10).
 */
ANYC_API int anyc_socket_stream_from_fd(int fd, anyc_byte_stream **out_stream);

/**
 * Make a stream of a connected UNIX stream socket, one end of a socketpair(2) for example.
 *
 * @param fd          the descriptor; taken on success
 * @param out_stream  the stream, also for anyc_unix_socket_stream_send_fds and receive_fds
 *
 * Returns: as anyc_socket_stream_from_fd; ANYC_EINVAL also if it is of another family.
 * Owns:    as anyc_socket_stream_from_fd.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   abc.UNIXSocketStream.from_socket (4.10).
 */
ANYC_API int anyc_unix_socket_stream_from_fd(int fd, anyc_byte_stream **out_stream);

/**
 * Make a listener of a listening stream socket, of TCP, UNIX or any other family.
 *
 * @param fd            the descriptor; taken on success
 * @param out_listener  for anyc_listener_serve or anyc_socket_listener_accept
 *
 * Returns: 0, or
 *   ANYC_EINVAL     it is not a socket, not bound to an address, not a stream socket, or does not
 *                   listen
 *   -EBADF          it is not open
 *   ANYC_EBUSY      this loop uses the descriptor already
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 * Owns:    takes `fd` on success; on failure it stays the caller's, as it was. The listener is the
 *          caller's: end it with anyc_aclose.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   abc.SocketListener.from_socket (4.10).
 */
ANYC_API int anyc_socket_listener_from_fd(int fd, anyc_listener **out_listener);

/* -- handed over by a service manager -- */

/** A descriptor that was handed over. */
typedef struct anyc_listen_fd {
    int fd;           /* 3 for the first, 4 for the second ...; close-on-exec */
    const char *name; /* FileDescriptorName= of the socket's unit; "unknown" if none was given */
} anyc_listen_fd;

/** All of them, in order. */
typedef struct anyc_listen_fd_list {
    anyc_listen_fd *items; /* NULL: none */
    size_t count;
} anyc_listen_fd_list;

/** What anyc_listen_fds may be told; all zero means the defaults. */
typedef struct anyc_listen_fds_options {
    bool unset_environment; /* remove the variables, so that neither a later call nor a child sees
                             * them; also after an error */
} anyc_listen_fds_options;

/**
 * The sockets that the service manager has opened for this program. It says so in the environment:
 * LISTEN_PID, whom they are for; LISTEN_FDS, how many; LISTEN_FDNAMES, their names. They may be of
 * any kind: the functions named ..._from_fd take those that they are made for.
 *
 * @param options   NULL or zero fields: defaults
 * @param out_list  what was handed over; free it with anyc_free_listen_fds. Also when the answer is
 *                  0, which leaves it empty
 *
 * Returns: how many there are; 0 if there are none, or if they are for another process; or
 *   ANYC_EINVAL  a variable is not of its form, or there are not as many names as descriptors
 *   -EBADF       one of the descriptors is not open
 *   ANYC_ENOMEM  out of memory
 * Owns:    the descriptors are the caller's, the list's memory too.
 * Cancel:  never suspends.
 * Threads: any thread; with unset_environment only as long as no other one uses the environment.
 * AnyIO:   no counterpart.
 */
ANYC_API int anyc_listen_fds(const anyc_listen_fds_options *options, anyc_listen_fd_list *out_list);

/**
 * Free the memory of a list, and make it empty. The descriptors stay open.
 *
 * @param list  all zero, or by anyc_listen_fds
 *
 * Owns:    the descriptors stay the caller's.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_free_listen_fds(anyc_listen_fd_list *list);

#ifdef __cplusplus
}
#endif

#endif
