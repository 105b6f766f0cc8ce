/* SPDX-License-Identifier: MIT */
/*
 * tls_shim_key.h - keys and certificates, for all versions of mbedTLS.
 */
#ifndef ANYC_STREAMS_TLS_SHIM_KEY_H
#define ANYC_STREAMS_TLS_SHIM_KEY_H

#include "streams/tls_shim.h"

#if MBEDTLS_VERSION_MAJOR < 3
#include <mbedtls/ecdsa.h>
#endif

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

#endif
