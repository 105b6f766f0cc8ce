/* SPDX-License-Identifier: MIT */
/*
 * test_table_watch.c - the slots of a backend's table for descriptors.
 */
#include "stub_core.h"

#include <check.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BOTH (ANYC_READABLE | ANYC_WRITABLE)
#define MANY 500

static void put(int fd)
{
    ck_assert_int_eq(write(fd, "x", 1), 1);
}

static void take(int fd)
{
    char byte;

    ck_assert_int_eq(read(fd, &byte, 1), 1);
}

/* Writes until there is no room; answers how many bytes that took. */
static size_t fill(int fd)
{
    static const char block[65536];
    size_t sum = 0;
    ssize_t count;

    while ((count = write(fd, block, sizeof block)) > 0)
        sum += (size_t)count;
    ck_assert_int_eq(errno, EAGAIN);
    return sum;
}

static void drain(int fd, size_t size)
{
    static char block[65536];
    ssize_t count;

    while (size > 0) {
        count = read(fd, block, sizeof block);
        ck_assert_int_gt(count, 0);
        size -= (size_t)count;
    }
}

static void close_both(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

ANYC_TEST_TABLE(test_table_watch__reports_data)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    stub_pipe(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, ANYC_READABLE);
    for (int i = 0; i < 10; i++) {
        put(fds[1]);
        ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
        take(fds[0]);
    }
    stub_settle(loop); /* nothing is left to report */
    ck_assert_uint_eq(seen.count, 0);
    stub_watch_close(watch);
    close_both(fds);
}

ANYC_TEST_TABLE(test_table_watch__reports_data_that_was_there_before)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    stub_pipe(fds);
    put(fds[1]);
    watch = stub_watch(loop, fds[0], &seen);
    stub_settle(loop);
    ck_assert_uint_eq(seen.count, 0); /* no interest, no report */
    stub_watch_start(watch, ANYC_READABLE);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
    stub_watch_close(watch);
    close_both(fds);
}

ANYC_TEST_TABLE(test_table_watch__reports_nothing_while_it_is_stopped)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    stub_sockets(fds);
    watch = stub_watch(loop, fds[0], &seen);
    for (int i = 0; i < 5; i++) {
        stub_watch_start(watch, ANYC_READABLE);
        stub_settle(loop);
        stub_watch_stop(watch);
        put(fds[1]);
        stub_settle(loop);
        ck_assert_uint_eq(seen.count, 0);
        stub_watch_start(watch, ANYC_READABLE); /* what came meanwhile is not forgotten */
        ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
        take(fds[0]);
        stub_watch_stop(watch);
    }
    stub_watch_close(watch);
    close_both(fds);
}

ANYC_TEST_TABLE(test_table_watch__reports_room)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];
    size_t sent;

    stub_sockets(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, ANYC_WRITABLE);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_WRITABLE);
    stub_watch_stop(watch);
    sent = fill(fds[0]);
    stub_watch_start(watch, ANYC_WRITABLE);
    stub_settle(loop);
    ck_assert_uint_eq(seen.count, 0);
    drain(fds[1], sent);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_WRITABLE);
    stub_watch_close(watch);
    close_both(fds);
}

/* Every change from one set of events to another, on a socket that is ready for both. */
ANYC_TEST_TABLE(test_table_watch__reports_exactly_what_was_asked_for_last)
{
    const unsigned order[] = {1, 2, 1, 3, 2, 3, 1, 0, 2, 0, 3, 0, 1};
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    stub_sockets(fds);
    put(fds[1]);
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
    close_both(fds);
}

ANYC_TEST_TABLE(test_table_watch__goes_on_reporting_one_event_when_the_other_is_dropped)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    stub_sockets(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, BOTH);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_WRITABLE);
    stub_watch_start(watch, ANYC_READABLE);
    put(fds[1]);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
    stub_watch_close(watch);
    close_both(fds);
}

ANYC_TEST_TABLE(test_table_watch__reports_the_end_of_a_stream_as_readable)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    stub_sockets(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, ANYC_READABLE);
    ck_assert_int_eq(shutdown(fds[1], SHUT_WR), 0);
    ck_assert_uint_ne(stub_wait(loop, &seen) & ANYC_READABLE, 0);
    stub_watch_close(watch);
    close_both(fds);
}

ANYC_TEST_TABLE(test_table_watch__reports_a_closed_pipe_to_its_reader)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    stub_pipe(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, ANYC_READABLE);
    stub_settle(loop);
    close(fds[1]);
    ck_assert_uint_ne(stub_wait(loop, &seen) & ANYC_READABLE, 0);
    stub_watch_close(watch);
    close(fds[0]);
}

ANYC_TEST_TABLE(test_table_watch__reports_a_closed_pipe_to_its_writer)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    stub_pipe(fds);
    fill(fds[1]);
    watch = stub_watch(loop, fds[1], &seen);
    stub_watch_start(watch, ANYC_WRITABLE);
    stub_settle(loop);
    ck_assert_uint_eq(seen.count, 0);
    close(fds[0]);
    ck_assert_uint_ne(stub_wait(loop, &seen) & ANYC_WRITABLE, 0);
    stub_watch_close(watch);
    close(fds[1]);
}

/* Whoever waits, for whichever event, must hear that the peer is gone. */
ANYC_TEST_TABLE(test_table_watch__reports_a_hang_up_as_both_events)
{
    struct stub_seen seen = {0};
    unsigned events = 0;
    anyc_watch *watch;
    int fds[2];

    stub_sockets(fds);
    fill(fds[0]);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, BOTH);
    stub_settle(loop);
    ck_assert_uint_eq(seen.count, 0);
    close(fds[1]);
    while (events != BOTH) {
        if (watch->armed == 0) /* a loop may stop reporting after an error */
            stub_watch_start(watch, BOTH);
        events |= stub_wait(loop, &seen);
    }
    stub_watch_close(watch);
    close(fds[0]);
}

/* A connected UDP socket in whose face the peer's port was shut. */
static int refused_udp_socket(struct sockaddr_in *peer)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof *peer;

    *peer = (struct sockaddr_in){.sin_family = AF_INET};
    peer->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(other, (struct sockaddr *)peer, len), 0);
    ck_assert_int_eq(getsockname(other, (struct sockaddr *)peer, &len), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)peer, len), 0);
    close(other);
    put(fd);
    return fd;
}

ANYC_TEST_TABLE(test_table_watch__goes_on_after_an_error)
{
    struct stub_seen seen = {0};
    struct sockaddr_in peer;
    int fd = refused_udp_socket(&peer);
    anyc_watch *watch = stub_watch(loop, fd, &seen);
    char byte;
    int other;

    stub_watch_start(watch, ANYC_READABLE);
    ck_assert_uint_ne(stub_wait(loop, &seen) & ANYC_READABLE, 0);
    ck_assert_int_eq(recv(fd, &byte, 1, 0), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(other, (struct sockaddr *)&peer, sizeof peer), 0);
    if (watch->armed != ANYC_READABLE)
        stub_watch_start(watch, ANYC_READABLE);
    put(fd); /* it works again; what comes back is data */
    peer.sin_port = 0;
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&peer, &(socklen_t){sizeof peer}), 0);
    ck_assert_int_eq(sendto(other, "x", 1, 0, (struct sockaddr *)&peer, sizeof peer), 1);
    do
        stub_wait(loop, &seen);
    while (recv(fd, &byte, 1, 0) != 1);
    stub_watch_close(watch);
    close(other);
    close(fd);
}

ANYC_TEST_TABLE(test_table_watch__reports_a_refused_connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int error = 0;
    int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(other, (struct sockaddr *)&address, len), 0); /* it does not listen */
    ck_assert_int_eq(getsockname(other, (struct sockaddr *)&address, &len), 0);
    watch = stub_watch(loop, fd, &seen);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, len), -1);
    stub_watch_start(watch, ANYC_WRITABLE);
    ck_assert_uint_ne(stub_wait(loop, &seen) & ANYC_WRITABLE, 0);
    len = sizeof error;
    ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    ck_assert_int_eq(error, ECONNREFUSED);
    stub_watch_close(watch);
    close(other);
    close(fd);
}

ANYC_TEST_TABLE(test_table_watch__can_be_closed_while_armed_and_ready)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    for (int i = 0; i < 100; i++) { /* descriptors get the same numbers again */
        stub_sockets(fds);
        put(fds[1]);
        watch = stub_watch(loop, fds[0], &seen);
        stub_watch_start(watch, BOTH);
        if (i % 2 == 0)
            ck_assert_uint_ne(stub_wait(loop, &seen), 0);
        stub_watch_close(watch);
        close_both(fds);
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

    stub_sockets(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, BOTH);
    stub_watch_close(watch);
    close_both(fds);
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
        close_both(crowd->pairs[i]);
    }
}

/* Tasks do not run between reports, but callbacks of the host do. */
ANYC_TEST_TABLE(test_table_watch__reports_nothing_of_a_watch_that_another_report_closed)
{
    struct crowd crowd = {0};
    struct stub_seen seen = {.ready = close_others, .arg = &crowd};

    for (int i = 0; i < 10; i++) {
        stub_sockets(crowd.pairs[i]);
        put(crowd.pairs[i][1]);
        crowd.watches[i] = stub_watch(loop, crowd.pairs[i][0], &seen);
        stub_watch_start(crowd.watches[i], ANYC_READABLE);
    }
    while (seen.count == 0)
        stub_idle(loop);
    ck_assert_uint_eq(seen.count, 1);
    for (int i = 0; i < 10; i++) {
        if (crowd.watches[i] != NULL) {
            stub_watch_close(crowd.watches[i]);
            close_both(crowd.pairs[i]);
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

    stub_sockets(fds);
    put(fds[1]);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, BOTH);
    ck_assert_uint_ne(stub_wait(loop, &seen), 0);
    stub_settle(loop);
    ck_assert_uint_eq(seen.count, 0);
    take(fds[0]);
    seen.ready = keep_readable;
    stub_watch_start(watch, BOTH);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_WRITABLE);
    put(fds[1]);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
    stub_watch_close(watch);
    close_both(fds);
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
    put(fds[1]);
    ck_assert_uint_eq(stub_wait(loop, &seen), ANYC_READABLE);
    ck_assert_int_eq(fcntl(fds[0], F_GETFL), flags);
    stub_watch_close(watch);
    ck_assert_int_eq(fcntl(fds[0], F_GETFL), flags);
    close_both(fds);
}

/* The code that opening a watch of this path answers. */
static int try_path(anyc_loop *loop, const char *path)
{
    struct stub_seen seen = {0};
    anyc_watch *watch = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc;

    ck_assert_int_ge(fd, 0);
    rc = stub_try_watch(loop, fd, &seen, &watch);
    close(fd);
    return rc;
}

ANYC_TEST_TABLE(test_table_watch__refuses_what_cannot_be_polled_and_prints_nothing)
{
    int before = stub_stderr_begin();
    struct stub_seen seen = {0};
    anyc_watch *watch = NULL;

    ck_assert_int_eq(try_path(loop, "/proc/self/exe"), -EPERM);
    ck_assert_int_eq(try_path(loop, "/"), -EPERM);
    ck_assert_int_eq(try_path(loop, "/dev/null"), -EPERM);
    ck_assert_int_eq(stub_try_watch(loop, 9999, &seen, &watch), -EBADF);
    stub_stderr_end(before);
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
    put(slave);
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
        stub_sockets(pairs[i]);
        watches[i] = stub_watch(loop, pairs[i][0], &seen[i]);
        stub_watch_start(watches[i], ANYC_READABLE);
    }
    stub_settle(loop);
    ck_assert_uint_eq(count, 0);
    for (int i = 0; i < MANY; i++)
        put(pairs[i][1]);
    while (count < MANY)
        stub_idle(loop);
    for (int i = 0; i < MANY; i++) {
        ck_assert_uint_eq(seen[i].events, ANYC_READABLE);
        stub_watch_close(watches[i]);
        close_both(pairs[i]);
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

    stub_sockets(fds);
    watches[0] = stub_watch(loop, fds[0], &busy);
    watches[1] = stub_watch(loop, fds[1], &quiet);
    stub_watch_start(watches[0], ANYC_WRITABLE); /* always */
    stub_watch_start(watches[1], ANYC_READABLE);
    loop->backend->sleep_until(loop, deadline_ns);
    while (loop->backend->current_time(loop) < deadline_ns)
        stub_idle(loop);
    put(fds[0]);
    ck_assert_uint_eq(stub_wait(loop, &quiet), ANYC_READABLE);
    stub_watch_close(watches[0]);
    stub_watch_close(watches[1]);
    close_both(fds);
}
