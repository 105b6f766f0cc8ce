/* SPDX-License-Identifier: MIT */
/*
 * tls_script_server.c - anyc as the client of a peer of tls_peers/.
 */
#include "tls_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls_ciphers.h"

/* An echo of 6 bytes, and the end of the connection. */
static void say_hello(struct tls_client *client)
{
    tls_client_send(client, "hello\n");
    tls_client_receive(client, "hello\n");
    tls_client_close(client);
    ck_assert_int_eq(client->facts.close, 0);
}

/* The same with a server of its own, which has ended then; it has seen `peer`. */
static void server_echo(enum tls_language language, struct tls_client *client, const char *more,
                        const char *peer)
{
    const char *hostname = client->options.hostname;
    int port;
    struct tls_program *server = tls_script_server(language, more, &port);

    tls_client_connect(client, port);
    say_hello(client);
    ck_assert_ends(server, 0);
    ck_assert_said(server, "data 6\nend notify\nclosed notify\n");
    tls_script_check(language, server, &client->facts,
                     strcmp(hostname, "127.0.0.1") == 0 ? "-" : hostname, peer);
    tls_program_free(server);
}

void tls_script_server_echoes(enum tls_language language)
{
    struct tls_client *client = tls_client_create(NULL);

    server_echo(language, client, NULL, "-");
    ck_assert_str_eq(client->facts.version, "TLSv1.2");
    ck_assert_str_eq(client->facts.alpn, "-");
    ck_assert_str_eq(client->facts.peer, "CN=localhost");
    ck_assert(!client->facts.reused);
    tls_client_destroy(client);
}

/* RSA, an intermediate CA, an address in place of a name. */
void tls_script_server_shows_its_certificate(enum tls_language language)
{
    static const struct {
        const char *more;
        const char *hostname;
    } cases[] = {
        {"cert={tls}/localhost_rsa.pem key={tls}/localhost_rsa.key", "localhost"},
        {"cert={tls}/chain_intermediate.pem", "localhost"},
        {NULL, "127.0.0.1"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_client *client =
            tls_client_create(&(struct tls_client_options){.hostname = cases[i].hostname});

        server_echo(language, client, cases[i].more, "-");
        ck_assert_str_eq(client->facts.peer, "CN=localhost");
        tls_client_destroy(client);
    }
}

void tls_script_server_chooses_by_name(enum tls_language language)
{
    static const char *const names[] = {"a.example", "b.example"};
    static const char *const peers[] = {"CN=a.example", "CN=b.example"};

    for (int i = 0; i < 2; i++) {
        struct tls_client *client =
            tls_client_create(&(struct tls_client_options){.hostname = names[i]});

        server_echo(language, client,
                    "cert={tls}/server_a.pem key={tls}/server_a.key "
                    "sni=b.example:{tls}/server_b.pem:{tls}/server_b.key",
                    "-");
        ck_assert_str_eq(client->facts.peer, peers[i]);
        tls_client_destroy(client);
    }
}

static void check_cipher(enum tls_language language, const struct tls_cipher *cipher)
{
    struct tls_client *client = tls_client_create(
        &(struct tls_client_options){.context = {.ciphers = tls_cipher_asked(cipher)}});
    char text[256];

    snprintf(text, sizeof text, "%s cipher=%s",
             tls_cipher_is_rsa(cipher) ? "cert={tls}/localhost_rsa.pem key={tls}/localhost_rsa.key"
                                       : "max=1.2",
             language == TLS_PYTHON ? cipher->openssl : cipher->iana);
    server_echo(language, client, text, "-");
    ck_assert_str_eq(client->facts.cipher, cipher->iana);
    tls_client_destroy(client);
}

/* Python's servers have no parameters for DHE. */
void tls_script_server_ciphers(enum tls_language language)
{
    for (int i = 0; i < TLS_CIPHERS; i++) {
        if (tls_script_can(TLS_GO, &tls_ciphers[i]))
            check_cipher(language, &tls_ciphers[i]);
    }
}

void tls_script_server_alpn(enum tls_language language)
{
    static const char *const protocols[] = {"h2", "http/1.1", NULL};
    static const char *const more[] = {"alpn=x,h2", NULL};
    static const char *const chosen[] = {"h2", "-"};

    for (int i = 0; i < 2; i++) {
        struct tls_client *client = tls_client_create(
            &(struct tls_client_options){.context = {.alpn_protocols = protocols}});

        server_echo(language, client, more[i], "-");
        ck_assert_str_eq(client->facts.alpn, chosen[i]);
        tls_client_destroy(client);
    }
}

void tls_script_server_certificates(enum tls_language language)
{
    static const anyc_tls_certificate own = {TLS_CERTIFICATE("client.pem", "client.key")};
    struct tls_client *with = tls_client_create(
        &(struct tls_client_options){.context = {.certificates = &own, .certificate_count = 1}});
    struct tls_client *without = tls_client_create(NULL);

    server_echo(language, with, "verify=none", "-");
    server_echo(language, with, "verify=required", "client");
    server_echo(language, with, "verify=optional", "client");
    server_echo(language, without, "verify=optional", "-");
    tls_client_destroy(with);
    tls_client_destroy(without);
}

/* A connection that one of the sides refuses; what anyc says, and what the server says. */
static void check_failure(enum tls_language language, struct tls_client *client, const char *more,
                          int rc, const char *message, const char *words)
{
    int port;
    struct tls_program *server = tls_script_server(language, more, &port);

    ck_assert_int_eq(tls_client_try(client, port), rc);
    ck_assert_msg(strstr(client->facts.message, message) != NULL, "%s", client->facts.message);
    ck_assert_ends(server, 0);
    ck_assert_said(server, "failed ");
    ck_assert_said(server, words);
    tls_program_free(server);
    tls_client_destroy(client);
}

void tls_script_server_refuses(enum tls_language language)
{
    static const anyc_tls_certificate expired = {
        TLS_CERTIFICATE("client_expired.pem", "client.key")};
    static const char *const words[TLS_LANGUAGES][3] = {
        {"unsupported protocol", "peer did not return a certificate", "certificate verify failed"},
        {"unsupported versions", "didn't provide a certificate", "expired"},
    };

    check_failure(language, tls_client_create(NULL), "min=1.3", ANYC_ETLS,
                  "the alert \"protocol version\"", words[language][0]);
    check_failure(language, tls_client_create(NULL), "verify=required", ANYC_ETLS, "the alert",
                  words[language][1]);
    check_failure(language,
                  tls_client_create(&(struct tls_client_options){
                      .context = {.certificates = &expired, .certificate_count = 1}}),
                  "verify=required", ANYC_ETLS, "the alert", words[language][2]);
}

void tls_script_server_is_refused(enum tls_language language)
{
    static const char *const words[TLS_LANGUAGES][3] = {
        {"certificate expired", "unknown ca", "bad certificate"},
        {"expired certificate", "unknown certificate authority", "bad certificate"},
    };

    check_failure(language, tls_client_create(NULL), "cert={tls}/expired.pem",
                  ANYC_ETLS_CERTIFICATE, "expired", words[language][0]);
    check_failure(language, tls_client_create(NULL), "cert={tls}/unknown_ca.pem",
                  ANYC_ETLS_CERTIFICATE, "CA", words[language][1]);
    check_failure(language,
                  tls_client_create(&(struct tls_client_options){.hostname = "other.example"}),
                  NULL, ANYC_ETLS_CERTIFICATE, "wrong host name", words[language][2]);
}

/* Three connections; the client's certificate stays with its session. */
void tls_script_server_resumes(enum tls_language language, const char *more, bool resumes)
{
    static const anyc_tls_certificate own = {TLS_CERTIFICATE("client.pem", "client.key")};
    struct tls_client *client = tls_client_create(&(struct tls_client_options){
        .context = {.certificates = &own, .certificate_count = 1, .no_resumption = !resumes}});
    struct tls_facts facts[3];
    int port;
    char text[128];
    struct tls_program *server;

    snprintf(text, sizeof text, "connections=3 verify=required %s", more);
    server = tls_script_server(language, text, &port);
    for (int i = 0; i < 3; i++) {
        tls_client_connect(client, port);
        ck_assert_int_eq(client->facts.reused, i > 0 && resumes);
        facts[i] = client->facts;
        say_hello(client);
    }
    ck_assert_ends(server, 0);
    for (int i = 0; i < 3; i++)
        tls_script_check(language, server, &facts[i], "localhost", "client");
    ck_assert_int_eq(tls_program_count(server, "data 6\nend notify\nclosed notify\n"), 3);
    tls_program_free(server);
    tls_client_destroy(client);
}

/* Both directions at the same time, and then one. */
void tls_script_server_data(enum tls_language language, size_t len, size_t piece,
                            const char *records)
{
    struct tls_client *client = tls_client_create(NULL);
    int port;
    char text[64];
    struct tls_program *server = tls_script_server(language, NULL, &port);

    tls_client_connect(client, port);
    tls_client_echo_pattern(client, len, piece);
    tls_client_close(client);
    ck_assert_ends(server, 0);
    snprintf(text, sizeof text, "data %zu\nend notify\nclosed notify\n", len);
    ck_assert_said(server, text);
    if (records != NULL)
        ck_assert_said(server, records);
    tls_program_free(server);
    snprintf(text, sizeof text, "do=send bytes=%zu piece=%zu", len, piece);
    server = tls_script_server(language, text, &port);
    tls_client_connect(client, port);
    tls_client_receive_pattern(client, len);
    tls_client_close(client);
    ck_assert_int_eq(client->facts.close, 0);
    ck_assert_ends(server, 0);
    ck_assert_said(server, "closed notify\n");
    tls_program_free(server);
    tls_client_destroy(client);
}

/* -- the end -- */

/* It closes its socket without more ado, or tells the end first. */
void tls_script_server_ends(enum tls_language language)
{
    static const struct {
        const char *more;
        bool not_standard_compatible;
        int end;
    } cases[] = {
        {"do=send close=notify", false, ANYC_EOF},
        {"do=send close=cut", false, ANYC_EBROKEN},
        {"do=send close=cut", true, ANYC_EOF},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_client *client = tls_client_create(&(struct tls_client_options){
            .not_standard_compatible = cases[i].not_standard_compatible});
        int port;
        struct tls_program *server = tls_script_server(language, cases[i].more, &port);

        tls_client_connect(client, port);
        tls_client_receive_end(client);
        ck_assert_uint_eq(client->facts.bytes, 6);
        ck_assert_int_eq(client->facts.end, cases[i].end);
        tls_client_close(client);
        ck_assert_int_eq(client->facts.close, 0);
        ck_assert_ends(server, 0);
        ck_assert_int_eq(tls_program_count(server, "closed notify\n"), i == 0);
        tls_program_free(server);
        tls_client_destroy(client);
    }
}

void tls_script_server_hears_the_end(enum tls_language language)
{
    for (int i = 0; i < 2; i++) {
        struct tls_client *client =
            tls_client_create(&(struct tls_client_options){.not_standard_compatible = i > 0});
        int port;
        struct tls_program *server = tls_script_server(language, "do=read", &port);

        tls_client_connect(client, port);
        tls_client_send(client, "hello\n");
        tls_client_close(client);
        ck_assert_int_eq(client->facts.close, 0);
        (void)tls_program_end(server);
        ck_assert_said(server, "data 6\n");
        ck_assert_said(server, i > 0 ? "end cut\n" : "end notify\nclosed notify\n");
        tls_program_free(server);
        tls_client_destroy(client);
    }
}
