/* SPDX-License-Identifier: MIT */
/*
 * test_byte_stream.c - what every byte stream must show; see byte_makers.h.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte_makers.h"
#include "support/stream_job.h"

#define BULK 300000 /* bytes: more than a connection holds by itself, on any stream but fast ones */

/* Check one stream, unless this build does not have it. */
static void check_maker(const struct byte_maker *maker, void (*check)(struct byte_pair *pair))
{
    struct byte_pair pair = {NULL, NULL};

    if (maker->available != NULL && !maker->available()) {
        fprintf(stderr, "%s: skipped, this build does not have it\n", maker->name);
        return;
    }
    fprintf(stderr, "%s\n", maker->name); /* shown when the check fails */
    maker->make(&pair);
    check(&pair);
}

static void for_each_maker(void (*check)(struct byte_pair *pair))
{
    for (const struct byte_maker *maker = byte_makers; maker->name != NULL; maker++)
        check_maker(maker, check);
}

/* Those that can, and those that cannot, tell the end of one direction alone. */
static void for_each_maker_by_eof(void (*check)(struct byte_pair *pair), bool can)
{
    for (const struct byte_maker *maker = byte_makers; maker->name != NULL; maker++) {
        if (maker->no_send_eof != can)
            check_maker(maker, check);
    }
}

static void pair_end(struct byte_pair *pair)
{
    ck_assert_int_eq(anyc_aclose(pair->a), 0);
    ck_assert_int_eq(anyc_aclose(pair->b), 0);
}

/* -- tasks -- */

/* Sends all in pieces of growing size. */
static int send_all(void *arg)
{
    struct job *job = arg;
    size_t at = 0;
    size_t n = 1;

    for (job->rc = 0; job->rc >= 0 && at < job->len; n = n * 3 % 40000 + 1) {
        if (n > job->len - at)
            n = job->len - at;
        job->rc = anyc_send(job->stream, job->data + at, n);
        at += n;
    }
    return 0;
}

/* Sends all, as much at a time as the stream likes. */
static int send_by_parts(void *arg)
{
    struct job *job = arg;
    size_t at = 0;

    while (at < job->len) {
        ssize_t n = anyc_send_some(job->stream, job->data + at, job->len - at);

        ck_assert_int_gt(n, 0);
        ck_assert_uint_le((size_t)n, job->len - at);
        at += (size_t)n;
    }
    job->rc = 0;
    return 0;
}

/* -- the contract -- */

static void order_of(struct byte_pair *pair, anyc_task_fn sender_fn)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char *sent = malloc(BULK);
    char *received = calloc(1, BULK);
    struct job sender = {pair->a, sent, BULK, 0};
    struct job receiver = {pair->b, received, BULK, 0};

    for (size_t i = 0; i < BULK; i++)
        sent[i] = (char)(i * i % 127); /* text streams take part */
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, sender_fn, &sender);
    group_start(&group, receive_all, &receiver);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(sender.rc, 0);
    ck_assert(memcmp(sent, received, BULK) == 0);
    free(sent);
    free(received);
    pair_end(pair);
}

static void check_order(struct byte_pair *pair)
{
    order_of(pair, send_all);
}

ANYC_TEST(test_byte_stream__bytes_arrive_in_order)
{
    for_each_maker(check_order);
}

static void check_parts(struct byte_pair *pair)
{
    order_of(pair, send_by_parts);
}

ANYC_TEST(test_byte_stream__parts_arrive_in_order)
{
    for_each_maker(check_parts);
}

static void check_both_ways(struct byte_pair *pair)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char *data[4];
    struct job jobs[4];

    for (size_t i = 0; i < 4; i++) {
        data[i] = malloc(BULK);
        memset(data[i], (int)i, BULK);
        jobs[i] = (struct job){i % 2 == 0 ? pair->a : pair->b, data[i], BULK, 0};
    }
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    for (size_t i = 0; i < 4; i++)
        group_start(&group, i < 2 ? send_all : receive_all, &jobs[i]);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert(memcmp(data[0], data[3], BULK) == 0);
    ck_assert(memcmp(data[1], data[2], BULK) == 0);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(jobs[i].rc, 0);
        free(data[i]);
    }
    pair_end(pair);
}

ANYC_TEST(test_byte_stream__both_directions_work_at_once)
{
    for_each_maker(check_both_ways);
}

static void check_pieces(struct byte_pair *pair)
{
    const struct iovec pieces[] = {{"", 0}, {"how ", 4}, {NULL, 0}, {"are ", 4}, {"you", 3}};
    char buf[3];

    ck_assert_int_eq(anyc_sendv(pair->a, pieces, 5), 0);
    ck_assert_int_eq(anyc_receive(pair->b, buf, 2), 2);
    ck_assert_mem_eq(buf, "ho", 2);
    expect(pair->b, "w are you");
    pair_end(pair);
}

ANYC_TEST(test_byte_stream__pieces_are_sent_as_one)
{
    for_each_maker(check_pieces);
}

/* ST-R011, ST-R024 */
static void check_arguments(struct byte_pair *pair)
{
    char buf[4] = "xyz";

    put(pair->a, "ab");
    ck_assert_int_eq(anyc_receive(pair->b, buf, 0), ANYC_EINVAL);
    ck_assert_int_eq(anyc_send(pair->a, NULL, 0), 0);
    ck_assert_int_eq(anyc_sendv(pair->a, NULL, 0), 0);
    ck_assert_int_eq(anyc_send_some(pair->a, "x", 0), ANYC_EINVAL);
    expect(pair->b, "ab");
    put(pair->a, "c");
    expect(pair->b, "c");
    ck_assert_int_eq(anyc_close(pair->b), 0);
    ck_assert_int_eq(anyc_receive(pair->b, buf, 0), ANYC_EINVAL);
    pair_end(pair);
}

ANYC_TEST(test_byte_stream__nothing_received_or_sent_is_no_end)
{
    for_each_maker(check_arguments);
}

/* ST-R024 */
static void check_eof(struct byte_pair *pair)
{
    put(pair->a, "last words");
    ck_assert_int_eq(anyc_send_eof(pair->a), 0);
    ck_assert_int_eq(anyc_send_eof(pair->a), 0);
    ck_assert_int_eq(anyc_send(pair->a, "x", 1), ANYC_ECLOSED);
    expect(pair->b, "last words");
    expect_eof(pair->b);
    expect_eof(pair->b);
    put(pair->b, "good bye");
    expect(pair->a, "good bye");
    ck_assert_int_eq(anyc_send_eof(pair->b), 0);
    expect_eof(pair->a);
    pair_end(pair);
}

ANYC_TEST(test_byte_stream__the_end_of_one_direction_leaves_the_other_open)
{
    for_each_maker_by_eof(check_eof, true);
}

/* Said, and nothing else happens. */
static void check_no_eof(struct byte_pair *pair)
{
    ck_assert_int_eq(anyc_send_eof(pair->a), -ENOTSUP);
    put(pair->a, "not yet");
    expect(pair->b, "not yet");
    put(pair->b, "indeed");
    expect(pair->a, "indeed");
    pair_end(pair);
}

ANYC_TEST(test_byte_stream__an_end_of_one_direction_that_cannot_be_told_is_refused)
{
    for_each_maker_by_eof(check_no_eof, false);
}

/* ST-R013 */
static void check_closed(struct byte_pair *pair)
{
    char buf[4];

    ck_assert_int_eq(anyc_close(pair->a), 0);
    ck_assert_int_eq(anyc_close(pair->a), 0);
    ck_assert_int_eq(anyc_receive(pair->a, buf, sizeof buf), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send(pair->a, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send(pair->a, "", 0), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send_some(pair->a, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send_eof(pair->a), ANYC_ECLOSED);
    expect_eof(pair->b);
    pair_end(pair);
}

ANYC_TEST(test_byte_stream__a_closed_stream_says_so_and_ends_the_peers)
{
    for_each_maker(check_closed);
}

static void check_peer_gone(struct byte_pair *pair)
{
    struct job job = {pair->a, "hello", 5, 0};

    ck_assert_int_eq(anyc_aclose(pair->b), 0);
    ck_assert_int_eq(send_until_error(&job), 0);
    ck_assert_int_eq(job.rc, ANYC_EBROKEN);
    ck_assert_int_eq(anyc_close(pair->a), 0);
    ck_assert_int_eq(anyc_send(pair->a, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_aclose(pair->a), 0);
}

ANYC_TEST(test_byte_stream__sending_to_a_peer_that_has_gone_breaks)
{
    for_each_maker(check_peer_gone);
}

static void check_cancelled_at_start(struct byte_pair *pair)
{
    const struct iovec piece = {"x", 1};
    anyc_cancel_scope scope;
    char buf[4];

    put(pair->a, "ab");
    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), 0);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_receive(pair->b, buf, sizeof buf), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_send(pair->b, "x", 1), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_send(pair->b, "", 0), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_sendv(pair->b, &piece, 1), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_send_some(pair->b, "x", 1), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_send_eof(pair->b), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    expect(pair->b, "ab");
    put(pair->b, "cd");
    expect(pair->a, "cd");
    pair_end(pair);
}

ANYC_TEST(test_byte_stream__in_a_cancelled_scope_nothing_happens)
{
    for_each_maker(check_cancelled_at_start);
}

static void check_cancelled_receive(struct byte_pair *pair)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char buf[8];
    struct job job = {pair->b, buf, sizeof buf, 0};

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receive_once, &job);
    settle();
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECANCELLED);
    put(pair->a, "hello");
    expect(pair->b, "hello");
    pair_end(pair);
}

ANYC_TEST(test_byte_stream__a_cancelled_receive_loses_nothing)
{
    for_each_maker(check_cancelled_receive);
}

static void check_cancelled_send(struct byte_pair *pair)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char *data = calloc(1, BULK);
    struct job job = {pair->a, data, BULK, 0};

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_until_error, &job);
    settle();
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECANCELLED);
    free(data);
    pair_end(pair);
}

ANYC_TEST(test_byte_stream__a_send_that_waits_can_be_cancelled)
{
    for_each_maker(check_cancelled_send);
}

/* Counts in `rc` what send_some took until it was cancelled. */
static int send_parts_for_ever(void *arg)
{
    struct job *job = arg;
    ssize_t n = 0;

    for (job->rc = 0; n >= 0; job->rc += n > 0 ? n : 0)
        n = anyc_send_some(job->stream, job->data + job->rc % 1000, 1000);
    ck_assert_int_eq(n, ANYC_ECANCELLED);
    return 0;
}

/* What send_some says is what arrives, whatever came between. */
static void check_cancelled_part(struct byte_pair *pair)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_group later = ANYC_TASK_GROUP_INIT;
    char data[2000];
    char byte;
    struct job job = {pair->a, data, 0, 0};

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i % 1000 % 127);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_parts_for_ever, &job);
    settle();
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_gt(job.rc, 0);
    ck_assert_int_eq(anyc_task_group_enter(&later), 0);
    group_start(&later, send_until_error, &(struct job){pair->a, (char[]){'z'}, 1, 0});
    for (ssize_t i = 0; i < job.rc; i++) {
        ck_assert_int_eq(anyc_receive(pair->b, &byte, 1), 1);
        ck_assert_int_eq(byte, data[i % 1000]);
    }
    expect(pair->b, "zzz");
    anyc_task_group_cancel(&later, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&later, 0), 0);
    pair_end(pair);
}

ANYC_TEST(test_byte_stream__a_cancelled_part_was_not_sent)
{
    for_each_maker(check_cancelled_part);
}

static void close_while(struct byte_pair *pair, anyc_task_fn fn, bool free_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char *data = calloc(1, BULK);
    struct job job = {pair->a, data, BULK, 0};

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, fn, &job);
    settle();
    ck_assert_int_eq(job.rc < 0, 0);
    ck_assert_int_eq(free_it ? anyc_aclose(pair->a) : anyc_close(pair->a), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECLOSED);
    if (!free_it)
        ck_assert_int_eq(anyc_aclose(pair->a), 0);
    ck_assert_int_eq(anyc_aclose(pair->b), 0);
    free(data);
}

static void check_close_wakes_receiver(struct byte_pair *pair)
{
    close_while(pair, receive_once, false);
}

static void check_free_wakes_receiver(struct byte_pair *pair)
{
    close_while(pair, receive_once, true);
}

static void check_close_wakes_sender(struct byte_pair *pair)
{
    close_while(pair, send_until_error, false);
}

static void check_free_wakes_sender(struct byte_pair *pair)
{
    close_while(pair, send_until_error, true);
}

ANYC_TEST(test_byte_stream__a_close_wakes_who_receives)
{
    for_each_maker(check_close_wakes_receiver);
    for_each_maker(check_free_wakes_receiver);
}

ANYC_TEST(test_byte_stream__a_close_wakes_who_sends)
{
    for_each_maker(check_close_wakes_sender);
    for_each_maker(check_free_wakes_sender);
}

static void check_second_receiver(struct byte_pair *pair)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char buf[2] = "";
    struct job jobs[2] = {{pair->b, buf, 1, 0}, {pair->b, buf + 1, 1, 0}};

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receive_once, &jobs[0]);
    group_start(&group, receive_once, &jobs[1]);
    settle();
    ck_assert_int_eq(jobs[0].rc, 1); /* still waiting */
    ck_assert(jobs[1].rc == ANYC_EBUSY || jobs[1].rc == 1);
    put(pair->a, "a");
    put(pair->a, "b");
    settle();
    if (jobs[1].rc == ANYC_EBUSY)
        expect(pair->b, "b");
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(jobs[0].rc, 1);
    ck_assert_int_eq(buf[0], 'a');
    pair_end(pair);
}

ANYC_TEST(test_byte_stream__a_second_receiver_is_refused_or_waits_its_turn)
{
    for_each_maker(check_second_receiver);
}

static void check_attributes(struct byte_pair *pair)
{
    static const anyc_typed_attribute unknown = {"unknown", sizeof(int)};
    int value = 1;

    ck_assert_int_eq(anyc_extra(pair->a, &unknown, &value), ANYC_EATTRIBUTE);
    ck_assert_int_eq(value, 1);
    pair_end(pair);
}

ANYC_TEST(test_byte_stream__an_unknown_attribute_is_missing)
{
    for_each_maker(check_attributes);
}

static void check_forceful_end(struct byte_pair *pair)
{
    anyc_aclose_forcefully(pair->a);
    expect_eof(pair->b);
    anyc_aclose_forcefully(pair->b);
}

ANYC_TEST(test_byte_stream__a_forceful_end_is_one_for_the_peer)
{
    for_each_maker(check_forceful_end);
}
