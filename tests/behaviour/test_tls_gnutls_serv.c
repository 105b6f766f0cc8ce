/* SPDX-License-Identifier: MIT */
/*
 * test_tls_gnutls_serv.c - anyc as the client of `gnutls-serv`.
 *
 * It listens on all addresses, there is no choice; it is there for as long as a test takes, and does
 * no more than an echo.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/foreign.h"
#include "support/tasks.h"
#include "tls_ciphers.h"
#include "tls_program.h"
#include "tls_side.h"

#define LOCALHOST "--x509certfile {tls}/localhost.pem --x509keyfile {tls}/localhost.key "
#define LOCALHOST_RSA \
    "--x509certfile {tls}/localhost_rsa.pem --x509keyfile {tls}/localhost_rsa.key "

/* It prints its line about IPv4 when it can be reached there. */
static struct tls_program *gnutls_serv(const char *more, int *out_port)
{
    foreign_need("gnutls-serv");
    return tls_program_start_on_free_port("stdbuf -o L gnutls-serv --echo -p {port}", more,
                                          "...done\n", out_port);
}

static void say_hello(struct tls_client *client)
{
    tls_client_send(client, "hello\n");
    tls_client_receive(client, "hello\n");
    tls_client_close(client);
    ck_assert_int_eq(client->facts.close, 0);
}

/* One connection with a server of its own, which has ended then. */
static struct tls_program *gnutls_hello(struct tls_client *client, const char *more)
{
    int port;
    struct tls_program *server = gnutls_serv(more, &port);

    tls_client_connect(client, port);
    say_hello(client);
    tls_program_stop(server);
    return server;
}

static void check_unique(const struct tls_program *server, const struct tls_facts *facts)
{
    char text[160];

    snprintf(text, sizeof text, "- 'tls-unique': %s\n", facts->unique);
    ck_assert_said(server, text);
}

ANYC_TEST(test_tls_gnutls_serv__echo)
{
    struct tls_client *client = tls_client_create(NULL);
    struct tls_program *server = gnutls_hello(client, LOCALHOST "-a");

    ck_assert_said(server, "- Version: TLS1.2");
    ck_assert_said(server, "- Given server name[1]: localhost");
    ck_assert_said(server, "- Options: extended master secret, safe renegotiation,");
    ck_assert_said(server, "*** Processing 6 bytes command: hello");
    check_unique(server, &client->facts);
    ck_assert_str_eq(client->facts.version, "TLSv1.2");
    ck_assert_str_eq(client->facts.alpn, "-");
    ck_assert_str_eq(client->facts.peer, "CN=localhost");
    ck_assert(!client->facts.reused);
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_gnutls_serv__shows_its_certificate)
{
    static const struct {
        const char *more;
        const char *hostname;
    } cases[] = {
        {LOCALHOST_RSA, "localhost"},
        {"--x509certfile {tls}/chain_intermediate.pem --x509keyfile {tls}/localhost.key",
         "localhost"},
        {LOCALHOST, "127.0.0.1"},
        {LOCALHOST "--x509certfile {tls}/server_b.pem --x509keyfile {tls}/server_b.key",
         "b.example"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_client *client =
            tls_client_create(&(struct tls_client_options){.hostname = cases[i].hostname});

        tls_program_free(gnutls_hello(client, cases[i].more));
        ck_assert_str_eq(client->facts.peer, i < 3 ? "CN=localhost" : "CN=b.example");
        tls_client_destroy(client);
    }
}

ANYC_TEST(test_tls_gnutls_serv__is_refused)
{
    struct tls_client *client =
        tls_client_create(&(struct tls_client_options){.hostname = "other.example"});
    int port;
    struct tls_program *server = gnutls_serv(LOCALHOST, &port);

    ck_assert_int_eq(tls_client_try(client, port), ANYC_ETLS_CERTIFICATE);
    ck_assert_ptr_nonnull(strstr(client->facts.message, "wrong host name"));
    tls_program_await(server, "Received alert '42'"); /* bad_certificate */
    tls_program_stop(server);
    tls_program_free(server);
    tls_client_destroy(client);
}

static void check_cipher(const struct tls_cipher *cipher)
{
    struct tls_client *client = tls_client_create(
        &(struct tls_client_options){.context = {.ciphers = tls_cipher_asked(cipher)}});
    struct tls_program *server;
    char priority[256];
    char text[512];

    tls_cipher_priority(cipher, priority, sizeof priority);
    snprintf(text, sizeof text, "%s%s", tls_cipher_is_rsa(cipher) ? LOCALHOST_RSA : LOCALHOST,
             priority);
    server = gnutls_hello(client, text);
    snprintf(text, sizeof text, "- Key Exchange: %s\n", cipher->gnutls[0]);
    ck_assert_said(server, text);
    snprintf(text, sizeof text, "- Cipher: %s\n- MAC: %s\n", cipher->gnutls[1], cipher->gnutls[2]);
    ck_assert_said(server, text);
    ck_assert_str_eq(client->facts.cipher, cipher->iana);
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_gnutls_serv__ciphers)
{
    for (int i = 0; i < TLS_CIPHERS; i++)
        check_cipher(&tls_ciphers[i]);
}

ANYC_TEST(test_tls_gnutls_serv__alpn)
{
    static const char *const protocols[] = {"h2", "http/1.1", NULL};
    struct tls_client *client =
        tls_client_create(&(struct tls_client_options){.context = {.alpn_protocols = protocols}});
    struct tls_program *server = gnutls_hello(client, LOCALHOST "--alpn http/1.1");

    ck_assert_said(server, "- Application protocol: http/1.1");
    ck_assert_str_eq(client->facts.alpn, "http/1.1");
    tls_program_free(server);
    tls_program_free(gnutls_hello(client, LOCALHOST));
    ck_assert_str_eq(client->facts.alpn, "-");
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_gnutls_serv__has_no_common_protocol_or_version)
{
    static const char *const protocols[] = {"h2", NULL};
    static const char *const more[] = {LOCALHOST "--alpn x --alpn-fatal",
                                       LOCALHOST "--priority NORMAL:-VERS-ALL:+VERS-TLS1.3"};
    static const uint8_t alerts[] = {120 /* no_application_protocol */, 40 /* handshake_failure */};

    for (int i = 0; i < 2; i++) {
        struct tls_client *client = tls_client_create(
            &(struct tls_client_options){.context = {.alpn_protocols = protocols}});
        int port;
        struct tls_program *server = gnutls_serv(more[i], &port);

        ck_assert_int_eq(tls_client_try(client, port), ANYC_ETLS);
        ck_assert_msg(client->facts.alert == alerts[i], "%s", client->facts.message);
        tls_program_stop(server);
        tls_program_free(server);
        tls_client_destroy(client);
    }
}

/* -- client certificates -- */

#define ASKS LOCALHOST "--x509cafile {tls}/ca.pem --verify-client-cert "

static void check_client_certificate(const anyc_tls_certificate *own, const char *more)
{
    struct tls_client *client = tls_client_create(&(struct tls_client_options){
        .context = {.certificates = own, .certificate_count = own != NULL}});
    struct tls_program *server = gnutls_hello(client, more);

    ck_assert_int_eq(tls_program_count(server, "Subject: CN=client\n"), own != NULL);
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_gnutls_serv__client_certificates)
{
    static const anyc_tls_certificate own = {TLS_CERTIFICATE("client.pem", "client.key")};

    check_client_certificate(&own, ASKS "-r");
    check_client_certificate(&own, ASKS);
    check_client_certificate(NULL, ASKS);
}

ANYC_TEST(test_tls_gnutls_serv__refuses_a_client)
{
    struct tls_client *client = tls_client_create(NULL);
    int port;
    struct tls_program *server = gnutls_serv(ASKS "-r", &port);

    ck_assert_int_eq(tls_client_try(client, port), ANYC_ETLS);
    ck_assert_uint_ne(client->facts.alert, 0); /* which one is its own choice */
    tls_program_stop(server);
    ck_assert_said(server, "No certificate was found");
    tls_program_free(server);
    tls_client_destroy(client);
}

/* -- sessions -- */

static void check_resumption(const char *more, bool resumes)
{
    struct tls_client *client = tls_client_create(NULL);
    int port;
    struct tls_program *server = gnutls_serv(more, &port);
    struct tls_facts facts[2];

    for (int i = 0; i < 2; i++) {
        tls_client_connect(client, port);
        ck_assert_int_eq(client->facts.reused, i > 0 && resumes);
        facts[i] = client->facts;
        say_hello(client);
    }
    tls_program_stop(server);
    ck_assert_int_eq(tls_program_count(server, "*** This is a resumed session"), resumes);
    check_unique(server, &facts[0]);
    check_unique(server, &facts[1]);
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_gnutls_serv__resumes_by_ticket)
{
    check_resumption(LOCALHOST "--nodb", true);
}

ANYC_TEST(test_tls_gnutls_serv__resumes_by_session_id)
{
    check_resumption(LOCALHOST "--noticket", true);
}

ANYC_TEST(test_tls_gnutls_serv__does_not_resume)
{
    check_resumption(LOCALHOST "--noticket --nodb", false);
}

/* -- data -- */

struct echo {
    struct tls_client *client;
    size_t len;
    size_t piece;
};

static int echo_task(void *arg)
{
    const struct echo *echo = arg;

    tls_client_echo_pattern(echo->client, echo->len, echo->piece);
    tls_client_send(echo->client, "the end\n");
    tls_client_receive(echo->client, "the end\n");
    return 0;
}

/* It prints all that it gets, which must be read meanwhile. */
static void check_echo(size_t len, size_t piece)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct echo echo = {tls_client_create(NULL), len, piece};
    int port;
    struct tls_program *server = gnutls_serv(LOCALHOST, &port);

    tls_client_connect(echo.client, port);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, echo_task, &echo);
    tls_program_await(server, "the end\n");
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    tls_client_close(echo.client);
    ck_assert_int_eq(echo.client->facts.close, 0);
    tls_program_stop(server);
    tls_program_free(server);
    tls_client_destroy(echo.client);
}

ANYC_TEST(test_tls_gnutls_serv__large_records)
{
    check_echo(TLS_LARGE, 4096); /* it has no room for more at once */
}

ANYC_TEST(test_tls_gnutls_serv__tiny_records)
{
    check_echo(TLS_TINY, 1);
}

/* -- the end -- */

/* A program that is stopped does not tell the end. */
static void check_cut(bool not_standard_compatible, int end)
{
    struct tls_client *client = tls_client_create(
        &(struct tls_client_options){.not_standard_compatible = not_standard_compatible});
    int port;
    struct tls_program *server = gnutls_serv(LOCALHOST, &port);

    tls_client_connect(client, port);
    tls_client_send(client, "hello\n");
    tls_client_receive(client, "hello\n");
    tls_program_stop(server);
    tls_client_receive_end(client);
    ck_assert_int_eq(client->facts.end, end);
    tls_client_close(client);
    ck_assert_int_eq(client->facts.close, 0);
    tls_program_free(server);
    tls_client_destroy(client);
}

ANYC_TEST(test_tls_gnutls_serv__goes_without_telling_the_end)
{
    check_cut(false, ANYC_EBROKEN);
    check_cut(true, ANYC_EOF);
}
