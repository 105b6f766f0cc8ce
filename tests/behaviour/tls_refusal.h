/* SPDX-License-Identifier: MIT */
/*
 * tls_refusal.h - TLS handshakes between anyc and a peer of mbedTLS (support/tls_peer.h) that must
 * fail, and what both sides then know of it.
 */
#ifndef ANYC_TESTS_BEHAVIOUR_TLS_REFUSAL_H
#define ANYC_TESTS_BEHAVIOUR_TLS_REFUSAL_H

#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <mbedtls/version.h>
#include <mbedtls/x509.h>

#include "support/steps.h"
#include "support/tls_files.h"
#include "support/tls_peer.h"

/* Alerts by their numbers, RFC 5246 section 7.2, RFC 8446 section 6 and RFC 7301. */
enum {
    ALERT_UNEXPECTED_MESSAGE = 10,
    ALERT_BAD_RECORD_MAC = 20,
    ALERT_RECORD_OVERFLOW = 22,
    ALERT_HANDSHAKE_FAILURE = 40,
    ALERT_BAD_CERTIFICATE = 42,
    ALERT_UNSUPPORTED_CERTIFICATE = 43,
    ALERT_CERTIFICATE_EXPIRED = 45,
    ALERT_CERTIFICATE_UNKNOWN = 46,
    ALERT_UNKNOWN_CA = 48,
    ALERT_ACCESS_DENIED = 49,
    ALERT_DECODE_ERROR = 50,
    ALERT_PROTOCOL_VERSION = 70,
    ALERT_NO_RENEGOTIATION = 100,
    ALERT_CERTIFICATE_REQUIRED = 116,
    ALERT_NO_APPLICATION_PROTOCOL = 120
};

/* What mbedTLS says of a peer that is too old. */
#if MBEDTLS_VERSION_MAJOR >= 3
#define NO_COMMON_VERSION MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION
#else
#define NO_COMMON_VERSION MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION
#endif

/* How a call must fail. */
struct refusal {
    int rc;
    const char *says;     /* a part of the message */
    const char *says_too; /* another one, or NULL */
    int library_code;     /* 0: any */
    uint32_t verify_flags;
    uint8_t alert;    /* 0: none was sent or received */
    bool alert_by_us; /* we sent it, and the peer got it; false: the peer sent it */
};

/* We do not accept the peer's certificate, and tell it so. */
#define BAD_CERTIFICATE(words, flags, number)                               \
    (&(struct refusal){.rc = ANYC_ETLS_CERTIFICATE,                         \
                       .says = (words),                                     \
                       .library_code = MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, \
                       .verify_flags = (flags),                             \
                       .alert = (number),                                   \
                       .alert_by_us = true})

/* The peer does not accept us. */
#define REFUSED_BY_PEER(words, number)                                      \
    (&(struct refusal){.rc = ANYC_ETLS,                                     \
                       .says = (words),                                     \
                       .library_code = MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, \
                       .alert = (number)})

/* The last error is this one. */
void check_refusal(const struct refusal *expected);

/* anyc as a client, which trusts ca.pem unless `own` says otherwise, refuses the peer, a server, or
 * is refused by it. This and the following: in each version of TLS that both may do. */
void refuse_server(const struct tls_peer_options *peer, const anyc_tls_context_options *own,
                   const char *hostname, const struct refusal *expected);

/* The same, with an argument for the peer's scripts. */
void refuse_server_with(const struct tls_peer_options *peer, const anyc_tls_context_options *own,
                        const char *hostname, void *arg, const struct refusal *expected);

/* The same the other way round. Unless `own` has certificates anyc is "localhost". */
void refuse_client(const struct tls_peer_options *peer, const anyc_tls_context_options *own,
                   const struct refusal *expected);

/* For a peer's script `before`: send this in plain text, and note the fatal alert that is the answer.
 * Answers 1, so that no handshake follows. */
int refusal_send_and_wait(struct tls_peer *peer, const void *data, size_t len);

/* -- for handshakes that succeed -- */

/* A context for either side with what the functions above add to `own`, which may be NULL. */
anyc_tls_context *client_context(const anyc_tls_context_options *own);
anyc_tls_context *server_context(const anyc_tls_context_options *own);

/* A TLS stream of anyc on each side in turn, with a peer of mbedTLS on the other. */
struct tls_meeting {
    struct tls_peer peer;
    anyc_byte_stream *stream;
};
void tls_meet(struct tls_meeting *meeting, bool anyc_is_server, const struct tls_peer_options *peer,
              tls_peer_script script, void *arg);

/* Drop the stream, and wait for the peer's end. */
void tls_part(struct tls_meeting *meeting);

#endif
