/* SPDX-License-Identifier: MIT */
/*
 * tls_peer.h - a blocking TLS server or client of mbedTLS on plain POSIX sockets, in a thread: the
 * foreign other side of a TLS stream under test.
 *
 *     static int greet(struct tls_peer *peer, void *arg)
 *     {
 *         int rc = tls_peer_write(peer, "hello", 5);
 *
 *         (void)arg;
 *         return rc != 0 ? rc : tls_peer_close_notify(peer);
 *     }
 *
 *     struct tls_peer peer;
 *
 *     tls_peer_server_start(&peer, AF_INET,
 *         &(struct tls_peer_options){.certificate = TLS_FILE("localhost.pem"),
 *                                    .key = TLS_FILE("localhost.key")}, greet, NULL);
 *     ... connect to peer.port ...
 *     tls_peer_join_ok(&peer);
 *
 * Each operation of a socket takes 10 seconds at most, so that a test that goes wrong fails instead
 * of hanging. The thread asserts nothing; it leaves codes that the test looks at after the join.
 * A program that uses this names anyc_tls_peer among its LIBRARIES.
 */
#ifndef ANYC_TESTS_SUPPORT_TLS_PEER_H
#define ANYC_TESTS_SUPPORT_TLS_PEER_H

#include <mbedtls/ssl.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>

struct tls_peer;

/* What the peer does on a connection: 0, or a code for the test, of mbedTLS or the test's own. Runs
 * in the peer's thread, and so may not use Check. */
typedef int (*tls_peer_script)(struct tls_peer *peer, void *arg);

/* All strings and lists are borrowed until the join; all may be left out. */
struct tls_peer_options {
    const char *certificate; /* file: the own certificate, then the rest of its chain */
    const char *key;         /* file: its key */
    const char *ca;          /* file: who is trusted; NULL: a client takes any certificate */
    const char *hostname;    /* client: the server's name, to be sent and to be found in its
                                certificate; NULL: neither */
    const char *const *alpn; /* ends with NULL */
    const int *ciphersuites; /* MBEDTLS_TLS_..., ends with 0; NULL: mbedTLS's */
    int min_version;         /* ANYC_TLS_..., or 0x0301 and 0x0302, which 3.0 and newer do not
                                have; 0: mbedTLS's oldest */
    int max_version;         /* likewise; 0: its newest */

    /* server: ask for a certificate. With `ca` there must be one of it, without any or none do. */
    bool want_client_certificate;
    bool tickets;       /* give, or ask for, session tickets */
    bool cache;         /* server: remember sessions by their ids */
    bool renegotiation; /* allow mbedtls_ssl_renegotiate(peer->ssl); TLS 1.2 at most */

    /* client: the session to go on with if this holds one; then the new session is put there, with
     * TLS 1.3 each time a ticket is read. The test calls mbedtls_ssl_session_init() before and
     * mbedtls_ssl_session_free() after. */
    mbedtls_ssl_session *session;

    int connections;        /* server: how many to take, each once the one before has ended; 0: 1 */
    size_t cut_after;       /* end each connection once so many bytes have been sent; 0: never */
    tls_peer_script before; /* on the plain connection; unless it returns 0, no handshake follows */
};

/* A peer. What it left may be read after the join, and in the script. */
struct tls_peer {
    int port;                 /* server: where it listens; from the start on */
    int handshake;            /* 0, or what went wrong first: files, connection, handshake */
    int result;               /* 0, or what a script returned first */
    int handshakes;           /* how many were complete */
    int resumed;              /* how many of them went on with an older session */
    int alert;                /* MBEDTLS_SSL_ALERT_MSG_...: the fatal one received; -1: none */
    bool close_notify_seen;   /* on the last connection */
    size_t bytes_sent;        /* on the last connection, as they went over the socket */
    uint32_t verify_flags;    /* of the last handshake: MBEDTLS_X509_BADCERT_...  */
    const char *alpn;         /* of the last handshake; NULL: none. Points into the options */
    const char *version;      /* of the last handshake: "TLSv1.2" */
    const char *ciphersuite;  /* of the last handshake: "TLS-ECDHE-..." */
    char other_name[64];      /* of the last handshake, as "CN=localhost"; "": no certificate */
    char requested_name[256]; /* server: the name that the last client sent (SNI); "": none */
    mbedtls_ssl_context *ssl; /* in scripts, for what has no function here */

    /* The rest is for tls_peer.c. */
    struct tls_peer_options options;
    tls_peer_script script;
    void *arg;
    int endpoint; /* MBEDTLS_SSL_IS_SERVER or _CLIENT */
    int listener; /* -1: a peer of one connection that was there from the start */
    int fd;       /* the connection; -1: none */
    pthread_t thread;
    atomic_bool joining; /* the test waits for the end */
};

/* Start a server on a free port of the family's loopback address. Without a script it closes in the
 * orderly way after the handshake. */
void tls_peer_server_start(struct tls_peer *peer, int family,
                           const struct tls_peer_options *options, tls_peer_script script,
                           void *arg);

/* Start a server on a connected blocking socket, which it closes. */
void tls_peer_server_start_fd(struct tls_peer *peer, int fd, const struct tls_peer_options *options,
                              tls_peer_script script, void *arg);

/* Start a client on a connected blocking socket, say of peer_connect(); it closes it. */
void tls_peer_client_start(struct tls_peer *peer, int fd, const struct tls_peer_options *options,
                           tls_peer_script script, void *arg);

/* Wait for the end. A peer that has done its part ends its data and reads on until the other side
 * closes, so that nothing it sent is lost to a reset; from this call on it does so only as long as
 * something comes. */
void tls_peer_join(struct tls_peer *peer);

/* The same, for a peer to whom nothing may have gone wrong. */
void tls_peer_join_ok(struct tls_peer *peer);

/* Can this build's peers do a version of TLS? */
bool tls_peer_can(int version);

/* For scripts: each answers 0 or a code of mbedTLS, unless it says otherwise. */

/* Receive at least one byte: answers how many, or MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY for the orderly
 * end, or MBEDTLS_ERR_SSL_CONN_EOF for the other one, or another code. */
int tls_peer_read(struct tls_peer *peer, void *buf, size_t len);

/* Receive exactly so many. */
int tls_peer_read_all(struct tls_peer *peer, void *buf, size_t len);

/* Send all of it, in records as large as may be. */
int tls_peer_write(struct tls_peer *peer, const void *data, size_t len);

/* Send the close notification. Writing goes on to work: for peers that break the rules. */
int tls_peer_send_close_notify(struct tls_peer *peer);

/* Wait for the other side's; MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE: data came instead. */
int tls_peer_wait_close_notify(struct tls_peer *peer);

/* The closing handshake: both of them, the own one first. */
int tls_peer_close_notify(struct tls_peer *peer);

/* Send and receive without TLS, all of it. */
int tls_peer_raw_write(struct tls_peer *peer, const void *data, size_t len);
int tls_peer_raw_read(struct tls_peer *peer, void *buf, size_t len);

/* The connection's socket. */
int tls_peer_fd(const struct tls_peer *peer);

/* Close the connection with a reset; the script ends after this. */
void tls_peer_reset(struct tls_peer *peer);

/* A script: send back what comes until the other side closes, then close too. */
int tls_peer_echo(struct tls_peer *peer, void *arg);

#endif
