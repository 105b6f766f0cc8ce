/* SPDX-License-Identifier: MIT */
/*
 * test_tls_stream.c - TLS streams as AnyIO's tests have them. AnyIO: tests/streams/test_tls.py.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tls_link.h"

static int reverse_and_close(void *arg)
{
    anyc_byte_stream *stream = arg;
    char in[5];
    char out[5];

    ck_assert_int_eq(receive_all(&(struct job){stream, in, sizeof in, 1}), 0);
    for (size_t i = 0; i < sizeof in; i++)
        out[i] = in[sizeof in - 1 - i];
    ck_assert_int_eq(anyc_send(stream, out, sizeof out), 0);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    return 0;
}

/* TL-005, TL-R018 */
ANYC_TEST(test_tls_stream__a_host_name_beyond_ascii_is_that_of_idna_2008)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_tls_context *server = tls_context_server_with(TLS_FILE("fass.pem"), TLS_FILE("fass.key"));
    struct byte_pair pair;

    tls_pair_open(&pair, &(struct tls_pair_options){.server = server, .hostname = "faß.de"});
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, reverse_and_close, pair.b, NULL), 0);
    put(pair.a, "hello");
    expect(pair.a, "olleh");
    ck_assert_int_eq(anyc_aclose(pair.a), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    anyc_tls_context_destroy(server);
}

/* TL-R018: what IDNA 2003 made of that name can be somebody else's. */
ANYC_TEST(test_tls_stream__a_host_name_beyond_ascii_is_not_that_of_idna_2003)
{
    struct tls_end client = {.options.hostname = "fass.de"};
    struct tls_end server = {.rc = 1};
    struct byte_pair pair;

    byte_pair_from_objects(&pair, 1);
    client.stream = pair.a;
    client.options.context = tls_context_client();
    server.stream = pair.b;
    server.options.context = tls_context_server_with(TLS_FILE("fass.pem"), TLS_FILE("fass.key"));
    tls_ends_wrap(&client, &server);
    ck_assert_int_eq(client.rc, ANYC_ETLS_CERTIFICATE);
    ck_assert_int_eq(server.rc, ANYC_ETLS);
    anyc_tls_context_destroy(client.options.context);
    anyc_tls_context_destroy(server.options.context);
}

static int unwrap_script(struct tls_peer *peer, void *arg)
{
    int rc = tls_peer_write(peer, "encrypted", 9);

    (void)arg;
    if (rc == 0)
        rc = tls_peer_close_notify(peer);
    return rc != 0 ? rc : tls_peer_raw_write(peer, "unencrypted", 11);
}

/* TL-006, TL-R009 */
ANYC_TEST(test_tls_stream__unwrap_goes_on_in_plain_text)
{
    struct tls_peer peer;
    anyc_byte_stream *stream = tls_link_open(&peer, unwrap_script, NULL);
    anyc_byte_stream *transport = NULL;
    anyc_bytes leftover = {NULL, 0};
    char text[16] = "";
    struct job rest;

    expect(stream, "encrypted");
    ck_assert_int_eq(anyc_tls_stream_unwrap(stream, &transport, &leftover), 0);
    ck_assert_uint_le(leftover.len, 11);
    if (leftover.len > 0)
        memcpy(text, leftover.data, leftover.len);
    rest = (struct job){transport, text + leftover.len, 11 - leftover.len, 1};
    ck_assert_int_eq(receive_all(&rest), 0);
    ck_assert_str_eq(text, "unencrypted");
    expect_eof(transport);
    anyc_bytes_deinit(&leftover);
    ck_assert_int_eq(anyc_aclose(transport), 0);
    tls_peer_join_ok(&peer);
    ck_assert(peer.close_notify_seen);
}

static int tell_alpn(struct tls_peer *peer, void *arg)
{
    const char *name = mbedtls_ssl_get_alpn_protocol(peer->ssl);
    int rc = tls_peer_write(peer, name, strlen(name));

    (void)arg;
    return rc != 0 ? rc : tls_peer_close_notify(peer);
}

/* TL-007 */
ANYC_TEST(test_tls_stream__both_sides_choose_the_common_protocol)
{
    static const char *const of_server[] = {"dummy1", "dummy2", NULL};
    static const char *const of_client[] = {"dummy2", "dummy3", NULL};
    const anyc_tls_context_options options = {.ca.file = TLS_FILE("ca.pem"),
                                              .alpn_protocols = of_client};
    anyc_tls_context *context = tls_context(&options);
    const struct tls_peer_options peer_options = {TLS_LINK_LOCALHOST, .alpn = of_server};
    struct tls_peer peer;
    anyc_byte_stream *transport = tls_link_connect(&peer, &peer_options, tell_alpn, NULL);
    anyc_byte_stream *stream = tls_link_wrap(
        transport, &(anyc_tls_stream_wrap_options){.context = context, .hostname = "localhost"});
    const char *protocol = NULL;

    ck_assert_int_eq(anyc_extra(stream, &ANYC_TLS_ALPN_PROTOCOL, &protocol), 0);
    ck_assert_str_eq(protocol, "dummy2");
    expect(stream, "dummy2");
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
    anyc_tls_context_destroy(context);
}

/* Says hello, and does the closing handshake if *arg is true. */
static int hello(struct tls_peer *peer, void *arg)
{
    int rc = tls_peer_write(peer, "hello", 5);

    return rc != 0 || !*(const bool *)arg ? rc : tls_peer_close_notify(peer);
}

static anyc_byte_stream *hello_open(struct tls_peer *peer, bool *server, bool client)
{
    anyc_byte_stream *stream =
        tls_link_wrap(tls_link_connect(peer, NULL, hello, server),
                      &(anyc_tls_stream_wrap_options){.hostname = "localhost",
                                                      .not_standard_compatible = !client});

    expect(stream, "hello");
    return stream;
}

/* TL-008 */
ANYC_TEST(test_tls_stream__both_sides_end_as_tls_has_it)
{
    struct tls_peer peer;
    bool compatible = true;
    anyc_byte_stream *stream = hello_open(&peer, &compatible, true);

    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
    ck_assert(peer.close_notify_seen);
}

/* TL-008: the client just closes. TL-R008 */
ANYC_TEST(test_tls_stream__only_the_server_ends_as_tls_has_it)
{
    struct tls_peer peer;
    bool compatible = true;
    anyc_byte_stream *stream = hello_open(&peer, &compatible, false);

    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join(&peer);
    ck_assert_int_eq(peer.result, MBEDTLS_ERR_SSL_CONN_EOF);
    ck_assert(!peer.close_notify_seen);
}

/* TL-008 */
ANYC_TEST(test_tls_stream__only_the_client_ends_as_tls_has_it)
{
    struct tls_peer peer;
    bool compatible = false;
    anyc_byte_stream *stream = hello_open(&peer, &compatible, true);

    ck_assert_int_eq(anyc_aclose(stream), ANYC_EBROKEN);
    tls_peer_join_ok(&peer);
}

/* TL-008 */
ANYC_TEST(test_tls_stream__neither_side_ends_as_tls_has_it)
{
    struct tls_peer peer;
    bool compatible = false;
    anyc_byte_stream *stream = hello_open(&peer, &compatible, false);

    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
    ck_assert(!peer.close_notify_seen);
}

/* TL-009 */
ANYC_TEST(test_tls_stream__a_ragged_end_is_one_if_the_stream_is_not_standard_compatible)
{
    struct tls_peer peer;
    bool compatible = false;
    anyc_byte_stream *stream = hello_open(&peer, &compatible, false);

    expect_eof(stream);
    expect_eof(stream);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
}

/* The reason that a stream of this version, at most, gives for not ending one direction. */
static void send_eof_with(int version, const char *name, const char *reason)
{
    const anyc_tls_context_options options = {.ca.file = TLS_FILE("ca.pem"),
                                              .max_version = version};
    anyc_tls_context *context = tls_context(&options);
    struct byte_pair pair;
    const char *used = NULL;

    tls_pair_open(&pair, &(struct tls_pair_options){.client = context});
    ck_assert_int_eq(anyc_extra(pair.a, &ANYC_TLS_VERSION, &used), 0);
    ck_assert_str_eq(used, name);
    put(pair.b, "hello");
    expect(pair.a, "hello");
    ck_assert_int_eq(anyc_send_eof(pair.a), -ENOTSUP);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, reason));
    tls_pair_close(&pair);
    anyc_tls_context_destroy(context);
}

/* TL-010, TL-R020 */
ANYC_TEST(test_tls_stream__the_end_of_sending_needs_more_than_tls_1_2)
{
    send_eof_with(ANYC_TLS_1_2, "TLSv1.2", "needs TLS 1.3 at least");
}

/* TL-010, TL-R015, TL-R020 */
ANYC_TEST(test_tls_stream__the_end_of_sending_is_not_there_yet_in_tls_1_3)
{
    if (!tls_can(ANYC_TLS_1_3))
        ANYC_TEST_SKIP("the TLS library has no TLS 1.3");
    send_eof_with(ANYC_TLS_1_3, "TLSv1.3", "not implemented for TLS 1.3 yet");
}

/* TL-011, TL-R013, TL-R019: the server's certificate is known by the environment, and an end that
 * was not told does not pass for an orderly one. */
ANYC_TEST(test_tls_stream__the_default_context_verifies_and_notices_a_cut)
{
    struct tls_peer peer;
    bool compatible = false;
    anyc_byte_stream *transport = tls_link_connect(&peer, NULL, hello, &compatible);
    anyc_byte_stream *stream = NULL;

    ck_assert_int_eq(setenv("SSL_CERT_FILE", TLS_FILE("ca.pem"), 1), 0);
    ck_assert_int_eq(unsetenv("SSL_CERT_DIR"), 0);
    ck_assert_int_eq(anyc_tls_stream_wrap(transport,
                                          &(anyc_tls_stream_wrap_options){.hostname = "localhost"},
                                          &stream),
                     0);
    expect(stream, "hello");
    expect_error(stream, ANYC_EBROKEN);
    expect_error(stream, ANYC_EBROKEN);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
}

/* TL-R013: by the system's certificates nobody knows the tests' CA. */
ANYC_TEST(test_tls_stream__the_default_context_refuses_whom_it_does_not_know)
{
    struct tls_peer peer;
    anyc_byte_stream *transport = tls_link_connect(&peer, NULL, NULL, NULL);
    anyc_byte_stream *stream = NULL;

    ck_assert_int_eq(setenv("SSL_CERT_FILE", TLS_FILE("other_ca.pem"), 1), 0);
    ck_assert_int_eq(anyc_tls_stream_wrap(transport,
                                          &(anyc_tls_stream_wrap_options){.hostname = "localhost"},
                                          &stream),
                     ANYC_ETLS_CERTIFICATE);
    ck_assert_ptr_null(stream);
    ck_assert_int_eq(anyc_aclose(transport), 0);
    tls_peer_join(&peer);
    ck_assert_int_ne(peer.handshake, 0);
}

/* A verification that takes its time. */
struct judge {
    sem_t gate;
    atomic_bool called;
    int verdict;
    char hostname[32];
    uint32_t flags;
    size_t chain_len;
};

static int judge_peer(const anyc_tls_peer *peer, void *arg)
{
    struct judge *judge = arg;
    struct timespec limit;

    strncpy(judge->hostname, peer->hostname, sizeof judge->hostname - 1);
    judge->flags = peer->flags;
    judge->chain_len = peer->chain_len;
    atomic_store(&judge->called, true);
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 10;
    return sem_timedwait(&judge->gate, &limit) == 0 ? judge->verdict : ANYC_ETIMEDOUT;
}

/* Goes on only if the loop does, while the verification waits for it. */
static int judge_wake(void *arg)
{
    struct judge *judge = arg;

    while (!atomic_load(&judge->called))
        ck_assert_int_eq(anyc_checkpoint(), 0);
    ck_assert_int_eq(sem_post(&judge->gate), 0);
    return 0;
}

/* What the wrap answers when the judge says that. */
static int judged(int verdict)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct judge judge = {.verdict = verdict};
    anyc_tls_context *context = tls_context(&(anyc_tls_context_options){
        .ca.file = TLS_FILE("ca.pem"), .verify_peer = judge_peer, .verify_arg = &judge});
    struct tls_peer peer;
    anyc_byte_stream *stream = tls_link_connect(&peer, NULL, NULL, NULL);
    int rc;

    ck_assert_int_eq(sem_init(&judge.gate, 0, 0), 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, judge_wake, &judge, NULL), 0);
    rc = anyc_tls_stream_wrap(
        stream, &(anyc_tls_stream_wrap_options){.context = context, .hostname = "localhost"},
        &stream);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_str_eq(judge.hostname, "localhost");
    ck_assert_uint_eq(judge.flags, 0);
    ck_assert_uint_eq(judge.chain_len, 1);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join(&peer);
    ck_assert_int_eq(peer.handshake == 0, rc == 0);
    anyc_tls_context_destroy(context);
    sem_destroy(&judge.gate);
    return rc;
}

/* TL-012 */
ANYC_TEST(test_tls_stream__a_verification_of_ones_own_may_block_and_refuse)
{
    ck_assert_int_eq(judged(ANYC_ETLS_CERTIFICATE), ANYC_ETLS_CERTIFICATE);
}

/* TL-012: its own code, and acceptance. */
ANYC_TEST(test_tls_stream__a_verification_of_ones_own_decides_alone)
{
    ck_assert_int_eq(judged(-EPERM), -EPERM);
    ck_assert_int_eq(judged(0), 0);
}
