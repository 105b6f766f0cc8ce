/* SPDX-License-Identifier: MIT */
/*
 * test_readiness.c - waiting for raw descriptors. AnyIO: test_wait_socket.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "support/peer.h"

/* What a task waits for, and what came of it. */
struct fd_call {
    int fd;
    unsigned events;
    unsigned ready;
    int rc;
    bool done;
};

static int wait_fd(void *arg)
{
    struct fd_call *call = arg;

    call->rc = anyc_wait_fd(call->fd, call->events, &call->ready);
    call->done = true;
    return call->rc == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

/* A connected pair; sides[0] has no room for more if `full`. */
static void open_pair(int sides[2], bool full)
{
    char block[4096] = {0};
    ssize_t n = 1;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sides), 0);
    while (full && n > 0)
        n = send(sides[0], block, sizeof block, MSG_DONTWAIT);
}

static void close_pair(const int sides[2])
{
    close(sides[0]);
    close(sides[1]);
}

static void wait_for_hello(int (*wait)(int fd))
{
    int listener = peer_listen(AF_INET);
    int client = peer_connect(AF_INET, peer_port(listener));
    int fd = peer_accept(listener);
    anyc_cancel_scope scope;
    char buf[32] = {0};

    ck_assert(peer_send(client, "Hello, world", 12));
    anyc_fail_after(&scope, 3, false);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, wait(fd)), 0);
    ck_assert_uint_eq(peer_receive(fd, buf, 12), 12);
    ck_assert_str_eq(buf, "Hello, world");
    close(fd);
    close(client);
    close(listener);
}

/* WR-001 */
ANYC_TEST(test_readiness__waits_for_data_and_for_room)
{
    wait_for_hello(anyc_wait_readable);
    wait_for_hello(anyc_wait_writable);
}

/* NT-R018: any descriptor, and its flags stay as they are. */
ANYC_TEST(test_readiness__waits_for_a_pipe)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct fd_call call = {.events = ANYC_READABLE};
    int ends[2];
    int flags;

    ck_assert_int_eq(pipe(ends), 0);
    flags = fcntl(ends[0], F_GETFL);
    call.fd = ends[0];
    ck_assert_int_eq(anyc_wait_writable(ends[1]), 0);
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, wait_fd, &call, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert(!call.done);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(call.rc, 0);
    ck_assert_uint_eq(call.ready, ANYC_READABLE);
    ck_assert_int_eq(fcntl(ends[0], F_GETFL), flags);
    close_pair(ends);
}

/* NT-R018: one waiter for each direction, both at once. NT-R019: the pair is full, because a fresh
 * socket polls as ready. */
ANYC_TEST(test_readiness__one_waits_to_read_and_one_to_write)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char block[4096];
    unsigned ready;
    int sides[2];
    struct fd_call reader = {.events = ANYC_READABLE};
    struct fd_call writer = {.events = ANYC_WRITABLE};

    open_pair(sides, true);
    reader.fd = sides[0];
    writer.fd = sides[0];
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, wait_fd, &reader, NULL);
    anyc_task_group_start_soon(&group, wait_fd, &writer, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_wait_readable(sides[0]), ANYC_EBUSY);
    ck_assert_int_eq(anyc_wait_writable(sides[0]), ANYC_EBUSY);
    ck_assert_int_eq(anyc_wait_fd(sides[0], ANYC_READABLE | ANYC_WRITABLE, &ready), ANYC_EBUSY);
    while (!writer.done) {
        while (recv(sides[1], block, sizeof block, MSG_DONTWAIT) > 0)
            continue;
        ck_assert_int_eq(anyc_checkpoint(), 0);
    }
    ck_assert(!reader.done);
    ck_assert_int_eq(send(sides[1], "x", 1, 0), 1);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(writer.rc, 0);
    ck_assert_int_eq(reader.rc, 0);
    close_pair(sides);
}

ANYC_TEST(test_readiness__waits_for_either_direction)
{
    const unsigned both = ANYC_READABLE | ANYC_WRITABLE;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct fd_call call = {.events = both};
    unsigned ready = 0;
    int sides[2];

    open_pair(sides, false);
    ck_assert_int_eq(anyc_wait_fd(sides[0], both, &ready), 0);
    ck_assert_uint_eq(ready, ANYC_WRITABLE);
    close_pair(sides);

    open_pair(sides, true);
    call.fd = sides[0];
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, wait_fd, &call, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_wait_readable(sides[0]), ANYC_EBUSY);
    ck_assert_int_eq(anyc_wait_writable(sides[0]), ANYC_EBUSY);
    ck_assert_int_eq(send(sides[1], "x", 1, 0), 1);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(call.rc, 0);
    ck_assert_uint_eq(call.ready, ANYC_READABLE);
    close_pair(sides);
}

/* NT-R018: a cancelled waiter takes its interest away; the next one waits as usual. */
ANYC_TEST(test_readiness__a_cancelled_wait_leaves_nothing_behind)
{
    int sides[2];
    unsigned ready;

    open_pair(sides, false);
    for (int i = 0; i < 3; i++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        struct fd_call call = {.fd = sides[0], .events = ANYC_READABLE};

        anyc_task_group_enter(&group);
        anyc_task_group_start_soon(&group, wait_fd, &call, NULL);
        ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
        anyc_task_group_cancel(&group, NULL);
        anyc_notify_closing(sides[0]); /* between the cancellation and the end of the wait */
        ck_assert_int_eq(anyc_wait_fd(sides[0], ANYC_READABLE, &ready), ANYC_ECANCELLED);
        ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
        ck_assert_int_eq(call.rc, ANYC_ECANCELLED);
    }
    ck_assert_int_eq(send(sides[1], "x", 1, 0), 1);
    ck_assert_int_eq(anyc_wait_readable(sides[0]), 0);
    close_pair(sides);
}

ANYC_TEST_WITH(test_readiness__ends_at_a_deadline, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;
    int sides[2];

    open_pair(sides, false);
    anyc_fail_after(&scope, 3, false);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, anyc_wait_readable(sides[0])), ANYC_ETIMEDOUT);
    close_pair(sides);
}

/* AnyIO: notify_closing. The number may be used again at once. */
ANYC_TEST(test_readiness__notify_closing_wakes_who_waits)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int sides[2];
    struct fd_call reader = {.events = ANYC_READABLE};
    struct fd_call writer = {.events = ANYC_WRITABLE};

    open_pair(sides, true);
    reader.fd = sides[0];
    writer.fd = sides[0];
    anyc_notify_closing(sides[0]); /* nobody waits */
    anyc_notify_closing(-1);
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, wait_fd, &reader, NULL);
    anyc_task_group_start_soon(&group, wait_fd, &writer, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_notify_closing(sides[0]);
    close_pair(sides);
    open_pair(sides, false);
    ck_assert_int_eq(anyc_wait_writable(sides[0]), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(reader.rc, ANYC_ECLOSED);
    ck_assert_int_eq(writer.rc, ANYC_ECLOSED);
    close_pair(sides);
}

ANYC_TEST_PLAIN(test_readiness__needs_a_loop)
{
    anyc_notify_closing(0);
    ck_assert_int_eq(anyc_wait_readable(0), ANYC_ENOLOOP);
}

/* NT-R018: what cannot be polled says so. */
ANYC_TEST(test_readiness__refuses_what_cannot_be_polled)
{
    FILE *file = tmpfile();
    unsigned ready;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(anyc_wait_readable(fileno(file)), -EPERM);
    ck_assert_int_eq(anyc_wait_readable(-1), -EBADF);
    ck_assert_int_eq(anyc_wait_readable(1000000), -EBADF);
    ck_assert_int_eq(anyc_wait_fd(fileno(file), 0, &ready), ANYC_EINVAL);
    ck_assert_int_eq(anyc_wait_fd(fileno(file), 4, &ready), ANYC_EINVAL);
    fclose(file);
}

/* The watch of a stream is shared: the stream's task and a raw waiter may meet. */
ANYC_TEST(test_readiness__shares_the_descriptor_of_a_stream)
{
    int listener = peer_listen(AF_INET);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct fd_call call = {.events = ANYC_READABLE};
    anyc_byte_stream *stream;
    char buf[8];
    int peer;

    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", peer_port(listener), NULL, &stream), 0);
    peer = peer_accept(listener);
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_RAW_SOCKET, &call.fd), 0);
    ck_assert_int_eq(anyc_wait_writable(call.fd), 0);
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, wait_fd, &call, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), ANYC_EBUSY);
    ck_assert(peer_send(peer, "data", 4));
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(call.rc, 0);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 4);
    ck_assert(peer_send(peer, "more", 4));
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 4);
    anyc_aclose(stream);
    close(peer);
    close(listener);
}
