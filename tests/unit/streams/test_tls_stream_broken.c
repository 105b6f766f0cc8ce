/* SPDX-License-Identifier: MIT */
/*
 * test_tls_stream_broken.c - TLS streams over transports whose nth call fails.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <stdlib.h>
#include <string.h>

#include "support/stream_job.h"
#include "tls_attempt.h"

/* -- wrapping -- */

/* The transport of one side fails from the nth call on; true when there were fewer. */
static bool wrap_fails_from(struct attempt *attempt, struct attempt_end *end, int n, int code)
{
    bool whole;

    end->probe.fail_from = n;
    end->probe.fail_rc = code;
    attempt_run(attempt);
    whole = end->probe.calls < n;
    ck_assert_int_eq(end->rc, whole ? 0 : code);
    ck_assert(whole || end->probe.calls == n);
    ck_assert(whole || strcmp(end->message, anyc_strerror(code)) == 0);
    end->probe.fail_from = 0;
    attempt_end(attempt);
    return whole;
}

/* By its code alone, as streams that are not anyc's leave no message. */
ANYC_TEST(test_tls_stream_broken__a_handshake_answers_the_transports_error)
{
    static const int codes[] = {ANYC_EBROKEN, ANYC_ENOMEM, -EIO};
    bool whole = false;

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        for (int at_client = 0; at_client < 2; at_client++) {
            whole = false;
            for (int n = 1; !whole; n++) {
                struct attempt attempt;

                attempt_init(&attempt);
                whole = wrap_fails_from(&attempt, at_client ? &attempt.client : &attempt.server, n,
                                        codes[i]);
            }
        }
    }
}

/* -- open streams -- */

/* The client's transport is the probe. */
struct probed_pair {
    struct byte_pair tls;
    struct probe_stream probe;
};

static void probed_pair_init(struct probed_pair *pair)
{
    byte_pair_from_objects(&pair->tls, 16);
    pair->tls.a = probe_init(&pair->probe, pair->tls.a);
    tls_pair_wrap(&pair->tls, NULL);
}

/* The nth call from now on fails, and all that follow. */
static void probed_pair_fail(struct probed_pair *pair, int n, int code)
{
    pair->probe.fail_from = pair->probe.calls + n;
    pair->probe.fail_to = 0;
    pair->probe.fail_rc = code;
}

/* Only the nth call from now on fails. */
static void probed_pair_fail_once(struct probed_pair *pair, int n, int code)
{
    probed_pair_fail(pair, n, code);
    pair->probe.fail_to = pair->probe.fail_from;
}

/* The client is of no use but for closing, which closes the transport without another try. Where
 * sending failed, receiving tries once. */
static void check_useless(struct probed_pair *pair, int code, int tries)
{
    anyc_byte_stream *transport = NULL;
    anyc_bytes leftover;
    int calls = pair->probe.calls;

    for (int i = 0; i < 2; i++) {
        expect_error(pair->tls.a, code);
        ck_assert_int_eq(anyc_send(pair->tls.a, "x", 1), ANYC_EBROKEN);
        ck_assert_int_eq(anyc_send_some(pair->tls.a, "x", 1), ANYC_EBROKEN);
        ck_assert_int_eq(anyc_tls_stream_unwrap(pair->tls.a, &transport, &leftover), code);
    }
    ck_assert_int_eq(anyc_close(pair->tls.a), 0);
    ck_assert(pair->probe.closed);
    ck_assert_int_eq(pair->probe.calls, calls + tries);
    expect_error(pair->tls.a, ANYC_ECLOSED);
    tls_pair_drop(&pair->tls);
}

/* TL-R010 */
ANYC_TEST(test_tls_stream_broken__a_failed_send_is_for_good)
{
    static const int codes[] = {ANYC_EBROKEN, -EIO};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct probed_pair pair;

        probed_pair_init(&pair);
        probed_pair_fail(&pair, 1, codes[i]);
        ck_assert_int_eq(anyc_send(pair.tls.a, "hello", 5), codes[i]);
        check_useless(&pair, codes[i], 1);
    }
}

/* TL-R010: of a send in many calls the nth fails. */
ANYC_TEST(test_tls_stream_broken__a_send_fails_wherever_it_is)
{
    enum { LENGTH = 100000 };
    char *data = calloc(1, LENGTH);
    int rc = 1;

    for (int n = 1; rc != 0; n++) {
        struct probed_pair pair;

        probed_pair_init(&pair);
        probed_pair_fail(&pair, n, ANYC_EBROKEN);
        rc = anyc_send(pair.tls.a, data, LENGTH);
        ck_assert(rc == 0 || rc == ANYC_EBROKEN);
        if (rc == 0)
            tls_pair_drop(&pair.tls);
        else
            check_useless(&pair, ANYC_EBROKEN, 1);
    }
    free(data);
}

/* A server may answer before it has read everything, and close: the answer is not lost. */
ANYC_TEST(test_tls_stream_broken__after_a_failed_send_what_came_before_is_received)
{
    struct probed_pair pair;
    char buf[8];

    probed_pair_init(&pair);
    ck_assert_int_eq(anyc_send(pair.tls.b, "early", 5), 0);
    probed_pair_fail_once(&pair, 1, ANYC_EBROKEN);
    ck_assert_int_eq(anyc_send(pair.tls.a, "hello", 5), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_receive(pair.tls.a, buf, sizeof buf), 5);
    ck_assert_mem_eq(buf, "early", 5);
    ck_assert_int_eq(anyc_send(pair.tls.a, "hello", 5), ANYC_EBROKEN);
    ck_assert_int_eq(anyc_close(pair.tls.a), 0);
    tls_pair_drop(&pair.tls);
}

/* TL-R010 */
ANYC_TEST(test_tls_stream_broken__a_failed_receive_is_for_good)
{
    struct probed_pair pair;

    probed_pair_init(&pair);
    probed_pair_fail(&pair, 1, ANYC_EBROKEN);
    expect_error(pair.tls.a, ANYC_EBROKEN);
    check_useless(&pair, ANYC_EBROKEN, 0);
}

/* TL-R008: the closing handshake fails, the transport is closed by force. */
ANYC_TEST(test_tls_stream_broken__a_close_says_that_it_failed)
{
    for (int n = 1; n <= 2; n++) { /* telling the end, and waiting for the other's */
        struct probed_pair pair;

        probed_pair_init(&pair);
        probed_pair_fail(&pair, n, -EIO);
        ck_assert_int_eq(anyc_close(pair.tls.a), -EIO);
        ck_assert(pair.probe.closed && pair.probe.forcefully);
        ck_assert_int_eq(anyc_close(pair.tls.a), 0);
        tls_pair_drop(&pair.tls);
    }
}

ANYC_TEST(test_tls_stream_broken__an_unwrap_says_that_it_failed)
{
    for (int n = 1; n <= 2; n++) {
        struct probed_pair pair;
        anyc_byte_stream *transport = NULL;
        anyc_bytes leftover;

        probed_pair_init(&pair);
        probed_pair_fail(&pair, n, ANYC_EBROKEN);
        ck_assert_int_eq(anyc_tls_stream_unwrap(pair.tls.a, &transport, &leftover), ANYC_EBROKEN);
        ck_assert_ptr_null(transport);
        check_useless(&pair, ANYC_EBROKEN, n == 1); /* the first of its calls sends */
    }
}

/* -- errors that pass -- */

static const int passing[] = {ANYC_ENOMEM, -ENOBUFS, ANYC_EBUSY};

/* What was encrypted stays, and goes out with what follows. */
ANYC_TEST(test_tls_stream_broken__after_an_error_that_passes_sending_goes_on)
{
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        struct probed_pair pair;

        probed_pair_init(&pair);
        probed_pair_fail_once(&pair, 1, passing[i]);
        ck_assert_int_eq(anyc_send(pair.tls.a, "once ", 5), passing[i]);
        ck_assert_int_eq(anyc_send(pair.tls.a, "more", 4), 0);
        expect(pair.tls.b, "once more");
        tls_pair_close(&pair.tls);
    }
}

/* What send_some has taken it has taken: the error is that of the next call. */
ANYC_TEST(test_tls_stream_broken__a_part_that_was_taken_is_not_taken_twice)
{
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        struct probed_pair pair;

        probed_pair_init(&pair);
        probed_pair_fail_once(&pair, 1, passing[i]);
        ck_assert_int_eq(anyc_send_some(pair.tls.a, "once ", 5), 5);
        probed_pair_fail_once(&pair, 1, passing[i]);
        ck_assert_int_eq(anyc_send_some(pair.tls.a, "more", 4), passing[i]);
        ck_assert_int_eq(anyc_send_some(pair.tls.a, "more", 4), 4);
        expect(pair.tls.b, "once more");
        tls_pair_close(&pair.tls);
    }
}

ANYC_TEST(test_tls_stream_broken__after_an_error_that_passes_receiving_goes_on)
{
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        struct probed_pair pair;

        probed_pair_init(&pair);
        put(pair.tls.b, "hello");
        probed_pair_fail_once(&pair, 1, passing[i]);
        expect_error(pair.tls.a, passing[i]);
        expect(pair.tls.a, "hello");
        tls_pair_close(&pair.tls);
    }
}
