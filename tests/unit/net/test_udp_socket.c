/* SPDX-License-Identifier: MIT */
/*
 * test_udp_socket.c - UDP sockets that are not connected. AnyIO: TestUDPSocket.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <unistd.h>

#include "fake_resolver.h"
#include "support/datagram_peer.h"
#include "support/peer.h"
#include "support/tasks.h"

static anyc_udp_socket *udp_open(const anyc_create_udp_socket_options *options)
{
    anyc_udp_socket *socket;

    ck_assert_ok(anyc_create_udp_socket(options, &socket));
    return socket;
}

static anyc_udp_socket *udp_on_localhost(int family)
{
    return udp_open(&(anyc_create_udp_socket_options){.local_host = "localhost", .family = family});
}

static int fd_of(anyc_udp_socket *socket)
{
    int fd = -1;

    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_RAW_SOCKET, &fd));
    return fd;
}

static anyc_socket_address local_of(anyc_udp_socket *socket)
{
    anyc_socket_address address;

    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_LOCAL_ADDRESS, &address));
    return address;
}

static int port_of(anyc_udp_socket *socket)
{
    int port = 0;

    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_LOCAL_PORT, &port));
    return port;
}

static void check_address(const anyc_socket_address *address, const anyc_socket_address *expected)
{
    ck_assert_int_eq(address->family, expected->family);
    ck_assert_str_eq(address->host, expected->host);
    ck_assert_int_eq(address->port, expected->port);
}

/* The next datagram is this, from there. */
static void check_receives(anyc_udp_socket *socket, const char *text,
                           const anyc_socket_address *from)
{
    char buf[64] = "";
    anyc_datagram datagram = {.data = buf, .size = sizeof buf};
    anyc_socket_address address;

    ck_assert_ok(anyc_udp_socket_receive(socket, &datagram));
    ck_assert_uint_eq(datagram.len, strlen(text));
    ck_assert_str_eq(buf, text);
    ck_assert_ok(anyc_datagram_get_address(&datagram, &address));
    check_address(&address, from);
}

static void bind_and_close_twice(int family)
{
    int fd = datagram_peer_udp(family, 0);
    int port = peer_port(fd);
    anyc_udp_socket *socket;

    for (int i = 0; i < 2; i++) {
        ck_assert_ok(anyc_udp_socket_from_fd(fd, &socket));
        ck_assert_ok(anyc_aclose(socket));
        fd = datagram_peer_udp(family, port);
    }
    close(fd);
}

/* NT-054: when close returns, the descriptor is closed and the port is free. */
ANYC_TEST(test_udp_socket__close_frees_the_port)
{
    peer_for_each_family(bind_and_close_twice);
}

static void check_attributes(int family)
{
    anyc_udp_socket *socket = udp_on_localhost(family);
    anyc_socket_address address = local_of(socket);
    int fd = fd_of(socket);
    int port = peer_port(fd);
    int found = 0;

    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_FAMILY, &found));
    ck_assert_int_eq(found, family);
    ck_assert_int_eq(address.family, family);
    ck_assert_str_eq(address.host, peer_loopback(family));
    ck_assert_int_eq(address.port, port);
    ck_assert_int_eq(port_of(socket), port);
    ck_assert_int_eq(anyc_extra(socket, &ANYC_SOCKET_REMOTE_ADDRESS, &address), ANYC_EATTRIBUTE);
    ck_assert_int_eq(anyc_extra(socket, &ANYC_SOCKET_REMOTE_PORT, &port), ANYC_EATTRIBUTE);
    anyc_aclose(socket);
}

/* NT-055, NT-R017 */
ANYC_TEST(test_udp_socket__has_the_attributes_of_its_socket)
{
    fake_resolver_install_loopback();
    peer_for_each_family(check_attributes);
}

static void send_to_itself(int family)
{
    anyc_udp_socket *socket = udp_on_localhost(family);
    anyc_socket_address own = local_of(socket);

    ck_assert_ok(anyc_udp_socket_sendto(socket, "blah", 4, own.host, own.port));
    check_receives(socket, "blah", &own);
    ck_assert_ok(anyc_udp_socket_sendto(socket, "halb", 4, own.host, own.port));
    check_receives(socket, "halb", &own);
    anyc_aclose(socket);
}

/* NT-056 */
ANYC_TEST(test_udp_socket__sends_and_receives)
{
    fake_resolver_install_loopback();
    peer_for_each_family(send_to_itself);
}

/* Sends each datagram back reversed, until it is cancelled. */
static int serve_reversed(void *arg)
{
    char buf[64];
    anyc_datagram datagram = {.data = buf, .size = sizeof buf};
    int rc = anyc_udp_socket_receive(arg, &datagram);

    while (rc == 0) {
        for (size_t i = 0; i < datagram.len / 2; i++) {
            char byte = buf[i];

            buf[i] = buf[datagram.len - 1 - i];
            buf[datagram.len - 1 - i] = byte;
        }
        rc = anyc_udp_socket_send(arg, &datagram);
        if (rc == 0)
            rc = anyc_udp_socket_receive(arg, &datagram);
    }
    return rc;
}

static void ask_server(int family)
{
    anyc_udp_socket *server = udp_on_localhost(family);
    anyc_udp_socket *client = udp_on_localhost(family);
    anyc_socket_address address = local_of(server);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    spawn(&group, serve_reversed, server);
    ck_assert_ok(anyc_udp_socket_sendto(client, "FOOBAR", 6, address.host, address.port));
    check_receives(client, "RABOOF", &address);
    ck_assert_ok(anyc_udp_socket_sendto(client, "123456", 6, address.host, address.port));
    check_receives(client, "654321", &address);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    anyc_aclose(client);
    anyc_aclose(server);
}

/* NT-057 */
ANYC_TEST(test_udp_socket__serves_in_a_loop)
{
    fake_resolver_install_loopback();
    peer_for_each_family(ask_server);
}

static void reuse_port(int family)
{
    anyc_create_udp_socket_options options = {
        .local_host = "localhost", .family = family, .reuse_port = true};
    anyc_udp_socket *first = udp_open(&options);
    anyc_udp_socket *second;

    options.local_port = port_of(first);
    ck_assert_int_ne(options.local_port, 0);
    second = udp_open(&options);
    ck_assert_int_eq(port_of(second), options.local_port);
    anyc_aclose(first);
    anyc_aclose(second);
}

/* NT-058 */
ANYC_TEST(test_udp_socket__shares_its_port_on_request)
{
    fake_resolver_install_loopback();
    peer_for_each_family(reuse_port);
}

/* NT-062: the address is noted before. */
ANYC_TEST(test_udp_socket__sends_nothing_after_close)
{
    anyc_create_udp_socket_options options = {.local_host = "127.0.0.1"};
    anyc_udp_socket *socket = udp_open(&options);
    anyc_socket_address own = local_of(socket);

    ck_assert_ok(anyc_close(socket));
    ck_assert_int_eq(anyc_udp_socket_sendto(socket, "foo", 3, own.host, own.port), ANYC_ECLOSED);
    anyc_aclose(socket);
}

static void family_only(int family)
{
    anyc_create_udp_socket_options options = {.family = family};
    anyc_udp_socket *socket = udp_open(&options);
    anyc_socket_address own = local_of(socket);

    ck_assert_int_gt(own.port, 0);
    ck_assert_str_eq(own.host, family == AF_INET6 ? "::" : "0.0.0.0");
    ck_assert_ok(anyc_udp_socket_sendto(socket, "me", 2, peer_loopback(family), own.port));
    snprintf(own.host, sizeof own.host, "%s", peer_loopback(family));
    check_receives(socket, "me", &own);
    anyc_aclose(socket);
}

/* NT-063, NT-R032: it is bound, and so can receive, from the start. */
ANYC_TEST(test_udp_socket__is_bound_without_a_host)
{
    peer_for_each_family(family_only);
}

/* NT-064, NT-R016 */
ANYC_TEST(test_udp_socket__refuses_other_descriptors)
{
    int listener = peer_listen(AF_INET);
    int stream = peer_connect(AF_INET, peer_port(listener));
    int unbound = socket(AF_INET, SOCK_DGRAM, 0);
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct unix_place place = unix_place_make(false);
    int local = datagram_peer_unix(&place);
    const int bad[] = {stream, unbound, file, local};
    anyc_udp_socket *socket = NULL;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(anyc_udp_socket_from_fd(bad[i], &socket), ANYC_EINVAL);
        ck_assert_int_eq(fcntl(bad[i], F_GETFL) & O_NONBLOCK, 0);
        close(bad[i]);
    }
    ck_assert_int_eq(anyc_udp_socket_from_fd(-1, &socket), -EBADF);
    ck_assert_ptr_null(socket);
    close(listener);
    unix_place_remove(&place);
}

/* NT-R021, and other arguments that make no sense. */
ANYC_TEST(test_udp_socket__refuses_bad_arguments)
{
    const anyc_create_udp_socket_options bad[] = {{.local_port = 53},
                                                  {.family = AF_UNIX},
                                                  {.family = AF_INET, .local_port = -1},
                                                  {.family = AF_INET, .local_port = 65536}};
    anyc_create_udp_socket_options other = {.local_host = "127.0.0.1", .family = AF_INET6};
    anyc_udp_socket *socket = NULL;

    ck_assert_int_eq(anyc_create_udp_socket(NULL, &socket), ANYC_EINVAL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(anyc_create_udp_socket(&bad[i], &socket), ANYC_EINVAL);
    ck_assert_int_eq(anyc_create_udp_socket(&other, &socket), -EAFNOSUPPORT);
    ck_assert_ptr_null(socket);
    other.family = AF_INET;
    socket = udp_open(&other);
    ck_assert_int_eq(anyc_udp_socket_sendto(socket, "x", 1, NULL, 9), ANYC_EINVAL);
    ck_assert_int_eq(anyc_udp_socket_sendto(socket, "x", 1, "", 9), ANYC_EINVAL);
    ck_assert_int_eq(anyc_udp_socket_sendto(socket, "x", 1, "127.0.0.1", 0), ANYC_EINVAL);
    ck_assert_int_eq(anyc_udp_socket_sendto(socket, "x", 1, "127.0.0.1", 65536), ANYC_EINVAL);
    ck_assert_int_eq(anyc_udp_socket_sendto(socket, "x", 1, "::1", 9), -EAFNOSUPPORT);
    anyc_aclose(socket);
}

/* NT-R021: the first address of the host decides. */
ANYC_TEST(test_udp_socket__the_first_address_fixes_the_family)
{
    static const char *const inet6_first[] = {"::1", "127.0.0.1", NULL};
    anyc_udp_socket *socket;

    if (!peer_has_family(AF_INET6))
        ANYC_TEST_SKIP("needs IPv6");
    fake_resolver_install(inet6_first);
    socket = udp_open(&(anyc_create_udp_socket_options){.local_host = "localhost"});
    ck_assert_int_eq(local_of(socket).family, AF_INET6);
    anyc_aclose(socket);
    fake_resolver_install_loopback();
    socket = udp_open(&(anyc_create_udp_socket_options){.local_host = "localhost"});
    ck_assert_int_eq(local_of(socket).family, AF_INET);
    anyc_aclose(socket);
}

/* NT-R004: a failing bind or look-up gives the error itself. */
ANYC_TEST(test_udp_socket__a_taken_port_is_the_system_error)
{
    static const char *const none[] = {NULL};
    int taken = datagram_peer_udp(AF_INET, 0);
    anyc_create_udp_socket_options options = {.local_host = "127.0.0.1",
                                              .local_port = peer_port(taken)};
    anyc_udp_socket *socket;

    ck_assert_int_eq(anyc_create_udp_socket(&options, &socket), -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "127.0.0.1:"));
    options.local_host = "192.0.2.1";
    ck_assert_int_eq(anyc_create_udp_socket(&options, &socket), -EADDRNOTAVAIL);
    fake_resolver_install(none);
    options.local_host = "nowhere.invalid";
    ck_assert_int_eq(anyc_create_udp_socket(&options, &socket), ANYC_EAI(EAI_NONAME));
    close(taken);
}

static void send_to_name(int family)
{
    anyc_udp_socket *socket = udp_on_localhost(family);
    int peer = datagram_peer_udp(family, 0);
    char buf[8] = "";

    ck_assert_ok(anyc_udp_socket_sendto(socket, "named", 5, "localhost", peer_port(peer)));
    ck_assert_uint_eq(datagram_peer_receive(peer, buf, sizeof buf, NULL), 5);
    ck_assert_str_eq(buf, "named");
    close(peer);
    anyc_aclose(socket);
}

/* A name is looked up, for the family of the socket. */
ANYC_TEST(test_udp_socket__sends_to_a_name)
{
    fake_resolver_install_loopback();
    peer_for_each_family(send_to_name);
}

static int send_to_slow_name(void *arg)
{
    int rc = anyc_udp_socket_sendto(arg, "late", 4, "slow", 9);

    ck_assert_int_eq(rc, ANYC_ECLOSED);
    return 0;
}

/* The socket is freed while the name is looked up; meanwhile nobody else sends. */
ANYC_TEST(test_udp_socket__may_be_freed_during_a_look_up)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_udp_socket *socket = udp_open(&(anyc_create_udp_socket_options){.family = AF_INET});

    fake_resolver_install_loopback();
    anyc_task_group_enter(&group);
    spawn(&group, send_to_slow_name, socket);
    ck_assert_ok(anyc_checkpoint());
    ck_assert_int_eq(anyc_udp_socket_sendto(socket, "x", 1, "127.0.0.1", 9), ANYC_EBUSY);
    anyc_aclose(socket);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

/* Nobody there: one that is not connected does not hear of it, and goes on. */
ANYC_TEST(test_udp_socket__does_not_hear_of_refusals)
{
    anyc_udp_socket *socket = udp_open(&(anyc_create_udp_socket_options){.family = AF_INET});
    int gone = datagram_peer_udp(AF_INET, 0);
    int port = peer_port(gone);
    int peer = datagram_peer_udp(AF_INET, 0);
    struct datagram_name name = datagram_peer_name(fd_of(socket));
    anyc_socket_address from = {.family = AF_INET, .host = "127.0.0.1", .port = peer_port(peer)};

    close(gone);
    ((struct sockaddr_in *)&name.address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 3; i++)
        ck_assert_ok(anyc_udp_socket_sendto(socket, "x", 1, "127.0.0.1", port));
    datagram_peer_send(peer, "hello", 5, &name);
    check_receives(socket, "hello", &from);
    close(peer);
    anyc_aclose(socket);
}

/* NT-R004: a datagram that the system refuses is its error, one that finds no way is BROKEN. */
ANYC_TEST(test_udp_socket__a_failed_send_says_why)
{
    anyc_udp_socket *socket =
        udp_open(&(anyc_create_udp_socket_options){.local_host = "127.0.0.1"});
    anyc_datagram datagram = {.data = "x", .len = 1};
    char *large = calloc(1, 65508);

    ck_assert_int_eq(anyc_udp_socket_send(socket, &datagram), -EDESTADDRREQ);
    ck_assert_int_eq(anyc_udp_socket_sendto(socket, "x", 1, "255.255.255.255", 9), -EACCES);
    ck_assert_int_eq(anyc_udp_socket_sendto(socket, large, 65508, "127.0.0.1", 9), -EMSGSIZE);
    ck_assert_int_eq(anyc_last_error()->os_error, EMSGSIZE);
    ck_assert_str_eq(anyc_last_error()->message,
                     "cannot send 65508 bytes to 127.0.0.1:9: Message too long");
    ck_assert_int_eq(anyc_udp_socket_sendto(socket, large, 65507, "127.0.0.1", 9), 0);
    free(large);
    anyc_aclose(socket);
}

/* Out of reach from a socket that is bound to the loopback address. */
ANYC_TEST(test_udp_socket__an_unreachable_receiver_is_broken)
{
    anyc_udp_socket *socket =
        udp_open(&(anyc_create_udp_socket_options){.local_host = "127.0.0.1"});
    int rc = anyc_udp_socket_sendto(socket, "x", 1, "192.0.2.1", 9);

    if (rc == -EINVAL) /* as Linux says when there is a way, but not from this address */
        ck_assert_int_eq(anyc_last_error()->os_error, EINVAL);
    else
        ck_assert_int_eq(rc, ANYC_EBROKEN);
    ck_assert_int_ne(anyc_last_error()->os_error, 0);
    anyc_aclose(socket);
}

/* Without ipv6_only, "::" is as the system has it; with it, IPv4 has the port for itself. */
ANYC_TEST(test_udp_socket__keeps_to_ipv6_on_request)
{
    anyc_create_udp_socket_options options = {.family = AF_INET6, .ipv6_only = true};
    anyc_udp_socket *inet6;
    anyc_udp_socket *inet;

    if (!peer_has_family(AF_INET6))
        ANYC_TEST_SKIP("needs IPv6");
    inet6 = udp_open(&options);
    options.local_port = port_of(inet6);
    options.family = AF_INET;
    inet = udp_open(&options);
    ck_assert_int_eq(port_of(inet), port_of(inet6));
    anyc_aclose(inet);
    anyc_aclose(inet6);
}

/* An address as people write it goes into a datagram and comes out again. */
ANYC_TEST(test_udp_socket__addresses_of_datagrams_are_text_too)
{
    static const anyc_socket_address good[] = {
        {.family = AF_INET, .port = 53, .host = "192.0.2.1"},
        {.family = AF_INET6, .port = 65535, .host = "2001:db8::1"},
        {.family = AF_INET6, .port = 1, .host = "fe80::1%7"},
    };
    static const anyc_socket_address bad[] = {
        {.family = AF_INET, .port = 53, .host = "2001:db8::1"},
        {.family = AF_INET, .port = 53, .host = "example.org"},
        {.family = AF_INET, .port = 0, .host = "192.0.2.1"},
        {.family = AF_INET6, .port = 65536, .host = "::1"},
        {.family = AF_UNIX},
    };
    anyc_datagram datagram = {.len = 0};
    anyc_socket_address address;

    ck_assert_int_eq(anyc_datagram_get_address(&datagram, &address), ANYC_EATTRIBUTE);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(anyc_datagram_set_address(&datagram, &bad[i]), ANYC_EINVAL);
    ck_assert_int_eq(
        anyc_datagram_set_address(&datagram, &(anyc_socket_address){.family = AF_APPLETALK}),
        -EAFNOSUPPORT);
    ck_assert_uint_eq(datagram.address_len, 0);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_ok(anyc_datagram_set_address(&datagram, &good[i]));
        ck_assert_ok(anyc_datagram_get_address(&datagram, &address));
        check_address(&address, &good[i]);
    }
}
