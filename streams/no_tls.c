/* SPDX-License-Identifier: MIT */
/*
 * no_tls.c - what the functions of anyc/tls.h answer where anyc was built without a TLS library.
 *
 * The rest of anyc calls them all the same. Nobody ever has a context or a stream to give to one.
 */
#include <anyc/tls.h>

#include <errno.h>

#include "core/error.h"
#include "streams/stream.h"
#include "streams/tls_client.h"

ANYC_TYPED_ATTRIBUTE(ANYC_TLS_ALPN_PROTOCOL, const char *);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_CHANNEL_BINDING_TLS_UNIQUE, anyc_tls_bytes);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_CIPHER, anyc_tls_cipher);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_PEER_CERTIFICATE_BINARY, anyc_tls_der);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_SERVER_SIDE, bool);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_SESSION_REUSED, bool);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_SHARED_CIPHERS, anyc_tls_cipher);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_SSL_OBJECT, void *);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_STANDARD_COMPATIBLE, bool);
ANYC_TYPED_ATTRIBUTE(ANYC_TLS_VERSION, const char *);

static int no_tls(void)
{
    return anyc__fail(-ENOTSUP, ENOTSUP, "anyc was built without a TLS library");
}

/* -- contexts -- */

int anyc_tls_context_create(const anyc_tls_context_options *options, anyc_tls_context **out_context)
{
    (void)options;
    (void)out_context;
    return no_tls();
}

int anyc_tls_context_replace_certificates(anyc_tls_context *context,
                                          const anyc_tls_certificate *certificates, size_t count)
{
    (void)context;
    (void)certificates;
    (void)count;
    return no_tls();
}

void anyc_tls_context_destroy(anyc_tls_context *context)
{
    (void)context;
}

anyc_tls_context *anyc__tls_context_ref(anyc_tls_context *context)
{
    return context;
}

/* -- streams -- */

int anyc_tls_stream_wrap(anyc_byte_stream *transport, const anyc_tls_stream_wrap_options *options,
                         anyc_byte_stream **out_stream)
{
    (void)transport;
    (void)options;
    (void)out_stream;
    return no_tls();
}

int anyc_tls_stream_unwrap(anyc_byte_stream *stream, anyc_byte_stream **out_transport,
                           anyc_bytes *out_leftover)
{
    (void)stream;
    (void)out_transport;
    (void)out_leftover;
    return no_tls();
}

size_t anyc_tls_stream_pending(const anyc_byte_stream *stream)
{
    (void)stream;
    return 0;
}

int anyc_tls_stream_peer_chain(anyc_byte_stream *stream, size_t index, anyc_tls_der *out_der)
{
    (void)stream;
    (void)index;
    (void)out_der;
    return no_tls();
}

int anyc_tls_certificate_describe(const anyc_tls_der *der, anyc_bytes *out_text)
{
    (void)der;
    (void)out_text;
    return no_tls();
}

/* -- those who use streams -- */

int anyc__tls_client_check(const anyc_tls_stream_wrap_options *options)
{
    (void)options;
    return no_tls();
}

int anyc__tls_client_wrap(anyc_byte_stream *transport, const anyc_tls_stream_wrap_options *options,
                          anyc_byte_stream **out_stream)
{
    (void)options;
    (void)out_stream;
    return anyc__stream_discard(transport, no_tls());
}

int anyc_tls_listener_create(anyc_listener *listener, anyc_tls_context *context,
                             const anyc_tls_listener_create_options *options,
                             anyc_listener **out_listener)
{
    (void)listener;
    (void)context;
    (void)options;
    (void)out_listener;
    return no_tls();
}
