/* SPDX-License-Identifier: MIT */
/*
 * test_tls_curl.c - anyc as the server of curl.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls_ciphers.h"
#include "tls_program.h"
#include "tls_side.h"

#define CURL "curl -q -sS -v --noproxy * --cacert {tls}/ca.pem "
#define RESOLVE(name) "--resolve " name ":{port}:127.0.0.1 "
#define URL(name) "https://" name ":{port}/ "

static const char curl[] = CURL RESOLVE("localhost") URL("localhost");

static struct tls_server *server_start(anyc_tls_context_options options)
{
    return tls_server_start(
        &(struct tls_server_options){.context = options, .talk = tls_talk_http});
}

/* It gets the answer, one or several times. */
static struct tls_program *curl_gets(struct tls_server *server, const char *command,
                                     const char *more)
{
    struct tls_program *client = tls_program_start(server->port, command, more);

    ck_assert_ends(client, 0);
    ck_assert_int_eq(strncmp(client->out.data, "hello\n", 6), 0);
    ck_assert_said(client, "verify ok.");
    return client;
}

static void curl_fails(struct tls_server *server, const char *more, int code)
{
    struct tls_program *client = tls_program_start(server->port, curl, more);

    ck_assert_ends(client, code);
    tls_program_free(client);
}

static void check_well(const struct tls_facts *facts)
{
    ck_assert_msg(facts->rc == 0, "%s", facts->message);
    ck_assert_int_eq(facts->end, 0);
    ck_assert_int_eq(facts->close, 0);
}

ANYC_TEST(test_tls_curl__gets)
{
    static const char *const protocols[] = {"http/1.1", NULL};
    struct tls_server *server =
        server_start((anyc_tls_context_options){.alpn_protocols = protocols});
    struct tls_program *client = curl_gets(server, curl, NULL);

    ck_assert_said(client, "TLSv1.2 / ECDHE-ECDSA-AES128-GCM-SHA256");
    ck_assert_said(client, "server accepted http/1.1");
    ck_assert_said(client, "subject: CN=localhost");
    check_well(tls_server_facts(server, 0));
    ck_assert_str_eq(tls_server_facts(server, 0)->alpn, "http/1.1");
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_curl__has_no_common_protocol)
{
    static const char *const protocols[] = {"x", NULL};
    struct tls_server *server =
        server_start((anyc_tls_context_options){.alpn_protocols = protocols});

    curl_fails(server, NULL, 35);
    ck_assert_int_eq(tls_server_facts(server, 0)->rc, ANYC_ETLS);
    ck_assert_uint_eq(tls_server_facts(server, 0)->alert, 120); /* no_application_protocol */
    tls_server_stop(server);
}

ANYC_TEST(test_tls_curl__gets_the_certificate_of_the_name)
{
    static const anyc_tls_certificate certificates[] = {
        {TLS_CERTIFICATE("server_a.pem", "server_a.key")},
        {TLS_CERTIFICATE("server_b.pem", "server_b.key")},
        {TLS_CERTIFICATE("chain_intermediate.pem", "localhost.key")},
    };
    static const char *const urls[] = {
        RESOLVE("a.example") URL("a.example"),
        RESOLVE("b.example") URL("b.example"),
        RESOLVE("localhost") URL("localhost"),
    };
    static const char *const words[] = {"CN=a.example", "CN=b.example",
                                        "CN=anyc test intermediate CA"};
    struct tls_server *server = server_start(
        (anyc_tls_context_options){.certificates = certificates, .certificate_count = 3});

    for (int i = 0; i < 3; i++) {
        struct tls_program *client = curl_gets(server, CURL, urls[i]);

        ck_assert_said(client, words[i]);
        tls_program_free(client);
    }
    tls_server_stop(server);
}

/* An address in place of a name. */
ANYC_TEST(test_tls_curl__gets_from_an_address)
{
    struct tls_server *server = server_start((anyc_tls_context_options){0});

    tls_program_free(curl_gets(server, CURL, URL("127.0.0.1")));
    check_well(tls_server_facts(server, 0));
    tls_server_stop(server);
}

ANYC_TEST(test_tls_curl__refuses_the_certificate)
{
    static const anyc_tls_certificate certificates[] = {
        {TLS_CERTIFICATE("expired.pem", "localhost.key")},
        {TLS_CERTIFICATE("unknown_ca.pem", "localhost.key")},
    };
    static const uint8_t alerts[] = {45 /* certificate_expired */, 48 /* unknown_ca */};

    for (int i = 0; i < 2; i++) {
        struct tls_server *server = server_start(
            (anyc_tls_context_options){.certificates = &certificates[i], .certificate_count = 1});

        curl_fails(server, NULL, 60);
        ck_assert_int_eq(tls_server_facts(server, 0)->rc, ANYC_ETLS);
        ck_assert_uint_eq(tls_server_facts(server, 0)->alert, alerts[i]);
        tls_server_stop(server);
    }
}

static void check_cipher(const struct tls_cipher *cipher)
{
    const anyc_tls_certificate rsa = {TLS_CERTIFICATE("localhost_rsa.pem", "localhost_rsa.key")};
    struct tls_server *server =
        server_start((anyc_tls_context_options){.ciphers = tls_cipher_asked(cipher),
                                                .certificates = &rsa,
                                                .certificate_count = tls_cipher_is_rsa(cipher)});
    struct tls_program *client;
    char text[128];

    snprintf(text, sizeof text, "--ciphers %s", cipher->openssl);
    client = curl_gets(server, curl, text);
    snprintf(text, sizeof text, "TLSv1.2 / %s\n", cipher->openssl);
    ck_assert_said(client, text);
    check_well(tls_server_facts(server, 0));
    ck_assert_str_eq(tls_server_facts(server, 0)->cipher, cipher->iana);
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_curl__ciphers)
{
    for (int i = 0; i < TLS_CIPHERS; i++)
        check_cipher(&tls_ciphers[i]);
}

ANYC_TEST(test_tls_curl__is_too_new)
{
    struct tls_server *server = server_start((anyc_tls_context_options){0});

    curl_fails(server, "--tlsv1.3", 35);
    ck_assert_int_eq(tls_server_facts(server, 0)->rc, ANYC_ETLS);
    ck_assert_ptr_nonnull(strstr(tls_server_facts(server, 0)->message, "no common"));
    tls_server_stop(server);
}

ANYC_TEST(test_tls_curl__client_certificates)
{
    static const char own[] = "--cert {tls}/client.pem --key {tls}/client.key";
    struct tls_server *server =
        server_start((anyc_tls_context_options){.verify = ANYC_TLS_VERIFY_REQUIRED});

    tls_program_free(curl_gets(server, curl, own));
    ck_assert_str_eq(tls_server_facts(server, 0)->peer, "CN=client");
    curl_fails(server, NULL, 35);
    ck_assert_int_eq(tls_server_facts(server, 1)->rc, ANYC_ETLS_CERTIFICATE);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_curl__optional_client_certificates)
{
    static const char own[] = "--cert {tls}/client.pem --key {tls}/client.key";
    struct tls_server *server =
        server_start((anyc_tls_context_options){.verify = ANYC_TLS_VERIFY_OPTIONAL});

    tls_program_free(curl_gets(server, curl, own));
    tls_program_free(curl_gets(server, curl, NULL));
    ck_assert_str_eq(tls_server_facts(server, 0)->peer, "CN=client");
    ck_assert_str_eq(tls_server_facts(server, 1)->peer, "-");
    tls_server_stop(server);
}

ANYC_TEST(test_tls_curl__resumes)
{
    struct tls_server *server = server_start((anyc_tls_context_options){0});
    struct tls_program *client = curl_gets(server, curl, URL("localhost") URL("localhost"));

    ck_assert_str_eq(client->out.data, "hello\nhello\nhello\n");
    ck_assert_int_eq(tls_program_count(client, "using session ID"), 2);
    for (int i = 0; i < 3; i++) {
        check_well(tls_server_facts(server, i));
        ck_assert_int_eq(tls_server_facts(server, i)->reused, i > 0);
    }
    tls_program_free(client);
    tls_server_stop(server);
}

/* -- data, and its end -- */

ANYC_TEST(test_tls_curl__gets_much)
{
    struct tls_server *server = server_start((anyc_tls_context_options){0});
    struct tls_program *client = tls_program_start(server->port, CURL RESOLVE("localhost"),
                                                   "https://localhost:{port}/large");
    char *text = tls_pattern(TLS_LARGE);

    ck_assert_ends(client, 0);
    ck_assert_uint_eq(client->out.len, TLS_LARGE);
    ck_assert_mem_eq(client->out.data, text, TLS_LARGE);
    check_well(tls_server_facts(server, 0));
    free(text);
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_curl__posts_much)
{
    struct tls_server *server = server_start((anyc_tls_context_options){0});
    struct tls_program *client =
        tls_program_start(server->port, curl, "-H Expect: --data-binary @-");
    char *text = tls_pattern(TLS_LARGE);

    tls_program_write(client, text);
    ck_assert_ends(client, 0);
    ck_assert_str_eq(client->out.data, "hello\n");
    check_well(tls_server_facts(server, 0));
    free(text);
    tls_program_free(client);
    tls_server_stop(server);
}

/* It accepts that the end is not told. */
static void check_end(bool not_standard_compatible)
{
    struct tls_server *server = tls_server_start(&(struct tls_server_options){
        .talk = tls_talk_http, .not_standard_compatible = not_standard_compatible});
    struct tls_program *client = curl_gets(server, curl, NULL);

    ck_assert_int_eq(tls_program_count(client, "(IN), TLS alert, close notify"),
                     !not_standard_compatible);
    check_well(tls_server_facts(server, 0));
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_curl__is_told_the_end)
{
    check_end(false);
}

ANYC_TEST(test_tls_curl__is_not_told_the_end)
{
    check_end(true);
}
