/* SPDX-License-Identifier: MIT */
/*
 * test_buffered.c - receive exactly so many bytes, or up to a delimiter.
 */
#include <check.h>

#include <anyc/buffered_stream.h>
#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/testing.h>

#include <stdlib.h>
#include <string.h>

#include "buffered_help.h"
#include "chunks.h"
#include "dummy_stream.h"
#include "scarce.h"

/* ST-016; what came is still there. */
ANYC_TEST(test_buffered__receive_exactly_tells_an_early_end)
{
    struct chunks chunks;
    anyc_buffered_stream *stream;
    char buf[8];

    chunks_open(&chunks, 1);
    stream = buffer(chunks_receiver(&chunks));
    chunks_put(&chunks, "abcd");
    ck_assert_int_eq(anyc_close(chunks.send), 0);
    ck_assert_int_eq(anyc_buffered_receive_exactly(stream, buf, 8), ANYC_EINCOMPLETE);
    expect_buffer(stream, "abcd");
    expect_exactly(stream, "abcd");
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

/* AnyIO: test_receive_exactly, test_receive_until_incomplete */
ANYC_TEST(test_buffered__receive_exactly_joins_chunks)
{
    struct chunks chunks;
    anyc_buffered_stream *stream;

    chunks_open(&chunks, 3);
    stream = buffer(chunks_receiver(&chunks));
    chunks_put(&chunks, "abcd");
    chunks_put(&chunks, "efgh");
    chunks_put(&chunks, "ijkl");
    expect_exactly(stream, "abcdefgh");
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
    ck_assert_int_eq(receive_until(stream, "lm", 10), ANYC_EINCOMPLETE);
    expect_buffer(stream, "ijkl");
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-017, ST-R022: the delimiter goes, but is not returned. */
ANYC_TEST(test_buffered__receive_until_finds_a_delimiter_across_chunks)
{
    struct chunks chunks;
    anyc_buffered_stream *stream;

    chunks_open(&chunks, 2);
    stream = buffer(chunks_receiver(&chunks));
    chunks_put(&chunks, "abcd");
    chunks_put(&chunks, "efgh");
    expect_until(stream, "de", 10, "abc");
    expect_until(stream, "h", 10, "fg");
    expect_buffer(stream, "");
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

/* ST-018 */
ANYC_TEST(test_buffered__works_both_ways_over_a_stapled_stream)
{
    struct chunks chunks;
    anyc_buffered_stream *stream;
    anyc_bytes bytes;

    chunks_open(&chunks, 1);
    stream = buffer(chunks_loop(&chunks));
    ck_assert_int_eq(anyc_send(&stream->stream, "abcd", 4), 0);
    expect_exactly(stream, "ab");
    expect_exactly(stream, "cd");

    ck_assert_int_eq(anyc_send_eof(&stream->stream), 0);
    ck_assert_int_eq(anyc_bytes_init(&bytes, "abc", 3), 0);
    ck_assert_int_eq(anyc_memory_send_stream_send_nowait(chunks.send, &bytes), ANYC_ECLOSED);
    anyc_bytes_deinit(&bytes);
    ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(chunks.receive, &bytes), ANYC_EOF);

    ck_assert_int_eq(anyc_close(stream), 0);
    ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(chunks.receive, &bytes),
                     ANYC_ECLOSED);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-020 */
ANYC_TEST(test_buffered__data_that_was_fed_comes_first)
{
    struct chunks chunks;
    anyc_buffered_stream *stream;

    chunks_open(&chunks, 1);
    stream = buffer(chunks_loop(&chunks));
    chunks_put(&chunks, "abcd");
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "xxx", 3), 0);
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "foo", 3), 0);
    ck_assert_int_eq(anyc_buffered_feed_data(stream, NULL, 0), 0);
    expect_exactly(stream, "xxxfooabcd");
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-R008: over an object stream the surplus of a chunk is in the buffer, before what is fed. */
ANYC_TEST(test_buffered__the_rest_of_a_chunk_goes_into_the_buffer)
{
    struct chunks chunks;
    anyc_buffered_stream *stream;

    chunks_open(&chunks, 2);
    stream = buffer(chunks_receiver(&chunks));
    chunks_put(&chunks, "abcd");
    chunks_put(&chunks, "efgh");
    expect(stream, 1, "a");
    expect_buffer(stream, "bcd");
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "x", 1), 0);
    expect(stream, 64, "bcdx");
    expect(stream, 64, "efgh");
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

/* ST-R008: one receive never mixes the buffer with fresh bytes, and asks for no more than that. */
ANYC_TEST(test_buffered__receive_serves_the_buffer_alone)
{
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;

    dummy_bytes_init(&inner, "hello");
    stream = buffer(&inner.stream);
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "ab", 2), 0);
    expect(stream, 64, "ab");
    ck_assert_int_eq(inner.state.calls, 0);
    expect(stream, 3, "hel");
    ck_assert_uint_eq(inner.asked, 3);
    expect_buffer(stream, "");
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-R008 */
ANYC_TEST(test_buffered__receive_exactly_asks_only_for_what_is_missing)
{
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;

    dummy_bytes_init(&inner, "hello, world");
    inner.step = 2;
    stream = buffer(&inner.stream);
    expect_exactly(stream, "hello");
    ck_assert_uint_eq(inner.asked, 1);
    ck_assert_int_eq(inner.state.calls, 3);
    ck_assert_int_eq(anyc_buffered_receive_exactly(stream, NULL, 0), 0);
    ck_assert_int_eq(inner.state.calls, 3);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-R009 */
ANYC_TEST(test_buffered__the_limit_counts_only_without_the_delimiter)
{
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;

    dummy_bytes_init(&inner, "");
    stream = buffer(&inner.stream);
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "abcdef;ghij", 11), 0);
    expect_until(stream, ";", 2, "abcdef");
    ck_assert_int_eq(receive_until(stream, ";", 4), ANYC_EDELIMITER);
    ck_assert_int_eq(receive_until(stream, ";", 3), ANYC_EDELIMITER);
    ck_assert_int_eq(inner.state.calls, 0);
    ck_assert_int_eq(receive_until(stream, ";", 5), ANYC_EINCOMPLETE);
    expect_buffer(stream, "ghij");
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-R009: an error takes nothing. */
ANYC_TEST(test_buffered__a_result_without_room_stays_in_the_buffer)
{
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;
    char buf[6] = "";

    dummy_bytes_init(&inner, "abcdef;");
    stream = buffer(&inner.stream);
    ck_assert_int_eq(anyc_buffered_receive_until(stream, ";", 1, 10, buf, 5), -ENOBUFS);
    ck_assert_str_eq(buf, "");
    expect_buffer(stream, "abcdef;");
    ck_assert_int_eq(anyc_buffered_receive_until(stream, ";", 1, 10, buf, 6), 6);
    ck_assert_mem_eq(buf, "abcdef", 6);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-R009: one byte at a time, with a delimiter that begins again and again. */
ANYC_TEST(test_buffered__the_search_goes_on_where_a_delimiter_may_begin)
{
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;

    dummy_bytes_init(&inner, "aaaaab--a-aaaaab-");
    inner.step = 1;
    stream = buffer(&inner.stream);
    expect_until(stream, "aab", 64, "aaa");
    expect_until(stream, "-a-", 64, "-");
    expect_until(stream, "aaaaab-", 64, "");
    expect_buffer(stream, "");
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-R009: a long search over single bytes; it would not end if each began at the front. */
ANYC_TEST_WITH(test_buffered__a_long_search_takes_time_in_proportion, .timeout = 60)
{
    enum { TOTAL = 2 << 20 };
    char *text = malloc(TOTAL + 1);
    char *found = malloc(TOTAL);
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;

    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(found);
    memset(text, 'a', TOTAL);
    memcpy(text + TOTAL - 4, "aab;", 5);
    dummy_bytes_init(&inner, text);
    inner.step = 1;
    stream = buffer(&inner.stream);
    ck_assert_int_eq(anyc_buffered_receive_until(stream, "aab;", 4, TOTAL, found, TOTAL),
                     TOTAL - 4);
    ck_assert_mem_eq(found, text, TOTAL - 4);
    expect_buffer(stream, "");
    ck_assert_int_eq(anyc_aclose(stream), 0);
    free(found);
    free(text);
}

/* ST-R009: the limit is reached exactly, with and without the delimiter as its last byte; delimiters
 * may have zero bytes in them. */
ANYC_TEST(test_buffered__the_limit_may_be_reached_exactly)
{
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;
    char buf[8];

    dummy_bytes_init(&inner, "ab\0\0abcd");
    inner.data_len = 8;
    inner.step = 1;
    stream = buffer(&inner.stream);
    ck_assert_int_eq(anyc_buffered_receive_until(stream, "\0\0", 2, 4, buf, 8), 2);
    ck_assert_mem_eq(buf, "ab", 2);
    ck_assert_int_eq(anyc_buffered_receive_until(stream, "d", 1, 3, buf, 8), ANYC_EDELIMITER);
    expect_buffer(stream, "abc");
    ck_assert_int_eq(anyc_buffered_receive_until(stream, "d", 1, 4, buf, 8), 3);
    ck_assert_int_eq(anyc_buffered_receive_until(stream, "d", 1, 0, buf, 8), ANYC_EDELIMITER);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* The end is asked for again: a stream may grow, and what came before is still there. */
ANYC_TEST(test_buffered__goes_on_when_the_stream_has_grown)
{
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;
    char buf[8];

    dummy_bytes_init(&inner, "ab");
    stream = buffer(&inner.stream);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(anyc_buffered_receive_exactly(stream, buf, 4), ANYC_EINCOMPLETE);
        ck_assert_int_eq(receive_until(stream, ";", 4), ANYC_EINCOMPLETE);
    }
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "c", 1), 0);
    inner.data = "d;";
    inner.data_len = 2;
    expect_until(stream, ";", 8, "abcd");
    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 8), ANYC_EOF);
    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 8), ANYC_EOF);
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "e", 1), 0);
    expect(stream, 8, "e");
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* AnyIO: `buffer` of a closed stream. */
ANYC_TEST(test_buffered__the_buffer_can_be_looked_at_after_closing)
{
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;

    dummy_bytes_init(&inner, "");
    stream = buffer(&inner.stream);
    expect_buffer(stream, "");
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "abc", 3), 0);
    expect(stream, 1, "a");
    ck_assert_int_eq(anyc_close(stream), 0);
    expect_buffer(stream, "bc");
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-R009, ST-R011: arguments first, even when the stream is closed. */
ANYC_TEST(test_buffered__arguments_are_checked_first)
{
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;
    char buf[4];

    dummy_bytes_init(&inner, "abc");
    stream = buffer(&inner.stream);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(receive_until(stream, "", 10), ANYC_EINVAL);
        ck_assert_int_eq(anyc_receive(&stream->stream, buf, 0), ANYC_EINVAL);
        ck_assert_int_eq(anyc_close(stream), 0);
    }
    ck_assert_int_eq(inner.state.calls, 0);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-R010 */
ANYC_TEST(test_buffered__a_closed_stream_is_told_by_every_call)
{
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;
    char buf[4];

    dummy_bytes_init(&inner, "abc");
    stream = buffer(&inner.stream);
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "ab;c", 4), 0);
    ck_assert_int_eq(anyc_close(stream), 0);
    ck_assert_int_eq(anyc_close(stream), 0);
    ck_assert_int_eq(anyc_buffered_receive_exactly(stream, buf, 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_buffered_receive_exactly(stream, buf, 0), ANYC_ECLOSED);
    ck_assert_int_eq(receive_until(stream, ";", 4), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 4), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send(&stream->stream, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "x", 1), ANYC_ECLOSED);
    ck_assert(inner.state.closed);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(inner.state.destroys, 1);
}

ANYC_TEST(test_buffered__passes_on_what_is_not_its_own)
{
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;
    const struct iovec pieces[] = {{"cd", 2}, {"ef", 2}};
    int colour = 0;

    dummy_bytes_init(&inner, "");
    inner.state.colour = 3;
    stream = buffer(&inner.stream);
    ck_assert_int_eq(anyc_send(&stream->stream, "ab", 2), 0);
    ck_assert_int_eq(anyc_sendv(&stream->stream, pieces, 2), 0);
    ck_assert_uint_eq(inner.sent_len, 6);
    ck_assert_mem_eq(inner.sent, "abcdef", 6);
    ck_assert_int_eq(anyc_send_eof(&stream->stream), -ENOTSUP);
    ck_assert_int_eq(anyc_extra(stream, &DUMMY_COLOUR, &colour), 0);
    ck_assert_int_eq(colour, 3);
    ck_assert_int_eq(anyc_extra(stream, &DUMMY_OTHER_COLOUR, &colour), ANYC_EATTRIBUTE);
    ck_assert_int_eq(anyc_extra(stream, &DUMMY_FAILING, &colour), DUMMY_GETTER_ERROR);
    anyc_aclose_forcefully(stream);
    ck_assert(inner.state.forcefully);
}

ANYC_TEST(test_buffered__an_error_of_the_inner_stream_is_passed_on)
{
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;
    char buf[8];

    dummy_bytes_init(&inner, "abc");
    inner.state.error = ANYC_EBROKEN;
    stream = buffer(&inner.stream);
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "xy", 2), 0);
    ck_assert_int_eq(anyc_buffered_receive_exactly(stream, buf, 3), ANYC_EBROKEN);
    ck_assert_int_eq(receive_until(stream, ";", 8), ANYC_EBROKEN);
    expect(stream, 8, "xy");
    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 8), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* A megabyte that comes in odd pieces and is taken in others; compared with what was sent. */
ANYC_TEST(test_buffered__long_streams_stay_in_order)
{
    enum { TOTAL = 1 << 20 };
    char *text = malloc(TOTAL + 1);
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;
    char buf[1000];
    size_t at = 0;
    size_t n;

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < TOTAL; i++)
        text[i] = (char)('a' + i * i % 23);
    text[TOTAL] = '\0';
    dummy_bytes_init(&inner, text);
    inner.step = 777;
    stream = buffer(&inner.stream);
    for (size_t i = 0; at < TOTAL; i++) {
        n = 1 + i * 37 % sizeof buf;
        if (n > TOTAL - at)
            n = TOTAL - at;
        if (i % 3 == 0)
            n = (size_t)anyc_receive(&stream->stream, buf, n);
        else
            ck_assert_int_eq(anyc_buffered_receive_exactly(stream, buf, n), 0);
        ck_assert_mem_eq(buf, text + at, n);
        at += n;
    }
    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 1), ANYC_EOF);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    free(text);
}

static int receive_without_memory(void *arg)
{
    struct chunks chunks;
    anyc_buffered_stream *stream = NULL;
    anyc_byte_stream *inner;
    char buf[8];

    (void)arg;
    chunks_open(&chunks, 2);
    chunks_put(&chunks, "abcd");
    inner = chunks_receiver(&chunks);
    scarce_allow(0);
    ck_assert_int_eq(anyc_buffered_stream_create(inner, &stream), ANYC_ENOMEM);
    ck_assert_ptr_null(stream);
    scarce_allow(SCARCE_PLENTY);
    stream = buffer(inner);
    scarce_allow(0);
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "x", 1), ANYC_ENOMEM);
    ck_assert_int_eq(anyc_buffered_receive_exactly(stream, buf, 4), ANYC_ENOMEM);
    ck_assert_int_eq(receive_until(stream, "c", 4), ANYC_ENOMEM);
    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 2), ANYC_ENOMEM);
    scarce_allow(SCARCE_PLENTY);
    expect_exactly(stream, "abcd");
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
    return 0;
}

ANYC_TEST_PLAIN(test_buffered__without_memory_nothing_is_lost)
{
    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(anyc_run(receive_without_memory, anyc_testing_backend()), 0);
}
