/* SPDX-License-Identifier: MIT */
/*
 * test_unix_fds_waiting.c - descriptors over UNIX streams: calls that wait, are cancelled, closed
 * or need several steps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/net/fds_files.h"
#include "unix_link.h"

/* One call of either function, as a task. */
struct fds_call {
    anyc_byte_stream *stream;
    char *buf;
    size_t len;
    int fds[2];
    size_t count;
    ssize_t rc;
    char message[128]; /* of a failure */
};

static int call_end(struct fds_call *call, ssize_t rc)
{
    call->rc = rc;
    if (rc < 0)
        snprintf(call->message, sizeof call->message, "%s", anyc_last_error()->message);
    return rc == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

static int call_receive(void *arg)
{
    struct fds_call *call = arg;

    return call_end(call, anyc_unix_socket_stream_receive_fds(call->stream, call->buf, call->len,
                                                              call->fds, 2, &call->count));
}

static int call_send(void *arg)
{
    struct fds_call *call = arg;

    return call_end(call, anyc_unix_socket_stream_send_fds(call->stream, call->buf, call->len,
                                                           call->fds, call->count));
}

/* NT-R002: waits for the message; one that came just before the cancellation is there for the next
 * call. */
ANYC_TEST(test_unix_fds_waiting__a_cancelled_receive_loses_nothing)
{
    struct unix_link link = unix_link_pair();
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char buf[8] = "";
    struct fds_call call = {.stream = link.stream, .buf = buf, .len = sizeof buf};
    int files[2];

    open_files(files);
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, call_receive, &call, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    unix_peer_send_fds(link.peer, "test", files, 2);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(call.rc, ANYC_ECANCELLED);
    ck_assert_int_eq(call_receive(&call), 0);
    ck_assert_int_eq(call.rc, 4);
    ck_assert_uint_eq(call.count, 2);
    check_files(call.fds);
    close_all(files, 2);
    unix_link_close(&link);
}

/* NT-R002: cancelled on entry, nothing is done to the socket. */
ANYC_TEST(test_unix_fds_waiting__a_cancelled_task_does_nothing_to_the_socket)
{
    struct unix_link link = unix_link_pair();
    char buf[8] = "data";
    struct fds_call call = {.stream = link.stream, .buf = buf, .len = 4, .count = 1};
    anyc_cancel_scope scope;

    ck_assert(peer_send(link.peer, "kept", 4));
    anyc_cancel_scope_enter(&scope, NULL);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(call_send(&call), ANYC_ECANCELLED);
    ck_assert_int_eq(call_receive(&call), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(recv(link.peer, buf, 1, MSG_DONTWAIT), -1);
    ck_assert_int_eq(call_receive(&call), 0);
    ck_assert_int_eq(call.rc, 4);
    unix_link_close(&link);
}

/* NT-R003: closing wakes both, and their memory outlives it. */
ANYC_TEST(test_unix_fds_waiting__aclose_wakes_both_directions)
{
    struct unix_link link = unix_link_pair();
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char in[8];
    char out[8] = "test";
    struct fds_call receive = {.stream = link.stream, .buf = in, .len = sizeof in};
    struct fds_call send = {.stream = link.stream, .buf = out, .len = 4, .count = 1};

    peer_fill(unix_link_fd(&link));
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, call_receive, &receive, NULL);
    anyc_task_group_start_soon(&group, call_send, &send, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_send(link.stream, "x", 1), ANYC_EBUSY);
    unix_link_close(&link);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(receive.rc, ANYC_ECLOSED);
    ck_assert_int_eq(send.rc, ANYC_ECLOSED);
}

/* Cancelled while there is no room: nothing has gone, and the call says so. */
ANYC_TEST(test_unix_fds_waiting__a_send_that_found_no_room_sends_nothing)
{
    struct unix_link link = unix_link_pair();
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char out[8] = "test";
    struct fds_call call = {.stream = link.stream, .buf = out, .len = 4, .count = 1};

    peer_fill(unix_link_fd(&link));
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, call_send, &call, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(call.rc, ANYC_ECANCELLED);
    ck_assert_str_eq(call.message, "0 of 4 bytes were sent");
    unix_link_close(&link);
}

/* The number at the front of a text. */
static unsigned long number_of(const char *text)
{
    return strtoul(text, NULL, 10);
}

/* NT-R005: cancelled midway, it says how much has gone; the first byte took the descriptors. */
ANYC_TEST(test_unix_fds_waiting__a_cancelled_send_says_how_much_went_out)
{
    static char out[UNIX_LINK_TOO_MUCH];
    struct unix_link link = unix_link_pair();
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct fds_call call = {.stream = link.stream, .buf = out, .len = sizeof out, .count = 2};
    size_t count = 0;
    size_t received;
    int fds[2];

    open_files(call.fds);
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, call_send, &call, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(call.rc, ANYC_ECANCELLED);
    ck_assert_uint_gt(number_of(call.message), 0);
    ck_assert_ptr_nonnull(strstr(call.message, " of 4194304 bytes"));
    ck_assert_int_eq(anyc_send_eof(link.stream), 0);
    received = unix_peer_receive_fds(link.peer, out, sizeof out, fds, 2, &count);
    ck_assert_uint_eq(count, 2);
    check_files(fds);
    received += peer_receive(link.peer, out, sizeof out);
    ck_assert_uint_eq(received, number_of(call.message));
    close_all(call.fds, 2);
    unix_link_close(&link);
}

struct large {
    char *bytes;
    size_t len;
    size_t count; /* of descriptors */
    int fds[4];
    int descriptors_in_later_parts;
};

static void read_large(struct peer_thread *peer)
{
    struct large *large = (struct large *)peer->data;
    size_t n = 1;

    while (n > 0) {
        size_t count = 0;

        n = unix_peer_receive_fds(peer->fd, large->bytes + large->len, 65536,
                                  large->fds + large->count, 4 - large->count, &count);
        if (large->len > 0)
            large->descriptors_in_later_parts += (int)count;
        large->len += n;
        large->count += count;
    }
}

/* NT-R015: more than the kernel takes at once: the descriptors travel with the first byte, once,
 * and the rest follows. */
ANYC_TEST(test_unix_fds_waiting__sends_a_large_message)
{
    struct unix_link link = unix_link_pair();
    struct large large = {.bytes = malloc(UNIX_LINK_TOO_MUCH + 65536)};
    char *sent = malloc(UNIX_LINK_TOO_MUCH);
    struct peer_thread peer = {.data = &large};
    int files[2];

    for (size_t i = 0; i < UNIX_LINK_TOO_MUCH; i++)
        sent[i] = (char)(i * 7 + i / 251);
    open_files(files);
    peer_start(&peer, read_large, link.peer);
    ck_assert_int_eq(
        anyc_unix_socket_stream_send_fds(link.stream, sent, UNIX_LINK_TOO_MUCH, files, 2), 0);
    ck_assert_int_eq(anyc_send_eof(link.stream), 0);
    ck_assert_int_eq(anyc_unix_socket_stream_send_fds(link.stream, "x", 1, files, 1), ANYC_ECLOSED);
    peer_join(&peer);
    ck_assert_uint_eq(large.len, UNIX_LINK_TOO_MUCH);
    ck_assert(memcmp(large.bytes, sent, UNIX_LINK_TOO_MUCH) == 0);
    ck_assert_uint_eq(large.count, 2);
    ck_assert_int_eq(large.descriptors_in_later_parts, 0);
    check_files(large.fds);
    close_all(files, 2);
    free(large.bytes);
    free(sent);
    unix_link_close(&link);
}
