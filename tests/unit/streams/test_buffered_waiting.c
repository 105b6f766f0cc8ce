/* SPDX-License-Identifier: MIT */
/*
 * test_buffered_waiting.c - buffered streams in which a task waits: a second one, cancellation,
 * closing.
 */
#include <check.h>

#include <anyc/buffered_stream.h>
#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <string.h>

#include "buffered_help.h"
#include "chunks.h"
#include "dummy_stream.h"

struct job {
    anyc_buffered_stream *stream;
    ssize_t rc;
    char buf[16];
};

static int receive_eight(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_buffered_receive_exactly(job->stream, job->buf, 8);
    return 0;
}

static int receive_line(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_buffered_receive_until(job->stream, "\r\n", 2, 16, job->buf, sizeof job->buf);
    return 0;
}

static int receive_some(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_receive(&job->stream->stream, job->buf, sizeof job->buf);
    return 0;
}

ANYC_TEST(test_buffered_waiting__a_second_receiver_is_refused)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct chunks chunks;
    struct job job = {0};
    char buf[4];

    chunks_open(&chunks, 0);
    job.stream = buffer(chunks_receiver(&chunks));
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, receive_eight, &job, NULL), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    chunks_put(&chunks, "abcd");
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_receive(&job.stream->stream, buf, sizeof buf), ANYC_EBUSY);
    ck_assert_int_eq(anyc_buffered_receive_exactly(job.stream, buf, 1), ANYC_EBUSY);
    ck_assert_int_eq(receive_until(job.stream, "a", 4), ANYC_EBUSY);
    ck_assert_int_eq(anyc_buffered_feed_data(job.stream, "x", 1), ANYC_EBUSY);
    chunks_put(&chunks, "efghij");
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, 0);
    ck_assert_mem_eq(job.buf, "abcdefgh", 8);
    expect_buffer(job.stream, "ij");
    ck_assert_int_eq(anyc_aclose(job.stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

/* Cancelled while it waits, with the last bytes taken or only handed over. */
static void cancel_while_receiving(anyc_task_fn receive, bool taken)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct chunks chunks;
    struct job job = {0};

    chunks_open(&chunks, 0);
    job.stream = buffer(chunks_receiver(&chunks));
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, receive, &job, NULL), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    chunks_put(&chunks, "ab");
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    chunks_put(&chunks, "c\r");
    if (taken)
        ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECANCELLED);
    expect_buffer(job.stream, "abc\r");
    ck_assert_int_eq(anyc_buffered_feed_data(job.stream, "\nd", 2), 0);
    expect_until(job.stream, "\r\n", 16, "abc");
    expect(job.stream, 16, "d");
    ck_assert_int_eq(anyc_aclose(job.stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

/* ST-R018 */
ANYC_TEST(test_buffered_waiting__a_cancelled_receive_keeps_what_came)
{
    cancel_while_receiving(receive_eight, true);
    cancel_while_receiving(receive_eight, false);
    cancel_while_receiving(receive_line, true);
    cancel_while_receiving(receive_line, false);
}

ANYC_TEST(test_buffered_waiting__in_a_cancelled_scope_nothing_is_taken)
{
    anyc_cancel_scope scope;
    struct dummy_bytes inner;
    anyc_buffered_stream *stream;
    char buf[4];

    dummy_bytes_init(&inner, "abc");
    stream = buffer(&inner.stream);
    ck_assert_int_eq(anyc_buffered_feed_data(stream, "x;y", 3), 0);
    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), 0);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_receive(&stream->stream, buf, 4), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_buffered_receive_exactly(stream, buf, 2), ANYC_ECANCELLED);
    ck_assert_int_eq(receive_until(stream, ";", 4), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    expect_buffer(stream, "x;y");
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

static void free_while_receiving(anyc_task_fn receive, bool wake_first)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct chunks chunks;
    struct job job = {0};

    chunks_open(&chunks, 0);
    job.stream = buffer(chunks_receiver(&chunks));
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, receive, &job, NULL), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    if (wake_first)
        chunks_put(&chunks, "abcd");
    ck_assert_int_eq(anyc_aclose(job.stream), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECLOSED);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

ANYC_TEST(test_buffered_waiting__can_be_freed_while_a_task_waits_in_it)
{
    free_while_receiving(receive_eight, false);
    free_while_receiving(receive_some, false);
}

ANYC_TEST(test_buffered_waiting__can_be_freed_before_a_woken_task_runs)
{
    free_while_receiving(receive_eight, true);
    free_while_receiving(receive_some, true);
}
