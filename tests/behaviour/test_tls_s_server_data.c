/* SPDX-License-Identifier: MIT */
/*
 * test_tls_s_server_data.c - anyc as the client of `openssl s_server`: records of all sizes, the end
 * of a connection, renegotiation.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls_openssl.h"

#define RECORDS S_SERVER_LOCALHOST "-msg -msgfile /dev/stderr"

/* Both send a pattern, one after the other; the server's ends with a line of its own. */
static void exchange_pattern(struct tls_client *client, struct tls_program *server, size_t len,
                             size_t piece)
{
    char *text = tls_pattern(len);

    tls_client_send_pattern(client, len, piece);
    tls_client_send(client, "the end\n");
    tls_program_await(server, "the end\n");
    ck_assert_said(server, text);
    tls_program_write(server, text);
    tls_client_receive_pattern(client, len);
    tls_client_close(client);
    ck_assert_int_eq(client->facts.close, 0);
    ck_assert_ends(server, 0);
    free(text);
}

static void check_records(size_t len, size_t piece, int count, unsigned largest)
{
    struct tls_client *client = tls_client_create(NULL);
    int port;
    struct tls_program *server = s_server(1, RECORDS, &port);
    struct tls_records in;

    tls_client_connect(client, port);
    exchange_pattern(client, server, len, piece);
    in = tls_records_of(server, "<<<");
    ck_assert_int_eq(in.count, count + 1);
    ck_assert_uint_eq(in.largest, largest + TLS_RECORD_ADDED);
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_s_server_data__large_records)
{
    check_records(TLS_LARGE, TLS_LARGE, TLS_LARGE / 16384, 16384);
}

ANYC_TEST(test_tls_s_server_data__tiny_records)
{
    check_records(TLS_TINY, 1, TLS_TINY, 8); /* the last one is "the end\n" */
}

/* -- the end -- */

ANYC_TEST(test_tls_s_server_data__is_told_the_end)
{
    struct tls_client *client = tls_client_create(NULL);
    struct tls_program *server = s_server_hello(client, RECORDS);

    ck_assert_said(server, TLS_TELLS("<<<"));
    ck_assert_said(server, TLS_TELLS(">>>"));
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_s_server_data__is_not_told_the_end)
{
    struct tls_client *client =
        tls_client_create(&(struct tls_client_options){.not_standard_compatible = true});
    int port;
    struct tls_program *server = s_server(1, RECORDS, &port);

    tls_client_connect(client, port);
    s_server_say_hello(client, server);
    (void)tls_program_end(server);
    ck_assert_said(server, "CONNECTION CLOSED");
    ck_assert_not_said(server, TLS_TELLS("<<<"));
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_s_server_data__tells_the_end)
{
    struct tls_client *client = tls_client_create(NULL);
    int port;
    struct tls_program *server = s_server(1, RECORDS " -www", &port);

    tls_client_connect(client, port);
    tls_client_send(client, "GET / HTTP/1.0\r\n\r\n");
    tls_client_receive(client, "HTTP/1.0 200 ok\r\n");
    tls_client_receive_end(client);
    ck_assert_int_eq(client->facts.end, ANYC_EOF);
    ck_assert_uint_gt(client->facts.bytes, 0);
    tls_client_close(client);
    ck_assert_int_eq(client->facts.close, 0);
    ck_assert_ends(server, 0);
    tls_program_free(server);
    tls_client_destroy(client);
}

/* A program that is killed does not tell the end. */
static void check_cut(bool not_standard_compatible, int end)
{
    struct tls_client *client = tls_client_create(
        &(struct tls_client_options){.not_standard_compatible = not_standard_compatible});
    int port;
    struct tls_program *server = s_server(1, S_SERVER_LOCALHOST, &port);

    tls_client_connect(client, port);
    tls_program_write(server, "answer\n");
    tls_client_receive(client, "answer\n");
    tls_program_stop(server);
    tls_client_receive_end(client);
    ck_assert_int_eq(client->facts.end, end);
    tls_client_close(client);
    ck_assert_int_eq(client->facts.close, 0);
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_s_server_data__goes_without_telling_the_end)
{
    check_cut(false, ANYC_EBROKEN);
    check_cut(true, ANYC_EOF);
}

/* OpenSSL ends a connection whose peer does not want to renegotiate. */
ANYC_TEST(test_tls_s_server_data__may_not_renegotiate)
{
    struct tls_client *client = tls_client_create(NULL);
    int port;
    struct tls_program *server = s_server(1, RECORDS, &port);

    tls_client_connect(client, port);
    tls_client_send(client, "hello\n");
    tls_program_await(server, "hello\n");
    tls_program_write(server, "R\n");
    tls_client_receive_end(client);
    ck_assert_uint_eq(client->facts.bytes, 0);
    tls_client_close(client);
    (void)tls_program_end(server);
    ck_assert_int_eq(client->facts.end, ANYC_ETLS);
    ck_assert_uint_ne(client->facts.alert, 0); /* its own choice */
    ck_assert_said(server, "<<< TLS 1.2, Alert [length 0002], warning no_renegotiation");
    tls_program_free(server);
    tls_client_destroy(client);
}
