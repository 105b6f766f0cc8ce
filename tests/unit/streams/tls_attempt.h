/* SPDX-License-Identifier: MIT */
/*
 * tls_attempt.h - a handshake between two ends over a memory stream, which fails as a rule.
 *
 *     struct attempt attempt;
 *
 *     attempt_init(&attempt);
 *     ... change what is to be different ...
 *     attempt_run(&attempt);
 *     ck_assert_int_eq(attempt.client.rc, ANYC_ETLS);
 *     attempt_end(&attempt);
 */
#ifndef ANYC_TESTS_STREAMS_TLS_ATTEMPT_H
#define ANYC_TESTS_STREAMS_TLS_ATTEMPT_H

#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include "support/probe_stream.h"
#include "support/tls_files.h"
#include "support/tls_pair.h"

/* One side. Its transport is the probe. */
struct attempt_end {
    anyc_tls_context *context; /* NULL: the usual one, see tls_pair.h */
    anyc_tls_stream_wrap_options options;
    struct probe_stream probe;
    anyc_byte_stream *stream; /* once rc is 0 */
    int rc;
    anyc_error_tls tls; /* of the failure */
    char message[256];
};

struct attempt {
    struct attempt_end client;
    struct attempt_end server;
};

/* For "localhost", over a memory stream that holds one chunk each way. */
void attempt_init(struct attempt *attempt);

/* Wrap both at the same time. Who fails still has its transport, open, and closes it. */
void attempt_run(struct attempt *attempt);

/* Close what there is. */
void attempt_end(struct attempt *attempt);

#endif
