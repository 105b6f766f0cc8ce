/* SPDX-License-Identifier: MIT */
/*
 * test_socket_stream.c - the inside of socket streams: cancellation at each point, partial sends,
 * many pieces, no memory.
 */
#include <stdio.h>
#include <string.h>

#include <sys/socket.h>

#include "support/fail_alloc.h"
#include "tcp_link.h"

/* NT-R002: cancelled on entry, nothing is done to the socket. */
ANYC_TEST(test_socket_stream__a_cancelled_task_does_nothing_to_the_socket)
{
    struct tcp_link link = tcp_link_open(AF_INET);
    anyc_cancel_scope scope;
    char buf[8] = {0};

    ck_assert(peer_send(link.peer, "data", 4));
    anyc_cancel_scope_enter(&scope, NULL);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_send(link.stream, "lost", 4), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_send(link.stream, "", 0), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_send_some(link.stream, "lost", 4), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_send_eof(link.stream), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);

    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), 4);
    ck_assert_mem_eq(buf, "data", 4);
    ck_assert_int_eq(anyc_send(link.stream, "kept", 4), 0);
    ck_assert_uint_eq(peer_receive(link.peer, buf, 4), 4);
    ck_assert_mem_eq(buf, "kept", 4);
    tcp_link_close(&link);
}

/* NT-R002: data that came just before the cancellation is received, or is there for the next. */
ANYC_TEST(test_socket_stream__a_cancelled_receive_loses_nothing)
{
    struct tcp_link link = tcp_link_open(AF_INET);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char buf[8] = {0};
    struct stream_call call = {link.stream, buf, sizeof buf, 0, false};
    size_t len = 0;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, stream_call_receive, &call, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert(peer_send(link.peer, "data", 4));
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(call.rc, ANYC_ECANCELLED);
    len = (size_t)anyc_receive(link.stream, buf, sizeof buf);
    ck_assert_uint_eq(len, 4);
    ck_assert_mem_eq(buf, "data", 4);
    tcp_link_close(&link);
}

/* NT-R030: closed right after the cancellation of a blocked call, before its task ran. */
ANYC_TEST(test_socket_stream__close_after_a_cancelled_call_wakes_nobody_twice)
{
    static char out[TCP_LINK_TOO_MUCH];
    struct tcp_link link = tcp_link_open_full(AF_INET);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char in[8];
    struct stream_call receive = {link.stream, in, sizeof in, 0, false};
    struct stream_call send = {link.stream, out, sizeof out, 0, false};

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, stream_call_receive, &receive, NULL);
    anyc_task_group_start_soon(&group, stream_call_send, &send, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_task_group_cancel(&group, NULL);
    tcp_link_close(&link);
    ck_assert(!receive.done);
    ck_assert(!send.done);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(receive.rc, ANYC_ECANCELLED);
    ck_assert_int_eq(send.rc, ANYC_ECANCELLED);
}

enum { HUGE = 8 * 1024 * 1024 };

/* NT-R005: cancelled midway, part has gone out; the message says how much, and the stream goes on. */
ANYC_TEST(test_socket_stream__a_cancelled_send_says_how_much_went_out)
{
    struct tcp_link link = tcp_link_open_narrow(AF_INET);
    char *data = calloc(1, HUGE);
    char *read = malloc(HUGE);
    anyc_cancel_scope scope;
    size_t sent = 0;
    size_t total = 0;
    int rc;

    anyc_move_on_after(&scope, 0.01, false);
    rc = anyc_send(link.stream, data, HUGE);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_int_eq(
        sscanf(anyc_last_error()->message, "%zu of %zu bytes were sent", &sent, &total), 2);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), 0);
    ck_assert_uint_gt(sent, 0);
    ck_assert_uint_lt(sent, HUGE);
    ck_assert_uint_eq(total, HUGE);

    ck_assert_uint_eq(peer_receive(link.peer, read, sent), sent);
    ck_assert_int_eq(anyc_send(link.stream, "next", 4), 0);
    ck_assert_uint_eq(peer_receive(link.peer, read, 4), 4);
    ck_assert_mem_eq(read, "next", 4);
    free(data);
    free(read);
    tcp_link_close(&link);
}

/* What the buffer takes at once, which is less than there is; then, when nothing fits, nothing. */
ANYC_TEST(test_socket_stream__sends_a_part_and_says_how_much)
{
    struct tcp_link link = tcp_link_open_narrow(AF_INET);
    char *data = malloc(HUGE);
    char *read = malloc(HUGE);
    anyc_cancel_scope scope;
    size_t sent = 0;
    ssize_t n;

    for (size_t i = 0; i < HUGE; i++)
        data[i] = (char)(i * 7 + i / 251);
    anyc_move_on_after(&scope, 0.05, false);
    do {
        n = anyc_send_some(link.stream, data + sent, HUGE - sent);
        sent += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    ck_assert_int_eq(n, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_uint_gt(sent, 0);
    ck_assert_uint_lt(sent, HUGE);

    ck_assert_uint_eq(peer_receive(link.peer, read, sent), sent);
    ck_assert(memcmp(read, data, sent) == 0);
    ck_assert_int_eq(anyc_send_some(link.stream, "next", 4), 4);
    ck_assert_uint_eq(peer_receive(link.peer, read, 4), 4);
    ck_assert_mem_eq(read, "next", 4);
    ck_assert_int_eq(anyc_send_eof(link.stream), 0);
    ck_assert_int_eq(anyc_send_some(link.stream, "x", 1), ANYC_ECLOSED);
    free(data);
    free(read);
    tcp_link_close(&link);
}

static int send_part(void *arg)
{
    struct stream_call *call = arg;

    call->rc = anyc_send_some(call->stream, call->buf, call->len);
    call->done = true;
    return 0;
}

/* It counts as a sender meanwhile. */
ANYC_TEST(test_socket_stream__a_part_waits_for_room)
{
    static char data[TCP_LINK_TOO_MUCH];
    struct tcp_link link = tcp_link_open_full(AF_INET);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct stream_call part;
    int tries = 0;

    do { /* the kernel may still find some room, in several goes */
        part = (struct stream_call){link.stream, data, sizeof data, 0, false};
        if (tries > 0)
            ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
        group = (anyc_task_group)ANYC_TASK_GROUP_INIT;
        anyc_task_group_enter(&group);
        anyc_task_group_start_soon(&group, send_part, &part, NULL);
        ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    } while (part.done && ++tries < 1000);
    ck_assert(!part.done);
    ck_assert_int_eq(anyc_send_some(link.stream, "x", 1), ANYC_EBUSY);
    ck_assert_int_eq(anyc_send(link.stream, "x", 1), ANYC_EBUSY);
    while (recv(link.peer, data, sizeof data, MSG_DONTWAIT) > 0)
        continue;
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_gt(part.rc, 0);
    ck_assert_int_lt(part.rc, (ssize_t)sizeof data);
    tcp_link_close(&link);
}

ANYC_TEST(test_socket_stream__a_part_of_a_closed_or_broken_stream_is_refused)
{
    struct tcp_link link = tcp_link_open(AF_INET);

    tcp_link_reset(&link);
    while (anyc_send_some(link.stream, "x", 1) > 0)
        continue;
    ck_assert_int_eq(anyc_last_error()->code, ANYC_EBROKEN);
    ck_assert_int_eq(anyc_close(link.stream), 0);
    ck_assert_int_eq(anyc_send_some(link.stream, "x", 1), ANYC_ECLOSED);
    tcp_link_close(&link);
}

static void collect(struct peer_thread *peer)
{
    peer->len = peer_receive(peer->fd, (void *)peer->data, peer->len);
    close(peer->fd);
}

/* NT-R005: send returns when the kernel has taken all bytes, however often it has to wait. */
ANYC_TEST(test_socket_stream__send_waits_until_all_is_taken)
{
    struct tcp_link link = tcp_link_open(AF_INET);
    unsigned char *data = malloc(HUGE);
    unsigned char *read = malloc(HUGE + 1);
    struct peer_thread peer = {.data = read, .len = HUGE + 1};

    for (size_t i = 0; i < HUGE; i++)
        data[i] = (unsigned char)(i * 7 + i / 251);
    peer_start(&peer, collect, link.peer);
    link.peer = -1;
    ck_assert_int_eq(anyc_send(link.stream, data, HUGE), 0);
    ck_assert_int_eq(anyc_send_eof(link.stream), 0);
    peer_join(&peer);
    ck_assert_uint_eq(peer.len, HUGE);
    ck_assert(memcmp(read, data, HUGE) == 0);
    free(data);
    free(read);
    tcp_link_close(&link);
}

/* More pieces than one system call takes, of all sizes, 0 too, and more than fits at once. */
ANYC_TEST(test_socket_stream__sends_many_pieces_as_one)
{
    enum { PIECES = 3000 };
    struct tcp_link link = tcp_link_open(AF_INET);
    struct iovec *pieces = calloc(PIECES, sizeof *pieces);
    unsigned char *data = malloc(HUGE);
    unsigned char *read = malloc(HUGE);
    struct peer_thread peer = {.data = read, .len = HUGE};
    size_t total = 0;

    for (size_t i = 0; i < HUGE; i++)
        data[i] = (unsigned char)(i * 13 + i / 251);
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i].iov_base = data + total;
        pieces[i].iov_len = i < 1500 ? 0 : (i * 37) % 4096;
        total += pieces[i].iov_len;
    }
    peer_start(&peer, collect, link.peer);
    link.peer = -1;
    ck_assert_int_eq(anyc_sendv(link.stream, pieces, PIECES), 0);
    ck_assert_int_eq(anyc_send_eof(link.stream), 0);
    peer_join(&peer);
    ck_assert_uint_eq(peer.len, total);
    ck_assert(memcmp(read, data, total) == 0);
    free(pieces);
    free(data);
    free(read);
    tcp_link_close(&link);
}

ANYC_TEST(test_socket_stream__sends_no_bytes_at_all)
{
    struct tcp_link link = tcp_link_open(AF_INET);
    const struct iovec nothing[2] = {{NULL, 0}, {NULL, 0}};
    char buf[2];

    ck_assert_int_eq(anyc_send(link.stream, NULL, 0), 0);
    ck_assert_int_eq(anyc_sendv(link.stream, nothing, 2), 0);
    ck_assert_int_eq(anyc_sendv(link.stream, NULL, 0), 0);
    ck_assert_int_eq(anyc_send(link.stream, "x", 1), 0);
    ck_assert_uint_eq(peer_receive(link.peer, buf, 1), 1);
    tcp_link_close(&link);
}

struct closer {
    anyc_byte_stream *stream;
    bool closed;
};

static int close_at_once(void *arg)
{
    struct closer *closer = arg;

    closer->closed = anyc_aclose(closer->stream) == 0;
    return 0;
}

/* A task that lets others run at its checkpoint may come back to a stream that has gone. */
ANYC_TEST(test_socket_stream__is_freed_while_a_call_lets_others_run)
{
    struct tcp_link link = tcp_link_open(AF_INET);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct closer closer = {link.stream, false};
    char in[1];
    int rc = 0;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, close_at_once, &closer, NULL);
    while (rc == 0 && !closer.closed) {
        ck_assert(peer_send(link.peer, "x", 1));
        rc = anyc_receive(link.stream, in, 1) == 1 ? 0 : ANYC_ECLOSED;
    }
    ck_assert_int_eq(rc, ANYC_ECLOSED); /* from the call in which the other task ran */
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    close(link.listener);
    close(link.peer);
}

/* Connects and uses a stream while the nth allocation fails; true when none failed. */
static bool use_without_memory(int listener, long n)
{
    anyc_byte_stream *stream = NULL;
    char byte;
    bool failed;
    int rc;

    fail_alloc_arm(n);
    rc = anyc_connect_tcp("127.0.0.1", peer_port(listener), NULL, &stream);
    if (rc == 0)
        rc = anyc_send(stream, "x", 1);
    failed = fail_alloc_disarm();
    if (stream != NULL) {
        int peer = peer_accept(listener);

        ck_assert_int_eq(rc, 0);
        ck_assert_uint_eq(peer_receive(peer, &byte, 1), 1);
        close(peer);
        anyc_aclose(stream);
    } else {
        ck_assert(failed);
        ck_assert_int_eq(rc, ANYC_ENOMEM);
    }
    return !failed;
}

static int without_memory(void *arg)
{
    int listener = peer_listen(AF_INET);
    int fds = peer_count_fds();
    bool done = false;

    (void)arg;
    for (long n = 1; !done; n++) {
        ck_assert_int_lt(n, 100);
        done = use_without_memory(listener, n);
        peer_drain(listener);
        ck_assert_int_eq(peer_count_fds(), fds);
    }
    close(listener);
    return 0;
}

ANYC_TEST_PLAIN(test_socket_stream__survives_without_memory)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};

    fail_alloc_install();
    ck_assert_int_eq(anyc_run_with(without_memory, NULL, &options), 0);
    ck_assert_int_eq(fail_alloc_live(), 0);
}
