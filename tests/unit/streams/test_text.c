/* SPDX-License-Identifier: MIT */
/*
 * test_text.c - text streams: receiving.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/loop.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <errno.h>

#include "chunks.h"
#include "scarce.h"
#include "text_help.h"

/* ST-030: a character that is cut waits for its rest. */
ANYC_TEST(test_text__a_character_across_two_chunks_is_not_broken)
{
    struct chunks chunks;
    anyc_text_stream *stream = NULL;

    chunks_open(&chunks, 1);
    ck_assert_int_eq(anyc_text_receive_stream_create(chunks_receiver(&chunks), NULL, &stream), 0);
    chunks_put(&chunks, "\xC3\xA5\xC3\xA4\xC3");
    text_expect(stream, "åä");
    chunks_put(&chunks, "\xB6");
    text_expect(stream, "ö");
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

/* ST-R014: no receive gives empty text; and the code of its own. */
ANYC_TEST(test_text__reads_on_until_a_whole_character_is_there)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream =
        text_of_bytes(&inner, "\xF0\x9F\x98\x80\xE2\x82", 6, 1, TEXT_OPTIONS("utf-8", STRICT));

    text_expect(stream, "😀");
    text_expect_error(stream, ANYC_EDECODE);
    text_expect_message("0xe2 0x82 at offset 4");
    text_expect_error(stream, ANYC_EOF);
    text_expect_error(stream, ANYC_EOF);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* The bytes in every encoding, one at a time. */
static void check_encoding(const char *encoding, const char *data, size_t len, const char *expected)
{
    for (size_t step = 0; step < 4; step++) {
        struct dummy_bytes inner;

        text_expect_all(text_of_bytes(&inner, data, len, step, TEXT_OPTIONS(encoding, STRICT)),
                        expected);
    }
}

ANYC_TEST(test_text__encodings_come_out_as_utf8)
{
    check_encoding(NULL, "h\xC3\xA9", 3, "hé");
    check_encoding("Latin-1", "h\xE9\xFF", 3, "héÿ");
    check_encoding("ISO-8859-1", "h\xE9", 2, "hé");
    check_encoding("ascii", "hi", 2, "hi");
    check_encoding("Shift-JIS", "a\x93\xFA\x96\x7B\xB1", 6, "a日本ｱ");
    check_encoding("UTF-16LE", "h\0\xE9\0\x3D\xD8\x00\xDE", 8, "hé😀");
    check_encoding("UTF-16BE", "\0h\0\xE9\xD8\x3D\xDE\x00", 8, "hé😀");
    check_encoding("UTF-32BE", "\0\0\0h\0\1\xF6\0", 8, "h😀");
}

ANYC_TEST(test_text__a_byte_order_mark_tells_the_order)
{
    const uint16_t native[] = {'h', 0xE9};

    check_encoding("UTF-16", "\xFF\xFEh\0\xE9\0", 6, "hé");
    check_encoding("UTF-16", "\xFE\xFF\0h\0\xE9", 6, "hé");
    check_encoding("UTF-16", (const char *)native, 4, "hé");
    check_encoding("UTF-16", "\xFF\xFE", 2, "");
    check_encoding("UTF-16", "\xFF\xFEh\0\xFF\xFE", 6, "h\uFEFF"); /* only the first is one */
    check_encoding("UTF-16LE", "\xFF\xFEh\0", 4, "\uFEFFh");
    check_encoding("UTF-32", "\0\0\xFE\xFF\0\0\0h", 8, "h");
    check_encoding("UTF-32", "\xFF\xFE\0\0h\0\0\0", 8, "h");
    check_encoding("UTF-8-SIG", "\xEF\xBB\xBFh", 4, "h");
    check_encoding("UTF-8-SIG", "h", 1, "h");
    check_encoding("UTF-8", "\xEF\xBB\xBFh", 4, "\uFEFFh");
}

ANYC_TEST(test_text__an_unknown_encoding_is_named)
{
    static const char *const names[] = {"no-such-thing",        "",  "UTF-8//IGNORE",
                                        "ISO-8859-1//TRANSLIT", "-", "_"};
    struct dummy_bytes inner;
    anyc_text_stream *stream = NULL;

    dummy_bytes_init(&inner, "");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_int_eq(
            anyc_text_stream_create(&inner.stream, TEXT_OPTIONS(names[i], STRICT), &stream),
            ANYC_EINVAL);
        text_expect_message(names[i]);
    }
    ck_assert_int_eq(
        anyc_text_stream_create(
            &inner.stream, &(anyc_text_stream_options){.errors = (anyc_text_errors)9}, &stream),
        ANYC_EINVAL);
    ck_assert_ptr_null(stream);
    ck_assert_int_eq(inner.state.closes, 0);
}

/* What each mode makes of the same bytes, however they are cut. */
static void check_modes(const char *encoding, const char *data, size_t len, const char *ignored,
                        const char *replaced, const char *escaped)
{
    struct dummy_bytes inner;

    for (size_t step = 0; step < 3; step++) {
        text_expect_all(text_of_bytes(&inner, data, len, step, TEXT_OPTIONS(encoding, IGNORE)),
                        ignored);
        text_expect_all(text_of_bytes(&inner, data, len, step, TEXT_OPTIONS(encoding, REPLACE)),
                        replaced);
        text_expect_all(
            text_of_bytes(&inner, data, len, step, TEXT_OPTIONS(encoding, BACKSLASHREPLACE)),
            escaped);
    }
}

/* As python3 -c 'print(b"...".decode("...", "replace"))' has it. */
ANYC_TEST(test_text__broken_bytes_are_treated_as_the_mode_says)
{
    check_modes("UTF-8", "a\xE2\x82Z\xFF\xED\xA0\x80", 8, "aZ", "a�Z����",
                "a\\xe2\\x82Z\\xff\\xed\\xa0\\x80");
    check_modes("UTF-8", "a\xF0\x9F\x98", 4, "a", "a�", "a\\xf0\\x9f\\x98");
    check_modes("ascii", "a\x80z", 3, "az", "a�z", "a\\x80z");
    check_modes("Shift-JIS", "a\x81\x20\x93", 4, "a ", "a� �", "a\\x81 \\x93");
    check_modes("UTF-16LE", "\x00\xDCz\0\x00\xD8y\0\x01", 9, "zy", "�z�y�",
                "\\x00\\xdcz\\x00\\xd8y\\x01");
    check_modes("UTF-32LE", "\0\0\x11\0z\0\0\0", 8, "z", "�z", "\\x00\\x00\\x11\\x00z");
}

/* ST-R014; the text before comes first, the stream goes on behind. */
ANYC_TEST(test_text__a_strict_error_takes_out_what_is_broken)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream =
        text_of_bytes(&inner, "ab\xE2\x82z\xFFy", 7, 0, TEXT_OPTIONS(NULL, STRICT));

    text_expect(stream, "ab");
    text_expect_error(stream, ANYC_EDECODE);
    text_expect_message("UTF-8 cannot decode 0xe2 0x82 at offset 2");
    text_expect(stream, "z");
    text_expect_error(stream, ANYC_EDECODE);
    text_expect_message("0xff at offset 5");
    text_expect(stream, "y");
    text_expect_error(stream, ANYC_EOF);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

ANYC_TEST(test_text__a_strict_error_of_iconv_is_no_other)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream =
        text_of_bytes(&inner, "a\x81\x20\x93", 4, 1, TEXT_OPTIONS("shift_jis", STRICT));

    text_expect(stream, "a");
    text_expect_error(stream, ANYC_EDECODE);
    text_expect_message("0x81 at offset 1");
    text_expect(stream, " ");
    text_expect_error(stream, ANYC_EDECODE);
    text_expect_message("0x93 at offset 3");
    text_expect_error(stream, ANYC_EOF);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

ANYC_TEST(test_text__characters_are_cut_only_where_they_must)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "aéz€x", 8, 0, NULL);
    char buf[8];

    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 2), 1); /* é would not fit */
    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 4), 3);
    ck_assert_mem_eq(buf, "éz", 3);
    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 1), 1);
    ck_assert_int_eq(anyc_receive(&stream->stream, buf + 1, 1), 1);
    ck_assert_int_eq(anyc_receive(&stream->stream, buf + 2, 8), 2);
    ck_assert_mem_eq(buf, "€x", 4);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

ANYC_TEST(test_text__in_a_cancelled_scope_nothing_is_taken)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "héllo", 6, 2, NULL);
    anyc_cancel_scope scope;
    char buf[8];

    text_expect(stream, "h");
    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), 0);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 8), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_text_receive_line(stream, buf, 8), ANYC_ECANCELLED);
    ck_assert_int_eq(text_send_str(stream, "x"), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_send_eof(&stream->stream), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    text_expect_sent(&inner, "", 0);
    text_expect_all(stream, "éllo");
}

ANYC_TEST(test_text__a_direction_that_is_not_there_says_so)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = NULL;
    char buf[4];

    dummy_bytes_init(&inner, "abc");
    ck_assert_int_eq(anyc_text_receive_stream_create(&inner.stream, NULL, &stream), 0);
    ck_assert_int_eq(text_send_str(stream, "x"), -ENOTSUP);
    ck_assert_int_eq(anyc_send_eof(&stream->stream), -ENOTSUP);
    text_expect_all(stream, "abc");
    dummy_bytes_init(&inner, "abc");
    ck_assert_int_eq(anyc_text_send_stream_create(&inner.stream, NULL, &stream), 0);
    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 4), -ENOTSUP);
    ck_assert_int_eq(anyc_text_receive_line(stream, buf, 4), -ENOTSUP);
    ck_assert_int_eq(text_send_str(stream, "x"), 0);
    text_expect_sent(&inner, "x", 1);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-R013, ST-R016 */
ANYC_TEST(test_text__closing_and_attributes_go_inward)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "abc", 3, 0, NULL);
    char buf[4];
    int colour = 0;

    inner.state.colour = 5;
    ck_assert_int_eq(anyc_extra(stream, &DUMMY_COLOUR, &colour), 0);
    ck_assert_int_eq(colour, 5);
    ck_assert_int_eq(anyc_extra(stream, &DUMMY_OTHER_COLOUR, &colour), ANYC_EATTRIBUTE);
    ck_assert_int_eq(anyc_extra(stream, &DUMMY_FAILING, &colour), DUMMY_GETTER_ERROR);
    ck_assert_int_eq(anyc_close(stream), 0);
    ck_assert_int_eq(anyc_close(stream), 0);
    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 4), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_text_receive_line(stream, buf, 4), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send(&stream->stream, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send_some(&stream->stream, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send_eof(&stream->stream), ANYC_ECLOSED);
    anyc_aclose_forcefully(stream);
    ck_assert_int_eq(inner.state.destroys, 1);
}

ANYC_TEST(test_text__an_error_of_the_inner_stream_is_passed_on)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "a\xC3", 2, 0, NULL);

    text_expect(stream, "a");
    inner.state.error = ANYC_EBROKEN;
    text_expect_error(stream, ANYC_EBROKEN);
    ck_assert_int_eq(text_send_str(stream, "x"), ANYC_EBROKEN);
    inner.state.error = 0;
    inner.data = "\xA9";
    inner.data_len = 1;
    text_expect_all(stream, "é");
}

/* A stream may grow (ST-R015): its end is asked for again, and is no end of the text's state. */
ANYC_TEST(test_text__goes_on_when_the_stream_has_grown)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream =
        text_of_bytes(&inner, "\xFF\xFEh\0", 4, 0, TEXT_OPTIONS("UTF-16", STRICT));

    text_expect(stream, "h");
    text_expect_error(stream, ANYC_EOF);
    inner.data = "i";
    inner.data_len = 2;
    text_expect_all(stream, "i");
}

/* A receiver with much room takes much at a time, and never more than it has to. */
ANYC_TEST(test_text__asks_for_as_much_as_there_is_room_for)
{
    static char data[300000 + 1];
    static char buf[300000];
    struct dummy_bytes inner;
    anyc_text_stream *stream;
    size_t got = 0;
    ssize_t n;

    memset(data, 'a', sizeof buf);
    stream = text_of_bytes(&inner, data, sizeof buf, 0, NULL);
    while ((n = anyc_receive(&stream->stream, buf + got, sizeof buf - got)) > 0) {
        ck_assert_uint_le(inner.asked, 65536);
        got += (size_t)n;
        if (got == sizeof buf)
            break;
    }
    ck_assert_uint_eq(got, sizeof buf);
    ck_assert_mem_eq(buf, data, sizeof buf);
    ck_assert_int_le(inner.state.calls, 10);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* Zero bytes are characters as others. */
ANYC_TEST(test_text__a_zero_byte_is_a_character)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream =
        text_of_bytes(&inner, "a\0\0\0\0\0b\0", 8, 1, TEXT_OPTIONS("UTF-16LE", STRICT));
    char buf[8];

    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(anyc_receive(&stream->stream, buf + i, 8 - i), 1);
    ck_assert_mem_eq(buf, "a\0\0b", 4);
    ck_assert_int_eq(anyc_send(&stream->stream, "x\0y", 3), 0);
    text_expect_sent(&inner, "x\0\0\0y\0", 6);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* The end within a mark, a unit, a pair, an escape: an error each, and then the end. */
ANYC_TEST(test_text__the_end_within_anything_is_an_error)
{
    static const struct {
        const char *encoding;
        const char *data;
        size_t len;
        const char *bytes;
    } ends[] = {
        {"UTF-8", "\xF0\x9F\x98", 3, "0xf0 0x9f 0x98 at offset 0"},
        {"UTF-8-SIG", "\xEF\xBB", 2, "0xef 0xbb at offset 0"},
        {"UTF-16", "\xFF", 1, "0xff at offset 0"},
        {"UTF-16LE", "\x3D\xD8", 2, "0x3d 0xd8 at offset 0"},
        {"UTF-16BE", "\xD8\x3D\xDE", 3, "0xd8 0x3d 0xde at offset 0"},
        {"UTF-32", "\xFF\xFE\0", 3, "0xff 0xfe 0x00 at offset 0"},
        {"Shift-JIS", "\x93", 1, "0x93 at offset 0"},
    };

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        for (size_t step = 0; step < 2; step++) {
            const anyc_text_stream_options options = {.encoding = ends[i].encoding};
            struct dummy_bytes inner;
            anyc_text_stream *stream =
                text_of_bytes(&inner, ends[i].data, ends[i].len, step, &options);

            text_expect_error(stream, ANYC_EDECODE);
            text_expect_message(ends[i].bytes);
            text_expect_message("ends within a character");
            text_expect_error(stream, ANYC_EOF);
            ck_assert_int_eq(anyc_aclose(stream), 0);
        }
    }
}

static int use_without_memory(void *arg)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = NULL;

    (void)arg;
    dummy_bytes_init(&inner, "h\xE9llo\n");
    for (int n = 0; n < 1; n++) {
        scarce_allow(n);
        ck_assert_int_eq(
            anyc_text_stream_create(&inner.stream, TEXT_OPTIONS("latin-1", REPLACE), &stream),
            ANYC_ENOMEM);
    }
    scarce_allow(SCARCE_PLENTY);
    stream = text_over(&inner.stream, TEXT_OPTIONS("latin-1", REPLACE));
    for (int n = 0; n < 2; n++) { /* room for bytes, and for text */
        scarce_allow(n);
        text_expect_error(stream, ANYC_ENOMEM);
    }
    scarce_allow(SCARCE_PLENTY);
    text_expect(stream, "héllo\n");
    for (int n = 0; n < 2; n++) { /* to encode, and to replace a character */
        scarce_allow(n);
        ck_assert_int_eq(text_send_str(stream, "h€é"), ANYC_ENOMEM);
        text_expect_sent(&inner, "", 0);
    }
    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(text_send_str(stream, "h€é"), 0);
    text_expect_sent(&inner, "h?\xE9", 3);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    return 0;
}

/* Again and again, with one block more each time. */
static ssize_t receive_at_last(anyc_text_stream *stream, void *buf, size_t size, bool line)
{
    ssize_t rc = ANYC_ENOMEM;

    for (int n = 0; rc == ANYC_ENOMEM; n++) {
        scarce_allow(n);
        rc = line ? anyc_text_receive_line(stream, buf, size)
                  : anyc_receive(&stream->stream, buf, size);
    }
    scarce_allow(SCARCE_PLENTY);
    return rc;
}

static void send_at_last(anyc_text_stream *stream, const char *text)
{
    int rc = ANYC_ENOMEM;

    for (int n = 0; rc == ANYC_ENOMEM; n++) {
        scarce_allow(n);
        rc = text == NULL ? anyc_send_eof(&stream->stream) : text_send_str(stream, text);
    }
    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(rc, text == NULL ? -ENOTSUP : 0); /* the dummy's answer to an end */
}

/* A mark that turns the order, broken units, a cut character at the end. */
static int use_with_little_memory(void *arg)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream;
    char buf[64];

    (void)arg;
    dummy_bytes_init(&inner, "\xFE\xFF\xD8\0\0\xE9\0\n\xD8\0\0x\0");
    inner.data_len = 13;
    inner.step = 3;
    stream = text_over(&inner.stream, TEXT_OPTIONS("UTF-16", BACKSLASHREPLACE));
    ck_assert_int_eq(receive_at_last(stream, buf, sizeof buf, true), 11);
    ck_assert_mem_eq(buf, "\\xd8\\x00é\n", 11);
    ck_assert_int_eq(receive_at_last(stream, buf, 64, true), 13);
    ck_assert_mem_eq(buf, "\\xd8\\x00x\\x00", 13);
    ck_assert_int_eq(receive_at_last(stream, buf, 64, false), ANYC_EOF);
    ck_assert_int_eq(anyc_aclose(stream), 0);

    dummy_bytes_init(&inner, "");
    stream = text_over(&inner.stream, TEXT_OPTIONS("ascii", BACKSLASHREPLACE));
    send_at_last(stream, "a\xE2");
    send_at_last(stream, "\x82\xAC\xFF");
    send_at_last(stream, "\xE2\x82");
    send_at_last(stream, NULL);
    text_expect_sent(&inner, "a\\u20ac\\xff\\xe2\\x82", 19);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    return 0;
}

ANYC_TEST_PLAIN(test_text__each_block_of_memory_may_be_the_last)
{
    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(anyc_run(use_with_little_memory, anyc_testing_backend()), 0);
    ck_assert_int_eq(scarce_live(), 0);
}

ANYC_TEST_PLAIN(test_text__without_memory_nothing_is_lost)
{
    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(anyc_run(use_without_memory, anyc_testing_backend()), 0);
    ck_assert_int_eq(scarce_live(), 0);
}
