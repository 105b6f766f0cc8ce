/* SPDX-License-Identifier: MIT */
/*
 * tls_peer_engine.h - what a TLS peer (tls_peer.h) has of mbedTLS. Not for tests.
 */
#ifndef ANYC_TESTS_SUPPORT_TLS_PEER_ENGINE_H
#define ANYC_TESTS_SUPPORT_TLS_PEER_ENGINE_H

#include "tls_peer.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

/* Large: for the stack of an ordinary thread. */
struct tls_peer_engine {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    mbedtls_x509_crt ca;
    mbedtls_ssl_cache_context cache;
    mbedtls_ssl_ticket_context tickets;
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
};

void tls_peer_engine_init(struct tls_peer_engine *engine);

/* Read the peer's files and get ready for its first connection, all but the functions that send and
 * receive. Answers 0 or a code of mbedTLS; deinit is due in any case. */
int tls_peer_engine_set_up(struct tls_peer_engine *engine, struct tls_peer *peer);

void tls_peer_engine_deinit(struct tls_peer_engine *engine);

#endif
