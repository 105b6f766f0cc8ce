/* SPDX-License-Identifier: MIT */
/*
 * tls_shim_session.h - sessions and tickets, for all versions of mbedTLS.
 */
#ifndef ANYC_STREAMS_TLS_SHIM_SESSION_H
#define ANYC_STREAMS_TLS_SHIM_SESSION_H

#include "streams/tls_shim.h"

#include <mbedtls/ssl_ticket.h>

/* The servers' cache, streams/tls_session.c. They answer 0 or a code of the library. */
int anyc__tls_cache_get(void *cache, const unsigned char *id, size_t len,
                        mbedtls_ssl_session *out_session);
int anyc__tls_cache_set(void *cache, const unsigned char *id, size_t len,
                        const mbedtls_ssl_session *session);

#if MBEDTLS_VERSION_MAJOR >= 3
static inline int anyc__tls_shim_cache_get(void *cache, const unsigned char *id, size_t len,
                                           mbedtls_ssl_session *session)
{
    return anyc__tls_cache_get(cache, id, len, session);
}

static inline int anyc__tls_shim_cache_set(void *cache, const unsigned char *id, size_t len,
                                           const mbedtls_ssl_session *session)
{
    return anyc__tls_cache_set(cache, id, len, session);
}
#else
static inline int anyc__tls_shim_cache_get(void *cache, mbedtls_ssl_session *session)
{
    unsigned char id[sizeof session->id];
    size_t len = session->id_len;

    memcpy(id, session->id, len); /* loading overwrites it */
    return anyc__tls_cache_get(cache, id, len, session);
}

static inline int anyc__tls_shim_cache_set(void *cache, const mbedtls_ssl_session *session)
{
    return anyc__tls_cache_set(cache, session->id, session->id_len, session);
}
#endif

static inline void anyc__tls_shim_conf_cache(mbedtls_ssl_config *conf, void *cache)
{
    mbedtls_ssl_conf_session_cache(conf, cache, anyc__tls_shim_cache_get, anyc__tls_shim_cache_set);
}

/* Which kind of key must a server have for this session's cipher? */
static inline void anyc__tls_shim_session_needs(const mbedtls_ssl_session *session, bool *out_rsa,
                                                bool *out_ec)
{
    const char *name = mbedtls_ssl_get_ciphersuite_name(session->ciphersuite);

    *out_rsa = strstr(name, "-RSA-WITH-") != NULL;
    *out_ec = strstr(name, "-ECDSA-WITH-") != NULL;
}

/* As mbedtls_ssl_ticket_setup, AES-256-GCM. */
static inline int anyc__tls_shim_ticket_setup(mbedtls_ssl_ticket_context *tickets,
                                              uint32_t lifetime)
{
#if MBEDTLS_VERSION_MAJOR >= 4
    return mbedtls_ssl_ticket_setup(tickets, PSA_ALG_GCM, PSA_KEY_TYPE_AES, 256, lifetime);
#else
    return mbedtls_ssl_ticket_setup(tickets, anyc__tls_shim_random, NULL,
                                    MBEDTLS_CIPHER_AES_256_GCM, lifetime);
#endif
}

/* The session of an open connection, the connection's, if a client can resume it; else NULL. With
 * TLS 1.3 that is when the first ticket has come. */
static inline const mbedtls_ssl_session *anyc__tls_shim_session(const mbedtls_ssl_context *ssl)
{
    const mbedtls_ssl_session *session = ssl->session;
    bool has_ticket = false;

    if (session == NULL)
        return NULL;
#if defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_CLI_C)
    has_ticket = session->ticket != NULL && session->ticket_len > 0;
#endif
    if (has_ticket)
        return session;
    return strcmp(mbedtls_ssl_get_version(ssl), "TLSv1.2") == 0 && session->id_len > 0 ? session
                                                                                       : NULL;
}

/* A full handshake, although a session was offered: up to 3.6 its ticket would stay with the new
 * session, unless the server sends another one, and spoil the next handshake. */
static inline void anyc__tls_shim_drop_ticket(mbedtls_ssl_context *ssl)
{
#if defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_CLI_C)
    mbedtls_ssl_session *session = ssl->session_negotiate;

    if (session == NULL || session->ticket == NULL)
        return;
    mbedtls_platform_zeroize(session->ticket, session->ticket_len);
    mbedtls_free(session->ticket);
    session->ticket = NULL;
    session->ticket_len = 0;
#else
    (void)ssl;
#endif
}

/* Did a read only bring a ticket for later (TLS 1.3)? Then read on. */
static inline bool anyc__tls_shim_is_ticket(int library_code)
{
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
    return library_code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
    (void)library_code;
    return false;
#endif
}

#endif
