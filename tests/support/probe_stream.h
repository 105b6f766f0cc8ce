/* SPDX-License-Identifier: MIT */
/*
 * probe_stream.h - a byte stream that passes on to another one, and can be told to misbehave: small
 * steps, failing calls, calls that are cancelled, changed bytes. It lives where the test places it,
 * and asserts that nobody calls it once it is freed.
 */
#ifndef ANYC_TESTS_SUPPORT_PROBE_STREAM_H
#define ANYC_TESTS_SUPPORT_PROBE_STREAM_H

#include <anyc/cancel.h>
#include <anyc/stream.h>

struct probe_stream {
    anyc_byte_stream stream;
    anyc_byte_stream *inner; /* closed and freed with the probe */

    /* for the test to set, at any time */
    size_t step;              /* most bytes that a call moves; 0: no limit */
    int fail_from;            /* calls, counted from 1, that fail; 0: none */
    int fail_to;              /* the last of them; 0: all from there on */
    int fail_rc;              /* what these answer, without a message */
    int cancel_at;            /* the call that is cancelled; 0: none */
    anyc_cancel_scope *scope; /* by this scope */
    int stall_at;             /* the call that never ends by itself; 0: none */
    int outlive_at;           /* the call that comes back only when the probe is freed; 0: none */
    size_t flip_at;           /* the received byte, counted from 1, that is changed; 0: none */
    bool ends;                /* what is received ends */
    size_t ends_after;        /* with so many bytes */

    /* for the test to see */
    int calls;       /* of receive and the sending functions */
    size_t received; /* bytes */
    size_t sent;
    bool closed;
    bool forcefully; /* the first close was */
    bool destroyed;
};

/* Put a probe on a stream; answers the probe's. */
anyc_byte_stream *probe_init(struct probe_stream *probe, anyc_byte_stream *inner);

#endif
