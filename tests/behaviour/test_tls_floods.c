/* SPDX-License-Identifier: MIT */
/*
 * test_tls_floods.c - peers that keep us busy with nothing: empty records, warnings, requests to
 * negotiate anew. They must not stop the loop, nor fill its memory, nor hide what else they send.
 */
#include "tls_refusal.h"

#include <string.h>

#include <sys/socket.h>
#include <sys/time.h>

#include "support/tls_tape.h"

#define TICKS_MIN 10
#define WARNINGS 3000

static const struct tls_peer_options any_peer;

static int send_text(struct tls_peer *peer, const char *text)
{
    return tls_peer_write(peer, text, strlen(text));
}

static int send_warning(struct tls_peer *peer, uint8_t alert)
{
    return mbedtls_ssl_send_alert_message(peer->ssl, MBEDTLS_SSL_ALERT_LEVEL_WARNING, alert);
}

/* What a peer sends arrives: this text first, then the end. */
static void check_text(anyc_byte_stream *stream, const char *text)
{
    char block[64];
    size_t len = strlen(text);
    size_t got = 0;
    ssize_t n = 1;

    while (got < len && n > 0) {
        n = anyc_receive(stream, block + got, len - got);
        got += n > 0 ? (size_t)n : 0;
    }
    ck_assert_msg(got == len, "%s", anyc_last_error()->message);
    ck_assert_mem_eq(block, text, len);
    ck_assert_int_eq(anyc_receive(stream, block, sizeof block), ANYC_EOF);
}

/* A conversation in which nothing goes wrong, on both sides. */
static void check_conversation(tls_peer_script script, const struct tls_peer_options *options,
                               const char *text)
{
    for (int is_server = 0; is_server < 2; is_server++) {
        struct tls_meeting meeting;

        tls_meet(&meeting, is_server != 0, options, script, NULL);
        check_text(meeting.stream, text);
        ck_assert_ok(anyc_aclose(meeting.stream));
        tls_peer_join_ok(&meeting.peer);
    }
}

/* -- empty records -- */

static int send_empty(struct tls_peer *peer, int count)
{
    int rc = 0;

    for (int i = 0; i < count && rc == 0; i++)
        rc = mbedtls_ssl_write(peer->ssl, (const unsigned char *)"", 0);
    return rc;
}

static int send_some_empty(struct tls_peer *peer, void *arg)
{
    int rc = send_empty(peer, 1);

    (void)arg;
    if (rc == 0)
        rc = send_text(peer, "one,");
    if (rc == 0)
        rc = send_empty(peer, 2);
    if (rc == 0)
        rc = send_text(peer, "two,");
    if (rc == 0)
        rc = send_empty(peer, 3);
    if (rc == 0)
        rc = send_text(peer, "three");
    return rc != 0 ? rc : tls_peer_close_notify(peer);
}

/* They are allowed (RFC 5246 section 6.2.1), and no end of anything. */
ANYC_TEST(test_tls_floods__some_empty_records)
{
    check_conversation(send_some_empty, &any_peer, "one,two,three");
}

static int send_many_empty(struct tls_peer *peer, void *arg)
{
    char byte;

    (void)arg;
    (void)send_empty(peer, 1000); /* until the other side has gone */
    (void)tls_peer_read(peer, &byte, 1);
    return 0;
}

/* mbedTLS takes three in a row. */
ANYC_TEST(test_tls_floods__empty_records_without_end)
{
    for (int is_server = 0; is_server < 2; is_server++) {
        struct tls_meeting meeting;
        char byte;

        tls_meet(&meeting, is_server != 0, &any_peer, send_many_empty, NULL);
        ck_assert_int_eq(anyc_receive(meeting.stream, &byte, 1), ANYC_ETLS);
        check_refusal(&(struct refusal){.rc = ANYC_ETLS,
                                        .says = "too many empty ones",
                                        .library_code = MBEDTLS_ERR_SSL_INVALID_MAC,
                                        .alert = ALERT_BAD_RECORD_MAC,
                                        .alert_by_us = true});
        tls_part(&meeting);
    }
}

/* -- warnings -- */

static int send_warnings_and_text(struct tls_peer *peer, void *arg)
{
    static const uint8_t warnings[] = {MBEDTLS_SSL_ALERT_MSG_USER_CANCELED,
                                       MBEDTLS_SSL_ALERT_MSG_NO_RENEGOTIATION,
                                       MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME};
    int rc = 0;

    (void)arg;
    for (size_t i = 0; i < sizeof warnings && rc == 0; i++)
        rc = send_warning(peer, warnings[i]);
    if (rc == 0)
        rc = send_text(peer, "hello");
    return rc != 0 ? rc : tls_peer_close_notify(peer);
}

/* RFC 5246 section 7.2.2: whoever gets a warning may go on. */
ANYC_TEST(test_tls_floods__some_warnings)
{
    check_conversation(send_warnings_and_text, &any_peer, "hello");
}

/* What is at hand behind a warning is not waited for, as mbedTLS would have it: the peer sends no
 * more. */
ANYC_TEST(test_tls_floods__data_in_one_piece_with_a_warning)
{
    for (int is_server = 0; is_server < 2; is_server++) {
        struct tls_tape record;
        struct tape tape;
        anyc_byte_stream *stream = NULL;
        char block[5];

        tls_tape_record(&record, is_server != 0, &any_peer, send_warnings_and_text, NULL);
        tape_play(&tape, record.flights.data, record.flights.len);
        tape.stays_open = true;
        ck_assert_ok(tls_tape_wrap(record.is_server, record.context, &tape, &stream));
        ck_assert_int_eq(anyc_receive(stream, block, sizeof block), 5);
        ck_assert_mem_eq(block, "hello", 5);
        anyc_aclose_forcefully(stream);
        tape_deinit(&tape);
        tls_tape_deinit(&record);
    }
}

static int send_many_warnings(struct tls_peer *peer, void *arg)
{
    int rc = 0;

    (void)arg;
    for (int i = 0; i < WARNINGS && rc == 0; i++)
        rc = send_warning(peer, i % 2 == 0 ? MBEDTLS_SSL_ALERT_MSG_USER_CANCELED
                                           : MBEDTLS_SSL_ALERT_MSG_NO_RENEGOTIATION);
    if (rc == 0)
        rc = send_text(peer, "at last");
    return rc != 0 ? rc : tls_peer_send_close_notify(peer);
}

static int tick_task(void *arg)
{
    int rc = 0;

    while (rc >= 0) {
        ++*(int *)arg;
        rc = anyc_checkpoint();
    }
    return rc;
}

/* Plays a conversation whose bytes are all at hand, while another task counts its turns. */
static int count_turns(bool is_server, tls_peer_script script, const char *text)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct tls_tape record;
    struct tape tape;
    anyc_byte_stream *stream = NULL;
    int ticks = 0;

    tls_tape_record(&record, is_server, &any_peer, script, NULL);
    tape_play(&tape, record.flights.data, record.flights.len);
    tape.step = 1000;
    ck_assert_ok(tls_tape_wrap(record.is_server, record.context, &tape, &stream));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, tick_task, &ticks, NULL));
    check_text(stream, text);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    anyc_aclose_forcefully(stream);
    tape_deinit(&tape);
    tls_tape_deinit(&record);
    return ticks;
}

/* One call of receive swallows thousands, but other tasks get their turns meanwhile. */
ANYC_TEST(test_tls_floods__warnings_do_not_stop_the_loop)
{
    ck_assert_int_ge(count_turns(false, send_many_warnings, "at last"), TICKS_MIN);
    ck_assert_int_ge(count_turns(true, send_many_warnings, "at last"), TICKS_MIN);
}

/* The same before the server's first word. */
ANYC_TEST(test_tls_floods__warnings_in_the_handshake_do_not_stop_the_loop)
{
    static const uint8_t warning[] = {21, 3, 3, 0, 2, 1, MBEDTLS_SSL_ALERT_MSG_USER_CANCELED};
    anyc_tls_context *context = tls_tape_context(false);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct tape_bytes flood = {0};
    struct tape tape;
    anyc_byte_stream *stream = NULL;
    int ticks = 0;

    for (int i = 0; i < 20 * WARNINGS; i++)
        tape_append(&flood, warning, sizeof warning);
    tape_play(&tape, flood.data, flood.len);
    tape.step = 1000;
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, tick_task, &ticks, NULL));
    ck_assert_int_eq(tls_tape_wrap(false, context, &tape, &stream), ANYC_ETLS_EOF);
    ck_assert_int_ge(ticks, TICKS_MIN);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    tape_deinit(&tape);
    tape_free(&flood);
    anyc_tls_context_destroy(context);
}

static int receive_task(void *arg)
{
    char byte;
    ssize_t n = anyc_receive(arg, &byte, 1);

    ck_assert_int_lt(n, 0);
    return n == ANYC_ECLOSED ? 0 : (int)n;
}

/* A flood without end: it can be cancelled, and the stream closed, in the middle of it. */
static void check_endless(bool close)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct tls_tape record;
    struct tape tape;
    anyc_byte_stream *stream = NULL;

    tls_tape_record(&record, false, &any_peer, send_many_warnings, NULL);
    tape_play(&tape, record.flights.data, record.flights.len - 100); /* never as far as the text */
    tape.step = 1000;
    tape.stays_open = true;
    ck_assert_ok(tls_tape_wrap(record.is_server, record.context, &tape, &stream));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, receive_task, stream, NULL));
    ck_assert_ok(anyc_checkpoint());
    ck_assert_uint_gt(tape.len, 0); /* it is not through */
    if (close)
        anyc_aclose_forcefully(stream);
    else
        anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_gt(tape.len, 0);
    if (!close)
        anyc_aclose_forcefully(stream);
    tape_deinit(&tape);
    tls_tape_deinit(&record);
}

ANYC_TEST(test_tls_floods__cancelled_within)
{
    check_endless(false);
}

ANYC_TEST(test_tls_floods__closed_within)
{
    check_endless(true);
}

/* -- requests to negotiate anew -- */

/* The last record was the warning by which one refuses. */
static bool is_refusal(const mbedtls_ssl_context *ssl)
{
    return ssl->in_msgtype == MBEDTLS_SSL_MSG_ALERT && ssl->in_msg[1] == ALERT_NO_RENEGOTIATION;
}

/* Ask for it. The refusal is a warning; what else comes, before or after it, is read as ever. A
 * client of mbedTLS 3.6 waits on after the refusal, for a time that we make short. */
static int renegotiate(struct tls_peer *peer, void *arg)
{
    const struct timeval limit = {.tv_usec = 500000};
    mbedtls_ssl_context *ssl = peer->ssl;
    bool refused = false;
    bool told = false;
    char block[5];
    int n;

    (void)arg;
    setsockopt(tls_peer_fd(peer), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    n = mbedtls_ssl_renegotiate(ssl); /* a client waits for the answer here */
    if (peer->endpoint == MBEDTLS_SSL_IS_SERVER && n == 0)
        n = send_text(peer, "hello");
    for (int i = 0; i < 10 && !(refused && told); i++) {
        n = tls_peer_read(peer, block, sizeof block);
        told = told || (n == sizeof block && memcmp(block, "still", sizeof block) == 0);
        refused = refused || ((n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_TIMEOUT) &&
                              is_refusal(ssl));
    }
    return refused && told ? 0 : n;
}

/* The peer asks, is refused, and the connection goes on (RFC 5246 section 7.4.1.1). */
ANYC_TEST(test_tls_floods__renegotiation_is_refused)
{
    const struct tls_peer_options peer = {.renegotiation = true};

    for (int is_server = 0; is_server < 2; is_server++) {
        struct tls_meeting meeting;
        char block[5];

        tls_meet(&meeting, is_server != 0, &peer, renegotiate, NULL);
        if (is_server == 0) { /* a client that waits for the answer can send nothing */
            ck_assert_int_eq(anyc_receive(meeting.stream, block, sizeof block), sizeof block);
            ck_assert_mem_eq(block, "hello", sizeof block);
        }
        ck_assert_ok(anyc_send(meeting.stream, "still", 5));
        ck_assert_int_eq(anyc_receive(meeting.stream, block, sizeof block), ANYC_EBROKEN);
        tls_part(&meeting);
        ck_assert_int_eq(meeting.peer.result, 0);
        ck_assert_int_eq(meeting.peer.handshakes, 1);
    }
}

/* Requests, each of which we answer, by a peer that reads nothing: it must come to a halt. */
static int ask_without_end(struct tls_peer *peer, void *arg)
{
    const struct timeval limit = {.tv_usec = 200000};
    int rc = 0;

    (void)arg;
    setsockopt(tls_peer_fd(peer), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    for (int i = 0; i < 60000 && rc == 0; i++)
        rc = mbedtls_ssl_renegotiate(peer->ssl);
    return rc == MBEDTLS_ERR_SSL_TIMEOUT ? 0 : 1;
}

static int send_without_end(void *arg)
{
    static const char block[65536];
    int rc = 0;

    while (rc >= 0)
        rc = anyc_send(arg, block, sizeof block);
    return rc == ANYC_ECLOSED || rc == ANYC_EBROKEN ? 0 : rc;
}

static int receive_without_end(void *arg)
{
    char block[64];
    ssize_t n = 1;

    while (n > 0)
        n = anyc_receive(arg, block, sizeof block);
    return n == ANYC_ECANCELLED ? (int)n : 0;
}

/* The answers do not pile up in our memory, also when another task is sending. */
ANYC_TEST(test_tls_floods__answers_that_nobody_reads)
{
    const struct tls_peer_options peer = {.renegotiation = true};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct tls_meeting meeting;

    tls_meet(&meeting, false, &peer, ask_without_end, NULL);
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, send_without_end, meeting.stream, NULL));
    ck_assert_ok(anyc_task_group_start_soon(&group, receive_without_end, meeting.stream, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0)); /* the peer gives up and closes */
    tls_part(&meeting);
    ck_assert_int_eq(meeting.peer.result, 0);
}
