/* SPDX-License-Identifier: MIT */
/*
 * tls_epoll.c - echo server on plain epoll and mbedTLS 2.28: the yardstick of the tls suite.
 *
 * One thread. mbedTLS reads and writes the non-blocking sockets itself, through the two functions
 * that it is given; when one of them would block, so does the whole step, and epoll says when to
 * call again. mbedTLS never reads further than the record that it needs: nothing is hidden from
 * the level-triggered epoll.
 */
#include "peer_epoll.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RECORD_BYTES = MBEDTLS_SSL_IN_CONTENT_LEN, /* most that a record holds, and a read answers */
    RECORDS_IN_A_ROW = 4,                      /* then the other connections have their turn */
    TICKET_SECONDS = 7200,
};

/* The best first, as in streams/tls_shim.h and streams/tls_options.c. */
static const mbedtls_ecp_group_id curves[] = {
    MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
    MBEDTLS_ECP_DP_SECP521R1,  MBEDTLS_ECP_DP_NONE,
};

static const int ciphers[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    0,
};

/* What all connections share. */
struct tls {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
    mbedtls_ssl_ticket_context tickets;
    mbedtls_ssl_config config;
};

struct conn {
    struct peer_conn link; /* first, so that the ring's pointers are those of connections */
    mbedtls_ssl_context ssl;
    bool established;
    enum peer_want wanted; /* what epoll watches for */
};

struct server {
    struct peer_epoll loop;
    struct peer_conn ring;
    struct tls tls;
    uint8_t buf[RECORD_BYTES];
};

static int socket_send(void *arg, const unsigned char *data, size_t len)
{
    const struct conn *conn = arg;
    ssize_t sent = send(conn->link.fd, data, len, MSG_NOSIGNAL);

    if (sent >= 0)
        return (int)sent;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE
                                             : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int socket_receive(void *arg, unsigned char *data, size_t len)
{
    const struct conn *conn = arg;
    ssize_t got = recv(conn->link.fd, data, len, 0);

    if (got >= 0)
        return (int)got;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ
                                             : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static enum peer_want want_after(int rc)
{
    if (rc == MBEDTLS_ERR_SSL_WANT_READ)
        return PEER_WANT_READ;
    return rc == MBEDTLS_ERR_SSL_WANT_WRITE ? PEER_WANT_WRITE : PEER_WANT_CLOSE;
}

/* mbedTLS has encrypted what it could not send: it is called again with the same bytes. */
static enum peer_want conn_send(struct conn *conn, const uint8_t *data, size_t len)
{
    size_t sent = 0;
    int rc = 0;

    while (rc >= 0 && sent < len) {
        rc = mbedtls_ssl_write(&conn->ssl, data + sent, len - sent);
        if (rc > 0)
            sent += (size_t)rc;
    }
    if (rc == MBEDTLS_ERR_SSL_WANT_WRITE)
        return peer_conn_keep_rest(&conn->link, data + sent, len - sent);
    return rc < 0 ? want_after(rc) : PEER_WANT_READ;
}

static enum peer_want conn_send_rest(struct conn *conn)
{
    struct peer_conn *link = &conn->link;
    enum peer_want want = PEER_WANT_WRITE;

    while (want == PEER_WANT_WRITE) {
        int rc = mbedtls_ssl_write(&conn->ssl, link->rest + link->rest_start,
                                   link->rest_len - link->rest_start);

        if (rc < 0)
            return want_after(rc);
        want = peer_conn_rest_sent(link, (size_t)rc);
    }
    return want;
}

/* A record that is not full ends what the client had to say, as a rule: epoll is asked first. */
static enum peer_want conn_echo(struct conn *conn, uint8_t *buf)
{
    enum peer_want want = PEER_WANT_READ;
    int got = RECORD_BYTES;

    for (int i = 0; i < RECORDS_IN_A_ROW && got == RECORD_BYTES && want == PEER_WANT_READ; i++) {
        got = mbedtls_ssl_read(&conn->ssl, buf, RECORD_BYTES);
        if (got == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
            (void)mbedtls_ssl_close_notify(&conn->ssl); /* if the socket takes it at once */
        if (got == 0)
            return PEER_WANT_CLOSE; /* an end without notice */
        want = got < 0 ? want_after(got) : conn_send(conn, buf, (size_t)got);
    }
    return want;
}

static enum peer_want conn_step(struct conn *conn, uint8_t *buf)
{
    enum peer_want want = PEER_WANT_READ;

    if (!conn->established) {
        int rc = mbedtls_ssl_handshake(&conn->ssl);

        conn->established = rc == 0;
        return rc == 0 ? PEER_WANT_READ : want_after(rc);
    }
    if (conn->link.rest != NULL)
        want = conn_send_rest(conn);
    return want == PEER_WANT_READ ? conn_echo(conn, buf) : want;
}

static void conn_destroy(struct conn *conn)
{
    peer_conn_close(&conn->link);
    mbedtls_ssl_free(&conn->ssl);
    free(conn);
}

static void server_on_event(struct peer_epoll *loop, void *data, uint32_t events)
{
    struct server *server = (struct server *)loop;
    struct conn *conn = data;
    enum peer_want want = conn_step(conn, server->buf);

    (void)events; /* an error shows when the socket is used */
    if (want != PEER_WANT_CLOSE && want != conn->wanted) {
        conn->wanted = want;
        if (peer_epoll_watch(loop, EPOLL_CTL_MOD, conn->link.fd,
                             want == PEER_WANT_WRITE ? EPOLLOUT : EPOLLIN, conn) != 0)
            want = PEER_WANT_CLOSE;
    }
    if (want == PEER_WANT_CLOSE)
        conn_destroy(conn);
}

/* Takes the descriptor. */
static void server_add(struct server *server, int fd)
{
    struct conn *conn = malloc(sizeof *conn);

    if (conn == NULL) {
        close(fd);
        return;
    }
    conn->established = false;
    conn->wanted = PEER_WANT_READ;
    peer_conn_init(&conn->link, fd, &server->ring);
    mbedtls_ssl_init(&conn->ssl);
    if (mbedtls_ssl_setup(&conn->ssl, &server->tls.config) != 0 ||
        peer_epoll_watch(&server->loop, EPOLL_CTL_ADD, fd, EPOLLIN, conn) != 0)
        conn_destroy(conn);
    else
        mbedtls_ssl_set_bio(&conn->ssl, conn, socket_send, socket_receive, NULL);
}

static void server_on_listener(struct peer_epoll *loop)
{
    int fd;

    while ((fd = peer_accept(loop->listen_fd)) != -1) {
        if (fd >= 0)
            server_add((struct server *)loop, fd);
    }
}

static void tls_init(struct tls *tls)
{
    mbedtls_entropy_init(&tls->entropy);
    mbedtls_ctr_drbg_init(&tls->random);
    mbedtls_x509_crt_init(&tls->chain);
    mbedtls_pk_init(&tls->key);
    mbedtls_ssl_ticket_init(&tls->tickets);
    mbedtls_ssl_config_init(&tls->config);
}

static void tls_free(struct tls *tls)
{
    mbedtls_ssl_config_free(&tls->config);
    mbedtls_ssl_ticket_free(&tls->tickets);
    mbedtls_pk_free(&tls->key);
    mbedtls_x509_crt_free(&tls->chain);
    mbedtls_ctr_drbg_free(&tls->random);
    mbedtls_entropy_free(&tls->entropy);
}

/* As anyc's contexts are: TLS 1.2, the ciphers and curves above, tickets. */
static int tls_configure(struct tls *tls)
{
    mbedtls_ssl_config *config = &tls->config;
    int rc = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_SERVER,
                                         MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);

    if (rc != 0)
        return rc;
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &tls->random);
    mbedtls_ssl_conf_ciphersuites(config, ciphers);
    mbedtls_ssl_conf_curves(config, curves);
    rc = mbedtls_ssl_ticket_setup(&tls->tickets, mbedtls_ctr_drbg_random, &tls->random,
                                  MBEDTLS_CIPHER_AES_256_GCM, TICKET_SECONDS);
    if (rc != 0)
        return rc;
    mbedtls_ssl_conf_session_tickets_cb(config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                        &tls->tickets);
    return mbedtls_ssl_conf_own_cert(config, &tls->chain, &tls->key);
}

/* 0, or -1 after a message. */
static int tls_open(struct tls *tls, const struct peer_options *options)
{
    char text[128];
    int rc = mbedtls_ctr_drbg_seed(&tls->random, mbedtls_entropy_func, &tls->entropy, NULL, 0);

    if (rc == 0)
        rc = mbedtls_x509_crt_parse_file(&tls->chain, options->tls_chain);
    if (rc == 0)
        rc = mbedtls_pk_parse_keyfile(&tls->key, options->tls_key, NULL);
    if (rc == 0)
        rc = tls_configure(tls);
    if (rc == 0)
        return 0;
    mbedtls_strerror(rc, text, sizeof text);
    fprintf(stderr, "tls_epoll: %s, %s: %s\n", options->tls_chain, options->tls_key, text);
    return -1;
}

static void server_close_connections(struct server *server)
{
    struct peer_conn *link = server->ring.next;

    while (link != &server->ring) {
        struct peer_conn *next = link->next;

        conn_destroy((struct conn *)link);
        link = next;
    }
}

static int server_serve(struct server *server, const struct peer_options *options)
{
    int rc;

    server->loop.on_listener = server_on_listener;
    server->loop.on_event = server_on_event;
    peer_ring_init(&server->ring);
    rc = peer_epoll_open(&server->loop, options);
    if (rc == 0)
        peer_epoll_run(&server->loop);
    server_close_connections(server);
    peer_epoll_close(&server->loop);
    return rc;
}

int main(int argc, char **argv)
{
    struct peer_options options;
    struct server *server;
    int rc;

    if (!peer_options_parse(argc, argv, NULL, &options))
        return 2;
    if (options.tls_key == NULL) {
        fprintf(stderr, "usage: %s --tls CERT KEY [--host H] [--port P]\n", argv[0]);
        return 2;
    }
    peer_process_init();
    server = calloc(1, sizeof *server);
    if (server == NULL)
        return 1;
    tls_init(&server->tls);
    rc = tls_open(&server->tls, &options);
    if (rc == 0)
        rc = server_serve(server, &options);
    tls_free(&server->tls);
    free(server);
    return rc == 0 ? 0 : 1;
}
