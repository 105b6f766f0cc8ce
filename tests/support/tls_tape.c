/* SPDX-License-Identifier: MIT */
/*
 * tls_tape.c - conversations with a TLS peer, played back.
 */
#include "support/tls_tape.h"

#include <stdlib.h>

#include "support/fixed.h"
#include "support/tls_files.h"

#define TAPE_HEADER 5 /* bytes of a record's header */

anyc_tls_context *tls_tape_context(bool is_server)
{
    static const anyc_tls_certificate localhost = {.chain.file = TLS_FILE("localhost.pem"),
                                                   .key.file = TLS_FILE("localhost.key")};
    const anyc_tls_context_options options = {
        .server_side = is_server,
        .certificates = &localhost,
        .certificate_count = is_server ? 1 : 0,
        .ca.file = is_server ? NULL : TLS_FILE("ca.pem"),
        .max_version = ANYC_TLS_1_2, /* random numbers of TLS 1.3 come from PSA, past fixed.c */
        .no_resumption = true,
        .workers = ANYC_TLS_WORKERS_OFF,
    };
    anyc_tls_context *context = NULL;

    if (anyc_tls_context_create(&options, &context) < 0)
        abort();
    return context;
}

int tls_tape_wrap(bool is_server, anyc_tls_context *context, struct tape *transport,
                  anyc_byte_stream **out_stream)
{
    const anyc_tls_stream_wrap_options options = {.context = context,
                                                  .hostname = is_server ? NULL : "localhost"};

    fixed_restart();
    return anyc_tls_stream_wrap(&transport->stream, &options, out_stream);
}

size_t tls_tape_next(const struct tape_bytes *flights, size_t start)
{
    const uint8_t *header = flights->data + start;

    if (flights->len < start + TAPE_HEADER)
        abort();
    return start + TAPE_HEADER + ((size_t)header[3] << 8 | header[4]);
}
