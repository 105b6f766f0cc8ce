/* SPDX-License-Identifier: MIT */
/*
 * test_unix_stream.c - what a UNIX stream shows to its user. AnyIO: TestUNIXStream. Descriptors are
 * in test_unix_fds.c.
 */
#include <stdlib.h>
#include <string.h>

#include "unix_link.h"

/* What the system says of the stream's own descriptor, when nobody has bound it: no name. */
static void attributes(const struct unix_place *place)
{
    struct unix_link link = unix_link_open(place);
    struct sockaddr_un own;
    socklen_t own_len = sizeof own;
    anyc_socket_address address;
    int family = 0;

    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_FAMILY, &family), 0);
    ck_assert_int_eq(family, AF_UNIX);
    ck_assert_int_eq(getsockname(unix_link_fd(&link), (struct sockaddr *)&own, &own_len), 0);
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_LOCAL_ADDRESS, &address), 0);
    unix_link_check_name(&address, own.sun_path, own_len - offsetof(struct sockaddr_un, sun_path));
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_REMOTE_ADDRESS, &address), 0);
    unix_link_check_name(&address, place->name, place->len);
    unix_link_check_no_port(&link.stream->resource, &ANYC_SOCKET_LOCAL_PORT);
    unix_link_check_no_port(&link.stream->resource, &ANYC_SOCKET_REMOTE_PORT);
    unix_link_close(&link);
}

/* NT-031, NT-R017, NT-R011 */
ANYC_TEST(test_unix_stream__has_the_attributes_of_its_socket)
{
    unix_for_each_place(attributes);
}

/* NT-R017: an unnamed peer has an empty name, which is a value; and it is kept after the end. */
ANYC_TEST(test_unix_stream__an_unnamed_peer_has_an_empty_address)
{
    struct unix_link link = unix_link_pair();
    anyc_socket_address address = {.host_len = 1};

    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_REMOTE_ADDRESS, &address), 0);
    unix_link_check_name(&address, "", 0);
    ck_assert_int_eq(anyc_close(link.stream), 0);
    address.host_len = 1;
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_REMOTE_ADDRESS, &address), 0);
    unix_link_check_name(&address, "", 0);
    ck_assert_int_eq(anyc_extra(link.stream, &ANYC_SOCKET_LOCAL_ADDRESS, &address), ANYC_ECLOSED);
    unix_link_close(&link);
}

static void invalid_maximum(const struct unix_place *place)
{
    struct unix_link link = unix_link_open(place);
    char buf[8] = {0};

    ck_assert(peer_send(link.peer, "data", 4));
    ck_assert_int_eq(anyc_receive(link.stream, buf, 0), ANYC_EINVAL);
    ck_assert_int_eq(anyc_receive(link.stream, buf, (size_t)-1), ANYC_EINVAL);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), 4);
    unix_link_close(&link);
}

/* NT-032 */
ANYC_TEST(test_unix_stream__refuses_a_maximum_of_no_bytes)
{
    unix_for_each_place(invalid_maximum);
}

enum { LARGE = 1024 * 1024 };

static void send_and_close(struct peer_thread *peer)
{
    peer_send(peer->fd, peer->data, peer->len);
    close(peer->fd);
}

static void receive_large(const struct unix_place *place)
{
    struct unix_link link = unix_link_open(place);
    char *sent = malloc(LARGE);
    char *received = malloc(LARGE + 65536);
    struct peer_thread peer = {.data = sent, .len = LARGE};
    size_t len = 0;
    ssize_t n = 0;

    memset(sent, 0xff, LARGE / 2);
    memset(sent + LARGE / 2, 0, LARGE / 2);
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
    unix_link_close(&link);
}

/* NT-033 */
ANYC_TEST(test_unix_stream__receives_a_large_buffer)
{
    unix_for_each_place(receive_large);
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

static void send_eof(const struct unix_place *place)
{
    struct unix_link link = unix_link_open(place);
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
    unix_link_close(&link);
}

/* NT-037 */
ANYC_TEST(test_unix_stream__receives_after_it_ended_its_sending)
{
    unix_for_each_place(send_eof);
}

/* Sends "ah" when everybody else is blocked, and so after "bl" was received. */
static int send_the_rest(void *arg)
{
    struct unix_link *link = arg;

    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert(peer_send(link->peer, "ah", 2));
    unix_link_hang_up(link);
    return 0;
}

static void iterate(const struct unix_place *place)
{
    struct unix_link link = unix_link_open(place);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char buf[64] = {0};

    anyc_task_group_enter(&group);
    ck_assert(peer_send(link.peer, "bl", 2));
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), 2);
    ck_assert_str_eq(buf, "bl");
    anyc_task_group_start_soon(&group, send_the_rest, &link, NULL);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), 2);
    ck_assert_str_eq(buf, "ah");
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), ANYC_EOF);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), ANYC_EOF);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    unix_link_close(&link);
}

/* NT-038, NT-R027 */
ANYC_TEST(test_unix_stream__gives_out_the_chunks_as_they_come)
{
    unix_for_each_place(iterate);
}

static void concurrent_receive(const struct unix_place *place)
{
    struct unix_link link = unix_link_open(place);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char buf[8];
    struct stream_call call = {link.stream, buf, sizeof buf, 0, false};
    size_t count = 0;
    int fd;
    char byte;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, stream_call_receive, &call, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 1), ANYC_EBUSY);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, &byte, 1, &fd, 1, &count),
                     ANYC_EBUSY);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(call.rc, ANYC_ECANCELLED);
    unix_link_close(&link);
}

/* NT-040, NT-R001 */
ANYC_TEST(test_unix_stream__a_second_receive_is_busy)
{
    unix_for_each_place(concurrent_receive);
}

static void after_close(const struct unix_place *place)
{
    struct unix_link link = unix_link_open(place);
    size_t count = 0;
    char byte = 'x';
    int fd = 0;

    ck_assert_int_eq(anyc_close(link.stream), 0);
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send(link.stream, "foo", 3), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_unix_socket_stream_send_fds(link.stream, "x", 1, &fd, 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, &byte, 1, &fd, 1, &count),
                     ANYC_ECLOSED);
    unix_link_close(&link);
}

/* NT-042, NT-043 */
ANYC_TEST(test_unix_stream__is_closed_after_close)
{
    unix_for_each_place(after_close);
}

/* A client that reads nothing, and the stream that its handler waits on. */
struct blocked_handler {
    bool sends;
    int child_rc;
    anyc_byte_stream *stream;
};

static int block_on_stream(void *arg)
{
    static const char block[4096];
    struct blocked_handler *handler = arg;
    ssize_t rc = 0;
    char byte;

    while (rc >= 0)
        rc = handler->sends ? anyc_send(handler->stream, block, sizeof block)
                            : anyc_receive(handler->stream, &byte, 1);
    handler->child_rc = (int)rc;
    return handler->child_rc;
}

static int sleep_and_close(anyc_byte_stream *stream, void *arg)
{
    struct blocked_handler *handler = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc;

    handler->stream = stream;
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, block_on_stream, handler, NULL);
    rc = anyc_sleep_forever();
    ck_assert_int_eq(anyc_close(stream), 0);
    rc = anyc_task_group_exit(&group, rc);
    anyc_aclose(stream);
    return rc;
}

struct blocked_server {
    anyc_listener *listener;
    struct blocked_handler *handler;
};

static int serve_blocked(void *arg)
{
    struct blocked_server *server = arg;

    return anyc_listener_serve(server->listener, sleep_and_close, server->handler, NULL);
}

static void close_after_cancelled(const struct unix_place *place, bool sends)
{
    struct blocked_handler handler = {.sends = sends};
    struct blocked_server server = {unix_link_listen(place), &handler};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int client = unix_peer_connect(place);

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, serve_blocked, &server, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_ptr_nonnull(handler.stream);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    if (handler.child_rc != ANYC_ECLOSED)
        ck_assert_int_eq(handler.child_rc, ANYC_ECANCELLED);
    close(client);
    anyc_aclose(server.listener);
}

static void close_after_cancelled_receive(const struct unix_place *place)
{
    close_after_cancelled(place, false);
}

static void close_after_cancelled_send(const struct unix_place *place)
{
    close_after_cancelled(place, true);
}

/* NT-041, NT-R030 */
ANYC_TEST(test_unix_stream__is_closed_right_after_a_blocked_call_was_cancelled)
{
    unix_for_each_place(close_after_cancelled_receive);
    unix_for_each_place(close_after_cancelled_send);
}

/* NT-R033, NT-R028: no SIGPIPE, the cause is kept, and closing outranks it. */
ANYC_TEST(test_unix_stream__sending_to_a_peer_that_has_gone_breaks)
{
    struct unix_link link = unix_link_pair();
    int file = unix_peer_file("");

    unix_link_hang_up(&link);
    ck_assert_int_eq(anyc_send(link.stream, "foo", 3), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, EPIPE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "unnamed"));
    ck_assert_int_eq(anyc_unix_socket_stream_send_fds(link.stream, "foo", 3, &file, 1),
                     ANYC_EBROKEN);
    ck_assert_int_eq(anyc_close(link.stream), 0);
    ck_assert_int_eq(anyc_send(link.stream, "foo", 3), ANYC_ECLOSED);
    close(file);
    unix_link_close(&link);
}

/* The peer goes with data unread, which is a reset. */
ANYC_TEST(test_unix_stream__a_reset_breaks_receiving)
{
    struct unix_link link = unix_link_pair();
    size_t count = 0;
    char byte;
    int fd;

    ck_assert_int_eq(anyc_send(link.stream, "foo", 3), 0);
    unix_link_hang_up(&link);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, &byte, 1, &fd, 1, &count),
                     ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, ECONNRESET);
    ck_assert_int_eq(anyc_receive(link.stream, &byte, 1), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, ECONNRESET);
    unix_link_close(&link);
}
