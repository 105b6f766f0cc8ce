/* SPDX-License-Identifier: MIT */
/*
 * tls_settings.h - what all configurations of a context share: everything but its own certificates.
 */
#ifndef ANYC_STREAMS_TLS_SETTINGS_H
#define ANYC_STREAMS_TLS_SETTINGS_H

#include <anyc/tls_context.h>

#include <pthread.h>
#include <stdatomic.h>

#include "streams/tls_identity.h"
#include "streams/tls_session_cache.h"
#include "streams/tls_shim_session.h"

/* Set up once; then only what says so changes. */
struct tls_settings {
    atomic_size_t refs;

    bool server_side;
    anyc_tls_verify verify; /* not ANYC_TLS_VERIFY_DEFAULT */
    bool check_name;        /* a client that compares the server's name */
    anyc_tls_verify_fn verify_peer;
    void *verify_arg;
    bool in_workers;

    int min_version;
    int max_version;
    int *ciphers;             /* ended by 0 */
    const char **protocols;   /* ended by NULL, one block with their texts; NULL: none */
    mbedtls_x509_crt trusted; /* version == 0: nobody */
    struct tls_key_log *log;  /* NULL: none */

    bool resumes;
    struct tls_session_cache *sessions; /* has a lock of its own; NULL: none */
    pthread_mutex_t ticket_lock;        /* guards: */
    mbedtls_ssl_ticket_context tickets; /* of servers */
    bool has_tickets;
};

/* The rest of a configuration. */
struct tls_config_parts {
    atomic_size_t refs;
    struct tls_settings *settings; /* a reference */
    struct tls_identities identities;
};

/* Answers 0 and one reference, or an error as anyc_tls_context_create has it. */
int anyc__tls_settings_create(const anyc_tls_context_options *options,
                              struct tls_settings **out_settings);
void anyc__tls_settings_ref(struct tls_settings *settings);
void anyc__tls_settings_unref(struct tls_settings *settings);

/* Bring them into the library's configuration of these parts. Answers 0 or its code. */
int anyc__tls_settings_conf(struct tls_config_parts *parts, mbedtls_ssl_config *conf);

/* -- tls_options.c: what the options say, checked -- */

/* The ciphers of a list with ":" between the names, NULL: anyc's choice. */
int anyc__tls_options_ciphers(const char *list, int **out_ciphers);

/* A copy of the names of protocols, all in one block; NULL if there are none. */
int anyc__tls_options_protocols(const char *const *names, const char ***out_protocols);

/* What needs no memory: sides, versions, verification, workers. */
int anyc__tls_options_check(const anyc_tls_context_options *options, struct tls_settings *settings);

#endif
