/* SPDX-License-Identifier: MIT */
/*
 * tls_shim.h - one vocabulary for mbedTLS 2.28, 3.6 and 4.x. This file, for the library and its
 * configurations, and those whose names begin like its own are the only ones that know which of them
 * is there. The others call mbedTLS itself where all of them agree, and these functions elsewhere.
 *
 * 2.28 has TLS 1.2 only. From 3.0 on fields are private unless one asks for them, as here; 4.0
 * takes all random numbers from PSA, so that functions lose two arguments.
 */
#ifndef ANYC_STREAMS_TLS_SHIM_H
#define ANYC_STREAMS_TLS_SHIM_H

#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include <mbedtls/version.h>

#include <mbedtls/asn1.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif
#if MBEDTLS_VERSION_MAJOR < 4
#include <mbedtls/aes.h>
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <errno.h>
#include <sys/random.h>

/* -- codes that changed their names -- */

#if MBEDTLS_VERSION_MAJOR >= 3
#define ANYC__TLS_BAD_CERTIFICATE MBEDTLS_ERR_SSL_BAD_CERTIFICATE
#define ANYC__TLS_NO_COMMON_CIPHER MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE
#define ANYC__TLS_NO_COMMON_VERSION MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION
#define ANYC__TLS_NO_USABLE_CIPHER MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE
#define ANYC__TLS_BAD_CLIENT_HELLO MBEDTLS_ERR_SSL_DECODE_ERROR
#else
#define ANYC__TLS_BAD_CERTIFICATE MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE
#define ANYC__TLS_NO_COMMON_CIPHER MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN
#define ANYC__TLS_NO_COMMON_VERSION MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION
#define ANYC__TLS_NO_USABLE_CIPHER MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE
#define ANYC__TLS_BAD_CLIENT_HELLO MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO
#endif
#define ANYC__TLS_NO_CERTIFICATE MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE
#define ANYC__TLS_FATAL_ALERT MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE

/* Did the library run out of memory? Up to 3.6 codes are sums of one of a module and one of a part
 * below it. */
static inline bool anyc__tls_shim_is_no_memory(int library_code)
{
#if MBEDTLS_VERSION_MAJOR >= 4
    return library_code == PSA_ERROR_INSUFFICIENT_MEMORY ||
           library_code == MBEDTLS_ERR_SSL_ALLOC_FAILED ||
           library_code == MBEDTLS_ERR_X509_ALLOC_FAILED;
#else
    int module = -(-library_code & 0xff80);
    int part = -(-library_code & 0x7f);

    return module == MBEDTLS_ERR_SSL_ALLOC_FAILED || module == MBEDTLS_ERR_X509_ALLOC_FAILED ||
           module == MBEDTLS_ERR_PK_ALLOC_FAILED || module == MBEDTLS_ERR_PEM_ALLOC_FAILED ||
           part == MBEDTLS_ERR_ASN1_ALLOC_FAILED || part == MBEDTLS_ERR_MPI_ALLOC_FAILED;
#endif
}

/* -- the library -- */

/* What it makes when it is first needed, for all threads and without a lock: the tables of AES,
 * what the processor can do, the list of ciphers. */
static inline void anyc__tls_shim_warm_up(void)
{
#if MBEDTLS_VERSION_MAJOR < 4 && defined(MBEDTLS_AES_C)
    static const unsigned char key[16];
    mbedtls_aes_context aes;

    mbedtls_aes_init(&aes);
    (void)mbedtls_aes_setkey_enc(&aes, key, 128);
    mbedtls_aes_free(&aes);
#endif
    (void)mbedtls_ssl_list_ciphersuites();
}

/* Before anything else of it, once for the process. Answers 0 or its code. */
static inline int anyc__tls_shim_start(void)
{
    int code = 0;

#if MBEDTLS_VERSION_MAJOR >= 3
    code = (int)psa_crypto_init();
#endif
    anyc__tls_shim_warm_up();
    return code;
}

/* Was it built so that several threads may use it at the same time? */
static inline bool anyc__tls_shim_has_threads(void)
{
#if defined(MBEDTLS_VERSION_FEATURES) && MBEDTLS_VERSION_MAJOR < 4
    return mbedtls_version_check_feature("MBEDTLS_THREADING_C") == 0;
#elif defined(MBEDTLS_THREADING_C)
    return true;
#else
    return false;
#endif
}

/* Random bytes from the kernel: needs no lock, and a forked process never repeats its parent's. */
static inline int anyc__tls_shim_random(void *arg, unsigned char *buf, size_t len)
{
    (void)arg;
    while (len > 0) {
        ssize_t n = getrandom(buf, len, 0);

        if (n < 0 && errno != EINTR)
            return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
        if (n > 0) {
            buf += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* -- configurations -- */

#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
#define ANYC__TLS_NEWEST 0x0304
#else
#define ANYC__TLS_NEWEST 0x0303
#endif

/* Versions as on the wire, from 0x0303 to ANYC__TLS_NEWEST. */
static inline void anyc__tls_shim_conf_versions(mbedtls_ssl_config *conf, int min, int max)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_ssl_conf_min_tls_version(conf, (mbedtls_ssl_protocol_version)min);
    mbedtls_ssl_conf_max_tls_version(conf, (mbedtls_ssl_protocol_version)max);
#else
    mbedtls_ssl_conf_min_version(conf, min >> 8, min & 0xff);
    mbedtls_ssl_conf_max_version(conf, max >> 8, max & 0xff);
#endif
}

/* The groups for key agreement, the best first. */
static inline void anyc__tls_shim_conf_groups(mbedtls_ssl_config *conf)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    static const uint16_t groups[] = {
        MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
        MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1,
        MBEDTLS_SSL_IANA_TLS_GROUP_NONE};

    mbedtls_ssl_conf_groups(conf, groups);
#else
    static const mbedtls_ecp_group_id groups[] = {
        MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
        MBEDTLS_ECP_DP_SECP521R1, MBEDTLS_ECP_DP_NONE};

    mbedtls_ssl_conf_curves(conf, groups);
#endif
}

/* What else anyc wants other than the library's own defaults. */
static inline void anyc__tls_shim_conf_defaults(mbedtls_ssl_config *conf)
{
#if MBEDTLS_VERSION_MAJOR < 4
    mbedtls_ssl_conf_rng(conf, anyc__tls_shim_random, NULL);
#if defined(MBEDTLS_DHM_C)
    mbedtls_ssl_conf_dhm_min_bitlen(conf, 2048);
#endif
#endif
#if MBEDTLS_VERSION_MAJOR < 3 /* later the default is as strict */
    mbedtls_ssl_conf_cert_profile(conf, &mbedtls_x509_crt_profile_next);
#endif
#if defined(MBEDTLS_SSL_RENEGOTIATION)
    mbedtls_ssl_conf_renegotiation(conf, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
#if defined(MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED) &&            \
    defined(MBEDTLS_SSL_PROTO_TLS1_3) && defined(MBEDTLS_SSL_SESSION_TICKETS) && \
    defined(MBEDTLS_SSL_CLI_C)
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
    anyc__tls_shim_conf_groups(conf);
}

#endif
