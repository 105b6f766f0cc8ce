/* SPDX-License-Identifier: MIT */
/*
 * tls_shim_key_log.h - the secrets of connections, for all versions of mbedTLS.
 */
#ifndef ANYC_STREAMS_TLS_SHIM_KEY_LOG_H
#define ANYC_STREAMS_TLS_SHIM_KEY_LOG_H

#include "streams/tls_shim.h"

struct tls_key_log;

/* streams/tls_key_log.c; the label is that of NSS's key log format. */
void anyc__tls_key_log_write(struct tls_key_log *log, const char *label,
                             const unsigned char client_random[32], const unsigned char *secret,
                             size_t len);

#if MBEDTLS_VERSION_MAJOR >= 3
static inline const char *anyc__tls_shim_key_label(mbedtls_ssl_key_export_type type)
{
    switch ((int)type) {
    case MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET:
        return "CLIENT_RANDOM";
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_EARLY_SECRET:
        return "CLIENT_EARLY_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_EARLY_EXPORTER_SECRET:
        return "EARLY_EXPORTER_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET:
        return "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_HANDSHAKE_TRAFFIC_SECRET:
        return "SERVER_HANDSHAKE_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET:
        return "CLIENT_TRAFFIC_SECRET_0";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET:
        return "SERVER_TRAFFIC_SECRET_0";
#endif
    default:
        return NULL;
    }
}

static inline void anyc__tls_shim_export(void *log, mbedtls_ssl_key_export_type type,
                                         const unsigned char *secret, size_t len,
                                         const unsigned char client_random[32],
                                         const unsigned char server_random[32],
                                         mbedtls_tls_prf_types prf)
{
    const char *label = anyc__tls_shim_key_label(type);

    (void)server_random;
    (void)prf;
    if (label != NULL)
        anyc__tls_key_log_write((struct tls_key_log *)log, label, client_random, secret, len);
}
#elif defined(MBEDTLS_SSL_EXPORT_KEYS)
static inline int anyc__tls_shim_export(void *log, const unsigned char *master,
                                        const unsigned char *keys, size_t mac_len, size_t key_len,
                                        size_t iv_len, const unsigned char client_random[32],
                                        const unsigned char server_random[32],
                                        mbedtls_tls_prf_types prf)
{
    (void)keys;
    (void)mac_len;
    (void)key_len;
    (void)iv_len;
    (void)server_random;
    (void)prf;
    anyc__tls_key_log_write((struct tls_key_log *)log, "CLIENT_RANDOM", client_random, master, 48);
    return 0;
}
#endif

/* Log the secrets: to be called for the configuration, and for each connection. False: the library
 * does not tell them. */
static inline bool anyc__tls_shim_conf_key_log(mbedtls_ssl_config *conf, struct tls_key_log *log)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    (void)conf;
    (void)log;
    return true;
#elif defined(MBEDTLS_SSL_EXPORT_KEYS)
    mbedtls_ssl_conf_export_keys_ext_cb(conf, anyc__tls_shim_export, log);
    return true;
#else
    (void)conf;
    (void)log;
    return false;
#endif
}

static inline void anyc__tls_shim_attach_key_log(mbedtls_ssl_context *ssl, struct tls_key_log *log)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_ssl_set_export_keys_cb(ssl, anyc__tls_shim_export, log);
#else
    (void)ssl;
    (void)log;
#endif
}

#endif
