/* SPDX-License-Identifier: MIT */
/*
 * test_stream.c - byte streams: the checks of each call, the ready slots, and typed attributes.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/stream.h>
#include <anyc/testing.h>

#include <limits.h>
#include <string.h>

#include "dummy_stream.h"

static int close_nothing(anyc_resource *resource, bool forcefully)
{
    (void)resource;
    (void)forcefully;
    return 0;
}

static void destroy_nothing(anyc_resource *resource)
{
    (void)resource;
}

static const anyc_byte_stream_ops nothing_ops = {
    .resource = {"nothing", close_nothing, destroy_nothing, anyc_no_attributes},
    .receive = anyc_no_receive,
    .send = anyc_no_send,
    .sendv = anyc_no_sendv,
    .send_some = anyc_no_send_some,
    .send_eof = anyc_no_send_eof,
};

#define REFUSES_WITHOUT(slot)                                                \
    do {                                                                     \
        anyc_byte_stream_ops ops = nothing_ops;                              \
        anyc_byte_stream stream = {{NULL}, NULL};                            \
                                                                             \
        ops.slot = NULL;                                                     \
        ck_assert_int_eq(anyc_byte_stream_init(&stream, &ops), ANYC_EINVAL); \
        ck_assert(stream.ops == NULL && stream.resource.ops == NULL);        \
    } while (0)

ANYC_TEST(test_stream__refuses_a_table_with_a_slot_missing)
{
    REFUSES_WITHOUT(resource.type);
    REFUSES_WITHOUT(resource.close);
    REFUSES_WITHOUT(resource.destroy);
    REFUSES_WITHOUT(resource.extra);
    REFUSES_WITHOUT(receive);
    REFUSES_WITHOUT(send);
    REFUSES_WITHOUT(sendv);
    REFUSES_WITHOUT(send_some);
    REFUSES_WITHOUT(send_eof);
}

ANYC_TEST(test_stream__a_missing_direction_is_not_supported)
{
    anyc_byte_stream stream;
    struct iovec piece = {"x", 1};
    char buf[1];

    ck_assert_int_eq(anyc_byte_stream_init(&stream, &nothing_ops), 0);
    ck_assert_int_eq(anyc_receive(&stream, buf, 1), -ENOTSUP);
    ck_assert_int_eq(anyc_send(&stream, "x", 1), -ENOTSUP);
    ck_assert_int_eq(anyc_sendv(&stream, &piece, 1), -ENOTSUP);
    ck_assert_int_eq(anyc_send_eof(&stream), -ENOTSUP);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "nothing"));
}

/* ST-R011: before the stream is asked, and before it is known to be closed. */
ANYC_TEST(test_stream__checks_arguments_first)
{
    struct dummy_bytes dummy;
    struct iovec pieces[2] = {{"x", SSIZE_MAX}, {"x", 1}};
    char buf[1];

    dummy_bytes_init(&dummy, "hello");
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(anyc_receive(&dummy.stream, buf, 0), ANYC_EINVAL);
        ck_assert_int_eq(anyc_receive(&dummy.stream, buf, (size_t)-1), ANYC_EINVAL);
        ck_assert_int_eq(anyc_send(&dummy.stream, buf, (size_t)-1), ANYC_EINVAL);
        ck_assert_int_eq(anyc_sendv(&dummy.stream, pieces, 2), ANYC_EINVAL);
        ck_assert_int_eq(anyc_sendv(&dummy.stream, pieces, -1), ANYC_EINVAL);
        ck_assert_int_eq(anyc_close(&dummy.stream), 0);
    }
    ck_assert_int_eq(dummy.state.calls, 0);
}

ANYC_TEST(test_stream__sendv_sends_the_pieces_in_order)
{
    struct dummy_bytes dummy;
    const struct iovec pieces[] = {{"", 0}, {"how ", 4}, {NULL, 0}, {"are you?", 8}};

    dummy_bytes_init(&dummy, "");
    ck_assert_int_eq(anyc_sendv(&dummy.stream, pieces, 4), 0);
    ck_assert_mem_eq(dummy.sent, "how are you?", 12);
    ck_assert_uint_eq(dummy.sent_len, 12);
    ck_assert_int_eq(dummy.state.calls, 2);
}

ANYC_TEST(test_stream__sendv_stops_at_the_first_error)
{
    struct dummy_bytes dummy;
    const struct iovec pieces[] = {{"a", 1}, {"b", 1}};

    dummy_bytes_init(&dummy, "");
    dummy.state.error = ANYC_EBROKEN;
    ck_assert_int_eq(anyc_sendv(&dummy.stream, pieces, 2), ANYC_EBROKEN);
    ck_assert_int_eq(dummy.state.calls, 1);
}

/* Nothing to send is a checkpoint, which tells a closed stream. */
ANYC_TEST(test_stream__sending_nothing_reaches_the_stream)
{
    struct dummy_bytes dummy;
    const struct iovec pieces[] = {{NULL, 0}};

    dummy_bytes_init(&dummy, "");
    ck_assert_int_eq(anyc_send(&dummy.stream, NULL, 0), 0);
    ck_assert_int_eq(anyc_sendv(&dummy.stream, pieces, 1), 0);
    ck_assert_int_eq(anyc_sendv(&dummy.stream, NULL, 0), 0);
    ck_assert_uint_eq(dummy.sent_len, 0);
    ck_assert_int_eq(anyc_close(&dummy.stream), 0);
    ck_assert_int_eq(anyc_send(&dummy.stream, "", 0), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_sendv(&dummy.stream, pieces, 1), ANYC_ECLOSED);
}

/* TA-001, ST-R019 */
ANYC_TEST(test_stream__a_failing_attribute_getter_is_not_a_missing_attribute)
{
    struct dummy_bytes dummy;
    int fallback = 7;
    int value = 1;

    dummy_bytes_init(&dummy, "");
    ck_assert_int_eq(anyc_extra(&dummy.stream, &DUMMY_FAILING, &value), DUMMY_GETTER_ERROR);
    ck_assert_int_eq(anyc_extra_default(&dummy.stream, &DUMMY_FAILING, &fallback, &value),
                     DUMMY_GETTER_ERROR);
    ck_assert_int_eq(value, 1);
}

/* ST-R016 */
ANYC_TEST(test_stream__attributes_are_told_apart_by_identity)
{
    struct dummy_bytes dummy;
    int fallback = 7;
    int value = 1;
    char small;

    dummy_bytes_init(&dummy, "");
    dummy.state.colour = 3;
    ck_assert_int_eq(anyc_extra(&dummy.stream, &DUMMY_OTHER_COLOUR, &value), ANYC_EATTRIBUTE);
    ck_assert_int_eq(value, 1);
    ck_assert_int_eq(anyc_extra_default(&dummy.stream, &DUMMY_OTHER_COLOUR, &fallback, &value), 0);
    ck_assert_int_eq(value, 7);
    ck_assert_int_eq(anyc_extra_default(&dummy.stream, &DUMMY_COLOUR, &fallback, &value), 0);
    ck_assert_int_eq(value, 3);
    ck_assert_int_eq(anyc_extra(&dummy.stream, &DUMMY_COLOUR, &small), ANYC_EINVAL);
}

/* anyc_close keeps the object, anyc_aclose and its forceful form end it. */
ANYC_TEST(test_stream__closing_and_freeing_are_told_apart)
{
    struct dummy_bytes dummy;

    dummy_bytes_init(&dummy, "");
    dummy.state.close_rc = ANYC_EBROKEN;
    ck_assert_int_eq(anyc_close(&dummy.stream), ANYC_EBROKEN);
    ck_assert_int_eq(dummy.state.destroys, 0);
    ck_assert_int_eq(anyc_aclose(&dummy.stream), ANYC_EBROKEN);
    ck_assert_int_eq(dummy.state.destroys, 1);
    ck_assert(!dummy.state.forcefully);

    dummy_bytes_init(&dummy, "");
    anyc_aclose_forcefully(&dummy.stream);
    ck_assert(dummy.state.forcefully);
    ck_assert_int_eq(dummy.state.destroys, 1);
}
