/* SPDX-License-Identifier: MIT */
/*
 * tls_identity.h - the certificates of one's own, and which of them a client gets to see.
 */
#ifndef ANYC_STREAMS_TLS_IDENTITY_H
#define ANYC_STREAMS_TLS_IDENTITY_H

#include <anyc/tls_context.h>

#include "streams/tls_shim.h"

struct tls_identity {
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
};

/* A host name for which one of them is: in lower case, "*.example.org" included. */
struct tls_identity_name {
    char *text;
    struct tls_identity *identity;
};

/* Invariant: `names` is in order, so that a name is found by halving. All zero: none. */
struct tls_identities {
    struct tls_identity *items; /* the first is shown to those who want none by name */
    size_t count;
    struct tls_identity_name *names;
    size_t name_count;
};

/* Read and check them. Answers 0, or an error as anyc_tls_context_create has it. */
int anyc__tls_identities_init(struct tls_identities *identities,
                              const anyc_tls_certificate *certificates, size_t count);
void anyc__tls_identities_deinit(struct tls_identities *identities);

/* Is there one that a session of this kind could have begun with? */
bool anyc__tls_identities_fit(const struct tls_identities *identities,
                              const mbedtls_ssl_session *session);

/* Have connections show them. Answers 0 or the library's code. */
int anyc__tls_identities_conf(struct tls_identities *identities, mbedtls_ssl_config *conf);

#endif
