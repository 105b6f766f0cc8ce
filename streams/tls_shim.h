/* SPDX-License-Identifier: MIT */
/*
 * tls_shim.h - one vocabulary for mbedTLS 2.28, 3.6 and 4.x: the only file that knows which of them
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
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif
#if MBEDTLS_VERSION_MAJOR < 4
#include <mbedtls/aes.h>
#endif
#if MBEDTLS_VERSION_MAJOR < 3
#include <mbedtls/cipher.h>
#include <mbedtls/ecdsa.h>
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

/* -- ciphers: IANA's names have "_", mbedTLS's "-" and a word of their own for TLS 1.3 -- */

#define ANYC__TLS_CIPHER_NAME_SIZE 80

/* The number of a cipher by either name, 0 if the library does not have it. */
static inline int anyc__tls_shim_cipher(const char *name, size_t len)
{
    char own[ANYC__TLS_CIPHER_NAME_SIZE + 4];
    int id;

    if (len >= ANYC__TLS_CIPHER_NAME_SIZE)
        return 0;
    memcpy(own, name, len);
    own[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        if (own[i] == '_')
            own[i] = '-';
    }
    id = mbedtls_ssl_get_ciphersuite_id(own);
    if (id == 0 && strncmp(own, "TLS-", 4) == 0) {
        memmove(own + 7, own + 4, len - 4 + 1);
        memcpy(own, "TLS1-3-", 7);
        id = mbedtls_ssl_get_ciphersuite_id(own);
    }
    return id;
}

/* mbedTLS's name of a cipher in IANA's form. */
static inline void anyc__tls_shim_cipher_name(const char *own, char *buf, size_t size)
{
    static const char tls13[] = "TLS1-3-";
    size_t i = 0;

    if (size == 0)
        return;
    if (strncmp(own, tls13, sizeof tls13 - 1) == 0) {
        for (; i < 4 && i + 1 < size; i++)
            buf[i] = "TLS_"[i];
        own += sizeof tls13 - 1;
    }
    for (; *own != '\0' && i + 1 < size; own++)
        buf[i++] = *own == '-' ? '_' : *own;
    buf[i] = '\0';
}

/* Bits of the key of the cipher in use; 0: not known. */
static inline int anyc__tls_shim_cipher_bits(const mbedtls_ssl_context *ssl)
{
    const char *name = mbedtls_ssl_get_ciphersuite(ssl);
    const mbedtls_ssl_ciphersuite_t *info =
        name == NULL ? NULL : mbedtls_ssl_ciphersuite_from_string(name);
#if MBEDTLS_VERSION_MAJOR >= 3
    return info == NULL ? 0 : (int)mbedtls_ssl_ciphersuite_get_cipher_key_bitlen(info);
#else
    const mbedtls_cipher_info_t *cipher =
        info == NULL ? NULL : mbedtls_cipher_info_from_type(info->cipher);

    return cipher == NULL ? 0 : (int)cipher->key_bitlen;
#endif
}

/* -- keys -- */

/* As mbedtls_pk_parse_key. */
static inline int anyc__tls_shim_parse_key(mbedtls_pk_context *key, const unsigned char *data,
                                           size_t len, const char *password)
{
    const unsigned char *pwd = (const unsigned char *)password;
    size_t pwd_len = password == NULL ? 0 : strlen(password);

#if MBEDTLS_VERSION_MAJOR == 3
    return mbedtls_pk_parse_key(key, data, len, pwd, pwd_len, anyc__tls_shim_random, NULL);
#else
    return mbedtls_pk_parse_key(key, data, len, pwd, pwd_len);
#endif
}

/* Is `own` the private key of `certified`? 0: yes. */
static inline int anyc__tls_shim_check_pair(const mbedtls_pk_context *certified,
                                            const mbedtls_pk_context *own)
{
#if MBEDTLS_VERSION_MAJOR == 3
    return mbedtls_pk_check_pair(certified, own, anyc__tls_shim_random, NULL);
#else
    return mbedtls_pk_check_pair(certified, own);
#endif
}

#if MBEDTLS_VERSION_MAJOR < 3 && defined(MBEDTLS_ECDSA_C) && !defined(MBEDTLS_ECP_RESTARTABLE)
/* Make `signer` a copy of an EC key that is for signing alone, and let it sign once. */
static inline int anyc__tls_shim_make_signer(const mbedtls_pk_context *key,
                                             mbedtls_pk_context *signer)
{
    static const unsigned char hash[32] = {1};
    unsigned char signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    size_t len;
    int code = mbedtls_pk_setup(signer, mbedtls_pk_info_from_type(MBEDTLS_PK_ECDSA));

    if (code == 0)
        code = mbedtls_ecdsa_from_keypair(signer->pk_ctx, mbedtls_pk_ec(*key));
    if (code == 0)
        code = mbedtls_pk_sign(signer, MBEDTLS_MD_SHA256, hash, sizeof hash, signature, &len,
                               anyc__tls_shim_random, NULL);
    return code;
}
#endif

/* Make an own key quicker to sign with; it has been checked against its certificate. 2.28 copies an
 * EC key at each use, and computes the tables of its group anew each time. A key for ECDSA alone it
 * uses as it is, and the first signature leaves the tables there, which are only read from then on,
 * so that several threads can sign with it. That takes less than half of the time. Static ECDH
 * ciphers do not take such a key; they are not worth having. Answers 0 or the library's code. */
static inline int anyc__tls_shim_prepare_key(mbedtls_pk_context *key)
{
#if MBEDTLS_VERSION_MAJOR < 3 && defined(MBEDTLS_ECDSA_C) && !defined(MBEDTLS_ECP_RESTARTABLE)
    mbedtls_pk_context signer;
    int code;

    if (mbedtls_pk_get_type(key) != MBEDTLS_PK_ECKEY || !mbedtls_pk_can_do(key, MBEDTLS_PK_ECDSA))
        return 0;
    mbedtls_pk_init(&signer);
    code = anyc__tls_shim_make_signer(key, &signer);
    if (code != 0) {
        mbedtls_pk_free(&signer);
        return code;
    }
    mbedtls_pk_free(key);
    *key = signer;
#else
    (void)key;
#endif
    return 0;
}

/* Is it an RSA key, and not one on a curve? */
static inline bool anyc__tls_shim_is_rsa(const mbedtls_pk_context *key)
{
#if MBEDTLS_VERSION_MAJOR >= 4
    return PSA_KEY_TYPE_IS_RSA(mbedtls_pk_get_key_type(key));
#else
    return mbedtls_pk_can_do(key, MBEDTLS_PK_RSA) != 0;
#endif
}

/* -- certificates -- */

/* Has it subjectAltName, so that `subject_alt_names` holds something? */
static inline bool anyc__tls_shim_has_names(const mbedtls_x509_crt *certificate)
{
    return certificate->subject_alt_names.buf.p != NULL;
}

/* Let the library's own look at what the certificate is for find nothing: a verify function has
 * accepted it. */
static inline void anyc__tls_shim_forgive_usage(mbedtls_x509_crt *certificate)
{
    certificate->ext_types &= ~(MBEDTLS_X509_EXT_KEY_USAGE | MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE);
}

/* -- sessions -- */

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

/* -- the key log -- */

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

/* -- connections -- */

/* Is there no step left to do? With TLS 1.3 a server sends tickets in steps of their own, so that
 * this comes later than mbedtls_ssl_is_handshake_over. */
static inline bool anyc__tls_shim_is_over(const mbedtls_ssl_context *ssl)
{
    return ssl->state == MBEDTLS_SSL_HANDSHAKE_OVER;
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
    return mbedtls_ssl_send_alert_message(ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert);
}

/* Is this handshake about to send or get the server's certificate? Then no session is resumed. */
static inline bool anyc__tls_shim_is_at_certificate(const mbedtls_ssl_context *ssl)
{
    return ssl->state == MBEDTLS_SSL_SERVER_CERTIFICATE;
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

static inline bool anyc__tls_shim_is_tls13(const mbedtls_ssl_context *ssl)
{
    return strcmp(mbedtls_ssl_get_version(ssl), "TLSv1.3") == 0;
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
