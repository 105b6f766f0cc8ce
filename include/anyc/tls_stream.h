/* SPDX-License-Identifier: MIT */
/*
 * tls_stream.h - a byte stream that is encrypted over another one. AnyIO: streams.tls.TLSStream.
 *
 *     anyc_tls_stream_wrap_options options = {.context = context, .hostname = "example.org"};
 *
 *     rc = anyc_tls_stream_wrap(transport, &options, &stream);
 *     rc = anyc_send(stream, "GET / HTTP/1.0\r\n\r\n", 18);
 *     ...
 *     anyc_aclose(stream);   // and the transport
 *
 * Any byte stream will do as the transport: TCP, a UNIX socket, memory streams, TLS itself. One
 * task may receive while another sends.
 *
 * The end. Unless `not_standard_compatible` is set, a close says so to the peer and waits until the
 * peer has said so too (RFC 5246 section 7.2.1), for as long as the scope around it lasts; what the
 * peer still sends meanwhile is dropped. A transport that just ends is ANYC_EBROKEN: somebody may
 * have cut it. With `not_standard_compatible`, as HTTP is often used, a close is a close of the
 * transport, and the end of the transport is ANYC_EOF. A close in a cancelled scope, or one that is
 * cancelled, closes the transport by force.
 *
 * Cancellation. A cancelled receive loses nothing. A cancelled send has sent a part: what it has
 * encrypted by then stays with the stream, and goes out first with the next send or with a close that
 * tells the end, so that the stream itself is well; the message of anyc_last_error() says how much
 * that was.
 *
 * Failures. Besides its usual errors, receiving answers ANYC_ETLS when the peer breaks the rules of
 * TLS, sends a fatal alert, or somebody changed a record on its way. Then, as after every failure of
 * the connection, the stream is of no use but for closing: receiving answers the same error again,
 * sending answers ANYC_EBROKEN, closing closes the transport and succeeds. If it was sending that
 * failed, what the peer had sent before can still be received.
 */
#ifndef ANYC_TLS_STREAM_H
#define ANYC_TLS_STREAM_H

#include <anyc/base.h>
#include <anyc/resource.h>
#include <anyc/stream.h>
#include <anyc/tls_context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -- attributes; those of the transport are passed on -- */

/**
 * const char *: the protocol that both sides chose, NULL if none; borrowed from the stream.
 * AnyIO: TLSAttribute.alpn_protocol.
 */
extern ANYC_API const anyc_typed_attribute ANYC_TLS_ALPN_PROTOCOL;

/** Bytes, borrowed from the stream. */
typedef struct anyc_tls_bytes {
    const void *data;
    size_t len;
} anyc_tls_bytes;

/**
 * anyc_tls_bytes: the first Finished message, RFC 5929 section 3. TLS 1.2 only, and only where the
 * TLS library keeps it (mbedTLS 2.28 does); else ANYC_EATTRIBUTE.
 * AnyIO: TLSAttribute.channel_binding_tls_unique.
 */
extern ANYC_API const anyc_typed_attribute ANYC_TLS_CHANNEL_BINDING_TLS_UNIQUE;

/** A cipher in use. */
typedef struct anyc_tls_cipher {
    const char *name;     /* by IANA: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"; the stream's */
    const char *protocol; /* "TLSv1.2": the version that it is used in; static */
    int secret_bits;      /* of the key; 0: not known */
} anyc_tls_cipher;

/**
 * anyc_tls_cipher: the one in use.
 * AnyIO: TLSAttribute.cipher.
 */
extern ANYC_API const anyc_typed_attribute ANYC_TLS_CIPHER;

/**
 * anyc_tls_der: the peer's certificate, ANYC_EATTRIBUTE if it showed none; borrowed from the stream.
 * For those after it see anyc_tls_stream_peer_chain.
 * AnyIO: TLSAttribute.peer_certificate_binary.
 */
extern ANYC_API const anyc_typed_attribute ANYC_TLS_PEER_CERTIFICATE_BINARY;

/**
 * bool: is this the server's side?
 * AnyIO: TLSAttribute.server_side.
 */
extern ANYC_API const anyc_typed_attribute ANYC_TLS_SERVER_SIDE;

/**
 * bool: was an earlier session resumed, so that nothing was verified anew?
 * AnyIO: SSLObject.session_reused.
 */
extern ANYC_API const anyc_typed_attribute ANYC_TLS_SESSION_REUSED;

/**
 * anyc_tls_cipher: never there, ANYC_EATTRIBUTE: mbedTLS does not tell.
 * AnyIO: TLSAttribute.shared_ciphers.
 */
extern ANYC_API const anyc_typed_attribute ANYC_TLS_SHARED_CIPHERS;

/**
 * void *: the mbedtls_ssl_context, for reading from it between two calls of the stream.
 * AnyIO: TLSAttribute.ssl_object.
 */
extern ANYC_API const anyc_typed_attribute ANYC_TLS_SSL_OBJECT;

/**
 * bool: is the end of the stream told, and expected to be told, as TLS has it? Listeners have it too.
 * AnyIO: TLSAttribute.standard_compatible.
 */
extern ANYC_API const anyc_typed_attribute ANYC_TLS_STANDARD_COMPATIBLE;

/**
 * const char *: "TLSv1.2", "TLSv1.3"; static.
 * AnyIO: TLSAttribute.tls_version.
 */
extern ANYC_API const anyc_typed_attribute ANYC_TLS_VERSION;

/* -- wrapping -- */

/** Which side to be. */
typedef enum anyc_tls_side {
    ANYC_TLS_SIDE_DEFAULT = 0, /* a server if there is no host name, else a client */
    ANYC_TLS_CLIENT,
    ANYC_TLS_SERVER
} anyc_tls_side;

/** How to wrap; all zero means the defaults. */
typedef struct anyc_tls_stream_wrap_options {
    anyc_tls_context *context; /* borrowed for the call. NULL: a client with the defaults of
                                * anyc_tls_context_options, made once for each run */
    const char *hostname; /* that the server must be: a name (also beyond ASCII: IDNA 2008) or a
                                * literal address */
    anyc_tls_side side;   /* must be the context's */
    bool not_standard_compatible;
} anyc_tls_stream_wrap_options;

/**
 * Make a TLS stream over a transport: does the handshake. With TLS 1.3 (RFC 8446) a client is through
 * before the server has looked at its certificate: a refusal is the answer to its first receive. And
 * a server gives sessions to be resumed together with its first data.
 *
 * @param transport   open byte stream, not in use by others; taken on success
 * @param options     see there; a client needs a host name, unless its context does not look at it
 * @param out_stream  the new stream
 *
 * Returns: 0, or
 *   ANYC_ETLS_CERTIFICATE  the peer's certificate was refused; the message says why
 *   ANYC_ETLS_EOF          the transport ended within the handshake
 *   ANYC_ETLS              it failed otherwise: no common version or cipher, an alert of the peer,
 *                          something that is not TLS
 *   ANYC_EINVAL            the side is not the context's; a client without a host name; a server
 *                          without a context
 *   ANYC_EENCODE           the host name has no IDNA form
 *   ANYC_EBROKEN           the transport failed; or what else its receive and send answer
 *   ANYC_ECANCELLED        the enclosing scope was cancelled
 *   ANYC_ENOLOOP           not called from a task
 *   ANYC_ENOMEM            out of memory
 *   -ENOTSUP               anyc was built without a TLS library
 *   other                  what a verify_peer function answered; without a context: as
 *                          anyc_tls_context_create
 * Owns:    takes `transport` on success: closing the new stream closes it. On failure it stays the
 *          caller's, and is of no use but for closing; the peer was told why, if it listens.
 * Cancel:  checkpoint. It has no time limit of its own. A step of the handshake that runs in a worker
 *          thread is waited for (milliseconds, or as long as a verify_peer function takes).
 * Threads: the transport's loop only.
 * AnyIO:   TLSStream.wrap.
 */
ANYC_MUST_USE ANYC_API int anyc_tls_stream_wrap(anyc_byte_stream *transport,
                                                const anyc_tls_stream_wrap_options *options,
                                                anyc_byte_stream **out_stream);

/**
 * End TLS in good order and go on with the transport in plain text: tells the peer the end, and waits
 * until the peer has told it too.
 *
 * @param stream         a TLS stream, which nobody else uses; taken on success
 * @param out_transport  what was wrapped
 * @param out_leftover   bytes that were received on the transport behind the end of TLS already;
 *                       end it with anyc_bytes_deinit
 *
 * Returns: 0, or
 *   ANYC_EINVAL     not a TLS stream
 *   ANYC_EBUSY      another task is receiving or sending
 *   ANYC_ESTATE     the peer still sent data: receive it up to ANYC_EOF, then call again
 *   ANYC_EBROKEN    the transport ended or failed before the peer told the end
 *   ANYC_ECLOSED    this side closed the stream
 *   ANYC_ECANCELLED the enclosing scope was cancelled; call it again to go on
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 * Owns:    on success the stream is gone, transport and bytes are the caller's. On failure it stays
 *          the caller's to close; nothing can be sent by it any more.
 * Cancel:  checkpoint. Nothing is lost.
 * Threads: the stream's loop only.
 * AnyIO:   TLSStream.unwrap.
 */
ANYC_MUST_USE ANYC_API int anyc_tls_stream_unwrap(anyc_byte_stream *stream,
                                                  anyc_byte_stream **out_transport,
                                                  anyc_bytes *out_leftover);

/**
 * How many bytes can be received without waiting: the rest of the record that is being received. So
 * a server may wait with a small buffer, and take a large one when there is more.
 *
 * @param stream  a TLS stream
 *
 * Returns: bytes; 0 also for any other stream.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   SSLObject.pending.
 */
ANYC_API size_t anyc_tls_stream_pending(const anyc_byte_stream *stream);

/**
 * A certificate of those that the peer sent.
 *
 * @param stream   a TLS stream
 * @param index    0: the peer's own, 1: that of who signed it, and so on
 * @param out_der  the certificate
 *
 * Returns: 0, ANYC_EATTRIBUTE if there are not so many (after a resumption there may be none),
 *          ANYC_EINVAL if it is not a TLS stream.
 * Owns:    borrowed from the stream.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   SSLObject.get_unverified_chain.
 */
ANYC_API int anyc_tls_stream_peer_chain(anyc_byte_stream *stream, size_t index,
                                        anyc_tls_der *out_der);

/**
 * Describe a certificate for people, in several lines.
 *
 * @param der       the certificate
 * @param out_text  its names, dates and the like, with a zero byte behind the text; end it with
 *                  anyc_bytes_deinit
 *
 * Returns: 0, ANYC_ETLS if it is no certificate, ANYC_ENOMEM, -ENOTSUP without a TLS library.
 * Owns:    the text is the caller's.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   TLSAttribute.peer_certificate (a dictionary there).
 */
ANYC_API int anyc_tls_certificate_describe(const anyc_tls_der *der, anyc_bytes *out_text);

#ifdef __cplusplus
}
#endif

#endif
