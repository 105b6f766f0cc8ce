/* SPDX-License-Identifier: MIT */
/*
 * tls_peer_engine.c - mbedTLS as the options of a TLS peer want it.
 */
#include "tls_peer_engine.h"

#include <mbedtls/version.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

#include <stdio.h>

#define ENGINE_TICKET_SECONDS 3600

/* A file of certificates, all of which must be readable. */
static int engine_read_certificates(mbedtls_x509_crt *chain, const char *file)
{
    int rc = mbedtls_x509_crt_parse_file(chain, file);

    return rc > 0 ? MBEDTLS_ERR_X509_INVALID_FORMAT : rc;
}

static int engine_read_key(struct tls_peer_engine *engine, const char *file)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_parse_keyfile(&engine->key, file, NULL, mbedtls_ctr_drbg_random,
                                    &engine->random);
#else
    return mbedtls_pk_parse_keyfile(&engine->key, file, NULL);
#endif
}

static int engine_set_certificates(struct tls_peer_engine *engine,
                                   const struct tls_peer_options *options)
{
    int rc = 0;

    if (options->ca != NULL) {
        rc = engine_read_certificates(&engine->ca, options->ca);
        mbedtls_ssl_conf_ca_chain(&engine->config, &engine->ca, NULL);
    }
    if (rc == 0 && options->certificate != NULL)
        rc = engine_read_certificates(&engine->certificate, options->certificate);
    if (rc == 0 && options->key != NULL)
        rc = engine_read_key(engine, options->key);
    if (rc == 0 && options->certificate != NULL)
        rc = mbedtls_ssl_conf_own_cert(&engine->config, &engine->certificate, &engine->key);
    return rc;
}

static int engine_verify_mode(const struct tls_peer *peer)
{
    const struct tls_peer_options *options = &peer->options;

    if (peer->endpoint == MBEDTLS_SSL_IS_SERVER && !options->want_client_certificate)
        return MBEDTLS_SSL_VERIFY_NONE;
    return options->ca != NULL ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_OPTIONAL;
}

static int engine_set_sessions(struct tls_peer_engine *engine, const struct tls_peer *peer)
{
    const struct tls_peer_options *options = &peer->options;
    int rc = 0;

    if (peer->endpoint == MBEDTLS_SSL_IS_CLIENT) {
        mbedtls_ssl_conf_session_tickets(&engine->config,
                                         options->tickets ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED
                                                          : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    } else if (options->tickets) {
        rc = mbedtls_ssl_ticket_setup(&engine->tickets, mbedtls_ctr_drbg_random, &engine->random,
                                      MBEDTLS_CIPHER_AES_256_GCM, ENGINE_TICKET_SECONDS);
        mbedtls_ssl_conf_session_tickets_cb(&engine->config, mbedtls_ssl_ticket_write,
                                            mbedtls_ssl_ticket_parse, &engine->tickets);
    }
    if (options->cache)
        mbedtls_ssl_conf_session_cache(&engine->config, &engine->cache, mbedtls_ssl_cache_get,
                                       mbedtls_ssl_cache_set);
    return rc;
}

static void engine_set_versions(mbedtls_ssl_config *config, const struct tls_peer_options *options)
{
    int min = options->min_version;
    int max = options->renegotiation ? 0x0303 : options->max_version;

#if MBEDTLS_VERSION_MAJOR >= 3
    if (min != 0)
        mbedtls_ssl_conf_min_tls_version(config, (mbedtls_ssl_protocol_version)min);
    if (max != 0)
        mbedtls_ssl_conf_max_tls_version(config, (mbedtls_ssl_protocol_version)max);
#else
    if (min != 0)
        mbedtls_ssl_conf_min_version(config, min >> 8, min & 0xff);
    if (max != 0)
        mbedtls_ssl_conf_max_version(config, max >> 8, max & 0xff);
#endif
}

bool tls_peer_can(int version)
{
#if MBEDTLS_VERSION_MAJOR >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
    return version == 0x0303 || version == 0x0304;
#elif MBEDTLS_VERSION_MAJOR >= 3
    return version == 0x0303;
#else
    return version >= 0x0301 && version <= 0x0303;
#endif
}

static int engine_set_choices(mbedtls_ssl_config *config, const struct tls_peer_options *options)
{
    engine_set_versions(config, options);
    if (options->ciphersuites != NULL)
        mbedtls_ssl_conf_ciphersuites(config, options->ciphersuites);
    if (options->renegotiation)
        mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
    if (options->alpn == NULL)
        return 0;
    return mbedtls_ssl_conf_alpn_protocols(config, (const char **)options->alpn); /* unchanged */
}

/* mbedTLS asks for the certificate to use; it is the configuration's. */
static int engine_note_requested_name(void *arg, mbedtls_ssl_context *ssl,
                                      const unsigned char *name, size_t len)
{
    struct tls_peer *peer = arg;

    (void)ssl;
    snprintf(peer->requested_name, sizeof peer->requested_name, "%.*s", (int)len,
             (const char *)name);
    return 0;
}

static int engine_configure(struct tls_peer_engine *engine, struct tls_peer *peer)
{
    mbedtls_ssl_config *config = &engine->config;
    int rc = 0;

#if MBEDTLS_VERSION_MAJOR >= 3
    rc = (int)psa_crypto_init();
#endif
    if (rc == 0)
        rc =
            mbedtls_ctr_drbg_seed(&engine->random, mbedtls_entropy_func, &engine->entropy, NULL, 0);
    if (rc == 0)
        rc = mbedtls_ssl_config_defaults(config, peer->endpoint, MBEDTLS_SSL_TRANSPORT_STREAM,
                                         MBEDTLS_SSL_PRESET_DEFAULT);
    if (rc == 0)
        rc = engine_set_certificates(engine, &peer->options);
    if (rc == 0)
        rc = engine_set_sessions(engine, peer);
    if (rc == 0)
        rc = engine_set_choices(config, &peer->options);
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &engine->random);
    mbedtls_ssl_conf_authmode(config, engine_verify_mode(peer));
    mbedtls_ssl_conf_sni(config, engine_note_requested_name, peer);
    return rc;
}

void tls_peer_engine_init(struct tls_peer_engine *engine)
{
    mbedtls_entropy_init(&engine->entropy);
    mbedtls_ctr_drbg_init(&engine->random);
    mbedtls_x509_crt_init(&engine->certificate);
    mbedtls_pk_init(&engine->key);
    mbedtls_x509_crt_init(&engine->ca);
    mbedtls_ssl_cache_init(&engine->cache);
    mbedtls_ssl_ticket_init(&engine->tickets);
    mbedtls_ssl_config_init(&engine->config);
    mbedtls_ssl_init(&engine->ssl);
}

int tls_peer_engine_set_up(struct tls_peer_engine *engine, struct tls_peer *peer)
{
    int rc = engine_configure(engine, peer);

    if (rc == 0)
        rc = mbedtls_ssl_setup(&engine->ssl, &engine->config);
    if (rc == 0)
        rc = mbedtls_ssl_set_hostname(&engine->ssl, peer->options.hostname);
    return rc;
}

void tls_peer_engine_deinit(struct tls_peer_engine *engine)
{
    mbedtls_ssl_free(&engine->ssl);
    mbedtls_ssl_config_free(&engine->config);
    mbedtls_ssl_ticket_free(&engine->tickets);
    mbedtls_ssl_cache_free(&engine->cache);
    mbedtls_x509_crt_free(&engine->ca);
    mbedtls_pk_free(&engine->key);
    mbedtls_x509_crt_free(&engine->certificate);
    mbedtls_ctr_drbg_free(&engine->random);
    mbedtls_entropy_free(&engine->entropy);
}
