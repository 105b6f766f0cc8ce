/* SPDX-License-Identifier: MIT */
/*
 * tls_openssl.h - OpenSSL's programs as the peers of anyc: how they are started, a first
 * conversation with them, the records that they print by `-msg -msgfile /dev/stderr`.
 */
#ifndef ANYC_TESTS_BEHAVIOUR_TLS_OPENSSL_H
#define ANYC_TESTS_BEHAVIOUR_TLS_OPENSSL_H

#include <check.h>

#include <stdio.h>
#include <string.h>

#include "tls_program.h"
#include "tls_side.h"

/* -- s_client -- */

#define S_CLIENT "openssl s_client -connect 127.0.0.1:{port} -CAfile {tls}/ca.pem"

#define S_CLIENT_LOCALHOST \
    S_CLIENT " -verify_return_error -verify_hostname localhost -servername localhost"

/* It says hello, hears it and ends. */
static inline struct tls_program *s_client_hello(struct tls_server *server, const char *more)
{
    struct tls_program *client = tls_program_start(server->port, S_CLIENT_LOCALHOST, more);

    tls_program_write(client, "hello\n");
    tls_program_await(client, "\nhello\n");
    ck_assert_ends(client, 0);
    return client;
}

/* What anyc has seen of that. */
static inline void s_client_check(const struct tls_facts *facts)
{
    ck_assert_msg(facts->rc == 0, "%s", facts->message);
    ck_assert_int_eq(facts->end, ANYC_EOF);
    ck_assert_int_eq(facts->close, 0);
    ck_assert_uint_eq(facts->bytes, 6);
}

/* -- s_server -- */

#define S_SERVER_LOCALHOST "-cert {tls}/localhost.pem -key {tls}/localhost.key "
#define S_SERVER_RSA "-cert {tls}/localhost_rsa.pem -key {tls}/localhost_rsa.key "

/* It ends after its last connection. */
static inline struct tls_program *s_server(int connections, const char *more, int *out_port)
{
    char command[128];

    snprintf(command, sizeof command, "openssl s_server -accept 127.0.0.1:0 -naccept %d",
             connections);
    return tls_program_start_server(command, more, "ACCEPT 127.0.0.1:", out_port);
}

/* Both sides of an open connection hear each other; then anyc closes it. */
static inline void s_server_say_hello(struct tls_client *client, struct tls_program *server)
{
    tls_client_send(client, "hello\n");
    tls_program_await(server, "hello\n");
    tls_program_write(server, "answer\n");
    tls_client_receive(client, "answer\n");
    tls_client_close(client);
    ck_assert_int_eq(client->facts.close, 0);
}

/* One connection with a server of its own, which has ended then. */
static inline struct tls_program *s_server_hello(struct tls_client *client, const char *more)
{
    int port;
    struct tls_program *server = s_server(1, more, &port);

    tls_client_connect(client, port);
    s_server_say_hello(client, server);
    ck_assert_ends(server, 0);
    return server;
}

/* -- records -- */

enum { TLS_RECORD_ADDED = 8 + 16 }; /* bytes that AES-GCM adds to a record */

/* The records of data of one direction. */
struct tls_records {
    int count;
    unsigned largest; /* bytes, with what TLS adds */
};

/* Those that the program has received ("<<<") or sent (">>>"). */
static inline struct tls_records tls_records_of(const struct tls_program *program,
                                                const char *direction)
{
    struct tls_records records = {0, 0};
    const char *place = program->err.data;
    char start[64];

    snprintf(start, sizeof start, "%s TLS 1.2, RecordHeader [length 0005]\n", direction);
    while ((place = strstr(place, start)) != NULL) {
        unsigned bytes[5] = {0};
        unsigned len;

        place += strlen(start);
        ck_assert_int_eq(
            sscanf(place, "%x %x %x %x %x", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4]),
            5);
        len = bytes[3] << 8 | bytes[4];
        if (bytes[0] != 23) /* no data */
            continue;
        records.count++;
        records.largest = len > records.largest ? len : records.largest;
    }
    return records;
}

/* What it prints when the end of TLS is told: "<<<" to it, ">>>" by it. */
#define TLS_TELLS(direction) direction " TLS 1.2, Alert [length 0002], warning close_notify"

#endif
