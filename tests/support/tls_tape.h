/* SPDX-License-Identifier: MIT */
/*
 * tls_tape.h - what a TLS peer sends to anyc in a whole conversation, recorded once and played back
 * as often as one likes, changed or cut: anyc's side does the same each time (support/fixed.h), so
 * that even what is encrypted fits.
 *
 * A program that plays has tls_tape.c, tape.c and fixed.c among its sources; one that records has
 * tls_record.c too, and anyc_tls_peer among its LIBRARIES.
 */
#ifndef ANYC_TESTS_SUPPORT_TLS_TAPE_H
#define ANYC_TESTS_SUPPORT_TLS_TAPE_H

#include <anyc/tls.h>

#include "support/tape.h"

/* -- playing -- */

/* Anyc's side of all conversations: the server "localhost", or a client that trusts the tests' CA.
 * Handshakes within the loop, each a full one: nothing depends on threads or on earlier ones. */
anyc_tls_context *tls_tape_context(bool is_server);

/* Wrap the other end of a conversation: `transport` plays the record, or a part of it. */
int tls_tape_wrap(bool is_server, anyc_tls_context *context, struct tape *transport,
                  anyc_byte_stream **out_stream);

/* Where the record of TLS after that at `start` begins. */
size_t tls_tape_next(const struct tape_bytes *flights, size_t start);

/* -- recording -- */

struct tls_peer;
struct tls_peer_options;

struct tls_tape {
    bool is_server; /* anyc's side */
    anyc_tls_context *context;
    struct tape_bytes flights; /* all that the peer sent */
    int rc;                    /* of anyc's handshake */
};

/* Record a conversation between anyc and a peer of mbedTLS. The script may send what it likes, but
 * must not need an answer; without one the record ends with the handshake. A server without a
 * certificate is localhost. */
void tls_tape_record(struct tls_tape *record, bool is_server, const struct tls_peer_options *peer,
                     int (*script)(struct tls_peer *peer, void *arg), void *arg);

void tls_tape_deinit(struct tls_tape *record);

#endif
