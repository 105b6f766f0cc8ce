/* SPDX-License-Identifier: MIT */
/*
 * test_socket_listener.c - the inside of listeners: how addresses become sockets, accept at each
 * point of a cancellation or close, and what happens without descriptors and memory.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <string.h>

#include <netinet/in.h>
#include <unistd.h>

#include "net/tcp_listener.h"
#include "support/fail_alloc.h"
#include "support/limit_fds.h"
#include "support/peer.h"
#include "support/valgrind.h"
#include "unit/net/fake_resolver.h"

static int bind_calls;

/* Port 0 is free, no other is. */
static int bind_any_port_only(int fd, const struct sockaddr *address, socklen_t len)
{
    const struct sockaddr_in *inet = (const void *)address; /* the port stands there in both */

    bind_calls++;
    if (inet->sin_port == 0)
        return bind(fd, address, len);
    errno = EADDRINUSE;
    return -1;
}

/* NT-030 */
ANYC_TEST(test_socket_listener__gives_up_when_no_port_suits_all)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", NULL};
    anyc_create_tcp_listener_options options = {.local_host = "two.test"};
    anyc_listener *listener = NULL;
    int fds;

    fake_resolver_install(hosts);
    anyc__tcp_listener_hooks.bind = bind_any_port_only;
    for (int i = 0; i < 2; i++) {
        fds = peer_count_fds();
        bind_calls = 0;
        ck_assert_int_eq(anyc_create_tcp_listener(&options, &listener), -EADDRINUSE);
        ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "2 listeners"));
        ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "port"));
        ck_assert_int_le(bind_calls, 20);
        if (i > 0) /* the resolver's thread has been started before */
            ck_assert_int_eq(peer_count_fds(), fds);
    }
    ck_assert_ptr_null(listener);
}

/* Refuses the first port that is asked for. A port that another program really has does not count:
 * the listener has to find one more then. */
static int bind_refuses_once(int fd, const struct sockaddr *address, socklen_t len)
{
    const struct sockaddr_in *inet = (const void *)address;
    int rc;

    if (inet->sin_port != 0 && bind_calls++ == 0) {
        errno = EADDRINUSE;
        return -1;
    }
    rc = bind(fd, address, len);
    if (rc < 0 && errno == EADDRINUSE)
        bind_calls--;
    return rc;
}

/* NT-R008, NT-030: when the port of the first is taken at the second, another one is tried. */
ANYC_TEST(test_socket_listener__finds_a_port_for_all_addresses)
{
    static const char *const hosts[] = {"127.0.0.2", "127.0.0.1", "127.0.0.2", NULL};
    anyc_create_tcp_listener_options options = {.local_host = "three.test"};
    anyc_listener *const *members;
    anyc_listener *listener;
    size_t count = 0;
    int ports[2];

    fake_resolver_install(hosts);
    anyc__tcp_listener_hooks.bind = bind_refuses_once;
    ck_assert_int_eq(anyc_create_tcp_listener(&options, &listener), 0);
    members = anyc_multi_listener_listeners(listener, &count);
    ck_assert_uint_eq(count, 2); /* the duplicate is left out */
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(anyc_extra(members[i], &ANYC_SOCKET_LOCAL_PORT, &ports[i]), 0);
    ck_assert_int_eq(ports[0], ports[1]);
    ck_assert_int_eq(bind_calls, 2);
    anyc_aclose(listener);
}

/* NT-R008: sorted, whatever the look-up's order. */
ANYC_TEST(test_socket_listener__sorts_the_addresses)
{
    static const char *const hosts[] = {"127.0.0.3", "127.0.0.1", "127.0.0.2", "127.0.0.1", NULL};
    anyc_create_tcp_listener_options options = {.local_host = "four.test"};
    anyc_listener *const *members;
    anyc_listener *listener;
    size_t count = 0;

    fake_resolver_install(hosts);
    ck_assert_int_eq(anyc_create_tcp_listener(&options, &listener), 0);
    members = anyc_multi_listener_listeners(listener, &count);
    ck_assert_uint_eq(count, 3);
    for (size_t i = 0; i < count; i++) {
        anyc_socket_address address;

        ck_assert_int_eq(anyc_extra(members[i], &ANYC_SOCKET_LOCAL_ADDRESS, &address), 0);
        ck_assert_str_eq(address.host, hosts[i == 0 ? 1 : i == 1 ? 2 : 0]);
    }
    anyc_aclose(listener);
}

static int option_of(anyc_listener *listener, int level, int option)
{
    socklen_t len = sizeof(int);
    int value = -1;
    int fd = -1;

    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_RAW_SOCKET, &fd), 0);
    ck_assert_int_eq(getsockopt(fd, level, option, &value, &len), 0);
    return value;
}

/* NT-029 */
ANYC_TEST(test_socket_listener__makes_two_sockets_without_dual_stack)
{
    anyc_listener *const *members;
    anyc_listener *listener;
    size_t count = 0;
    int families[2];
    int ports[2];

    if (!peer_has_family(AF_INET6))
        ANYC_TEST_SKIP("needs IPv6");
    anyc__tcp_listener_hooks.no_dual_stack = true;
    ck_assert_int_eq(anyc_create_tcp_listener(NULL, &listener), 0);
    members = anyc_multi_listener_listeners(listener, &count);
    ck_assert_uint_eq(count, 2);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(anyc_extra(members[i], &ANYC_SOCKET_FAMILY, &families[i]), 0);
        ck_assert_int_eq(anyc_extra(members[i], &ANYC_SOCKET_LOCAL_PORT, &ports[i]), 0);
    }
    ck_assert_int_eq(families[0] + families[1], AF_INET + AF_INET6);
    ck_assert_int_eq(ports[0], ports[1]);
    ck_assert_int_eq(option_of(members[families[1] == AF_INET6], IPPROTO_IPV6, IPV6_V6ONLY), 1);
    anyc_aclose(listener);
}

/* NT-R008: IPV6_V6ONLY but for the socket that serves both. */
ANYC_TEST(test_socket_listener__one_socket_serves_both_families)
{
    anyc_create_tcp_listener_options six = {.family = AF_INET6, .reuse_port = true};
    anyc_listener *listener;
    size_t count = 0;

    if (!peer_has_family(AF_INET6))
        ANYC_TEST_SKIP("needs IPv6");
    ck_assert_int_eq(anyc_create_tcp_listener(NULL, &listener), 0);
    ck_assert_ptr_nonnull(anyc_multi_listener_listeners(listener, &count));
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(option_of(listener, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    anyc_aclose(listener);
    ck_assert_int_eq(anyc_create_tcp_listener(&six, &listener), 0);
    ck_assert_ptr_nonnull(anyc_multi_listener_listeners(listener, &count));
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(option_of(listener, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    ck_assert_int_eq(option_of(listener, SOL_SOCKET, SO_REUSEPORT), 1);
    anyc_aclose(listener);
}

/* A listener on 127.0.0.1 and its only member. */
static anyc_listener *listen_on_loopback(anyc_listener **out_member)
{
    anyc_create_tcp_listener_options options = {.local_host = "127.0.0.1"};
    anyc_listener *listener;
    size_t count;

    ck_assert_int_eq(anyc_create_tcp_listener(&options, &listener), 0);
    *out_member = anyc_multi_listener_listeners(listener, &count)[0];
    return listener;
}

static int port_of(anyc_listener *listener)
{
    int port = 0;

    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_LOCAL_PORT, &port), 0);
    return port;
}

struct accept_call {
    anyc_listener *member;
    anyc_byte_stream *stream;
    int rc;
};

static int accept_one(void *arg)
{
    struct accept_call *call = arg;

    call->rc = anyc_socket_listener_accept(call->member, &call->stream);
    return call->rc == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

/* NT-R001: accepting has a guard of its own. NT-R003: closing wakes who waits. */
ANYC_TEST(test_socket_listener__one_task_accepts_until_it_is_closed)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct accept_call call = {0};
    anyc_listener *listener = listen_on_loopback(&call.member);
    anyc_byte_stream *stream;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, accept_one, &call, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_socket_listener_accept(call.member, &stream), ANYC_EBUSY);
    anyc_aclose(listener); /* frees it before the task runs again */
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(call.rc, ANYC_ECLOSED);
}

/* NT-R002: a connection that came together with the cancellation is there for the next accept. */
ANYC_TEST(test_socket_listener__a_cancelled_accept_loses_no_connection)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct accept_call call = {0};
    anyc_listener *listener = listen_on_loopback(&call.member);
    anyc_cancel_scope scope;
    int client;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, accept_one, &call, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    client = peer_connect(AF_INET, port_of(listener));
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(call.rc, ANYC_ECANCELLED);
    anyc_cancel_scope_enter(&scope, NULL);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(accept_one(&call), ANYC_ECANCELLED); /* on entry */
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(accept_one(&call), 0);
    ck_assert_int_eq(call.rc, 0);
    anyc_aclose(call.stream);
    anyc_aclose(listener);
    close(client);
}

/* NT-R036 */
ANYC_TEST_WITH(test_socket_listener__accept_ends_at_a_deadline, .clock = ANYC_CLOCK_VIRTUAL)
{
    struct accept_call call = {0};
    anyc_listener *listener = listen_on_loopback(&call.member);
    anyc_cancel_scope scope;

    anyc_fail_after(&scope, 5, false);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, accept_one(&call)), ANYC_ETIMEDOUT);
    anyc_aclose(listener);
}

static void count_log(int code, const char *message, void *arg)
{
    int *count = arg;

    (void)message;
    ck_assert_int_eq(code, -EMFILE);
    *count += 1;
}

static int say_hello(anyc_byte_stream *stream, void *arg)
{
    int rc = anyc_send(stream, "Hello", 5);

    (void)arg;
    anyc_aclose(stream);
    return rc;
}

static int serve_hello(void *arg)
{
    return anyc_listener_serve(arg, say_hello, NULL, NULL);
}

static int without_descriptors(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_listener *member;
    anyc_listener *listener = listen_on_loopback(&member);
    int client = peer_connect(AF_INET, port_of(listener));
    struct rlimit old = limit_fds(0);
    char buf[8];

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, serve_hello, listener, NULL);
    ck_assert_int_eq(anyc_sleep(0.05), 0); /* the server meets EMFILE several times */
    ck_assert_int_eq(*(int *)arg, 1);
    unlimit_fds(&old);
    ck_assert_int_eq(anyc_wait_readable(client), 0);
    ck_assert_uint_eq(peer_receive(client, buf, 5), 5);
    close(client);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    anyc_aclose(listener);
    return 0;
}

/* NT-R023: without descriptors the server pauses, says so once, and goes on. Valgrind keeps the
 * limit itself: it takes the connection, closes it, and only then says EMFILE. */
ANYC_TEST_PLAIN(test_socket_listener__serve_outlives_a_lack_of_descriptors)
{
    int logged = 0;
    anyc_run_options options = {.backend = anyc_testing_backend(), .clock = ANYC_CLOCK_VIRTUAL};

    skip_on_valgrind("the connection is lost when Valgrind says EMFILE");
    anyc_set_log_handler(count_log, &logged);
    ck_assert_int_eq(anyc_run_with(without_descriptors, &logged, &options), 0);
    anyc_set_log_handler(NULL, NULL);
}

/* Listens and accepts while the nth allocation fails; true when none failed. */
static bool listen_without_memory(long n)
{
    anyc_create_tcp_listener_options options = {.local_host = "three.test"};
    anyc_listener *listener = NULL;
    anyc_byte_stream *stream = NULL;
    int client = -1;
    bool failed;
    int rc;

    fail_alloc_arm(n);
    rc = anyc_create_tcp_listener(&options, &listener);
    if (rc == 0) {
        client = peer_connect(AF_INET, port_of(listener));
        rc = anyc_socket_listener_accept(anyc_multi_listener_listeners(listener, &(size_t){0})[0],
                                         &stream);
    }
    failed = fail_alloc_disarm();
    ck_assert_int_eq(rc, failed ? ANYC_ENOMEM : 0);
    if (client >= 0)
        close(client);
    if (stream != NULL)
        anyc_aclose(stream);
    if (listener != NULL)
        anyc_aclose(listener);
    return !failed;
}

static int without_memory(void *arg)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3", NULL};
    bool done = false;
    int fds;

    (void)arg;
    fake_resolver_install(hosts);
    ck_assert(listen_without_memory(1000000)); /* starts the resolver's thread */
    fds = peer_count_fds();
    for (long n = 1; !done; n++) {
        ck_assert_int_lt(n, 200);
        done = listen_without_memory(n);
        ck_assert_int_eq(peer_count_fds(), fds);
    }
    return 0;
}

ANYC_TEST_PLAIN(test_socket_listener__survives_without_memory)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};

    fail_alloc_install();
    ck_assert_int_eq(anyc_run_with(without_memory, NULL, &options), 0);
    ck_assert_int_eq(fail_alloc_live(), 0);
}
