/* SPDX-License-Identifier: MIT */
/*
 * socket.h - TCP connections and listeners, and waiting for descriptors. Included from here: name
 * look-up (anyc/dns.h), UNIX sockets (anyc/unix_socket.h), sockets that others made
 * (anyc/from_fd.h).
 *
 *     static int main_task(void *arg)
 *     {
 *         anyc_byte_stream *stream;
 *         int rc = anyc_connect_tcp("example.org", 80, NULL, &stream);
 *
 *         if (rc < 0)
 *             return rc;
 *         rc = anyc_send(stream, "HELO\r\n", 6);
 *         anyc_aclose(stream);
 *         return rc;
 *     }
 *
 * A connection is an anyc_byte_stream (anyc/stream.h); its sockets are close-on-exec and
 * non-blocking from birth and have TCP_NODELAY on. One task may receive while another sends.
 *
 * A send that is cancelled midway has sent a part: the message of anyc_last_error() says "17 of 400
 * bytes were sent". The stream itself is well; whether it is of use depends on what the peer makes
 * of half a message. After ANYC_EBROKEN only closing is of use; the system's error is the os_error
 * of anyc_last_error().
 */
#ifndef ANYC_SOCKET_H
#define ANYC_SOCKET_H

#include <anyc/base.h>
#include <anyc/dns.h>
#include <anyc/from_fd.h>
#include <anyc/resource.h>
#include <anyc/stream.h>
#include <anyc/unix_socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -- attributes -- */

/** The address of a socket, as people write it. */
typedef struct anyc_socket_address {
    int family;      /* AF_INET, AF_INET6 or AF_UNIX */
    int port;        /* 1..65535; 0 where there is none */
    size_t host_len; /* bytes of `host` without the closing zero */
    char host[112];  /* "127.0.0.1", "fe80::1%2"; a UNIX name, which may hold zero bytes */
} anyc_socket_address;

/* What sockets, streams and listeners over them provide (anyc_extra). After the end of the object
 * the remote ones can still be read, the others answer ANYC_ECLOSED. */

/**
 * int: the address family, AF_INET, AF_INET6 or AF_UNIX.
 * AnyIO: SocketAttribute.family.
 */
extern ANYC_API const anyc_typed_attribute ANYC_SOCKET_FAMILY;

/**
 * anyc_socket_address: this side's.
 * AnyIO: SocketAttribute.local_address.
 */
extern ANYC_API const anyc_typed_attribute ANYC_SOCKET_LOCAL_ADDRESS;

/**
 * int: this side's port; not for AF_UNIX.
 * AnyIO: SocketAttribute.local_port.
 */
extern ANYC_API const anyc_typed_attribute ANYC_SOCKET_LOCAL_PORT;

/**
 * int: the descriptor, which stays the object's.
 * AnyIO: SocketAttribute.raw_socket.
 */
extern ANYC_API const anyc_typed_attribute ANYC_SOCKET_RAW_SOCKET;

/**
 * anyc_socket_address: the peer's, as it was when the connection was made; only where there is a
 * peer.
 * AnyIO: SocketAttribute.remote_address.
 */
extern ANYC_API const anyc_typed_attribute ANYC_SOCKET_REMOTE_ADDRESS;

/**
 * int: the peer's port; only where there is a peer, not for AF_UNIX.
 * AnyIO: SocketAttribute.remote_port.
 */
extern ANYC_API const anyc_typed_attribute ANYC_SOCKET_REMOTE_PORT;

/* -- TCP -- */

struct anyc_tls_context;

/** What a connect may be told; all zero means the defaults. */
typedef struct anyc_connect_tcp_options {
    const char *local_host;      /* connect from this address; NULL: the system chooses */
    int local_port;              /* connect from this port; needs local_host; 0: any */
    double happy_eyeballs_delay; /* seconds after which the next address is tried beside those
                                  * under way; 0: 0.25; INFINITY: only when they have failed */
    /* TLS (anyc/tls.h): any of these makes the connection a TLS stream */
    bool tls;
    struct anyc_tls_context *tls_context; /* a client's; borrowed for the call. NULL: defaults */
    const char *tls_hostname;             /* that the server must be; NULL: the host */
    bool tls_not_standard_compatible;     /* see anyc_tls_stream_wrap_options */
} anyc_connect_tcp_options;

/**
 * Connect to a host by TCP. A name is looked up (a literal address is not), and its addresses are
 * tried in turn, the first IPv6 one and the first IPv4 one in front: the next one starts when the
 * one before has failed, or after a delay. The first to succeed wins; if its TLS handshake fails
 * then, no other address is tried.
 *
 * @param host        name or literal address, "fe80::1%eth0" included
 * @param port        1..65535
 * @param options     NULL or zero fields: defaults
 * @param out_stream  the connection
 *
 * Returns: 0, or
 *   ANYC_EINVAL     a port out of range, a local port without a local host, an empty host, a
 *                   negative delay, a server's context
 *   ANYC_EAI(code)  the look-up's own error, alone
 *   -errno          every attempt failed with this error (ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL,
 *                   ETIMEDOUT ...), or there was one address only
 *   ANYC_ECONNECT   every attempt failed, and not all for the same reason; the message lists each
 *                   address with its error, os_error is the first one's
 *   ANYC_ECANCELLED the enclosing scope was cancelled; nothing stays open
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 *   -ENOTSUP        TLS, and anyc was built without a TLS library
 *   other           TLS: as anyc_tls_stream_wrap
 * Owns:    the stream is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   connect_tcp (an OSError's errno is the code here, where there is one).
 */
ANYC_API int anyc_connect_tcp(const char *host, int port, const anyc_connect_tcp_options *options,
                              anyc_byte_stream **out_stream);

/** What a listener may be told; all zero means the defaults. */
typedef struct anyc_create_tcp_listener_options {
    const char *local_host; /* name or literal address; NULL: all interfaces */
    int local_port;         /* 0: a free one, the same for all addresses */
    int family;             /* AF_INET or AF_INET6; 0: either, both where there are both */
    int backlog;            /* 0: 65536; a larger one is cut to that */
    bool reuse_port;        /* SO_REUSEPORT: several listeners share the port */
} anyc_create_tcp_listener_options;

/**
 * Listen for TCP connections, on every address that the local host has, with one port for all of
 * them. Without a host and a family it is one socket for IPv4 and IPv6, where the system can do it.
 *
 * @param options       NULL or zero fields: defaults
 * @param out_listener  a multi-listener of one or more sockets: for anyc_listener_serve; its members
 *                      (anyc_multi_listener_listeners) for anyc_socket_listener_accept
 *
 * Returns: 0, or
 *   ANYC_EINVAL     a port out of range, a family that is not one of IP, a negative backlog
 *   ANYC_EAI(code)  the look-up's own error
 *   -EADDRINUSE     the port is taken; with port 0: no port was free on all addresses
 *   -errno          of socket(2), bind(2) or listen(2): EACCES, EADDRNOTAVAIL ...
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 * Owns:    the listener is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   create_tcp_listener.
 */
ANYC_API int anyc_create_tcp_listener(const anyc_create_tcp_listener_options *options,
                                      anyc_listener **out_listener);

/**
 * Wait for a connection. The same as anyc_listener_accept, which see.
 *
 * @param listener    one socket's: a member of what anyc_create_tcp_listener makes
 * @param out_stream  the connection
 *
 * Returns: as anyc_listener_accept.
 * Owns:    the stream is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint. When cancelled, no connection is lost.
 * Threads: the listener's loop only.
 * AnyIO:   abc.SocketListener.accept.
 */
ANYC_API int anyc_socket_listener_accept(anyc_listener *listener, anyc_byte_stream **out_stream);

/* -- readiness of any descriptor -- */

/**
 * Wait until a descriptor can be read without blocking. It may turn out that it cannot: have it
 * non-blocking, and wait again on EAGAIN.
 *
 * @param fd  any descriptor that can be polled; borrowed, its flags stay as they are
 *
 * Returns: 0, or
 *   ANYC_EBUSY      another task waits to read it; one more may wait to write it
 *   ANYC_ECLOSED    anyc_notify_closing was called
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 *   -EPERM          it cannot be polled: a regular file or a directory, which are always ready
 *   -EBADF          it is not open
 *   -errno          the system refused otherwise
 * Owns:    nothing is taken.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   wait_readable, wait_socket_readable.
 */
ANYC_API int anyc_wait_readable(int fd);

/**
 * Wait until a descriptor can be written without blocking.
 *
 * @param fd  as for anyc_wait_readable
 *
 * Returns: as anyc_wait_readable.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   wait_writable, wait_socket_writable.
 */
ANYC_API int anyc_wait_writable(int fd);

/**
 * Wait until a descriptor is ready for any of several things.
 *
 * @param fd         as for anyc_wait_readable
 * @param events     ANYC_READABLE, ANYC_WRITABLE or both
 * @param out_ready  those of `events` that it is ready for, at least one
 *
 * Returns: as anyc_wait_readable; ANYC_EBUSY if another task waits for one of `events`;
 *          ANYC_EINVAL for no events or others.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   no counterpart.
 */
ANYC_API int anyc_wait_fd(int fd, unsigned events, unsigned *out_ready);

/**
 * Say that a descriptor is about to be closed: whoever waits for it in this loop gets ANYC_ECLOSED.
 * To be called before close(2) if anybody might wait.
 *
 * @param fd  any number; the one of a stream of anyc is left to its own close
 *
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the loop's thread; elsewhere it does nothing.
 * AnyIO:   notify_closing (4.10).
 */
ANYC_API void anyc_notify_closing(int fd);

#ifdef __cplusplus
}
#endif

#endif
