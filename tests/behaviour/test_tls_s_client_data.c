/* SPDX-License-Identifier: MIT */
/*
 * test_tls_s_client_data.c - anyc as the server of `openssl s_client`: records of all sizes, the end
 * of a connection, renegotiation.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls_openssl.h"

#define RECORDS "-quiet -no_ign_eof -msg -msgfile /dev/stderr"

/* The client hears all of the pattern and nothing else. */
static struct tls_program *s_client_hears(tls_talk_fn talk, size_t len)
{
    struct tls_server *server = tls_server_start(&(struct tls_server_options){.talk = talk});
    struct tls_program *client = tls_program_start(server->port, S_CLIENT_LOCALHOST, RECORDS);
    char *text = tls_pattern(len);

    tls_program_await_bytes(client, len);
    ck_assert_ends(client, 0);
    ck_assert_uint_eq(client->out.len, len);
    ck_assert_mem_eq(client->out.data, text, len);
    ck_assert_int_eq(tls_server_facts(server, 0)->end, ANYC_EOF);
    ck_assert_uint_eq(tls_server_facts(server, 0)->bytes, 0);
    free(text);
    tls_server_stop(server);
    return client;
}

ANYC_TEST(test_tls_s_client_data__hears_large_records)
{
    struct tls_program *client = s_client_hears(tls_talk_large, TLS_LARGE);
    struct tls_records in = tls_records_of(client, "<<<");

    ck_assert_int_eq(in.count, TLS_LARGE / 16384);
    ck_assert_uint_eq(in.largest, 16384 + TLS_RECORD_ADDED);
    tls_program_free(client);
}

ANYC_TEST(test_tls_s_client_data__hears_tiny_records)
{
    struct tls_program *client = s_client_hears(tls_talk_tiny, TLS_TINY);
    struct tls_records in = tls_records_of(client, "<<<");

    ck_assert_int_eq(in.count, TLS_TINY);
    ck_assert_uint_eq(in.largest, 1 + TLS_RECORD_ADDED);
    tls_program_free(client);
}

/* It sends a pattern and hears it back. */
static struct tls_program *s_client_echo(struct tls_server *server, const char *more, size_t len)
{
    struct tls_program *client = tls_program_start(server->port, S_CLIENT_LOCALHOST, more);
    char *text = tls_pattern(len);

    tls_program_write(client, text);
    tls_program_await_bytes(client, len);
    ck_assert_ends(client, 0);
    ck_assert_uint_eq(client->out.len, len);
    ck_assert_mem_eq(client->out.data, text, len);
    free(text);
    return client;
}

ANYC_TEST(test_tls_s_client_data__sends_much)
{
    struct tls_server *server = tls_server_start(NULL);
    struct tls_program *client = s_client_echo(server, "-quiet -no_ign_eof", TLS_LARGE);

    ck_assert_uint_eq(tls_server_facts(server, 0)->bytes, TLS_LARGE);
    ck_assert_int_eq(tls_server_facts(server, 0)->end, ANYC_EOF);
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_s_client_data__sends_small_records)
{
    struct tls_server *server = tls_server_start(NULL);
    struct tls_program *client = s_client_echo(server, RECORDS " -max_send_frag 512", 51200);

    ck_assert_uint_eq(tls_server_facts(server, 0)->bytes, 51200);
    ck_assert_int_ge(tls_records_of(client, ">>>").count, 100);
    ck_assert_uint_eq(tls_records_of(client, ">>>").largest, 512 + TLS_RECORD_ADDED);
    tls_program_free(client);
    tls_server_stop(server);
}

/* RFC 6066 section 4 */
ANYC_TEST(test_tls_s_client_data__limits_the_size_of_records)
{
    static const unsigned sizes[] = {512, 1024, 2048, 4096};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct tls_server *server = tls_server_start(NULL);
        struct tls_program *client;
        char text[128];

        snprintf(text, sizeof text, RECORDS " -maxfraglen %u", sizes[i]);
        client = s_client_echo(server, text, 20000);
        ck_assert_uint_eq(tls_records_of(client, "<<<").largest, sizes[i] + TLS_RECORD_ADDED);
        ck_assert_uint_eq(tls_records_of(client, ">>>").largest, sizes[i] + TLS_RECORD_ADDED);
        tls_program_free(client);
        tls_server_stop(server);
    }
}

/* -- the end -- */

ANYC_TEST(test_tls_s_client_data__is_told_the_end)
{
    struct tls_server *server =
        tls_server_start(&(struct tls_server_options){.talk = tls_talk_hello});
    struct tls_program *client = tls_program_start(server->port, S_CLIENT_LOCALHOST, "-quiet -msg");

    tls_program_await(client, TLS_TELLS("<<<"));
    ck_assert_ends(client, 0);
    ck_assert_said(client, "hello\n");
    ck_assert_said(client, TLS_TELLS(">>>"));
    ck_assert_int_eq(tls_server_facts(server, 0)->close, 0);
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_s_client_data__is_not_told_the_end)
{
    struct tls_server *server = tls_server_start(
        &(struct tls_server_options){.talk = tls_talk_hello, .not_standard_compatible = true});
    struct tls_program *client = tls_program_start(server->port, S_CLIENT_LOCALHOST, "-quiet -msg");

    tls_program_await(client, "unexpected eof while reading");
    ck_assert_int_ne(tls_program_end(client), 0);
    ck_assert_said(client, "hello\n");
    ck_assert_not_said(client, "close_notify");
    ck_assert_int_eq(tls_server_facts(server, 0)->close, 0);
    tls_program_free(client);
    tls_server_stop(server);
}

/* A program that is killed does not tell the end. */
static void check_cut(bool not_standard_compatible, int end)
{
    struct tls_server *server = tls_server_start(
        &(struct tls_server_options){.not_standard_compatible = not_standard_compatible});
    struct tls_program *client = tls_program_start(server->port, S_CLIENT_LOCALHOST, NULL);

    tls_program_write(client, "hello\n");
    tls_program_await(client, "\nhello\n");
    tls_program_stop(client);
    ck_assert_uint_eq(tls_server_facts(server, 0)->bytes, 6);
    ck_assert_int_eq(tls_server_facts(server, 0)->end, end);
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_s_client_data__goes_without_telling_the_end)
{
    check_cut(false, ANYC_EBROKEN);
    check_cut(true, ANYC_EOF);
}

/* It takes the refusal for a failure, and ends; others are still served. */
ANYC_TEST(test_tls_s_client_data__may_not_renegotiate)
{
    struct tls_server *server = tls_server_start(NULL);
    struct tls_program *client = tls_program_start(server->port, S_CLIENT_LOCALHOST, "-msg");

    tls_program_write(client, "hello\n");
    tls_program_await(client, "\nhello\n");
    tls_program_write(client, "R\n");
    tls_program_await(client, "no_renegotiation");
    ck_assert_int_ne(tls_program_end(client), 0);
    ck_assert_said(client, "RENEGOTIATING");
    ck_assert_int_eq(tls_server_facts(server, 0)->end, ANYC_ETLS);
    ck_assert_uint_ne(tls_server_facts(server, 0)->alert, 0); /* its own choice */
    ck_assert_uint_eq(tls_server_facts(server, 0)->bytes, 6);
    tls_program_free(client);
    tls_program_free(s_client_hello(server, NULL));
    s_client_check(tls_server_facts(server, 1));
    tls_server_stop(server);
}
