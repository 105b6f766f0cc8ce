/* SPDX-License-Identifier: MIT */
/*
 * test_proxy.c - examples/proxy.c: what passes, and what does not. Load and resets:
 * test_proxy_load.c.
 */
#include <check.h>

#include <anyc/testing.h>

#include <stdio.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "route.h"
#include "support/foreign.h"

/* -- what passes -- */

static void check_end(int fd)
{
    char byte;

    ck_assert_uint_eq(peer_receive(fd, &byte, 1), 0);
}

/* One side ends its sending: the other notices, and goes on sending until it ends that too. */
static void check_half_close(int first, int second)
{
    check_passes(first, second, "a question");
    ck_assert_int_eq(shutdown(first, SHUT_WR), 0);
    check_end(second);
    check_passes(second, first, "a late");
    check_passes(second, first, "answer");
    ck_assert_int_eq(shutdown(second, SHUT_WR), 0);
    check_end(first);
    close(first);
    close(second);
}

static void half_close(bool unix_front, bool unix_back)
{
    struct route route;
    int client;
    int server;

    route_open(&route, unix_front, unix_back);
    route_connect(&route, &client, &server);
    check_half_close(client, server);
    route_connect(&route, &client, &server);
    check_half_close(server, client);
    route_close(&route);
}

ANYC_TEST_PLAIN(test_proxy__keeps_a_half_closed_connection)
{
    half_close(false, false);
    half_close(false, true);
    half_close(true, false);
    half_close(true, true);
}

ANYC_TEST_PLAIN(test_proxy__connections_do_not_disturb_each_other)
{
    enum { COUNT = 50 };
    struct route route;
    int clients[COUNT];
    int servers[COUNT];

    route_open(&route, false, false);
    for (int i = 0; i < COUNT; i++)
        route_connect(&route, &clients[i], &servers[i]);
    for (int i = 0; i < COUNT; i++) {
        check_passes(clients[i], servers[i], "there");
        check_passes(servers[i], clients[i], "and back");
        close(i % 2 == 0 ? clients[i] : servers[i]);
        check_end(i % 2 == 0 ? servers[i] : clients[i]);
        close(i % 2 == 0 ? servers[i] : clients[i]);
    }
    route_close(&route);
}

/* -- programs that are not ours -- */

ANYC_TEST_PLAIN(test_proxy__curl_reaches_a_web_server)
{
    static struct program_result result;
    struct program server;
    struct program proxy;
    struct program curl;
    char text[64];

    foreign_need("curl");
    program_start(&server, "http_server", NULL);
    snprintf(text, sizeof text, "127.0.0.1:%d", program_port(&server));
    program_start(&proxy, "proxy", "127.0.0.1:0", text, NULL);
    snprintf(text, sizeof text, "http://127.0.0.1:%d/", program_port(&proxy));
    program_spawn(&curl, (const char *const[]){"curl", "-sS", "--noproxy", "*", text, text, NULL});
    program_wait(&curl, &result);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_str_eq(result.out, "Hello, World!Hello, World!"); /* over one connection */
    program_stop(&proxy);
    program_stop(&server);
}

/* A client program that sends its input and prints what comes back. */
static void check_echo_client(const char *const *arguments)
{
    static struct program_result result;
    struct program client;

    program_spawn(&client, arguments);
    program_feed(&client, "hello, world\n");
    program_wait(&client, &result);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_str_eq(result.out, "hello, world\n");
}

/* An echo server behind a proxy, both at paths. */
struct chain {
    struct program server;
    struct program proxy;
    struct unix_place front;
    struct unix_place back;
};

static void chain_open(struct chain *chain)
{
    char listen[256];
    char target[256];

    chain->front = unix_place_make(false);
    chain->back = unix_place_make(false);
    program_start(&chain->server, "echo_server", "--unix", chain->back.name, NULL);
    program_await(chain->server.out, "listening on");
    snprintf(listen, sizeof listen, "unix:%s", chain->front.name);
    snprintf(target, sizeof target, "unix:%s", chain->back.name);
    program_start(&chain->proxy, "proxy", listen, target, NULL);
    program_await(chain->proxy.out, "listening on");
}

static void chain_close(struct chain *chain)
{
    program_stop(&chain->proxy);
    program_stop(&chain->server);
    unix_place_remove(&chain->front);
    unix_place_remove(&chain->back);
}

ANYC_TEST_PLAIN(test_proxy__socat_reaches_an_echo_server)
{
    struct chain chain;
    char address[256];

    foreign_need("socat");
    chain_open(&chain);
    snprintf(address, sizeof address, "UNIX-CONNECT:%s", chain.front.name);
    check_echo_client((const char *const[]){"socat", "-t", "10", "-", address, NULL});
    chain_close(&chain);
}

ANYC_TEST_PLAIN(test_proxy__nc_reaches_an_echo_server)
{
    struct chain chain;

    foreign_need("nc");
    chain_open(&chain);
    check_echo_client((const char *const[]){"nc", "-N", "-U", chain.front.name, NULL});
    chain_close(&chain);
}

/* -- what does not pass -- */

/* The client is let go of, the reason is printed, and the next one has better luck. */
ANYC_TEST_PLAIN(test_proxy__goes_on_when_the_target_is_not_there)
{
    struct unix_place back = unix_place_make(false);
    struct program proxy;
    char target[256];
    char line[512];
    int listener;
    int client;
    int server;
    int port;

    snprintf(target, sizeof target, "unix:%s", back.name);
    program_start(&proxy, "proxy", "127.0.0.1:0", target, NULL);
    port = program_port(&proxy);
    client = program_connect(port);
    check_end(client);
    close(client);
    program_line(proxy.err, line, sizeof line);
    ck_assert_msg(strstr(line, "cannot reach") != NULL && strstr(line, back.name) != NULL, "%s",
                  line);
    listener = unix_peer_listen(&back);
    client = program_connect(port);
    server = peer_accept(listener);
    check_passes(client, server, "there");
    close(client);
    close(server);
    close(listener);
    program_stop(&proxy);
    unix_place_remove(&back);
}

/* With --timeout a pair that is silent is closed, also a half-closed one. */
ANYC_TEST_PLAIN(test_proxy__bounds_the_time_of_silence)
{
    int listener = peer_listen(AF_INET);
    struct program proxy;
    char target[64];
    int clients[2];
    int servers[2];
    int port;

    snprintf(target, sizeof target, "127.0.0.1:%d", peer_port(listener));
    program_start(&proxy, "proxy", "--timeout", "0.1", "127.0.0.1:0", target, NULL);
    port = program_port(&proxy);
    for (int i = 0; i < 2; i++) {
        clients[i] = program_connect(port);
        servers[i] = peer_accept(listener);
    }
    ck_assert_int_eq(shutdown(clients[1], SHUT_WR), 0);
    for (int i = 0; i < 2; i++) {
        check_end(servers[i]);
        check_end(clients[i]);
        close(clients[i]);
        close(servers[i]);
    }
    close(listener);
    program_stop(&proxy);
}

ANYC_TEST_PLAIN(test_proxy__refuses_what_is_no_address)
{
    static const char *const bad[] = {"x",           "x:",    "x:y", "127.0.0.1:70000",
                                      "127.0.0.1:0", "unix:", ":80"};
    static struct program_result result;
    struct program proxy;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        program_start(&proxy, "proxy", "127.0.0.1:0", bad[i], NULL);
        program_wait(&proxy, &result);
        ck_assert_msg(result.code == 2, "%s: %d", bad[i], result.code);
        ck_assert_ptr_nonnull(strstr(result.err, "usage: proxy"));
    }
    program_start(&proxy, "proxy", "127.0.0.1:0", NULL);
    program_wait(&proxy, &result);
    ck_assert_int_eq(result.code, 2);
}

ANYC_TEST_PLAIN(test_proxy__takes_an_ipv6_address_in_brackets)
{
    struct program proxy;
    char target[64];
    int listener;
    int client;
    int server;

    if (!peer_has_family(AF_INET6))
        ANYC_TEST_SKIP("needs IPv6");
    listener = peer_listen(AF_INET6);
    snprintf(target, sizeof target, "[::1]:%d", peer_port(listener));
    program_start(&proxy, "proxy", "127.0.0.1:0", target, NULL);
    client = program_connect(program_port(&proxy));
    server = peer_accept(listener);
    check_half_close(client, server);
    close(listener);
    program_stop(&proxy);
}
