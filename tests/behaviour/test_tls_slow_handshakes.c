/* SPDX-License-Identifier: MIT */
/*
 * test_tls_slow_handshakes.c - peers that let us wait in the handshake: time limits end it. The peers
 * are records (support/tls_tape.h), sent a byte at a time.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include "support/byte_listener.h"
#include "support/byte_pair.h"
#include "support/steps.h"
#include "support/tls_peer.h"
#include "support/tls_tape.h"

static const struct tls_peer_options any_peer;

/* A peer that sends a byte a second, whatever it gets. */
struct trickle {
    const struct tls_tape *record;
    anyc_byte_stream *end;
    size_t sent;
};

static int trickle_task(void *arg)
{
    struct trickle *trickle = arg;
    int rc = 0;

    while (rc >= 0 && trickle->sent < trickle->record->flights.len) {
        rc = anyc_send(trickle->end, trickle->record->flights.data + trickle->sent, 1);
        trickle->sent += rc >= 0;
        if (rc >= 0)
            rc = anyc_sleep(1);
    }
    return rc == ANYC_EBROKEN ? 0 : rc;
}

static void check_trickle(bool is_server)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct byte_pair ends;
    anyc_byte_stream *stream = NULL;
    struct tls_tape record;
    struct trickle trickle = {.record = &record};
    anyc_tls_stream_wrap_options options = {.hostname = is_server ? NULL : "localhost"};
    anyc_cancel_scope scope;
    double start;
    int rc;

    tls_tape_record(&record, is_server, &any_peer, NULL, NULL);
    options.context = record.context;
    byte_pair_from_objects(&ends, 16);
    trickle.end = ends.b;
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, trickle_task, &trickle, NULL));
    start = anyc_current_time();
    ck_assert_ok(anyc_fail_after(&scope, 20, false));
    rc = anyc_cancel_scope_exit(&scope, anyc_tls_stream_wrap(ends.a, &options, &stream));
    ck_assert_int_eq(rc, ANYC_ETIMEDOUT);
    ck_assert_double_eq_tol(anyc_current_time() - start, 20, 0.01);
    ck_assert_uint_ge(trickle.sent, 20);
    ck_assert_uint_le(trickle.sent, 21);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    anyc_aclose_forcefully(ends.a);
    anyc_aclose_forcefully(ends.b);
    tls_tape_deinit(&record);
}

ANYC_TEST_WITH(test_tls_slow_handshakes__a_server, .clock = ANYC_CLOCK_VIRTUAL)
{
    check_trickle(false);
}

ANYC_TEST_WITH(test_tls_slow_handshakes__a_client, .clock = ANYC_CLOCK_VIRTUAL)
{
    check_trickle(true);
}

static int note_failure(anyc_byte_stream *transport, int rc, void *arg)
{
    *(int *)arg = rc;
    return anyc_aclose(transport);
}

static int never_called(anyc_byte_stream *stream, void *arg)
{
    (void)arg;
    (void)stream;
    ck_abort_msg("there was no handshake");
    return 0;
}

static int serve_task(void *arg)
{
    return anyc_listener_serve(arg, never_called, NULL, NULL);
}

ANYC_TEST_WITH(test_tls_slow_handshakes__a_client_of_a_listener, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_listener *below = byte_listener_create();
    int failure = 0;
    const anyc_tls_listener_create_options options = {
        .handshake_timeout = 5, .handle_handshake_error = note_failure, .handle_arg = &failure};
    anyc_listener *listener = NULL;
    struct tls_tape record;
    struct trickle trickle = {.record = &record, .end = byte_listener_connect(below)};
    double start = anyc_current_time();

    tls_tape_record(&record, true, &any_peer, NULL, NULL);
    ck_assert_ok(anyc_tls_listener_create(below, record.context, &options, &listener));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, serve_task, listener, NULL));
    ck_assert_ok(trickle_task(&trickle)); /* until the server has closed */
    ck_assert_double_eq_tol(anyc_current_time() - start, 5, 1.01);
    ck_assert_int_eq(failure, ANYC_ETIMEDOUT);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    anyc_aclose(listener);
    anyc_aclose_forcefully(trickle.end);
    tls_tape_deinit(&record);
}
