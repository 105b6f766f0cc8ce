/* SPDX-License-Identifier: MIT */
/*
 * tls_trust.h - the certificates that a side trusts.
 */
#ifndef ANYC_STREAMS_TLS_TRUST_H
#define ANYC_STREAMS_TLS_TRUST_H

#include <anyc/tls_context.h>

#include "streams/tls_shim.h"

/* Append what the options name; for clients that name nothing, the system's certificates. Answers
 * 0, or an error as anyc_tls_context_create has it; the chain may have got some by then. */
int anyc__tls_trust_load(mbedtls_x509_crt *chain, const anyc_tls_context_options *options);

/* For tests: where the system's certificates are looked for, each list ended by NULL. */
struct tls_trust_places {
    const char *const *files;   /* the first that exists is taken, */
    const char *const *folders; /* or else the first of these */
};

/* As anyc__tls_trust_load does for such clients. */
int anyc__tls_trust_load_system(mbedtls_x509_crt *chain, const struct tls_trust_places *places);

#endif
