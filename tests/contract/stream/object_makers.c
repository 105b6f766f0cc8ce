/* SPDX-License-Identifier: MIT */
/*
 * object_makers.c - the object streams that run the contract of test_object_stream.c.
 */
#include "object_makers.h"

#include <anyc/memory_stream.h>
#include <anyc/stapled_stream.h>

#include <check.h>

static void make_memory(struct object_pair *pair, size_t max_buffer_size)
{
    anyc_memory_send_stream *send = NULL;
    anyc_memory_receive_stream *receive = NULL;

    ck_assert_int_eq(
        anyc_create_memory_object_stream(max_buffer_size, sizeof(int), &send, &receive), 0);
    pair->send = &send->stream;
    pair->receive = &receive->stream;
}

static void make_hand_over(struct object_pair *pair)
{
    make_memory(pair, 0);
}

static void make_bounded(struct object_pair *pair)
{
    make_memory(pair, 3);
}

static void make_endless(struct object_pair *pair)
{
    make_memory(pair, SIZE_MAX);
}

static void make_stapled(struct object_pair *pair)
{
    struct object_pair there;
    struct object_pair back;

    make_memory(&there, 1);
    make_memory(&back, 1);
    ck_assert_int_eq(anyc_stapled_object_stream_create(there.send, back.receive, &pair->send), 0);
    ck_assert_int_eq(anyc_stapled_object_stream_create(back.send, there.receive, &pair->receive),
                     0);
}

const struct object_maker object_makers[] = {
    {"memory stream that hands over", make_hand_over, false},
    {"memory stream with a buffer", make_bounded, false},
    {"memory stream without a limit", make_endless, true},
    {"stapled", make_stapled, false},
    {NULL, NULL, false},
};
