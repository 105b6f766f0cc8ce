/* SPDX-License-Identifier: MIT */
/*
 * tape.h - byte streams for tests that record what goes through them, and others that play such a
 * record back: a peer whose every byte is known.
 *
 * They live where the test places them; what they have recorded ends with tape_deinit, their close
 * frees nothing.
 */
#ifndef ANYC_TESTS_SUPPORT_TAPE_H
#define ANYC_TESTS_SUPPORT_TAPE_H

#include <anyc/event.h>
#include <anyc/stream.h>

#include <stddef.h>
#include <stdint.h>

/* Bytes, one behind the other; zeroed at first. */
struct tape_bytes {
    uint8_t *data;
    size_t len;
    size_t capacity;
};

void tape_append(struct tape_bytes *bytes, const void *data, size_t len);
void tape_free(struct tape_bytes *bytes);

struct tape {
    anyc_byte_stream stream;

    /* for recording */
    anyc_byte_stream *inner;    /* the stream below; NULL: this plays */
    struct tape_bytes received; /* from it */

    /* for playing; the test sets them as it likes */
    const uint8_t *data; /* what is received, then ANYC_EOF */
    size_t len;          /* bytes left */
    size_t step;         /* most bytes that one receive gives; 0: no limit */
    bool stays_open;     /* no ANYC_EOF: wait for ever instead */
    bool deaf;           /* wait for ever in sending */
    int send_error;      /* what sending answers; 0: it works */

    struct tape_bytes sent; /* by its user */
    size_t receives;        /* calls */
    bool closed;
};

/* A tape that plays `len` bytes; they stay the test's. */
void tape_play(struct tape *tape, const void *data, size_t len);

/* A tape that records what goes to and from `inner`, whose closing closes that too and frees it. */
void tape_record(struct tape *tape, anyc_byte_stream *inner);

/* The stream has been closed, or is of no use any more. */
void tape_deinit(struct tape *tape);

#endif
