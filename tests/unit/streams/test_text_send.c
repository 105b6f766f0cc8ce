/* SPDX-License-Identifier: MIT */
/*
 * test_text_send.c - text streams: sending.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "chunks.h"
#include "support/byte_pair.h"
#include "support/valgrind.h"
#include "text_help.h"

/* All at once, and byte by byte. */
static void check_sent(const char *encoding, anyc_text_errors errors, const char *text,
                       const char *expected, size_t len)
{
    const anyc_text_stream_options options = {.encoding = encoding, .errors = errors};
    struct dummy_bytes inner;
    anyc_text_stream *stream;

    for (size_t step = 1; step <= 64; step += 63) {
        size_t len_left = strlen(text);
        size_t n;

        stream = text_of_bytes(&inner, "", 0, 0, &options);
        for (const char *at = text; len_left > 0; at += n, len_left -= n) {
            n = len_left < step ? len_left : step;
            ck_assert_int_eq(anyc_send(&stream->stream, at, n), 0);
        }
        text_expect_sent(&inner, expected, len);
        ck_assert_int_eq(anyc_aclose(stream), 0);
    }
}

ANYC_TEST(test_text_send__utf8_goes_out_in_the_encoding)
{
    check_sent(NULL, ANYC_TEXT_STRICT, "h€", "h\xE2\x82\xAC", 4);
    check_sent("latin-1", ANYC_TEXT_STRICT, "héÿ", "h\xE9\xFF", 3);
    check_sent("Shift-JIS", ANYC_TEXT_STRICT, "a日本", "a\x93\xFA\x96\x7B", 5);
    check_sent("UTF-16LE", ANYC_TEXT_STRICT, "h😀", "h\0\x3D\xD8\x00\xDE", 6);
    check_sent("UTF-16BE", ANYC_TEXT_STRICT, "h😀", "\0h\xD8\x3D\xDE\x00", 6);
    check_sent("UTF-32BE", ANYC_TEXT_STRICT, "😀", "\0\1\xF6\0", 4);
}

/* Once, at the beginning; in this computer's order. */
ANYC_TEST(test_text_send__a_byte_order_mark_goes_first)
{
    const uint16_t utf16[] = {0xFEFF, 'h', 'i'};
    const uint32_t utf32[] = {0xFEFF, 'h'};

    check_sent("UTF-16", ANYC_TEXT_STRICT, "hi", (const char *)utf16, sizeof utf16);
    check_sent("UTF-32", ANYC_TEXT_STRICT, "h", (const char *)utf32, sizeof utf32);
    check_sent("UTF-8-SIG", ANYC_TEXT_STRICT, "hi", "\xEF\xBB\xBFhi", 5);
}

/* As python3 -c '"...".encode("...", "replace")' has it. */
ANYC_TEST(test_text_send__what_the_encoding_lacks_is_treated_as_the_mode_says)
{
    check_sent("latin-1", ANYC_TEXT_IGNORE, "a€é😀z", "a\xE9z", 3);
    check_sent("latin-1", ANYC_TEXT_REPLACE, "a€é😀z", "a?\xE9?z", 5);
    check_sent("latin-1", ANYC_TEXT_BACKSLASHREPLACE, "a€é😀z", "a\\u20ac\xE9\\U0001f600z", 19);
    check_sent("ascii", ANYC_TEXT_BACKSLASHREPLACE, "é", "\\xe9", 4);
    check_sent("UTF-8", ANYC_TEXT_IGNORE, "a\xFFz", "az", 2);
    check_sent("UTF-8", ANYC_TEXT_REPLACE, "a\xE2\x82z\xFF", "a?z?", 4);
    check_sent("UTF-16LE", ANYC_TEXT_BACKSLASHREPLACE, "\xFF", "\\\0x\0f\0f\0", 8);
}

/* Tag characters, which glibc's iconv leaves out without a word. */
ANYC_TEST(test_text_send__nothing_is_left_out_in_silence)
{
    check_sent("latin-1", ANYC_TEXT_REPLACE, "a\xF3\xA0\x80\x81z", "a?z", 3);
    check_sent("latin-1", ANYC_TEXT_IGNORE, "a\xF3\xA0\x80\x81z", "az", 2);
    check_sent("UTF-16BE", ANYC_TEXT_STRICT, "\xF3\xA0\x80\x81", "\xDB\x40\xDC\x01", 4);
}

/* An encoding with shift states: each text stands for itself, and comes back as it was. */
ANYC_TEST(test_text_send__shift_states_begin_anew_with_each_text)
{
    const anyc_text_stream_options options = {"ISO-2022-JP", ANYC_TEXT_BACKSLASHREPLACE};
    struct dummy_bytes inner;
    struct dummy_bytes back;
    anyc_text_stream *stream = NULL;

    skip_on_valgrind("glibc's loader reads beyond a string when it loads the library of JIS");
    dummy_bytes_init(&inner, "");
    if (anyc_text_stream_create(&inner.stream, &options, &stream) == ANYC_EINVAL)
        ANYC_TEST_SKIP("iconv does not know ISO-2022-JP");
    ck_assert_int_eq(text_send_str(stream, "日"), 0);
    ck_assert_int_eq(text_send_str(stream, "a"), 0);
    ck_assert_int_eq(text_send_str(stream, "😀本"), 0);
    for (size_t step = 1; step < 4; step++)
        text_expect_all(text_of_bytes(&back, inner.sent, inner.sent_len, step, &options),
                        "日a\\U0001f600本");
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* A strict error sends nothing of its text; the next text goes on as if it had not been. */
ANYC_TEST(test_text_send__a_strict_error_sends_nothing_of_its_text)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "", 0, 0, TEXT_OPTIONS("latin-1", STRICT));

    ck_assert_int_eq(text_send_str(stream, "é"), 0);
    ck_assert_int_eq(text_send_str(stream, "ab€"), ANYC_EENCODE);
    text_expect_message("ISO-8859-1 cannot encode U+20AC (0xe2 0x82 0xac) at offset 4");
    ck_assert_int_eq(text_send_str(stream, "ab\xFF"), ANYC_EENCODE);
    text_expect_message("not UTF-8: 0xff at offset 4");
    ck_assert_int_eq(anyc_send_some(&stream->stream, "€", 3), ANYC_EENCODE);
    ck_assert_int_eq(text_send_str(stream, "z"), 0);
    text_expect_sent(&inner, "\xE9z", 2);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* A character that was begun and is not ended: told by the next text, the end, or the close. */
ANYC_TEST(test_text_send__a_character_that_is_not_ended_is_an_error)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "", 0, 0, TEXT_OPTIONS("latin-1", STRICT));

    ck_assert_int_eq(text_send_str(stream, "a\xC3"), 0);
    ck_assert_int_eq(text_send_str(stream, "b"), ANYC_EENCODE);
    text_expect_message("0xc3 at offset 1");
    ck_assert_int_eq(text_send_str(stream, "b\xC3"), 0);
    text_expect_sent(&inner, "ab", 2);
    ck_assert_int_eq(anyc_send_eof(&stream->stream), ANYC_EENCODE);
    ck_assert_int_eq(anyc_send_eof(&stream->stream), -ENOTSUP); /* the dummy's answer */
    ck_assert_int_eq(text_send_str(stream, "\xC3"), 0);
    ck_assert_int_eq(anyc_close(stream), ANYC_EENCODE);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(inner.state.destroys, 1);
}

ANYC_TEST(test_text_send__the_end_replaces_a_character_that_is_not_ended)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream =
        text_of_bytes(&inner, "", 0, 0, TEXT_OPTIONS("ascii", BACKSLASHREPLACE));

    ck_assert_int_eq(text_send_str(stream, "a\xE2"), 0);
    ck_assert_int_eq(text_send_str(stream, "\x82"), 0);
    ck_assert_int_eq(anyc_send_eof(&stream->stream), -ENOTSUP); /* the dummy's answer */
    text_expect_sent(&inner, "a\\xe2\\x82", 9);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* A send that was cancelled at its start was not made: neither the mark nor the cut is lost. */
ANYC_TEST(test_text_send__a_send_that_failed_can_be_made_again)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "", 0, 0, TEXT_OPTIONS("UTF-8-SIG", STRICT));

    inner.state.error = ANYC_ECANCELLED;
    ck_assert_int_eq(text_send_str(stream, "a"), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_send_some(&stream->stream, "a", 1), ANYC_ECANCELLED);
    inner.state.error = 0;
    ck_assert_int_eq(text_send_str(stream, "a\xC3"), 0);
    inner.state.error = ANYC_ECANCELLED;
    ck_assert_int_eq(text_send_str(stream, "\xA9"), ANYC_ECANCELLED);
    inner.state.error = 0;
    ck_assert_int_eq(text_send_str(stream, "\xA9"), 0);
    text_expect_sent(&inner,
                     "\xEF\xBB\xBF"
                     "aé",
                     6);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

ANYC_TEST(test_text_send__pieces_and_parts_go_out_in_order)
{
    const struct iovec pieces[] = {{"a\xC3", 2},
                                   {"", 0},
                                   {"\xA9"
                                    "b",
                                    2}};
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "", 0, 0, TEXT_OPTIONS("latin-1", STRICT));

    ck_assert_int_eq(anyc_sendv(&stream->stream, pieces, 3), 0);
    ck_assert_int_eq(anyc_send_some(&stream->stream, "c\xC3", 2), 2);
    ck_assert_int_eq(anyc_send_some(&stream->stream, "\xA9", 1), 1);
    ck_assert_int_eq(anyc_send(&stream->stream, NULL, 0), 0);
    text_expect_sent(&inner,
                     "a\xE9"
                     "bc\xE9",
                     5);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

ANYC_TEST(test_text_send__pieces_with_an_error_in_them_are_not_sent)
{
    const struct iovec pieces[] = {{"a", 1}, {"b\xC3", 2}, {"c", 1}};
    const struct iovec begun[] = {{"\xC3", 1}, {"c", 1}};
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "", 0, 0, TEXT_OPTIONS("latin-1", STRICT));

    ck_assert_int_eq(anyc_sendv(&stream->stream, pieces, 3), ANYC_EENCODE);
    text_expect_message("0xc3 at offset 2");
    ck_assert_int_eq(anyc_sendv(&stream->stream, begun, 2), ANYC_EENCODE);
    text_expect_message("0xc3 at offset 0");
    ck_assert_int_eq(anyc_sendv(&stream->stream, pieces, 2), 0);
    ck_assert_int_eq(text_send_str(stream, "\xA9"), 0);
    text_expect_sent(&inner, "ab\xE9", 3);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

struct job {
    anyc_text_stream *stream;
    ssize_t rc;
};

static int send_for_ever(void *arg)
{
    struct job *job = arg;

    for (job->rc = 0; job->rc >= 0;)
        job->rc = text_send_str(job->stream, "hello");
    return 0;
}

static void start_sending(struct job *job, struct chunks *chunks, anyc_task_group *group)
{
    chunks_open(chunks, 1);
    job->stream = text_over(chunks_loop(chunks), TEXT_OPTIONS("latin-1", STRICT));
    ck_assert_int_eq(anyc_task_group_enter(group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(group, send_for_ever, job, NULL), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
}

ANYC_TEST(test_text_send__a_second_sender_is_refused_a_receiver_is_not)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct chunks chunks;
    struct job job = {0};

    start_sending(&job, &chunks, &group);
    ck_assert_int_eq(text_send_str(job.stream, "x"), ANYC_EBUSY);
    ck_assert_int_eq(anyc_send_some(&job.stream->stream, "x", 1), ANYC_EBUSY);
    ck_assert_int_eq(anyc_send_eof(&job.stream->stream), ANYC_EBUSY);
    text_expect(job.stream, "hello");
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_aclose(job.stream), 0);
}

ANYC_TEST(test_text_send__can_be_freed_while_a_task_waits_in_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct chunks chunks;
    struct job job = {0};

    start_sending(&job, &chunks, &group);
    ck_assert_int_eq(anyc_aclose(job.stream), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECLOSED);
}

/* Counts in `rc` what send_some took until it was cancelled. */
static int send_parts_for_ever(void *arg)
{
    static const char text[] = "日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語";
    const size_t len = sizeof text - 1;
    struct job *job = arg;
    ssize_t n = 0;

    for (job->rc = 0; n >= 0; job->rc += n > 0 ? n : 0)
        n = anyc_send_some(&job->stream->stream, text + (size_t)job->rc % len,
                           len - (size_t)job->rc % len);
    ck_assert_int_eq(n, ANYC_ECANCELLED);
    return 0;
}

/* What a part that was cut short left behind goes out before the next text. */
ANYC_TEST(test_text_send__what_send_some_took_arrives_whatever_comes_between)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct byte_pair pair;
    anyc_text_stream *in;
    struct job job = {0};
    struct job later = {0};
    char buf[3];

    byte_pair_unix_narrow(&pair);
    job.stream = text_over(pair.a, TEXT_OPTIONS("UTF-16", STRICT));
    later.stream = job.stream;
    in = text_over(pair.b, TEXT_OPTIONS("UTF-16", STRICT));
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, send_parts_for_ever, &job, NULL), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_gt(job.rc, 0);
    group = (anyc_task_group)ANYC_TASK_GROUP_INIT;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    for (ssize_t i = 0; i < job.rc; i += 3) {
        if (i == 30) /* there is room again */
            ck_assert_int_eq(anyc_task_group_start_soon(&group, send_for_ever, &later, NULL), 0);
        ck_assert_int_eq(anyc_receive(&in->stream, buf, 3), 3);
        ck_assert_mem_eq(buf, i % 9 == 0 ? "日" : i % 9 == 3 ? "本" : "語", 3);
    }
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(anyc_aclose(job.stream), 0);
    ck_assert_int_eq(anyc_aclose(in), 0);
}
