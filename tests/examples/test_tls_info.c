/* SPDX-License-Identifier: MIT */
/*
 * test_tls_info.c - examples/tls_info.c.
 */
#include <check.h>

#include <anyc/testing.h>

#include <stdio.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "examples/tls_client.h"
#include "support/peer.h"

#define CA "--ca", TLS_FILE("ca.pem")

/* What the program says of a server on a port, asked for by a name; NULL: by none but the address. */
static struct program_result *look(int port, const char *name)
{
    static struct program_result result;
    struct program program;
    char number[16];

    snprintf(number, sizeof number, "%d", port);
    program_start(&program, "tls_info", CA, "--name", name != NULL ? name : "127.0.0.1",
                  "127.0.0.1", number, NULL);
    program_wait(&program, &result);
    return &result;
}

static void check_says(const struct program_result *result, const char *text)
{
    ck_assert_msg(strstr(result->out, text) != NULL, "\"%s\" is missing in:\n%s%s", text,
                  result->out, result->err);
}

/* -- certificates -- */

/* A server with a certificate: the code, and what must be in the last line. */
struct look {
    const char *certificate;
    const char *key;
    const char *name; /* that is wanted of it */
    int code;
    const char *words;
};

static void check_look(const struct look *wanted)
{
    const struct program_result *result;
    struct program server;

    program_start(&server, "http_server", "--tls", wanted->certificate, wanted->key, NULL);
    result = look(program_port(&server), wanted->name);
    ck_assert_msg(result->code == wanted->code, "%s for %s: %d\n%s%s", wanted->certificate,
                  wanted->name, result->code, result->out, result->err);
    ck_assert_msg(strstr(result->out, "verifies: ") != NULL &&
                      strstr(strstr(result->out, "verifies: "), wanted->words) != NULL,
                  "%s for %s: \"%s\" is missing in:\n%s", wanted->certificate, wanted->name,
                  wanted->words, result->out);
    check_says(result, "version:  TLSv1.");
    check_says(result, "certificate 0:\n    ");
    program_stop(&server);
}

#define LOCALHOST_KEY TLS_FILE("localhost.key")

ANYC_TEST_PLAIN(test_tls_info__a_good_server_verifies)
{
    static const struct look good[] = {
        {TLS_FILE("localhost.pem"), LOCALHOST_KEY, NULL, 0, "yes"},
        {TLS_FILE("localhost.pem"), LOCALHOST_KEY, "localhost", 0, "yes"},
        {TLS_FILE("localhost_rsa.pem"), TLS_FILE("localhost_rsa.key"), "localhost", 0, "yes"},
        {TLS_FILE("chain_intermediate.pem"), LOCALHOST_KEY, "localhost", 0, "yes"},
        {TLS_FILE("wildcard.pem"), LOCALHOST_KEY, "any.wild.example", 0, "yes"},
        {TLS_FILE("fass.pem"), TLS_FILE("fass.key"), "fa\xc3\x9f.de", 0, "yes"},
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        check_look(&good[i]);
}

ANYC_TEST_PLAIN(test_tls_info__a_bad_server_is_shown_and_does_not_verify)
{
    static const struct look bad[] = {
        {TLS_FILE("expired.pem"), LOCALHOST_KEY, "localhost", 1, "expired"},
        {TLS_FILE("not_yet.pem"), LOCALHOST_KEY, "localhost", 1, "not valid before 2110"},
        {TLS_FILE("unknown_ca.pem"), LOCALHOST_KEY, "localhost", 1, "unknown CA"},
        {TLS_FILE("self_signed.pem"), LOCALHOST_KEY, "localhost", 1, "self-signed"},
        {TLS_FILE("bad_signature.pem"), LOCALHOST_KEY, "localhost", 1, "(flags 0x"},
        {TLS_FILE("server_a.pem"), TLS_FILE("server_a.key"), "b.example", 1, "a.example"},
        {TLS_FILE("no_ip.pem"), LOCALHOST_KEY, NULL, 1, "127.0.0.1"},
        {TLS_FILE("fass.pem"), TLS_FILE("fass.key"), "fass.de", 1, "xn--fa-hia.de"},
        {TLS_FILE("wildcard.pem"), LOCALHOST_KEY, "a.b.wild.example", 1, "*.wild.example"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_look(&bad[i]);
}

ANYC_TEST_PLAIN(test_tls_info__shows_the_whole_chain)
{
    const struct program_result *result;
    struct program server;
    const char *second;

    program_start(&server, "http_server", "--tls", TLS_FILE("chain_intermediate.pem"),
                  LOCALHOST_KEY, NULL);
    result = look(program_port(&server), NULL);
    second = strstr(result->out, "certificate 1:\n");
    ck_assert_msg(second != NULL, "%s", result->out);
    ck_assert_ptr_nonnull(strstr(result->out, "CN=localhost"));
    ck_assert_ptr_nonnull(strstr(second, "CN=anyc test intermediate CA"));
    program_stop(&server);
}

/* -- what is negotiated -- */

ANYC_TEST_PLAIN(test_tls_info__offers_protocols_by_alpn)
{
    static struct program_result result;
    struct program program;
    struct program server;
    char port[16];

    program_start(&server, "http_server", TLS_LOCALHOST, NULL);
    snprintf(port, sizeof port, "%d", program_port(&server));
    program_start(&program, "tls_info", CA, "127.0.0.1", port, "h2", "http/1.1", NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 0);
    check_says(&result, "\nprotocol: http/1.1\n");
    program_start(&program, "tls_info", CA, "127.0.0.1", port, NULL);
    program_wait(&program, &result);
    check_says(&result, "\nprotocol: none was chosen\n");
    program_start(&program, "tls_info", CA, "127.0.0.1", port, "h2", NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 2); /* the server refuses the client */
    ck_assert_msg(strstr(result.err, "no application protocol") != NULL, "%s", result.err);
    program_stop(&server);
}

/* A server that knows of sessions, or not, is connected to twice, and hears the name both times. */
static void check_resumption(bool tickets, const char *words)
{
    const struct tls_peer_options options = {.certificate = TLS_FILE("localhost.pem"),
                                             .key = TLS_FILE("localhost.key"),
                                             .tickets = tickets,
                                             .connections = 2};
    const struct program_result *result;
    struct tls_peer server;

    tls_peer_server_start(&server, AF_INET, &options, NULL, NULL);
    result = look(server.port, "localhost");
    tls_peer_join(&server); /* the program just goes, and that is an error for the server */
    ck_assert_int_eq(server.handshakes, 2);
    ck_assert_int_eq(server.resumed, tickets);
    ck_assert_str_eq(server.requested_name, "localhost");
    check_says(result, words);
    check_says(result, server.version);
    ck_assert_int_eq(result->code, 0);
}

ANYC_TEST_PLAIN(test_tls_info__says_whether_sessions_are_resumed)
{
    check_resumption(true, "\nresumed:  yes");
    check_resumption(false, "\nresumed:  no\n");
}

/* -- no connection -- */

static void check_no_connection(int port, const char *timeout, const char *words)
{
    static struct program_result result;
    struct program program;
    char number[16];

    snprintf(number, sizeof number, "%d", port);
    program_start(&program, "tls_info", CA, "--timeout", timeout, "127.0.0.1", number, NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 2);
    ck_assert_msg(strstr(result.err, words) != NULL, "%s", result.err);
}

static void say_something_else(struct peer_thread *peer)
{
    int client = peer_accept(peer->fd);
    char hello[4096];

    program_send(client, "220 this is something else\r\n");
    peer_receive(client, hello, sizeof hello); /* until it goes */
    close(client);
}

ANYC_TEST_PLAIN(test_tls_info__says_why_there_is_no_connection)
{
    int listener = peer_listen(AF_INET);
    int port = peer_port(listener);
    struct peer_thread peer = {.fd = -1};

    peer_start(&peer, say_something_else, listener);
    check_no_connection(port, "10", "not TLS");
    peer_join(&peer);
    check_no_connection(port, "0.1", "ETIMEDOUT"); /* nobody answers */
    close(listener);
    check_no_connection(port, "10", "ECONNREFUSED");
}
