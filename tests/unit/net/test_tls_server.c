/* SPDX-License-Identifier: MIT */
/*
 * test_tls_server.c - a TLS listener over real sockets: its attributes, foreign clients, and what is
 * logged of those that fail. AnyIO: streams.tls.TLSListener. The rest is in
 * unit/streams/test_tls_listener.c.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <stdio.h>
#include <string.h>

#include <unistd.h>

#include "support/peer.h"
#include "support/tls_files.h"
#include "support/tls_pair.h"
#include "support/tls_peer.h"

/* A task that serves with the context's default of workers. */
struct server {
    anyc_listener *listener;
    anyc_tls_context *context;
    anyc_cancel_scope scope;
    anyc_task_group group;
    int port;
    int handled;
};

static char logged_line[512];
static int logged;

static void note_log(int code, const char *message, void *arg)
{
    (void)code;
    (void)arg;
    logged++;
    snprintf(logged_line, sizeof logged_line, "%s", message);
}

static int echo(anyc_byte_stream *stream, void *arg)
{
    struct server *server = arg;
    char buf[64];
    ssize_t n = 0;
    int rc = 0;

    server->handled++;
    while (rc >= 0 && (n = anyc_receive(stream, buf, sizeof buf)) > 0)
        rc = anyc_send(stream, buf, (size_t)n);
    anyc_aclose(stream);
    return n == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

static int serve(void *arg)
{
    struct server *server = arg;
    int rc;

    ck_assert_int_eq(anyc_cancel_scope_enter(&server->scope, NULL), 0);
    rc = anyc_listener_serve(server->listener, echo, server, NULL);
    return anyc_cancel_scope_exit(&server->scope, rc);
}

static void server_start(struct server *server, int family, double handshake_timeout)
{
    const anyc_tls_certificate certificate = {.chain.file = TLS_FILE("localhost.pem"),
                                              .key.file = TLS_FILE("localhost.key")};
    const anyc_create_tcp_listener_options tcp = {.local_host = peer_loopback(family)};
    const anyc_tls_listener_create_options options = {.handshake_timeout = handshake_timeout};
    anyc_listener *below = NULL;

    *server = (struct server){.group = ANYC_TASK_GROUP_INIT};
    logged = 0;
    anyc_set_log_handler(note_log, NULL);
    server->context = tls_context(&(anyc_tls_context_options){
        .server_side = true, .certificates = &certificate, .certificate_count = 1});
    ck_assert_int_eq(anyc_create_tcp_listener(&tcp, &below), 0);
    ck_assert_int_eq(anyc_tls_listener_create(below, server->context, &options, &server->listener),
                     0);
    ck_assert_int_eq(anyc_extra(server->listener, &ANYC_SOCKET_LOCAL_PORT, &server->port), 0);
    ck_assert_int_eq(anyc_task_group_enter(&server->group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&server->group, serve, server, NULL), 0);
}

static void server_stop(struct server *server)
{
    anyc_cancel_scope_cancel(&server->scope, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&server->group, 0), 0);
    ck_assert_int_eq(anyc_aclose(server->listener), 0);
    anyc_tls_context_destroy(server->context);
}

/* -- clients -- */

static int talk(struct tls_peer *peer, void *arg)
{
    char buf[5];
    int rc = tls_peer_write(peer, "hello", 5);

    (void)arg;
    if (rc == 0)
        rc = tls_peer_read_all(peer, buf, sizeof buf);
    if (rc == 0 && memcmp(buf, "hello", 5) != 0)
        rc = -1;
    return rc != 0 ? rc : tls_peer_close_notify(peer);
}

static int join_in_thread(void *arg)
{
    tls_peer_join(arg);
    return 0;
}

/* Wait for a client's thread, while the loop goes on. */
static void join(struct tls_peer *peer)
{
    ck_assert_int_eq(anyc_to_thread_run_sync(join_in_thread, peer, NULL, NULL), 0);
}

static void serves_by(int family)
{
    const struct tls_peer_options options = {.ca = TLS_FILE("ca.pem"), .hostname = "localhost"};
    struct tls_peer clients[3];
    struct server server;

    server_start(&server, family, 0);
    for (int i = 0; i < 3; i++)
        tls_peer_client_start(&clients[i], peer_connect(family, server.port), &options, talk, NULL);
    for (int i = 0; i < 3; i++) {
        join(&clients[i]);
        ck_assert_int_eq(clients[i].handshake, 0);
        ck_assert_int_eq(clients[i].result, 0);
    }
    ck_assert_int_eq(server.handled, 3);
    ck_assert_int_eq(logged, 0);
    server_stop(&server);
}

ANYC_TEST(test_tls_server__serves_foreign_clients)
{
    peer_for_each_family(serves_by);
}

/* Wait until the server has closed this raw connection. */
static void check_dropped(int client)
{
    anyc_cancel_scope scope;
    char buf[64];
    size_t n = 1;

    while (n > 0) {
        ck_assert_int_eq(anyc_fail_after(&scope, 10, false), 0);
        ck_assert_int_eq(anyc_cancel_scope_exit(&scope, anyc_wait_readable(client)), 0);
        n = peer_receive(client, buf, 1);
    }
    close(client);
}

/* The address by which the server knows this client, as the log has it. */
static void client_name(int family, int client, char *out_text, size_t size)
{
    snprintf(out_text, size, family == AF_INET6 ? " with [%s]:%d failed: " : " with %s:%d failed: ",
             peer_loopback(family), peer_port(client));
}

static void logs_by(int family)
{
    struct server server;
    char name[96];
    int client;

    server_start(&server, family, 0);
    client = peer_connect(family, server.port);
    client_name(family, client, name, sizeof name);
    ck_assert(peer_send(client, "GET / HTTP/1.0\r\n\r\n", 18));
    check_dropped(client);
    ck_assert_int_eq(logged, 1);
    ck_assert_msg(strstr(logged_line, name) != NULL, "%s", logged_line);
    server_stop(&server);
}

/* A line for a failed handshake says whose it was. */
ANYC_TEST(test_tls_server__logs_the_address_of_a_client_that_failed)
{
    peer_for_each_family(logs_by);
}

/* By the real clock. */
ANYC_TEST(test_tls_server__drops_a_silent_client)
{
    struct server server;

    server_start(&server, AF_INET, 0.05);
    check_dropped(peer_connect(AF_INET, server.port));
    ck_assert_int_eq(logged, 1);
    ck_assert_ptr_nonnull(strstr(logged_line, "not over after 0.05 s"));
    server_stop(&server);
}

/* One that has gone before its name could be asked for. */
ANYC_TEST(test_tls_server__survives_a_client_that_resets)
{
    struct server server;

    server_start(&server, AF_INET, 0);
    peer_reset(peer_connect(AF_INET, server.port));
    while (logged == 0)
        ck_assert_int_eq(anyc_sleep(0.001), 0);
    ck_assert_ptr_nonnull(strstr(logged_line, "a TLS handshake with 127.0.0.1:"));
    server_stop(&server);
}
