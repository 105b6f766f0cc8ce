/* SPDX-License-Identifier: MIT */
/*
 * test_connect_tcp.c - from a name to a connection: order of the attempts, failures, cancellation.
 * AnyIO: TestTCPStream.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "support/fail_alloc.h"
#include "support/peer.h"
#include "unit/net/fake_resolver.h"

/* The address of the client that a raw listener takes next. */
static void accept_from(int listener, char *out_text)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    int fd = accept(listener, (struct sockaddr *)&address, &len);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(getnameinfo((struct sockaddr *)&address, len, out_text, NI_MAXHOST, NULL, 0,
                                 NI_NUMERICHOST),
                     0);
    close(fd);
}

static void connect_to_localhost(const char *listen_host, const char *expected)
{
    int listener = peer_listen_on(listen_host);
    char client[NI_MAXHOST] = "";
    anyc_byte_stream *stream;

    ck_assert_int_eq(anyc_connect_tcp("localhost", peer_port(listener), NULL, &stream), 0);
    accept_from(listener, client);
    ck_assert_str_eq(client, expected);
    anyc_aclose(stream);
    close(listener);
}

/* NT-005 */
ANYC_TEST(test_connect_tcp__tries_ipv6_first_and_falls_back)
{
    static const char *const hosts[] = {"127.0.0.1", "::1", NULL};

    if (!peer_has_family(AF_INET6))
        ANYC_TEST_SKIP("needs IPv6");
    fake_resolver_install(hosts);
    connect_to_localhost(NULL, "::1");
    connect_to_localhost("127.0.0.1", "127.0.0.1");
    connect_to_localhost("::1", "::1");
}

static void local_port(int family)
{
    const char *host = peer_loopback(family);
    int listener = peer_listen(family);
    int wanted = anyc_testing_free_tcp_port();
    anyc_connect_tcp_options options = {.local_host = host, .local_port = wanted};
    anyc_byte_stream *stream;
    int port = 0;

    ck_assert_int_eq(anyc_connect_tcp(host, peer_port(listener), &options, &stream), 0);
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_LOCAL_PORT, &port), 0);
    ck_assert_int_eq(port, wanted);
    anyc_aclose(stream);
    close(listener);
}

/* NT-006 */
ANYC_TEST(test_connect_tcp__connects_from_a_given_port)
{
    peer_for_each_family(local_port);
}

/* NT-R007: the local host is looked up first and fixes the family of the other look-up. */
ANYC_TEST(test_connect_tcp__the_local_host_fixes_the_family)
{
    static const char *const hosts[] = {"127.0.0.1", "::1", NULL};
    int listener = peer_listen(AF_INET);
    anyc_connect_tcp_options options = {.local_host = "local.test"};
    anyc_byte_stream *stream;

    fake_resolver_install(hosts);
    ck_assert_int_eq(anyc_connect_tcp("remote.test", peer_port(listener), &options, &stream), 0);
    anyc_aclose(stream);
    ck_assert_int_eq(anyc_connect_tcp("::1", peer_port(listener), &options, &stream),
                     -EAFNOSUPPORT);
    close(listener);
}

static int no_look_up(const char *host, const char *service, const struct addrinfo *hints,
                      struct addrinfo **out_found)
{
    (void)service;
    (void)hints;
    (void)out_found;
    ck_abort_msg("%s was looked up", host);
    return EAI_FAIL;
}

static void literal(int family)
{
    int listener = peer_listen(family);
    anyc_connect_tcp_options options = {.local_host = peer_loopback(family)};
    anyc_byte_stream *stream;

    ck_assert_int_eq(
        anyc_connect_tcp(peer_loopback(family), peer_port(listener), &options, &stream), 0);
    anyc_aclose(stream);
    close(listener);
}

/* NT-R007 */
ANYC_TEST(test_connect_tcp__does_not_look_up_a_literal_address)
{
    anyc__resolver_hooks.getaddrinfo = no_look_up;
    peer_for_each_family(literal);
}

static void check_option(anyc_byte_stream *stream, int level, int option)
{
    socklen_t len = sizeof(int);
    int value = 0;
    int fd = -1;

    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_RAW_SOCKET, &fd), 0);
    ck_assert_int_eq(getsockopt(fd, level, option, &value, &len), 0);
    ck_assert_int_ne(value, 0);
}

ANYC_TEST(test_connect_tcp__sends_small_pieces_at_once)
{
    int listener = peer_listen(AF_INET);
    anyc_byte_stream *stream;

    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", peer_port(listener), NULL, &stream), 0);
    check_option(stream, IPPROTO_TCP, TCP_NODELAY);
    anyc_aclose(stream);
    close(listener);
}

/* NT-R007: a local port alone is not ignored. */
ANYC_TEST(test_connect_tcp__refuses_bad_arguments)
{
    anyc_connect_tcp_options port_alone = {.local_port = 1234};
    anyc_connect_tcp_options negative = {.happy_eyeballs_delay = -1};
    anyc_byte_stream *stream = NULL;

    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", 0, NULL, &stream), ANYC_EINVAL);
    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", 65536, NULL, &stream), ANYC_EINVAL);
    ck_assert_int_eq(anyc_connect_tcp("", 80, NULL, &stream), ANYC_EINVAL);
    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", 80, &port_alone, &stream), ANYC_EINVAL);
    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", 80, &negative, &stream), ANYC_EINVAL);
    ck_assert_ptr_null(stream);
}

ANYC_TEST_PLAIN(test_connect_tcp__needs_a_loop)
{
    anyc_byte_stream *stream;

    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", 80, NULL, &stream), ANYC_ENOLOOP);
}

static int unknown_host(const char *host, const char *service, const struct addrinfo *hints,
                        struct addrinfo **out_found)
{
    (void)host;
    (void)service;
    (void)hints;
    (void)out_found;
    return EAI_NONAME;
}

/* DN-005, NT-R037 */
ANYC_TEST(test_connect_tcp__an_unknown_host_is_the_resolvers_error)
{
    anyc_byte_stream *stream;

    anyc__resolver_hooks.getaddrinfo = unknown_host;
    ck_assert_int_eq(anyc_connect_tcp("anyio.invalid", 6666, NULL, &stream), ANYC_EAI(EAI_NONAME));
    ck_assert_int_eq(anyc_last_error()->code, ANYC_EAI(EAI_NONAME));
    ck_assert_int_eq(anyc_last_error()->os_error, 0);
}

static void refused(int family)
{
    int listener = peer_listen(family);
    int port = peer_port(listener);
    anyc_byte_stream *stream = NULL;

    close(listener);
    ck_assert_int_eq(anyc_connect_tcp(peer_loopback(family), port, NULL, &stream), -ECONNREFUSED);
    ck_assert_int_eq(anyc_last_error()->os_error, ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, peer_loopback(family)));
}

/* NT-R004: a failing connect gives the system error itself. */
ANYC_TEST(test_connect_tcp__a_refused_connect_is_the_system_error)
{
    peer_for_each_family(refused);
}

ANYC_TEST(test_connect_tcp__a_bad_local_address_is_the_system_error)
{
    anyc_connect_tcp_options options = {.local_host = "192.0.2.1"};
    int listener = peer_listen(AF_INET);
    anyc_byte_stream *stream;

    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", peer_port(listener), &options, &stream),
                     -EADDRNOTAVAIL);
    close(listener);
}

/* A port of 127.0.0.1 at which nobody listens. */
static int closed_port(void)
{
    int listener = peer_listen(AF_INET);
    int port = peer_port(listener);

    close(listener);
    return port;
}

ANYC_TEST(test_connect_tcp__attempts_that_fail_alike_give_their_error)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3", NULL};
    anyc_byte_stream *stream;

    fake_resolver_install(hosts);
    ck_assert_int_eq(anyc_connect_tcp("host.test", closed_port(), NULL, &stream), -ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "host.test"));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "127.0.0.1"));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "127.0.0.3"));
}

ANYC_TEST(test_connect_tcp__attempts_that_fail_differently_are_listed)
{
    static const char *const hosts[] = {"127.0.0.1", "255.255.255.255", NULL};
    anyc_byte_stream *stream;

    fake_resolver_install(hosts);
    ck_assert_int_eq(anyc_connect_tcp("host.test", closed_port(), NULL, &stream), ANYC_ECONNECT);
    ck_assert_int_eq(anyc_last_error()->os_error, ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "127.0.0.1"));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "255.255.255.255"));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, strerror(ECONNREFUSED)));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, strerror(ENETUNREACH)));
}

/* Two addresses with one port: 127.0.0.1 never answers, 127.0.0.2 does. */
struct slow_and_good {
    int slow;
    int filler;
    int good;
    int port;
};

static struct slow_and_good slow_and_good_open(void)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", NULL};
    struct slow_and_good pair;

    pair.slow = peer_listen_full("127.0.0.1", &pair.filler);
    pair.port = peer_port(pair.slow);
    pair.good = peer_listen_at("127.0.0.2", pair.port);
    fake_resolver_install(hosts);
    return pair;
}

static void slow_and_good_close(const struct slow_and_good *pair)
{
    close(pair->slow);
    close(pair->filler);
    close(pair->good);
}

/* NT-R007 */
ANYC_TEST_WITH(test_connect_tcp__the_next_attempt_starts_after_the_delay,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    struct slow_and_good pair = slow_and_good_open();
    anyc_connect_tcp_options patient = {.happy_eyeballs_delay = 7};
    anyc_byte_stream *stream;
    double start = anyc_current_time();

    ck_assert_int_eq(anyc_connect_tcp("host.test", pair.port, NULL, &stream), 0);
    ck_assert_double_eq_tol(anyc_current_time() - start, 0.25, 1e-6);
    anyc_aclose(stream);
    start = anyc_current_time();
    ck_assert_int_eq(anyc_connect_tcp("host.test", pair.port, &patient, &stream), 0);
    ck_assert_double_eq_tol(anyc_current_time() - start, 7, 1e-6);
    anyc_aclose(stream);
    slow_and_good_close(&pair);
}

/* NT-R007: an attempt that fails does not wait for the delay. */
ANYC_TEST_WITH(test_connect_tcp__the_next_attempt_starts_after_a_failure,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.3", "127.0.0.2", NULL};
    int listener = peer_listen_on("127.0.0.2");
    anyc_connect_tcp_options patient = {.happy_eyeballs_delay = INFINITY};
    double start = anyc_current_time();
    anyc_byte_stream *stream;

    fake_resolver_install(hosts);
    ck_assert_int_eq(anyc_connect_tcp("host.test", peer_port(listener), &patient, &stream), 0);
    ck_assert_double_eq(anyc_current_time(), start);
    anyc_aclose(stream);
    close(listener);
}

/* The winner ends the attempts that still hang, and nothing of them stays open. */
ANYC_TEST_WITH(test_connect_tcp__the_losers_are_closed, .clock = ANYC_CLOCK_VIRTUAL)
{
    struct slow_and_good pair = slow_and_good_open();
    anyc_byte_stream *stream;
    int fds;

    ck_assert_int_eq(anyc_connect_tcp("host.test", pair.port, NULL, &stream), 0);
    anyc_aclose(stream);
    fds = peer_count_fds();
    ck_assert_int_eq(anyc_connect_tcp("host.test", pair.port, NULL, &stream), 0);
    ck_assert_int_eq(peer_count_fds(), fds + 1);
    anyc_aclose(stream);
    ck_assert_int_eq(peer_count_fds(), fds);
    slow_and_good_close(&pair);
}

/* NT-R036: a connect that hangs ends at the deadline: one attempt, and several. */
ANYC_TEST_WITH(test_connect_tcp__ends_at_a_deadline, .clock = ANYC_CLOCK_VIRTUAL)
{
    static const char *const one[] = {"127.0.0.1", NULL};
    static const char *const three[] = {"127.0.0.1", "127.0.0.1", "127.0.0.1", NULL};
    static const double delays[] = {0.1, 0.3, 0.6, 100};
    int filler;
    int listener = peer_listen_full("127.0.0.1", &filler);
    int fds = 0;

    for (int i = 0; i < 8; i++) {
        anyc_byte_stream *stream = NULL;
        anyc_cancel_scope scope;
        int rc;

        fake_resolver_install(i < 4 ? one : three);
        anyc_fail_after(&scope, delays[i % 4], false);
        rc = anyc_connect_tcp("host.test", peer_port(listener), NULL, &stream);
        ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_ETIMEDOUT);
        ck_assert_ptr_null(stream);
        if (i == 0)
            fds = peer_count_fds(); /* after the resolver's first thread */
        ck_assert_int_eq(peer_count_fds(), fds);
    }
    close(listener);
    close(filler);
}

/* NT-R002 */
ANYC_TEST(test_connect_tcp__a_cancelled_task_connects_to_nobody)
{
    int listener = peer_listen(AF_INET);
    anyc_byte_stream *stream = NULL;
    anyc_cancel_scope scope;
    int rc;

    anyc_cancel_scope_enter(&scope, NULL);
    anyc_cancel_scope_cancel(&scope, NULL);
    rc = anyc_connect_tcp("127.0.0.1", peer_port(listener), NULL, &stream);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), 0);
    ck_assert_ptr_null(stream);
    peer_drain(listener);
    close(listener);
}

/* Several attempts while the nth allocation fails; true when none failed. */
static bool connect_without_memory(int port, long n)
{
    anyc_byte_stream *stream = NULL;
    bool failed;
    int rc;

    fail_alloc_arm(n);
    rc = anyc_connect_tcp("host.test", port, NULL, &stream);
    failed = fail_alloc_disarm();
    if (rc == 0)
        anyc_aclose(stream);
    else
        ck_assert(failed);
    return !failed;
}

static int without_memory(void *arg)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.3", "127.0.0.2", NULL};
    int listener = peer_listen_on("127.0.0.2");
    bool done = false;
    int fds;

    (void)arg;
    fake_resolver_install(hosts);
    connect_without_memory(peer_port(listener), 1000000); /* starts the resolver's thread */
    fds = peer_count_fds();
    for (long n = 1; !done; n++) {
        ck_assert_int_lt(n, 200);
        done = connect_without_memory(peer_port(listener), n);
        peer_drain(listener);
        ck_assert_int_eq(peer_count_fds(), fds);
    }
    close(listener);
    return 0;
}

ANYC_TEST_PLAIN(test_connect_tcp__survives_without_memory)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};

    fail_alloc_install();
    ck_assert_int_eq(anyc_run_with(without_memory, NULL, &options), 0);
    ck_assert_int_eq(fail_alloc_live(), 0);
}
