/* SPDX-License-Identifier: MIT */
/*
 * test_tls_listener.c - serving by TLS: handshakes that succeed, hang and fail.
 * AnyIO: streams.tls.TLSListener. The connections are in memory; unit/net/test_tls_server.c has
 * sockets, test_tls_listener_life.c cancellation, turns and the ends of things.
 */
#include "tls_server.h"

#include <math.h>
#include <string.h>

/* -- what it is -- */

ANYC_TEST(test_tls_listener__handlers_get_tls_streams)
{
    struct server server;

    server_start(&server, NULL);
    check_served(&server);
    check_served(&server);
    ck_assert_int_eq(server.handled, 2);
    ck_assert_int_eq(logged, 0);
    server_stop(&server, ANYC_ECANCELLED);
}

/* TL-R016: of the attributes of TLS it has the standard-compatible one and nothing else. Unlike
 * AnyIO's it passes on those of the listener below, which the program has given away. */
ANYC_TEST(test_tls_listener__has_the_standard_compatible_attribute)
{
    const anyc_typed_attribute *others[] = {&ANYC_TLS_SERVER_SIDE, &ANYC_TLS_SESSION_REUSED};
    struct server server;
    bool value = false;
    int number = 0;

    for (int i = 0; i < 2; i++) {
        server_open(&server, &(anyc_tls_listener_create_options){.not_standard_compatible = i > 0});
        ck_assert_ok(anyc_extra(server.listener, &ANYC_TLS_STANDARD_COMPATIBLE, &value));
        ck_assert_int_eq(value, i == 0);
        ck_assert_int_eq(anyc_extra(server.listener, others[i], &value), ANYC_EATTRIBUTE);
        ck_assert_ok(anyc_extra(server.listener, &BYTE_LISTENER_NUMBER, &number));
        ck_assert_int_eq(number, 7);
        server_close(&server);
    }
}

ANYC_TEST(test_tls_listener__its_streams_are_as_standard_compatible_as_it_is)
{
    const anyc_tls_listener_create_options lax = {.not_standard_compatible = true};
    struct server server;
    anyc_byte_stream *stream = NULL;

    server_start(&server, NULL);
    check_served(&server);
    ck_assert(server.compatible);
    server_stop(&server, ANYC_ECANCELLED);
    server_start(&server, &lax);
    ck_assert_ok(shake(&server, byte_listener_connect(server.below), &stream));
    settle();
    ck_assert(!server.compatible);
    ck_assert_int_eq(anyc_aclose(stream), ANYC_EBROKEN); /* the server just closes too */
    server_stop(&server, ANYC_ECANCELLED);
}

static void check_refused(anyc_tls_context *context, double timeout)
{
    const anyc_tls_listener_create_options options = {.handshake_timeout = timeout};
    anyc_listener *below = byte_listener_create();
    anyc_listener *listener = NULL;

    ck_assert_int_eq(anyc_tls_listener_create(below, context, &options, &listener), ANYC_EINVAL);
    ck_assert_ptr_null(listener);
    anyc_aclose(below); /* still the caller's */
}

ANYC_TEST(test_tls_listener__refuses_what_it_cannot_use)
{
    anyc_tls_context *server = tls_context_server();
    anyc_tls_context *client = tls_context_client();

    check_refused(client, 0);
    check_refused(NULL, 0);
    check_refused(server, -1);
    check_refused(server, NAN);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

/* -- handshakes that hang -- */

/* TL-R016: the handshake is done in the connection's own task. */
ANYC_TEST(test_tls_listener__a_silent_client_holds_up_nobody)
{
    struct server server;
    anyc_byte_stream *silent;

    server_start(&server, NULL);
    silent = byte_listener_connect(server.below);
    settle();
    check_served(&server);
    ck_assert_int_eq(server.handled, 1);
    check_served_on(&server, silent);
    ck_assert_int_eq(server.handled, 2);
    server_stop(&server, ANYC_ECANCELLED);
}

ANYC_TEST_WITH(test_tls_listener__a_silent_client_is_dropped_after_30_s,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    struct server server;
    double start;

    server_start(&server, NULL);
    start = anyc_current_time();
    check_dropped(byte_listener_connect(server.below));
    ck_assert_double_eq_tol(anyc_current_time() - start, 30, 1e-6);
    ck_assert_int_eq(logged, 1);
    ck_assert_int_eq(logged_code, ANYC_ETIMEDOUT);
    ck_assert_str_eq(logged_line,
                     "a TLS handshake failed: the TLS handshake was not over after 30 s");
    check_served(&server);
    ck_assert_int_eq(server.handled, 1);
    server_stop(&server, ANYC_ECANCELLED);
}

/* Sends the beginning of a long record, one byte each second. */
static int trickle(void *arg)
{
    static const char header[] = {22, 3, 1, 2, 0};
    anyc_byte_stream *end = arg;
    int rc = 0;

    for (size_t i = 0; rc == 0; i++) {
        rc = anyc_send(end, i < sizeof header ? header + i : "", 1);
        if (rc == 0)
            rc = anyc_sleep(1);
    }
    return rc == ANYC_ECANCELLED ? rc : 0;
}

ANYC_TEST_WITH(test_tls_listener__a_trickling_client_is_dropped_in_time,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    struct server server;
    anyc_byte_stream *end;
    double start;

    server_start(&server, &(anyc_tls_listener_create_options){.handshake_timeout = 5});
    end = byte_listener_connect(server.below);
    start = anyc_current_time();
    ck_assert_ok(anyc_task_group_start_soon(&server.group, trickle, end, NULL));
    settle();
    while (logged == 0)
        ck_assert_ok(anyc_sleep(0.5));
    ck_assert_double_eq_tol(anyc_current_time() - start, 5, 0.5);
    ck_assert_int_eq(logged_code, ANYC_ETIMEDOUT);
    ck_assert_ok(anyc_sleep(2)); /* it notices that it sends to nobody */
    anyc_aclose(end);
    check_served(&server);
    server_stop(&server, ANYC_ECANCELLED);
}

ANYC_TEST_WITH(test_tls_listener__without_a_timeout_it_waits_for_ever, .clock = ANYC_CLOCK_VIRTUAL)
{
    struct server server;
    anyc_byte_stream *silent;

    server_start(&server, &(anyc_tls_listener_create_options){.handshake_timeout = INFINITY});
    silent = byte_listener_connect(server.below);
    ck_assert_ok(anyc_sleep(1e6));
    check_served_on(&server, silent);
    server_stop(&server, ANYC_ECANCELLED);
}

/* The timeout is for the handshake alone. */
ANYC_TEST_WITH(test_tls_listener__a_connection_may_last_longer_than_a_handshake,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_byte_stream *stream = NULL;
    struct server server;

    server_start(&server, &(anyc_tls_listener_create_options){.handshake_timeout = 5});
    ck_assert_ok(shake(&server, byte_listener_connect(server.below), &stream));
    ck_assert_ok(anyc_sleep(100));
    check_echo(stream);
    server_stop(&server, ANYC_ECANCELLED);
}

/* -- handshakes that fail -- */

/* A client that sends this and ends its sending. */
static void send_instead(const struct server *server, const void *data, size_t len)
{
    anyc_byte_stream *end = byte_listener_connect(server->below);

    ck_assert_ok(anyc_send(end, data, len));
    ck_assert_ok(anyc_send_eof(end));
    check_dropped(end);
}

/* TL-R012: the listener closes the connection by force. */
ANYC_TEST(test_tls_listener__a_failed_handshake_is_logged_and_serving_goes_on)
{
    struct server server;

    server_start(&server, NULL);
    send_instead(&server, "\x16\x03\x01\x02\x00half", 9);
    ck_assert_int_eq(logged, 1);
    ck_assert_int_eq(logged_code, ANYC_ETLS_EOF);
    ck_assert_ptr_nonnull(strstr(logged_line, "a TLS handshake failed: "));
    send_instead(&server, "GET / HTTP/1.0\r\n\r\n", 18);
    ck_assert_int_eq(logged, 2);
    ck_assert_int_eq(logged_code, ANYC_ETLS);
    check_served(&server);
    ck_assert_int_eq(server.handled, 1);
    server_stop(&server, ANYC_ECANCELLED);
}

static void check_failure(struct server *server, int calls, int rc)
{
    settle();
    ck_assert_int_eq(server->failures, calls);
    ck_assert_int_eq(server->failure_rc, rc);
    ck_assert_int_eq(server->handled, 0);
    ck_assert_int_eq(logged, 0);
}

/* The error handler has the code, the details, and the connection. */
ANYC_TEST(test_tls_listener__the_error_handler_is_told_why)
{
    struct server server;
    const anyc_tls_listener_create_options options = {.handle_handshake_error = note_failure,
                                                      .handle_arg = &server};

    server_start(&server, &options);
    send_instead(&server, "", 0);
    check_failure(&server, 1, ANYC_ETLS_EOF);
    ck_assert_ptr_nonnull(strstr(server.failure_text, "ended within the TLS handshake"));
    send_instead(&server, "GET / HTTP/1.0\r\n\r\n", 18);
    check_failure(&server, 2, ANYC_ETLS);
    ck_assert_int_ne(server.failure_tls.library_code, 0);
    check_served(&server);
    server_stop(&server, ANYC_ECANCELLED);
}

/* The client does not trust the server, and says so. */
ANYC_TEST(test_tls_listener__the_error_handler_sees_the_alert)
{
    enum { UNKNOWN_CA = 48 };
    struct server server;
    const anyc_tls_listener_create_options options = {.handle_handshake_error = note_failure,
                                                      .handle_arg = &server};
    anyc_byte_stream *stream = NULL;
    anyc_byte_stream *end;

    server_start(&server, &options);
    anyc_tls_context_destroy(server.client);
    server.client = tls_context(&(anyc_tls_context_options){.ca.file = TLS_FILE("other_ca.pem")});
    end = byte_listener_connect(server.below);
    ck_assert_int_eq(shake(&server, end, &stream), ANYC_ETLS_CERTIFICATE);
    check_dropped(end);
    check_failure(&server, 1, ANYC_ETLS);
    ck_assert_uint_eq(server.failure_tls.alert, UNKNOWN_CA);
    ck_assert(!server.failure_tls.alert_sent);
    server_stop(&server, ANYC_ECANCELLED);
}

ANYC_TEST_WITH(test_tls_listener__the_error_handler_is_told_of_a_timeout,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    struct server server;
    const anyc_tls_listener_create_options options = {
        .handshake_timeout = 3, .handle_handshake_error = note_failure, .handle_arg = &server};

    server_start(&server, &options);
    check_dropped(byte_listener_connect(server.below));
    check_failure(&server, 1, ANYC_ETIMEDOUT);
    server_stop(&server, ANYC_ECANCELLED);
}

/* A failure that the error handler answers ends serving as a handler's would. */
ANYC_TEST(test_tls_listener__the_error_handler_may_end_serving)
{
    struct server server;
    const anyc_tls_listener_create_options options = {.handle_handshake_error = note_failure,
                                                      .handle_arg = &server};

    server_start(&server, &options);
    server.failure_answer = -EPROTO;
    send_instead(&server, "", 0);
    settle();
    ck_assert_int_eq(server.rc, -EPROTO);
    ck_assert_int_eq(logged, 1); /* by anyc_listener_serve */
    ck_assert_int_eq(logged_code, -EPROTO);
    server_stop(&server, -EPROTO);
}
