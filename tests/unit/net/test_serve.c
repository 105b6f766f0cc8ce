/* SPDX-License-Identifier: MIT */
/*
 * test_serve.c - serving real sockets: at the limit of descriptors or connections, several
 * listeners, and the end.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include <time.h>
#include <unistd.h>

#include "support/limit_fds.h"
#include "support/peer.h"
#include "support/valgrind.h"

enum { CLIENTS = 4, QUEUE = 100 };

/* A task that serves until the stop is set. */
struct server {
    anyc_listener *listener;
    anyc_connection_fn handler;
    anyc_serve_options options;
    anyc_event stop;
    int handled;
    int rc;
};

static void ignore_log(int code, const char *message, void *arg)
{
    (void)message;
    (void)arg;
    ck_assert_int_eq(code, -EMFILE);
}

static anyc_listener *listen_on(const char *host)
{
    anyc_create_tcp_listener_options options = {.local_host = host};
    anyc_listener *listener;

    ck_assert_int_eq(anyc_create_tcp_listener(&options, &listener), 0);
    return listener;
}

static int port_of(anyc_listener *listener)
{
    int port = 0;

    ck_assert_int_eq(anyc_extra(listener, &ANYC_SOCKET_LOCAL_PORT, &port), 0);
    return port;
}

static int echo(anyc_byte_stream *stream, void *arg)
{
    struct server *server = arg;
    char buf[16];
    ssize_t n = 1;

    server->handled++;
    while (n > 0) {
        n = anyc_receive(stream, buf, sizeof buf);
        if (n > 0 && anyc_send(stream, buf, (size_t)n) < 0)
            n = -1;
    }
    anyc_aclose(stream);
    return n == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

static int serve(void *arg)
{
    struct server *server = arg;

    server->options.stop = &server->stop;
    server->rc =
        anyc_listener_serve_with(server->listener, server->handler, server, &server->options);
    return server->rc == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

static void server_start(struct server *server, anyc_task_group *group)
{
    anyc_set_log_handler(ignore_log, NULL);
    ck_assert_int_eq(anyc_task_group_enter(group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(group, serve, server, NULL), 0);
}

static void server_stop(struct server *server, anyc_task_group *group, int expected)
{
    anyc_event_set(&server->stop);
    ck_assert_int_eq(anyc_task_group_exit(group, 0), 0);
    ck_assert_int_eq(server->rc, expected);
    ck_assert_int_eq(anyc_aclose(server->listener), 0);
}

/* The client sends a word, and gets it back within ten seconds. */
static void check_echo(int client)
{
    anyc_cancel_scope scope;
    char buf[8] = "";

    ck_assert(peer_send(client, "hello", 5));
    anyc_fail_after(&scope, 10, false);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, anyc_wait_readable(client)), 0);
    ck_assert_uint_eq(peer_receive(client, buf, 5), 5);
    ck_assert_str_eq(buf, "hello");
}

/* CPU time that this process uses while its loop has nothing to do, in seconds. */
static double idle_cpu(double wall_seconds)
{
    struct timespec begin;
    struct timespec end;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    ck_assert_int_eq(anyc_sleep(wall_seconds), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    return (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
}

/* NT-R023: without descriptors the server keeps those it serves, does not spin, and goes on as soon
 * as one comes back. A server that spins uses all of the time. */
ANYC_TEST(test_serve__at_the_limit_of_descriptors_it_goes_on)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server = {.listener = listen_on("127.0.0.1"), .handler = echo};
    int port = port_of(server.listener);
    int clients[CLIENTS];
    struct rlimit old;

    skip_on_valgrind("the connection is lost when Valgrind says EMFILE");
    server_start(&server, &group);
    for (int i = 0; i < CLIENTS - 1; i++) {
        clients[i] = peer_connect(AF_INET, port);
        check_echo(clients[i]);
    }
    old = limit_fds(1);
    clients[CLIENTS - 1] = peer_connect(AF_INET, port); /* takes the last descriptor */
    ck_assert_double_lt(idle_cpu(0.5), 0.05);
    ck_assert_int_eq(server.handled, CLIENTS - 1);
    for (int i = 0; i < CLIENTS - 1; i++)
        check_echo(clients[i]);
    close(clients[0]);
    check_echo(clients[CLIENTS - 1]);
    ck_assert_int_eq(server.handled, CLIENTS);
    unlimit_fds(&old);
    for (int i = 1; i < CLIENTS; i++)
        close(clients[i]);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    server_stop(&server, &group, 0);
}

/* With all places taken the listener is not even looked at, although clients wait. */
ANYC_TEST(test_serve__at_the_limit_of_connections_it_rests)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server = {.listener = listen_on("127.0.0.1"),
                            .handler = echo,
                            .options = {.max_connections = 2, .grace_seconds = INFINITY}};
    int port = port_of(server.listener);
    int clients[CLIENTS];

    server_start(&server, &group);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = peer_connect(AF_INET, port);
    check_echo(clients[0]);
    check_echo(clients[1]);
    ck_assert_double_lt(idle_cpu(0.5), 0.05);
    ck_assert_int_eq(server.handled, 2);
    close(clients[0]);
    check_echo(clients[2]);
    ck_assert_int_eq(server.handled, 3);
    close(clients[1]);
    check_echo(clients[3]);
    close(clients[2]);
    close(clients[3]);
    server_stop(&server, &group, 0);
}

/* -- several listeners -- */

/* Notes when the only client of the second listener was served. */
struct queue {
    struct server server; /* first: the handler's argument */
    int second_port;
    int second_at; /* the number of its connection */
};

static int note_port(anyc_byte_stream *stream, void *arg)
{
    struct queue *queue = arg;
    int port = 0;

    queue->server.handled++;
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_LOCAL_PORT, &port), 0);
    if (port == queue->second_port)
        queue->second_at = queue->server.handled;
    return anyc_aclose(stream);
}

/* Clients of the first listener fill its queue before serving begins. */
ANYC_TEST(test_serve__a_long_queue_does_not_hold_up_the_other_listeners)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_listener *members[2] = {listen_on("127.0.0.1"), listen_on("127.0.0.1")};
    struct queue queue = {.server = {.handler = note_port}, .second_port = port_of(members[1])};
    int clients[QUEUE + 1];

    for (int i = 0; i < QUEUE; i++)
        clients[i] = peer_connect(AF_INET, port_of(members[0]));
    clients[QUEUE] = peer_connect(AF_INET, queue.second_port);
    ck_assert_int_eq(anyc_multi_listener_create(members, 2, &queue.server.listener), 0);
    server_start(&queue.server, &group);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(queue.server.handled, QUEUE + 1);
    ck_assert_int_gt(queue.second_at, 0);
    ck_assert_int_lt(queue.second_at, QUEUE / 2);
    for (int i = 0; i <= QUEUE; i++)
        close(clients[i]);
    server_stop(&queue.server, &group, 0);
}

/* -- the end -- */

/* What was under way at the stop is finished, however late; newcomers are refused. */
ANYC_TEST(test_serve__a_graceful_stop_finishes_what_is_under_way)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server = {.listener = listen_on("127.0.0.1"),
                            .handler = echo,
                            .options = {.grace_seconds = INFINITY}};
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    int client = peer_connect(AF_INET, port_of(server.listener));
    int late = peer_socket(AF_INET);

    server_start(&server, &group);
    check_echo(client);
    ck_assert_int_eq(getpeername(client, (struct sockaddr *)&address, &len), 0);
    anyc_event_set(&server.stop);
    ck_assert_int_eq(anyc_close(server.listener), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(connect(late, (struct sockaddr *)&address, len), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    check_echo(client);
    close(client);
    close(late);
    server_stop(&server, &group, 0);
}

/* A client that stays on is cut off. */
ANYC_TEST(test_serve__a_graceful_stop_ends_in_time)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server = {
        .listener = listen_on("127.0.0.1"), .handler = echo, .options = {.grace_seconds = 0.05}};
    int client = peer_connect(AF_INET, port_of(server.listener));
    char byte;

    server_start(&server, &group);
    check_echo(client);
    server_stop(&server, &group, ANYC_ETIMEDOUT);
    ck_assert_uint_eq(peer_receive(client, &byte, 1), 0);
    close(client);
}
