/* SPDX-License-Identifier: MIT */
/*
 * tls_side.h - anyc's side of a connection with a program that speaks TLS: a server, a client, and
 * what anyc knows of the connection.
 *
 * A test with a program as the client:
 *
 *     struct tls_server *server = tls_server_start(NULL);
 *
 *     ... run the program against server->port ...
 *     facts = tls_server_facts(server, 0);
 *     ck_assert_int_eq(facts->end, ANYC_EOF);
 *     tls_server_stop(server);
 *
 * One with a program as the server:
 *
 *     struct tls_client *client = tls_client_create(NULL);
 *
 *     tls_client_connect(client, port);
 *     tls_client_send(client, "hello\n");
 *     tls_client_receive(client, "hello\n");
 *     tls_client_close(client);
 *     tls_client_destroy(client);
 */
#ifndef ANYC_TESTS_BEHAVIOUR_TLS_SIDE_H
#define ANYC_TESTS_BEHAVIOUR_TLS_SIDE_H

#include <check.h>

#include <anyc/anyc.h>

#include "support/tls_files.h"

enum { TLS_CONNECTIONS = 8, TLS_TINY = 320, TLS_LARGE = 1024 * 1024 };

/* {TLS_CERTIFICATE("localhost.pem", "localhost.key")}: an anyc_tls_certificate. */
#define TLS_CERTIFICATE(certificate, key_file) \
    .chain.file = TLS_FILE(certificate), .key.file = TLS_FILE(key_file)

/* Digits in lines, so that no program takes a letter for a command: one character; so many of them,
 * to be freed. */
char tls_pattern_at(size_t i);
char *tls_pattern(size_t len);

/* What anyc knows of a connection. */
struct tls_facts {
    int rc;            /* of the handshake */
    char message[256]; /* of its failure, or of the one that ended the data; "": none */
    uint8_t alert;     /* likewise */
    char version[16];
    char cipher[64];  /* by IANA */
    char alpn[32];    /* "-": none */
    char peer[64];    /* subject of its certificate, "CN=client"; "-": none */
    char unique[128]; /* tls-unique, in hexadecimal digits */
    bool reused;
    size_t bytes;    /* received */
    int end;         /* what ended that: ANYC_EOF, ANYC_EBROKEN ... */
    int close;       /* what anyc_aclose answered */
    anyc_event over; /* nothing of it changes any more */
};

/* Ask an open stream. */
void tls_facts_ask(struct tls_facts *facts, anyc_byte_stream *stream);

/* What a server does on a connection before it closes it. */
typedef void (*tls_talk_fn)(anyc_byte_stream *stream, struct tls_facts *facts);

/* Send back whatever comes, until the end of it. */
void tls_talk_echo(anyc_byte_stream *stream, struct tls_facts *facts);

/* Send "hello\n", and no more. */
void tls_talk_hello(anyc_byte_stream *stream, struct tls_facts *facts);

/* Send TLS_TINY bytes of the pattern one by one, or TLS_LARGE bytes at once; then receive up to the
 * end. */
void tls_talk_tiny(anyc_byte_stream *stream, struct tls_facts *facts);
void tls_talk_large(anyc_byte_stream *stream, struct tls_facts *facts);

/* Answer one request of HTTP: by "hello\n", or the pattern if it is for "/large". */
void tls_talk_http(anyc_byte_stream *stream, struct tls_facts *facts);

/* All of it may be left out: localhost.pem, no client certificates, an echo. */
struct tls_server_options {
    anyc_tls_context_options context; /* without certificates: localhost.pem. TLS 1.2 at most.
                                       * If clients are verified: by ca.pem */
    tls_talk_fn talk;
    bool not_standard_compatible;
};

struct tls_server {
    int port; /* on 127.0.0.1 */
    anyc_tls_context *context;

    /* the rest is for tls_side.c */
    struct tls_facts facts[TLS_CONNECTIONS];
    int connections;
    tls_talk_fn talk;
    anyc_listener *listener;
    anyc_task_group group;
};

struct tls_server *tls_server_start(const struct tls_server_options *options);

/* Wait for the end of the server's connection of this number, from 0. */
const struct tls_facts *tls_server_facts(struct tls_server *server, int index);

void tls_server_stop(struct tls_server *server);

/* The same for all: trusts ca.pem, TLS 1.2 at most. */
struct tls_client_options {
    anyc_tls_context_options context;
    const char *hostname; /* NULL: localhost */
    bool not_standard_compatible;
};

struct tls_client {
    anyc_tls_context *context;
    struct tls_client_options options;
    anyc_byte_stream *stream; /* of the connection; NULL: none */
    struct tls_facts facts;   /* of the last connection */
};

struct tls_client *tls_client_create(const struct tls_client_options *options);

/* Connect to 127.0.0.1; answers facts.rc. */
int tls_client_try(struct tls_client *client, int port);

/* The same, and it must succeed. */
void tls_client_connect(struct tls_client *client, int port);

/* Send one text and receive another one. */
void tls_client_send(struct tls_client *client, const char *text);
void tls_client_receive(struct tls_client *client, const char *text);

/* Send `len` bytes of the pattern in pieces; receive as many; both at the same time. */
void tls_client_send_pattern(struct tls_client *client, size_t len, size_t piece);
void tls_client_receive_pattern(struct tls_client *client, size_t len);
void tls_client_echo_pattern(struct tls_client *client, size_t len, size_t piece);

/* Receive up to the end: facts.bytes, facts.end. */
void tls_client_receive_end(struct tls_client *client);

/* Close the connection: facts.close. */
void tls_client_close(struct tls_client *client);

void tls_client_destroy(struct tls_client *client);

#endif
