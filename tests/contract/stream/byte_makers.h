/* SPDX-License-Identifier: MIT */
/*
 * byte_makers.h - the byte streams that run the contract of test_byte_stream.c.
 *
 * To have another one checked, write its maker and add it to byte_makers[].
 */
#ifndef ANYC_TESTS_CONTRACT_BYTE_MAKERS_H
#define ANYC_TESTS_CONTRACT_BYTE_MAKERS_H

#include <anyc/stream.h>

/* Two ends of one connection: what is sent to one is received from the other. */
struct byte_pair {
    anyc_byte_stream *a;
    anyc_byte_stream *b;
};

struct byte_maker {
    const char *name;

    /* Make a connected pair, both ends two-way and with an end of each direction. Sending must
     * block at some time if nobody receives. Called by a task; the test frees both ends. */
    void (*make)(struct byte_pair *pair);
};

/* Ended by an entry without a name. */
extern const struct byte_maker byte_makers[];

#endif
