/* SPDX-License-Identifier: MIT */
/*
 * test_tls_s_client.c - anyc as the server of `openssl s_client`.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "tls_ciphers.h"
#include "tls_openssl.h"

/* It is refused, and says so in these words. */
static void s_client_refused(struct tls_server *server, const char *more, const char *words)
{
    struct tls_program *client = tls_program_start(server->port, S_CLIENT_LOCALHOST, more);

    ck_assert_int_ne(tls_program_end(client), 0);
    ck_assert_said(client, words);
    tls_program_free(client);
}

ANYC_TEST(test_tls_s_client__echo)
{
    struct tls_server *server = tls_server_start(NULL);
    struct tls_program *client = s_client_hello(server, NULL);
    const struct tls_facts *facts = tls_server_facts(server, 0);

    ck_assert_said(client, "Verification: OK");
    ck_assert_said(client, "Verified peername: localhost");
    ck_assert_said(client, "New, TLSv1.2, Cipher is ECDHE-ECDSA-AES128-GCM-SHA256");
    ck_assert_said(client, "Secure Renegotiation IS supported");
    ck_assert_said(client, "Extended master secret: yes");
    ck_assert_said(client, "No ALPN negotiated");
    s_client_check(facts);
    ck_assert_str_eq(facts->version, "TLSv1.2");
    ck_assert_str_eq(facts->cipher, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    ck_assert_str_eq(facts->alpn, "-");
    ck_assert_str_eq(facts->peer, "-");
    ck_assert(!facts->reused);
    tls_program_free(client);
    tls_server_stop(server);
}

/* RSA, a key with a password, DER, an intermediate CA. */
ANYC_TEST(test_tls_s_client__sees_the_certificate)
{
    static const struct {
        anyc_tls_certificate certificate;
        const char *words;
    } cases[] = {
        {{TLS_CERTIFICATE("localhost.pem", "localhost.key")}, "signature type: ECDSA"},
        {{TLS_CERTIFICATE("localhost_rsa.pem", "localhost_rsa.key")}, "public key is 2048 bit"},
        {{TLS_CERTIFICATE("localhost.pem", "localhost_encrypted.key"), .password = "secret"},
         "public key is 256 bit"},
        {{TLS_CERTIFICATE("localhost.der", "localhost.key.der")}, "public key is 256 bit"},
        {{TLS_CERTIFICATE("chain_intermediate.pem", "localhost.key")},
         " 1 s:CN = anyc test intermediate CA"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_server *server = tls_server_start(&(struct tls_server_options){
            .context = {.certificates = &cases[i].certificate, .certificate_count = 1}});
        struct tls_program *client = s_client_hello(server, NULL);

        ck_assert_said(client, "Verification: OK");
        ck_assert_said(client, cases[i].words);
        s_client_check(tls_server_facts(server, 0));
        tls_program_free(client);
        tls_server_stop(server);
    }
}

static void check_cipher(const struct tls_cipher *cipher)
{
    const anyc_tls_certificate rsa = {TLS_CERTIFICATE("localhost_rsa.pem", "localhost_rsa.key")};
    struct tls_server *server = tls_server_start(
        &(struct tls_server_options){.context = {.ciphers = tls_cipher_asked(cipher),
                                                 .certificates = &rsa,
                                                 .certificate_count = tls_cipher_is_rsa(cipher)}});
    struct tls_program *client;
    char text[128];

    snprintf(text, sizeof text, "-cipher %s", cipher->openssl);
    client = s_client_hello(server, text);
    snprintf(text, sizeof text, "Protocol  : TLSv1.2\n    Cipher    : %s\n", cipher->openssl);
    ck_assert_said(client, text);
    s_client_check(tls_server_facts(server, 0));
    ck_assert_str_eq(tls_server_facts(server, 0)->cipher, cipher->iana);
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_s_client__ciphers)
{
    for (int i = 0; i < TLS_CIPHERS; i++)
        check_cipher(&tls_ciphers[i]);
}

ANYC_TEST(test_tls_s_client__cbc_is_refused_unless_asked_for)
{
    struct tls_server *server = tls_server_start(NULL);

    s_client_refused(server, "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256", "handshake failure");
    ck_assert_int_eq(tls_server_facts(server, 0)->rc, ANYC_ETLS);
    ck_assert_ptr_nonnull(strstr(tls_server_facts(server, 0)->message, "no common cipher"));
    tls_server_stop(server);
}

ANYC_TEST(test_tls_s_client__alpn)
{
    static const char *const protocols[] = {"h2", "http/1.1", NULL};
    struct tls_server *server =
        tls_server_start(&(struct tls_server_options){.context = {.alpn_protocols = protocols}});
    struct tls_program *client = s_client_hello(server, "-alpn http/1.1,h2");

    ck_assert_said(client, "ALPN protocol: h2"); /* the server's order counts */
    ck_assert_str_eq(tls_server_facts(server, 0)->alpn, "h2");
    tls_program_free(client);
    client = s_client_hello(server, "-alpn x,http/1.1");
    ck_assert_said(client, "ALPN protocol: http/1.1");
    ck_assert_str_eq(tls_server_facts(server, 1)->alpn, "http/1.1");
    tls_program_free(client);
    client = s_client_hello(server, NULL);
    ck_assert_said(client, "No ALPN negotiated");
    ck_assert_str_eq(tls_server_facts(server, 2)->alpn, "-");
    tls_program_free(client);
    s_client_refused(server, "-alpn x", "no application protocol");
    ck_assert_int_eq(tls_server_facts(server, 3)->rc, ANYC_ETLS);
    tls_server_stop(server);
}

/* -- client certificates -- */

#define CLIENT(certificate) "-cert {tls}/" certificate " -key {tls}/client.key"

static void check_client_certificate(anyc_tls_verify verify, const char *more, const char *peer)
{
    struct tls_server *server =
        tls_server_start(&(struct tls_server_options){.context = {.verify = verify}});
    struct tls_program *client = s_client_hello(server, more);

    s_client_check(tls_server_facts(server, 0));
    ck_assert_str_eq(tls_server_facts(server, 0)->peer, peer);
    if (verify == ANYC_TLS_VERIFY_NONE)
        ck_assert_said(client, "No client certificate CA names sent");
    else
        ck_assert_said(client, "Acceptable client certificate CA names\nCN = anyc test CA\n");
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_s_client__client_certificates)
{
    check_client_certificate(ANYC_TLS_VERIFY_NONE, CLIENT("client.pem"), "-");
    check_client_certificate(ANYC_TLS_VERIFY_OPTIONAL, NULL, "-");
    check_client_certificate(ANYC_TLS_VERIFY_OPTIONAL, CLIENT("client.pem"), "CN=client");
    check_client_certificate(ANYC_TLS_VERIFY_REQUIRED, CLIENT("client.pem"), "CN=client");
}

ANYC_TEST(test_tls_s_client__client_certificates_refused)
{
    static const struct {
        anyc_tls_verify verify;
        const char *more;
        const char *message; /* of anyc */
        const char *words;   /* of the program */
    } cases[] = {
        {ANYC_TLS_VERIFY_REQUIRED, NULL, "no certificate", "alert"},
        {ANYC_TLS_VERIFY_REQUIRED, CLIENT("client_expired.pem"), "expired", "certificate expired"},
        {ANYC_TLS_VERIFY_REQUIRED, CLIENT("client_unknown.pem"), "CA", "unknown ca"},
        {ANYC_TLS_VERIFY_OPTIONAL, CLIENT("client_expired.pem"), "expired", "alert"},
        {ANYC_TLS_VERIFY_OPTIONAL, CLIENT("client_unknown.pem"), "CA", "alert"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_server *server =
            tls_server_start(&(struct tls_server_options){.context = {.verify = cases[i].verify}});
        const struct tls_facts *facts;

        s_client_refused(server, cases[i].more, cases[i].words);
        facts = tls_server_facts(server, 0);
        ck_assert_int_eq(facts->rc, ANYC_ETLS_CERTIFICATE);
        ck_assert_msg(strstr(facts->message, cases[i].message) != NULL, "%s", facts->message);
        tls_server_stop(server);
    }
}

/* -- sessions -- */

/* s_client connects once, and then again five times; it says hello on the last of these, whose
 * handshake need not be the last to end. */
static void check_resumption(const struct tls_server_options *options, const char *more,
                             bool resumes)
{
    struct tls_server *server = tls_server_start(options);
    struct tls_program *client = s_client_hello(server, more);
    size_t bytes = 0;

    ck_assert_int_eq(tls_program_count(client, "Reused, TLSv1.2"), resumes ? 5 : 0);
    ck_assert_int_eq(tls_program_count(client, "New, TLSv1.2"), resumes ? 1 : 6);
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(tls_server_facts(server, i)->reused, i > 0 && resumes);
        bytes += tls_server_facts(server, i)->bytes;
    }
    ck_assert_uint_eq(bytes, 6);
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_s_client__resumes_by_ticket)
{
    check_resumption(NULL, "-reconnect", true);
}

ANYC_TEST(test_tls_s_client__resumes_by_session_id)
{
    check_resumption(NULL, "-no_ticket -reconnect", true);
}

ANYC_TEST(test_tls_s_client__does_not_resume_if_that_is_off)
{
    const struct tls_server_options options = {.context = {.no_resumption = true}};

    check_resumption(&options, "-reconnect", false);
    check_resumption(&options, "-no_ticket -reconnect", false);
}

/* The steps of a handshake run in the loop. */
ANYC_TEST(test_tls_s_client__without_workers)
{
    const struct tls_server_options options = {.context = {.workers = ANYC_TLS_WORKERS_OFF}};

    check_resumption(&options, "-reconnect", true);
    check_resumption(&options, "-no_ticket -reconnect", true);
}

/* The certificate that the client showed belongs to the session. */
ANYC_TEST(test_tls_s_client__resumes_with_its_certificate)
{
    static const char *const ways[] = {CLIENT("client.pem") " -reconnect",
                                       CLIENT("client.pem") " -reconnect -no_ticket"};

    for (int i = 0; i < 2; i++) {
        struct tls_server *server = tls_server_start(
            &(struct tls_server_options){.context = {.verify = ANYC_TLS_VERIFY_REQUIRED}});
        struct tls_program *client = s_client_hello(server, ways[i]);

        ck_assert_int_eq(tls_program_count(client, "Reused, TLSv1.2"), 5);
        ck_assert(tls_server_facts(server, 5)->reused);
        ck_assert_str_eq(tls_server_facts(server, 5)->peer, "CN=client");
        tls_program_free(client);
        tls_server_stop(server);
    }
}

/* -- several certificates -- */

#define SERVER_A TLS_CERTIFICATE("server_a.pem", "server_a.key")
#define SERVER_B TLS_CERTIFICATE("server_b.pem", "server_b.key")

static void check_name(struct tls_server *server, const char *more, const char *subject)
{
    struct tls_program *client = tls_program_start(server->port, S_CLIENT, more);

    tls_program_write(client, "hello\n");
    tls_program_await(client, "\nhello\n");
    ck_assert_ends(client, 0);
    ck_assert_said(client, subject);
    tls_program_free(client);
}

ANYC_TEST(test_tls_s_client__gets_the_certificate_of_the_name)
{
    static const anyc_tls_certificate both[] = {{SERVER_A}, {SERVER_B}};
    struct tls_server *server = tls_server_start(
        &(struct tls_server_options){.context = {.certificates = both, .certificate_count = 2}});

    check_name(server, "-servername a.example", "subject=CN = a.example\n");
    check_name(server, "-servername b.example", "subject=CN = b.example\n");
    check_name(server, "-servername B.Example", "subject=CN = b.example\n");
    check_name(server, "-servername c.example", "subject=CN = a.example\n");
    check_name(server, "-noservername", "subject=CN = a.example\n");
    tls_server_stop(server);
}

/* A connection that is open goes on; new ones see the new certificate. */
ANYC_TEST(test_tls_s_client__sees_replaced_certificates)
{
    static const anyc_tls_certificate other = {SERVER_B};
    struct tls_server *server = tls_server_start(NULL);
    struct tls_program *open = tls_program_start(server->port, S_CLIENT, NULL);

    tls_program_write(open, "before\n");
    tls_program_await(open, "\nbefore\n");
    ck_assert_int_eq(anyc_tls_context_replace_certificates(server->context, &other, 1), 0);
    check_name(server, "-servername localhost", "subject=CN = b.example\n");
    tls_program_write(open, "after\n");
    tls_program_await(open, "after\n");
    ck_assert_ends(open, 0);
    ck_assert_said(open, "subject=CN = localhost\n");
    tls_program_free(open);
    tls_server_stop(server);
}

/* Sessions outlive the certificate that they were begun with. */
ANYC_TEST(test_tls_s_client__resumes_after_certificates_were_replaced)
{
    static const anyc_tls_certificate other = {SERVER_B};
    struct tls_server *server = tls_server_start(NULL);
    char file[] = "/tmp/anyc-session-XXXXXX";
    int fd = mkstemp(file);
    char text[64];
    struct tls_program *client;

    ck_assert_int_ge(fd, 0);
    close(fd);
    snprintf(text, sizeof text, "-sess_out %s", file);
    tls_program_free(s_client_hello(server, text));
    ck_assert_int_eq(anyc_tls_context_replace_certificates(server->context, &other, 1), 0);
    snprintf(text, sizeof text, "-sess_in %s", file);
    client = s_client_hello(server, text);
    ck_assert_said(client, "Reused, TLSv1.2");
    ck_assert(tls_server_facts(server, 1)->reused);
    tls_program_free(client);
    tls_server_stop(server);
    unlink(file);
}

/* -- versions -- */

ANYC_TEST(test_tls_s_client__other_versions_are_refused)
{
    static const struct {
        const char *more;
        const char *words; /* of the program */
        const char *message;
        uint8_t alert;
    } cases[] = {
        {"-tls1_3", "alert handshake failure", "no common cipher", 40},
        {"-tls1_1 -cipher DEFAULT@SECLEVEL=0", "alert protocol version", "no common version", 70},
        {"-tls1 -cipher DEFAULT@SECLEVEL=0", "alert protocol version", "no common version", 70},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_server *server = tls_server_start(NULL);
        const struct tls_facts *facts;

        s_client_refused(server, cases[i].more, cases[i].words);
        facts = tls_server_facts(server, 0);
        ck_assert_int_eq(facts->rc, ANYC_ETLS);
        ck_assert_msg(strstr(facts->message, cases[i].message) != NULL, "%s", facts->message);
        ck_assert_uint_eq(facts->alert, cases[i].alert);
        tls_server_stop(server);
    }
}
