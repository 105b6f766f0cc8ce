/* SPDX-License-Identifier: MIT */
/*
 * tls_server.c - a TLS server for tests, over connections in memory, and its clients.
 */
#include "tls_server.h"

#include <stdio.h>

int logged;
int logged_code;
char logged_line[512];

static void note_log(int code, const char *message, void *arg)
{
    (void)arg;
    logged++;
    logged_code = code;
    snprintf(logged_line, sizeof logged_line, "%s", message);
}

/* -- the server -- */

int echo(anyc_byte_stream *stream, void *arg)
{
    struct server *server = arg;
    bool server_side = false;
    char buf[64];
    ssize_t n = 0;
    int rc = 0;

    server->handled++;
    ck_assert_ok(anyc_extra(stream, &ANYC_TLS_SERVER_SIDE, &server_side));
    ck_assert(server_side);
    ck_assert_ok(anyc_extra(stream, &ANYC_TLS_STANDARD_COMPATIBLE, &server->compatible));
    while (rc >= 0 && (n = anyc_receive(stream, buf, sizeof buf)) > 0)
        rc = anyc_send(stream, buf, (size_t)n);
    anyc_aclose(stream);
    return n == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

int note_failure(anyc_byte_stream *transport, int rc, void *arg)
{
    struct server *server = arg;
    const anyc_error *error = anyc_last_error();

    server->failures++;
    server->failure_rc = rc;
    ck_assert_int_eq(error->code, rc);
    server->failure_tls = error->tls;
    snprintf(server->failure_text, sizeof server->failure_text, "%s", error->message);
    anyc_aclose(transport);
    return server->failure_answer;
}

static int serve(void *arg)
{
    struct server *server = arg;
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&server->scope, NULL));
    server->rc = anyc_listener_serve(server->listener, echo, server, server->handlers);
    rc = anyc_cancel_scope_exit(&server->scope, server->rc);
    return rc == ANYC_ECANCELLED ? rc : 0;
}

void server_open(struct server *server, const anyc_tls_listener_create_options *options)
{
    logged = 0;
    anyc_set_log_handler(note_log, NULL);
    *server = (struct server){.group = ANYC_TASK_GROUP_INIT, .rc = 1};
    server->context = tls_context_server();
    server->client = tls_context_client();
    server->below = byte_listener_create();
    ck_assert_ok(
        anyc_tls_listener_create(server->below, server->context, options, &server->listener));
}

void server_close(struct server *server)
{
    if (server->listener != NULL)
        ck_assert_ok(anyc_aclose(server->listener));
    anyc_tls_context_destroy(server->context);
    anyc_tls_context_destroy(server->client);
}

void server_serve(struct server *server)
{
    ck_assert_ok(anyc_task_group_enter(&server->group));
    ck_assert_ok(anyc_task_group_start_soon(&server->group, serve, server, NULL));
}

void server_start(struct server *server, const anyc_tls_listener_create_options *options)
{
    server_open(server, options);
    server_serve(server);
    settle();
}

void server_stop(struct server *server, int expected)
{
    anyc_cancel_scope_cancel(&server->scope, NULL);
    ck_assert_ok(anyc_task_group_exit(&server->group, 0));
    ck_assert_int_eq(server->rc, expected);
    server_close(server);
}

/* -- clients -- */

int shake(const struct server *server, anyc_byte_stream *end, anyc_byte_stream **out_stream)
{
    const anyc_tls_stream_wrap_options options = {.context = server->client,
                                                  .hostname = "localhost"};

    return anyc_tls_stream_wrap(end, &options, out_stream);
}

void check_echo(anyc_byte_stream *stream)
{
    char buf[8];

    ck_assert_ok(anyc_send(stream, "hello", 5));
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 5);
    ck_assert_mem_eq(buf, "hello", 5);
    ck_assert_ok(anyc_aclose(stream));
}

void check_served_on(const struct server *server, anyc_byte_stream *end)
{
    anyc_byte_stream *stream = NULL;

    ck_assert_ok(shake(server, end, &stream));
    check_echo(stream);
}

void check_served(const struct server *server)
{
    check_served_on(server, byte_listener_connect(server->below));
}

void check_dropped(anyc_byte_stream *end)
{
    char buf[64];
    ssize_t n;

    while ((n = anyc_receive(end, buf, sizeof buf)) > 0)
        continue;
    ck_assert_int_eq(n, ANYC_EOF);
    anyc_aclose(end);
}

void settle(void)
{
    ck_assert_ok(anyc_wait_all_tasks_blocked());
}
