/* SPDX-License-Identifier: MIT */
/*
 * test_udp_connected.c - connected UDP sockets. AnyIO: TestConnectedUDPSocket.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <unistd.h>

#include "fake_resolver.h"
#include "net/datagram.h"
#include "support/datagram_peer.h"
#include "support/peer.h"
#include "support/tasks.h"

typedef anyc_create_connected_udp_socket_options connect_options;

static anyc_connected_udp_socket *udp_connect(const char *host, int port,
                                              const connect_options *options)
{
    anyc_connected_udp_socket *socket;

    ck_assert_ok(anyc_create_connected_udp_socket(host, port, options, &socket));
    return socket;
}

static int port_of(anyc_connected_udp_socket *socket)
{
    int port = 0;

    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_LOCAL_PORT, &port));
    return port;
}

static int fd_of(anyc_connected_udp_socket *socket)
{
    int fd = -1;

    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_RAW_SOCKET, &fd));
    return fd;
}

/* The port of a socket that has gone: nobody answers there. */
static int vacant_port(void)
{
    int fd = datagram_peer_udp(AF_INET, 0);
    int port = peer_port(fd);

    close(fd);
    return port;
}

static void check_attributes(int family)
{
    connect_options options = {.family = family};
    anyc_connected_udp_socket *socket = udp_connect("localhost", 5000, &options);
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    anyc_socket_address address;
    int number = 0;

    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_FAMILY, &number));
    ck_assert_int_eq(number, family);
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_LOCAL_ADDRESS, &address));
    ck_assert_str_eq(address.host, peer_loopback(family));
    ck_assert_int_eq(address.port, peer_port(fd_of(socket)));
    ck_assert_int_eq(port_of(socket), peer_port(fd_of(socket)));
    ck_assert_ok(getpeername(fd_of(socket), (struct sockaddr *)&peer, &len));
    ck_assert_int_eq(peer.ss_family, family);
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_REMOTE_ADDRESS, &address));
    ck_assert_int_eq(address.family, family);
    ck_assert_str_eq(address.host, peer_loopback(family));
    ck_assert_int_eq(address.port, 5000);
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_REMOTE_PORT, &number));
    ck_assert_int_eq(number, 5000);
    anyc_aclose(socket);
}

/* NT-065, NT-R017 */
ANYC_TEST(test_udp_connected__has_the_attributes_of_its_socket)
{
    fake_resolver_install_loopback();
    peer_for_each_family(check_attributes);
}

static void exchange(int family)
{
    anyc_create_udp_socket_options options = {.local_host = "localhost", .family = family};
    connect_options connected = {.family = family};
    anyc_udp_socket *a;
    anyc_connected_udp_socket *b;
    anyc_socket_address address;
    char buf[64] = "";
    anyc_datagram datagram = {.data = buf, .size = sizeof buf};
    int port = 0;

    ck_assert_ok(anyc_create_udp_socket(&options, &a));
    ck_assert_ok(anyc_extra(a, &ANYC_SOCKET_LOCAL_PORT, &port));
    b = udp_connect("localhost", port, &connected);
    ck_assert_ok(anyc_connected_udp_socket_send(b, "blah", 4));
    ck_assert_ok(anyc_udp_socket_receive(a, &datagram));
    ck_assert_str_eq(buf, "blah");
    ck_assert_ok(anyc_datagram_get_address(&datagram, &address));
    ck_assert_str_eq(address.host, peer_loopback(family));
    ck_assert_int_eq(address.port, port_of(b));
    ck_assert_ok(anyc_udp_socket_sendto(a, "halb", 4, address.host, address.port));
    ck_assert_int_eq(anyc_connected_udp_socket_receive(b, buf, sizeof buf, NULL), 4);
    ck_assert_str_eq(buf, "halb");
    anyc_aclose(b);
    anyc_aclose(a);
}

/* NT-066 */
ANYC_TEST(test_udp_connected__sends_and_receives)
{
    fake_resolver_install_loopback();
    peer_for_each_family(exchange);
}

static void reuse_port(int family)
{
    connect_options options = {.family = family, .local_host = "localhost", .reuse_port = true};
    anyc_connected_udp_socket *first = udp_connect("localhost", 6000, &options);
    anyc_connected_udp_socket *second;

    options.local_port = port_of(first);
    ck_assert_int_ne(options.local_port, 0);
    second = udp_connect("localhost", 6001, &options);
    ck_assert_int_eq(port_of(second), options.local_port);
    anyc_aclose(first);
    anyc_aclose(second);
}

/* NT-067 */
ANYC_TEST(test_udp_connected__shares_its_port_on_request)
{
    fake_resolver_install_loopback();
    peer_for_each_family(reuse_port);
}

static void from_descriptor(int family)
{
    int peer = datagram_peer_udp(family, 0);
    int fd = datagram_peer_udp(family, 0);
    struct datagram_name name = datagram_peer_name(peer);
    anyc_connected_udp_socket *socket;
    int found = 0;
    char buf[8] = "";

    datagram_peer_connect(fd, &name);
    ck_assert_ok(anyc_connected_udp_socket_from_fd(fd, &socket));
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_FAMILY, &found));
    ck_assert_int_eq(found, family);
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_REMOTE_PORT, &found));
    ck_assert_int_eq(found, peer_port(peer));
    ck_assert_ok(anyc_connected_udp_socket_send(socket, "hello", 5));
    ck_assert_uint_eq(datagram_peer_receive(peer, buf, sizeof buf, NULL), 5);
    close(peer);
    anyc_aclose(socket);
}

/* NT-072 */
ANYC_TEST(test_udp_connected__adopts_a_descriptor)
{
    peer_for_each_family(from_descriptor);
}

/* NT-073, NT-R016 */
ANYC_TEST(test_udp_connected__refuses_other_descriptors)
{
    int listener = peer_listen(AF_INET);
    int stream = peer_connect(AF_INET, peer_port(listener));
    int unconnected = datagram_peer_udp(AF_INET, 0);
    int pair[2];
    anyc_connected_udp_socket *socket = NULL;

    ck_assert_ok(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
    ck_assert_int_eq(anyc_connected_udp_socket_from_fd(stream, &socket), ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "stream"));
    ck_assert_int_eq(anyc_connected_udp_socket_from_fd(unconnected, &socket), ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "not connected"));
    ck_assert_int_eq(anyc_connected_udp_socket_from_fd(pair[0], &socket), ANYC_EINVAL);
    ck_assert_int_eq(fcntl(pair[0], F_GETFL) & O_NONBLOCK, 0);
    ck_assert_ptr_null(socket);
    close(pair[0]);
    close(pair[1]);
    close(unconnected);
    close(stream);
    close(listener);
}

ANYC_TEST(test_udp_connected__refuses_bad_arguments)
{
    const connect_options bad[] = {{.family = AF_UNIX}, {.local_port = -1}, {.local_port = 65536}};
    connect_options other = {.family = AF_INET6};
    connect_options mixed = {.local_host = "127.0.0.1"};
    anyc_connected_udp_socket *socket = NULL;

    ck_assert_int_eq(anyc_create_connected_udp_socket(NULL, 9, NULL, &socket), ANYC_EINVAL);
    ck_assert_int_eq(anyc_create_connected_udp_socket("", 9, NULL, &socket), ANYC_EINVAL);
    ck_assert_int_eq(anyc_create_connected_udp_socket("127.0.0.1", 0, NULL, &socket), ANYC_EINVAL);
    ck_assert_int_eq(anyc_create_connected_udp_socket("127.0.0.1", 65536, NULL, &socket),
                     ANYC_EINVAL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(anyc_create_connected_udp_socket("127.0.0.1", 9, &bad[i], &socket),
                         ANYC_EINVAL);
    ck_assert_int_eq(anyc_create_connected_udp_socket("127.0.0.1", 9, &other, &socket),
                     -EAFNOSUPPORT);
    ck_assert_int_eq(anyc_create_connected_udp_socket("::1", 9, &mixed, &socket), -EAFNOSUPPORT);
    ck_assert_ptr_null(socket);
}

/* NT-R004: the error of a failing bind is the system's. */
ANYC_TEST(test_udp_connected__a_taken_port_is_the_system_error)
{
    int taken = datagram_peer_udp(AF_INET, 0);
    connect_options options = {.local_host = "127.0.0.1", .local_port = peer_port(taken)};
    anyc_connected_udp_socket *socket;

    ck_assert_int_eq(anyc_create_connected_udp_socket("127.0.0.1", 9, &options, &socket),
                     -EADDRINUSE);
    close(taken);
}

/* A local port goes without a local host. */
ANYC_TEST(test_udp_connected__sends_from_a_port)
{
    connect_options options = {.local_port = vacant_port()};
    int peer = datagram_peer_udp(AF_INET, 0);
    anyc_connected_udp_socket *socket = udp_connect("127.0.0.1", peer_port(peer), &options);

    ck_assert_int_eq(port_of(socket), options.local_port);
    close(peer);
    anyc_aclose(socket);
}

/* Datagrams of others never reach it. */
ANYC_TEST(test_udp_connected__hears_only_its_peer)
{
    int peer = datagram_peer_udp(AF_INET, 0);
    int stranger = datagram_peer_udp(AF_INET, 0);
    anyc_connected_udp_socket *socket = udp_connect("127.0.0.1", peer_port(peer), NULL);
    struct datagram_name name = datagram_peer_name(fd_of(socket));
    char buf[16] = "";

    datagram_peer_send(stranger, "strange", 7, &name);
    datagram_peer_send(peer, "mine", 4, &name);
    ck_assert_int_eq(anyc_connected_udp_socket_receive(socket, buf, sizeof buf, NULL), 4);
    ck_assert_str_eq(buf, "mine");
    close(stranger);
    close(peer);
    anyc_aclose(socket);
}

/* Somebody is there now, and the socket still works. */
static void check_works(anyc_connected_udp_socket *socket, int port)
{
    int peer = datagram_peer_udp(AF_INET, port);
    struct datagram_name name = datagram_peer_name(fd_of(socket));
    char buf[16] = "";

    ck_assert_ok(anyc_connected_udp_socket_send(socket, "there", 5));
    ck_assert_uint_eq(datagram_peer_receive(peer, buf, sizeof buf, NULL), 5);
    datagram_peer_send(peer, "here", 4, &name);
    ck_assert_int_eq(anyc_connected_udp_socket_receive(socket, buf, sizeof buf, NULL), 4);
    ck_assert_mem_eq(buf, "here", 4);
    close(peer);
}

/* NT-R022, NT-R029: told once to a receiver, also to one that waits, with the system's error. */
ANYC_TEST(test_udp_connected__a_refusal_is_told_to_the_receiver)
{
    int port = vacant_port();
    anyc_connected_udp_socket *socket = udp_connect("127.0.0.1", port, NULL);
    char buf[16];

    for (int i = 0; i < 3; i++) {
        ck_assert_ok(anyc_connected_udp_socket_send(socket, "anybody?", 8));
        ck_assert_int_eq(anyc_connected_udp_socket_receive(socket, buf, sizeof buf, NULL),
                         ANYC_EBROKEN);
        ck_assert_int_eq(anyc_last_error()->os_error, ECONNREFUSED);
        ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "127.0.0.1:"));
    }
    check_works(socket, port);
    anyc_aclose(socket);
}

/* NT-R022: told once to a sender, whose own datagram is not sent. */
ANYC_TEST(test_udp_connected__a_refusal_is_told_to_the_sender)
{
    int port = vacant_port();
    anyc_connected_udp_socket *socket = udp_connect("127.0.0.1", port, NULL);
    int peer;

    ck_assert_ok(anyc_connected_udp_socket_send(socket, "anybody?", 8));
    peer = datagram_peer_udp(AF_INET, port);
    ck_assert_int_eq(anyc_connected_udp_socket_send(socket, "not sent", 8), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, ECONNREFUSED);
    datagram_peer_check_empty(peer);
    close(peer);
    check_works(socket, port);
    anyc_aclose(socket);
}

static int receive_refusal(void *arg)
{
    char buf[16];

    ck_assert_int_eq(anyc_connected_udp_socket_receive(arg, buf, sizeof buf, NULL), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, ECONNREFUSED);
    return 0;
}

ANYC_TEST(test_udp_connected__a_refusal_wakes_the_receiver)
{
    int port = vacant_port();
    anyc_connected_udp_socket *socket = udp_connect("127.0.0.1", port, NULL);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    spawn(&group, receive_refusal, socket);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_connected_udp_socket_send(socket, "anybody?", 8));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    check_works(socket, port);
    anyc_aclose(socket);
}

/* NT-R022: a refusal that came up behind datagrams that were received is told by the next call. */
ANYC_TEST(test_udp_connected__a_late_refusal_is_told_once)
{
    int port = vacant_port();
    anyc_connected_udp_socket *socket = udp_connect("127.0.0.1", port, NULL);
    char buf[16];

    ANYC__CONTAINER(socket, struct datagram_socket, connected_udp)->late_error = ECONNREFUSED;
    ck_assert_int_eq(anyc_connected_udp_socket_receive(socket, buf, sizeof buf, NULL),
                     ANYC_EBROKEN);
    ck_assert_int_eq(anyc_last_error()->os_error, ECONNREFUSED);
    check_works(socket, port);
    anyc_aclose(socket);
}

/* NT-R028: our own close outranks what was wrong before. */
ANYC_TEST(test_udp_connected__close_outranks_a_refusal)
{
    anyc_connected_udp_socket *socket = udp_connect("127.0.0.1", vacant_port(), NULL);
    char buf[16];

    ck_assert_ok(anyc_connected_udp_socket_send(socket, "anybody?", 8));
    ck_assert_ok(anyc_close(socket));
    ck_assert_int_eq(anyc_connected_udp_socket_receive(socket, buf, sizeof buf, NULL),
                     ANYC_ECLOSED);
    ck_assert_int_eq(anyc_connected_udp_socket_send(socket, "x", 1), ANYC_ECLOSED);
    anyc_aclose(socket);
}
