/* SPDX-License-Identifier: MIT */
/*
 * tls_client.h - TLS for those who have just connected, and who keep a context. Needs no header of
 * a TLS library.
 */
#ifndef ANYC_STREAMS_TLS_CLIENT_H
#define ANYC_STREAMS_TLS_CLIENT_H

#include <anyc/tls_stream.h>

/* Keep a context for handshakes to come, which then see its newest certificates: another reference
 * to it, for anyc_tls_context_destroy. NULL stays NULL. From any thread. */
anyc_tls_context *anyc__tls_context_ref(anyc_tls_context *context);

/* Can a client use these options at all? To be asked before connecting. Answers 0; ANYC_EINVAL for a
 * server's context, or no host name where one is needed; -ENOTSUP without a TLS library. */
int anyc__tls_client_check(const anyc_tls_stream_wrap_options *options);

/* The client's handshake on a new connection, which is taken in any case: on failure it is closed by
 * force, and the last error is that of anyc_tls_stream_wrap. Answers what that does. */
int anyc__tls_client_wrap(anyc_byte_stream *transport, const anyc_tls_stream_wrap_options *options,
                          anyc_byte_stream **out_stream);

#endif
