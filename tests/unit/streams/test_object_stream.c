/* SPDX-License-Identifier: MIT */
/*
 * test_object_stream.c - object streams: their tables and ready slots.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/stream.h>
#include <anyc/testing.h>

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

static const anyc_object_stream_ops nothing_ops = {
    .resource = {"nothing", close_nothing, destroy_nothing, anyc_no_attributes},
    .receive = anyc_no_object_receive,
    .send = anyc_no_object_send,
    .send_nowait = anyc_no_object_send_nowait,
    .send_eof = anyc_no_object_send_eof,
};

#define REFUSES_WITHOUT(slot)                                                           \
    do {                                                                                \
        anyc_object_stream_ops ops = nothing_ops;                                       \
        anyc_object_stream stream = {.ops = NULL};                                      \
                                                                                        \
        ops.slot = NULL;                                                                \
        ck_assert_int_eq(anyc_object_stream_init(&stream, &ops, 1, true), ANYC_EINVAL); \
        ck_assert(stream.ops == NULL && stream.resource.ops == NULL);                   \
    } while (0)

ANYC_TEST(test_object_stream__refuses_a_table_with_a_slot_missing)
{
    REFUSES_WITHOUT(resource.type);
    REFUSES_WITHOUT(resource.close);
    REFUSES_WITHOUT(resource.destroy);
    REFUSES_WITHOUT(resource.extra);
    REFUSES_WITHOUT(receive);
    REFUSES_WITHOUT(send);
    REFUSES_WITHOUT(send_nowait);
    REFUSES_WITHOUT(send_eof);
}

ANYC_TEST(test_object_stream__refuses_items_without_a_size)
{
    anyc_object_stream stream;

    ck_assert_int_eq(anyc_object_stream_init(&stream, &nothing_ops, 0, true), ANYC_EINVAL);
}

ANYC_TEST(test_object_stream__a_missing_direction_is_not_supported)
{
    anyc_object_stream stream;
    char item = 0;

    ck_assert_int_eq(anyc_object_stream_init(&stream, &nothing_ops, 1, false), 0);
    ck_assert(!stream.reliable);
    ck_assert_uint_eq(stream.item_size, 1);
    ck_assert_int_eq(anyc_object_receive(&stream, &item), -ENOTSUP);
    ck_assert_int_eq(anyc_object_send(&stream, &item), -ENOTSUP);
    ck_assert_int_eq(anyc_object_send_nowait(&stream, &item), -ENOTSUP);
    ck_assert_int_eq(anyc_object_send_eof(&stream), -ENOTSUP);
}

ANYC_TEST(test_object_stream__calls_reach_the_table)
{
    const int items[] = {1, 2};
    struct dummy_objects dummy;
    int item = 0;

    dummy_objects_init(&dummy, items, 2, true);
    ck_assert_int_eq(anyc_object_receive(&dummy.stream, &item), 0);
    ck_assert_int_eq(item, 1);
    ck_assert_int_eq(anyc_object_send(&dummy.stream, &item), 0);
    ck_assert_int_eq(anyc_object_receive(&dummy.stream, &item), 0);
    ck_assert_int_eq(anyc_object_send_nowait(&dummy.stream, &item), 0);
    ck_assert_int_eq(anyc_object_receive(&dummy.stream, &item), ANYC_EOF);
    ck_assert_uint_eq(dummy.sent_count, 2);
    ck_assert_int_eq(dummy.sent[1], 2);
}
