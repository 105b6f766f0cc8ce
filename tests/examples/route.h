/* SPDX-License-Identifier: MIT */
/*
 * route.h - a proxy of examples/ between two plain sockets.
 */
#ifndef ANYC_TESTS_EXAMPLES_ROUTE_H
#define ANYC_TESTS_EXAMPLES_ROUTE_H

#include <check.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <unistd.h>

#include "examples/program.h"
#include "support/peer.h"
#include "support/unix_peer.h"

/* A proxy and the listener that it leads to. */
struct route {
    struct program proxy;
    struct unix_place front; /* where the proxy listens, unless it has a port */
    struct unix_place back;
    int port;
    int listener;
};

static inline void route_open(struct route *route, bool unix_front, bool unix_back)
{
    char listen[256] = "127.0.0.1:0";
    char target[256];

    *route = (struct route){.port = 0};
    route->front = unix_place_make(false);
    route->back = unix_place_make(false);
    route->listener = unix_back ? unix_peer_listen(&route->back) : peer_listen(AF_INET);
    if (unix_front)
        snprintf(listen, sizeof listen, "unix:%s", route->front.name);
    if (unix_back)
        snprintf(target, sizeof target, "unix:%s", route->back.name);
    else
        snprintf(target, sizeof target, "127.0.0.1:%d", peer_port(route->listener));
    program_start(&route->proxy, "proxy", listen, target, NULL);
    if (unix_front)
        program_await(route->proxy.out, "listening on /");
    else
        route->port = program_port(&route->proxy);
}

static inline int route_client(const struct route *route)
{
    return route->port > 0 ? program_connect(route->port) : unix_peer_connect(&route->front);
}

/* The two ends of a connection through the proxy. */
static inline void route_connect(const struct route *route, int *out_client, int *out_server)
{
    *out_client = route_client(route);
    *out_server = peer_accept(route->listener);
}

/* The proxy has nothing to complain about. */
static inline void route_close(struct route *route)
{
    static struct program_result result;

    ck_assert_int_eq(kill(route->proxy.pid, SIGTERM), 0);
    program_wait(&route->proxy, &result);
    ck_assert_int_eq(result.code, 128 + SIGTERM);
    ck_assert_str_eq(result.err, "");
    close(route->listener);
    unix_place_remove(&route->front);
    unix_place_remove(&route->back);
}

/* Text goes from one end to the other. */
static inline void check_passes(int from, int to, const char *text)
{
    char buf[64] = "";

    program_send(from, text);
    ck_assert_uint_eq(peer_receive(to, buf, strlen(text)), strlen(text));
    ck_assert_str_eq(buf, text);
}

#endif
