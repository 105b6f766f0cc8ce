/* SPDX-License-Identifier: MIT */
/*
 * tls_script_client.c - anyc as the server of a peer of tls_peers/.
 */
#include "tls_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls_ciphers.h"

/* It does what it has to do, well. */
static struct tls_program *client_run(enum tls_language language, struct tls_server *server,
                                      const char *more)
{
    struct tls_program *client = tls_script_client(language, server->port, more);

    ck_assert_ends(client, 0);
    ck_assert_not_said(client, "failed");
    return client;
}

/* The same for an echo of 6 bytes that is the server's connection `index`. */
static struct tls_program *client_echo(enum tls_language language, struct tls_server *server,
                                       const char *more, int index)
{
    struct tls_program *client = client_run(language, server, more);
    const struct tls_facts *facts = tls_server_facts(server, index);

    ck_assert_said(client, "data 6 right\nclosed notify\n");
    ck_assert_msg(facts->rc == 0, "%s", facts->message);
    ck_assert_uint_eq(facts->bytes, 6);
    ck_assert_int_eq(facts->end, ANYC_EOF);
    ck_assert_int_eq(facts->close, 0);
    return client;
}

void tls_script_client_echoes(enum tls_language language)
{
    struct tls_server *server = tls_server_start(NULL);
    struct tls_program *client = client_echo(language, server, NULL, 0);
    const struct tls_facts *facts = tls_server_facts(server, 0);

    tls_script_check(language, client, facts, "localhost", "localhost");
    ck_assert_str_eq(facts->version, "TLSv1.2");
    ck_assert_str_eq(facts->alpn, "-");
    ck_assert_str_eq(facts->peer, "-");
    ck_assert(!facts->reused);
    tls_program_free(client);
    tls_server_stop(server);
}

/* RSA, a key with a password, an intermediate CA, all of which it verifies. */
void tls_script_client_sees_the_certificate(enum tls_language language)
{
    static const anyc_tls_certificate cases[] = {
        {TLS_CERTIFICATE("localhost_rsa.pem", "localhost_rsa.key")},
        {TLS_CERTIFICATE("localhost.pem", "localhost_encrypted.key"), .password = "secret"},
        {TLS_CERTIFICATE("chain_intermediate.pem", "localhost.key")},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_server *server = tls_server_start(&(struct tls_server_options){
            .context = {.certificates = &cases[i], .certificate_count = 1}});
        struct tls_program *client = client_echo(language, server, NULL, 0);

        tls_script_check(language, client, tls_server_facts(server, 0), "localhost", "localhost");
        tls_program_free(client);
        tls_server_stop(server);
    }
}

void tls_script_client_gets_the_certificate_of_the_name(enum tls_language language)
{
    static const anyc_tls_certificate both[] = {
        {TLS_CERTIFICATE("server_a.pem", "server_a.key")},
        {TLS_CERTIFICATE("server_b.pem", "server_b.key")},
    };
    struct tls_server *server = tls_server_start(
        &(struct tls_server_options){.context = {.certificates = both, .certificate_count = 2}});

    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "b.example" : "a.example";
        struct tls_program *client =
            client_echo(language, server, i == 0 ? "name=b.example" : "name=a.example", i);

        tls_script_check(language, client, tls_server_facts(server, i), name, name);
        tls_program_free(client);
    }
    tls_server_stop(server);
}

static void check_cipher(enum tls_language language, const struct tls_cipher *cipher)
{
    const anyc_tls_certificate rsa = {TLS_CERTIFICATE("localhost_rsa.pem", "localhost_rsa.key")};
    struct tls_server *server = tls_server_start(
        &(struct tls_server_options){.context = {.ciphers = tls_cipher_asked(cipher),
                                                 .certificates = &rsa,
                                                 .certificate_count = tls_cipher_is_rsa(cipher)}});
    struct tls_program *client;
    char text[128];

    snprintf(text, sizeof text, "cipher=%s",
             language == TLS_PYTHON ? cipher->openssl : cipher->iana);
    client = client_echo(language, server, text, 0);
    tls_script_check(language, client, tls_server_facts(server, 0), "localhost", "localhost");
    ck_assert_str_eq(tls_server_facts(server, 0)->cipher, cipher->iana);
    tls_program_free(client);
    tls_server_stop(server);
}

void tls_script_client_ciphers(enum tls_language language)
{
    for (int i = 0; i < TLS_CIPHERS; i++) {
        if (tls_script_can(language, &tls_ciphers[i]))
            check_cipher(language, &tls_ciphers[i]);
    }
}

void tls_script_client_alpn(enum tls_language language)
{
    static const char *const protocols[] = {"h2", "http/1.1", NULL};
    static const char *const offers[] = {"alpn=x,http/1.1,h2", "alpn=http/1.1", NULL};
    static const char *const chosen[] = {"h2", "http/1.1", "-"};
    struct tls_server *server =
        tls_server_start(&(struct tls_server_options){.context = {.alpn_protocols = protocols}});

    for (int i = 0; i < 3; i++) {
        struct tls_program *client = client_echo(language, server, offers[i], i);

        tls_script_check(language, client, tls_server_facts(server, i), "localhost", "localhost");
        ck_assert_str_eq(tls_server_facts(server, i)->alpn, chosen[i]);
        tls_program_free(client);
    }
    tls_server_stop(server);
}

#define CLIENT(certificate) "cert={tls}/" certificate " key={tls}/client.key"

void tls_script_client_certificates(enum tls_language language)
{
    static const struct {
        anyc_tls_verify verify;
        const char *more;
        const char *peer;
    } cases[] = {
        {ANYC_TLS_VERIFY_NONE, CLIENT("client.pem"), "-"},
        {ANYC_TLS_VERIFY_OPTIONAL, NULL, "-"},
        {ANYC_TLS_VERIFY_OPTIONAL, CLIENT("client.pem"), "CN=client"},
        {ANYC_TLS_VERIFY_REQUIRED, CLIENT("client.pem"), "CN=client"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_server *server =
            tls_server_start(&(struct tls_server_options){.context = {.verify = cases[i].verify}});

        tls_program_free(client_echo(language, server, cases[i].more, 0));
        ck_assert_str_eq(tls_server_facts(server, 0)->peer, cases[i].peer);
        tls_server_stop(server);
    }
}

/* What it says, and what anyc says. */
void tls_script_client_is_refused(enum tls_language language)
{
    static const char *const protocols[] = {"h2", NULL};
    static const struct {
        const char *more;
        const char *words[TLS_LANGUAGES];
        const char *messages[TLS_LANGUAGES];
        int rc;
    } cases[] = {
        {"min=1.3",
         {"handshake failure", "unsupported protocol version"},
         {"no common", "the alert \"protocol version\""}, /* Go goes on for a while */
         ANYC_ETLS},
        {CLIENT("client.pem") " alpn=x",
         {"no application protocol", "no application protocol"},
         {"", ""},
         ANYC_ETLS},
        {NULL,
         {"handshake failure", "handshake failure"},
         {"no certificate", "no certificate"},
         ANYC_ETLS_CERTIFICATE},
        {CLIENT("client_expired.pem"),
         {"certificate expired", "expired certificate"},
         {"expired", "expired"},
         ANYC_ETLS_CERTIFICATE},
    };
    struct tls_server *server = tls_server_start(&(struct tls_server_options){
        .context = {.verify = ANYC_TLS_VERIFY_REQUIRED, .alpn_protocols = protocols}});

    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++) {
        struct tls_program *client = tls_script_client(language, server->port, cases[i].more);
        const struct tls_facts *facts = tls_server_facts(server, i);

        (void)tls_program_end(client);
        ck_assert_said(client, "failed ");
        ck_assert_said(client, cases[i].words[language]);
        ck_assert_int_eq(facts->rc, cases[i].rc);
        ck_assert_msg(strstr(facts->message, cases[i].messages[language]) != NULL, "%s",
                      facts->message);
        tls_program_free(client);
    }
    tls_server_stop(server);
}

/* It connects three times; its certificate stays with its session. */
void tls_script_client_resumes(enum tls_language language, const char *more, bool resumes)
{
    struct tls_server *server = tls_server_start(&(struct tls_server_options){
        .context = {.verify = ANYC_TLS_VERIFY_REQUIRED, .no_resumption = !resumes}});
    char text[256];
    struct tls_program *client;

    snprintf(text, sizeof text, "connections=3 " CLIENT("client.pem") " %s", more);
    client = client_run(language, server, text);
    ck_assert_int_eq(tls_program_count(client, "data 6 right\nclosed notify\n"), 3);
    for (int i = 0; i < 3; i++) {
        const struct tls_facts *facts = tls_server_facts(server, i);

        ck_assert_int_eq(facts->reused, i > 0 && resumes);
        ck_assert_str_eq(facts->peer, "CN=client");
        tls_script_check(language, client, facts, "localhost", "localhost");
    }
    tls_program_free(client);
    tls_server_stop(server);
}

/* -- data -- */

void tls_script_client_takes(enum tls_language language, tls_talk_fn talk, size_t len,
                             const char *records)
{
    struct tls_server *server = tls_server_start(&(struct tls_server_options){.talk = talk});
    struct tls_program *client;
    char text[64];

    snprintf(text, sizeof text, "do=take bytes=%zu", len);
    client = client_run(language, server, text);
    snprintf(text, sizeof text, "data %zu right\nclosed notify\n", len);
    ck_assert_said(client, text);
    if (records != NULL)
        ck_assert_said(client, records);
    ck_assert_uint_eq(tls_server_facts(server, 0)->bytes, 0);
    ck_assert_int_eq(tls_server_facts(server, 0)->end, ANYC_EOF);
    tls_program_free(client);
    tls_server_stop(server);
}

void tls_script_client_sends(enum tls_language language, size_t len, size_t piece)
{
    struct tls_server *server = tls_server_start(NULL);
    struct tls_program *client;
    char text[64];

    snprintf(text, sizeof text, "bytes=%zu piece=%zu", len, piece);
    client = client_run(language, server, text);
    snprintf(text, sizeof text, "data %zu right\nclosed notify\n", len);
    ck_assert_said(client, text);
    ck_assert_uint_eq(tls_server_facts(server, 0)->bytes, len);
    ck_assert_int_eq(tls_server_facts(server, 0)->end, ANYC_EOF);
    tls_program_free(client);
    tls_server_stop(server);
}

/* -- the end -- */

/* It closes its socket without more ado. */
void tls_script_client_ends(enum tls_language language)
{
    for (int i = 0; i < 2; i++) {
        struct tls_server *server =
            tls_server_start(&(struct tls_server_options){.not_standard_compatible = i > 0});
        struct tls_program *client = client_run(language, server, "close=cut");

        ck_assert_said(client, "data 6 right\n");
        ck_assert_uint_eq(tls_server_facts(server, 0)->bytes, 6);
        ck_assert_int_eq(tls_server_facts(server, 0)->end, i > 0 ? ANYC_EOF : ANYC_EBROKEN);
        ck_assert_int_eq(tls_server_facts(server, 0)->close, 0);
        tls_program_free(client);
        tls_server_stop(server);
    }
}

void tls_script_client_hears_the_end(enum tls_language language)
{
    for (int i = 0; i < 2; i++) {
        struct tls_server *server = tls_server_start(
            &(struct tls_server_options){.talk = tls_talk_hello, .not_standard_compatible = i > 0});
        struct tls_program *client = tls_script_client(language, server->port, "do=read");

        (void)tls_program_end(client);
        ck_assert_said(client, "data 6\n");
        ck_assert_said(client, i > 0 ? "end cut\n" : "end notify\nclosed notify\n");
        ck_assert_int_eq(tls_server_facts(server, 0)->close, 0);
        tls_program_free(client);
        tls_server_stop(server);
    }
}
