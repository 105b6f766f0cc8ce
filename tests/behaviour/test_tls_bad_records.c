/* SPDX-License-Identifier: MIT */
/*
 * test_tls_bad_records.c - peers that misbehave after the handshake: broken records, alerts, what
 * comes behind the end, attempts to begin anew. Each test is for both sides.
 */
#include "tls_refusal.h"

#include <mbedtls/net_sockets.h>

#include <string.h>

#include "support/tls_tape.h"

/* Of mbedTLS, but in none of its public headers. */
int mbedtls_ssl_write_record(mbedtls_ssl_context *ssl, int force_flush);

static const struct tls_peer_options any_peer;

/* The stream is spoilt: receiving says so again and again, sending and the end as tls_stream.h has
 * them. */
static void check_spoilt(anyc_byte_stream *stream, const struct refusal *expected)
{
    char byte;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(anyc_receive(stream, &byte, 1), expected->rc);
        check_refusal(expected);
        ck_assert_int_eq(anyc_send(stream, "x", 1), ANYC_EBROKEN);
    }
    ck_assert_ok(anyc_close(stream));
    ck_assert_int_eq(anyc_receive(stream, &byte, 1), ANYC_ECLOSED);
}

/* A peer whose script ends with an alert from us, or, for -1, without one. */
static void check_bad_peer(tls_peer_script script, const struct refusal *expected, int peer_alert)
{
    for (int is_server = 0; is_server < 2; is_server++) {
        struct tls_meeting meeting;

        tls_meet(&meeting, is_server != 0, &any_peer, script, NULL);
        check_spoilt(meeting.stream, expected);
        tls_part(&meeting);
        ck_assert_int_eq(meeting.peer.alert, peer_alert);
    }
}

/* For scripts: wait for the other side's answer to what was sent. */
static int wait_for_answer(struct tls_peer *peer)
{
    char byte;

    (void)tls_peer_read(peer, &byte, 1);
    return 0;
}

static int send_record(struct tls_peer *peer, uint8_t type, size_t len)
{
    static const uint8_t content[64];
    const uint8_t header[] = {type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};

    tls_peer_raw_write(peer, header, sizeof header);
    if (len <= sizeof content)
        tls_peer_raw_write(peer, content, len);
    return wait_for_answer(peer);
}

/* -- broken records -- */

static int send_wrong_mac(struct tls_peer *peer, void *arg)
{
    (void)arg;
    return send_record(peer, 23, 40);
}

ANYC_TEST(test_tls_bad_records__wrong_mac)
{
    check_bad_peer(send_wrong_mac,
                   &(struct refusal){.rc = ANYC_ETLS,
                                     .says = "wrong MAC",
                                     .library_code = MBEDTLS_ERR_SSL_INVALID_MAC,
                                     .alert = ALERT_BAD_RECORD_MAC,
                                     .alert_by_us = true},
                   ALERT_BAD_RECORD_MAC);
}

static int send_too_large(struct tls_peer *peer, void *arg)
{
    (void)arg;
    return send_record(peer, 23, 16384 + 2048 + 1);
}

ANYC_TEST(test_tls_bad_records__too_large)
{
    check_bad_peer(send_too_large,
                   &(struct refusal){.rc = ANYC_ETLS,
                                     .says = "not TLS, or broken: a huge record",
                                     .alert = ALERT_RECORD_OVERFLOW,
                                     .alert_by_us = true},
                   ALERT_RECORD_OVERFLOW);
}

static int send_unknown_type(struct tls_peer *peer, void *arg)
{
    (void)arg;
    return send_record(peer, 99, 40);
}

ANYC_TEST(test_tls_bad_records__unknown_type)
{
    check_bad_peer(send_unknown_type,
                   &(struct refusal){.rc = ANYC_ETLS,
                                     .says = "not TLS, or broken",
                                     .library_code = MBEDTLS_ERR_SSL_INVALID_RECORD,
                                     .alert = ALERT_DECODE_ERROR,
                                     .alert_by_us = true},
                   ALERT_DECODE_ERROR);
}

/* -- records that are changed, repeated, left out, or in another order -- */

static int send_words(struct tls_peer *peer, void *arg)
{
    int rc = tls_peer_write(peer, "first.", 6);

    (void)arg;
    if (rc == 0)
        rc = tls_peer_write(peer, "second", 6);
    return rc != 0 ? rc : tls_peer_send_close_notify(peer);
}

/* What follows the handshake, record by record. */
struct words {
    struct tls_tape tape;
    size_t starts[4]; /* of both words, the end of TLS, and the end of the record */
};

static void words_record(struct words *words, bool is_server)
{
    size_t starts[32];
    size_t count = 0;
    size_t at = 0;

    tls_tape_record(&words->tape, is_server, &any_peer, send_words, NULL);
    while (at < words->tape.flights.len) {
        starts[count++] = at;
        at = tls_tape_next(&words->tape.flights, at);
    }
    ck_assert_uint_ge(count, 4);
    memcpy(words->starts, starts + count - 3, 3 * sizeof *starts);
    words->starts[3] = at;
}

/* Play the handshake, then these records: letters are '1', '2' and '.', for the end; after 'x' one
 * with a changed byte. Answers the stream and puts the transport into `tape`. */
static anyc_byte_stream *words_play(const struct words *words, const char *order,
                                    struct tape_bytes *bytes, struct tape *tape)
{
    static const char letters[] = "12.";
    anyc_byte_stream *stream = NULL;
    bool changed = false;

    tape_append(bytes, words->tape.flights.data, words->starts[0]);
    for (; *order != '\0'; order++) {
        size_t i = (size_t)(strchr(letters, *order) - letters);

        if (*order == 'x') {
            changed = true;
            continue;
        }
        tape_append(bytes, words->tape.flights.data + words->starts[i],
                    words->starts[i + 1] - words->starts[i]);
        if (changed)
            bytes->data[bytes->len - 1] ^= 1;
        changed = false;
    }
    tape_play(tape, bytes->data, bytes->len);
    ck_assert_ok(tls_tape_wrap(words->tape.is_server, words->tape.context, tape, &stream));
    return stream;
}

/* So many words arrive, then `rc`. */
static void check_words(const char *order, int good, int rc)
{
    for (int is_server = 0; is_server < 2; is_server++) {
        struct words words;
        struct tape_bytes bytes = {0};
        struct tape tape;
        anyc_byte_stream *stream;
        char word[6];

        words_record(&words, is_server != 0);
        stream = words_play(&words, order, &bytes, &tape);
        for (int i = 0; i < good; i++) {
            ck_assert_int_eq(anyc_receive(stream, word, sizeof word), sizeof word);
            ck_assert_mem_eq(word, i == 0 ? "first." : "second", sizeof word);
        }
        ck_assert_int_eq(anyc_receive(stream, word, sizeof word), rc);
        ck_assert_int_eq(anyc_receive(stream, word, sizeof word), rc);
        if (rc == ANYC_ETLS)
            ck_assert_int_eq(anyc_last_error()->tls.library_code, MBEDTLS_ERR_SSL_INVALID_MAC);
        anyc_aclose_forcefully(stream);
        tape_deinit(&tape);
        tape_free(&bytes);
        tls_tape_deinit(&words.tape);
    }
}

ANYC_TEST(test_tls_bad_records__in_order)
{
    check_words("12.", 2, ANYC_EOF);
}

ANYC_TEST(test_tls_bad_records__changed)
{
    check_words("x12.", 0, ANYC_ETLS);
    check_words("1x2.", 1, ANYC_ETLS);
    check_words("12x.", 2, ANYC_ETLS);
}

ANYC_TEST(test_tls_bad_records__repeated)
{
    check_words("112.", 1, ANYC_ETLS);
    check_words("121", 2, ANYC_ETLS);
}

ANYC_TEST(test_tls_bad_records__left_out_or_exchanged)
{
    check_words("2.", 0, ANYC_ETLS);
    check_words("1.", 1, ANYC_ETLS);
    check_words("21.", 0, ANYC_ETLS);
}

ANYC_TEST(test_tls_bad_records__cut)
{
    check_words("12", 2, ANYC_EBROKEN);
    check_words("1", 1, ANYC_EBROKEN);
}

/* -- ends -- */

/* What comes behind the end does not count (RFC 5246 section 7.2.1). */
ANYC_TEST(test_tls_bad_records__behind_the_end)
{
    check_words("12.1", 2, ANYC_EOF);
    check_words("12.x2", 2, ANYC_EOF);
}

static int send_behind_the_end(struct tls_peer *peer, void *arg)
{
    int rc = tls_peer_send_close_notify(peer);

    (void)arg;
    if (rc == 0)
        rc = tls_peer_write(peer, "too late", 8);
    if (rc == MBEDTLS_ERR_NET_CONN_RESET) /* we may have closed before */
        rc = 0;
    return rc != 0 ? rc : tls_peer_wait_close_notify(peer);
}

ANYC_TEST(test_tls_bad_records__a_peer_that_sends_behind_the_end)
{
    for (int is_server = 0; is_server < 2; is_server++) {
        struct tls_meeting meeting;
        char block[16];

        tls_meet(&meeting, is_server != 0, &any_peer, send_behind_the_end, NULL);
        ck_assert_int_eq(anyc_receive(meeting.stream, block, sizeof block), ANYC_EOF);
        ck_assert_int_eq(anyc_receive(meeting.stream, block, sizeof block), ANYC_EOF);
        ck_assert_ok(anyc_close(meeting.stream));
        tls_part(&meeting);
        ck_assert_int_eq(meeting.peer.result, 0);
    }
}

static int send_fatal_alert(struct tls_peer *peer, void *arg)
{
    (void)arg;
    mbedtls_ssl_send_alert_message(peer->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                   MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR);
    return wait_for_answer(peer);
}

/* A fatal alert is no end of data. */
ANYC_TEST(test_tls_bad_records__a_fatal_alert)
{
    check_bad_peer(send_fatal_alert,
                   REFUSED_BY_PEER("the peer ended TLS with the alert \"internal error\"",
                                   MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR),
                   -1);
}

static int send_handshake_message(struct tls_peer *peer, void *arg)
{
    mbedtls_ssl_context *ssl = peer->ssl;

    (void)arg;
    /* "finished" by nobody: a message that has no place here */
    ssl->out_msglen = 4 + 12;
    ssl->out_msgtype = MBEDTLS_SSL_MSG_HANDSHAKE;
    memset(ssl->out_msg, 0, 16);
    ssl->out_msg[0] = MBEDTLS_SSL_HS_FINISHED;
    ssl->out_msg[3] = 12;
    if (mbedtls_ssl_write_record(ssl, 1) != 0)
        return 1;
    return wait_for_answer(peer);
}

ANYC_TEST(test_tls_bad_records__a_message_out_of_turn)
{
    check_bad_peer(send_handshake_message,
                   &(struct refusal){.rc = ANYC_ETLS,
                                     .says = "out of turn",
                                     .library_code = MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE,
                                     .alert = ALERT_UNEXPECTED_MESSAGE,
                                     .alert_by_us = true},
                   ALERT_UNEXPECTED_MESSAGE);
}
