/* SPDX-License-Identifier: MIT */
/*
 * test_connect_tls.c - connecting by TCP and TLS: host names, trust, and what is closed when it fails.
 * AnyIO: TestTCPStream.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "support/peer.h"
#include "support/tls_files.h"
#include "support/tls_pair.h"
#include "support/tls_peer.h"
#include "unit/net/fake_resolver.h"

static const struct tls_peer_options localhost = {.certificate = TLS_FILE("localhost.pem"),
                                                  .key = TLS_FILE("localhost.key")};

/* Sends five bytes back in reverse, and closes in the orderly way. */
static int reverse(struct tls_peer *peer, void *arg)
{
    char buf[5];
    int rc = tls_peer_read_all(peer, buf, sizeof buf);

    (void)arg;
    for (size_t i = 0; i < 2; i++) {
        char byte = buf[i];

        buf[i] = buf[4 - i];
        buf[4 - i] = byte;
    }
    if (rc == 0)
        rc = tls_peer_write(peer, buf, sizeof buf);
    return rc != 0 ? rc : tls_peer_close_notify(peer);
}

/* The server behind the stream reverses; close it, and wait for the server. */
static void check_reverses(anyc_byte_stream *stream, struct tls_peer *peer)
{
    char buf[8];

    ck_assert_int_eq(anyc_send(stream, "hello", 5), 0);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 5);
    ck_assert_mem_eq(buf, "olleh", 5);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(peer);
}

/* -- it works -- */

static void connects_by(int family)
{
    anyc_connect_tcp_options options = {.tls_hostname = "localhost"};
    struct tls_peer peer;
    anyc_byte_stream *stream = NULL;
    int remote_port = 0;

    options.tls_context = tls_context_client();
    tls_peer_server_start(&peer, family, &localhost, reverse, NULL);
    ck_assert_int_eq(anyc_connect_tcp(peer_loopback(family), peer.port, &options, &stream), 0);
    ck_assert_int_eq(anyc_extra(stream, &ANYC_SOCKET_REMOTE_PORT, &remote_port), 0);
    ck_assert_int_eq(remote_port, peer.port);
    check_reverses(stream, &peer);
    anyc_tls_context_destroy(options.tls_context);
}

/* TL-001 */
ANYC_TEST(test_connect_tls__talks_to_a_server_that_it_trusts)
{
    peer_for_each_family(connects_by);
}

/* Each option alone asks for TLS; the default context trusts what SSL_CERT_FILE says. */
ANYC_TEST(test_connect_tls__any_of_the_options_asks_for_tls)
{
    anyc_tls_context *context = tls_context_client();
    const anyc_connect_tcp_options options[] = {{.tls = true},
                                                {.tls_context = context},
                                                {.tls_hostname = "localhost"},
                                                {.tls_not_standard_compatible = true}};
    anyc_byte_stream *stream = NULL;
    bool compatible = false;
    struct tls_peer peer;

    ck_assert_int_eq(setenv("SSL_CERT_FILE", TLS_FILE("ca.pem"), 1), 0);
    for (int i = 0; i < 4; i++) {
        tls_peer_server_start(&peer, AF_INET, &localhost, reverse, NULL);
        ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", peer.port, &options[i], &stream), 0);
        ck_assert_int_eq(anyc_extra(stream, &ANYC_TLS_STANDARD_COMPATIBLE, &compatible), 0);
        ck_assert_int_eq(compatible, i != 3);
        ck_assert_int_eq(anyc_send(stream, "hello", 5), 0);
        ck_assert_int_eq(anyc_aclose(stream), 0);
        tls_peer_join(&peer);
        ck_assert_int_eq(peer.handshake, 0);
    }
    anyc_tls_context_destroy(context);
}

/* -- host names -- */

/* What the TLS layer was given. */
struct wrapped {
    int calls;
    char hostname[64];
};

static int note_hostname(const anyc_tls_peer *peer, void *arg)
{
    struct wrapped *wrapped = arg;

    wrapped->calls++;
    if (peer->hostname != NULL && strlen(peer->hostname) < sizeof wrapped->hostname)
        strcpy(wrapped->hostname, peer->hostname);
    return peer->flags == 0 ? 0 : ANYC_ETLS_CERTIFICATE;
}

/* A client that notes the host name that its wrap was called with. */
static anyc_tls_context *noting_client(struct wrapped *wrapped)
{
    const anyc_tls_context_options options = {
        .ca.file = TLS_FILE("ca.pem"), .verify_peer = note_hostname, .verify_arg = wrapped};
    anyc_tls_context *context = NULL;

    ck_assert_int_eq(anyc_tls_context_create(&options, &context), 0);
    return context;
}

static void unicode_by(int family)
{
    const char *const hosts[] = {peer_loopback(family), NULL};
    const struct tls_peer_options fass = {.certificate = TLS_FILE("fass.pem"),
                                          .key = TLS_FILE("fass.key")};
    struct wrapped wrapped = {0, ""};
    anyc_connect_tcp_options options = {.tls = true};
    anyc_byte_stream *stream = NULL;
    struct tls_peer peer;

    options.tls_context = noting_client(&wrapped);
    fake_resolver_install(hosts);
    tls_peer_server_start(&peer, family, &fass, reverse, NULL);
    ck_assert_int_eq(anyc_connect_tcp("fa\u00df.de", peer.port, &options, &stream), 0);
    ck_assert_int_eq(wrapped.calls, 1);
    ck_assert_str_eq(wrapped.hostname, "fa\u00df.de");
    check_reverses(stream, &peer);
    ck_assert_str_eq(peer.requested_name, "xn--fa-hia.de");
    anyc_tls_context_destroy(options.tls_context);
}

/* TL-003, TL-R021: a verify function is shown the name that the wrap was called with, which is not
 * the encoded one that was looked up. */
ANYC_TEST(test_connect_tls__a_host_name_reaches_tls_unencoded)
{
    peer_for_each_family(unicode_by);
}

/* TL-R021: the same holds for the one that is not looked up. */
ANYC_TEST(test_connect_tls__a_tls_host_name_takes_the_hosts_place)
{
    struct wrapped wrapped = {0, ""};
    anyc_connect_tcp_options options = {.tls_hostname = "fa\u00df.de"};
    anyc_byte_stream *stream = NULL;
    struct tls_peer peer;

    options.tls_context = noting_client(&wrapped);
    tls_peer_server_start(&peer, AF_INET, &localhost, NULL, NULL);
    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", peer.port, &options, &stream),
                     ANYC_ETLS_CERTIFICATE);
    ck_assert_str_eq(wrapped.hostname, "fa\u00df.de");
    tls_peer_join(&peer);
    ck_assert_str_eq(peer.requested_name, "xn--fa-hia.de");
    ck_assert_ptr_null(stream);
    anyc_tls_context_destroy(options.tls_context);
}

/* -- it fails -- */

static void distrusts_by(int family)
{
    const anyc_connect_tcp_options options = {.tls = true, .tls_hostname = "localhost"};
    anyc_byte_stream *stream = NULL;
    struct tls_peer peer;
    int fds = 0;

    for (int i = 0; i < 2; i++) {
        tls_peer_server_start(&peer, family, &localhost, reverse, NULL);
        ck_assert_int_eq(anyc_connect_tcp(peer_loopback(family), peer.port, &options, &stream),
                         ANYC_ETLS_CERTIFICATE);
        ck_assert_ptr_null(stream);
        ck_assert_int_eq(anyc_last_error()->code, ANYC_ETLS_CERTIFICATE);
        ck_assert_uint_eq(anyc_last_error()->tls.verify_flags, ANYC_TLS_NOT_TRUSTED);
        ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "localhost"));
        tls_peer_join(&peer);
        ck_assert_int_ne(peer.handshake, 0);
        if (i == 0)
            fds = peer_count_fds(); /* with those of threads that stay */
        ck_assert_int_eq(peer_count_fds(), fds);
    }
}

/* TL-002, TL-R012: the default context, with a list of CAs that the server's is not in. */
ANYC_TEST(test_connect_tls__a_server_that_is_not_trusted_is_refused)
{
    ck_assert_int_eq(setenv("SSL_CERT_FILE", TLS_FILE("other_ca.pem"), 1), 0);
    ck_assert_int_eq(unsetenv("SSL_CERT_DIR"), 0);
    peer_for_each_family(distrusts_by);
}

/* What a raw server says to a client that wants TLS. */
static void check_raw_server(void (*body)(struct peer_thread *peer), int expected)
{
    int listener = peer_listen(AF_INET);
    anyc_connect_tcp_options options = {.tls_context = tls_context_client()};
    anyc_byte_stream *stream = NULL;
    struct peer_thread peer;

    peer_start(&peer, body, listener);
    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", peer_port(listener), &options, &stream),
                     expected);
    ck_assert_int_eq(anyc_last_error()->code, expected);
    ck_assert_ptr_null(stream);
    peer_join(&peer);
    close(listener);
    anyc_tls_context_destroy(options.tls_context);
}

static void say_hello_in_plain(struct peer_thread *peer)
{
    char buf[1024];
    int fd = peer_accept(peer->fd);

    (void)peer_send(fd, "220 mail.example ESMTP\r\n", 24);
    while (peer_receive(fd, buf, 1) > 0) /* the client closes */
        continue;
    close(fd);
}

static void hang_up(struct peer_thread *peer)
{
    char buf[32];
    int fd = peer_accept(peer->fd);

    (void)peer_receive(fd, buf, sizeof buf);
    (void)shutdown(fd, SHUT_WR);
    while (peer_receive(fd, buf, 1) > 0)
        continue;
    close(fd);
}

ANYC_TEST(test_connect_tls__a_server_without_tls_is_an_error)
{
    check_raw_server(say_hello_in_plain, ANYC_ETLS);
    check_raw_server(hang_up, ANYC_ETLS_EOF);
}

/* TL-R012: cancelled in the handshake, the connection is closed. */
ANYC_TEST_WITH(test_connect_tls__a_deadline_ends_the_handshake, .clock = ANYC_CLOCK_VIRTUAL)
{
    int listener = peer_listen(AF_INET);
    anyc_connect_tcp_options options = {.tls_context = tls_context_client()};
    anyc_byte_stream *stream = NULL;
    anyc_cancel_scope scope;
    char buf[1024];
    int silent;
    int rc;

    ck_assert_int_eq(anyc_fail_after(&scope, 3, false), 0);
    rc = anyc_connect_tcp("127.0.0.1", peer_port(listener), &options, &stream);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_ETIMEDOUT);
    ck_assert_ptr_null(stream);
    silent = peer_accept(listener);
    ck_assert_uint_gt(peer_receive(silent, buf, sizeof buf), 0); /* its hello, and the end */
    ck_assert_uint_eq(peer_receive(silent, buf, sizeof buf), 0);
    close(silent);
    close(listener);
    anyc_tls_context_destroy(options.tls_context);
}

static void check_nobody_came(int listener)
{
    ck_assert_int_eq(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(accept(listener, NULL, NULL), -1);
    ck_assert_int_eq(errno, EAGAIN);
    close(listener);
}

/* What cannot work is known before anything is connected. */
ANYC_TEST(test_connect_tls__a_servers_context_connects_to_nobody)
{
    int listener = peer_listen(AF_INET);
    anyc_connect_tcp_options options = {.tls_context = tls_context_server()};
    anyc_byte_stream *stream = NULL;

    ck_assert_int_eq(anyc_connect_tcp("127.0.0.1", peer_port(listener), &options, &stream),
                     ANYC_EINVAL);
    ck_assert_ptr_null(stream);
    check_nobody_came(listener);
    anyc_tls_context_destroy(options.tls_context);
}

/* Without TLS an address is tried after another; a handshake that failed is the end. */
ANYC_TEST(test_connect_tls__no_other_address_is_tried_after_a_failed_handshake)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", NULL};
    anyc_connect_tcp_options options = {.tls_context = tls_context(&(anyc_tls_context_options){
                                            .ca.file = TLS_FILE("other_ca.pem")})};
    anyc_byte_stream *stream = NULL;
    struct tls_peer peer;
    int other;

    fake_resolver_install(hosts);
    tls_peer_server_start(&peer, AF_INET, &localhost, NULL, NULL);
    other = peer_listen_at("127.0.0.2", peer.port);
    ck_assert_int_eq(anyc_connect_tcp("localhost", peer.port, &options, &stream),
                     ANYC_ETLS_CERTIFICATE);
    tls_peer_join(&peer);
    check_nobody_came(other);
    anyc_tls_context_destroy(options.tls_context);
}
