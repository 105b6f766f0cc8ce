/* SPDX-License-Identifier: MIT */
/*
 * test_stapled.c - two one-way streams as one two-way stream.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/memory_stream.h>
#include <anyc/stapled_stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <string.h>

#include "dummy_stream.h"
#include "scarce.h"

static anyc_byte_stream *staple_bytes(struct dummy_bytes *send, struct dummy_bytes *receive)
{
    anyc_byte_stream *stapled = NULL;

    dummy_bytes_init(send, "");
    dummy_bytes_init(receive, "hello, world");
    ck_assert_int_eq(anyc_stapled_byte_stream_create(&send->stream, &receive->stream, &stapled), 0);
    return stapled;
}

static anyc_object_stream *staple_objects(struct dummy_objects *send, struct dummy_objects *receive,
                                          bool nowait)
{
    static const int items[] = {1, 2};
    anyc_object_stream *stapled = NULL;

    dummy_objects_init(send, NULL, 0, nowait);
    dummy_objects_init(receive, items, 2, false);
    ck_assert_int_eq(anyc_stapled_object_stream_create(&send->stream, &receive->stream, &stapled),
                     0);
    return stapled;
}

static void expect_bytes(anyc_byte_stream *stream, size_t max_bytes, const char *expected)
{
    char buf[64];
    ssize_t n = anyc_receive(stream, buf, max_bytes);

    ck_assert_int_eq(n, (ssize_t)strlen(expected));
    ck_assert_mem_eq(buf, expected, strlen(expected));
}

/* ST-021, ST-R024: this receive half reports its end as ANYC_EOF, and so does the staple. */
ANYC_TEST(test_stapled__bytes_are_received_from_one_half_and_sent_to_the_other)
{
    struct dummy_bytes send;
    struct dummy_bytes receive;
    anyc_byte_stream *stapled = staple_bytes(&send, &receive);
    char buf[64];

    expect_bytes(stapled, 3, "hel");
    expect_bytes(stapled, sizeof buf, "lo, world");
    ck_assert_int_eq(anyc_receive(stapled, buf, sizeof buf), ANYC_EOF);
    ck_assert_int_eq(anyc_send(stapled, "how are you ", 12), 0);
    ck_assert_int_eq(anyc_send(stapled, "today?", 6), 0);
    ck_assert_ptr_eq(anyc_stapled_byte_stream_send_stream(stapled), &send.stream);
    ck_assert_ptr_eq(anyc_stapled_byte_stream_receive_stream(stapled), &receive.stream);
    ck_assert_uint_eq(send.sent_len, 18);
    ck_assert_mem_eq(send.sent, "how are you today?", 18);
    ck_assert_int_eq(anyc_aclose(stapled), 0);
}

/* ST-022, ST-R012: the end of sending is the close of the send half. */
ANYC_TEST(test_stapled__bytes_can_be_received_after_the_end_of_sending)
{
    struct dummy_bytes send;
    struct dummy_bytes receive;
    anyc_byte_stream *stapled = staple_bytes(&send, &receive);

    ck_assert_int_eq(anyc_send_eof(stapled), 0);
    ck_assert_int_eq(anyc_send_eof(stapled), 0);
    ck_assert_int_eq(anyc_send(stapled, "world", 5), ANYC_ECLOSED);
    ck_assert(send.state.closed);
    ck_assert_int_eq(send.state.destroys, 0);
    expect_bytes(stapled, 64, "hello, world");
    ck_assert_int_eq(anyc_aclose(stapled), 0);
    ck_assert_int_eq(send.state.destroys, 1);
}

/* ST-023, ST-R013: closing may be repeated. */
ANYC_TEST(test_stapled__a_closed_byte_stream_is_closed_both_ways)
{
    struct dummy_bytes send;
    struct dummy_bytes receive;
    anyc_byte_stream *stapled = staple_bytes(&send, &receive);
    char buf[4];

    ck_assert_int_eq(anyc_close(stapled), 0);
    ck_assert_int_eq(anyc_receive(stapled, buf, sizeof buf), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send(stapled, "", 0), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send(stapled, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send_eof(stapled), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_close(stapled), 0);
    ck_assert_int_eq(anyc_aclose(stapled), 0);
    ck_assert_int_eq(send.state.destroys, 1);
    ck_assert_int_eq(receive.state.destroys, 1);
}

/* ST-024: -1 is the largest size_t. */
ANYC_TEST(test_stapled__an_invalid_maximum_does_not_reach_the_receive_half)
{
    struct dummy_bytes send;
    struct dummy_bytes receive;
    anyc_byte_stream *stapled = staple_bytes(&send, &receive);
    char buf[4];

    ck_assert_int_eq(anyc_receive(stapled, buf, 0), ANYC_EINVAL);
    ck_assert_int_eq(anyc_receive(stapled, buf, (size_t)-1), ANYC_EINVAL);
    ck_assert_int_eq(receive.state.calls, 0);
    ck_assert_int_eq(anyc_aclose(stapled), 0);
}

/* ST-R012 */
ANYC_TEST(test_stapled__closes_both_halves_and_answers_the_first_error)
{
    struct dummy_bytes send;
    struct dummy_bytes receive;
    anyc_byte_stream *stapled = staple_bytes(&send, &receive);

    send.state.close_rc = ANYC_EBROKEN;
    receive.state.close_rc = ANYC_ECANCELLED;
    ck_assert_int_eq(anyc_close(stapled), ANYC_EBROKEN);
    ck_assert(receive.state.closed);
    send.state.close_rc = 0;
    ck_assert_int_eq(anyc_aclose(stapled), ANYC_ECANCELLED);
}

ANYC_TEST(test_stapled__a_forceful_close_is_one_for_both_halves)
{
    struct dummy_bytes send;
    struct dummy_bytes receive;
    anyc_byte_stream *stapled = staple_bytes(&send, &receive);

    anyc_aclose_forcefully(stapled);
    ck_assert(send.state.forcefully);
    ck_assert(receive.state.forcefully);
    ck_assert_int_eq(send.state.destroys, 1);
    ck_assert_int_eq(receive.state.destroys, 1);
}

/* ST-R012, ST-R016, ST-R019 */
ANYC_TEST(test_stapled__attributes_come_from_the_receive_half_first)
{
    struct dummy_bytes send;
    struct dummy_bytes receive;
    anyc_byte_stream *stapled = staple_bytes(&send, &receive);
    int colour = 0;

    ck_assert_int_eq(anyc_extra(stapled, &DUMMY_COLOUR, &colour), ANYC_EATTRIBUTE);
    send.state.colour = 1;
    ck_assert_int_eq(anyc_extra(stapled, &DUMMY_COLOUR, &colour), 0);
    ck_assert_int_eq(colour, 1);
    receive.state.colour = 2;
    ck_assert_int_eq(anyc_extra(stapled, &DUMMY_COLOUR, &colour), 0);
    ck_assert_int_eq(colour, 2);
    ck_assert_int_eq(anyc_extra(stapled, &DUMMY_FAILING, &colour), DUMMY_GETTER_ERROR);
    ck_assert_int_eq(anyc_aclose(stapled), 0);
}

ANYC_TEST(test_stapled__refuses_one_stream_as_both_halves)
{
    struct dummy_bytes bytes;
    struct dummy_objects objects;
    anyc_byte_stream *stapled = NULL;
    anyc_object_stream *stapled_objects = NULL;

    dummy_bytes_init(&bytes, "");
    dummy_objects_init(&objects, NULL, 0, false);
    ck_assert_int_eq(anyc_stapled_byte_stream_create(&bytes.stream, &bytes.stream, &stapled),
                     ANYC_EINVAL);
    ck_assert_int_eq(
        anyc_stapled_object_stream_create(&objects.stream, &objects.stream, &stapled_objects),
        ANYC_EINVAL);
    ck_assert_ptr_null(stapled);
    ck_assert_ptr_null(stapled_objects);
}

ANYC_TEST(test_stapled__only_stapled_streams_have_halves)
{
    struct dummy_bytes bytes;
    struct dummy_objects objects;

    dummy_bytes_init(&bytes, "");
    dummy_objects_init(&objects, NULL, 0, false);
    ck_assert_ptr_null(anyc_stapled_byte_stream_send_stream(&bytes.stream));
    ck_assert_ptr_null(anyc_stapled_byte_stream_receive_stream(&bytes.stream));
    ck_assert_ptr_null(anyc_stapled_object_stream_send_stream(&objects.stream));
    ck_assert_ptr_null(anyc_stapled_object_stream_receive_stream(&objects.stream));
}

ANYC_TEST(test_stapled__items_are_received_from_one_half_and_sent_to_the_other)
{
    struct dummy_objects send;
    struct dummy_objects receive;
    anyc_object_stream *stapled = staple_objects(&send, &receive, false);
    int item = 0;

    ck_assert_int_eq(anyc_object_receive(stapled, &item), 0);
    ck_assert_int_eq(item, 1);
    ck_assert_int_eq(anyc_object_send(stapled, &item), 0);
    ck_assert_ptr_eq(anyc_stapled_object_stream_send_stream(stapled), &send.stream);
    ck_assert_ptr_eq(anyc_stapled_object_stream_receive_stream(stapled), &receive.stream);
    ck_assert_uint_eq(send.sent_count, 1);
    ck_assert_int_eq(anyc_aclose(stapled), 0);
    ck_assert_int_eq(send.state.destroys, 1);
    ck_assert_int_eq(receive.state.destroys, 1);
}

/* ST-025, ST-R023 */
ANYC_TEST_PLAIN(test_stapled__send_nowait_is_that_of_the_send_half)
{
    struct dummy_objects send;
    struct dummy_objects receive;
    anyc_object_stream *stapled = staple_objects(&send, &receive, true);
    int item = 5;

    ck_assert_int_eq(anyc_object_send_nowait(stapled, &item), 0);
    ck_assert_uint_eq(send.sent_count, 1);
    ck_assert_int_eq(send.sent[0], 5);
    anyc_aclose_forcefully(stapled);
}

/* ST-026, ST-R023 */
ANYC_TEST(test_stapled__send_nowait_is_not_supported_if_the_send_half_has_none)
{
    struct dummy_objects send;
    struct dummy_objects receive;
    anyc_object_stream *stapled = staple_objects(&send, &receive, false);
    int item = 5;

    ck_assert_int_eq(anyc_object_send_nowait(stapled, &item), -ENOTSUP);
    ck_assert_uint_eq(send.sent_count, 0);
    ck_assert_int_eq(anyc_aclose(stapled), 0);
}

/* ST-027, ST-R023 */
ANYC_TEST(test_stapled__an_error_of_send_nowait_is_answered_as_it_is)
{
    struct dummy_objects send;
    struct dummy_objects receive;
    anyc_object_stream *stapled = staple_objects(&send, &receive, true);
    int item = 5;

    send.nowait_error = ANYC_EATTRIBUTE;
    ck_assert_int_eq(anyc_object_send_nowait(stapled, &item), ANYC_EATTRIBUTE);
    ck_assert_int_eq(anyc_aclose(stapled), 0);
}

/* ST-028 */
ANYC_TEST(test_stapled__items_can_be_received_after_the_end_of_sending)
{
    struct dummy_objects send;
    struct dummy_objects receive;
    anyc_object_stream *stapled = staple_objects(&send, &receive, false);
    int item = 0;

    ck_assert_int_eq(anyc_object_send_eof(stapled), 0);
    ck_assert_int_eq(anyc_object_send_eof(stapled), 0);
    ck_assert_int_eq(anyc_object_send(stapled, &item), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_object_receive(stapled, &item), 0);
    ck_assert_int_eq(item, 1);
    ck_assert_int_eq(anyc_object_receive(stapled, &item), 0);
    ck_assert_int_eq(item, 2);
    ck_assert_int_eq(anyc_aclose(stapled), 0);
}

/* ST-029 */
ANYC_TEST(test_stapled__a_closed_object_stream_is_closed_both_ways)
{
    struct dummy_objects send;
    struct dummy_objects receive;
    anyc_object_stream *stapled = staple_objects(&send, &receive, false);
    int item = 0;

    ck_assert_int_eq(anyc_close(stapled), 0);
    ck_assert_int_eq(anyc_object_receive(stapled, &item), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_object_send(stapled, &item), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_object_send_eof(stapled), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_aclose(stapled), 0);
}

ANYC_TEST(test_stapled__the_end_of_sending_is_a_checkpoint)
{
    struct dummy_bytes send;
    struct dummy_bytes receive;
    anyc_byte_stream *stapled = staple_bytes(&send, &receive);
    anyc_cancel_scope scope;

    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), 0);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_send_eof(stapled), ANYC_ECANCELLED);
    ck_assert(!send.state.closed);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(anyc_send(stapled, "x", 1), 0);
    ck_assert_int_eq(anyc_aclose(stapled), 0);
}

ANYC_TEST(test_stapled__refuses_halves_with_items_of_different_sizes)
{
    anyc_memory_send_stream *send;
    anyc_memory_receive_stream *receive;
    struct dummy_objects objects;
    anyc_object_stream *stapled = NULL;

    dummy_objects_init(&objects, NULL, 0, false);
    ck_assert_int_eq(anyc_create_memory_object_stream(1, 1, &send, &receive), 0);
    ck_assert_int_eq(anyc_stapled_object_stream_create(&objects.stream, &receive->stream, &stapled),
                     ANYC_EINVAL);
    ck_assert_ptr_null(stapled);
    ck_assert_int_eq(anyc_aclose(send), 0);
    ck_assert_int_eq(anyc_aclose(receive), 0);
}

ANYC_TEST_PLAIN(test_stapled__without_memory_the_halves_stay_open)
{
    struct dummy_bytes bytes[2];
    struct dummy_objects objects[2];
    anyc_byte_stream *stapled_bytes = NULL;
    anyc_object_stream *stapled_objects = NULL;

    scarce_allow(0);
    for (int i = 0; i < 2; i++) {
        dummy_bytes_init(&bytes[i], "");
        dummy_objects_init(&objects[i], NULL, 0, false);
    }
    ck_assert_int_eq(
        anyc_stapled_byte_stream_create(&bytes[0].stream, &bytes[1].stream, &stapled_bytes),
        ANYC_ENOMEM);
    ck_assert_int_eq(
        anyc_stapled_object_stream_create(&objects[0].stream, &objects[1].stream, &stapled_objects),
        ANYC_ENOMEM);
    ck_assert(!bytes[0].state.closed && !objects[1].state.closed);
    ck_assert(stapled_bytes == NULL && stapled_objects == NULL);
}
