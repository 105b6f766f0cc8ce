/* SPDX-License-Identifier: MIT */
/*
 * test_tls_stream_end.c - the ends of a TLS stream: told, cut, forced; what a close waits for.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <string.h>

#include "support/probe_stream.h"
#include "tls_link.h"

/* A pair over memory streams whose transports are in sight. */
struct open_pair {
    struct byte_pair tls;
    struct probe_stream a; /* the client's transport */
    struct probe_stream b;
    anyc_task_group group;
    struct job job; /* of the one task in it */
};

static void open_pair_init(struct open_pair *pair, bool compatible)
{
    struct byte_pair raw;

    byte_pair_from_objects(&raw, 4);
    pair->tls.a = probe_init(&pair->a, raw.a);
    pair->tls.b = probe_init(&pair->b, raw.b);
    tls_pair_wrap(&pair->tls, &(struct tls_pair_options){.not_standard_compatible = !compatible});
}

/* A task that does this with one end. */
static void open_pair_start(struct open_pair *pair, anyc_task_fn fn, anyc_byte_stream *stream)
{
    pair->group = (anyc_task_group)ANYC_TASK_GROUP_INIT;
    pair->job = (struct job){.stream = stream};
    ck_assert_int_eq(anyc_task_group_enter(&pair->group), 0);
    group_start(&pair->group, fn, &pair->job);
}

/* And its end: it got this. */
static void open_pair_join(struct open_pair *pair, int expected)
{
    ck_assert_int_eq(anyc_task_group_exit(&pair->group, 0), 0);
    ck_assert_int_eq(pair->job.rc, expected);
}

/* -- ends of the peer -- */

/* TL-R004 */
ANYC_TEST(test_tls_stream_end__what_the_peer_told_is_the_end_for_good)
{
    struct open_pair pair;

    open_pair_init(&pair, true);
    open_pair_start(&pair, close_once, pair.tls.b);
    expect_eof(pair.tls.a);
    expect_eof(pair.tls.a);
    ck_assert_int_eq(anyc_aclose(pair.tls.a), 0);
    open_pair_join(&pair, 0);
    ck_assert_int_eq(anyc_aclose(pair.tls.b), 0);
}

/* TL-R004, TL-R010, TL-R019: each answer stays the same, and the close says nothing new. */
ANYC_TEST(test_tls_stream_end__a_cut_is_no_end)
{
    struct open_pair pair;
    anyc_byte_stream *transport = NULL;
    anyc_bytes leftover = {NULL, 0};

    open_pair_init(&pair, true);
    put(pair.tls.b, "hello");
    anyc_aclose_forcefully(pair.tls.b);
    expect(pair.tls.a, "hello");
    for (int i = 0; i < 2; i++) {
        expect_error(pair.tls.a, ANYC_EBROKEN);
        ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "cut"));
        ck_assert_int_eq(anyc_send(pair.tls.a, "x", 1), ANYC_EBROKEN);
        ck_assert_int_eq(anyc_send_some(pair.tls.a, "x", 1), ANYC_EBROKEN);
        ck_assert_int_eq(anyc_tls_stream_unwrap(pair.tls.a, &transport, &leftover), ANYC_EBROKEN);
    }
    ck_assert_int_eq(anyc_close(pair.tls.a), 0);
    ck_assert(pair.a.closed);
    expect_error(pair.tls.a, ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send(pair.tls.a, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_tls_stream_unwrap(pair.tls.a, &transport, &leftover), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_aclose(pair.tls.a), 0);
}

/* What a receive that waits answers when the transport ends. */
static ssize_t end_while_waiting(bool compatible)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct open_pair pair;
    char buf[4];
    struct job job;

    open_pair_init(&pair, compatible);
    job = (struct job){pair.tls.a, buf, sizeof buf, 1};
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receive_once, &job);
    settle();
    ck_assert_int_eq(job.rc, 1);
    anyc_aclose_forcefully(pair.tls.b);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(anyc_receive(pair.tls.a, buf, sizeof buf), job.rc);
    anyc_aclose_forcefully(pair.tls.a);
    return job.rc;
}

/* TL-R017 */
ANYC_TEST(test_tls_stream_end__a_cut_in_the_middle_of_waiting_is_like_any_other)
{
    ck_assert_int_eq(end_while_waiting(true), ANYC_EBROKEN);
    ck_assert_int_eq(end_while_waiting(false), ANYC_EOF);
}

static int write_and_cut(struct tls_peer *peer, void *arg)
{
    (void)arg;
    return tls_peer_write(peer, "0123456789", 10) == 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : 0;
}

/* TL-R017: the end comes within a record. */
static void cut_within_a_record(bool compatible, int expected)
{
    struct tls_peer peer;
    const struct tls_peer_options first = {TLS_LINK_LOCALHOST};
    struct tls_peer_options second = first;
    anyc_tls_stream_wrap_options options = {.hostname = "localhost",
                                            .not_standard_compatible = !compatible};
    anyc_byte_stream *stream;

    stream = tls_link_wrap(tls_link_connect(&peer, &first, NULL, NULL), &options);
    anyc_aclose_forcefully(stream);
    tls_peer_join(&peer);
    second.cut_after = peer.bytes_sent - 20; /* within what is a close notification there */
    stream = tls_link_wrap(tls_link_connect(&peer, &second, write_and_cut, NULL), &options);
    expect_error(stream, expected);
    expect_error(stream, expected);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join(&peer);
}

ANYC_TEST(test_tls_stream_end__a_cut_within_a_record_is_like_any_other)
{
    cut_within_a_record(true, ANYC_EBROKEN);
    cut_within_a_record(false, ANYC_EOF);
}

static int reset(struct tls_peer *peer, void *arg)
{
    char byte;
    int rc = tls_peer_read_all(peer, &byte, 1);

    (void)arg;
    tls_peer_reset(peer);
    return rc;
}

/* No orderly end in either kind of stream. */
ANYC_TEST(test_tls_stream_end__a_reset_breaks)
{
    for (int i = 0; i < 2; i++) {
        struct tls_peer peer;
        anyc_byte_stream *stream = tls_link_wrap(
            tls_link_connect(&peer, NULL, reset, NULL),
            &(anyc_tls_stream_wrap_options){.hostname = "localhost", .not_standard_compatible = i});

        put(stream, "x");
        expect_error(stream, ANYC_EBROKEN);
        ck_assert_int_eq(anyc_last_error()->os_error, ECONNRESET);
        expect_error(stream, ANYC_EBROKEN);
        ck_assert_int_eq(anyc_aclose(stream), 0);
        tls_peer_join_ok(&peer);
    }
}

static int hear_after_own_end(struct tls_peer *peer, void *arg)
{
    char buf[5];
    int rc = tls_peer_send_close_notify(peer);

    (void)arg;
    if (rc == 0)
        rc = tls_peer_read_all(peer, buf, sizeof buf);
    if (rc == 0)
        rc = memcmp(buf, "still", sizeof buf);
    return rc != 0 ? rc : tls_peer_wait_close_notify(peer);
}

/* TL-R011 */
ANYC_TEST(test_tls_stream_end__sending_goes_on_after_the_peers_end)
{
    struct tls_peer peer;
    anyc_byte_stream *stream = tls_link_open(&peer, hear_after_own_end, NULL);

    expect_eof(stream);
    put(stream, "still");
    expect_eof(stream);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
}

static int go_on_after_own_end(struct tls_peer *peer, void *arg)
{
    int rc = tls_peer_send_close_notify(peer);

    (void)arg;
    if (rc == 0)
        rc = tls_peer_write(peer, "what else I forgot", 18);
    return rc != 0 ? rc : tls_peer_wait_close_notify(peer);
}

ANYC_TEST(test_tls_stream_end__what_comes_after_the_peers_end_is_not_received)
{
    struct tls_peer peer;
    anyc_byte_stream *stream = tls_link_open(&peer, go_on_after_own_end, NULL);

    expect_eof(stream);
    expect_eof(stream);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
}

/* -- what breaks it -- */

/* After this came, the stream answers the same again and again. */
static void check_broken(struct open_pair *pair, uint8_t alert)
{
    const anyc_error *error;
    char message[256] = "";

    for (int i = 0; i < 2; i++) {
        expect_error(pair->tls.a, ANYC_ETLS);
        error = anyc_last_error();
        ck_assert_uint_eq(error->tls.alert, alert);
        ck_assert(error->tls.alert_sent);
        ck_assert(i == 0 || strcmp(error->message, message) == 0);
        strncpy(message, error->message, sizeof message - 1);
        ck_assert_int_eq(anyc_send(pair->tls.a, "x", 1), ANYC_EBROKEN);
        ck_assert_str_eq(anyc_last_error()->message, message);
    }
    ck_assert_int_eq(anyc_close(pair->tls.a), 0);
    ck_assert(pair->a.closed);
    tls_pair_drop(&pair->tls);
}

/* TL-R010 */
ANYC_TEST(test_tls_stream_end__a_changed_record_breaks)
{
    struct open_pair pair;

    open_pair_init(&pair, true);
    pair.a.flip_at = pair.a.received + 20;
    put(pair.tls.b, "hello");
    expect_error(pair.tls.a, ANYC_ETLS);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "MAC"));
    expect_error(pair.tls.b, ANYC_ETLS); /* it was told */
    ck_assert_uint_eq(anyc_last_error()->tls.alert, MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC);
    ck_assert(!anyc_last_error()->tls.alert_sent);
    check_broken(&pair, MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC);
}

/* TL-R010: plain text within TLS, by somebody who has the connection. */
ANYC_TEST(test_tls_stream_end__what_is_no_record_breaks)
{
    struct open_pair pair;

    open_pair_init(&pair, true);
    put(&pair.b.stream, "HTTP/1.0 200 OK\r\n\r\n");
    check_broken(&pair, MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR);
}

static int send_fatal(struct tls_peer *peer, void *arg)
{
    (void)arg;
    return mbedtls_ssl_send_alert_message(peer->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                          MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR);
}

/* TL-R010 */
ANYC_TEST(test_tls_stream_end__a_fatal_alert_breaks)
{
    struct tls_peer peer;
    anyc_byte_stream *stream = tls_link_open(&peer, send_fatal, NULL);

    for (int i = 0; i < 2; i++) {
        expect_error(stream, ANYC_ETLS);
        ck_assert_uint_eq(anyc_last_error()->tls.alert, MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR);
        ck_assert(!anyc_last_error()->tls.alert_sent);
        ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "internal error"));
        ck_assert_int_eq(anyc_send(stream, "x", 1), ANYC_EBROKEN);
    }
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
}

/* -- closing -- */

/* TL-R006: the peer is told at once, and has all the time it wants. */
ANYC_TEST(test_tls_stream_end__a_close_waits_for_the_peers_end)
{
    struct open_pair pair;

    open_pair_init(&pair, true);
    open_pair_start(&pair, close_once, pair.tls.a);
    settle();
    ck_assert_int_eq(pair.job.rc, 1);
    expect_eof(pair.tls.b);
    put(pair.tls.b, "not yet");
    settle();
    ck_assert_int_eq(pair.job.rc, 1);
    ck_assert_int_eq(anyc_close(pair.tls.b), 0);
    open_pair_join(&pair, 0);
    ck_assert(pair.a.closed && !pair.a.forcefully && pair.b.closed && !pair.b.forcefully);
    tls_pair_drop(&pair.tls);
}

/* TL-R006: the scope is the limit, and TL-R008: the transport is closed by force then. */
ANYC_TEST_WITH(test_tls_stream_end__a_close_lasts_as_long_as_its_scope, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;
    struct open_pair pair;
    double before;

    open_pair_init(&pair, true);
    before = anyc_current_time();
    ck_assert_int_eq(anyc_move_on_after(&scope, 1000, false), 0);
    ck_assert_int_eq(anyc_close(pair.tls.a), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert(anyc_current_time() == before + 1000);
    ck_assert(pair.a.closed && pair.a.forcefully);
    expect_error(pair.tls.a, ANYC_ECLOSED);
    ck_assert_int_eq(anyc_close(pair.tls.a), 0);
    expect_eof(pair.tls.b); /* as it was told */
    tls_pair_drop(&pair.tls);
}

/* TL-R006, TL-R008 */
ANYC_TEST(test_tls_stream_end__a_close_in_a_cancelled_scope_tells_nothing)
{
    anyc_cancel_scope scope;
    struct open_pair pair;
    int calls;

    open_pair_init(&pair, true);
    calls = pair.a.calls;
    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), 0);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_close(pair.tls.a), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert_int_eq(pair.a.calls, calls);
    ck_assert(pair.a.closed && pair.a.forcefully);
    expect_error(pair.tls.b, ANYC_EBROKEN);
    tls_pair_drop(&pair.tls);
}

/* TL-R008 */
ANYC_TEST(test_tls_stream_end__a_close_that_is_cut_forces_and_says_so)
{
    struct open_pair pair;

    open_pair_init(&pair, true);
    open_pair_start(&pair, close_once, pair.tls.a);
    settle();
    anyc_aclose_forcefully(pair.tls.b);
    open_pair_join(&pair, ANYC_EBROKEN);
    ck_assert(pair.a.closed && pair.a.forcefully);
    ck_assert_int_eq(anyc_aclose(pair.tls.a), 0);
}

/* TL-R008 */
ANYC_TEST(test_tls_stream_end__a_stream_that_is_not_standard_compatible_closes_without_a_word)
{
    struct open_pair pair;
    int calls;

    open_pair_init(&pair, false);
    calls = pair.a.calls;
    ck_assert_int_eq(anyc_close(pair.tls.a), 0);
    ck_assert_int_eq(pair.a.calls, calls);
    ck_assert(pair.a.closed && !pair.a.forcefully);
    expect_eof(pair.tls.b);
    tls_pair_drop(&pair.tls);
}

enum { MUCH = 200000 };

static int send_and_close(void *arg)
{
    struct job *job = arg;
    char *data = calloc(1, MUCH);

    job->rc = anyc_send(job->stream, data, MUCH);
    free(data);
    if (job->rc == 0)
        job->rc = anyc_close(job->stream);
    return 0;
}

/* TL-R007 */
ANYC_TEST(test_tls_stream_end__a_close_drops_what_the_peer_still_sends)
{
    struct open_pair pair;

    open_pair_init(&pair, true);
    open_pair_start(&pair, send_and_close, pair.tls.b);
    settle();
    ck_assert_int_eq(pair.job.rc, 1);
    ck_assert_int_eq(anyc_close(pair.tls.a), 0);
    open_pair_join(&pair, 0);
    ck_assert(!pair.a.forcefully && !pair.b.forcefully);
    tls_pair_drop(&pair.tls);
}
