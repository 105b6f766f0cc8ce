/* SPDX-License-Identifier: MIT */
/*
 * text_help.h - text streams over dummy streams, for tests.
 */
#ifndef ANYC_TESTS_STREAMS_TEXT_HELP_H
#define ANYC_TESTS_STREAMS_TEXT_HELP_H

#include <check.h>

#include <anyc/error.h>
#include <anyc/text_stream.h>

#include <string.h>

#include "dummy_stream.h"

/* Options in short. */
#define TEXT_OPTIONS(name, mode) \
    (&(anyc_text_stream_options){.encoding = (name), .errors = ANYC_TEXT_##mode})

/* A stream both ways over a dummy, or over any other. */
static inline anyc_text_stream *text_over(anyc_byte_stream *inner,
                                          const anyc_text_stream_options *options)
{
    anyc_text_stream *stream = NULL;
    int rc = anyc_text_stream_create(inner, options, &stream);

    ck_assert_msg(rc == 0, "%s", anyc_last_error()->message);
    return stream;
}

/* A dummy that receives these bytes, which may be zero, `step` at a time; 0: all at once. */
static inline anyc_text_stream *text_of_bytes(struct dummy_bytes *inner, const char *data,
                                              size_t len, size_t step,
                                              const anyc_text_stream_options *options)
{
    dummy_bytes_init(inner, data);
    inner->data_len = len;
    inner->step = step;
    return text_over(&inner->stream, options);
}

/* The next receive gives this text. */
static inline void text_expect(anyc_text_stream *stream, const char *expected)
{
    char buf[64];
    ssize_t n = anyc_receive(&stream->stream, buf, sizeof buf);

    ck_assert_int_eq(n, (ssize_t)strlen(expected));
    ck_assert_mem_eq(buf, expected, strlen(expected));
}

/* All receives up to the end give this text together; then the stream is closed. */
static inline void text_expect_all(anyc_text_stream *stream, const char *expected)
{
    char buf[256];
    size_t at = 0;
    ssize_t n;

    while ((n = anyc_receive(&stream->stream, buf + at, sizeof buf - at)) > 0)
        at += (size_t)n;
    ck_assert_int_eq(n, ANYC_EOF);
    buf[at] = '\0';
    ck_assert_str_eq(buf, expected);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* The next receive answers an error, and leaves the buffer alone. */
static inline void text_expect_error(anyc_text_stream *stream, int code)
{
    char buf[4] = "xyz";

    ck_assert_int_eq(anyc_receive(&stream->stream, buf, sizeof buf), code);
    ck_assert_str_eq(buf, "xyz");
}

/* The last error's message has this in it. */
static inline void text_expect_message(const char *part)
{
    const char *message = anyc_last_error()->message;

    ck_assert_msg(strstr(message, part) != NULL, "'%s' is not in '%s'", part, message);
}

/* What was sent so far. */
static inline void text_expect_sent(const struct dummy_bytes *inner, const char *expected,
                                    size_t len)
{
    ck_assert_uint_eq(inner->sent_len, len);
    ck_assert_mem_eq(inner->sent, expected, len);
}

static inline int text_send_str(anyc_text_stream *stream, const char *text)
{
    return anyc_send(&stream->stream, text, strlen(text));
}

#endif
