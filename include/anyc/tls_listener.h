/* SPDX-License-Identifier: MIT */
/*
 * tls_listener.h - a listener whose connections are TLS streams. AnyIO: streams.tls.TLSListener.
 *
 * The handshake of a connection is done in the connection's own task, before its handler is called:
 * accepting goes on meanwhile, and a slow client holds up nobody but itself. Each handshake uses the
 * certificates that the context has at that time. The listener may be closed and freed meanwhile:
 * connections that were accepted go on.
 *
 * anyc_listener_accept does the handshake in the caller's task, with the same timeout. It answers
 * its failure too, ANYC_ETIMEDOUT or what anyc_tls_stream_wrap does, and the connection is closed
 * then, as it is when the call is cancelled within a handshake.
 *
 * Of the attributes the listener has ANYC_TLS_STANDARD_COMPATIBLE, and those of the listener below
 * (AnyIO's has not): the local port, say.
 */
#ifndef ANYC_TLS_LISTENER_H
#define ANYC_TLS_LISTENER_H

#include <anyc/base.h>
#include <anyc/stream.h>
#include <anyc/tls_context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What to do with a connection whose handshake failed. `rc` is why, ANYC_ETIMEDOUT or what
 * anyc_tls_stream_wrap answers; anyc_last_error() has the details. It owns `transport`, the
 * connection, which is of no use but for closing: it must end it with anyc_aclose or
 * anyc_aclose_forcefully. A result < 0 ends the connection's task as that of a handler would. Called
 * by the connection's task; not for a cancellation, nor by anyc_listener_accept. */
typedef int (*anyc_tls_handshake_error_fn)(anyc_byte_stream *transport, int rc, void *arg);

/** What a TLS listener may be told; all zero means the defaults. */
typedef struct anyc_tls_listener_create_options {
    bool not_standard_compatible;
    double handshake_timeout; /* seconds; 0: 30; INFINITY: none */
    size_t max_handshakes;    /* under way at once; more connections wait for their turn, within
                               * their timeout. 0: no limit */
    anyc_tls_handshake_error_fn
        handle_handshake_error; /* NULL: closes the connection and logs why */
    void *handle_arg;           /* handed to it */
} anyc_tls_listener_create_options;

/**
 * Make a TLS listener over another listener.
 *
 * @param listener      of byte streams, not being served; taken on success
 * @param context       for servers; the listener keeps what it needs of it
 * @param options       NULL or zero fields: defaults
 * @param out_listener  the new listener
 *
 * Returns: 0, or
 *   ANYC_EINVAL  the context is a client's or NULL; a timeout that is negative or no number
 *   ANYC_ENOMEM  out of memory
 *   -ENOTSUP     anyc was built without a TLS library
 * Owns:    closing the new listener closes `listener`. On failure it stays the caller's.
 * Cancel:  never suspends.
 * Threads: the listener's loop only.
 * AnyIO:   TLSListener.
 */
ANYC_API int anyc_tls_listener_create(anyc_listener *listener, anyc_tls_context *context,
                                      const anyc_tls_listener_create_options *options,
                                      anyc_listener **out_listener);

#ifdef __cplusplus
}
#endif

#endif
