/* SPDX-License-Identifier: MIT */
/*
 * tls_shim_cipher.h - the names of ciphers, for all versions of mbedTLS: IANA's have "_", mbedTLS's
 * "-" and a word of their own for TLS 1.3.
 */
#ifndef ANYC_STREAMS_TLS_SHIM_CIPHER_H
#define ANYC_STREAMS_TLS_SHIM_CIPHER_H

#include "streams/tls_shim.h"

#include <mbedtls/ssl_ciphersuites.h>
#if MBEDTLS_VERSION_MAJOR < 3
#include <mbedtls/cipher.h>
#endif

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

#endif
