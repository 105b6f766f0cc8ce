/* SPDX-License-Identifier: MIT */
/*
 * connectable.h - objects that say where to connect, so that a library can take "how to reach the
 * server" as one argument and connect as often as it likes.
 *
 *     static int greet(anyc_connectable *server)
 *     {
 *         anyc_byte_stream *stream;
 *         int rc = anyc_connectable_connect(server, &stream);
 *
 *         if (rc < 0)
 *             return rc;
 *         rc = anyc_send(stream, "hello\n", 6);
 *         anyc_aclose(stream);
 *         return rc;
 *     }
 *     ...
 *     anyc_as_connectable(&(anyc_connect_target){.host = "localhost", .port = 1234}, &server);
 *     rc = greet(server);
 *     anyc_connectable_destroy(server);
 *
 * The connectables made here never change: any number of tasks, also of different loops, may use
 * one at the same time. It must not be destroyed before all of them have their answer. Who wants
 * another kind (a proxy, a tunnel, a pair of memory streams) fills an ops table.
 */
#ifndef ANYC_CONNECTABLE_H
#define ANYC_CONNECTABLE_H

#include <anyc/base.h>
#include <anyc/buffered_stream.h>
#include <anyc/stream.h>
#include <anyc/unix_socket.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct anyc_connectable anyc_connectable;

/** What a connectable can do. Every slot must be set. */
typedef struct anyc_connectable_ops {
    const char *type; /* "tcp connectable": for messages */

    /* Make a connection; the stream is the caller's. Called by a task: an asynchronous function,
     * a checkpoint first, which leaves nothing behind when it is cancelled. Answers 0,
     * ANYC_ECONNECT with a message that names the target and why, or another error. A connection
     * of objects is handed out by anyc_byte_stream_from_object_stream. */
    int (*connect)(anyc_connectable *connectable, anyc_byte_stream **out_stream);

    /* Free the connectable. Called once, by any thread, when nobody connects. */
    void (*destroy)(anyc_connectable *connectable);
} anyc_connectable_ops;

/** Where to connect. The fields are for who implements one. */
struct anyc_connectable {
    const anyc_connectable_ops *ops;
};

/**
 * Begin a connectable of one's own.
 *
 * @param connectable  storage, the first member of a larger struct as a rule
 * @param ops          the table, with all slots set; must live as long as the program
 *
 * Returns: 0, or ANYC_EINVAL if a slot is missing; `connectable` is unchanged then.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   subclassing abc.ByteStreamConnectable.
 */
ANYC_MUST_USE ANYC_API int anyc_connectable_init(anyc_connectable *connectable,
                                                 const anyc_connectable_ops *ops);

/**
 * Make a connection, a new one by each call.
 *
 * @param connectable  where to; borrowed
 * @param out_stream   the connection
 *
 * Returns: 0, or
 *   ANYC_ECONNECT   it cannot be reached; the message names the target and holds the message of
 *                   the cause, whose errno, if it has one, is the os_error
 *   ANYC_ECANCELLED the enclosing scope was cancelled; nothing stays open
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 *   other           what a connectable of one's own answers
 * Owns:    the stream is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   abc.ByteStreamConnectable.connect, abc.ObjectStreamConnectable.connect.
 */
ANYC_API int anyc_connectable_connect(anyc_connectable *connectable, anyc_byte_stream **out_stream);

/**
 * Free a connectable. The connections that it made stay as they are.
 *
 * @param connectable  that no task is connecting with
 *
 * Owns:    takes it, with what it wraps.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_connectable_destroy(anyc_connectable *connectable);

/* -- TCP and UNIX sockets -- */

/**
 * Make a connectable of a TCP host and port. The host is looked up by each connect.
 *
 * @param host             name or literal address, as for anyc_connect_tcp; copied
 * @param port             1..65535
 * @param out_connectable  the new connectable
 *
 * Returns: 0, or
 *   ANYC_EINVAL  no host, an empty one, a port out of range
 *   ANYC_ENOMEM  out of memory
 * Owns:    the connectable is the caller's: end it with anyc_connectable_destroy.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   TCPConnectable.
 */
ANYC_API int anyc_tcp_connectable_create(const char *host, int port,
                                         anyc_connectable **out_connectable);

/**
 * The host of a TCP connectable, as it was given.
 *
 * @param connectable  made by anyc_tcp_connectable_create
 *
 * Returns: the host; NULL for any other connectable.
 * Owns:    borrowed from the connectable.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   TCPConnectable.host.
 */
ANYC_API const char *anyc_tcp_connectable_host(const anyc_connectable *connectable);

/**
 * The port of a TCP connectable.
 *
 * @param connectable  made by anyc_tcp_connectable_create
 *
 * Returns: the port; 0 for any other connectable.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   TCPConnectable.port.
 */
ANYC_API int anyc_tcp_connectable_port(const anyc_connectable *connectable);

/**
 * Make a connectable of a UNIX socket's name.
 *
 * @param path             a path, or an abstract name with its length in the options; copied
 * @param options          NULL or zero fields: defaults
 * @param out_connectable  the new connectable
 *
 * Returns: 0, or
 *   ANYC_EINVAL    no path, an empty one, a zero byte within it
 *   -ENAMETOOLONG  more than 107 bytes (an abstract name: 108)
 *   ANYC_ENOMEM    out of memory
 * Owns:    the connectable is the caller's: end it with anyc_connectable_destroy.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   UNIXConnectable.
 */
ANYC_API int anyc_unix_connectable_create(const char *path,
                                          const anyc_connect_unix_options *options,
                                          anyc_connectable **out_connectable);

/**
 * The path or abstract name of a UNIX connectable, as it was given.
 *
 * @param connectable  made by anyc_unix_connectable_create
 * @param out_len      bytes of the name; may be NULL
 *
 * Returns: the name, a path with a zero byte behind it; NULL for any other connectable.
 * Owns:    borrowed from the connectable.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   UNIXConnectable.path.
 */
ANYC_API const char *anyc_unix_connectable_path(const anyc_connectable *connectable,
                                                size_t *out_len);

struct anyc_tls_context;

/** Where to connect, in one of three forms: a connectable, host and port, or a path. */
typedef struct anyc_connect_target {
    anyc_connectable *connectable;
    const char *host; /* as for anyc_tcp_connectable_create, with a port */
    int port;
    const char *path; /* as for anyc_unix_connectable_create */
    size_t path_len;  /* as for anyc_connect_unix; 0: up to the first zero byte */

    /* TLS over host and port, or a path: any of these asks for it; anyc_tls_connectable_create */
    bool tls;
    struct anyc_tls_context *tls_context;
    const char *tls_hostname; /* NULL: `host`; a path needs one */
    bool tls_not_standard_compatible;
} anyc_connect_target;

/**
 * Make a connectable of what a user gave; one that is a connectable already is handed back.
 *
 * @param target           one of the forms, the fields of the others zero; strings are copied
 * @param out_connectable  target->connectable or a new one
 *
 * Returns: 0, or
 *   ANYC_EINVAL    none of the forms, or more than one; a connectable with a tls option; what the
 *                  functions for each form, and anyc_tls_connectable_create, refuse
 *   -ENAMETOOLONG  as for anyc_unix_connectable_create
 *   ANYC_ENOMEM    out of memory
 *   -ENOTSUP       TLS, and anyc was built without a TLS library
 * Owns:    the result is the caller's to destroy, once. A connectable that was given is the same
 *          object, and still the caller's on failure.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   as_connectable.
 */
ANYC_API int anyc_as_connectable(const anyc_connect_target *target,
                                 anyc_connectable **out_connectable);

/* -- over another connectable -- */

/**
 * Make a connectable whose connections are buffered streams over those of another one.
 *
 * @param inner            where to connect; taken on success
 * @param out_connectable  the new connectable
 *
 * Returns: 0 or ANYC_ENOMEM.
 * Owns:    destroying the new one destroys `inner`. On failure it stays the caller's.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   streams.buffered.BufferedConnectable.
 */
ANYC_API int anyc_buffered_connectable_create(anyc_connectable *inner,
                                              anyc_connectable **out_connectable);

/**
 * As anyc_connectable_connect, with the type that the receiving calls of anyc/buffered_stream.h
 * want.
 *
 * @param connectable  made by anyc_buffered_connectable_create; borrowed
 * @param out_stream   the connection, in both directions
 *
 * Returns: as anyc_connectable_connect; ANYC_EINVAL too for any other connectable.
 * Owns:    the stream is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   streams.buffered.BufferedConnectable.connect.
 */
ANYC_API int anyc_buffered_connectable_connect(anyc_connectable *connectable,
                                               anyc_buffered_stream **out_stream);

/** What a TLS connectable may be told; all zero means the defaults. */
typedef struct anyc_tls_connectable_create_options {
    struct anyc_tls_context *context; /* a client's; kept by a reference. NULL: defaults */
    const char *hostname;             /* that the server must be; copied */
    bool not_standard_compatible;     /* see anyc_tls_stream_wrap_options */
} anyc_tls_connectable_create_options;

/**
 * Make a connectable whose connections are TLS streams (anyc/tls.h) over those of another one.
 *
 * @param inner            where to connect; taken on success
 * @param options          see there; a host name is needed, unless the context does not look at it
 * @param out_connectable  the new connectable. That a handshake failed is ANYC_ECONNECT too, with the
 *                         `tls` part in anyc_last_error()
 *
 * Returns: 0, or
 *   ANYC_EINVAL  a server's context; no host name, and the context needs one
 *   ANYC_ENOMEM  out of memory
 *   -ENOTSUP     anyc was built without a TLS library
 * Owns:    destroying the new one destroys `inner`. On failure it stays the caller's.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   streams.tls.TLSConnectable.
 */
ANYC_API int anyc_tls_connectable_create(anyc_connectable *inner,
                                         const anyc_tls_connectable_create_options *options,
                                         anyc_connectable **out_connectable);

/**
 * The host name of a TLS connectable, as it was given.
 *
 * @param connectable  made by anyc_tls_connectable_create, or by anyc_as_connectable with TLS
 *
 * Returns: the host name; NULL if it has none, and for any other connectable.
 * Owns:    borrowed from the connectable.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   streams.tls.TLSConnectable.hostname.
 */
ANYC_API const char *anyc_tls_connectable_hostname(const anyc_connectable *connectable);

/**
 * What a TLS connectable connects by.
 *
 * @param connectable  made by anyc_tls_connectable_create, or by anyc_as_connectable with TLS
 *
 * Returns: the inner connectable; NULL for any other connectable.
 * Owns:    borrowed from the connectable.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   streams.tls.TLSConnectable.connectable.
 */
ANYC_API anyc_connectable *anyc_tls_connectable_inner(const anyc_connectable *connectable);

#ifdef __cplusplus
}
#endif

#endif
