/* SPDX-License-Identifier: MIT */
/*
 * dummy_listener.h - a listener for tests that accepts what the test tells it to.
 */
#ifndef ANYC_TESTS_STREAMS_DUMMY_LISTENER_H
#define ANYC_TESTS_STREAMS_DUMMY_LISTENER_H

#include <anyc/memory_stream.h>
#include <anyc/stream.h>

#include "dummy_stream.h"

#define DUMMY_CONNECTIONS 3

struct dummy_listener {
    anyc_listener listener;
    struct dummy_state state;
    anyc_memory_send_stream *script; /* of int */
    anyc_memory_receive_stream *next;
    struct dummy_bytes connections[DUMMY_CONNECTIONS];
    int accepted;        /* connections */
    double accept_at[8]; /* the clock at each call of accept */
};

/* Lives where the test places it. Its end belongs to the test, by anyc_aclose. */
void dummy_listener_init(struct dummy_listener *dummy);

/* Let accept answer an error, or a connection for 0. Without anything, accept waits. */
void dummy_listener_tell(struct dummy_listener *dummy, int answer);

#endif
