/* SPDX-License-Identifier: MIT */
/*
 * object_makers.h - the object streams that run the contract of test_object_stream.c.
 *
 * To have another one checked, write its maker and add it to object_makers[].
 */
#ifndef ANYC_TESTS_CONTRACT_OBJECT_MAKERS_H
#define ANYC_TESTS_CONTRACT_OBJECT_MAKERS_H

#include <anyc/stream.h>

/* Items of type int that are sent to one are received from the other. */
struct object_pair {
    anyc_object_stream *send;
    anyc_object_stream *receive;
};

struct object_maker {
    const char *name;

    /* Make a connected pair. Called by a task; the test frees both ends. */
    void (*make)(struct object_pair *pair);
    bool endless; /* sending never waits */
};

/* Ended by an entry without a name. */
extern const struct object_maker object_makers[];

#endif
