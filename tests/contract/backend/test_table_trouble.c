/* SPDX-License-Identifier: MIT */
/*
 * test_table_trouble.c - what a backend reports of descriptors that fail or end, and which it refuses.
 */
#include "stub_core.h"

#include "pairs.h"

#include <check.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define BOTH (ANYC_READABLE | ANYC_WRITABLE)

ANYC_TEST_TABLE(test_table_trouble__reports_the_end_of_a_stream_as_readable)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    pair_sockets(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, ANYC_READABLE);
    ck_assert_int_eq(shutdown(fds[1], SHUT_WR), 0);
    ck_assert_uint_ne(stub_wait(loop, &seen) & ANYC_READABLE, 0);
    stub_watch_close(watch);
    pair_close(fds);
}

ANYC_TEST_TABLE(test_table_trouble__reports_a_closed_pipe_to_its_reader)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    pair_pipe(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, ANYC_READABLE);
    stub_settle(loop);
    close(fds[1]);
    ck_assert_uint_ne(stub_wait(loop, &seen) & ANYC_READABLE, 0);
    stub_watch_close(watch);
    close(fds[0]);
}

ANYC_TEST_TABLE(test_table_trouble__reports_a_closed_pipe_to_its_writer)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    pair_pipe(fds);
    pair_fill(fds[1]);
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
ANYC_TEST_TABLE(test_table_trouble__reports_a_hang_up_as_both_events)
{
    struct stub_seen seen = {0};
    unsigned events = 0;
    anyc_watch *watch;
    int fds[2];

    pair_sockets(fds);
    pair_fill(fds[0]);
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
    pair_put(fd);
    return fd;
}

ANYC_TEST_TABLE(test_table_trouble__goes_on_after_an_error)
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
    pair_put(fd); /* it works again; what comes back is data */
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

ANYC_TEST_TABLE(test_table_trouble__reports_a_refused_connection)
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

ANYC_TEST_TABLE(test_table_trouble__refuses_what_cannot_be_polled_and_prints_nothing)
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
