/* SPDX-License-Identifier: MIT */
/*
 * test_tls_stream_wrap.c - handshakes: which side one is, how they fail, and what is left then.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <string.h>

#include "tls_attempt.h"
#include "tls_link.h"

/* -- sides -- */

/* TL-R013 */
ANYC_TEST(test_tls_stream_wrap__is_a_client_if_there_is_a_host_name)
{
    struct byte_pair pair;
    bool server_side = true;

    tls_pair_open(&pair, NULL);
    ck_assert_int_eq(anyc_extra(pair.a, &ANYC_TLS_SERVER_SIDE, &server_side), 0);
    ck_assert(!server_side);
    ck_assert_int_eq(anyc_extra(pair.b, &ANYC_TLS_SERVER_SIDE, &server_side), 0);
    ck_assert(server_side);
    tls_pair_close(&pair);
}

/* TL-R013: the side is what is said, whatever host name is given. */
ANYC_TEST(test_tls_stream_wrap__can_be_told_its_side)
{
    const anyc_tls_context_options options = {.ca.file = TLS_FILE("ca.pem"),
                                              .no_hostname_check = true};
    struct attempt attempt;

    attempt_init(&attempt);
    attempt.client.context = tls_context(&options);
    attempt.client.options = (anyc_tls_stream_wrap_options){.side = ANYC_TLS_CLIENT};
    attempt.server.options =
        (anyc_tls_stream_wrap_options){.hostname = "somebody.example", .side = ANYC_TLS_SERVER};
    attempt_run(&attempt);
    ck_assert_int_eq(attempt.client.rc, 0);
    ck_assert_int_eq(attempt.server.rc, 0);
    attempt_end(&attempt);
    anyc_tls_context_destroy(attempt.client.context);
}

static void refuses(anyc_byte_stream *transport, anyc_tls_stream_wrap_options options)
{
    anyc_byte_stream *stream = NULL;

    ck_assert_int_eq(anyc_tls_stream_wrap(transport, &options, &stream), ANYC_EINVAL);
    ck_assert_ptr_null(stream);
}

/* TL-R013: and nothing has happened to the transport. */
ANYC_TEST(test_tls_stream_wrap__refuses_a_side_that_is_not_the_contexts)
{
    anyc_tls_context *client = tls_context_client();
    anyc_tls_context *server = tls_context_server();
    struct probe_stream probe;
    struct byte_pair pair;

    byte_pair_from_objects(&pair, 1);
    probe_init(&probe, pair.a);
    refuses(&probe.stream, (anyc_tls_stream_wrap_options){.context = client});
    refuses(&probe.stream, (anyc_tls_stream_wrap_options){.context = client,
                                                          .hostname = "localhost",
                                                          .side = ANYC_TLS_SERVER});
    refuses(&probe.stream,
            (anyc_tls_stream_wrap_options){.context = client, .side = ANYC_TLS_CLIENT});
    refuses(&probe.stream,
            (anyc_tls_stream_wrap_options){.context = server, .hostname = "localhost"});
    refuses(&probe.stream,
            (anyc_tls_stream_wrap_options){.context = server, .side = ANYC_TLS_CLIENT});
    refuses(&probe.stream, (anyc_tls_stream_wrap_options){.context = NULL});
    refuses(&probe.stream,
            (anyc_tls_stream_wrap_options){.hostname = "localhost", .side = ANYC_TLS_SERVER});
    ck_assert_int_eq(probe.calls, 0);
    put(&probe.stream, "plain");
    expect(pair.b, "plain");
    pair.a = &probe.stream;
    tls_pair_drop(&pair);
    anyc_tls_context_destroy(client);
    anyc_tls_context_destroy(server);
}

ANYC_TEST_PLAIN(test_tls_stream_wrap__needs_a_task)
{
    anyc_byte_stream *stream = NULL;

    ck_assert_int_eq(anyc_tls_stream_wrap(NULL, NULL, &stream), ANYC_ENOLOOP);
}

ANYC_TEST(test_tls_stream_wrap__a_host_name_without_an_idna_form_is_refused)
{
    struct attempt attempt;

    attempt_init(&attempt);
    attempt.client.options.hostname = "no host\xff";
    attempt_run(&attempt);
    ck_assert_int_eq(attempt.client.rc, ANYC_EENCODE);
    ck_assert_int_eq(attempt.client.probe.calls, 0);
    ck_assert_int_eq(attempt.server.rc, ANYC_ETLS_EOF);
}

/* -- names -- */

/* The name that a server of mbedTLS is asked for. */
static void check_requested(const char *certificate, const char *key, const char *hostname,
                            const char *expected)
{
    const struct tls_peer_options options = {.certificate = certificate, .key = key};
    struct tls_peer peer;
    anyc_byte_stream *transport = tls_link_connect(&peer, &options, NULL, NULL);
    anyc_byte_stream *stream =
        tls_link_wrap(transport, &(anyc_tls_stream_wrap_options){.hostname = hostname});

    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
    ck_assert_str_eq(peer.requested_name, expected);
}

/* TL-R014, TL-R018: names are sent in their IDNA form, addresses are not sent. */
ANYC_TEST(test_tls_stream_wrap__names_are_sent_and_addresses_are_not)
{
    const char *certificate = TLS_FILE("localhost.pem");
    const char *key = TLS_FILE("localhost.key");

    check_requested(certificate, key, "localhost", "localhost");
    check_requested(certificate, key, "127.0.0.1", "");
    check_requested(certificate, key, "::1", "");
    check_requested(TLS_FILE("fass.pem"), TLS_FILE("fass.key"), "faß.de", "xn--fa-hia.de");
}

/* TL-R014: without a name to compare, any name will do, but not any CA. */
ANYC_TEST(test_tls_stream_wrap__the_comparison_of_names_can_be_left_out)
{
    anyc_tls_context *context = tls_context(
        &(anyc_tls_context_options){.ca.file = TLS_FILE("ca.pem"), .no_hostname_check = true});
    struct attempt attempt;

    attempt_init(&attempt);
    attempt.client.context = context;
    attempt.client.options.hostname = "other.example";
    attempt_run(&attempt);
    ck_assert_int_eq(attempt.client.rc, 0);
    attempt_end(&attempt);

    attempt_init(&attempt);
    attempt.client.context = context;
    attempt.client.options.hostname = NULL;
    attempt.client.options.side = ANYC_TLS_CLIENT;
    attempt.server.context =
        tls_context_server_with(TLS_FILE("unknown_ca.pem"), TLS_FILE("localhost.key"));
    attempt_run(&attempt);
    ck_assert_int_eq(attempt.client.rc, ANYC_ETLS_CERTIFICATE);
    ck_assert_uint_eq(attempt.client.tls.verify_flags, ANYC_TLS_NOT_TRUSTED);
    attempt_end(&attempt);
    anyc_tls_context_destroy(attempt.server.context);
    anyc_tls_context_destroy(context);
}

/* -- certificates that are refused -- */

static void check_refused(const char *certificate, const char *hostname, uint32_t flags,
                          const char *word)
{
    struct attempt attempt;

    attempt_init(&attempt);
    attempt.client.options.hostname = hostname;
    attempt.server.context = tls_context_server_with(certificate, TLS_FILE("localhost.key"));
    attempt_run(&attempt);
    ck_assert_int_eq(attempt.client.rc, ANYC_ETLS_CERTIFICATE);
    ck_assert_uint_eq(attempt.client.tls.verify_flags, flags);
    ck_assert_msg(strstr(attempt.client.message, word) != NULL, "%s", attempt.client.message);
    ck_assert_uint_gt(attempt.client.tls.alert, 0);
    ck_assert(attempt.client.tls.alert_sent);
    ck_assert_int_eq(attempt.server.rc, ANYC_ETLS); /* it was told */
    anyc_tls_context_destroy(attempt.server.context);
}

/* TL-R012, TL-R022: the reason is given, the peer is told, the transport is the caller's. */
ANYC_TEST(test_tls_stream_wrap__a_refused_certificate_has_its_reason)
{
    check_refused(TLS_FILE("expired.pem"), "localhost", ANYC_TLS_EXPIRED, "expired");
    check_refused(TLS_FILE("localhost.pem"), "other.example", ANYC_TLS_WRONG_NAME, "other.example");
    check_refused(TLS_FILE("no_ip.pem"), "127.0.0.1", ANYC_TLS_WRONG_NAME, "127.0.0.1");
}

static int refuse_oddly(const anyc_tls_peer *peer, void *arg)
{
    (void)peer;
    return *(const int *)arg;
}

/* TL-R022: a code that nobody has words for. */
ANYC_TEST(test_tls_stream_wrap__a_refusal_for_no_known_reason_is_answered_all_the_same)
{
    int verdict = -19999;
    const anyc_tls_context_options options = {
        .ca.file = TLS_FILE("ca.pem"), .verify_peer = refuse_oddly, .verify_arg = &verdict};
    anyc_tls_context *context = tls_context(&options);
    struct tls_peer peer;
    anyc_byte_stream *stream = tls_link_connect(&peer, NULL, NULL, NULL);

    ck_assert_int_eq(anyc_tls_stream_wrap(stream,
                                          &(anyc_tls_stream_wrap_options){.context = context,
                                                                          .hostname = "localhost"},
                                          &stream),
                     verdict);
    ck_assert_int_eq(anyc_last_error()->code, verdict);
    ck_assert_str_ne(anyc_last_error()->message, "");
    ck_assert_uint_eq(anyc_last_error()->tls.verify_flags, 0);
    tls_peer_join(&peer); /* first: a close with something unread resets the connection */
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(peer.handshake, MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    ck_assert_int_ne(peer.alert, -1);
    anyc_tls_context_destroy(context);
}

/* -- TLS 1.3 -- */

/* A server's tickets come with its first data: a client that does not receive need not take them. */
ANYC_TEST(test_tls_stream_wrap__a_server_sends_nothing_behind_its_handshake_unasked)
{
    struct attempt attempt;
    size_t sent;

    attempt_init(&attempt);
    attempt_run(&attempt);
    sent = attempt.server.probe.sent;
    put(attempt.client.stream, "hello");
    expect(attempt.server.stream, "hello");
    ck_assert_uint_eq(attempt.server.probe.sent, sent);
    put(attempt.server.stream, "hello too");
    expect(attempt.client.stream, "hello too");
    attempt_end(&attempt);
}

/* The client is through when the server looks at its certificate: it learns of that later. */
ANYC_TEST(test_tls_stream_wrap__a_client_learns_behind_its_handshake_that_it_is_refused)
{
    enum { CERTIFICATE_REQUIRED = 116 };
    const anyc_tls_certificate localhost = {.chain.file = TLS_FILE("localhost.pem"),
                                            .key.file = TLS_FILE("localhost.key")};
    struct attempt attempt;

    if (!tls_can(ANYC_TLS_1_3))
        ANYC_TEST_SKIP("the TLS library has no TLS 1.3");
    attempt_init(&attempt);
    attempt.server.context =
        tls_context(&(anyc_tls_context_options){.server_side = true,
                                                .certificates = &localhost,
                                                .certificate_count = 1,
                                                .ca.file = TLS_FILE("ca.pem"),
                                                .verify = ANYC_TLS_VERIFY_REQUIRED});
    attempt_run(&attempt);
    ck_assert_int_eq(attempt.server.rc, ANYC_ETLS_CERTIFICATE);
    ck_assert_uint_eq(attempt.server.tls.alert, CERTIFICATE_REQUIRED);
    ck_assert(attempt.server.tls.alert_sent);
    ck_assert_int_eq(attempt.client.rc, 0);
    expect_error(attempt.client.stream, ANYC_ETLS);
    ck_assert_uint_eq(anyc_last_error()->tls.alert, CERTIFICATE_REQUIRED);
    ck_assert(!anyc_last_error()->tls.alert_sent);
    anyc_tls_context_destroy(attempt.server.context);
    attempt_end(&attempt);
}

/* -- a peer that cannot be told -- */

static int refuse_and_break(const anyc_tls_peer *peer, void *arg)
{
    struct probe_stream *probe = arg;

    (void)peer;
    probe->fail_from = 1;
    probe->fail_rc = ANYC_EBROKEN;
    return ANYC_ETLS_CERTIFICATE;
}

/* TL-R012, TL-R022: why it failed is not forgotten when the peer cannot be told. */
ANYC_TEST(test_tls_stream_wrap__an_alert_that_cannot_be_sent_changes_nothing)
{
    struct attempt attempt;

    attempt_init(&attempt);
    attempt.client.context =
        tls_context(&(anyc_tls_context_options){.ca.file = TLS_FILE("ca.pem"),
                                                .verify_peer = refuse_and_break,
                                                .verify_arg = &attempt.client.probe});
    attempt_run(&attempt);
    ck_assert_int_eq(attempt.client.rc, ANYC_ETLS_CERTIFICATE);
    ck_assert_ptr_nonnull(strstr(attempt.client.message, "certificate"));
    ck_assert_int_eq(attempt.server.rc, ANYC_ETLS_EOF);
    anyc_tls_context_destroy(attempt.client.context);
}
