/* SPDX-License-Identifier: MIT */
/*
 * test_tls_listener_life.c - TLS listeners: turns, cancellation, and what outlives what.
 */
#include "tls_server.h"

#include <errno.h>
#include <string.h>

#include "support/fail_alloc.h"

/* -- turns -- */

/* A good client of a server that it has to wait for. */
struct client {
    const struct server *server;
    anyc_byte_stream *end;
    struct steps *steps;
    char name;
    double served_at;
};

static int client_task(void *arg)
{
    struct client *client = arg;

    check_served_on(client->server, client->end);
    client->served_at = anyc_current_time();
    steps_add(client->steps, client->name);
    return 0;
}

static void client_start(struct client *client, struct server *server, struct steps *steps,
                         char name)
{
    *client = (struct client){server, byte_listener_connect(server->below), steps, name, 0};
    ck_assert_ok(anyc_task_group_start_soon(&server->group, client_task, client, NULL));
    settle();
}

/* The slow one holds the others up no longer than its own timeout, and those are served in the order
 * in which they came. */
ANYC_TEST_WITH(test_tls_listener_life__handshakes_wait_for_their_turn, .clock = ANYC_CLOCK_VIRTUAL)
{
    const anyc_tls_listener_create_options options = {.handshake_timeout = 5, .max_handshakes = 1};
    struct steps steps = {""};
    struct client clients[3];
    struct server server;
    anyc_byte_stream *silent;
    double start;

    server_start(&server, &options);
    start = anyc_current_time();
    silent = byte_listener_connect(server.below);
    ck_assert_ok(anyc_sleep(1));
    for (int i = 0; i < 3; i++)
        client_start(&clients[i], &server, &steps, (char)('a' + i));
    ck_assert_int_eq(server.handled, 0);
    check_dropped(silent);
    ck_assert_double_eq_tol(anyc_current_time() - start, 5, 1e-6);
    while (server.handled < 3)
        settle();
    settle();
    ck_assert_str_eq(steps.text, "abc");
    ck_assert_double_eq_tol(clients[2].served_at - start, 5, 1e-6);
    server_stop(&server, ANYC_ECANCELLED);
}

/* With two turns one silent client holds up nobody. */
ANYC_TEST(test_tls_listener_life__as_many_handshakes_as_there_are_turns)
{
    struct server server;
    anyc_byte_stream *silent[2];

    server_start(&server, &(anyc_tls_listener_create_options){.max_handshakes = 2});
    silent[0] = byte_listener_connect(server.below);
    settle();
    check_served(&server);
    silent[1] = byte_listener_connect(server.below);
    settle();
    anyc_aclose(silent[0]); /* gives its turn back */
    check_served(&server);
    anyc_aclose(silent[1]);
    settle();
    ck_assert_int_eq(server.handled, 2);
    server_stop(&server, ANYC_ECANCELLED);
}

/* The wait for a turn counts. */
ANYC_TEST_WITH(test_tls_listener_life__who_waits_too_long_is_dropped, .clock = ANYC_CLOCK_VIRTUAL)
{
    struct server server;
    const anyc_tls_listener_create_options options = {.handshake_timeout = 5,
                                                      .max_handshakes = 1,
                                                      .handle_handshake_error = note_failure,
                                                      .handle_arg = &server};
    anyc_byte_stream *silent[2];

    server_start(&server, &options);
    silent[0] = byte_listener_connect(server.below);
    silent[1] = byte_listener_connect(server.below);
    check_dropped(silent[0]);
    check_dropped(silent[1]);
    ck_assert_int_eq(server.failures, 2);
    ck_assert_int_eq(server.failure_rc, ANYC_ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(server.failure_text, "not begun"));
    check_served(&server);
    server_stop(&server, ANYC_ECANCELLED);
}

/* -- cancellation -- */

/* TL-R012: the connections are closed, one in its handshake and one before its turn, and nobody is
 * told of a failure. */
ANYC_TEST(test_tls_listener_life__a_cancelled_handshake_closes_the_connection)
{
    struct server server;
    const anyc_tls_listener_create_options options = {
        .max_handshakes = 1, .handle_handshake_error = note_failure, .handle_arg = &server};
    anyc_byte_stream *silent[2];

    server_start(&server, &options);
    silent[0] = byte_listener_connect(server.below);
    silent[1] = byte_listener_connect(server.below);
    settle();
    anyc_cancel_scope_cancel(&server.scope, NULL);
    check_dropped(silent[0]);
    check_dropped(silent[1]);
    ck_assert_int_eq(server.failures, 0);
    ck_assert_int_eq(logged, 0);
    server_stop(&server, ANYC_ECANCELLED);
}

/* In a group of the test's, handshakes go on when serving was cancelled. */
ANYC_TEST(test_tls_listener_life__a_handshake_outlives_a_cancelled_serve)
{
    anyc_task_group handlers = ANYC_TASK_GROUP_INIT;
    struct server server;
    anyc_byte_stream *end;

    server_open(&server, NULL);
    server.handlers = &handlers;
    ck_assert_ok(anyc_task_group_enter(&handlers));
    server_serve(&server);
    end = byte_listener_connect(server.below);
    settle();
    anyc_cancel_scope_cancel(&server.scope, NULL);
    settle();
    ck_assert_int_eq(server.rc, ANYC_ECANCELLED);
    check_served_on(&server, end);
    ck_assert_int_eq(server.handled, 1);
    server_stop(&server, ANYC_ECANCELLED);
    ck_assert_ok(anyc_task_group_exit(&handlers, 0));
}

/* -- the listener's end -- */

/* One connection is in its handshake, one waits for its turn, when listener and context go. */
ANYC_TEST(test_tls_listener_life__handshakes_outlive_the_listener)
{
    anyc_task_group handlers = ANYC_TASK_GROUP_INIT;
    struct server server;
    anyc_byte_stream *ends[2];

    server_open(&server, &(anyc_tls_listener_create_options){.max_handshakes = 1});
    server.handlers = &handlers;
    ck_assert_ok(anyc_task_group_enter(&handlers));
    server_serve(&server);
    ends[0] = byte_listener_connect(server.below);
    ends[1] = byte_listener_connect(server.below);
    settle();
    anyc_tls_context_destroy(server.context);
    server.context = NULL;
    anyc_aclose_forcefully(server.listener);
    server.listener = NULL;
    settle();
    ck_assert_int_eq(server.rc, ANYC_ECLOSED);
    check_served_on(&server, ends[0]);
    check_served_on(&server, ends[1]);
    ck_assert_int_eq(server.handled, 2);
    server_stop(&server, ANYC_ECLOSED);
    ck_assert_ok(anyc_task_group_exit(&handlers, 0));
}

ANYC_TEST(test_tls_listener_life__a_closed_one_serves_and_accepts_no_more)
{
    struct server server;
    anyc_byte_stream *stream = NULL;

    server_start(&server, NULL);
    ck_assert_ok(anyc_close(server.listener));
    settle();
    ck_assert_int_eq(server.rc, ANYC_ECLOSED);
    ck_assert_int_eq(anyc_listener_serve(server.listener, echo, &server, NULL), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_listener_accept(server.listener, &stream), ANYC_ECLOSED);
    ck_assert_ptr_null(stream);
    server_stop(&server, ANYC_ECLOSED);
}

/* A listener that hands its only connection to a task, and stops serving at once. */
struct hasty {
    anyc_listener listener;
    anyc_byte_stream *connection;
    anyc_serving serving;
};

static int hasty_connection(void *arg)
{
    struct hasty *hasty = arg;

    return hasty->serving.handler(hasty->connection, hasty->serving.arg);
}

static int hasty_serve(anyc_listener *listener, const anyc_serving *serving)
{
    struct hasty *hasty = (struct hasty *)listener;

    hasty->serving = *serving;
    ck_assert_ok(anyc_task_group_start_soon(serving->task_group, hasty_connection, hasty, "hasty"));
    return -EIO;
}

static int hasty_close(anyc_resource *resource, bool forcefully)
{
    (void)resource;
    (void)forcefully;
    return 0;
}

static void hasty_destroy(anyc_resource *resource)
{
    anyc_listener_deinit(&((struct hasty *)resource)->listener);
}

static const anyc_listener_ops hasty_ops = {
    .resource = {"hasty listener", hasty_close, hasty_destroy, anyc_no_attributes},
    .accept = anyc_no_accept,
    .serve = hasty_serve,
};

/* The connection's task has not run yet when serving ends and the listener goes. */
ANYC_TEST(test_tls_listener_life__a_task_that_has_not_run_outlives_serving)
{
    anyc_task_group handlers = ANYC_TASK_GROUP_INIT;
    struct byte_pair pair;
    anyc_listener *listener = NULL;
    struct server server;
    struct hasty hasty;

    server_open(&server, NULL);
    byte_pair_from_objects(&pair, 16);
    hasty.connection = pair.b;
    ck_assert_ok(anyc_listener_init(&hasty.listener, &hasty_ops));
    ck_assert_ok(anyc_tls_listener_create(&hasty.listener, server.context, NULL, &listener));
    ck_assert_ok(anyc_task_group_enter(&handlers));
    ck_assert_int_eq(anyc_listener_serve(listener, echo, &server, &handlers), -EIO);
    ck_assert_ok(anyc_aclose(listener));
    check_served_on(&server, pair.a);
    ck_assert_ok(anyc_task_group_exit(&handlers, 0));
    ck_assert_int_eq(server.handled, 1);
    server_close(&server);
}

/* -- accepting without serving -- */

/* A task that accepts one connection and serves it. */
struct accepter {
    struct server *server;
    anyc_cancel_scope scope;
    int rc;
};

static int accept_task(void *arg)
{
    struct accepter *accepter = arg;
    anyc_byte_stream *stream = NULL;
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&accepter->scope, NULL));
    accepter->rc = anyc_listener_accept(accepter->server->listener, &stream);
    rc = accepter->rc == 0 ? echo(stream, accepter->server) : accepter->rc;
    return anyc_cancel_scope_exit(&accepter->scope, rc) == ANYC_ECANCELLED ? ANYC_ECANCELLED : 0;
}

static void accepter_start(struct accepter *accepter, struct server *server, anyc_task_group *group)
{
    *accepter = (struct accepter){.server = server, .rc = 1};
    ck_assert_ok(anyc_task_group_enter(group));
    ck_assert_ok(anyc_task_group_start_soon(group, accept_task, accepter, NULL));
    settle();
}

static void accepter_end(const struct accepter *accepter, anyc_task_group *group, int expected)
{
    ck_assert_ok(anyc_task_group_exit(group, 0));
    ck_assert_int_eq(accepter->rc, expected);
    ck_assert_int_eq(accepter->server->failures, 0);
    ck_assert_int_eq(logged, 0);
    server_close(accepter->server);
}

ANYC_TEST(test_tls_listener_life__accept_answers_a_tls_stream)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct accepter accepter;
    struct server server;

    server_open(&server, NULL);
    accepter_start(&accepter, &server, &group);
    check_served(&server);
    accepter_end(&accepter, &group, 0);
    ck_assert_int_eq(server.handled, 1);
}

/* The caller hears of it, and the error handler does not. */
ANYC_TEST_WITH(test_tls_listener_life__accept_answers_a_failed_handshake,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    struct server server;
    const anyc_tls_listener_create_options options = {
        .handshake_timeout = 7, .handle_handshake_error = note_failure, .handle_arg = &server};
    double start = anyc_current_time();

    for (int i = 0; i < 2; i++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        struct accepter accepter;
        anyc_byte_stream *end;

        server_open(&server, &options);
        accepter_start(&accepter, &server, &group);
        end = byte_listener_connect(server.below);
        if (i == 0)
            ck_assert_ok(anyc_send_eof(end));
        check_dropped(end);
        ck_assert_double_eq_tol(anyc_current_time() - start, i == 0 ? 0 : 7, 1e-6);
        accepter_end(&accepter, &group, i == 0 ? ANYC_ETLS_EOF : ANYC_ETIMEDOUT);
    }
}

ANYC_TEST(test_tls_listener_life__a_cancelled_accept_closes_the_connection_in_its_handshake)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct accepter accepter;
    struct server server;
    anyc_byte_stream *end;

    server_open(&server, NULL);
    accepter_start(&accepter, &server, &group);
    end = byte_listener_connect(server.below);
    settle();
    anyc_cancel_scope_cancel(&accepter.scope, NULL);
    check_dropped(end);
    accepter_end(&accepter, &group, ANYC_ECANCELLED);
}

/* In its handshake it does not need the listener any more. */
ANYC_TEST(test_tls_listener_life__an_accept_outlives_the_listener)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct accepter accepter;
    struct server server;
    anyc_byte_stream *end;

    server_open(&server, NULL);
    accepter_start(&accepter, &server, &group);
    end = byte_listener_connect(server.below);
    settle();
    ck_assert_ok(anyc_aclose(server.listener));
    server.listener = NULL;
    check_served_on(&server, end);
    accepter_end(&accepter, &group, 0);
}

/* -- over and under multi-listeners -- */

static void serve_two(anyc_listener *below[2], struct server *server)
{
    server_serve(server);
    for (int i = 0; i < 4; i++)
        check_served_on(server, byte_listener_connect(below[i % 2]));
    ck_assert_int_eq(server->handled, 4);
    server_stop(server, ANYC_ECANCELLED);
}

ANYC_TEST(test_tls_listener_life__serves_several_listeners)
{
    anyc_listener *below[2] = {byte_listener_create(), byte_listener_create()};
    anyc_byte_stream *stream = NULL;
    anyc_listener *both = NULL;
    struct server server;

    server_open(&server, NULL);
    ck_assert_ok(anyc_aclose(server.listener));
    ck_assert_ok(anyc_multi_listener_create(below, 2, &both));
    ck_assert_ok(anyc_tls_listener_create(both, server.context, NULL, &server.listener));
    ck_assert_int_eq(anyc_listener_accept(server.listener, &stream), -ENOTSUP);
    serve_two(below, &server);
}

ANYC_TEST(test_tls_listener_life__is_served_with_others)
{
    anyc_listener *below[2] = {byte_listener_create(), byte_listener_create()};
    anyc_listener *over[2] = {NULL, NULL};
    struct server server;

    server_open(&server, NULL);
    ck_assert_ok(anyc_aclose(server.listener));
    for (int i = 0; i < 2; i++)
        ck_assert_ok(anyc_tls_listener_create(below[i], server.context, NULL, &over[i]));
    ck_assert_ok(anyc_multi_listener_create(over, 2, &server.listener));
    serve_two(below, &server);
}

/* -- certificates -- */

/* A connection to a server of this name. */
static anyc_byte_stream *connect_to(const struct server *server, const char *hostname)
{
    const anyc_tls_stream_wrap_options options = {.context = server->client, .hostname = hostname};
    anyc_byte_stream *stream = NULL;

    ck_assert_ok(anyc_tls_stream_wrap(byte_listener_connect(server->below), &options, &stream));
    return stream;
}

/* The handshake that comes after has the new certificate; the connection before, one that has been
 * accepted before, and one whose handshake had begun, are served. */
ANYC_TEST(test_tls_listener_life__new_handshakes_have_the_newest_certificates)
{
    const anyc_tls_certificate fresh = {.chain.file = TLS_FILE("server_b.pem"),
                                        .key.file = TLS_FILE("server_b.key")};
    anyc_byte_stream *old;
    anyc_byte_stream *begun;
    struct server server;

    server_start(&server, NULL);
    old = connect_to(&server, "localhost");
    begun = byte_listener_connect(server.below);
    settle();
    ck_assert_ok(anyc_tls_context_replace_certificates(server.context, &fresh, 1));
    check_echo(connect_to(&server, "b.example"));
    check_served_on(&server, begun);
    check_echo(old);
    ck_assert_int_eq(server.handled, 3);
    server_stop(&server, ANYC_ECANCELLED);
}

/* The program has destroyed its context; the listener has not. */
ANYC_TEST(test_tls_listener_life__keeps_its_context)
{
    struct server server;

    server_start(&server, NULL);
    anyc_tls_context_destroy(server.context);
    server.context = NULL;
    check_served(&server);
    server_stop(&server, ANYC_ECANCELLED);
}

/* -- without memory -- */

static int end_with(anyc_byte_stream *stream, void *arg)
{
    (void)arg;
    return anyc_aclose(stream);
}

/* From creation to the handler while the nth allocation fails; true when none failed. */
static bool serve_without_memory(struct server *server, long n)
{
    anyc_task_group handlers = ANYC_TASK_GROUP_INIT;
    anyc_listener *below = byte_listener_create();
    anyc_byte_stream *end = byte_listener_connect(below);
    anyc_byte_stream *stream = NULL;
    anyc_listener *listener = NULL;
    bool failed;
    int rc;

    ck_assert_ok(anyc_send_eof(end)); /* the server's handshake fails, if it comes so far */
    ck_assert_ok(anyc_task_group_enter(&handlers));
    fail_alloc_arm(n);
    rc = anyc_tls_listener_create(below, server->context, NULL, &listener);
    if (rc == 0)
        rc = anyc_listener_accept(listener, &stream);
    failed = fail_alloc_disarm();
    ck_assert(rc == ANYC_ETLS_EOF ||
              (failed && rc == ANYC_ENOMEM)); /* or it was only the message */
    ck_assert_ptr_null(stream);
    fail_alloc_arm(1);
    if (listener != NULL)
        ck_assert_int_eq(anyc_listener_serve(listener, end_with, NULL, &handlers), ANYC_ENOMEM);
    (void)fail_alloc_disarm();
    ck_assert_ok(anyc_task_group_exit(&handlers, 0));
    anyc_aclose(listener != NULL ? listener : below);
    anyc_aclose(end);
    return !failed;
}

static int without_memory(void *arg)
{
    struct server server;
    bool done = false;

    (void)arg;
    server_open(&server, NULL);
    for (long n = 1; !done; n++) {
        ck_assert_int_lt(n, 100);
        done = serve_without_memory(&server, n);
    }
    server_close(&server);
    return 0;
}

ANYC_TEST_PLAIN(test_tls_listener_life__survives_without_memory)
{
    const anyc_run_options options = {.backend = anyc_testing_backend()};

    fail_alloc_install();
    ck_assert_ok(anyc_run_with(without_memory, NULL, &options));
    ck_assert_int_eq(fail_alloc_live(), 0);
}
