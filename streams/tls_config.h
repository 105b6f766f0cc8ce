/* SPDX-License-Identifier: MIT */
/*
 * tls_config.h - what a context is made of, for the handshakes that use it.
 *
 * A context points to one configuration at a time. A configuration never changes; replacing the
 * certificates makes a new one. Streams hold the configuration that they began with.
 */
#ifndef ANYC_STREAMS_TLS_CONFIG_H
#define ANYC_STREAMS_TLS_CONFIG_H

#include <anyc/tls_context.h>

#include "core/task.h"
#include "streams/tls_shim.h"

struct tls_config {
    mbedtls_ssl_config ssl;
    bool server_side;
    bool needs_hostname; /* a client that compares the server's name */
    bool in_workers;     /* steps of handshakes run in worker threads */

    /* the rest is for streams/tls_config.c and its neighbours */
    struct tls_config_parts *parts;
};

struct tls_settings;

/* With the settings of a context and these certificates; one reference, and one to the settings.
 * Answers 0, or an error as anyc_tls_context_create has it. */
int anyc__tls_config_create(struct tls_settings *settings, const anyc_tls_certificate *certificates,
                            size_t count, struct tls_config **out_config);

/* The configuration that new handshakes use: a reference to it, from any thread. */
struct tls_config *anyc__tls_context_config(anyc_tls_context *context);
struct tls_config *anyc__tls_config_ref(struct tls_config *config);
void anyc__tls_config_unref(struct tls_config *config);

/* The context of clients that name none, made once for the run, in a worker thread. Answers 0 and
 * the context, which is the run's, or an error with its message set. After anyc__enter. */
int anyc__tls_default_context(anyc_task *task, anyc_tls_context **out_context);

/* -- who the peer must be: one for each handshake -- */

/* Its fields are written by the thread that runs the handshake; read them when that is over. */
struct tls_verification {
    const struct tls_config *config;
    char *hostname; /* as it was given; NULL: none */
    char *name;     /* its ASCII form without a final dot; NULL: an address, or none */
    uint8_t address[16];
    size_t address_len; /* 4 or 16 for a literal address, else 0 */

    uint32_t flags; /* what is wrong, ANYC_TLS_EXPIRED ...; 0 until the certificate was looked at */
    int refused;    /* what verify_peer answered, < 0; or 0 */
    char
        *problem; /* `flags` in words: "expired on ...", "wrong host name: expected ..."; or NULL */

    /* for streams/tls_verify.c and tls_session.c */
    bool looked;             /* certificates were looked at: this is no resumption */
    int64_t session_expires; /* the session that was offered, in s; 0: none */
};

/* Answers 0, ANYC_EINVAL (an empty name), ANYC_EENCODE or ANYC_ENOMEM, with the error set.
 * `hostname` may be NULL. */
int anyc__tls_verification_init(struct tls_verification *verification,
                                const struct tls_config *config, const char *hostname);
void anyc__tls_verification_deinit(struct tls_verification *verification);

/* Have a handshake use it: server name, verify function. Answers 0 or ANYC_ENOMEM. */
int anyc__tls_verification_attach(struct tls_verification *verification, mbedtls_ssl_context *ssl);

/* After a handshake has failed: complete `flags` and `problem` by what the library has found beyond
 * anyc's own look at the certificate. */
void anyc__tls_verification_failed(struct tls_verification *verification,
                                   const mbedtls_ssl_context *ssl);

/* -- sessions of clients, by host name; do nothing without a name or with resumption off -- */

/* Before the handshake: resume the last session with this host, if there is one. */
void anyc__tls_session_offer(struct tls_verification *verification, mbedtls_ssl_context *ssl);

/* After it, and after each ticket of TLS 1.3: remember the session. */
void anyc__tls_session_keep(const struct tls_verification *verification,
                            const mbedtls_ssl_context *ssl);

/* After it has failed: do not offer that session again, it may be the reason. */
void anyc__tls_session_forget(const struct tls_verification *verification);

#endif
