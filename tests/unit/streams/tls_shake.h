/* SPDX-License-Identifier: MIT */
/*
 * tls_shake.h - a client's and a server's handshake with each other, in memory, by the
 * configurations of two contexts: what these decide, without streams. For white-box tests.
 *
 *     struct tls_shake shake = {.hostname = "localhost"};
 *
 *     ck_assert_ok(tls_shake_run(&shake, client_context, server_context));
 *     tls_shake_end(&shake);
 */
#ifndef ANYC_TESTS_STREAMS_TLS_SHAKE_H
#define ANYC_TESTS_STREAMS_TLS_SHAKE_H

#include <anyc/tls_context.h>

#include "streams/tls_config.h"

#define TLS_SHAKE_ROOM 32768

struct tls_shake_side {
    mbedtls_ssl_context ssl;
    struct tls_config *config; /* a reference */
    struct tls_verification verification;
    struct tls_shake_side *other;
    unsigned char in[TLS_SHAKE_ROOM]; /* what the other side has sent */
    size_t in_start;
    size_t in_end;
    int code;       /* of mbedTLS's: 0, or how the handshake failed */
    uint8_t alert;  /* the fatal one that came from the other side; 0: none */
    bool certified; /* the server's certificate was shown: a full handshake */
};

struct tls_shake {
    const char *hostname; /* to be set: what the client wants; may be NULL */
    bool without_tickets; /* may be set: the client does not know of them, in this one thread */
    int had_tickets;      /* what its configuration says otherwise */
    struct tls_shake_side client;
    struct tls_shake_side server;
};

/* Both handshakes, up to their end. Answers 0, or -1 if one of them failed. */
int tls_shake_run(struct tls_shake *shake, anyc_tls_context *client, anyc_tls_context *server);

/* The same with configurations, of which it takes a reference each. */
int tls_shake_run_with(struct tls_shake *shake, struct tls_config *client,
                       struct tls_config *server);

/* The same in two halves: all that comes before the first byte, and the rest. */
void tls_shake_start(struct tls_shake *shake, anyc_tls_context *client, anyc_tls_context *server);
int tls_shake_go(struct tls_shake *shake);

void tls_shake_end(struct tls_shake *shake);

/* Was an older session resumed? */
bool tls_shake_resumed(const struct tls_shake *shake);

/* -- contexts of the files in tests/support/tls -- */

/* A client that trusts the file (ca.pem, if that is NULL), with further options. */
anyc_tls_context *tls_shake_client(const char *ca, anyc_tls_context_options options);

/* A server with a certificate and a key, with further options. */
anyc_tls_context *tls_shake_server(const char *certificate, const char *key,
                                   anyc_tls_context_options options);

/* Fails the test unless the text has the part in it. */
void ck_assert_has(const char *text, const char *part);

#endif
