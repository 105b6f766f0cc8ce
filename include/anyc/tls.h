/* SPDX-License-Identifier: MIT */
/*
 * tls.h - TLS over any byte stream. Three chapters, included from here: what both sides know and
 * trust (anyc/tls_context.h), the stream (anyc/tls_stream.h), the listener (anyc/tls_listener.h).
 *
 * A client needs no more than
 *
 *     rc = anyc_connect_tcp("example.org", 443, &(anyc_connect_tcp_options){.tls = true}, &stream);
 *
 * which verifies the server against the system's certificates. A server:
 *
 *     anyc_tls_certificate certificate = {.chain.file = "cert.pem", .key.file = "key.pem"};
 *     anyc_tls_context_options options = {
 *         .server_side = true, .certificates = &certificate, .certificate_count = 1};
 *
 *     rc = anyc_tls_context_create(&options, &context);
 *     rc = anyc_tls_listener_create(tcp_listener, context, NULL, &listener);
 *     rc = anyc_listener_serve(listener, handle, NULL, NULL);
 *
 * What failed is told by the code (ANYC_ETLS, ANYC_ETLS_EOF, ANYC_ETLS_CERTIFICATE), and in words
 * and numbers by anyc_last_error(), whose `tls` part has the library's code, what is wrong with the
 * peer's certificate, and the alert.
 */
#ifndef ANYC_TLS_H
#define ANYC_TLS_H

#include <anyc/tls_context.h>
#include <anyc/tls_listener.h>
#include <anyc/tls_stream.h>

#endif
