/* SPDX-License-Identifier: MIT */
/*
 * test_text_encoding.c - text streams: names of encodings, and encodings with habits of their own.
 * What the system's iconv does not know is skipped.
 */
#include <check.h>

#include <anyc/memory_stream.h>
#include <anyc/testing.h>

#include <stdlib.h>

#include "chunks.h"
#include "support/valgrind.h"
#include "text_help.h"

/* Skip the test where there is no such encoding. */
static void need_encoding(const char *name)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = NULL;

    dummy_bytes_init(&inner, "");
    if (anyc_text_stream_create(&inner.stream, TEXT_OPTIONS(name, STRICT), &stream) == ANYC_EINVAL)
        ANYC_TEST_SKIP("iconv does not know it");
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

static void check_decoded(const char *encoding, const char *data, size_t len, const char *expected)
{
    struct dummy_bytes inner;

    for (size_t step = 0; step < 4; step++)
        text_expect_all(text_of_bytes(&inner, data, len, step, TEXT_OPTIONS(encoding, REPLACE)),
                        expected);
}

static void check_encoded(const char *encoding, const char *text, const char *expected, size_t len)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "", 0, 0, TEXT_OPTIONS(encoding, REPLACE));

    ck_assert_int_eq(text_send_str(stream, text), 0);
    text_expect_sent(&inner, expected, len);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* AnyIO takes Python's names, which iconv writes otherwise. */
ANYC_TEST(test_text_encoding__names_may_have_underscores)
{
    check_encoded("latin_1", "é", "\xE9", 1);
    check_encoded("utf_16_le", "h", "h\0", 2);
    need_encoding("KOI8-R");
    check_encoded("koi8_r", "Я", "\xF1", 1);
    check_decoded("koi8_r", "\xF1", 1, "Я");
    need_encoding("ISO-8859-15");
    check_encoded("iso8859_15", "€", "\xA4", 1);
}

ANYC_TEST(test_text_encoding__names_may_lack_their_dashes)
{
    skip_on_valgrind("glibc's loader reads beyond a string when it loads the library of JIS");
    need_encoding("ISO-2022-JP");
    check_decoded("iso2022_jp", "\x1B$BF|\x1B(B", 8, "日");
    need_encoding("EUC-JP");
    check_decoded("euc_jp", "\xC6\xFC", 2, "日");
}

/* A broken unit is taken out as a whole, what follows stays in step. */
ANYC_TEST(test_text_encoding__broken_units_are_as_long_as_the_others)
{
    need_encoding("UCS-2LE");
    check_decoded("UCS-2LE", "a\0\x00\xD8z\0", 6, "a�z");
}

/* glibc's iconv makes six bytes of it, which are no UTF-8. */
ANYC_TEST(test_text_encoding__more_than_the_last_character_is_broken)
{
    check_decoded("UCS-4LE", "\xFF\xFF\xFF\x7Fz\0\0\0", 8, "�z");
    check_decoded("UCS-4", "\0\x11\0\0\0\0\0z", 8, "�z");
    check_decoded("UTF-32LE", "\0\0\x11\0\0\xD8\0\0z\0\0\0", 12, "��z");
}

/* One text is one run of shifts, however long it is. */
ANYC_TEST(test_text_encoding__a_long_text_shifts_only_once)
{
    enum { COUNT = 5000 };
    struct chunks chunks;
    anyc_text_stream *stream;
    anyc_bytes bytes;
    char *text = malloc(3 * COUNT + 1);

    skip_on_valgrind("glibc's loader reads beyond a string when it loads the library of JIS");
    need_encoding("ISO-2022-JP");
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < COUNT; i++)
        memcpy(text + 3 * i, "日", 4);
    chunks_open(&chunks, 1);
    stream = text_over(chunks_loop(&chunks), TEXT_OPTIONS("ISO-2022-JP", STRICT));
    ck_assert_int_eq(text_send_str(stream, text), 0);
    ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(chunks.receive, &bytes), 0);
    ck_assert_uint_eq(bytes.len, 3 + 2 * COUNT + 3);
    anyc_bytes_deinit(&bytes);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    free(text);
}

/* U+00CA comes out of iconv only when it is known what follows it. */
ANYC_TEST(test_text_encoding__a_character_that_waits_for_the_next_is_not_missing)
{
    need_encoding("BIG5-HKSCS");
    check_encoded("BIG5-HKSCS", "Ê", "\x88\x66", 2);
    check_encoded("BIG5-HKSCS", "aÊ😀Ê", "a\x88\x66?\x88\x66", 6);
    check_decoded("BIG5-HKSCS", "a\x88\x66", 3, "aÊ");
    check_decoded("BIG5-HKSCS", "\x88\x66\xFFz", 4, "Ê�z");
}

/* Among pieces of a text that need no look, one that does. */
ANYC_TEST(test_text_encoding__a_long_text_with_a_hole_is_whole_but_for_it)
{
    enum { LEN = 20000, HOLE = 9001 };
    struct chunks chunks;
    anyc_text_stream *stream;
    anyc_bytes bytes;
    char *text = malloc(LEN + 1);

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < LEN; i++)
        text[i] = (char)('a' + i % 25);
    text[LEN] = '\0';
    memcpy(text + HOLE, "€", 3);
    chunks_open(&chunks, 1);
    stream = text_over(chunks_loop(&chunks), TEXT_OPTIONS("latin-1", BACKSLASHREPLACE));
    ck_assert_int_eq(text_send_str(stream, text), 0);
    ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(chunks.receive, &bytes), 0);
    ck_assert_uint_eq(bytes.len, LEN + 3);
    ck_assert_mem_eq(bytes.data, text, HOLE);
    ck_assert_mem_eq((char *)bytes.data + HOLE, "\\u20ac", 6);
    ck_assert_mem_eq((char *)bytes.data + HOLE + 6, text + HOLE + 3, LEN - HOLE - 3);
    anyc_bytes_deinit(&bytes);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    free(text);
}
