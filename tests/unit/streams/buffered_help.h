/* SPDX-License-Identifier: MIT */
/*
 * buffered_help.h - what tests of buffered streams expect, in short.
 */
#ifndef ANYC_TESTS_STREAMS_BUFFERED_HELP_H
#define ANYC_TESTS_STREAMS_BUFFERED_HELP_H

#include <check.h>

#include <anyc/buffered_stream.h>

#include <string.h>

static inline anyc_buffered_stream *buffer(anyc_byte_stream *inner)
{
    anyc_buffered_stream *stream = NULL;

    ck_assert_int_eq(anyc_buffered_stream_create(inner, &stream), 0);
    return stream;
}

static inline void expect(anyc_buffered_stream *stream, size_t max_bytes, const char *expected)
{
    char buf[64];
    ssize_t n = anyc_receive(&stream->stream, buf, max_bytes);

    ck_assert_int_eq(n, (ssize_t)strlen(expected));
    ck_assert_mem_eq(buf, expected, strlen(expected));
}

static inline void expect_exactly(anyc_buffered_stream *stream, const char *expected)
{
    char buf[64];

    ck_assert_int_eq(anyc_buffered_receive_exactly(stream, buf, strlen(expected)), 0);
    ck_assert_mem_eq(buf, expected, strlen(expected));
}

static inline ssize_t receive_until(anyc_buffered_stream *stream, const char *delimiter,
                                    size_t max_bytes)
{
    char buf[64];

    return anyc_buffered_receive_until(stream, delimiter, strlen(delimiter), max_bytes, buf,
                                       sizeof buf);
}

static inline void expect_until(anyc_buffered_stream *stream, const char *delimiter,
                                size_t max_bytes, const char *expected)
{
    char buf[64];
    ssize_t n = anyc_buffered_receive_until(stream, delimiter, strlen(delimiter), max_bytes, buf,
                                            sizeof buf);

    ck_assert_int_eq(n, (ssize_t)strlen(expected));
    ck_assert_mem_eq(buf, expected, strlen(expected));
}

static inline void expect_buffer(anyc_buffered_stream *stream, const char *expected)
{
    size_t len = 99;
    const void *data = anyc_buffered_buffer(stream, &len);

    ck_assert_uint_eq(len, strlen(expected));
    if (len > 0)
        ck_assert_mem_eq(data, expected, len);
}

#endif
