/* SPDX-License-Identifier: MIT */
/*
 * chunks.c - memory streams of byte chunks, for tests of what stands on them.
 */
#include "chunks.h"

#include <anyc/stapled_stream.h>

#include <check.h>

#include <string.h>

void chunks_open(struct chunks *chunks, size_t max_buffer_size)
{
    const anyc_memory_object_stream_options options = {.destroy_item = anyc_bytes_destroy_item};

    ck_assert_int_eq(anyc_create_memory_object_stream_with(max_buffer_size, sizeof(anyc_bytes),
                                                           &options, &chunks->send,
                                                           &chunks->receive),
                     0);
}

void chunks_put(const struct chunks *chunks, const char *text)
{
    anyc_bytes bytes;

    ck_assert_int_eq(anyc_bytes_init(&bytes, text, strlen(text)), 0);
    ck_assert_int_eq(anyc_memory_send_stream_send_nowait(chunks->send, &bytes), 0);
}

anyc_byte_stream *chunks_receiver(const struct chunks *chunks)
{
    anyc_byte_stream *stream = NULL;

    ck_assert_int_eq(anyc_byte_stream_from_object_stream(&chunks->receive->stream, &stream), 0);
    return stream;
}

anyc_byte_stream *chunks_loop(const struct chunks *chunks)
{
    anyc_object_stream *both = NULL;
    anyc_byte_stream *stream = NULL;

    ck_assert_int_eq(
        anyc_stapled_object_stream_create(&chunks->send->stream, &chunks->receive->stream, &both),
        0);
    ck_assert_int_eq(anyc_byte_stream_from_object_stream(both, &stream), 0);
    return stream;
}
