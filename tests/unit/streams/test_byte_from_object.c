/* SPDX-License-Identifier: MIT */
/*
 * test_byte_from_object.c - a byte stream over an object stream of chunks.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <string.h>

#include "chunks.h"
#include "dummy_stream.h"
#include "scarce.h"

struct job {
    anyc_byte_stream *stream;
    ssize_t rc;
    char buf[16];
};

static int receiver(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_receive(job->stream, job->buf, sizeof job->buf);
    return 0;
}

static void expect(anyc_byte_stream *stream, size_t max_bytes, const char *expected)
{
    char buf[64];
    ssize_t n = anyc_receive(stream, buf, max_bytes);

    ck_assert_int_eq(n, (ssize_t)strlen(expected));
    ck_assert_mem_eq(buf, expected, strlen(expected));
}

ANYC_TEST(test_byte_from_object__gives_out_a_chunk_in_parts)
{
    struct chunks chunks;
    anyc_byte_stream *stream;
    char buf[4];

    chunks_open(&chunks, 2);
    chunks_put(&chunks, "abcd");
    chunks_put(&chunks, "efgh");
    stream = chunks_receiver(&chunks);
    expect(stream, 3, "abc");
    expect(stream, 8, "d");
    expect(stream, 8, "efgh");
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), ANYC_EOF);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), ANYC_EOF);
    ck_assert_int_eq(anyc_send(stream, "x", 1), -ENOTSUP);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* ST-R024 */
ANYC_TEST(test_byte_from_object__an_empty_chunk_is_not_the_end)
{
    struct chunks chunks;
    anyc_byte_stream *stream;
    char buf[4];

    chunks_open(&chunks, 4);
    chunks_put(&chunks, "");
    chunks_put(&chunks, "a");
    chunks_put(&chunks, "");
    stream = chunks_receiver(&chunks);
    expect(stream, 8, "a");
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), ANYC_EOF);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

ANYC_TEST(test_byte_from_object__each_send_is_one_chunk)
{
    struct chunks chunks;
    anyc_byte_stream *stream;
    const struct iovec pieces[] = {{"how ", 4}, {NULL, 0}, {"are", 3}};
    anyc_bytes bytes;

    chunks_open(&chunks, 4);
    stream = chunks_loop(&chunks);
    ck_assert_int_eq(anyc_send(stream, "hello", 5), 0);
    ck_assert_int_eq(anyc_send(stream, "", 0), 0);
    ck_assert_int_eq(anyc_sendv(stream, pieces, 3), 0);
    ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(chunks.receive, &bytes), 0);
    ck_assert_uint_eq(bytes.len, 5);
    ck_assert_mem_eq(bytes.data, "hello", 5);
    anyc_bytes_deinit(&bytes);
    ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(chunks.receive, &bytes), 0);
    ck_assert_uint_eq(bytes.len, 7);
    ck_assert_mem_eq(bytes.data, "how are", 7);
    anyc_bytes_deinit(&bytes);
    ck_assert_int_eq(anyc_send_eof(stream), 0);
    ck_assert_int_eq(anyc_send_eof(stream), 0);
    ck_assert_int_eq(anyc_send(stream, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* The chunk of a send that fails is freed: the harness counts. */
ANYC_TEST(test_byte_from_object__a_failing_send_keeps_nothing)
{
    anyc_cancel_scope scope;
    struct chunks chunks;
    anyc_byte_stream *stream;
    const struct iovec pieces[] = {{"ab", 2}, {"cd", 2}};

    chunks_open(&chunks, 4);
    stream = chunks_loop(&chunks);
    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), 0);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_send(stream, "hello", 5), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_send(stream, "", 0), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_sendv(stream, pieces, 2), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(anyc_close(stream), 0);
    ck_assert_int_eq(anyc_send(stream, "", 0), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_sendv(stream, pieces, 2), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

/* A chunk that is half given out goes with the stream. */
ANYC_TEST(test_byte_from_object__closing_drops_the_rest_of_a_chunk)
{
    struct chunks chunks;
    anyc_byte_stream *stream;
    char buf[4];

    chunks_open(&chunks, 4);
    chunks_put(&chunks, "abcd");
    chunks_put(&chunks, "efgh");
    stream = chunks_receiver(&chunks);
    expect(stream, 1, "a");
    ck_assert_int_eq(anyc_close(stream), 0);
    ck_assert_int_eq(anyc_close(stream), 0);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

ANYC_TEST(test_byte_from_object__a_second_receiver_is_refused)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct chunks chunks;
    struct job job = {0};
    char buf[4];

    chunks_open(&chunks, 0);
    job.stream = chunks_receiver(&chunks);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, receiver, &job, NULL), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_receive(job.stream, buf, sizeof buf), ANYC_EBUSY);
    chunks_put(&chunks, "abc");
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, 3);
    ck_assert_int_eq(anyc_aclose(job.stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

static int count_bytes(void *arg)
{
    struct job *job = arg;
    int count = 0;

    for (job->rc = 1; job->rc != ANYC_EOF;) {
        job->rc = anyc_receive(job->stream, job->buf, 1);
        ck_assert(job->rc == 1 || job->rc == ANYC_EBUSY || job->rc == ANYC_EOF);
        count += job->rc == 1;
        if (job->rc == ANYC_EBUSY)
            ck_assert_int_eq(anyc_checkpoint(), 0);
    }
    job->rc = count;
    return 0;
}

/* ST-R024: a receiver that lets others run at its checkpoint still has its chunk after that. */
ANYC_TEST(test_byte_from_object__receivers_share_a_chunk_without_finding_it_empty)
{
    static const char text[5001];
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct chunks chunks;
    struct job jobs[2] = {{0}, {0}};
    anyc_bytes bytes;

    chunks_open(&chunks, 1);
    jobs[0].stream = jobs[1].stream = chunks_receiver(&chunks);
    ck_assert_int_eq(anyc_bytes_init(&bytes, text, sizeof text), 0);
    ck_assert_int_eq(anyc_memory_send_stream_send_nowait(chunks.send, &bytes), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, count_bytes, &jobs[0], NULL), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, count_bytes, &jobs[1], NULL), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(jobs[0].rc + jobs[1].rc, 5001);
    ck_assert_int_eq(anyc_aclose(jobs[0].stream), 0);
}

/* The receiver is woken with a chunk, and before it runs the stream is freed. */
ANYC_TEST(test_byte_from_object__can_be_freed_while_a_task_is_about_to_receive)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct chunks chunks;
    struct job job = {0};

    chunks_open(&chunks, 0);
    job.stream = chunks_receiver(&chunks);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, receiver, &job, NULL), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    chunks_put(&chunks, "abc");
    ck_assert_int_eq(anyc_aclose(job.stream), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECLOSED);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

ANYC_TEST(test_byte_from_object__passes_attributes_on)
{
    struct dummy_objects dummy;
    anyc_byte_stream *stream = NULL;
    int colour = 0;

    dummy_objects_init(&dummy, NULL, 0, false);
    dummy.stream.item_size = sizeof(anyc_bytes);
    dummy.state.colour = 4;
    ck_assert_int_eq(anyc_byte_stream_from_object_stream(&dummy.stream, &stream), 0);
    ck_assert_int_eq(anyc_extra(stream, &DUMMY_COLOUR, &colour), 0);
    ck_assert_int_eq(colour, 4);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(dummy.state.destroys, 1);
}

ANYC_TEST(test_byte_from_object__refuses_other_items_and_unreliable_streams)
{
    struct dummy_objects dummy;
    anyc_byte_stream *stream = NULL;

    dummy_objects_init(&dummy, NULL, 0, false);
    ck_assert_int_eq(anyc_byte_stream_from_object_stream(&dummy.stream, &stream), ANYC_EINVAL);
    dummy.stream.item_size = sizeof(anyc_bytes);
    dummy.stream.reliable = false;
    ck_assert_int_eq(anyc_byte_stream_from_object_stream(&dummy.stream, &stream), ANYC_EINVAL);
    ck_assert_ptr_null(stream);
    ck_assert(!dummy.state.closed);
}

static int send_without_memory(void *arg)
{
    struct chunks chunks;
    anyc_byte_stream *stream;
    const struct iovec pieces[] = {{"ab", 2}, {"cd", 2}};
    anyc_bytes bytes = {NULL, 0};

    (void)arg;
    chunks_open(&chunks, 4);
    stream = chunks_loop(&chunks);
    scarce_allow(0);
    ck_assert_int_eq(anyc_bytes_init(&bytes, "a", 1), ANYC_ENOMEM);
    ck_assert_int_eq(anyc_bytes_init(&bytes, NULL, 0), 0);
    ck_assert_int_eq(anyc_send(stream, "abcd", 4), ANYC_ENOMEM);
    ck_assert_int_eq(anyc_sendv(stream, pieces, 2), ANYC_ENOMEM);
    scarce_allow(1); /* the chunk, but not the place for it */
    ck_assert_int_eq(anyc_send(stream, "abcd", 4), ANYC_ENOMEM);
    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(anyc_send(stream, "abcd", 4), 0);
    expect(stream, 8, "abcd");
    ck_assert_int_eq(anyc_aclose(stream), 0);
    return 0;
}

ANYC_TEST_PLAIN(test_byte_from_object__a_send_without_memory_sends_nothing)
{
    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(anyc_run(send_without_memory, anyc_testing_backend()), 0);
}
