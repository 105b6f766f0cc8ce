/* SPDX-License-Identifier: MIT */
/*
 * tls_refusal.c - TLS handshakes that must fail, and some that succeed.
 */
#include "tls_refusal.h"

#include <string.h>

#include <sys/socket.h>

/* A connection: one end for anyc, the other one, which blocks, for a peer. */
static anyc_byte_stream *open_transport(int *out_other)
{
    anyc_byte_stream *transport = NULL;
    int fds[2];

    ck_assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
    ck_assert_ok(anyc_unix_socket_stream_from_fd(fds[0], &transport));
    *out_other = fds[1];
    return transport;
}

static anyc_tls_context *make_context(const anyc_tls_context_options *options)
{
    anyc_tls_context *context = NULL;
    int rc = anyc_tls_context_create(options, &context);

    ck_assert_msg(rc == 0, "%s", anyc_last_error()->message);
    return context;
}

anyc_tls_context *client_context(const anyc_tls_context_options *own)
{
    anyc_tls_context_options options = {0};

    if (own != NULL)
        options = *own;
    if (options.ca.file == NULL)
        options.ca.file = TLS_FILE("ca.pem");
    return make_context(&options);
}

anyc_tls_context *server_context(const anyc_tls_context_options *own)
{
    static const anyc_tls_certificate localhost = {.chain.file = TLS_FILE("localhost.pem"),
                                                   .key.file = TLS_FILE("localhost.key")};
    anyc_tls_context_options options = {0};

    if (own != NULL)
        options = *own;
    options.server_side = true;
    if (options.certificate_count == 0) {
        options.certificates = &localhost;
        options.certificate_count = 1;
    }
    return make_context(&options);
}

/* -- what must be known of a failure -- */

static void check_words(const char *message, const char *words)
{
    ck_assert_msg(strstr(message, words) != NULL, "\"%s\" is not in \"%s\"", words, message);
}

void check_refusal(const struct refusal *expected)
{
    const anyc_error *error = anyc_last_error();

    ck_assert_msg(error->code == expected->rc, "%s: %s", anyc_error_name(error->code),
                  error->message);
    check_words(error->message, expected->says);
    if (expected->says_too != NULL)
        check_words(error->message, expected->says_too);
    if (expected->library_code != 0)
        ck_assert_int_eq(error->tls.library_code, expected->library_code);
    ck_assert_uint_eq(error->tls.verify_flags, expected->verify_flags);
    ck_assert_uint_eq(error->tls.alert, expected->alert);
    ck_assert_int_eq(error->tls.alert_sent, expected->alert != 0 && expected->alert_by_us);
}

/* Wait until the peer has ended the connection: so it has read whatever alert was sent to it. */
static void wait_for_end(anyc_byte_stream *transport)
{
    char block[1024];
    ssize_t n = 1;

    while (n > 0)
        n = anyc_receive(transport, block, sizeof block);
}

/* With TLS 1.3 a client is through before the server has looked at its certificate. */
static bool is_through_early(const struct tls_peer *peer)
{
    return peer->endpoint == MBEDTLS_SSL_IS_CLIENT && strcmp(peer->version, "TLSv1.3") == 0;
}

static void check_refused(anyc_byte_stream *transport, const anyc_tls_stream_wrap_options *options,
                          struct tls_peer *peer, const struct refusal *expected)
{
    anyc_byte_stream *stream = NULL;
    int rc = anyc_tls_stream_wrap(transport, options, &stream);

    ck_assert_int_eq(rc, expected->rc);
    ck_assert_ptr_null(stream);
    check_refusal(expected);
    wait_for_end(transport);
    anyc_aclose_forcefully(transport);
    tls_peer_join(peer);
    ck_assert(peer->handshakes == 0 || is_through_early(peer));
    ck_assert_int_eq(peer->alert, expected->alert_by_us ? expected->alert : -1);
}

static void refuse_server_once(const struct tls_peer_options *peer_options,
                               const anyc_tls_context_options *own, const char *hostname, void *arg,
                               const struct refusal *expected)
{
    anyc_tls_context *context = client_context(own);
    const anyc_tls_stream_wrap_options options = {
        .context = context, .hostname = hostname, .side = ANYC_TLS_CLIENT};
    struct tls_peer peer;
    int other;
    anyc_byte_stream *transport = open_transport(&other);

    tls_peer_server_start_fd(&peer, other, peer_options, NULL, arg);
    check_refused(transport, &options, &peer, expected);
    anyc_tls_context_destroy(context);
}

/* The peer's newest version: the one it is to have, or each in turn. */
static bool next_version(const struct tls_peer_options *options, struct tls_peer_options *next)
{
    int before = next->max_version;

    *next = *options;
    if (options->max_version != 0)
        return before == 0;
    next->max_version = before == 0 ? ANYC_TLS_1_2 : before + 1;
    return tls_peer_can(next->max_version);
}

void refuse_server_with(const struct tls_peer_options *options, const anyc_tls_context_options *own,
                        const char *hostname, void *arg, const struct refusal *expected)
{
    struct tls_peer_options peer = {0};

    while (next_version(options, &peer))
        refuse_server_once(&peer, own, hostname, arg, expected);
}

void refuse_server(const struct tls_peer_options *peer, const anyc_tls_context_options *own,
                   const char *hostname, const struct refusal *expected)
{
    refuse_server_with(peer, own, hostname, NULL, expected);
}

static void refuse_client_once(const struct tls_peer_options *peer_options,
                               const anyc_tls_context_options *own, const struct refusal *expected)
{
    anyc_tls_context *context = server_context(own);
    const anyc_tls_stream_wrap_options options = {.context = context};
    struct tls_peer peer;
    int other;
    anyc_byte_stream *transport = open_transport(&other);

    tls_peer_client_start(&peer, other, peer_options, NULL, NULL);
    check_refused(transport, &options, &peer, expected);
    anyc_tls_context_destroy(context);
}

void refuse_client(const struct tls_peer_options *options, const anyc_tls_context_options *own,
                   const struct refusal *expected)
{
    struct tls_peer_options peer = {0};

    while (next_version(options, &peer))
        refuse_client_once(&peer, own, expected);
}

int refusal_send_and_wait(struct tls_peer *peer, const void *data, size_t len)
{
    unsigned char alert[7] = {0}; /* the last bytes, as what is said before it is of any length */
    int rc = tls_peer_raw_write(peer, data, len);

    while (rc == 0) {
        memmove(alert, alert + 1, sizeof alert - 1);
        rc = tls_peer_raw_read(peer, alert + sizeof alert - 1, 1);
        if (rc == 0 && memcmp(alert, "\x15\x03", 2) == 0 && alert[4] == 2 && alert[5] == 2) {
            peer->alert = alert[6];
            rc = 1;
        }
    }
    return rc;
}

/* -- handshakes that succeed -- */

void tls_meet(struct tls_meeting *meeting, bool anyc_is_server,
              const struct tls_peer_options *peer_options, tls_peer_script script, void *arg)
{
    anyc_tls_context *context = anyc_is_server ? server_context(NULL) : client_context(NULL);
    const anyc_tls_stream_wrap_options options = {.context = context,
                                                  .hostname = anyc_is_server ? NULL : "localhost"};
    struct tls_peer_options peer = *peer_options;
    int other;
    anyc_byte_stream *transport = open_transport(&other);
    int rc;

    if (anyc_is_server) {
        tls_peer_client_start(&meeting->peer, other, &peer, script, arg);
    } else {
        peer.certificate = TLS_FILE("localhost.pem");
        peer.key = TLS_FILE("localhost.key");
        tls_peer_server_start_fd(&meeting->peer, other, &peer, script, arg);
    }
    rc = anyc_tls_stream_wrap(transport, &options, &meeting->stream);
    ck_assert_msg(rc == 0, "%s", anyc_last_error()->message);
    anyc_tls_context_destroy(context);
}

void tls_part(struct tls_meeting *meeting)
{
    anyc_aclose_forcefully(meeting->stream);
    tls_peer_join(&meeting->peer);
}
