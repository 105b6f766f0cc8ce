/* SPDX-License-Identifier: MIT */
/*
 * test_text_line.c - lines of a text stream. AnyIO: AsyncFile.readline.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "chunks.h"
#include "text_help.h"

static void expect_line(anyc_text_stream *stream, size_t max_bytes, const char *expected)
{
    char buf[64];
    ssize_t n = anyc_text_receive_line(stream, buf, max_bytes);

    ck_assert_int_eq(n, (ssize_t)strlen(expected));
    ck_assert_mem_eq(buf, expected, strlen(expected));
}

static void expect_no_line(anyc_text_stream *stream, size_t max_bytes, int code)
{
    char buf[64] = "xyz";

    ck_assert_int_eq(anyc_text_receive_line(stream, buf, max_bytes), code);
    ck_assert_str_eq(buf, "xyz");
}

/* However the bytes come: ends are kept, CR is no end by itself, the last line may have none. */
ANYC_TEST(test_text_line__keeps_the_ends_as_they_are)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream;

    for (size_t step = 0; step < 5; step++) {
        stream = text_of_bytes(&inner, "one\r\n\ntwo\rhalf\nthr\xC3\xA9", 20, step, NULL);
        expect_line(stream, 64, "one\r\n");
        expect_line(stream, 64, "\n");
        expect_line(stream, 64, "two\rhalf\n");
        expect_line(stream, 64, "thré");
        expect_no_line(stream, 64, ANYC_EOF);
        expect_no_line(stream, 64, ANYC_EOF);
        ck_assert_int_eq(anyc_aclose(stream), 0);
    }
}

ANYC_TEST(test_text_line__is_found_in_text_not_in_bytes)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream =
        text_of_bytes(&inner, "\n\1a\0\n\0b\0", 8, 1, TEXT_OPTIONS("UTF-16LE", STRICT));

    expect_line(stream, 64, "\u010Aa\n");
    expect_line(stream, 64, "b");
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

ANYC_TEST(test_text_line__a_line_that_does_not_fit_stays)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "12345\n123\n12345", 15, 2, NULL);

    expect_no_line(stream, 5, ANYC_EDELIMITER);
    text_expect_message("longer than 5 bytes");
    expect_no_line(stream, 5, ANYC_EDELIMITER);
    expect_line(stream, 6, "12345\n");
    expect_line(stream, 5, "123\n");
    expect_line(stream, 5, "12345"); /* the last one, without an end */
    expect_no_line(stream, 5, ANYC_EOF);
    expect_no_line(stream, 0, ANYC_EINVAL);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* The limit counts bytes of UTF-8, and the whole end of the line, however it is cut. */
ANYC_TEST(test_text_line__exactly_the_limit_is_enough)
{
    for (size_t step = 0; step < 7; step++) {
        struct dummy_bytes inner;
        anyc_text_stream *stream = text_of_bytes(&inner, "\xC3\xA9\r\n\0\n\n", 7, step, NULL);
        char buf[4];

        expect_no_line(stream, 1, ANYC_EDELIMITER);
        expect_no_line(stream, 3, ANYC_EDELIMITER);
        expect_line(stream, 4, "é\r\n");
        ck_assert_int_eq(anyc_text_receive_line(stream, buf, 2), 2);
        ck_assert_mem_eq(buf, "\0\n", 2);
        expect_line(stream, 1, "\n");
        expect_no_line(stream, 1, ANYC_EOF);
        ck_assert_int_eq(anyc_aclose(stream), 0);
    }
}

/* What is too long for a line can be received otherwise, and the lines go on behind it. */
ANYC_TEST(test_text_line__a_line_that_does_not_fit_can_be_passed_over)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "123456789\nab\n", 13, 4, NULL);

    expect_no_line(stream, 5, ANYC_EDELIMITER);
    text_expect(stream, "12345678");
    expect_line(stream, 5, "9\n");
    expect_line(stream, 5, "ab\n");
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

ANYC_TEST(test_text_line__mixes_with_plain_receives)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "abc\ndef\nrest", 12, 0, NULL);
    char buf[2];

    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 2), 2);
    expect_line(stream, 64, "c\n");
    expect_line(stream, 64, "def\n");
    text_expect(stream, "rest");
    expect_no_line(stream, 64, ANYC_EOF);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-R014: a strict error takes out what is broken, the line goes on. */
ANYC_TEST(test_text_line__a_broken_byte_is_told_and_the_line_goes_on)
{
    struct dummy_bytes inner;
    anyc_text_stream *stream = text_of_bytes(&inner, "ab\xFFz\nlast\xC3", 10, 0, NULL);

    expect_no_line(stream, 64, ANYC_EDECODE);
    text_expect_message("0xff at offset 2");
    expect_line(stream, 64, "abz\n");
    expect_no_line(stream, 64, ANYC_EDECODE);
    text_expect_message("0xc3 at offset 9");
    expect_line(stream, 64, "last");
    expect_no_line(stream, 64, ANYC_EOF);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

struct job {
    anyc_text_stream *stream;
    ssize_t rc;
    char buf[64];
};

static int receive_line(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_text_receive_line(job->stream, job->buf, sizeof job->buf);
    return 0;
}

static int receive_some(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_receive(&job->stream->stream, job->buf, sizeof job->buf);
    return 0;
}

/* A task is in the middle of a character, in `receive`. */
static void start_receiving(struct job *job, struct chunks *chunks, anyc_task_group *group,
                            anyc_task_fn receive)
{
    chunks_open(chunks, 1);
    job->stream = text_over(chunks_receiver(chunks), NULL);
    ck_assert_int_eq(anyc_task_group_enter(group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(group, receive, job, NULL), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    chunks_put(chunks, receive == receive_line ? "h\xC3" : "\xC3");
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
}

static void cancel_while(anyc_task_fn receive, const char *line)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct chunks chunks;
    struct job job = {0};

    start_receiving(&job, &chunks, &group, receive);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECANCELLED);
    chunks_put(&chunks, "\xA9!\n");
    expect_line(job.stream, 64, line);
    ck_assert_int_eq(anyc_aclose(job.stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

ANYC_TEST(test_text_line__when_cancelled_no_character_is_lost)
{
    cancel_while(receive_line, "hé!\n");
    cancel_while(receive_some, "é!\n");
}

/* ST-R018: bytes that were handed over before the cancellation are not lost with it. */
ANYC_TEST(test_text_line__bytes_that_came_just_before_a_cancellation_stay)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct chunks chunks;
    struct job job = {0};

    start_receiving(&job, &chunks, &group, receive_line);
    chunks_put(&chunks, "\xA9!");
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECANCELLED);
    chunks_put(&chunks, "\n");
    expect_line(job.stream, 64, "hé!\n");
    ck_assert_int_eq(anyc_aclose(job.stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

ANYC_TEST(test_text_line__a_second_receiver_is_refused)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct chunks chunks;
    struct job job = {0};

    start_receiving(&job, &chunks, &group, receive_line);
    expect_no_line(job.stream, 64, ANYC_EBUSY);
    text_expect_error(job.stream, ANYC_EBUSY);
    chunks_put(&chunks, "\xA9\n");
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, 4);
    ck_assert_mem_eq(job.buf, "hé\n", 4);
    ck_assert_int_eq(anyc_aclose(job.stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

static void end_while(anyc_task_fn receive, bool free_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct chunks chunks;
    struct job job = {0};

    start_receiving(&job, &chunks, &group, receive);
    ck_assert_int_eq(free_it ? anyc_aclose(job.stream) : anyc_close(job.stream), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECLOSED);
    if (!free_it)
        ck_assert_int_eq(anyc_aclose(job.stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

ANYC_TEST(test_text_line__closing_and_freeing_wake_the_receiver)
{
    end_while(receive_line, false);
    end_while(receive_line, true);
    end_while(receive_some, false);
    end_while(receive_some, true);
}
