/* SPDX-License-Identifier: MIT */
/*
 * test_send_some.c - sending a part and knowing how much, on streams other than sockets.
 */
#include <check.h>

#include <anyc/buffered_stream.h>
#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/stapled_stream.h>
#include <anyc/stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <limits.h>
#include <string.h>

#include "chunks.h"
#include "dummy_stream.h"

/* -- the ready slot -- */

/* A stream that only sends, slowly, and has no slot of its own for parts. */
struct slow {
    anyc_byte_stream stream;
    size_t len; /* of the last send */
    int rc;     /* what it answers */
    int begun;  /* sends */
    int ended;  /* those that were not cut short */
};

static int slow_close(anyc_resource *resource, bool forcefully)
{
    (void)resource;
    (void)forcefully;
    return 0;
}

static void slow_destroy(anyc_resource *resource)
{
    (void)resource;
}

static int slow_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    struct slow *slow = (struct slow *)stream;
    int rc;

    (void)buf;
    slow->begun++;
    slow->len = len;
    rc = anyc_sleep(1);
    if (rc < 0)
        return rc;
    slow->ended++;
    return slow->rc;
}

static const anyc_byte_stream_ops slow_ops = {
    .resource = {"slow", slow_close, slow_destroy, anyc_no_attributes},
    .receive = anyc_no_receive,
    .send = slow_send,
    .sendv = anyc_sendv_by_send,
    .send_some = anyc_send_some_by_send,
    .send_eof = anyc_no_send_eof,
};

static void slow_init(struct slow *slow)
{
    memset(slow, 0, sizeof *slow);
    ck_assert_int_eq(anyc_byte_stream_init(&slow->stream, &slow_ops), 0);
}

ANYC_TEST_WITH(test_send_some__by_send_all_is_sent_up_to_a_limit, .clock = ANYC_CLOCK_VIRTUAL)
{
    static const char data[200000];
    struct slow slow;
    ssize_t n;

    slow_init(&slow);
    ck_assert_int_eq(anyc_send_some(&slow.stream, data, 1), 1);
    ck_assert_uint_eq(slow.len, 1);
    n = anyc_send_some(&slow.stream, data, sizeof data);
    ck_assert_int_gt(n, 1000);
    ck_assert_int_lt(n, (ssize_t)sizeof data); /* so that no cancellation waits for long */
    ck_assert_uint_eq(slow.len, (size_t)n);
    slow.rc = ANYC_EBROKEN;
    ck_assert_int_eq(anyc_send_some(&slow.stream, data, 1), ANYC_EBROKEN);
}

/* A send cannot say how far it came: so it is not cut short, and what comes after is. */
ANYC_TEST_WITH(test_send_some__by_send_is_deaf_to_cancellation, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;
    struct slow slow;

    slow_init(&slow);
    ck_assert_int_eq(anyc_move_on_after(&scope, 0.5, false), 0);
    ck_assert_int_eq(anyc_send_some(&slow.stream, "abc", 3), 3);
    ck_assert_int_eq(slow.ended, 1);
    ck_assert_int_eq(anyc_send_some(&slow.stream, "abc", 3), ANYC_ECANCELLED);
    ck_assert_int_eq(slow.begun, 1);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert(anyc_current_time() == 1);
}

/* -- arguments -- */

/* Before the stream is asked, and before it is known to be closed. */
ANYC_TEST(test_send_some__checks_its_arguments_first)
{
    struct dummy_bytes dummy;

    dummy_bytes_init(&dummy, "");
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(anyc_send_some(&dummy.stream, "x", 0), ANYC_EINVAL);
        ck_assert_int_eq(anyc_send_some(&dummy.stream, "x", (size_t)-1), ANYC_EINVAL);
        ck_assert_int_eq(anyc_send_some(&dummy.stream, "x", (size_t)SSIZE_MAX + 1), ANYC_EINVAL);
        ck_assert_int_eq(anyc_close(&dummy.stream), 0);
    }
    ck_assert_int_eq(dummy.state.calls, 0);
    ck_assert_int_eq(anyc_send_some(&dummy.stream, "x", 1), ANYC_ECLOSED);
}

ANYC_TEST(test_send_some__a_stream_that_only_receives_has_none)
{
    struct chunks chunks;
    anyc_byte_stream *stream;

    chunks_open(&chunks, 1);
    stream = chunks_receiver(&chunks);
    ck_assert_int_eq(anyc_send_some(stream, "x", 1), -ENOTSUP);
    ck_assert_int_eq(anyc_no_send_some(stream, "x", 1), -ENOTSUP);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(anyc_aclose(chunks.send), 0);
}

/* -- wrappers -- */

ANYC_TEST(test_send_some__is_passed_on_by_wrappers)
{
    struct dummy_bytes send;
    struct dummy_bytes receive;
    anyc_byte_stream *stapled = NULL;
    anyc_buffered_stream *buffered = NULL;

    dummy_bytes_init(&send, "");
    dummy_bytes_init(&receive, "");
    ck_assert_int_eq(anyc_stapled_byte_stream_create(&send.stream, &receive.stream, &stapled), 0);
    ck_assert_int_eq(anyc_send_some(stapled, "abc", 3), 3);
    ck_assert_int_eq(anyc_buffered_stream_create(stapled, &buffered), 0);
    ck_assert_int_eq(anyc_send_some(&buffered->stream, "def", 3), 3);
    ck_assert_uint_eq(send.sent_len, 6);
    ck_assert_mem_eq(send.sent, "abcdef", 6);
    ck_assert_int_eq(receive.state.calls, 0);
    send.state.error = ANYC_EBROKEN;
    ck_assert_int_eq(anyc_send_some(&buffered->stream, "x", 1), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_aclose(buffered), 0);
}

/* -- chunks -- */

/* A chunk is sent as a whole or, when it is cancelled, not at all. */
ANYC_TEST_WITH(test_send_some__over_objects_is_one_chunk_or_none, .clock = ANYC_CLOCK_VIRTUAL)
{
    static const char data[100000];
    struct chunks chunks;
    anyc_byte_stream *stream;
    anyc_cancel_scope scope;
    anyc_bytes chunk = {NULL, 0};

    chunks_open(&chunks, 1);
    stream = chunks_loop(&chunks);
    ck_assert_int_eq(anyc_send_some(stream, data, sizeof data), sizeof data);
    ck_assert_int_eq(anyc_move_on_after(&scope, 1, false), 0);
    ck_assert_int_eq(anyc_send_some(stream, "full", 4), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(chunks.receive, &chunk), 0);
    ck_assert_uint_eq(chunk.len, sizeof data);
    anyc_bytes_deinit(&chunk);
    ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(chunks.receive, &chunk),
                     ANYC_EWOULDBLOCK);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}
