/* SPDX-License-Identifier: MIT */
/*
 * byte_makers.c - the byte streams that run the contract of test_byte_stream.c.
 */
#include "byte_makers.h"

#include <anyc/text_stream.h>
#include <anyc/tls.h>

#include <check.h>

#include "support/tls_pair.h"

static void make_from_objects(struct byte_pair *pair)
{
    byte_pair_from_objects(pair, 1);
}

static void make_stapled(struct byte_pair *pair)
{
    byte_pair_stapled(pair, 1);
}

static void make_buffered(struct byte_pair *pair)
{
    byte_pair_stapled(pair, 1);
    byte_pair_buffer(pair);
}

static void make_buffered_over_objects(struct byte_pair *pair)
{
    byte_pair_from_objects(pair, 1);
    byte_pair_buffer(pair);
}

static anyc_byte_stream *text_over(anyc_byte_stream *inner, const char *encoding)
{
    const anyc_text_stream_options options = {.encoding = encoding};
    anyc_text_stream *stream = NULL;

    ck_assert_int_eq(anyc_text_stream_create(inner, &options, &stream), 0);
    return &stream->stream;
}

static void make_text(struct byte_pair *pair)
{
    byte_pair_stapled(pair, 1);
    pair->a = text_over(pair->a, NULL);
    pair->b = text_over(pair->b, NULL);
}

static void make_wide_text(struct byte_pair *pair)
{
    byte_pair_unix(pair);
    pair->a = text_over(pair->a, "UTF-16");
    pair->b = text_over(pair->b, "UTF-16");
}

static bool can_tls(void)
{
    return tls_can(ANYC_TLS_1_2);
}

/* Where the end is told as TLS has it, a close waits for the other side's, which one task alone
 * cannot do; tests/unit/streams/test_tls_stream_end.c shows that. */
static void make_tls(struct byte_pair *pair)
{
    tls_pair_wrap(pair, &(struct tls_pair_options){.not_standard_compatible = true});
}

static void make_tls_over_objects(struct byte_pair *pair)
{
    byte_pair_from_objects(pair, 1);
    make_tls(pair);
}

static void make_tls_over_unix(struct byte_pair *pair)
{
    byte_pair_unix(pair);
    make_tls(pair);
}

static void make_tls_over_tls(struct byte_pair *pair)
{
    make_tls_over_objects(pair);
    make_tls(pair);
}

static void make_buffered_tls(struct byte_pair *pair)
{
    make_tls_over_objects(pair);
    byte_pair_buffer(pair);
}

const struct byte_maker byte_makers[] = {
    {.name = "over an object stream", .make = make_from_objects},
    {.name = "stapled", .make = make_stapled},
    {.name = "buffered", .make = make_buffered},
    {.name = "buffered over an object stream", .make = make_buffered_over_objects},
    {.name = "UNIX sockets", .make = byte_pair_unix},
    {.name = "text", .make = make_text},
    {.name = "text in UTF-16 over UNIX sockets", .make = make_wide_text},
    {"TLS over an object stream", make_tls_over_objects, can_tls, .no_send_eof = true},
    {"TLS over UNIX sockets", make_tls_over_unix, can_tls, .no_send_eof = true},
    {"TLS over TLS", make_tls_over_tls, can_tls, .no_send_eof = true},
    {"buffered over TLS", make_buffered_tls, can_tls, .no_send_eof = true},
    {.name = NULL},
};
