/* SPDX-License-Identifier: MIT */
/*
 * test_object_stream.c - what every object stream must show; see object_makers.h.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <stdio.h>

#include "object_makers.h"

#define ITEMS 1000

/* A task that sends or receives. */
struct job {
    anyc_object_stream *stream;
    int item;
    int rc;
};

static void for_each_maker(void (*check)(struct object_pair *pair), bool endless_too)
{
    for (const struct object_maker *maker = object_makers; maker->name != NULL; maker++) {
        struct object_pair pair = {NULL, NULL};

        if (maker->endless && !endless_too)
            continue;
        fprintf(stderr, "%s\n", maker->name); /* shown when the check fails */
        maker->make(&pair);
        check(&pair);
    }
}

static void pair_end(struct object_pair *pair)
{
    ck_assert_int_eq(anyc_aclose(pair->send), 0);
    ck_assert_int_eq(anyc_aclose(pair->receive), 0);
}

static void group_start(anyc_task_group *group, anyc_task_fn fn, struct job *job)
{
    job->rc = 1;
    ck_assert_int_eq(anyc_task_group_start_soon(group, fn, job, NULL), 0);
}

static void settle(void)
{
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
}

/* -- tasks -- */

/* Sends ITEMS items, then ends the sending. */
static int send_all(void *arg)
{
    struct job *job = arg;
    int item;

    for (item = 0, job->rc = 0; job->rc >= 0 && item < ITEMS; item++)
        job->rc = anyc_object_send(job->stream, &item);
    if (job->rc >= 0)
        job->rc = anyc_object_send_eof(job->stream);
    return 0;
}

static int send_once(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_object_send(job->stream, &job->item);
    return 0;
}

static int send_until_error(void *arg)
{
    struct job *job = arg;

    for (job->rc = 0; job->rc >= 0;)
        job->rc = anyc_object_send(job->stream, &job->item);
    return 0;
}

static int receive_once(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_object_receive(job->stream, &job->item);
    return 0;
}

static void expect(anyc_object_stream *stream, int expected)
{
    int item = -1;

    ck_assert_int_eq(anyc_object_receive(stream, &item), 0);
    ck_assert_int_eq(item, expected);
}

/* An item gets through. */
static void exchange(struct object_pair *pair, int item)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct job job = {pair->send, item, 0};

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_once, &job);
    expect(pair->receive, item);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, 0);
}

/* -- the contract -- */

static void check_order(struct object_pair *pair)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct job job = {pair->send, 0, 0};
    int item = -1;

    ck_assert(pair->send->reliable && pair->receive->reliable);
    ck_assert_uint_eq(pair->send->item_size, sizeof(int));
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_all, &job);
    for (int i = 0; i < ITEMS; i++)
        expect(pair->receive, i);
    ck_assert_int_eq(anyc_object_receive(pair->receive, &item), ANYC_EOF);
    ck_assert_int_eq(anyc_object_receive(pair->receive, &item), ANYC_EOF);
    ck_assert_int_eq(item, -1);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, 0);
    ck_assert_int_eq(anyc_object_send_eof(pair->send), 0);
    ck_assert_int_eq(anyc_object_send(pair->send, &item), ANYC_ECLOSED);
    pair_end(pair);
}

ANYC_TEST(test_object_stream__items_arrive_in_order_and_then_the_end)
{
    for_each_maker(check_order, true);
}

/* ST-R013 */
static void check_closed(struct object_pair *pair)
{
    int item = -1;

    ck_assert_int_eq(anyc_close(pair->send), 0);
    ck_assert_int_eq(anyc_close(pair->send), 0);
    ck_assert_int_eq(anyc_object_send(pair->send, &item), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_object_send_nowait(pair->send, &item), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_object_receive(pair->receive, &item), ANYC_EOF);
    ck_assert_int_eq(anyc_close(pair->receive), 0);
    ck_assert_int_eq(anyc_close(pair->receive), 0);
    ck_assert_int_eq(anyc_object_receive(pair->receive, &item), ANYC_ECLOSED);
    pair_end(pair);
}

ANYC_TEST(test_object_stream__a_closed_stream_says_so)
{
    for_each_maker(check_closed, true);
}

static void check_peer_gone(struct object_pair *pair)
{
    struct job job = {pair->send, 1, 0};

    ck_assert_int_eq(anyc_aclose(pair->receive), 0);
    ck_assert_int_eq(send_until_error(&job), 0);
    ck_assert_int_eq(job.rc, ANYC_EBROKEN);
    ck_assert_int_eq(anyc_aclose(pair->send), 0);
}

ANYC_TEST(test_object_stream__sending_to_a_peer_that_has_gone_breaks)
{
    for_each_maker(check_peer_gone, true);
}

static void check_cancelled_at_start(struct object_pair *pair)
{
    anyc_cancel_scope scope;
    int item = 5;

    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), 0);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_object_send(pair->send, &item), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_object_receive(pair->receive, &item), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_object_send_eof(pair->send), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(item, 5);
    exchange(pair, 6);
    pair_end(pair);
}

ANYC_TEST(test_object_stream__in_a_cancelled_scope_nothing_happens)
{
    for_each_maker(check_cancelled_at_start, true);
}

static void cancel_while(struct object_pair *pair, anyc_object_stream *stream, anyc_task_fn fn)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct job job = {stream, 5, 0};

    (void)pair;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, fn, &job);
    settle();
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECANCELLED);
}

static void check_cancelled_receive(struct object_pair *pair)
{
    cancel_while(pair, pair->receive, receive_once);
    exchange(pair, 6);
    pair_end(pair);
}

static void check_cancelled_send(struct object_pair *pair)
{
    cancel_while(pair, pair->send, send_until_error);
    pair_end(pair);
}

ANYC_TEST(test_object_stream__a_cancelled_receive_takes_nothing)
{
    for_each_maker(check_cancelled_receive, true);
}

ANYC_TEST(test_object_stream__a_send_that_waits_can_be_cancelled)
{
    for_each_maker(check_cancelled_send, false);
}

static void close_while(struct object_pair *pair, bool receiving, bool free_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_object_stream *stream = receiving ? pair->receive : pair->send;
    struct job job = {stream, 5, 0};

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiving ? receive_once : send_until_error, &job);
    settle();
    ck_assert_int_eq(free_it ? anyc_aclose(stream) : anyc_close(stream), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECLOSED);
    if (!free_it)
        ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(anyc_aclose(receiving ? pair->send : pair->receive), 0);
}

static void check_close_wakes_receiver(struct object_pair *pair)
{
    close_while(pair, true, false);
}

static void check_free_wakes_receiver(struct object_pair *pair)
{
    close_while(pair, true, true);
}

static void check_close_wakes_sender(struct object_pair *pair)
{
    close_while(pair, false, false);
}

static void check_free_wakes_sender(struct object_pair *pair)
{
    close_while(pair, false, true);
}

ANYC_TEST(test_object_stream__a_close_wakes_who_receives)
{
    for_each_maker(check_close_wakes_receiver, true);
    for_each_maker(check_free_wakes_receiver, true);
}

ANYC_TEST(test_object_stream__a_close_wakes_who_sends)
{
    for_each_maker(check_close_wakes_sender, false);
    for_each_maker(check_free_wakes_sender, false);
}

static void check_nowait(struct object_pair *pair)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct job job = {pair->receive, 0, 0};
    int item = 7;
    int rc;

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receive_once, &job);
    settle();
    rc = anyc_object_send_nowait(pair->send, &item);
    ck_assert(rc == 0 || rc == ANYC_EWOULDBLOCK || rc == -ENOTSUP);
    ck_assert_int_eq(job.rc, 1); /* nobody ran */
    if (rc < 0)
        ck_assert_int_eq(anyc_object_send(pair->send, &item), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, 0);
    ck_assert_int_eq(job.item, 7);
    pair_end(pair);
}

/* ST-R002 */
ANYC_TEST(test_object_stream__send_nowait_runs_nobody)
{
    for_each_maker(check_nowait, true);
}

static void check_attributes(struct object_pair *pair)
{
    static const anyc_typed_attribute unknown = {"unknown", sizeof(int)};
    int value = 1;

    ck_assert_int_eq(anyc_extra(pair->send, &unknown, &value), ANYC_EATTRIBUTE);
    ck_assert_int_eq(value, 1);
    pair_end(pair);
}

ANYC_TEST(test_object_stream__an_unknown_attribute_is_missing)
{
    for_each_maker(check_attributes, true);
}
