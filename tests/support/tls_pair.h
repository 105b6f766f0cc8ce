/* SPDX-License-Identifier: MIT */
/*
 * tls_pair.h - both ends of a TLS connection within one test, over any pair of byte streams.
 *
 *     struct byte_pair pair;
 *
 *     byte_pair_from_objects(&pair, 1);
 *     tls_pair_wrap(&pair, NULL);      // a is the client now, b the server
 *     ...
 *     tls_pair_close(&pair);
 *
 * The contexts made here do their handshakes within the loop, without workers, so that what happens
 * over memory streams happens in the same order each time.
 */
#ifndef ANYC_TESTS_SUPPORT_TLS_PAIR_H
#define ANYC_TESTS_SUPPORT_TLS_PAIR_H

#include <anyc/tls.h>

#include "support/byte_pair.h"

/* A context that cannot fail to be made. */
anyc_tls_context *tls_context(const anyc_tls_context_options *options);

/* A client that trusts the tests' CA, and a server with the certificate of localhost. */
anyc_tls_context *tls_context_client(void);
anyc_tls_context *tls_context_server(void);

/* A server with another of the tests' certificates, a path each. */
anyc_tls_context *tls_context_server_with(const char *certificate, const char *key);

/* Can this build do TLS, and this version of it? */
bool tls_can(int version);

/* Bytes of data in a full record of a TLS stream of this library: TLS 1.3 takes one of them. */
size_t tls_record_len(anyc_byte_stream *stream);

/* One end of a handshake. */
struct tls_end {
    anyc_byte_stream *stream; /* the transport; once rc is 0 the TLS stream */
    anyc_tls_stream_wrap_options options;
    int rc;
};

/* A task that wraps one end. When that fails it closes the transport by force, so that the other
 * side sees an end. */
int tls_end_wrap(void *end);

/* Both ends of a handshake at the same time. */
void tls_ends_wrap(struct tls_end *client, struct tls_end *server);

/* How to make a pair; all may be left out. */
struct tls_pair_options {
    anyc_tls_context *client; /* NULL: tls_context_client() */
    anyc_tls_context *server; /* NULL: tls_context_server() */
    const char *hostname;     /* NULL: "localhost" */
    bool not_standard_compatible;
};

/* Wrap both ends, which must succeed. */
void tls_pair_wrap(struct byte_pair *pair, const struct tls_pair_options *options);

/* The same over a memory stream that holds one chunk each way. */
void tls_pair_open(struct byte_pair *pair, const struct tls_pair_options *options);

/* End both at the same time, as each waits for the other; both must succeed. */
void tls_pair_close(struct byte_pair *pair);

/* End both, whatever they are at. */
void tls_pair_drop(struct byte_pair *pair);

#endif
