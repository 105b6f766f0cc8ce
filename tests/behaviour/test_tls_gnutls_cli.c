/* SPDX-License-Identifier: MIT */
/*
 * test_tls_gnutls_cli.c - anyc as the server of `gnutls-cli`.
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

#define GNUTLS_CLI "gnutls-cli 127.0.0.1 -p {port} --x509cafile {tls}/ca.pem "
#define NAMED(name) GNUTLS_CLI "--sni-hostname " name " --verify-hostname " name

/* It says hello, hears it and ends. */
static struct tls_program *gnutls_hello(struct tls_server *server, const char *command,
                                        const char *more)
{
    struct tls_program *client = tls_program_start(server->port, command, more);

    tls_program_write(client, "hello\n");
    tls_program_await(client, "hello\n");
    ck_assert_ends(client, 0);
    ck_assert_said(client, "- Status: The certificate is trusted.");
    return client;
}

/* Its last connection went well. */
static void check_well(const struct tls_facts *facts)
{
    ck_assert_msg(facts->rc == 0, "%s", facts->message);
    ck_assert_int_eq(facts->end, ANYC_EOF);
    ck_assert_int_eq(facts->close, 0);
    ck_assert_uint_eq(facts->bytes, 6);
}

/* It is refused, and says so in these words. */
static void gnutls_refused(struct tls_server *server, const char *more, const char *words)
{
    struct tls_program *client = tls_program_start(server->port, NAMED("localhost"), more);

    ck_assert_int_ne(tls_program_end(client), 0);
    ck_assert_said(client, words);
    tls_program_free(client);
}

/* What it says of tls-unique is what anyc says. */
static void check_unique(const struct tls_program *client, const struct tls_facts *facts)
{
    char text[160];

    snprintf(text, sizeof text, "- 'tls-unique': %s\n", facts->unique);
    ck_assert_said(client, text);
}

ANYC_TEST(test_tls_gnutls_cli__echo)
{
    struct tls_server *server = tls_server_start(NULL);
    struct tls_program *client = gnutls_hello(server, NAMED("localhost"), "-V");
    const struct tls_facts *facts = tls_server_facts(server, 0);

    ck_assert_said(client, "(TLS1.2-X.509)-(ECDHE-X25519)-(ECDSA-SHA256)-(AES-128-GCM)");
    ck_assert_said(client, "- Options: extended master secret, safe renegotiation,");
    check_well(facts);
    check_unique(client, facts);
    ck_assert_str_eq(facts->cipher, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    ck_assert_str_eq(facts->alpn, "-");
    ck_assert_str_eq(facts->peer, "-");
    ck_assert(!facts->reused);
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_gnutls_cli__sees_the_certificate)
{
    static const struct {
        anyc_tls_certificate certificate;
        const char *words;
    } cases[] = {
        {{TLS_CERTIFICATE("localhost_rsa.pem", "localhost_rsa.key")}, "RSA key 2048 bits"},
        {{TLS_CERTIFICATE("localhost.pem", "localhost_encrypted.key"), .password = "secret"},
         "EC/ECDSA key 256 bits"},
        {{TLS_CERTIFICATE("chain_intermediate.pem", "localhost.key")},
         "- Got a certificate list of 2 certificates."},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_server *server = tls_server_start(&(struct tls_server_options){
            .context = {.certificates = &cases[i].certificate, .certificate_count = 1}});
        struct tls_program *client = gnutls_hello(server, NAMED("localhost"), NULL);

        ck_assert_said(client, cases[i].words);
        check_well(tls_server_facts(server, 0));
        tls_program_free(client);
        tls_server_stop(server);
    }
}

ANYC_TEST(test_tls_gnutls_cli__gets_the_certificate_of_the_name)
{
    static const anyc_tls_certificate both[] = {
        {TLS_CERTIFICATE("server_a.pem", "server_a.key")},
        {TLS_CERTIFICATE("server_b.pem", "server_b.key")},
    };
    struct tls_server *server = tls_server_start(
        &(struct tls_server_options){.context = {.certificates = both, .certificate_count = 2}});
    struct tls_program *client = gnutls_hello(server, NAMED("b.example"), NULL);

    ck_assert_said(client, "subject `CN=b.example'");
    tls_program_free(client);
    client = gnutls_hello(server, NAMED("a.example"), NULL);
    ck_assert_said(client, "subject `CN=a.example'");
    tls_program_free(client);
    tls_server_stop(server);
}

static void check_cipher(const struct tls_cipher *cipher)
{
    const anyc_tls_certificate rsa = {TLS_CERTIFICATE("localhost_rsa.pem", "localhost_rsa.key")};
    struct tls_server *server = tls_server_start(
        &(struct tls_server_options){.context = {.ciphers = tls_cipher_asked(cipher),
                                                 .certificates = &rsa,
                                                 .certificate_count = tls_cipher_is_rsa(cipher)}});
    struct tls_program *client;
    char text[256];

    tls_cipher_priority(cipher, text, sizeof text);
    client = gnutls_hello(server, NAMED("localhost"), text);
    snprintf(text, sizeof text, "-(%s)", cipher->gnutls[1]);
    ck_assert_said(client, text);
    check_well(tls_server_facts(server, 0));
    ck_assert_str_eq(tls_server_facts(server, 0)->cipher, cipher->iana);
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_gnutls_cli__ciphers)
{
    for (int i = 0; i < TLS_CIPHERS; i++)
        check_cipher(&tls_ciphers[i]);
}

ANYC_TEST(test_tls_gnutls_cli__alpn)
{
    static const char *const protocols[] = {"h2", "http/1.1", NULL};
    struct tls_server *server =
        tls_server_start(&(struct tls_server_options){.context = {.alpn_protocols = protocols}});
    struct tls_program *client =
        gnutls_hello(server, NAMED("localhost"), "--alpn x --alpn http/1.1 --alpn h2");

    ck_assert_said(client, "- Application protocol: h2");
    ck_assert_str_eq(tls_server_facts(server, 0)->alpn, "h2");
    tls_program_free(client);
    client = gnutls_hello(server, NAMED("localhost"), NULL);
    ck_assert_not_said(client, "- Application protocol");
    tls_program_free(client);
    gnutls_refused(server, "--alpn x", "No supported application protocol");
    ck_assert_int_eq(tls_server_facts(server, 2)->rc, ANYC_ETLS);
    tls_server_stop(server);
}

/* -- client certificates -- */

#define CLIENT(certificate) "--x509certfile {tls}/" certificate " --x509keyfile {tls}/client.key"

static void check_client_certificate(anyc_tls_verify verify, const char *more, const char *peer)
{
    struct tls_server *server =
        tls_server_start(&(struct tls_server_options){.context = {.verify = verify}});
    struct tls_program *client = gnutls_hello(server, NAMED("localhost"), more);

    check_well(tls_server_facts(server, 0));
    ck_assert_str_eq(tls_server_facts(server, 0)->peer, peer);
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_gnutls_cli__client_certificates)
{
    check_client_certificate(ANYC_TLS_VERIFY_NONE, CLIENT("client.pem"), "-");
    check_client_certificate(ANYC_TLS_VERIFY_OPTIONAL, NULL, "-");
    check_client_certificate(ANYC_TLS_VERIFY_OPTIONAL, CLIENT("client.pem"), "CN=client");
    check_client_certificate(ANYC_TLS_VERIFY_REQUIRED, CLIENT("client.pem"), "CN=client");
}

ANYC_TEST(test_tls_gnutls_cli__client_certificates_refused)
{
    static const char *const certificates[] = {NULL, CLIENT("client_expired.pem")};
    static const char *const words[] = {"no certificate", "expired"};

    for (int i = 0; i < 2; i++) {
        struct tls_server *server = tls_server_start(
            &(struct tls_server_options){.context = {.verify = ANYC_TLS_VERIFY_REQUIRED}});
        const struct tls_facts *facts;

        gnutls_refused(server, certificates[i], "A TLS fatal alert has been received");
        facts = tls_server_facts(server, 0);
        ck_assert_int_eq(facts->rc, ANYC_ETLS_CERTIFICATE);
        ck_assert_msg(strstr(facts->message, words[i]) != NULL, "%s", facts->message);
        tls_server_stop(server);
    }
}

/* -- sessions -- */

/* It connects twice. What anyc says of tls-unique is right for short handshakes too. */
static void check_resumption(const char *more)
{
    struct tls_server *server = tls_server_start(NULL);
    struct tls_program *client = gnutls_hello(server, NAMED("localhost"), more);

    ck_assert_int_eq(tls_program_count(client, "*** This is a resumed session"), 1);
    ck_assert(!tls_server_facts(server, 0)->reused);
    ck_assert(tls_server_facts(server, 1)->reused);
    check_well(tls_server_facts(server, 1));
    check_unique(client, tls_server_facts(server, 0));
    check_unique(client, tls_server_facts(server, 1));
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_gnutls_cli__resumes_by_ticket)
{
    check_resumption("-V -r");
}

ANYC_TEST(test_tls_gnutls_cli__resumes_by_session_id)
{
    check_resumption("-V -r --noticket");
}

/* -- data -- */

static void check_pattern(const char *more, tls_talk_fn talk, size_t len)
{
    struct tls_server *server = tls_server_start(&(struct tls_server_options){.talk = talk});
    struct tls_program *client = tls_program_start(server->port, NAMED("localhost"), more);
    char *text = tls_pattern(len);

    if (talk == tls_talk_echo) {
        tls_program_write(client, text);
        tls_program_write(client, "the end\n");
        tls_program_await(client, "the end\n");
    } else {
        tls_program_await(client, text);
    }
    ck_assert_ends(client, 0);
    ck_assert_said(client, text);
    ck_assert_int_eq(tls_server_facts(server, 0)->end, ANYC_EOF);
    ck_assert_uint_eq(tls_server_facts(server, 0)->bytes, talk == tls_talk_echo ? len + 8 : 0);
    free(text);
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_gnutls_cli__hears_large_records)
{
    check_pattern(NULL, tls_talk_large, TLS_LARGE);
}

ANYC_TEST(test_tls_gnutls_cli__hears_tiny_records)
{
    check_pattern(NULL, tls_talk_tiny, TLS_TINY);
}

ANYC_TEST(test_tls_gnutls_cli__sends_much)
{
    check_pattern(NULL, tls_talk_echo, TLS_LARGE);
}

/* It takes a larger record for an error. RFC 6066 section 4 */
ANYC_TEST(test_tls_gnutls_cli__limits_the_size_of_records)
{
    check_pattern("--recordsize 512", tls_talk_large, TLS_LARGE);
}

/* -- the end, versions, renegotiation -- */

/* It does not tell the end itself when it has been told it. */
static void check_end(bool not_standard_compatible, const char *words, bool well, int close)
{
    struct tls_server *server = tls_server_start(&(struct tls_server_options){
        .talk = tls_talk_hello, .not_standard_compatible = not_standard_compatible});
    struct tls_program *client = tls_program_start(server->port, NAMED("localhost"), NULL);

    tls_program_await(client, "\nhello\n");
    tls_program_await(client, words);
    ck_assert_int_eq(tls_program_end(client) == 0, well);
    ck_assert_int_eq(tls_server_facts(server, 0)->close, close);
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_gnutls_cli__is_told_the_end)
{
    check_end(false, "- Peer has closed the GnuTLS connection", true, ANYC_EBROKEN);
}

ANYC_TEST(test_tls_gnutls_cli__is_not_told_the_end)
{
    check_end(true, "The TLS connection was non-properly terminated.", false, 0);
}

ANYC_TEST(test_tls_gnutls_cli__is_too_new)
{
    struct tls_server *server = tls_server_start(NULL);

    gnutls_refused(server, "--priority NORMAL:-VERS-ALL:+VERS-TLS1.3",
                   "A TLS fatal alert has been received");
    ck_assert_int_eq(tls_server_facts(server, 0)->rc, ANYC_ETLS);
    ck_assert_ptr_nonnull(strstr(tls_server_facts(server, 0)->message, "no common"));
    tls_server_stop(server);
}

ANYC_TEST(test_tls_gnutls_cli__may_not_renegotiate)
{
    struct tls_server *server = tls_server_start(NULL);
    struct tls_program *client = tls_program_start(server->port, NAMED("localhost"), "-e");

    (void)tls_program_end(client);
    ck_assert_said(client, "*** Received alert [100]: No renegotiation is allowed");
    ck_assert_said(client, "*** ReHandshake has failed");
    ck_assert_int_eq(tls_server_facts(server, 0)->end, ANYC_ETLS);
    ck_assert_uint_ne(tls_server_facts(server, 0)->alert, 0); /* its own choice */
    tls_program_free(client);
    tls_server_stop(server);
}
