/* SPDX-License-Identifier: MIT */
/*
 * test_memory_callback.c - memory object streams used by callbacks of the loop, outside any task.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/memory_stream.h>
#include <anyc/testing.h>

#include "core/list.h"
#include "core/loop.h"
#include "core/post.h"

/* A stream and what a callback does with it. */
struct errand {
    struct post post;
    anyc_memory_send_stream *send;
    anyc_memory_receive_stream *receive;
    void (*run)(struct errand *errand);
    bool done;
};

static void errand_run(struct post *post)
{
    struct errand *errand = ANYC__CONTAINER(post, struct errand, post);

    anyc__loop_release(anyc__loop);
    ck_assert_int_eq(anyc_sleep(0), ANYC_ENOLOOP); /* this is no task */
    errand->run(errand);
    errand->done = true;
}

static void errand_open(struct errand *errand, void (*run)(struct errand *errand))
{
    *errand = (struct errand){.post = {NULL, errand_run}, .run = run};
    ck_assert_int_eq(
        anyc_create_memory_object_stream(0, sizeof(int), &errand->send, &errand->receive), 0);
    anyc__loop_hold(anyc__loop);
    anyc__post(anyc__loop, &errand->post);
}

static void errand_end(struct errand *errand)
{
    ck_assert(errand->done);
    ck_assert_int_eq(anyc_aclose(errand->send), 0);
    ck_assert_int_eq(anyc_aclose(errand->receive), 0);
}

static void close_send(struct errand *errand)
{
    anyc_memory_send_stream_close(errand->send);
}

static void close_receive(struct errand *errand)
{
    anyc_memory_receive_stream_close(errand->receive);
}

static void send_seven(struct errand *errand)
{
    int item = 7;

    ck_assert_int_eq(anyc_memory_send_stream_send_nowait(errand->send, &item), 0);
}

static void receive_five(struct errand *errand)
{
    int item = 0;

    ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(errand->receive, &item), 0);
    ck_assert_int_eq(item, 5);
}

/* ST-R021 */
ANYC_TEST(test_memory_callback__closing_the_send_end_wakes_a_receiver)
{
    struct errand errand;
    int item = 1;

    errand_open(&errand, close_send);
    ck_assert_int_eq(anyc_memory_receive_stream_receive(errand.receive, &item), ANYC_EOF);
    ck_assert_int_eq(item, 1);
    errand_end(&errand);
}

/* ST-R021 */
ANYC_TEST(test_memory_callback__closing_the_receive_end_wakes_a_sender)
{
    struct errand errand;
    int item = 1;

    errand_open(&errand, close_receive);
    ck_assert_int_eq(anyc_memory_send_stream_send(errand.send, &item), ANYC_EBROKEN);
    errand_end(&errand);
}

ANYC_TEST(test_memory_callback__an_item_can_be_sent)
{
    struct errand errand;
    int item = 1;

    errand_open(&errand, send_seven);
    ck_assert_int_eq(anyc_memory_receive_stream_receive(errand.receive, &item), 0);
    ck_assert_int_eq(item, 7);
    errand_end(&errand);
}

ANYC_TEST(test_memory_callback__an_item_can_be_received)
{
    struct errand errand;
    int item = 5;

    errand_open(&errand, receive_five);
    ck_assert_int_eq(anyc_memory_send_stream_send(errand.send, &item), 0);
    errand_end(&errand);
}
