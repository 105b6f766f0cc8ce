/* SPDX-License-Identifier: MIT */
/*
 * tls_ciphers.h - the ciphers of TLS 1.2 that anyc and other programs are to agree on, by the names
 * that each has for them.
 */
#ifndef ANYC_TESTS_BEHAVIOUR_TLS_CIPHERS_H
#define ANYC_TESTS_BEHAVIOUR_TLS_CIPHERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct tls_cipher {
    const char *iana; /* anyc's, and Go's */
    const char *openssl;
    const char *gnutls[3]; /* key exchange, cipher, MAC */
};

/* Those with CBC only if anyc is asked for them. */
static const struct tls_cipher tls_ciphers[] = {
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
     "ECDHE-ECDSA-AES128-GCM-SHA256",
     {"ECDHE-ECDSA", "AES-128-GCM", "AEAD"}},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
     "ECDHE-ECDSA-AES256-GCM-SHA384",
     {"ECDHE-ECDSA", "AES-256-GCM", "AEAD"}},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
     "ECDHE-ECDSA-CHACHA20-POLY1305",
     {"ECDHE-ECDSA", "CHACHA20-POLY1305", "AEAD"}},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
     "ECDHE-RSA-AES128-GCM-SHA256",
     {"ECDHE-RSA", "AES-128-GCM", "AEAD"}},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
     "ECDHE-RSA-AES256-GCM-SHA384",
     {"ECDHE-RSA", "AES-256-GCM", "AEAD"}},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
     "ECDHE-RSA-CHACHA20-POLY1305",
     {"ECDHE-RSA", "CHACHA20-POLY1305", "AEAD"}},
    {"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
     "DHE-RSA-AES128-GCM-SHA256",
     {"DHE-RSA", "AES-128-GCM", "AEAD"}},
    {"TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
     "DHE-RSA-AES256-GCM-SHA384",
     {"DHE-RSA", "AES-256-GCM", "AEAD"}},
    {"TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
     "DHE-RSA-CHACHA20-POLY1305",
     {"DHE-RSA", "CHACHA20-POLY1305", "AEAD"}},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
     "ECDHE-ECDSA-AES128-SHA256",
     {"ECDHE-ECDSA", "AES-128-CBC", "SHA256"}},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
     "ECDHE-RSA-AES256-SHA384",
     {"ECDHE-RSA", "AES-256-CBC", "SHA384"}},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
     "ECDHE-RSA-AES128-SHA",
     {"ECDHE-RSA", "AES-128-CBC", "SHA1"}},
    {"TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
     "DHE-RSA-AES256-SHA256",
     {"DHE-RSA", "AES-256-CBC", "SHA256"}},
};

enum { TLS_CIPHERS = sizeof tls_ciphers / sizeof *tls_ciphers };

/* Does it need an RSA key? */
static inline bool tls_cipher_is_rsa(const struct tls_cipher *cipher)
{
    return strstr(cipher->iana, "_RSA_") != NULL;
}

/* What anyc must be told to use it; NULL: nothing. */
static inline const char *tls_cipher_asked(const struct tls_cipher *cipher)
{
    return strstr(cipher->iana, "_CBC_") != NULL ? cipher->iana : NULL;
}

/* GnuTLS's option for it, and for nothing else. */
static inline void tls_cipher_priority(const struct tls_cipher *cipher, char *out_text, size_t size)
{
    snprintf(out_text, size,
             "--priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+%s:-CIPHER-ALL:+%s:-MAC-ALL:+%s",
             cipher->gnutls[0], cipher->gnutls[1], cipher->gnutls[2]);
}

#endif
