/* SPDX-License-Identifier: MIT */
/*
 * test_tcp_stream.c - what a TCP stream shows to its user. AnyIO: TestTCPStream.
 */
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>

#include "tcp_link.h"

static void check_address(const anyc_socket_address *address, int family, const char *host,
                          int port)
{
    ck_assert_int_eq(address->family, family);
    ck_assert_int_eq(address->port, port);
    ck_assert_str_eq(address->host, host);
    ck_assert_uint_eq(address->host_len, strlen(host));
}

static void attributes(int family)
{
    struct tcp_link link = tcp_link_open(family);
    anyc_socket_address local;
    anyc_socket_address remote;
    int found_family = 0;
    int local_port = 0;
    int remote_port = 0;
    int fd = -1;

    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_FAMILY, &found_family), 0);
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_LOCAL_ADDRESS, &local), 0);
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_LOCAL_PORT, &local_port), 0);
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_REMOTE_ADDRESS, &remote), 0);
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_REMOTE_PORT, &remote_port), 0);
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_RAW_SOCKET, &fd), 0);
    ck_assert_int_eq(found_family, family);
    check_address(&local, family, peer_loopback(family), peer_port(fd));
    ck_assert_int_eq(local_port, peer_port(fd));
    check_address(&remote, family, peer_loopback(family), peer_port(link.listener));
    ck_assert_int_eq(remote_port, peer_port(link.listener));
    tcp_link_close(&link);
}

/* NT-001 */
ANYC_TEST(test_tcp_stream__has_the_attributes_of_its_socket)
{
    peer_for_each_family(attributes);
}

/* NT-R017: the peer's address is that of the connect, also after a reset; a closed stream has no
 * local side any more. */
ANYC_TEST(test_tcp_stream__keeps_the_address_of_its_peer)
{
    struct tcp_link link = tcp_link_open(AF_INET);
    int port = 0;
    char byte;

    tcp_link_reset(&link);
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 1), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_REMOTE_PORT, &port), 0);
    ck_assert_int_eq(port, peer_port(link.listener));
    ck_assert_int_eq(anyc_close(link.stream), 0);
    port = 0;
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_REMOTE_PORT, &port), 0);
    ck_assert_int_eq(port, peer_port(link.listener));
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_LOCAL_PORT, &port), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_RAW_SOCKET, &port), ANYC_ECLOSED);
    tcp_link_close(&link);
}

static void invalid_maximum(int family)
{
    struct tcp_link link = tcp_link_open(family);
    char buf[8] = {0};

    ck_assert(peer_send(link.peer, "data", 4));
    ck_assert_int_eq(anyc_receive(link.stream, buf, 0), ANYC_EINVAL);
    ck_assert_int_eq(anyc_receive(link.stream, buf, (size_t)-1), ANYC_EINVAL);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), 4);
    ck_assert_mem_eq(buf, "data", 4);
    tcp_link_close(&link);
}

/* NT-002 */
ANYC_TEST(test_tcp_stream__refuses_a_maximum_of_no_bytes)
{
    peer_for_each_family(invalid_maximum);
}

enum { LARGE = 1024 * 1024 };

static void send_and_close(struct peer_thread *peer)
{
    peer_send(peer->fd, peer->data, peer->len);
    close(peer->fd);
}

static void receive_large(int family)
{
    struct tcp_link link = tcp_link_open(family);
    char *sent = malloc(LARGE);
    char *received = malloc(LARGE + 65536);
    struct peer_thread peer = {.data = sent, .len = LARGE};
    size_t len = 0;
    ssize_t n = 0;

    memset(sent, 0xff, LARGE);
    peer_start(&peer, send_and_close, link.peer);
    link.peer = -1;
    while (n >= 0 && len <= LARGE) {
        n = anyc_receive(link.stream, received + len, 65536);
        len += n > 0 ? (size_t)n : 0;
    }
    ck_assert_int_eq(n, ANYC_EOF);
    ck_assert_uint_eq(len, LARGE);
    ck_assert_mem_eq(received, sent, LARGE);
    peer_join(&peer);
    free(sent);
    free(received);
    tcp_link_close(&link);
}

/* NT-003, NT-R005: what is there, up to the maximum, until the end. */
ANYC_TEST(test_tcp_stream__receives_a_large_buffer)
{
    peer_for_each_family(receive_large);
}

static void answer_reversed(struct peer_thread *peer)
{
    char buf[64];
    char reversed[64];
    size_t len = peer_receive(peer->fd, buf, sizeof buf);

    for (size_t i = 0; i < len; i++)
        reversed[i] = buf[len - 1 - i];
    peer_send(peer->fd, reversed, len);
    close(peer->fd);
}

static void send_eof(int family)
{
    struct tcp_link link = tcp_link_open(family);
    struct peer_thread peer = {0};
    char buf[64] = {0};

    peer_start(&peer, answer_reversed, link.peer);
    link.peer = -1;
    ck_assert_int_eq(anyc_send(link.stream, "hello, ", 7), 0);
    ck_assert_int_eq(anyc_send(link.stream, "world\n", 6), 0);
    ck_assert_int_eq(anyc_send_eof(link.stream), 0);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), 13);
    ck_assert_str_eq(buf, "\ndlrow ,olleh");
    peer_join(&peer);
    tcp_link_close(&link);
}

/* NT-004 */
ANYC_TEST(test_tcp_stream__receives_after_it_ended_its_sending)
{
    peer_for_each_family(send_eof);
}

ANYC_TEST(test_tcp_stream__sends_nothing_after_it_ended_its_sending)
{
    struct tcp_link link = tcp_link_open(AF_INET);

    ck_assert_int_eq(anyc_send_eof(link.stream), 0);
    ck_assert_int_eq(anyc_send_eof(link.stream), 0);
    ck_assert_int_eq(anyc_send(link.stream, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_close(link.stream), 0);
    ck_assert_int_eq(anyc_send_eof(link.stream), ANYC_ECLOSED);
    tcp_link_close(&link);
}

static void receive_timeout(int family)
{
    struct tcp_link link = tcp_link_open(family);
    double end = anyc_current_time() + 0.3;
    bool after = false;
    anyc_cancel_scope scope;
    ssize_t rc = 0;
    char byte;

    anyc_move_on_after(&scope, 0.1, false);
    while (rc >= 0 && anyc_current_time() < end)
        rc = anyc_receive(link.stream, &byte, 1);
    if (rc >= 0)
        after = true;
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, (int)rc), 0);
    ck_assert(!after);
    ck_assert(anyc_cancel_scope_cancelled_caught(&scope));
    tcp_link_close(&link);
}

/* NT-007, NT-R036 */
ANYC_TEST_WITH(test_tcp_stream__receive_ends_at_a_deadline, .clock = ANYC_CLOCK_VIRTUAL)
{
    peer_for_each_family(receive_timeout);
}

static void concurrent_receive(int family)
{
    struct tcp_link link = tcp_link_open(family);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char buf[8];
    struct stream_call call = {link.stream, buf, sizeof buf, 0, false};
    char byte;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, stream_call_receive, &call, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 0), ANYC_EINVAL); /* looked at before */
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 1), ANYC_EBUSY);
    ck_assert(peer_send(link.peer, "x", 1));
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 1), ANYC_EBUSY);
    ck_assert(!call.done);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    tcp_link_close(&link);
}

/* NT-008, NT-R001, NT-R041 */
ANYC_TEST(test_tcp_stream__a_second_receive_is_busy)
{
    peer_for_each_family(concurrent_receive);
}

/* NT-R001: one reader and one writer at once; a second writer is told so. */
ANYC_TEST(test_tcp_stream__one_task_receives_while_another_sends)
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
    ck_assert_int_eq(anyc_send(link.stream, "x", 1), ANYC_EBUSY);
    ck_assert_int_eq(anyc_send_eof(link.stream), ANYC_EBUSY);
    ck_assert(!receive.done);
    ck_assert(!send.done);
    ck_assert(peer_send(link.peer, "hello", 5));
    while (!receive.done)
        ck_assert_int_eq(anyc_checkpoint(), 0);
    ck_assert_int_eq(receive.rc, 5);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(send.rc, ANYC_ECANCELLED);
    tcp_link_close(&link);
}

static int close_when_blocked(void *arg)
{
    anyc_byte_stream *stream = arg;

    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    return anyc_close(stream);
}

static void close_during_receive(int family)
{
    struct tcp_link link = tcp_link_open(family);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char byte;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, close_when_blocked, link.stream, NULL);
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    tcp_link_close(&link);
}

/* NT-009, NT-R003 */
ANYC_TEST(test_tcp_stream__close_wakes_a_receive)
{
    peer_for_each_family(close_during_receive);
}

/* NT-R003: closing may be repeated, ends both directions, and never waits for the peer (who reads
 * nothing here); the memory outlives who was blocked. */
ANYC_TEST(test_tcp_stream__aclose_wakes_both_directions)
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
    ck_assert_int_eq(anyc_close(link.stream), 0);
    ck_assert_int_eq(anyc_close(link.stream), 0);
    tcp_link_close(&link);
    ck_assert(!receive.done);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(receive.rc, ANYC_ECLOSED);
    ck_assert_int_eq(send.rc, ANYC_ECLOSED);
}

struct duel {
    anyc_byte_stream *own;
    anyc_byte_stream *other;
    ssize_t rc;
};

/* Whoever receives first closes and frees the stream of the other. */
static int duel(void *arg)
{
    struct duel *side = arg;
    char byte;

    side->rc = anyc_receive(side->own, &byte, 1);
    if (side->rc == 1)
        ck_assert_int_eq(anyc_aclose(side->other), 0);
    return 0;
}

/* NT-R003, NT-R028: a receive that was woken by data but did not run yet finds the stream closed. */
ANYC_TEST(test_tcp_stream__close_outruns_a_receive_that_was_just_woken)
{
    struct tcp_link one = tcp_link_open(AF_INET);
    struct tcp_link two = tcp_link_open(AF_INET);
    struct duel sides[] = {{one.stream, two.stream, 0}, {two.stream, one.stream, 0}};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, duel, &sides[0], NULL);
    anyc_task_group_start_soon(&group, duel, &sides[1], NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert(peer_send(one.peer, "x", 1));
    ck_assert(peer_send(two.peer, "x", 1));
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(sides[0].rc == 1 ? sides[1].rc : sides[0].rc, ANYC_ECLOSED);
    close(one.listener);
    close(one.peer);
    close(two.listener);
    close(two.peer);
    anyc_aclose(sides[0].rc == 1 ? one.stream : two.stream);
}

static void send_after_close(int family)
{
    struct tcp_link link = tcp_link_open(family);
    char byte;

    ck_assert_int_eq(anyc_close(link.stream), 0);
    ck_assert_int_eq(anyc_send(link.stream, "foo", 3), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send(link.stream, "", 0), ANYC_ECLOSED);
    tcp_link_close(&link);
}

/* NT-010 */
ANYC_TEST(test_tcp_stream__is_closed_after_close)
{
    peer_for_each_family(send_after_close);
}

/* Up to 1000 sends of "foo" until one fails. */
static int send_until_it_fails(anyc_byte_stream *stream)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i < 1000; i++)
        rc = anyc_send(stream, "foo", 3);
    return rc;
}

static void send_after_peer_closed(int family)
{
    struct tcp_link link = tcp_link_open(family);

    tcp_link_hang_up(&link);
    ck_assert_int_eq(send_until_it_fails(link.stream), ANYC_EBROKEN);
    ck_assert_int_ne(anyc_last_error()->os_error, 0);
    ck_assert_int_eq(anyc_close(link.stream), 0);
    ck_assert_int_eq(anyc_send(link.stream, "foo", 3), ANYC_ECLOSED);
    tcp_link_close(&link);
}

/* NT-011, NT-R028, NT-R033 */
ANYC_TEST(test_tcp_stream__sending_to_a_peer_that_has_gone_breaks)
{
    peer_for_each_family(send_after_peer_closed);
}

static void receive_after_reset(int family)
{
    struct tcp_link link = tcp_link_open(family);
    char byte;

    tcp_link_reset(&link);
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 1), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, ECONNRESET);
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 1), ANYC_EBROKEN); /* not the end of it */
    ck_assert_int_eq(anyc_last_error()->os_error, ECONNRESET);
    tcp_link_close(&link);
}

/* NT-012, NT-R004, NT-R029 */
ANYC_TEST(test_tcp_stream__receive_after_a_reset_keeps_the_cause)
{
    peer_for_each_family(receive_after_reset);
}

static void send_after_reset(int family)
{
    struct tcp_link link = tcp_link_open(family);
    char byte;

    tcp_link_reset(&link);
    ck_assert_int_eq(send_until_it_fails(link.stream), ANYC_EBROKEN);
    ck_assert_int_ne(anyc_last_error()->os_error, 0);
    /* The kernel told the send why; the receive must know it too. */
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 1), ANYC_EBROKEN);
    ck_assert_int_ne(anyc_last_error()->os_error, 0);
    tcp_link_close(&link);
}

/* NT-013, NT-R029 */
ANYC_TEST(test_tcp_stream__send_after_a_reset_keeps_the_cause)
{
    peer_for_each_family(send_after_reset);
}

/* NT-R029: an error that woke both directions is told to both. */
ANYC_TEST(test_tcp_stream__a_reset_breaks_both_directions)
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
    tcp_link_reset(&link);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(receive.rc, ANYC_EBROKEN);
    ck_assert_int_eq(send.rc, ANYC_EBROKEN);
    tcp_link_close(&link);
}

static void count_log(int code, const char *message, void *arg)
{
    int *count = arg;

    (void)code;
    (void)message;
    *count += 1;
}

static void unread_request(int family)
{
    struct tcp_link link = tcp_link_open(family);
    char byte;

    ck_assert_int_eq(anyc_send(link.stream, "GET", 3), 0);
    peer_wait_readable(link.peer);
    tcp_link_hang_up(&link); /* with data unread: a reset */
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 1), ANYC_EBROKEN);
    tcp_link_close(&link);
}

/* The reset comes while nobody waits, and nobody asks. */
static void unread_reset(int family)
{
    struct tcp_link link = tcp_link_open(family);

    ck_assert_int_eq(anyc_send(link.stream, "GET", 3), 0);
    peer_wait_readable(link.peer);
    tcp_link_hang_up(&link);
    ck_assert_int_eq(anyc_sleep(0.001), 0);
    tcp_link_close(&link);
}

static int crash_main(void *arg)
{
    (void)arg;
    peer_for_each_family(unread_request);
    peer_for_each_family(unread_reset);
    return 0;
}

/* NT-014, NT-R040 */
ANYC_TEST_PLAIN(test_tcp_stream__a_peer_that_crashed_leaves_no_unreported_error)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};
    int logged = 0;

    anyc_set_log_handler(count_log, &logged);
    ck_assert_int_eq(anyc_run_with(crash_main, NULL, &options), 0);
    anyc_set_log_handler(NULL, NULL);
    ck_assert_int_eq(logged, 0);
}

static void eof_behind_data(int family)
{
    struct tcp_link link = tcp_link_open(family);
    char buf[8];

    ck_assert(peer_send(link.peer, "data", 4));
    tcp_link_hang_up(&link);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), 4);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), ANYC_EOF);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), ANYC_EOF);
    ck_assert_int_eq(anyc_close(link.stream), 0);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), ANYC_ECLOSED);
    tcp_link_close(&link);
}

/* NT-R027, NT-R005: the end again and again; NT-R028: but CLOSED after a close. */
ANYC_TEST(test_tcp_stream__the_end_follows_the_data)
{
    peer_for_each_family(eof_behind_data);
}

static void send_after_peers_eof(int family)
{
    struct tcp_link link = tcp_link_open(family);
    char buf[8] = {0};

    ck_assert_int_eq(shutdown(link.peer, SHUT_WR), 0);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), ANYC_EOF);
    ck_assert_int_eq(anyc_sleep(0.001), 0);
    ck_assert_int_eq(anyc_send(link.stream, "still", 5), 0);
    ck_assert_int_eq(anyc_send(link.stream, "her", 3), 0);
    ck_assert_uint_eq(peer_receive(link.peer, buf, sizeof buf), 8);
    ck_assert_mem_eq(buf, "stillher", 8);
    tcp_link_close(&link);
}

/* NT-R026 */
ANYC_TEST(test_tcp_stream__sends_after_the_peer_ended_its_sending)
{
    peer_for_each_family(send_after_peers_eof);
}
