/* SPDX-License-Identifier: MIT */
/*
 * test_memory_rules.c - memory object streams: order, ends and clones, statistics, many tasks.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/lowlevel.h>
#include <anyc/memory_stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <string.h>

#include "memory_pair.h"

/* ST-R002 */
ANYC_TEST(test_memory_rules__nowait_does_not_run_whom_it_wakes)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair, .rc = 1};

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver, &job);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    job.rc = 1;
    ck_assert_int_eq(send_text_nowait(&pair, "hello"), 0);
    ck_assert_int_eq(job.rc, 1);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, 0);
    pair_end(&pair);
}

/* ST-R003: the waiting senders' items come behind those in the buffer, in the senders' order. */
ANYC_TEST(test_memory_rules__everything_is_first_in_first_out)
{
    static const char *const texts[] = {"0", "1", "2", "3", "4"};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job jobs[3];
    size_t i;

    pair_open(&pair, 2);
    ck_assert_int_eq(send_text(&pair, texts[0]), 0);
    ck_assert_int_eq(send_text(&pair, texts[1]), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    for (i = 0; i < 3; i++) {
        jobs[i] = (struct job){.pair = &pair, .item = texts[i + 2]};
        group_start(&group, sender, &jobs[i]);
    }
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    for (i = 0; i < 5; i++)
        expect(&pair, texts[i]);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    pair_end(&pair);
}

/* ST-R003: the receiver that waited longest is served first. */
ANYC_TEST(test_memory_rules__receivers_are_served_in_the_order_they_came)
{
    static const char *const texts[] = {"0", "1", "2", "3", "4"};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job jobs[5];
    size_t i;

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    for (i = 0; i < 5; i++) {
        jobs[i] = (struct job){.pair = &pair};
        group_start(&group, receiver, &jobs[i]);
    }
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    for (i = 0; i < 5; i++)
        ck_assert_int_eq(send_text(&pair, texts[i]), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    for (i = 0; i < 5; i++)
        ck_assert_str_eq(jobs[i].item, texts[i]);
    pair_end(&pair);
}

static int count_calls(void *arg)
{
    int *calls = arg;

    for (;;) {
        int rc = anyc_checkpoint();

        if (rc < 0)
            return rc;
        (*calls)++;
    }
}

/* ST-R001: calls that need not wait let others run (by budget). */
ANYC_TEST(test_memory_rules__calls_that_need_not_wait_let_others_run)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    int calls = 0;
    int before;
    int i;

    pair_open(&pair, SIZE_MAX);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, count_calls, &calls);
    for (i = 0; i < 10000; i++)
        ck_assert_int_eq(send_text(&pair, "x"), 0);
    before = calls;
    ck_assert_int_gt(before, 0);
    for (i = 0; i < 10000; i++)
        expect(&pair, "x");
    ck_assert_int_gt(calls, before);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    pair_end(&pair);
}

static void destroy_counted(void *item, void *arg)
{
    int *destroyed = arg;

    (void)item;
    (*destroyed)++;
}

/* ST-R005 */
ANYC_TEST(test_memory_rules__items_left_behind_are_destroyed_with_the_last_receive_end)
{
    int destroyed = 0;
    struct pair pair;
    anyc_memory_receive_stream *clone;
    int i;

    ck_assert_int_eq(anyc_create_memory_object_stream_with(
                         SIZE_MAX, sizeof(const char *),
                         &(anyc_memory_object_stream_options){destroy_counted, &destroyed},
                         &pair.send, &pair.receive),
                     0);
    ck_assert_int_eq(anyc_memory_receive_stream_clone(pair.receive, &clone), 0);
    for (i = 0; i < 20; i++)
        ck_assert_int_eq(send_text(&pair, "x"), 0);
    for (i = 0; i < 3; i++)
        expect(&pair, "x");
    ck_assert_int_eq(anyc_aclose(pair.send), 0);
    ck_assert_int_eq(anyc_aclose(pair.receive), 0);
    ck_assert_int_eq(destroyed, 0);
    ck_assert_int_eq(anyc_aclose(clone), 0);
    ck_assert_int_eq(destroyed, 17);
}

/* ST-R005: what was not sent stays the sender's. */
ANYC_TEST(test_memory_rules__items_that_were_not_sent_are_not_destroyed)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int destroyed = 0;
    struct pair pair;
    struct job job = {.pair = &pair, .item = "hello"};

    ck_assert_int_eq(anyc_create_memory_object_stream_with(
                         0, sizeof(const char *),
                         &(anyc_memory_object_stream_options){destroy_counted, &destroyed},
                         &pair.send, &pair.receive),
                     0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, sender, &job);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_close(pair.receive), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_EBROKEN);
    pair_end(&pair);
    ck_assert_int_eq(destroyed, 0);
}

/* ST-R006: with the last receive end, not before, senders get BROKEN. */
ANYC_TEST(test_memory_rules__closing_all_receive_ends_breaks_senders)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair, .item = "hello", .rc = 1};
    anyc_memory_receive_stream *clone;

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_memory_receive_stream_clone(pair.receive, &clone), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, sender, &job);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_close(pair.receive), 0);
    ck_assert_int_eq(anyc_close(pair.receive), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(job.rc, 1);
    ck_assert_int_eq(anyc_aclose(clone), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_EBROKEN);
    ck_assert_int_eq(send_text(&pair, "x"), ANYC_EBROKEN);
    ck_assert_int_eq(send_text_nowait(&pair, "x"), ANYC_EBROKEN);
    pair_end(&pair);
}

/* ST-R006: with the last send end, not before, receivers get EOF. */
ANYC_TEST(test_memory_rules__the_stream_ends_with_the_last_send_end)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair};
    anyc_memory_send_stream *clone;

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_memory_send_stream_clone(pair.send, &clone), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver, &job);
    job.rc = 1;
    ck_assert_int_eq(anyc_close(pair.send), 0);
    ck_assert_int_eq(anyc_close(pair.send), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(job.rc, 1);
    ck_assert_int_eq(anyc_aclose(clone), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_EOF);
    pair_end(&pair);
}

/* ST-R007: only the tasks of the closed end are woken, and their items are not delivered. */
ANYC_TEST(test_memory_rules__closing_an_end_wakes_the_tasks_that_wait_in_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct pair clone;
    struct job jobs[2] = {{.pair = &pair, .item = "hello"}, {.pair = &clone, .item = "world"}};

    pair_open(&pair, 0);
    clone = pair;
    ck_assert_int_eq(anyc_memory_send_stream_clone(pair.send, &clone.send), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, sender, &jobs[0]);
    group_start(&group, sender, &jobs[1]);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_close(pair.send), 0);
    expect(&pair, "world");
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(jobs[0].rc, ANYC_ECLOSED);
    ck_assert_int_eq(jobs[1].rc, 0);
    ck_assert_int_eq(receive_text_nowait(&pair), ANYC_EWOULDBLOCK);
    ck_assert_int_eq(anyc_aclose(clone.send), 0);
    pair_end(&pair);
}

/* ST-R007; the memory goes in the same moment. */
ANYC_TEST(test_memory_rules__an_end_can_be_freed_while_tasks_wait_in_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job jobs[2] = {{.pair = &pair}, {.pair = &pair}};

    pair_open(&pair, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver, &jobs[0]);
    group_start(&group, receiver, &jobs[1]);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_aclose(pair.receive), 0);
    ck_assert_int_eq(anyc_aclose(pair.send), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(jobs[0].rc, ANYC_ECLOSED);
    ck_assert_int_eq(jobs[1].rc, ANYC_ECLOSED);
}

/* The sender never waits: it is met where it lets others run. */
ANYC_TEST(test_memory_rules__an_end_can_be_freed_while_a_task_is_at_its_checkpoint)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job job = {.pair = &pair};

    pair_open(&pair, SIZE_MAX);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_for_ever, &job);
    ck_assert_int_eq(anyc_checkpoint(), 0);
    ck_assert_int_eq(anyc_aclose(pair.send), 0);
    ck_assert_int_eq(anyc_aclose(pair.receive), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(job.rc, ANYC_ECLOSED);
}

ANYC_TEST(test_memory_rules__tells_all_six_statistics)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct pair clone;
    struct job jobs[2] = {{.pair = &pair, .item = "a"}, {.pair = &pair, .item = "b"}};
    anyc_memory_stream_stats stats;

    pair_open(&pair, 3);
    ck_assert_int_eq(anyc_memory_send_stream_clone(pair.send, &clone.send), 0);
    ck_assert_int_eq(anyc_memory_receive_stream_clone(pair.receive, &clone.receive), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(send_text(&pair, "x"), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, sender, &jobs[0]);
    group_start(&group, sender, &jobs[1]);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_aclose(clone.receive), 0);
    anyc_memory_send_stream_statistics(pair.send, &stats);
    ck_assert_uint_eq(stats.current_buffer_used, 3);
    ck_assert_uint_eq(stats.max_buffer_size, 3);
    ck_assert_uint_eq(stats.open_send_streams, 2);
    ck_assert_uint_eq(stats.open_receive_streams, 1);
    ck_assert_uint_eq(stats.tasks_waiting_send, 2);
    ck_assert_uint_eq(stats.tasks_waiting_receive, 0);
    ck_assert_int_eq(anyc_close(pair.receive), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    anyc_memory_receive_stream_statistics(pair.receive, &stats);
    ck_assert_uint_eq(stats.current_buffer_used, 0);
    ck_assert_uint_eq(stats.tasks_waiting_send, 0);
    ck_assert_int_eq(anyc_aclose(clone.send), 0);
    pair_end(&pair);
}

ANYC_TEST(test_memory_rules__tells_how_many_wait_to_receive)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pair pair;
    struct job jobs[2] = {{.pair = &pair}, {.pair = &pair}};
    anyc_memory_stream_stats stats;

    pair_open(&pair, SIZE_MAX);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receiver, &jobs[0]);
    group_start(&group, receiver, &jobs[1]);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_memory_receive_stream_statistics(pair.receive, &stats);
    ck_assert_uint_eq(stats.tasks_waiting_receive, 2);
    ck_assert_uint_eq(stats.max_buffer_size, SIZE_MAX);
    anyc_task_group_cancel(&group, NULL);
    anyc_memory_receive_stream_statistics(pair.receive, &stats);
    ck_assert_uint_eq(stats.tasks_waiting_receive, 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    pair_end(&pair);
}

/* Items of an odd size, through a ring that wraps and grows at the same time. */
ANYC_TEST(test_memory_rules__items_of_any_size_stay_in_order)
{
    struct item {
        uint8_t bytes[23];
    } item;
    struct pair pair;
    uint8_t in = 0;
    uint8_t out = 0;
    int round;
    int i;

    ck_assert_int_eq(anyc_create_memory_object_stream(100, sizeof item, &pair.send, &pair.receive),
                     0);
    for (round = 0; round < 40; round++) {
        for (i = 0; i < 5; i++) {
            if (anyc_memory_send_stream_send_nowait(pair.send, memset(&item, in, sizeof item)) == 0)
                in++;
        }
        for (i = 0; i < 3; i++) {
            ck_assert_int_eq(anyc_memory_receive_stream_receive_nowait(pair.receive, &item), 0);
            ck_assert_uint_eq(item.bytes[0], out);
            ck_assert_uint_eq(item.bytes[22], out++);
        }
    }
    ck_assert_uint_eq(in - out, 80);
    pair_end(&pair);
}

/* The buffer is as large as asked for, not rounded up to the places it has. */
ANYC_TEST(test_memory_rules__the_buffer_takes_exactly_so_many_items)
{
    struct pair pair;
    size_t size;
    size_t i;

    for (size = 0; size < 20; size++) {
        pair_open(&pair, size);
        for (i = 0; i < size; i++)
            ck_assert_int_eq(send_text_nowait(&pair, "x"), 0);
        ck_assert_int_eq(send_text_nowait(&pair, "x"), ANYC_EWOULDBLOCK);
        pair_end(&pair);
    }
}

/* As object streams, the ends know one direction each. */
ANYC_TEST(test_memory_rules__each_end_has_one_direction)
{
    struct pair pair;
    const char *text = "hello";

    pair_open(&pair, 1);
    ck_assert_int_eq(anyc_object_receive(&pair.send->stream, &text), -ENOTSUP);
    ck_assert_int_eq(anyc_object_send(&pair.receive->stream, &text), -ENOTSUP);
    ck_assert_int_eq(anyc_object_send_nowait(&pair.receive->stream, &text), -ENOTSUP);
    ck_assert_int_eq(anyc_object_send_eof(&pair.receive->stream), -ENOTSUP);
    ck_assert_int_eq(anyc_object_send(&pair.send->stream, &text), 0);
    ck_assert_int_eq(anyc_object_send_eof(&pair.send->stream), 0);
    ck_assert_int_eq(anyc_object_send(&pair.send->stream, &text), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_object_receive(&pair.receive->stream, &text), 0);
    ck_assert_int_eq(anyc_object_receive(&pair.receive->stream, &text), ANYC_EOF);
    pair_end(&pair);
}

/* -- many tasks -- */

#define CROWD 300

/* Sends or receives its number once, in a scope that others may cancel at any time. */
struct member {
    struct crowd *crowd;
    anyc_cancel_scope scope;
    int number;
    bool sends;
    bool done; /* the call succeeded */
};

struct crowd {
    anyc_memory_send_stream *send;
    anyc_memory_receive_stream *receive;
    struct member members[CROWD];
    uint32_t seed;
};

static uint32_t crowd_random(struct crowd *crowd)
{
    crowd->seed = crowd->seed * 1664525 + 1013904223;
    return crowd->seed >> 16;
}

static int crowd_member(void *arg)
{
    struct member *member = arg;
    struct crowd *crowd = member->crowd;
    int rc;

    ck_assert_int_eq(anyc_cancel_scope_enter(&member->scope, NULL), 0);
    for (uint32_t i = crowd_random(crowd) % 4; i > 0; i--)
        (void)anyc_checkpoint(); /* the call below answers the cancellation */
    if (member->sends)
        rc = anyc_memory_send_stream_send(crowd->send, &member->number);
    else
        rc = anyc_memory_receive_stream_receive(crowd->receive, &member->number);
    member->done = rc == 0;
    anyc_cancel_scope_cancel(&crowd->members[crowd_random(crowd) % CROWD].scope, NULL);
    return anyc_cancel_scope_exit(&member->scope, rc);
}

/* Every item that was sent is in the buffer or with exactly one receiver, no other is. */
static void crowd_check(struct crowd *crowd)
{
    int balance[CROWD] = {0};
    int item;

    for (int i = 0; i < CROWD; i++) {
        const struct member *member = &crowd->members[i];

        if (member->done)
            balance[member->number] += member->sends ? 1 : -1;
    }
    while (anyc_memory_receive_stream_receive_nowait(crowd->receive, &item) == 0)
        balance[item]--;
    for (int i = 0; i < CROWD; i++)
        ck_assert_int_eq(balance[i], 0);
}

static void crowd_run(struct crowd *crowd, size_t max_buffer_size, uint32_t seed)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    memset(crowd, 0, sizeof *crowd);
    crowd->seed = seed;
    ck_assert_int_eq(anyc_create_memory_object_stream(max_buffer_size, sizeof(int), &crowd->send,
                                                      &crowd->receive),
                     0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    for (int i = 0; i < CROWD; i++) {
        crowd->members[i].crowd = crowd;
        crowd->members[i].number = i;
        crowd->members[i].sends = crowd_random(crowd) % 2 == 0;
        group_start(&group, crowd_member, &crowd->members[i]);
    }
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    crowd_check(crowd);
    ck_assert_int_eq(anyc_aclose(crowd->send), 0);
    ck_assert_int_eq(anyc_aclose(crowd->receive), 0);
}

/* ST-R004, ST-R005, ST-R017 */
ANYC_TEST(test_memory_rules__no_item_is_lost_or_doubled_by_cancellations)
{
    static struct crowd crowd;

    for (uint32_t seed = 1; seed <= 10; seed++) {
        for (size_t size = 0; size <= 8; size += 4)
            crowd_run(&crowd, size, seed);
    }
}
