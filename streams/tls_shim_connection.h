/* SPDX-License-Identifier: MIT */
/*
 * tls_shim_connection.h - handshakes, alerts and data, for all versions of mbedTLS.
 */
#ifndef ANYC_STREAMS_TLS_SHIM_CONNECTION_H
#define ANYC_STREAMS_TLS_SHIM_CONNECTION_H

#include "streams/tls_shim.h"

static inline bool anyc__tls_shim_is_tls13(const mbedtls_ssl_context *ssl)
{
    return strcmp(mbedtls_ssl_get_version(ssl), "TLSv1.3") == 0;
}

/* -- handshakes -- */

/* Is there no step left to do? With TLS 1.3 a server sends tickets in steps of their own, so that
 * this comes later than mbedtls_ssl_is_handshake_over. */
static inline bool anyc__tls_shim_is_over(const mbedtls_ssl_context *ssl)
{
    return ssl->state == MBEDTLS_SSL_HANDSHAKE_OVER;
}

/* Is this handshake about to send or get the server's certificate? Then no session is resumed. */
static inline bool anyc__tls_shim_is_at_certificate(const mbedtls_ssl_context *ssl)
{
    return ssl->state == MBEDTLS_SSL_SERVER_CERTIFICATE;
}

/* -- alerts in handshakes --
 *
 * With TLS 1.3 alerts are encrypted once there are keys (RFC 8446 section 6), but with which ones
 * mbedTLS mixes up: a client sends those about the server's certificate in plain text, which other
 * libraries do not understand, and a server those about the client's with keys that a client has
 * put away by then. So they are made in plain text, in which one sees what they are, held back, and
 * made anew with the right keys. */

#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
/* A server that has said all and waits for the rest of the client's part. */
static inline bool anyc__tls_shim_awaits_client(const mbedtls_ssl_context *ssl)
{
    return ssl->tls_version == MBEDTLS_SSL_VERSION_TLS1_3 &&
           ssl->conf->endpoint == MBEDTLS_SSL_IS_SERVER &&
           (ssl->state == MBEDTLS_SSL_CLIENT_CERTIFICATE ||
            ssl->state == MBEDTLS_SSL_CLIENT_CERTIFICATE_VERIFY ||
            ssl->state == MBEDTLS_SSL_CLIENT_FINISHED);
}
#endif

/* As mbedtls_ssl_handshake_step. */
static inline int anyc__tls_shim_step(mbedtls_ssl_context *ssl)
{
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    mbedtls_ssl_transform *keys = ssl->transform_out;
    unsigned char counter[sizeof ssl->cur_out_ctr];
    int code;

    if (!anyc__tls_shim_awaits_client(ssl))
        return mbedtls_ssl_handshake_step(ssl);
    memcpy(counter, ssl->cur_out_ctr, sizeof counter);
    ssl->transform_out = NULL;
    code = mbedtls_ssl_handshake_step(ssl); /* it only reads, and sends alerts */
    ssl->transform_out = keys;
    memcpy(ssl->cur_out_ctr, counter, sizeof counter);
    return code;
#else
    return mbedtls_ssl_handshake_step(ssl);
#endif
}

/* Must an alert that mbedTLS makes in plain text be encrypted? */
static inline bool anyc__tls_shim_holds_back(const mbedtls_ssl_context *ssl)
{
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    return ssl->tls_version == MBEDTLS_SSL_VERSION_TLS1_3 && ssl->transform_out == NULL &&
           ssl->transform_in != NULL;
#else
    (void)ssl;
    return false;
#endif
}

/* Send a fatal alert. A server knows no version before the client's first message. */
static inline int anyc__tls_shim_send_alert(mbedtls_ssl_context *ssl, uint8_t alert)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    if (ssl->tls_version == MBEDTLS_SSL_VERSION_UNKNOWN)
        ssl->tls_version = MBEDTLS_SSL_VERSION_TLS1_2;
#else
    if (ssl->major_ver == 0) {
        ssl->major_ver = MBEDTLS_SSL_MAJOR_VERSION_3;
        ssl->minor_ver = MBEDTLS_SSL_MINOR_VERSION_3;
    }
#endif
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    if (anyc__tls_shim_holds_back(ssl) || anyc__tls_shim_awaits_client(ssl)) {
        ssl->transform_out =
            anyc__tls_shim_awaits_client(ssl) ? ssl->transform_application : ssl->transform_in;
        memset(ssl->cur_out_ctr, 0, sizeof ssl->cur_out_ctr);
    }
#endif
    return mbedtls_ssl_send_alert_message(ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert);
}

/* Is what went wrong in a handshake an alert in plain text? With TLS 1.3 clients of mbedTLS send
 * theirs so, though they ought to be encrypted by then; it tells why all the same. */
static inline bool anyc__tls_shim_is_plain_alert(const mbedtls_ssl_context *ssl, int library_code)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    return library_code == MBEDTLS_ERR_SSL_INVALID_MAC && anyc__tls_shim_is_tls13(ssl) &&
           ssl->in_hdr[0] == MBEDTLS_SSL_MSG_ALERT && ssl->in_hdr[3] == 0 && ssl->in_hdr[4] == 2 &&
           ssl->in_msg[0] == MBEDTLS_SSL_ALERT_LEVEL_FATAL;
#else
    (void)ssl;
    (void)library_code;
    return false;
#endif
}

/* -- data -- */

/* As mbedtls_ssl_read. With TLS 1.3 that says WANT_READ on the way to a ticket which it has
 * already, though there may be more input behind it. */
static inline int anyc__tls_shim_read(mbedtls_ssl_context *ssl, unsigned char *buf, size_t len)
{
    int n = mbedtls_ssl_read(ssl, buf, len);

    if (n == MBEDTLS_ERR_SSL_WANT_READ && !anyc__tls_shim_is_over(ssl))
        n = mbedtls_ssl_read(ssl, buf, len);
    return n;
}

/* The number of the alert, after ANYC__TLS_FATAL_ALERT. */
static inline uint8_t anyc__tls_shim_alert(const mbedtls_ssl_context *ssl)
{
    return ssl->in_msg == NULL ? 0 : ssl->in_msg[1];
}

/* The last Finished message of this side or of the peer; 0 bytes: the library does not keep it. */
static inline size_t anyc__tls_shim_finished(const mbedtls_ssl_context *ssl, bool own,
                                             const void **out_data)
{
#if defined(MBEDTLS_SSL_RENEGOTIATION)
    *out_data = own ? ssl->own_verify_data : ssl->peer_verify_data;
    return ssl->verify_data_len;
#else
    (void)ssl;
    (void)own;
    *out_data = NULL;
    return 0;
#endif
}

#endif
