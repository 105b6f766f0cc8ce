/* SPDX-License-Identifier: MIT */
/*
 * test_socket_io.c - the operations of loops that report readiness: what they cost.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <sys/socket.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/watch.h"
#include "tcp_link.h"

static const anyc_backend *real;
static int starts;
static int stops;

static int counting_start(anyc_watch *watch, unsigned events)
{
    starts++;
    return real->watch_start(watch, events);
}

static void counting_stop(anyc_watch *watch)
{
    stops++;
    real->watch_stop(watch);
}

/* Count the interests that are put on and taken off from now on. */
static void count_interests(void)
{
    static anyc_backend counting;

    real = anyc__loop->backend;
    counting = *real;
    counting.watch_start = counting_start;
    counting.watch_stop = counting_stop;
    anyc__loop->backend = &counting;
    starts = 0;
    stops = 0;
}

static int echo(void *arg)
{
    anyc_byte_stream *stream = arg;
    char buf[64];
    ssize_t n = 0;

    while (n >= 0) {
        n = anyc_receive(stream, buf, sizeof buf);
        if (n > 0)
            ck_assert_int_eq(anyc_send(stream, buf, (size_t)n), 0);
    }
    return 0;
}

/* Keep the loop from looking at descriptors for longer than a turn lasts as a rule. */
static int work(void *arg)
{
    double end;

    for (int i = 0; i < 50; i++) {
        end = anyc_current_time() + 0.0003;
        while (anyc_current_time() < end)
            continue;
        ck_assert_int_eq(anyc_checkpoint(), 0);
    }
    (void)arg;
    return 0;
}

static void exchange(struct tcp_link *link, int count)
{
    char byte;
    int rc;

    for (int i = 0; i < count; i++) {
        ck_assert(peer_send(link->peer, "x", 1));
        rc = anyc_wait_readable(link->peer);
        ck_assert_int_eq(rc, 0);
        ck_assert_uint_eq(peer_receive(link->peer, &byte, 1), 1);
    }
}

/* A raw wait puts an interest on of its own; the rest is the stream's. */
static void check_exchange(int count, bool busy)
{
    struct tcp_link link = tcp_link_open(AF_INET);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, echo, link.stream, NULL);
    exchange(&link, 1);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    count_interests();
    for (int i = 0; busy && i < 3; i++)
        anyc_task_group_start_soon(&group, work, NULL, NULL);
    exchange(&link, count);
    ck_assert_int_le(starts, count);
    ck_assert_int_eq(stops, 0);
    anyc__loop->backend = real;
    tcp_link_hang_up(&link);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    tcp_link_close(&link);
}

/* The interest in reading stays on from one receive to the next. */
ANYC_TEST(test_socket_io__a_message_costs_no_change_of_interest)
{
    check_exchange(100, false);
}

/* Not even when others keep the loop busy while the reader was woken. */
ANYC_TEST(test_socket_io__a_message_costs_no_change_of_interest_in_a_busy_loop)
{
    check_exchange(20, true);
}

struct duel {
    anyc_watch *own;
    anyc_watch *other;
    int rc;
};

/* Whoever runs first closes the watch of the other. */
static int duel(void *arg)
{
    struct duel *side = arg;

    side->rc = anyc__watch_wait(side->own, ANYC_READABLE);
    if (side->rc == 0)
        anyc__watch_close(side->other, ANYC_EBROKEN);
    return 0;
}

/* A wait that was ended by data, but whose task did not run yet, must not hand out a watch that has
 * gone meanwhile. */
ANYC_TEST(test_socket_io__close_outruns_a_wait_that_was_just_ended)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct duel sides[2] = {{0}};
    int one[2];
    int two[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, one), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two), 0);
    ck_assert_int_eq(anyc__watch_open(anyc__loop, one[0], &sides[0].own), 0);
    ck_assert_int_eq(anyc__watch_open(anyc__loop, two[0], &sides[1].own), 0);
    sides[0].other = sides[1].own;
    sides[1].other = sides[0].own;
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, duel, &sides[0], NULL);
    anyc_task_group_start_soon(&group, duel, &sides[1], NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(send(one[1], "x", 1, 0), 1);
    ck_assert_int_eq(send(two[1], "x", 1, 0), 1);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(sides[0].rc + sides[1].rc, ANYC_ECLOSED);
    anyc__watch_close(sides[0].rc == 0 ? sides[0].own : sides[1].own, ANYC_ECLOSED);
    for (int i = 0; i < 2; i++) {
        close(one[i]);
        close(two[i]);
    }
}
