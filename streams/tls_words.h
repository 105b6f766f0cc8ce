/* SPDX-License-Identifier: MIT */
/*
 * tls_words.h - what is wrong with a certificate, in words.
 */
#ifndef ANYC_STREAMS_TLS_WORDS_H
#define ANYC_STREAMS_TLS_WORDS_H

#include "streams/tls_config.h"

/* One certificate of a chain, as it was found. */
struct tls_look {
    const mbedtls_x509_crt *certificate; /* those that were sent after it follow; NULL: not known */
    const mbedtls_x509_crt *trusted;     /* the certificates that are trusted */
    bool is_own;                         /* the peer's own, not that of a CA */
    bool is_last;                        /* the chain ends here */
    uint32_t flags;                      /* of the library */
};

/* A byte of a name as it may be shown: certificates are made by anybody, and control characters play
 * tricks in logs and terminals. */
static inline char anyc__tls_printable(unsigned char byte)
{
    return byte >= ' ' && byte < 0x7f ? (char)byte : '?';
}

/* Add what is wrong to `flags` and `problem`. Without memory for words the flags stand alone. */
void anyc__tls_say_problems(struct tls_verification *verification, const struct tls_look *look);

#endif
