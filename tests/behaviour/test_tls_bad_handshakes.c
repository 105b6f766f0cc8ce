/* SPDX-License-Identifier: MIT */
/*
 * test_tls_bad_handshakes.c - handshakes that are cut or changed, and peers that do not speak TLS
 * at all. The peers are records (support/tls_tape.h), played as often as a test likes.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <mbedtls/ssl.h>
#include <mbedtls/version.h>

#include <string.h>

#include "support/steps.h"
#include "support/tls_peer.h"
#include "support/tls_tape.h"
#include "support/valgrind.h"

static const struct tls_peer_options any_peer;

/* Anyc's side of the handshake against `len` bytes; answers what the wrap does. */
static int shake_hands(const struct tls_tape *record, const uint8_t *data, size_t len)
{
    anyc_byte_stream *stream = NULL;
    struct tape tape;
    int rc;

    tape_play(&tape, data, len);
    rc = tls_tape_wrap(record->is_server, record->context, &tape, &stream);
    if (rc >= 0)
        anyc_aclose_forcefully(stream);
    ck_assert_int_eq(tape.closed, rc >= 0); /* after a failure it is still the caller's */
    tape_deinit(&tape);
    return rc;
}

/* -- cut -- */

static void check_cut_everywhere(bool is_server)
{
    struct tls_tape record;
    size_t step = RUNNING_ON_VALGRIND ? 7 : 1;

    tls_tape_record(&record, is_server, &any_peer, NULL, NULL);
    for (size_t n = 0; n < record.flights.len; n += step) {
        ck_assert_int_eq(shake_hands(&record, record.flights.data, n), ANYC_ETLS_EOF);
        ck_assert_int_eq(anyc_last_error()->code, ANYC_ETLS_EOF);
        ck_assert_int_eq(anyc_last_error()->tls.library_code, MBEDTLS_ERR_SSL_CONN_EOF);
        ck_assert_str_eq(anyc_last_error()->message,
                         "the connection ended within the TLS handshake");
    }
    ck_assert_ok(shake_hands(&record, record.flights.data, record.flights.len));
    tls_tape_deinit(&record);
}

ANYC_TEST(test_tls_bad_handshakes__cut_at_every_byte_by_the_server)
{
    check_cut_everywhere(false);
}

ANYC_TEST(test_tls_bad_handshakes__cut_at_every_byte_by_the_client)
{
    check_cut_everywhere(true);
}

/* -- changed -- */

/* The two bytes of a header that nothing protects: they are the record's version. */
static bool is_version(const struct tls_tape *record, size_t at)
{
    size_t start = 0;

    while (tls_tape_next(&record->flights, start) <= at)
        start = tls_tape_next(&record->flights, start);
    return at - start == 1 || at - start == 2;
}

static void check_changed_everywhere(bool is_server)
{
    struct tls_tape record;
    size_t step = RUNNING_ON_VALGRIND ? 13 : 1;

    tls_tape_record(&record, is_server, &any_peer, NULL, NULL);
    for (size_t at = 0; at < record.flights.len; at += step) {
        uint8_t bit = (uint8_t)(1U << at % 8);
        int rc;

        record.flights.data[at] ^= bit;
        rc = shake_hands(&record, record.flights.data, record.flights.len);
        record.flights.data[at] ^= bit;
        ck_assert_msg(rc == ANYC_ETLS || rc == ANYC_ETLS_EOF || rc == ANYC_ETLS_CERTIFICATE ||
                          (rc == 0 && is_version(&record, at)),
                      "byte %zu of %zu: %s", at, record.flights.len, anyc_error_name(rc));
    }
    tls_tape_deinit(&record);
}

/* Whichever byte of the handshake was changed on its way, it fails. */
ANYC_TEST(test_tls_bad_handshakes__changed_at_every_byte_of_the_server)
{
    check_changed_everywhere(false);
}

ANYC_TEST(test_tls_bad_handshakes__changed_at_every_byte_of_the_client)
{
    check_changed_everywhere(true);
}

/* mbedTLS passes over a certificate that is signed in a way that it does not know, and verifies one
 * in which there is nothing. */
ANYC_TEST(test_tls_bad_handshakes__a_certificate_signed_in_an_unknown_way)
{
    static const uint8_t ecdsa_with_sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    struct tls_tape record;
    uint8_t *found;

    tls_tape_record(&record, false, &any_peer, NULL, NULL);
    found = memmem(record.flights.data, record.flights.len, ecdsa_with_sha256,
                   sizeof ecdsa_with_sha256);
    ck_assert_ptr_nonnull(found);
    found[sizeof ecdsa_with_sha256 - 1] = 0x7f;
    ck_assert_int_eq(shake_hands(&record, record.flights.data, record.flights.len),
                     ANYC_ETLS_CERTIFICATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "signed in a way that is not known"));
    ck_assert(anyc_last_error()->tls.verify_flags & ANYC_TLS_NOT_TRUSTED);
    tls_tape_deinit(&record);
}

/* -- not TLS -- */

/* The peer says this and then waits. It is refused at once, and told so. */
static void refuse_garbage(bool is_server, const void *data, size_t len, const char *says)
{
    struct tls_tape record;
    anyc_byte_stream *stream = NULL;
    struct tape tape;
    double start = anyc_current_time();

    tls_tape_record(&record, is_server, &any_peer, NULL, NULL);
    tape_play(&tape, data, len);
    tape.stays_open = true;
    ck_assert_int_eq(tls_tape_wrap(record.is_server, record.context, &tape, &stream), ANYC_ETLS);
    ck_assert_msg(strstr(anyc_last_error()->message, says) != NULL, "\"%s\" is not in \"%s\"", says,
                  anyc_last_error()->message);
    ck_assert(anyc_current_time() - start < 1); /* of the virtual clock */
    ck_assert(anyc_last_error()->tls.alert_sent);
    ck_assert_uint_ge(tape.sent.len, 7);
    ck_assert_mem_eq(tape.sent.data + tape.sent.len - 7, "\x15\x03", 2);
    ck_assert_uint_eq(tape.sent.data[tape.sent.len - 1], anyc_last_error()->tls.alert);
    anyc_aclose_forcefully(&tape.stream);
    tape_deinit(&tape);
    tls_tape_deinit(&record);
}

/* For both sides. */
static void refuse_garbage_by_both(const void *data, size_t len)
{
    refuse_garbage(true, data, len, "sent is not TLS");
    refuse_garbage(false, data, len, "sent is not TLS");
}

#define refuse_text(text) refuse_garbage_by_both((text), sizeof(text) - 1)

ANYC_TEST_WITH(test_tls_bad_handshakes__plain_text_instead, .clock = ANYC_CLOCK_VIRTUAL)
{
    refuse_text("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    refuse_text("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    refuse_text("220 mail.example ESMTP\r\n");
    refuse_text("SSH-2.0-OpenSSH_9.2\r\n");
}

ANYC_TEST_WITH(test_tls_bad_handshakes__zeros_instead, .clock = ANYC_CLOCK_VIRTUAL)
{
    static const char zeros[4096];

    refuse_garbage_by_both(zeros, sizeof zeros);
    refuse_garbage_by_both(zeros, 5);
}

ANYC_TEST_WITH(test_tls_bad_handshakes__random_bytes_instead, .clock = ANYC_CLOCK_VIRTUAL)
{
    uint32_t state = 1;
    uint8_t bytes[64];

    for (int i = 0; i < 8; i++) {
        for (size_t k = 0; k < sizeof bytes; k++) {
            state = state * 1664525 + 1013904223; /* Numerical Recipes */
            bytes[k] = (uint8_t)(state >> 24);
        }
        bytes[1] |= 0x80; /* no version of TLS */
        refuse_garbage_by_both(bytes, sizeof bytes);
    }
}

/* More than RFC 5246 section 6.2.3 allows. */
ANYC_TEST_WITH(test_tls_bad_handshakes__a_huge_record_instead, .clock = ANYC_CLOCK_VIRTUAL)
{
    const uint8_t records[][10] = {{22, 3, 1, 0xff, 0xff, 1}, {22, 3, 3, 0x48, 0x01, 1}};

    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        refuse_garbage_by_both(records[i], sizeof records[i]);
}

/* The message says that it has 16 MB. (2.28 refuses it at once, 3.6 when it does not fit into its
 * buffer any more.) */
ANYC_TEST_WITH(test_tls_bad_handshakes__a_huge_message_instead, .clock = ANYC_CLOCK_VIRTUAL)
{
    enum { RECORD = 5 + 16384, CLIENT_HELLO = 1, SERVER_HELLO = 2 };
    static uint8_t records[2 * RECORD];

    memcpy(records, (const uint8_t[]){22, 3, 3, 0x40, 0, 0, 0xff, 0xff, 0xff, 3, 3}, 11);
    memcpy(records + RECORD, records, 5);
    records[5] = CLIENT_HELLO;
    refuse_garbage(true, records, sizeof records, "TLS: ");
    records[5] = SERVER_HELLO;
    refuse_garbage(false, records, sizeof records, "TLS: ");
}

/* RFC 6101 appendix E: what clients sent to servers that might know SSL 2.0 alone. */
ANYC_TEST_WITH(test_tls_bad_handshakes__a_hello_of_ssl_2_instead, .clock = ANYC_CLOCK_VIRTUAL)
{
    const uint8_t hello[] = {0x80, 0x1c, 1, 3, 0, 0, 3, 0, 0,  0,  16, 0,  0,  0x0a, 1,
                             2,    3,    4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,   16};

    refuse_garbage_by_both(hello, sizeof hello);
}

/* Of a right kind, but out of turn. */
ANYC_TEST_WITH(test_tls_bad_handshakes__data_instead, .clock = ANYC_CLOCK_VIRTUAL)
{
    const uint8_t data[] = {23, 3, 3, 0, 5, 'h', 'e', 'l', 'l', 'o'};

    refuse_garbage(true, data, sizeof data,
                   MBEDTLS_VERSION_MAJOR >= 3 ? "out of turn" : "sent is not TLS");
    refuse_garbage(false, data, sizeof data, "out of turn");
}

/* RFC 5246 section 7.2: nothing is answered to an alert. For mbedTLS a server sees no alert in it. */
ANYC_TEST(test_tls_bad_handshakes__a_fatal_alert_instead)
{
    const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40};
    const anyc_error *error;
    struct tls_tape record;

    tls_tape_record(&record, false, &any_peer, NULL, NULL);
    ck_assert_int_eq(shake_hands(&record, alert, sizeof alert), ANYC_ETLS);
    error = anyc_last_error();
    ck_assert_str_eq(error->message,
                     "the peer ended TLS with the alert \"handshake failure\" (40)");
    ck_assert_int_eq(error->tls.library_code, MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    ck_assert_uint_eq(error->tls.alert, 40);
    ck_assert(!error->tls.alert_sent);
    tls_tape_deinit(&record);
    tls_tape_record(&record, true, &any_peer, NULL, NULL);
    ck_assert_int_eq(shake_hands(&record, alert, sizeof alert), ANYC_ETLS);
    tls_tape_deinit(&record);
}

/* Why a handshake failed is told, also when the alert finds nobody to hear it any more. */
ANYC_TEST(test_tls_bad_handshakes__the_reason_survives_a_peer_that_has_gone)
{
    static const uint8_t zeros[64];
    struct tls_tape record;
    anyc_byte_stream *stream = NULL;
    struct tape tape;

    tls_tape_record(&record, true, &any_peer, NULL, NULL);
    tape_play(&tape, zeros, sizeof zeros);
    tape.send_error = ANYC_EBROKEN;
    ck_assert_int_eq(tls_tape_wrap(record.is_server, record.context, &tape, &stream), ANYC_ETLS);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ETLS);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "sent is not TLS"));
    tape_deinit(&tape);
    tls_tape_deinit(&record);
}

/* Nor does one that does not read hold up the wrap for ever: a second is all it gets. */
ANYC_TEST_WITH(test_tls_bad_handshakes__a_peer_deaf_to_the_alert, .clock = ANYC_CLOCK_VIRTUAL)
{
    static const uint8_t zeros[64];
    struct tls_tape record;
    anyc_byte_stream *stream = NULL;
    struct tape tape;
    double start;

    tls_tape_record(&record, true, &any_peer, NULL, NULL);
    tape_play(&tape, zeros, sizeof zeros);
    tape.deaf = true;
    start = anyc_current_time();
    ck_assert_int_eq(tls_tape_wrap(record.is_server, record.context, &tape, &stream), ANYC_ETLS);
    ck_assert_double_eq_tol(anyc_current_time() - start, 1, 0.001);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ETLS);
    tape_deinit(&tape);
    tls_tape_deinit(&record);
}
