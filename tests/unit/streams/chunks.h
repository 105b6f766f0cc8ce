/* SPDX-License-Identifier: MIT */
/*
 * chunks.h - memory streams of byte chunks, for tests of what stands on them.
 */
#ifndef ANYC_TESTS_STREAMS_CHUNKS_H
#define ANYC_TESTS_STREAMS_CHUNKS_H

#include <anyc/memory_stream.h>
#include <anyc/stream.h>

struct chunks {
    anyc_memory_send_stream *send;
    anyc_memory_receive_stream *receive;
};

void chunks_open(struct chunks *chunks, size_t max_buffer_size);

/* Put a chunk in; its buffer must have room. */
void chunks_put(const struct chunks *chunks, const char *text);

/* The receiving end as a byte stream, which owns it from now on. */
anyc_byte_stream *chunks_receiver(const struct chunks *chunks);

/* Both ends stapled together as one byte stream, which hears what it says, and owns them. */
anyc_byte_stream *chunks_loop(const struct chunks *chunks);

#endif
