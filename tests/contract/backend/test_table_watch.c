/* SPDX-License-Identifier: MIT */
/*
 * test_table_watch.c - the slots of a backend's table for descriptors.
 */
#include "stub_core.h"

#include "pairs.h"

#include <check.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BOTH (ANYC_READABLE | ANYC_WRITABLE)
#define MANY 500

ANYC_TEST_TABLE(test_table_watch__reports_data)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    pair_pipe(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, ANYC_READABLE);
    for (int i = 0; i < 10; i++) {
        pair_put(fds[1]);
        ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
        pair_take(fds[0]);
    }
    stub_settle(loop); /* nothing is left to report */
    ck_assert_uint_eq(seen.count, 0);
    stub_watch_close(watch);
    pair_close(fds);
}

ANYC_TEST_TABLE(test_table_watch__reports_data_that_was_there_before)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    pair_pipe(fds);
    pair_put(fds[1]);
    watch = stub_watch(loop, fds[0], &seen);
    stub_settle(loop);
    ck_assert_uint_eq(seen.count, 0); /* no interest, no report */
    stub_watch_start(watch, ANYC_READABLE);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
    stub_watch_close(watch);
    pair_close(fds);
}

ANYC_TEST_TABLE(test_table_watch__reports_nothing_while_it_is_stopped)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    pair_sockets(fds);
    watch = stub_watch(loop, fds[0], &seen);
    for (int i = 0; i < 5; i++) {
        stub_watch_start(watch, ANYC_READABLE);
        stub_settle(loop);
        stub_watch_stop(watch);
        pair_put(fds[1]);
        stub_settle(loop);
        ck_assert_uint_eq(seen.count, 0);
        stub_watch_start(watch, ANYC_READABLE); /* what came meanwhile is not forgotten */
        ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
        pair_take(fds[0]);
        stub_watch_stop(watch);
    }
    stub_watch_close(watch);
    pair_close(fds);
}

ANYC_TEST_TABLE(test_table_watch__reports_room)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];
    size_t sent;

    pair_sockets(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, ANYC_WRITABLE);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_WRITABLE);
    stub_watch_stop(watch);
    sent = pair_fill(fds[0]);
    stub_watch_start(watch, ANYC_WRITABLE);
    stub_settle(loop);
    ck_assert_uint_eq(seen.count, 0);
    pair_drain(fds[1], sent);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_WRITABLE);
    stub_watch_close(watch);
    pair_close(fds);
}

/* Every change from one set of events to another, on a socket that is ready for both. */
ANYC_TEST_TABLE(test_table_watch__reports_exactly_what_was_asked_for_last)
{
    const unsigned order[] = {1, 2, 1, 3, 2, 3, 1, 0, 2, 0, 3, 0, 1};
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    pair_sockets(fds);
    pair_put(fds[1]);
    watch = stub_watch(loop, fds[0], &seen);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (order[i] == 0)
            stub_watch_stop(watch);
        else
            stub_watch_start(watch, order[i]);
        seen = (struct stub_seen){0};
        stub_settle(loop);
        ck_assert_uint_eq(seen.events, order[i]);
    }
    stub_watch_close(watch);
    pair_close(fds);
}

ANYC_TEST_TABLE(test_table_watch__goes_on_reporting_one_event_when_the_other_is_dropped)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    pair_sockets(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, BOTH);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_WRITABLE);
    stub_watch_start(watch, ANYC_READABLE);
    pair_put(fds[1]);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
    stub_watch_close(watch);
    pair_close(fds);
}

ANYC_TEST_TABLE(test_table_watch__can_be_closed_while_armed_and_ready)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    for (int i = 0; i < 100; i++) { /* descriptors get the same numbers again */
        pair_sockets(fds);
        pair_put(fds[1]);
        watch = stub_watch(loop, fds[0], &seen);
        stub_watch_start(watch, BOTH);
        if (i % 2 == 0)
            ck_assert_uint_ne(stub_wait(loop, &seen), 0);
        stub_watch_close(watch);
        pair_close(fds);
        seen = (struct stub_seen){0};
        if (i % 3 == 0)
            stub_poll(loop);
        ck_assert_uint_eq(seen.count, 0);
    }
}

ANYC_TEST_TABLE(test_table_watch__leaves_the_closing_to_the_end_of_the_run)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    pair_sockets(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, BOTH);
    stub_watch_close(watch);
    pair_close(fds);
    /* No turn follows: `close` has to see to the memory. */
}

/* A number of descriptors that are all ready, the first report of which closes all others. */
struct crowd {
    anyc_watch *watches[10];
    int pairs[10][2];
};

static void close_others(anyc_watch *watch, void *arg)
{
    struct crowd *crowd = arg;

    for (int i = 0; i < 10; i++) {
        if (crowd->watches[i] == watch || crowd->watches[i] == NULL)
            continue;
        stub_watch_close(crowd->watches[i]);
        crowd->watches[i] = NULL;
        pair_close(crowd->pairs[i]);
    }
}

/* Tasks do not run between reports, but callbacks of the host do. */
ANYC_TEST_TABLE(test_table_watch__reports_nothing_of_a_watch_that_another_report_closed)
{
    struct crowd crowd = {0};
    struct stub_seen seen = {.ready = close_others, .arg = &crowd};

    for (int i = 0; i < 10; i++) {
        pair_sockets(crowd.pairs[i]);
        pair_put(crowd.pairs[i][1]);
        crowd.watches[i] = stub_watch(loop, crowd.pairs[i][0], &seen);
        stub_watch_start(crowd.watches[i], ANYC_READABLE);
    }
    while (seen.count == 0)
        stub_idle(loop);
    ck_assert_uint_eq(seen.count, 1);
    for (int i = 0; i < 10; i++) {
        if (crowd.watches[i] != NULL) {
            stub_watch_close(crowd.watches[i]);
            pair_close(crowd.pairs[i]);
        }
    }
}

static void stop_it(anyc_watch *watch, void *arg)
{
    (void)arg;
    if (watch->armed != 0)
        stub_watch_stop(watch);
}

static void keep_readable(anyc_watch *watch, void *arg)
{
    (void)arg;
    if (watch->armed != ANYC_READABLE)
        stub_watch_start(watch, ANYC_READABLE);
}

/* Core does both: nobody waits any more, or only a reader. */
ANYC_TEST_TABLE(test_table_watch__can_be_changed_from_its_own_report)
{
    struct stub_seen seen = {.ready = stop_it};
    anyc_watch *watch;
    int fds[2];

    pair_sockets(fds);
    pair_put(fds[1]);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, BOTH);
    ck_assert_uint_ne(stub_wait(loop, &seen), 0);
    stub_settle(loop);
    ck_assert_uint_eq(seen.count, 0);
    pair_take(fds[0]);
    seen.ready = keep_readable;
    stub_watch_start(watch, BOTH);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_WRITABLE);
    pair_put(fds[1]);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
    stub_watch_close(watch);
    pair_close(fds);
}

ANYC_TEST_TABLE(test_table_watch__leaves_the_flags_of_a_foreign_descriptor)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];
    int flags;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    flags = fcntl(fds[0], F_GETFL);
    ck_assert_int_eq(flags & O_NONBLOCK, 0);
    watch = stub_watch(loop, fds[0], &seen);
    ck_assert_int_eq(fcntl(fds[0], F_GETFL), flags);
    stub_watch_start(watch, ANYC_READABLE);
    pair_put(fds[1]);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
    ck_assert_int_eq(fcntl(fds[0], F_GETFL), flags);
    stub_watch_close(watch);
    ck_assert_int_eq(fcntl(fds[0], F_GETFL), flags);
    pair_close(fds);
}

ANYC_TEST_TABLE(test_table_watch__knows_terminals_too)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    int slave;

    if (master < 0)
        ANYC_TEST_SKIP("no pseudo-terminals here");
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(slave, 0);
    watch = stub_watch(loop, master, &seen);
    stub_watch_start(watch, ANYC_READABLE);
    pair_put(slave);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
    stub_watch_close(watch);
    close(slave);
    close(master);
}

static void more_descriptors(rlim_t wanted)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < wanted)
        ANYC_TEST_SKIP("too few descriptors");
    if (limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void count_and_stop(anyc_watch *watch, void *arg)
{
    unsigned *count = arg;

    ++*count;
    stub_watch_stop(watch);
}

ANYC_TEST_TABLE(test_table_watch__serves_many_at_once)
{
    static struct stub_seen seen[MANY];
    static anyc_watch *watches[MANY];
    static int pairs[MANY][2];
    unsigned count = 0;

    more_descriptors(2 * MANY + 50);
    for (int i = 0; i < MANY; i++) {
        seen[i] = (struct stub_seen){.ready = count_and_stop, .arg = &count};
        pair_sockets(pairs[i]);
        watches[i] = stub_watch(loop, pairs[i][0], &seen[i]);
        stub_watch_start(watches[i], ANYC_READABLE);
    }
    stub_settle(loop);
    ck_assert_uint_eq(count, 0);
    for (int i = 0; i < MANY; i++)
        pair_put(pairs[i][1]);
    while (count < MANY)
        stub_idle(loop);
    for (int i = 0; i < MANY; i++) {
        ck_assert_uint_eq(seen[i].events, ANYC_READABLE);
        stub_watch_close(watches[i]);
        pair_close(pairs[i]);
    }
}

/* A busy descriptor may not keep the deadline or another thread's wake from being seen. */
ANYC_TEST_TABLE(test_table_watch__a_busy_one_starves_nothing_else)
{
    struct stub_seen busy = {0};
    struct stub_seen quiet = {0};
    int64_t deadline_ns = loop->backend->current_time(loop) + STUB_MS;
    anyc_watch *watches[2];
    int fds[2];

    pair_sockets(fds);
    watches[0] = stub_watch(loop, fds[0], &busy);
    watches[1] = stub_watch(loop, fds[1], &quiet);
    stub_watch_start(watches[0], ANYC_WRITABLE); /* always */
    stub_watch_start(watches[1], ANYC_READABLE);
    loop->backend->sleep_until(loop, deadline_ns);
    while (loop->backend->current_time(loop) < deadline_ns)
        stub_idle(loop);
    pair_put(fds[0]);
    ck_assert_uint_eq(stub_wait(loop, &quiet), ANYC_READABLE);
    stub_watch_close(watches[0]);
    stub_watch_close(watches[1]);
    pair_close(fds);
}
