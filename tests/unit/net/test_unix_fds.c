/* SPDX-License-Identifier: MIT */
/*
 * test_unix_fds.c - descriptors over UNIX streams. AnyIO: TestUNIXStream. The harness counts the
 * descriptors that a test leaves open.
 */
#include <fcntl.h>
#include <string.h>

#include <sys/resource.h>

#include "support/valgrind.h"
#include "unit/net/fds_files.h"
#include "unix_link.h"

enum { MANY = 253 }; /* as many as the system takes at once */

static void receive_fds(const struct unix_place *place)
{
    struct unix_link link = unix_link_open(place);
    char buf[10] = "";
    size_t count = 0;
    int files[2];
    int fds[2];

    open_files(files);
    unix_peer_send_fds(link.peer, "test", files, 2);
    close_all(files, 2);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 10, fds, 2, &count), 4);
    ck_assert_str_eq(buf, "test");
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
    check_files(fds);
    unix_link_close(&link);
}

/* NT-034, NT-R014 */
ANYC_TEST(test_unix_fds__receives_descriptors_in_their_order)
{
    unix_for_each_place(receive_fds);
}

static void send_fds(const struct unix_place *place)
{
    struct unix_link link = unix_link_open(place);
    char buf[10] = "";
    size_t count = 0;
    int files[2];
    int fds[2];

    open_files(files);
    ck_assert_int_eq(anyc_unix_socket_stream_send_fds(link.stream, "test", 4, files, 2), 0);
    ck_assert_uint_eq(unix_peer_receive_fds(link.peer, buf, 10, fds, 2, &count), 4);
    ck_assert_str_eq(buf, "test");
    ck_assert_uint_eq(count, 2);
    check_files(fds);
    close_all(files, 2); /* they stay the sender's */
    unix_link_close(&link);
}

/* NT-036, NT-R015 */
ANYC_TEST(test_unix_fds__sends_descriptors)
{
    unix_for_each_place(send_fds);
}

static void bad_arguments(const struct unix_place *place)
{
    struct unix_link link = unix_link_open(place);
    int fds[MANY + 1] = {0};
    size_t count = 7;
    char byte;

    ck_assert_int_eq(
        anyc_unix_socket_stream_receive_fds(link.stream, &byte, (size_t)-1, fds, 1, &count),
        ANYC_EINVAL);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, &byte, 0, fds, 0, &count),
                     ANYC_EINVAL);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, &byte, 1, fds, 0, &count),
                     ANYC_EINVAL);
    ck_assert_uint_eq(count, 7);
    ck_assert_int_eq(anyc_unix_socket_stream_send_fds(link.stream, "", 0, fds, 1), ANYC_EINVAL);
    ck_assert_int_eq(anyc_unix_socket_stream_send_fds(link.stream, "test", 4, NULL, 0),
                     ANYC_EINVAL);
    ck_assert_int_eq(anyc_unix_socket_stream_send_fds(link.stream, "test", 4, fds, MANY + 1),
                     ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "254"));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "253"));
    unix_link_close(&link);
}

/* NT-035, NT-039 */
ANYC_TEST(test_unix_fds__refuses_bad_arguments)
{
    unix_for_each_place(bad_arguments);
}

/* The call is for UNIX streams only. */
ANYC_TEST(test_unix_fds__refuses_other_streams)
{
    anyc_byte_stream *stream;
    int listener = peer_listen(AF_INET);
    size_t count;
    char byte;
    int fd = 0;

    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", peer_port(listener), NULL, &stream), 0);
    ck_assert_int_eq(anyc_unix_socket_stream_send_fds(stream, "x", 1, &fd, 1), ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "UNIX"));
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(stream, &byte, 1, &fd, 1, &count),
                     ANYC_EINVAL);
    anyc_aclose(stream);
    close(listener);
}

/* Each send is received by itself, with the descriptors that came with it, though all wait in the
 * kernel together; bytes alone may come in front of the next descriptors. */
ANYC_TEST(test_unix_fds__keeps_several_messages_apart)
{
    struct unix_link link = unix_link_pair();
    char text[32] = "";
    char buf[8] = "";
    size_t count = 0;
    int files[2];
    int fds[4];

    open_files(files);
    unix_peer_send_fds(link.peer, "one", &files[0], 1);
    unix_peer_send_fds(link.peer, "two", &files[1], 1);
    ck_assert(peer_send(link.peer, "six", 3));
    close_all(files, 2);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 8, fds, 4, &count), 3);
    ck_assert_mem_eq(buf, "one", 3);
    ck_assert_uint_eq(count, 1);
    unix_peer_read_file(fds[0], text, sizeof text);
    ck_assert_str_eq(text, "Hello, ");
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 8, fds, 4, &count), 3);
    ck_assert_mem_eq(buf, "two", 3);
    ck_assert_uint_eq(count, 1);
    unix_peer_read_file(fds[0], text, sizeof text);
    ck_assert_str_eq(text, "World!");
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 8, fds, 4, &count), 3);
    ck_assert_mem_eq(buf, "six", 3);
    ck_assert_uint_eq(count, 0);
    unix_link_close(&link);
}

/* A message that does not fit: its descriptors come with the first part. */
ANYC_TEST(test_unix_fds__the_first_part_of_a_message_brings_the_descriptors)
{
    struct unix_link link = unix_link_pair();
    size_t count = 0;
    int files[2];
    int fds[2];
    char buf[8];

    open_files(files);
    unix_peer_send_fds(link.peer, "message", files, 2);
    close_all(files, 2);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 4, fds, 2, &count), 4);
    ck_assert_mem_eq(buf, "mess", 4);
    ck_assert_uint_eq(count, 2);
    check_files(fds);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 4, fds, 2, &count), 3);
    ck_assert_mem_eq(buf, "age", 3);
    ck_assert_uint_eq(count, 0);
    unix_link_close(&link);
}

/* Room for no bytes: the descriptors that stand first are taken, the bytes stay. */
ANYC_TEST(test_unix_fds__receives_descriptors_without_bytes)
{
    struct unix_link link = unix_link_pair();
    size_t count = 0;
    int files[2];
    int fds[2];
    char buf[8];

    open_files(files);
    unix_peer_send_fds(link.peer, "test", files, 2);
    close_all(files, 2);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 0, fds, 2, &count), 0);
    ck_assert_uint_eq(count, 2);
    check_files(fds);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 0, fds, 2, &count), 0);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), 4);
    unix_link_hang_up(&link);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 0, fds, 2, &count),
                     ANYC_EOF);
    unix_link_close(&link);
}

/* NT-R014: no bytes and no descriptors are the end, again and again. */
ANYC_TEST(test_unix_fds__the_end_follows_the_descriptors)
{
    struct unix_link link = unix_link_pair();
    size_t count = 0;
    int files[2];
    int fds[2];
    char buf[8];

    open_files(files);
    unix_peer_send_fds(link.peer, "test", files, 2);
    close_all(files, 2);
    unix_link_hang_up(&link);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 8, fds, 2, &count), 4);
    ck_assert_uint_eq(count, 2);
    check_files(fds);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 8, fds, 2, &count),
                         ANYC_EOF);
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), ANYC_EOF);
    unix_link_close(&link);
}

/* Descriptors that plain receive has no place for are closed; the bytes come, also those that stand
 * behind them. */
ANYC_TEST(test_unix_fds__a_plain_receive_closes_descriptors)
{
    struct unix_link link = unix_link_pair();
    int files[2];
    char buf[16] = "";
    size_t len = 0;

    open_files(files);
    unix_peer_send_fds(link.peer, "test", files, 2);
    ck_assert(peer_send(link.peer, "more", 4));
    close_all(files, 2);
    while (len < 8) {
        ssize_t n = anyc_receive(link.stream, buf + len, sizeof buf - len);

        ck_assert_int_gt(n, 0);
        len += (size_t)n;
    }
    ck_assert_str_eq(buf, "testmore");
    unix_link_close(&link);
}

/* NT-R014: too little room: nothing is left open, and the stream goes on. */
ANYC_TEST(test_unix_fds__too_many_descriptors_are_closed)
{
    struct unix_link link = unix_link_pair();
    char buf[16] = "";
    size_t count = 7;
    int files[2];
    int fds[1] = {-7};
    int before;

    open_files(files);
    before = peer_count_fds();
    unix_peer_send_fds(link.peer, "test", files, 2);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 8, fds, 1, &count),
                     -EMSGSIZE);
    ck_assert_int_eq(peer_count_fds(), before);
    ck_assert_uint_eq(count, 7);
    ck_assert_int_eq(fds[0], -7);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "more than 1"));
    ck_assert(peer_send(link.peer, "next", 4));
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 8, fds, 1, &count), 4);
    ck_assert_mem_eq(buf, "next", 4);
    ck_assert_uint_eq(count, 0);
    close_all(files, 2);
    unix_link_close(&link);
}

/* The process is at its limit: those that came are closed. */
ANYC_TEST(test_unix_fds__a_lack_of_descriptors_leaves_none_open)
{
    struct unix_link link = unix_link_pair();
    struct rlimit old;
    struct rlimit limit;
    char buf[16] = "";
    size_t count = 7;
    int files[2];
    int fds[4];
    int next;

    skip_on_valgrind("Valgrind keeps descriptors of its own");
    open_files(files);
    unix_peer_send_fds(link.peer, "test", files, 2);
    next = dup(files[0]); /* the lowest free number: only that one is left */
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    limit = old;
    limit.rlim_cur = (rlim_t)next + 1;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 8, fds, 4, &count),
                     -EMFILE);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    ck_assert_uint_eq(count, 7);
    ck_assert_int_eq(fcntl(next, F_GETFD), -1);
    close_all(files, 2);
    unix_link_close(&link);
}

/* NT-R014: control data of another kind. */
ANYC_TEST(test_unix_fds__other_control_data_is_an_error)
{
    struct unix_link link = unix_link_pair();
    const int on = 1;
    const int off = 0;
    char buf[16] = "";
    size_t count = 7;
    int files[2];
    int fds[16];

    open_files(files);
    ck_assert_int_eq(setsockopt(unix_link_fd(&link), SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    unix_peer_send_fds(link.peer, "test", files, 2);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 8, fds, 16, &count),
                     ANYC_ESTATE);
    ck_assert_uint_eq(count, 7);
    ck_assert_int_eq(setsockopt(unix_link_fd(&link), SOL_SOCKET, SO_PASSCRED, &off, sizeof off), 0);
    unix_peer_send_fds(link.peer, "next", files, 2);
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(link.stream, buf, 8, fds, 16, &count), 4);
    close_all(fds, count);
    close_all(files, 2);
    unix_link_close(&link);
}

/* As many as the system takes with one call, there and back. */
ANYC_TEST(test_unix_fds__passes_many_descriptors_at_once)
{
    struct unix_link link = unix_link_pair();
    int file = unix_peer_file("x");
    int sent[MANY];
    int fds[MANY + 47];
    size_t count = 0;
    char buf[8];

    for (int i = 0; i < MANY; i++)
        sent[i] = file;
    ck_assert_int_eq(anyc_unix_socket_stream_send_fds(link.stream, "a", 1, sent, MANY), 0);
    ck_assert_uint_eq(unix_peer_receive_fds(link.peer, buf, 8, fds, MANY, &count), 1);
    ck_assert_uint_eq(count, MANY);
    close_all(fds, count);
    unix_peer_send_fds(link.peer, "b", sent, MANY);
    ck_assert_int_eq(
        anyc_unix_socket_stream_receive_fds(link.stream, buf, 8, fds, MANY + 47, &count), 1);
    ck_assert_uint_eq(count, MANY);
    close_all(fds, count);
    close(file);
    unix_link_close(&link);
}

/* A descriptor that is not open: nothing goes, and the stream is well. */
ANYC_TEST(test_unix_fds__a_closed_descriptor_is_not_sent)
{
    struct unix_link link = unix_link_pair();
    const int fds[] = {STDERR_FILENO, 1 << 20};
    char buf[8] = "";

    ck_assert_int_eq(anyc_unix_socket_stream_send_fds(link.stream, "bad", 3, fds, 2), -EBADF);
    ck_assert_int_eq(anyc_last_error()->os_error, EBADF);
    ck_assert_int_eq(anyc_send(link.stream, "good", 4), 0);
    ck_assert_uint_eq(peer_receive(link.peer, buf, 4), 4);
    ck_assert_str_eq(buf, "good");
    unix_link_close(&link);
}
