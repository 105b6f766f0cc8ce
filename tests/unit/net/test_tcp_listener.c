/* SPDX-License-Identifier: MIT */
/*
 * test_tcp_listener.c - what TCP listeners show to their user. AnyIO: TestTCPListener.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/peer.h"
#include "unit/net/fake_resolver.h"

/* How many addresses of a family `localhost` has here, without duplicates; NT-R009. */
static size_t count_localhost(int family)
{
    const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    size_t count = 0;

    if (getaddrinfo("localhost", NULL, &hints, &found) != 0)
        return 0;
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        bool seen = false;

        for (const struct addrinfo *before = found; before != at; before = before->ai_next)
            seen = seen || (before->ai_addrlen == at->ai_addrlen &&
                            memcmp(before->ai_addr, at->ai_addr, at->ai_addrlen) == 0);
        count += !seen;
    }
    freeaddrinfo(found);
    return count;
}

/* Let `localhost` have an address of each family that this machine knows. */
static void fake_localhost(void)
{
    static const char *const both[] = {"127.0.0.1", "::1", NULL};
    static const char *const one[] = {"127.0.0.1", NULL};

    fake_resolver_install(peer_has_family(AF_INET6) ? both : one);
}

static anyc_listener *listen_on_localhost(int family)
{
    anyc_create_tcp_listener_options options = {.local_host = "localhost", .family = family};
    anyc_listener *listener;

    ck_assert_int_eq(anyc_create_tcp_listener(&options, &listener), 0);
    return listener;
}

/* A listener with one member, which is given out too. */
static anyc_listener *listen_on_loopback(int family, anyc_listener **out_member)
{
    anyc_create_tcp_listener_options options = {.local_host = peer_loopback(family)};
    anyc_listener *listener;
    size_t count;

    ck_assert_int_eq(anyc_create_tcp_listener(&options, &listener), 0);
    *out_member = anyc_multi_listener_listeners(listener, &count)[0];
    ck_assert_uint_eq(count, 1);
    return listener;
}

static int port_of(anyc_listener *listener)
{
    int port = 0;

    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_LOCAL_PORT, &port), 0);
    return port;
}

static int fd_of(anyc_listener *listener)
{
    int fd = -1;

    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_RAW_SOCKET, &fd), 0);
    return fd;
}

static void check_attributes(int family, size_t expected)
{
    anyc_listener *listener = listen_on_localhost(family);
    anyc_listener *const *members;
    size_t count = 0;
    int found = 0;

    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_FAMILY, &found), 0);
    ck_assert_int_eq(found, family);
    members = anyc_multi_listener_listeners(listener, &count);
    ck_assert_uint_eq(count, expected);
    for (size_t i = 0; i < count; i++) {
        anyc_socket_address address;
        int port = peer_port(fd_of(members[i]));

        ck_assert_int_eq(anyc_extra(members[i], &ANYC_SOCKET_FAMILY, &found), 0);
        ck_assert_int_eq(found, family);
        ck_assert_int_eq(anyc_extra(members[i], &ANYC_SOCKET_LOCAL_ADDRESS, &address), 0);
        ck_assert_str_eq(address.host, peer_loopback(family));
        ck_assert_int_eq(address.port, port);
        ck_assert_int_eq(port_of(members[i]), port);
        ck_assert_int_eq(anyc_extra(members[i], &ANYC_SOCKET_REMOTE_ADDRESS, &address),
                         ANYC_EATTRIBUTE);
        ck_assert_int_eq(anyc_extra(members[i], &ANYC_SOCKET_REMOTE_PORT, &port), ANYC_EATTRIBUTE);
    }
    anyc_aclose(listener);
}

static void real_attributes(int family)
{
    size_t expected = count_localhost(family);

    if (expected > 0)
        check_attributes(family, expected);
}

static void fake_attributes(int family)
{
    check_attributes(family, 1);
}

/* NT-019, NT-R009, NT-R017 */
ANYC_TEST(test_tcp_listener__has_the_attributes_of_its_sockets)
{
    peer_for_each_family(real_attributes);
    fake_localhost();
    peer_for_each_family(fake_attributes);
}

static void accept_from_member(anyc_listener *member)
{
    int family = 0;
    char buf[8] = {0};
    anyc_byte_stream *stream;
    int client;

    ck_assert_int_eq(anyc_extra(member, &ANYC_SOCKET_FAMILY, &family), 0);
    client = peer_connect(family, port_of(member));
    ck_assert_int_eq(anyc_socket_listener_accept(member, &stream), 0);
    ck_assert(peer_send(client, "blah", 4));
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 4);
    for (int i = 0; i < 2; i++) {
        char byte = buf[i];

        buf[i] = buf[3 - i];
        buf[3 - i] = byte;
    }
    ck_assert_int_eq(anyc_send(stream, buf, 4), 0);
    memset(buf, 0, sizeof buf);
    ck_assert_uint_eq(peer_receive(client, buf, 4), 4);
    ck_assert_str_eq(buf, "halb");
    ck_assert_int_eq(close(client), 0);
    ck_assert_int_eq(anyc_aclose(stream), 0);
}

static void accept_from_all(int family)
{
    anyc_listener *listener = listen_on_localhost(family);
    size_t count;
    anyc_listener *const *members = anyc_multi_listener_listeners(listener, &count);

    ck_assert_uint_eq(count, family == AF_UNSPEC && peer_has_family(AF_INET6) ? 2 : 1);
    for (size_t i = 0; i < count; i++)
        accept_from_member(members[i]);
    ck_assert_int_eq(anyc_aclose(listener), 0);
}

/* NT-020 */
ANYC_TEST(test_tcp_listener__accepts_connections_of_each_family)
{
    fake_localhost();
    peer_for_each_family(accept_from_all);
    accept_from_all(AF_UNSPEC);
}

static void accept_after_close(int family)
{
    anyc_listener *member;
    anyc_listener *listener = listen_on_loopback(family, &member);
    anyc_byte_stream *stream;

    ck_assert_int_eq(anyc_close(member), 0);
    ck_assert_int_eq(anyc_close(member), 0);
    ck_assert_int_eq(anyc_socket_listener_accept(member, &stream), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_aclose(listener), 0);
}

/* NT-021 */
ANYC_TEST(test_tcp_listener__accepts_nothing_after_close)
{
    peer_for_each_family(accept_after_close);
}

static int option_of(int fd, int level, int option)
{
    socklen_t len = sizeof(int);
    int value = -1;

    ck_assert_int_eq(getsockopt(fd, level, option, &value, &len), 0);
    return value;
}

static void socket_options(int family)
{
    const int wanted = 80000;
    anyc_listener *member;
    anyc_listener *listener = listen_on_loopback(family, &member);
    anyc_byte_stream *stream;
    int fd = fd_of(member);
    int client;

    ck_assert_int_ne(option_of(fd, SOL_SOCKET, SO_REUSEADDR), 0);
    ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_REUSEPORT), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted), 0);
    ck_assert(option_of(fd, SOL_SOCKET, SO_RCVBUF) == 80000 ||
              option_of(fd, SOL_SOCKET, SO_RCVBUF) == 160000);
    client = peer_connect(family, port_of(member));
    ck_assert_int_eq(anyc_socket_listener_accept(member, &stream), 0);
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_RAW_SOCKET, &fd), 0);
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_DOMAIN), family);
    ck_assert_int_ne(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    close(client);
    anyc_aclose(stream);
    anyc_aclose(listener);
}

/* NT-022, NT-R008 */
ANYC_TEST(test_tcp_listener__sets_the_options_of_its_sockets)
{
    peer_for_each_family(socket_options);
}

static void reuse_port(int family)
{
    anyc_create_tcp_listener_options options = {
        .local_host = "localhost", .family = family, .reuse_port = true};
    anyc_listener *listeners[2];
    anyc_socket_address addresses[2];

    for (int i = 0; i < 2; i++) {
        size_t count = 0;
        anyc_listener *const *members;

        ck_assert_int_eq(anyc_create_tcp_listener(&options, &listeners[i]), 0);
        members = anyc_multi_listener_listeners(listeners[i], &count);
        ck_assert_uint_eq(count, 1);
        ck_assert_int_eq(anyc_extra(members[0], &ANYC_SOCKET_LOCAL_ADDRESS, &addresses[i]), 0);
        options.local_port = addresses[0].port;
    }
    ck_assert_int_ne(addresses[0].port, 0);
    ck_assert_int_eq(addresses[0].port, addresses[1].port);
    ck_assert_str_eq(addresses[0].host, addresses[1].host);
    ck_assert_int_eq(anyc_aclose(listeners[0]), 0);
    ck_assert_int_eq(anyc_aclose(listeners[1]), 0);
}

/* NT-023 */
ANYC_TEST(test_tcp_listener__shares_its_port_on_request)
{
    fake_localhost();
    peer_for_each_family(reuse_port);
}

static int close_at_once(anyc_byte_stream *stream, void *arg)
{
    (void)arg;
    return anyc_aclose(stream);
}

static int serve(void *arg)
{
    return anyc_listener_serve(arg, close_at_once, NULL, NULL);
}

static void close_from_other_task(int family)
{
    anyc_listener *listener = listen_on_localhost(family);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    const anyc_task_error *error;
    size_t count = 0;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, serve, listener, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_close(listener), 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_ECLOSED);
    error = anyc_task_group_errors(&group, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(error->nested_count, 1);
    while (error->nested_count > 0)
        error = &error->nested[0];
    ck_assert_int_eq(error->code, ANYC_ECLOSED);
    anyc_aclose(listener);
}

/* NT-024 */
ANYC_TEST(test_tcp_listener__close_from_another_task_fails_serve)
{
    fake_localhost();
    peer_for_each_family(close_from_other_task);
}

static int send_hello(anyc_byte_stream *stream, void *arg)
{
    int rc = anyc_send(stream, "Hello\n", 6);

    (void)arg;
    anyc_aclose(stream);
    return rc;
}

static int serve_hello(void *arg)
{
    return anyc_listener_serve(arg, send_hello, NULL, NULL);
}

/* Read without blocking the thread until the end, for a second at most. */
static size_t read_for_a_second(int fd, char *buf, size_t size)
{
    anyc_cancel_scope scope;
    size_t len = 0;
    ssize_t n = 1;
    int rc = 0;

    anyc_fail_after(&scope, 1, false);
    while (rc == 0 && n > 0) {
        rc = anyc_wait_readable(fd);
        if (rc == 0)
            n = recv(fd, buf + len, size - len, MSG_DONTWAIT);
        len += rc == 0 && n > 0 ? (size_t)n : 0;
    }
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), 0);
    return len;
}

static void send_after_eof(int family)
{
    anyc_listener *member;
    anyc_listener *listener = listen_on_loopback(family, &member);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char buf[16];
    int client;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, serve_hello, listener, NULL);
    client = peer_connect(family, port_of(member));
    ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
    ck_assert_uint_eq(read_for_a_second(client, buf, sizeof buf), 6);
    ck_assert_mem_eq(buf, "Hello\n", 6);
    close(client);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    anyc_aclose(listener);
}

/* NT-025, NT-R026 */
ANYC_TEST(test_tcp_listener__sends_to_a_client_that_ended_its_sending)
{
    peer_for_each_family(send_after_eof);
}

static int receive_hello(anyc_byte_stream *stream, void *arg)
{
    char buf[16];
    anyc_cancel_scope scope;
    ssize_t n = anyc_receive(stream, buf, sizeof buf);

    ck_assert_int_eq(n, 5);
    ck_assert_mem_eq(buf, "Hello", 5);
    anyc_fail_after(&scope, 1, false);
    n = anyc_receive(stream, buf, sizeof buf);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, (int)n), ANYC_EOF);
    anyc_aclose(stream);
    anyc_task_group_cancel(arg, NULL);
    return 0;
}

static void eof_after_send(int family)
{
    anyc_listener *member;
    anyc_listener *listener = listen_on_loopback(family, &member);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int client = peer_connect(family, port_of(member));
    int rc;

    ck_assert(peer_send(client, "Hello", 5));
    ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
    anyc_task_group_enter(&group);
    rc = anyc_listener_serve(listener, receive_hello, &group, NULL);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_task_group_exit(&group, rc), 0);
    close(client);
    anyc_aclose(listener);
}

/* NT-026, NT-R027 */
ANYC_TEST(test_tcp_listener__receives_the_end_behind_the_data)
{
    peer_for_each_family(eof_after_send);
}

/* "fe80::1%eth0" of some interface; false if there is none. */
static bool find_link_local(char *out_text, size_t size)
{
    struct ifaddrs *all = NULL;
    bool found = false;

    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *at = all; at != NULL && !found; at = at->ifa_next) {
        const struct sockaddr_in6 *address = (const void *)at->ifa_addr;

        if (address == NULL || address->sin6_family != AF_INET6 ||
            !IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr))
            continue;
        found = getnameinfo(at->ifa_addr, sizeof *address, out_text, (socklen_t)size, NULL, 0,
                            NI_NUMERICHOST) == 0;
    }
    freeifaddrs(all);
    return found;
}

/* NT-027, NT-R034 */
ANYC_TEST(test_tcp_listener__binds_to_a_link_local_address)
{
    char host[NI_MAXHOST + IF_NAMESIZE];
    anyc_create_tcp_listener_options options = {.local_host = host};
    anyc_listener *listener;

    if (!find_link_local(host, sizeof host))
        ANYC_TEST_SKIP("needs an IPv6 link-local address");
    ck_assert_ptr_nonnull(strchr(host, '%'));
    ck_assert_int_eq(anyc_create_tcp_listener(&options, &listener), 0);
    ck_assert_int_eq(anyc_aclose(listener), 0);
}

ANYC_TEST(test_tcp_listener__refuses_bad_arguments)
{
    const anyc_create_tcp_listener_options bad[] = {
        {.local_port = -1}, {.local_port = 65536}, {.family = AF_UNIX}, {.backlog = -1}};
    anyc_create_tcp_listener_options other = {.local_host = "127.0.0.1", .family = AF_INET6};
    anyc_listener *listener = NULL;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(anyc_create_tcp_listener(&bad[i], &listener), ANYC_EINVAL);
    ck_assert_int_eq(anyc_create_tcp_listener(&other, &listener), -EAFNOSUPPORT);
    ck_assert_ptr_null(listener);
}

/* NT-R004: a failing bind gives the system error itself. */
ANYC_TEST(test_tcp_listener__a_taken_port_is_the_system_error)
{
    int taken = peer_listen(AF_INET);
    anyc_create_tcp_listener_options options = {.local_host = "127.0.0.1",
                                                .local_port = peer_port(taken)};
    anyc_listener *listener;

    ck_assert_int_eq(anyc_create_tcp_listener(&options, &listener), -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "127.0.0.1"));
    options.local_host = "192.0.2.1";
    ck_assert_int_eq(anyc_create_tcp_listener(&options, &listener), -EADDRNOTAVAIL);
    close(taken);
}

/* NT-R008: a huge backlog is cut, silently. */
ANYC_TEST(test_tcp_listener__cuts_a_huge_backlog)
{
    anyc_create_tcp_listener_options options = {.local_host = "127.0.0.1", .backlog = INT_MAX};
    anyc_listener *listener;

    ck_assert_int_eq(anyc_create_tcp_listener(&options, &listener), 0);
    anyc_aclose(listener);
}

/* Without a host and a family, both kinds of clients get through, to one port. */
ANYC_TEST(test_tcp_listener__serves_both_families_without_a_host)
{
    anyc_listener *listener;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    char buf[16];

    ck_assert_int_eq(anyc_create_tcp_listener(NULL, &listener), 0);
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, serve_hello, listener, NULL);
    for (int i = 0; i < 2; i++) {
        int family = i == 0 ? AF_INET : AF_INET6;
        int client;

        if (!peer_has_family(family))
            continue;
        client = peer_connect(family, port_of(listener));
        ck_assert_uint_eq(read_for_a_second(client, buf, sizeof buf), 6);
        close(client);
    }
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    anyc_aclose(listener);
}
