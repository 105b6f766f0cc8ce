/* SPDX-License-Identifier: MIT */
/*
 * byte_pair.h - two byte streams that are the ends of one connection, of several kinds. What cannot
 * be had fails the test at once.
 */
#ifndef ANYC_TESTS_SUPPORT_BYTE_PAIR_H
#define ANYC_TESTS_SUPPORT_BYTE_PAIR_H

#include <anyc/stream.h>

/* What is sent to one is received from the other. */
struct byte_pair {
    anyc_byte_stream *a;
    anyc_byte_stream *b;
};

/* Over memory streams that hold so many chunks each: byte streams over stapled objects. */
void byte_pair_from_objects(struct byte_pair *pair, size_t chunks);

/* The same with the bytes stapled. */
void byte_pair_stapled(struct byte_pair *pair, size_t chunks);

/* UNIX sockets. */
void byte_pair_unix(struct byte_pair *pair);

/* The same with buffers as small as the system lets them be. */
void byte_pair_unix_narrow(struct byte_pair *pair);

/* Put a buffered stream on each end. */
void byte_pair_buffer(struct byte_pair *pair);

#endif
