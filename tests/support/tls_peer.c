/* SPDX-License-Identifier: MIT */
/*
 * tls_peer.c - a blocking TLS server or client of mbedTLS on plain POSIX sockets, in a thread.
 *
 * Everything of mbedTLS is on the thread's stack and is set up and freed there. The test's thread
 * opens the listener, so that it has a port at once, and joins.
 */
#include "tls_peer.h"

#include "peer.h"
#include "tls_peer_engine.h"

#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/x509_crt.h>

#include <errno.h>

#include <check.h>

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TLS_PEER_LIMIT_MS 10000
#define TLS_PEER_LINGER_MS 100 /* once the test joins */

/* The code for what recv() or send() left in errno. */
static int tls_peer_socket_error(int otherwise)
{
    switch (errno) {
    case EAGAIN:
        return MBEDTLS_ERR_SSL_TIMEOUT;
    case EPIPE:
    case ECONNRESET:
        return MBEDTLS_ERR_NET_CONN_RESET;
    default:
        return otherwise;
    }
}

static int tls_peer_socket_send(void *arg, const unsigned char *buf, size_t len)
{
    struct tls_peer *peer = arg;
    size_t cut_after = peer->options.cut_after;
    ssize_t n;

    if (cut_after > 0 && len > cut_after - peer->bytes_sent)
        len = cut_after - peer->bytes_sent;
    if (len == 0)
        return MBEDTLS_ERR_NET_SEND_FAILED;
    do
        n = send(peer->fd, buf, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return tls_peer_socket_error(MBEDTLS_ERR_NET_SEND_FAILED);
    peer->bytes_sent += (size_t)n;
    return (int)n;
}

static int tls_peer_socket_receive(void *arg, unsigned char *buf, size_t len)
{
    struct tls_peer *peer = arg;
    ssize_t n;

    do
        n = recv(peer->fd, buf, len, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? tls_peer_socket_error(MBEDTLS_ERR_NET_RECV_FAILED) : (int)n;
}

/* Every operation on it ends in time. */
static int tls_peer_limit(int fd, int milliseconds)
{
    const struct timeval limit = {.tv_sec = milliseconds / 1000,
                                  .tv_usec = milliseconds % 1000 * 1000};

    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
        return MBEDTLS_ERR_NET_SOCKET_FAILED;
    return 0;
}

/* The next connection; a client's is there already. */
static int tls_peer_take_connection(struct tls_peer *peer)
{
    if (peer->listener >= 0) {
        do
            peer->fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
        while (peer->fd < 0 && errno == EINTR);
    }
    if (peer->fd < 0)
        return MBEDTLS_ERR_NET_ACCEPT_FAILED;
    return tls_peer_limit(peer->fd, TLS_PEER_LIMIT_MS);
}

/* Ends the connection. To close it with something unread would reset it, and with it what is still
 * under way to the other side; so this reads on until that has closed as well. */
static void tls_peer_drop_connection(struct tls_peer *peer)
{
    unsigned char block[1024];
    int quiet_ms = 0;
    int n = 1;

    if (peer->fd < 0)
        return;
    shutdown(peer->fd, SHUT_WR);
    if (tls_peer_limit(peer->fd, TLS_PEER_LINGER_MS) != 0)
        n = 0;
    while (n > 0 || (n == MBEDTLS_ERR_SSL_TIMEOUT && !atomic_load(&peer->joining) &&
                     quiet_ms < TLS_PEER_LIMIT_MS)) {
        n = tls_peer_socket_receive(peer, block, sizeof block);
        quiet_ms += n == MBEDTLS_ERR_SSL_TIMEOUT ? TLS_PEER_LINGER_MS : 0;
    }
    close(peer->fd);
    peer->fd = -1;
}

/* Notes what a code of mbedTLS tells about the other side; answers the code. */
static int tls_peer_note(struct tls_peer *peer, int rc)
{
    if (rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        peer->close_notify_seen = true;
    if (rc == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
        peer->alert = peer->ssl->in_msg[1];
    return rc;
}

/* Puts the session of the connection where the test wants it. */
static int tls_peer_keep_session(struct tls_peer *peer)
{
    mbedtls_ssl_session *session = peer->options.session;

    if (session == NULL)
        return 0;
    mbedtls_ssl_session_free(session);
    mbedtls_ssl_session_init(session);
    return mbedtls_ssl_get_session(peer->ssl, session);
}

/* Step by step: an older session shows in the steps that are left out. */
static int tls_peer_shake_hands(struct tls_peer *peer)
{
    mbedtls_ssl_context *ssl = peer->ssl;
    mbedtls_ssl_session *session = peer->options.session;
    bool is_new = false;
    int rc = 0;

    if (session != NULL && session->ciphersuite != 0)
        rc = mbedtls_ssl_set_session(ssl, session);
    while (rc == 0 && ssl->state != MBEDTLS_SSL_HANDSHAKE_OVER) {
        is_new = is_new || ssl->state == MBEDTLS_SSL_SERVER_CERTIFICATE;
        rc = mbedtls_ssl_handshake_step(ssl);
    }
    if (rc == 0)
        rc = tls_peer_keep_session(peer);
    if (rc == 0) {
        peer->handshakes++;
        peer->resumed += !is_new;
    }
    return tls_peer_note(peer, rc);
}

/* Fills what the test may want to know of the handshake. */
static void tls_peer_describe(struct tls_peer *peer)
{
    const mbedtls_x509_crt *other = mbedtls_ssl_get_peer_cert(peer->ssl);

    peer->verify_flags = mbedtls_ssl_get_verify_result(peer->ssl);
    peer->alpn = mbedtls_ssl_get_alpn_protocol(peer->ssl);
    peer->version = mbedtls_ssl_get_version(peer->ssl);
    peer->ciphersuite = mbedtls_ssl_get_ciphersuite(peer->ssl);
    if (other == NULL ||
        mbedtls_x509_dn_gets(peer->other_name, sizeof peer->other_name, &other->subject) < 0)
        peer->other_name[0] = '\0';
}

/* From the handshake to the script's end; answers the code of the handshake. */
static int tls_peer_converse(struct tls_peer *peer)
{
    int result = 0;
    int rc = 0;

    peer->close_notify_seen = false;
    peer->bytes_sent = 0;
    peer->requested_name[0] = '\0';
    if (peer->options.before != NULL)
        result = peer->options.before(peer, peer->arg);
    if (result == 0) {
        rc = tls_peer_shake_hands(peer);
        tls_peer_describe(peer);
        if (rc == 0)
            result = peer->script(peer, peer->arg);
    }
    if (peer->result == 0)
        peer->result = result;
    return rc;
}

/* Takes the connections one after another; answers the first code that is not 0. */
static int tls_peer_take_connections(struct tls_peer *peer)
{
    int count = peer->options.connections > 1 ? peer->options.connections : 1;
    int first = 0;

    for (int i = 0; i < count; i++) {
        int rc = tls_peer_take_connection(peer);
        bool is_taken = rc == 0;

        if (rc == 0)
            rc = mbedtls_ssl_session_reset(peer->ssl);
        if (rc == 0)
            rc = tls_peer_converse(peer);
        tls_peer_drop_connection(peer);
        if (first == 0)
            first = rc;
        if (!is_taken)
            break; /* nobody comes any more */
    }
    return first;
}

static void *tls_peer_main(void *arg)
{
    struct tls_peer *peer = arg;
    struct tls_peer_engine engine;

    peer->ssl = &engine.ssl;
    tls_peer_engine_init(&engine);
    peer->handshake = tls_peer_engine_set_up(&engine, peer);
    mbedtls_ssl_set_bio(&engine.ssl, peer, tls_peer_socket_send, tls_peer_socket_receive, NULL);
    if (peer->handshake == 0)
        peer->handshake = tls_peer_take_connections(peer);
    if (peer->fd >= 0)
        close(peer->fd);
    if (peer->listener >= 0)
        close(peer->listener);
    tls_peer_engine_deinit(&engine);
    peer->ssl = NULL;
    return NULL;
}

static int tls_peer_close_script(struct tls_peer *peer, void *arg)
{
    (void)arg;
    return tls_peer_close_notify(peer);
}

static void tls_peer_start(struct tls_peer *peer, const struct tls_peer_options *options,
                           tls_peer_script script, void *arg)
{
    peer->options = *options;
    peer->script = script != NULL ? script : tls_peer_close_script;
    peer->arg = arg;
    peer->alert = -1;
    ck_assert_int_eq(pthread_create(&peer->thread, NULL, tls_peer_main, peer), 0);
}

void tls_peer_server_start(struct tls_peer *peer, int family,
                           const struct tls_peer_options *options, tls_peer_script script,
                           void *arg)
{
    int listener = peer_listen(family);

    *peer = (struct tls_peer){.endpoint = MBEDTLS_SSL_IS_SERVER,
                              .listener = listener,
                              .fd = -1,
                              .port = peer_port(listener)};
    tls_peer_start(peer, options, script, arg);
}

void tls_peer_server_start_fd(struct tls_peer *peer, int fd, const struct tls_peer_options *options,
                              tls_peer_script script, void *arg)
{
    *peer = (struct tls_peer){.endpoint = MBEDTLS_SSL_IS_SERVER, .listener = -1, .fd = fd};
    tls_peer_start(peer, options, script, arg);
}

void tls_peer_client_start(struct tls_peer *peer, int fd, const struct tls_peer_options *options,
                           tls_peer_script script, void *arg)
{
    *peer = (struct tls_peer){.endpoint = MBEDTLS_SSL_IS_CLIENT, .listener = -1, .fd = fd};
    tls_peer_start(peer, options, script, arg);
}

void tls_peer_join(struct tls_peer *peer)
{
    atomic_store(&peer->joining, true);
    ck_assert_int_eq(pthread_join(peer->thread, NULL), 0);
}

void tls_peer_join_ok(struct tls_peer *peer)
{
    char text[128];

    tls_peer_join(peer);
    mbedtls_strerror(peer->handshake, text, sizeof text);
    ck_assert_msg(peer->handshake == 0, "the peer's handshake: %s", text);
    mbedtls_strerror(peer->result, text, sizeof text);
    ck_assert_msg(peer->result == 0, "the peer's script: %d, %s", peer->result, text);
}

/* Sends everything in as many calls as it takes. */
static int tls_peer_send_all(struct tls_peer *peer, mbedtls_ssl_send_t *send_some, const void *data,
                             size_t len)
{
    const unsigned char *bytes = data;
    int n = 0;

    while (len > 0 && n >= 0) {
        n = send_some(peer, bytes, len);
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return n < 0 ? n : 0;
}

/* Likewise. */
static int tls_peer_receive_all(struct tls_peer *peer, mbedtls_ssl_recv_t *receive_some, void *buf,
                                size_t len)
{
    unsigned char *bytes = buf;
    int n = 1;

    while (len > 0 && n > 0) {
        n = receive_some(peer, bytes, len);
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    if (n == 0)
        return MBEDTLS_ERR_SSL_CONN_EOF;
    return n < 0 ? n : 0;
}

static int tls_peer_write_some(void *arg, const unsigned char *data, size_t len)
{
    return mbedtls_ssl_write(((struct tls_peer *)arg)->ssl, data, len);
}

static int tls_peer_read_some(void *arg, unsigned char *buf, size_t len)
{
    struct tls_peer *peer = arg;
    int n = mbedtls_ssl_read(peer->ssl, buf, len);

#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
    while (n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET ||
           (n == MBEDTLS_ERR_SSL_WANT_READ && peer->ssl->state != MBEDTLS_SSL_HANDSHAKE_OVER)) {
        n = n == MBEDTLS_ERR_SSL_WANT_READ ? 0 : tls_peer_keep_session(peer);
        if (n == 0)
            n = mbedtls_ssl_read(peer->ssl, buf, len);
    }
#endif
    return tls_peer_note(peer, n);
}

int tls_peer_read(struct tls_peer *peer, void *buf, size_t len)
{
    int n = tls_peer_read_some(peer, buf, len);

    return n == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : n;
}

int tls_peer_read_all(struct tls_peer *peer, void *buf, size_t len)
{
    return tls_peer_receive_all(peer, tls_peer_read_some, buf, len);
}

int tls_peer_write(struct tls_peer *peer, const void *data, size_t len)
{
    return tls_peer_send_all(peer, tls_peer_write_some, data, len);
}

int tls_peer_send_close_notify(struct tls_peer *peer)
{
    return mbedtls_ssl_close_notify(peer->ssl);
}

int tls_peer_wait_close_notify(struct tls_peer *peer)
{
    char byte;
    int n = peer->close_notify_seen ? MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY
                                    : tls_peer_read(peer, &byte, sizeof byte);

    if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        return 0;
    return n > 0 ? MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE : n;
}

int tls_peer_close_notify(struct tls_peer *peer)
{
    int rc = tls_peer_send_close_notify(peer);

    return rc != 0 ? rc : tls_peer_wait_close_notify(peer);
}

int tls_peer_raw_write(struct tls_peer *peer, const void *data, size_t len)
{
    return tls_peer_send_all(peer, tls_peer_socket_send, data, len);
}

int tls_peer_raw_read(struct tls_peer *peer, void *buf, size_t len)
{
    return tls_peer_receive_all(peer, tls_peer_socket_receive, buf, len);
}

int tls_peer_fd(const struct tls_peer *peer)
{
    return peer->fd;
}

void tls_peer_reset(struct tls_peer *peer)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(peer->fd);
    peer->fd = -1;
}

int tls_peer_echo(struct tls_peer *peer, void *arg)
{
    char block[4096];
    int rc = 0;
    int n;

    (void)arg;
    do {
        n = tls_peer_read(peer, block, sizeof block);
        if (n > 0)
            rc = tls_peer_write(peer, block, (size_t)n);
    } while (n > 0 && rc == 0);
    if (rc == 0 && n != MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        rc = n;
    return rc != 0 ? rc : tls_peer_send_close_notify(peer);
}
