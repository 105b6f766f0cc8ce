/* SPDX-License-Identifier: MIT */
/*
 * test_tls_s_server.c - anyc as the client of `openssl s_server`.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls_ciphers.h"
#include "tls_openssl.h"

ANYC_TEST(test_tls_s_server__echo)
{
    struct tls_client *client = tls_client_create(NULL);
    struct tls_program *server =
        s_server_hello(client, S_SERVER_LOCALHOST
                       "-servername x -cert2 {tls}/server_b.pem -key2 {tls}/server_b.key");

    ck_assert_said(server, "Hostname in TLS extension: \"localhost\"");
    ck_assert_said(server, "CIPHER is ECDHE-ECDSA-AES128-GCM-SHA256\n");
    ck_assert_said(server, "Secure Renegotiation IS supported");
    ck_assert_said(server, "CONNECTION CLOSED");
    ck_assert_str_eq(client->facts.version, "TLSv1.2");
    ck_assert_str_eq(client->facts.cipher, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    ck_assert_str_eq(client->facts.alpn, "-");
    ck_assert_str_eq(client->facts.peer, "CN=localhost");
    ck_assert(!client->facts.reused);
    tls_program_free(server);
    tls_client_destroy(client);
}

/* -- certificates of the server -- */

/* RSA, a key with a password, an intermediate CA, an address in place of a name. */
ANYC_TEST(test_tls_s_server__shows_its_certificate)
{
    static const struct {
        const char *more;
        const char *hostname;
    } cases[] = {
        {S_SERVER_RSA, "localhost"},
        {"-cert {tls}/localhost.pem -key {tls}/localhost_encrypted.key -pass pass:secret",
         "localhost"},
        {"-cert {tls}/chain_intermediate.pem -key {tls}/localhost.key -cert_chain "
         "{tls}/chain_intermediate.pem",
         "localhost"},
        {S_SERVER_LOCALHOST, "127.0.0.1"},
        {S_SERVER_LOCALHOST, "::1"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_client *client =
            tls_client_create(&(struct tls_client_options){.hostname = cases[i].hostname});

        tls_program_free(s_server_hello(client, cases[i].more));
        ck_assert_str_eq(client->facts.peer, "CN=localhost");
        tls_client_destroy(client);
    }
}

ANYC_TEST(test_tls_s_server__is_refused)
{
    static const struct {
        const char *certificate;
        const char *hostname;
        const char *message; /* of anyc */
        const char *words;   /* of the program */
    } cases[] = {
        {"expired", "localhost", "expired", "alert certificate expired"},
        {"unknown_ca", "localhost", "CA", "alert unknown ca"},
        {"self_signed", "localhost", "self-signed", "alert unknown ca"},
        {"chain_intermediate", "localhost", "CA", "alert unknown ca"}, /* sent without its CA */
        {"localhost", "other.example", "wrong host name", "alert bad certificate"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_client *client =
            tls_client_create(&(struct tls_client_options){.hostname = cases[i].hostname});
        struct tls_program *server;
        char more[128];
        int port;

        snprintf(more, sizeof more, "-cert {tls}/%s.pem -key {tls}/localhost.key",
                 cases[i].certificate);
        server = s_server(1, more, &port);
        ck_assert_int_eq(tls_client_try(client, port), ANYC_ETLS_CERTIFICATE);
        ck_assert_msg(strstr(client->facts.message, cases[i].message) != NULL, "%s",
                      client->facts.message);
        (void)tls_program_end(server);
        ck_assert_said(server, cases[i].words);
        tls_program_free(server);
        tls_client_destroy(client);
    }
}

ANYC_TEST(test_tls_s_server__chooses_its_certificate_by_name)
{
    static const char more[] = "-cert {tls}/server_a.pem -key {tls}/server_a.key "
                               "-servername b.example "
                               "-cert2 {tls}/server_b.pem -key2 {tls}/server_b.key";
    static const char *const names[] = {"a.example", "b.example"};

    for (int i = 0; i < 2; i++) {
        struct tls_client *client =
            tls_client_create(&(struct tls_client_options){.hostname = names[i]});
        struct tls_program *server = s_server_hello(client, more);
        char text[64];

        snprintf(text, sizeof text, "Hostname in TLS extension: \"%s\"", names[i]);
        ck_assert_said(server, text);
        snprintf(text, sizeof text, "CN=%s", names[i]);
        ck_assert_str_eq(client->facts.peer, text);
        tls_program_free(server);
        tls_client_destroy(client);
    }
}

/* -- ciphers, ALPN -- */

static void check_cipher(const struct tls_cipher *cipher)
{
    struct tls_client *client = tls_client_create(
        &(struct tls_client_options){.context = {.ciphers = tls_cipher_asked(cipher)}});
    struct tls_program *server;
    char text[256];

    snprintf(text, sizeof text, "%s-cipher %s",
             tls_cipher_is_rsa(cipher) ? S_SERVER_RSA : S_SERVER_LOCALHOST, cipher->openssl);
    server = s_server_hello(client, text);
    snprintf(text, sizeof text, "CIPHER is %s\n", cipher->openssl);
    ck_assert_said(server, text);
    ck_assert_str_eq(client->facts.cipher, cipher->iana);
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_s_server__ciphers)
{
    for (int i = 0; i < TLS_CIPHERS; i++)
        check_cipher(&tls_ciphers[i]);
}

/* What the program can do, and anyc would not. */
ANYC_TEST(test_tls_s_server__has_no_common_version_or_cipher)
{
    static const struct {
        const char *more;
        const char *alert;
        const char *words;
    } cases[] = {
        {S_SERVER_LOCALHOST "-tls1_3", "protocol version", "unsupported protocol"},
        {S_SERVER_LOCALHOST "-tls1_1 -cipher DEFAULT@SECLEVEL=0", "handshake failure",
         "no shared cipher"},
        {S_SERVER_LOCALHOST "-cipher ECDHE-ECDSA-AES128-SHA256", "handshake failure",
         "no shared cipher"},
        {S_SERVER_RSA "-cipher AES128-GCM-SHA256", "handshake failure", "no shared cipher"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_client *client = tls_client_create(NULL);
        int port;
        struct tls_program *server = s_server(1, cases[i].more, &port);

        ck_assert_int_eq(tls_client_try(client, port), ANYC_ETLS);
        ck_assert_msg(strstr(client->facts.message, cases[i].alert) != NULL, "%s",
                      client->facts.message);
        (void)tls_program_end(server);
        ck_assert_said(server, cases[i].words);
        tls_program_free(server);
        tls_client_destroy(client);
    }
}

static void check_alpn(const char *const *protocols, const char *more, const char *chosen)
{
    struct tls_client *client =
        tls_client_create(&(struct tls_client_options){.context = {.alpn_protocols = protocols}});
    struct tls_program *server = s_server_hello(client, more);
    char text[64];

    snprintf(text, sizeof text, "ALPN protocols selected: %s", chosen);
    ck_assert_int_eq(tls_program_count(server, text), strcmp(chosen, "-") != 0);
    ck_assert_str_eq(client->facts.alpn, chosen);
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_s_server__alpn)
{
    static const char *const protocols[] = {"h2", "http/1.1", NULL};

    check_alpn(protocols, S_SERVER_LOCALHOST "-alpn http/1.1,h2", "http/1.1");
    check_alpn(protocols, S_SERVER_LOCALHOST "-alpn x,h2", "h2");
    check_alpn(protocols, S_SERVER_LOCALHOST, "-");
    check_alpn(NULL, S_SERVER_LOCALHOST "-alpn h2", "-");
}

ANYC_TEST(test_tls_s_server__has_no_common_protocol)
{
    static const char *const protocols[] = {"h2", NULL};
    struct tls_client *client =
        tls_client_create(&(struct tls_client_options){.context = {.alpn_protocols = protocols}});
    int port;
    struct tls_program *server = s_server(1, S_SERVER_LOCALHOST "-alpn x", &port);

    ck_assert_int_eq(tls_client_try(client, port), ANYC_ETLS);
    ck_assert_uint_eq(client->facts.alert, 120); /* no_application_protocol */
    (void)tls_program_end(server);
    ck_assert_said(server, "ALPN protocols advertised by the client: h2");
    tls_program_free(server);
    tls_client_destroy(client);
}

/* -- client certificates -- */

#define ASKS S_SERVER_LOCALHOST "-CAfile {tls}/ca.pem -verify_return_error "

/* subject NULL: the program sees none. */
static void check_client_certificate(const anyc_tls_certificate *certificate, const char *more,
                                     const char *subject)
{
    struct tls_client *client = tls_client_create(&(struct tls_client_options){
        .context = {.certificates = certificate, .certificate_count = certificate != NULL}});
    struct tls_program *server = s_server_hello(client, more);

    if (subject != NULL)
        ck_assert_said(server, subject);
    else
        ck_assert_not_said(server, "Client certificate");
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_s_server__client_certificates)
{
    static const anyc_tls_certificate own = {TLS_CERTIFICATE("client.pem", "client.key")};

    check_client_certificate(&own, ASKS "-Verify 1", "subject=CN = client\n");
    check_client_certificate(&own, ASKS "-verify 1", "subject=CN = client\n");
    check_client_certificate(NULL, ASKS "-verify 1", NULL);
    check_client_certificate(&own, S_SERVER_LOCALHOST, NULL);
}

ANYC_TEST(test_tls_s_server__refuses_a_client)
{
    static const struct {
        anyc_tls_certificate own;
        size_t count;
        uint8_t alert;
    } cases[] = {
        {.count = 0, .alert = 40 /* handshake_failure */},
        {{TLS_CERTIFICATE("client_expired.pem", "client.key")}, 1, 45 /* certificate_expired */},
        {{TLS_CERTIFICATE("client_unknown.pem", "client.key")}, 1, 48 /* unknown_ca */},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_client *client = tls_client_create(&(struct tls_client_options){
            .context = {.certificates = &cases[i].own, .certificate_count = cases[i].count}});
        int port;
        struct tls_program *server = s_server(1, ASKS "-Verify 1", &port);

        ck_assert_int_eq(tls_client_try(client, port), ANYC_ETLS);
        ck_assert_msg(client->facts.alert == cases[i].alert, "%s", client->facts.message);
        (void)tls_program_end(server);
        tls_program_free(server);
        tls_client_destroy(client);
    }
}

/* -- sessions -- */

static void check_resumption(const struct tls_client_options *options, const char *more,
                             bool resumes)
{
    struct tls_client *client = tls_client_create(options);
    int port;
    struct tls_program *server = s_server(3, more, &port);

    for (int i = 0; i < 3; i++) {
        tls_client_connect(client, port);
        ck_assert_int_eq(client->facts.reused, i > 0 && resumes);
        s_server_say_hello(client, server);
    }
    ck_assert_ends(server, 0);
    ck_assert_int_eq(tls_program_count(server, "Reused session-id"), resumes ? 2 : 0);
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_s_server__resumes_by_ticket)
{
    check_resumption(NULL, S_SERVER_LOCALHOST "-no_cache", true);
}

ANYC_TEST(test_tls_s_server__resumes_by_session_id)
{
    check_resumption(NULL, S_SERVER_LOCALHOST "-no_ticket", true);
}

ANYC_TEST(test_tls_s_server__resumes_with_a_client_certificate)
{
    static const anyc_tls_certificate own = {TLS_CERTIFICATE("client.pem", "client.key")};
    const struct tls_client_options options = {
        .context = {.certificates = &own, .certificate_count = 1}};

    check_resumption(&options, ASKS "-Verify 1 -no_cache", true);
    check_resumption(&options, ASKS "-Verify 1 -no_ticket", true);
}

ANYC_TEST(test_tls_s_server__does_not_resume_if_that_is_off)
{
    const struct tls_client_options off = {.context = {.no_resumption = true}};

    check_resumption(NULL, S_SERVER_LOCALHOST "-no_ticket -no_cache", false);
    check_resumption(&off, S_SERVER_LOCALHOST, false);
}

/* The steps of a handshake run in the loop. */
ANYC_TEST(test_tls_s_server__without_workers)
{
    const struct tls_client_options options = {.context = {.workers = ANYC_TLS_WORKERS_OFF}};

    check_resumption(&options, S_SERVER_LOCALHOST "-no_cache", true);
    check_resumption(&options, S_SERVER_LOCALHOST "-no_ticket", true);
}
