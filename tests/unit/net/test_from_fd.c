/* SPDX-License-Identifier: MIT */
/*
 * test_from_fd.c - streams and listeners of sockets that somebody else made. AnyIO: the
 * test_from_socket... of TestTCPStream, TestTCPListener, TestUNIXStream and TestUNIXListener.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "support/fail_alloc.h"
#include "unix_link.h"

/* What may not change when a descriptor is refused. */
struct flags {
    int status;
    int descriptor;
};

static struct flags flags_of(int fd)
{
    return (struct flags){fcntl(fd, F_GETFL), fcntl(fd, F_GETFD)};
}

/* NT-R016: it is refused as a stream, the message names it and says why, and it is as it was. */
static void check_no_stream(int (*from_fd)(int fd, anyc_byte_stream **out_stream), int fd,
                            const char *why)
{
    struct flags before = flags_of(fd);
    struct flags after;
    anyc_byte_stream *stream = NULL;
    char number[16];

    ck_assert_int_eq(from_fd(fd, &stream), ANYC_EINVAL);
    ck_assert_msg(strstr(anyc_last_error()->message, why) != NULL, "%s: %s", why,
                  anyc_last_error()->message);
    snprintf(number, sizeof number, "descriptor %d ", fd);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, number));
    after = flags_of(fd);
    ck_assert_int_eq(before.status, after.status);
    ck_assert_int_eq(before.descriptor, after.descriptor);
    ck_assert_ptr_null(stream);
}

static void check_no_listener(int fd, const char *why)
{
    struct flags before = flags_of(fd);
    struct flags after;
    anyc_listener *listener = NULL;

    ck_assert_int_eq(anyc_socket_listener_from_fd(fd, &listener), ANYC_EINVAL);
    ck_assert_msg(strstr(anyc_last_error()->message, why) != NULL, "%s: %s", why,
                  anyc_last_error()->message);
    after = flags_of(fd);
    ck_assert_int_eq(before.status, after.status);
    ck_assert_int_eq(before.descriptor, after.descriptor);
    ck_assert_ptr_null(listener);
}

static int option_of(int fd, int level, int option)
{
    socklen_t len = sizeof(int);
    int value = -1;

    ck_assert_int_eq(getsockopt(fd, level, option, &value, &len), 0);
    return value;
}

static void adopt_tcp_stream(int family)
{
    int listener = peer_listen(family);
    int fd = peer_connect(family, peer_port(listener));
    int peer = peer_accept(listener);
    anyc_byte_stream *stream;
    char buf[8] = "";
    int found = 0;

    ck_assert_int_eq(fcntl(fd, F_SETFD, 0), 0);
    ck_assert_int_eq(anyc_socket_stream_from_fd(fd, &stream), 0);
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_FAMILY, &found), 0);
    ck_assert_int_eq(found, family);
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_RAW_SOCKET, &found), 0);
    ck_assert_int_eq(found, fd);
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_REMOTE_PORT, &found), 0);
    ck_assert_int_eq(found, peer_port(listener));
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_ne(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert(peer_send(peer, "hello", 5));
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 5);
    ck_assert_int_eq(anyc_send(stream, "olleh", 5), 0);
    ck_assert_uint_eq(peer_receive(peer, buf, 5), 5);
    ck_assert_str_eq(buf, "olleh");
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    close(peer);
    close(listener);
}

/* NT-015, NT-R016 */
ANYC_TEST(test_from_fd__makes_a_stream_of_a_tcp_connection)
{
    peer_for_each_family(adopt_tcp_stream);
}

/* NT-016 */
ANYC_TEST(test_from_fd__a_file_is_no_stream)
{
    char path[] = "/tmp/anyc-file-XXXXXX";
    int fd = mkstemp(path);

    check_no_stream(anyc_socket_stream_from_fd, fd, "not a socket");
    check_no_stream(anyc_unix_socket_stream_from_fd, fd, "not a socket");
    check_no_listener(fd, "not a socket");
    ck_assert_int_eq(write(fd, "mine", 4), 4); /* still open */
    close(fd);
    unlink(path);
}

/* A UDP socket that is bound to the loopback address and, if asked for, connected to itself. */
static int udp_socket(int family, bool connected)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    int listener = peer_listen(family);
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    close(listener); /* a free port, as good as any for the other protocol */
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    if (connected)
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, len), 0);
    return fd;
}

/* NT-017 */
ANYC_TEST(test_from_fd__a_datagram_socket_is_no_stream)
{
    int fd = udp_socket(AF_INET, true);

    check_no_stream(anyc_socket_stream_from_fd, fd, "datagram socket, not a stream");
    check_no_listener(fd, "datagram socket, not a stream");
    close(fd);
}

/* NT-018 */
ANYC_TEST(test_from_fd__a_listening_socket_is_no_stream)
{
    int fd = peer_listen(AF_INET);

    check_no_stream(anyc_socket_stream_from_fd, fd, "not connected");
    close(fd);
}

static void unbound_listener(int family)
{
    int fd = peer_socket(family);

    check_no_listener(fd, "not bound");
    close(fd);
}

/* NT-028 */
ANYC_TEST(test_from_fd__an_unbound_socket_is_no_listener)
{
    peer_for_each_family(unbound_listener);
    unbound_listener(AF_UNIX);
}

/* NT-R016: AnyIO does not look; anyc does. */
ANYC_TEST(test_from_fd__a_socket_that_does_not_listen_is_no_listener)
{
    struct unix_place place = unix_place_make(true);
    struct sockaddr_un address;
    socklen_t len = unix_peer_address(&place, &address);
    int listener = peer_listen(AF_INET);
    int connected = peer_connect(AF_INET, peer_port(listener));
    int bound = peer_socket(AF_UNIX);

    check_no_listener(connected, "does not listen");
    ck_assert_int_eq(bind(bound, (struct sockaddr *)&address, len), 0);
    check_no_listener(bound, "does not listen");
    close(bound);
    close(connected);
    close(listener);
}

static void adopt_tcp_listener(int family)
{
    int fd = peer_listen(family);
    int client = peer_connect(family, peer_port(fd));
    anyc_listener *listener;
    anyc_byte_stream *stream;
    int found = 0;

    ck_assert_int_eq(anyc_socket_listener_from_fd(fd, &listener), 0);
    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_FAMILY, &found), 0);
    ck_assert_int_eq(found, family);
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(anyc_socket_listener_accept(listener, &stream), 0);
    anyc_aclose(stream);
    anyc_aclose(listener);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    close(client);
}

ANYC_TEST(test_from_fd__makes_a_listener_of_a_tcp_socket)
{
    peer_for_each_family(adopt_tcp_listener);
}

static void adopt_unix_listener(const struct unix_place *place)
{
    int fd = unix_peer_listen(place);
    anyc_socket_address address;
    anyc_listener *listener;
    anyc_byte_stream *stream;
    int family = 0;
    int client;

    ck_assert_int_eq(anyc_socket_listener_from_fd(fd, &listener), 0);
    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_FAMILY, &family), 0);
    ck_assert_int_eq(family, AF_UNIX);
    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_LOCAL_ADDRESS, &address), 0);
    unix_link_check_name(&address, place->name, place->len);
    client = unix_peer_connect(place);
    ck_assert_int_eq(anyc_socket_listener_accept(listener, &stream), 0);
    family = 0;
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_FAMILY, &family), 0);
    ck_assert_int_eq(family, AF_UNIX);
    close(client);
    anyc_aclose(stream);
    anyc_aclose(listener);
}

/* NT-053 */
ANYC_TEST(test_from_fd__makes_a_listener_of_a_unix_socket)
{
    unix_for_each_place(adopt_unix_listener);
}

static void adopt_unix_stream(const struct unix_place *place)
{
    int listener = unix_peer_listen(place);
    int fd = unix_peer_connect(place);
    anyc_socket_address address;
    anyc_byte_stream *stream;

    ck_assert_int_eq(anyc_unix_socket_stream_from_fd(fd, &stream), 0);
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_REMOTE_ADDRESS, &address), 0);
    unix_link_check_name(&address, place->name, place->len);
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    anyc_aclose(stream);
    close(listener);
}

/* NT-045 */
ANYC_TEST(test_from_fd__makes_a_stream_of_a_unix_connection)
{
    unix_for_each_place(adopt_unix_stream);
}

/* NT-046 */
ANYC_TEST(test_from_fd__a_unix_datagram_socket_is_no_stream)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
    check_no_stream(anyc_unix_socket_stream_from_fd, fds[0], "datagram socket, not a stream");
    close(fds[0]);
    close(fds[1]);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    check_no_stream(anyc_unix_socket_stream_from_fd, fds[0], "type 5 socket, not a stream");
    close(fds[0]);
    close(fds[1]);
}

/* NT-047 */
ANYC_TEST(test_from_fd__a_tcp_connection_is_no_unix_stream)
{
    int listener = peer_listen(AF_INET);
    int fd = peer_connect(AF_INET, peer_port(listener));

    check_no_stream(anyc_unix_socket_stream_from_fd, fd, "of AF_INET, not of AF_UNIX");
    close(fd);
    close(listener);
}

/* NT-R016: the state comes before family and type. */
ANYC_TEST(test_from_fd__looks_at_the_state_first)
{
    int fd = udp_socket(AF_INET, false);

    check_no_stream(anyc_unix_socket_stream_from_fd, fd, "not connected");
    close(fd);
}

ANYC_TEST(test_from_fd__a_number_that_is_no_descriptor_is_told)
{
    anyc_byte_stream *stream = NULL;
    anyc_listener *listener = NULL;

    ck_assert_int_eq(anyc_socket_stream_from_fd(-1, &stream), -EBADF);
    ck_assert_int_eq(anyc_unix_socket_stream_from_fd(1 << 20, &stream), -EBADF);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "1048576"));
    ck_assert_int_eq(anyc_socket_listener_from_fd(-1, &listener), -EBADF);
    ck_assert_ptr_null(stream);
    ck_assert_ptr_null(listener);
}

/* Two objects cannot have one descriptor. */
ANYC_TEST(test_from_fd__a_descriptor_in_use_is_busy)
{
    struct unix_link link = unix_link_pair();
    anyc_byte_stream *second = NULL;
    char buf[8];

    ck_assert_int_eq(anyc_unix_socket_stream_from_fd(unix_link_fd(&link), &second), ANYC_EBUSY);
    ck_assert_ptr_null(second);
    ck_assert(peer_send(link.peer, "well", 4));
    ck_assert_int_eq(anyc_receive(link.stream, buf, sizeof buf), 4);
    unix_link_close(&link);
}

/* NT-R002: a cancelled task keeps its descriptor. */
ANYC_TEST(test_from_fd__a_cancelled_task_keeps_the_descriptor)
{
    anyc_byte_stream *stream = NULL;
    anyc_listener *listener = NULL;
    anyc_cancel_scope scope;
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    anyc_cancel_scope_enter(&scope, NULL);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_unix_socket_stream_from_fd(fds[0], &stream), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_socket_listener_from_fd(fds[0], &listener), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(flags_of(fds[0]).status & O_NONBLOCK, 0);
    ck_assert_int_eq(flags_of(fds[0]).descriptor, 0);
    close(fds[0]);
    close(fds[1]);
}

ANYC_TEST_PLAIN(test_from_fd__needs_a_loop)
{
    anyc_byte_stream *stream;
    anyc_listener *listener;
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_int_eq(anyc_socket_stream_from_fd(fds[0], &stream), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_unix_socket_stream_from_fd(fds[0], &stream), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_socket_listener_from_fd(fds[0], &listener), ANYC_ENOLOOP);
    close(fds[0]);
    close(fds[1]);
}

/* Adopts while the nth allocation fails; true when none failed. */
static bool adopt_without_memory(int stream_fd, int listener_fd, long n)
{
    anyc_byte_stream *stream = NULL;
    anyc_listener *listener = NULL;
    bool failed;
    int rc;

    fail_alloc_arm(n);
    rc = anyc_unix_socket_stream_from_fd(stream_fd, &stream);
    if (rc == 0)
        rc = anyc_socket_listener_from_fd(listener_fd, &listener);
    failed = fail_alloc_disarm();
    ck_assert_int_eq(rc, failed ? ANYC_ENOMEM : 0);
    if (stream == NULL)
        ck_assert_int_eq(flags_of(stream_fd).status & O_NONBLOCK, 0);
    if (listener == NULL)
        ck_assert_int_eq(flags_of(listener_fd).descriptor, 0);
    if (stream != NULL)
        anyc_aclose(stream);
    else
        close(stream_fd);
    if (listener != NULL)
        anyc_aclose(listener);
    else
        close(listener_fd);
    return !failed;
}

static int without_memory(void *arg)
{
    struct unix_place place = unix_place_make(true);
    bool done = false;

    (void)arg;
    for (long n = 1; !done; n++) {
        int listener = unix_peer_listen(&place);
        int fds[2];

        ck_assert_int_lt(n, 50);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        ck_assert_int_eq(fcntl(listener, F_SETFD, 0), 0);
        done = adopt_without_memory(fds[0], listener, n);
        close(fds[1]);
    }
    return 0;
}

ANYC_TEST_PLAIN(test_from_fd__survives_without_memory)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};

    fail_alloc_install();
    ck_assert_int_eq(anyc_run_with(without_memory, NULL, &options), 0);
    ck_assert_int_eq(fail_alloc_live(), 0);
}
