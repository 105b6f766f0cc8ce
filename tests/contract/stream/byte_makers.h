/* SPDX-License-Identifier: MIT */
/*
 * byte_makers.h - the byte streams that run the contract of test_byte_stream.c.
 *
 * To have another one checked, write its maker and add it to byte_makers[].
 */
#ifndef ANYC_TESTS_CONTRACT_BYTE_MAKERS_H
#define ANYC_TESTS_CONTRACT_BYTE_MAKERS_H

#include "support/byte_pair.h"

struct byte_maker {
    const char *name;

    /* Make a connected pair, both ends two-way. Sending must block at some time if nobody receives,
     * and a close may not wait for the other side. What the tests send is ASCII. Called by a task;
     * the test frees both ends. */
    void (*make)(struct byte_pair *pair);

    bool (*available)(void); /* is it, in this build? NULL: always */
    bool no_send_eof;        /* the end of one direction alone cannot be told: -ENOTSUP */
};

/* Ended by an entry without a name. */
extern const struct byte_maker byte_makers[];

#endif
