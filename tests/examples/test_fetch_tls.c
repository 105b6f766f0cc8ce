/* SPDX-License-Identifier: MIT */
/*
 * test_fetch_tls.c - examples/fetch.c with https://, and with several URLs.
 */
#include <check.h>

#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "examples/tls_client.h"
#include "support/peer.h"

#define CA "--ca", TLS_FILE("ca.pem")

/* "SCHEME://HOST:PORT/PATH" */
struct url {
    char text[128];
};

static struct url url(const char *scheme, const char *host, int port, const char *path)
{
    struct url url;

    snprintf(url.text, sizeof url.text, "%s://%s:%d%s", scheme, host, port, path);
    return url;
}

/* A program that must fail, with this word in what it says. */
static void check_fails(struct program *program, const char *word)
{
    static struct program_result result;

    program_wait(program, &result);
    ck_assert_int_eq(result.code, 1);
    ck_assert_str_eq(result.out, "");
    ck_assert_msg(strstr(result.err, word) != NULL, "%s", result.err);
}

static void check_prints(struct program *program, int code, const char *text)
{
    static struct program_result result;

    program_wait(program, &result);
    ck_assert_msg(result.code == code, "%d: %s", result.code, result.err);
    ck_assert_str_eq(result.out, text);
}

/* -- who is trusted -- */

ANYC_TEST_PLAIN(test_fetch_tls__trusts_a_file_or_the_environment)
{
    struct program server;
    struct program program;
    struct url page;

    program_start(&server, "http_server", TLS_LOCALHOST, NULL);
    page = url("https", "localhost", program_port(&server), "/");
    program_start(&program, "fetch", CA, page.text, NULL);
    check_prints(&program, 0, "Hello, World!");
    ck_assert_int_eq(setenv("SSL_CERT_FILE", TLS_FILE("ca.pem"), 1), 0);
    program_start(&program, "fetch", page.text, NULL);
    check_prints(&program, 0, "Hello, World!");
    ck_assert_int_eq(setenv("SSL_CERT_FILE", TLS_FILE("other_ca.pem"), 1), 0);
    program_start(&program, "fetch", page.text, NULL);
    check_fails(&program, "ANYC_ETLS_CERTIFICATE");
    program_start(&program, "fetch", "--ca", "/nowhere/ca.pem", page.text, NULL);
    check_fails(&program, "/nowhere/ca.pem");
    unsetenv("SSL_CERT_FILE");
    program_stop(&server);
}

/* The words name both what was wanted and what was there. */
ANYC_TEST_PLAIN(test_fetch_tls__says_what_is_wrong_with_a_certificate)
{
    static const char *const bad[][3] = {
        {"server_a.pem", "server_a.key", "a.example"},
        {"expired.pem", "localhost.key", "expired"},
        {"self_signed.pem", "localhost.key", "self-signed"},
    };
    char certificate[4096];
    char key[4096];
    struct program server;
    struct program program;
    struct url page;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(certificate, sizeof certificate, "%s%s", TLS_FILE(""), bad[i][0]);
        snprintf(key, sizeof key, "%s%s", TLS_FILE(""), bad[i][1]);
        program_start(&server, "http_server", "--tls", certificate, key, NULL);
        page = url("https", "localhost", program_port(&server), "/");
        program_start(&program, "fetch", CA, page.text, NULL);
        check_fails(&program, bad[i][2]);
        program_stop(&server);
    }
}

ANYC_TEST_PLAIN(test_fetch_tls__says_that_there_is_no_tls)
{
    int listener = peer_listen(AF_INET);
    struct url page = url("https", "127.0.0.1", peer_port(listener), "/");
    struct program program;
    int client;

    program_start(&program, "fetch", CA, page.text, NULL);
    client = peer_accept(listener);
    program_send(client, "220 this is something else\r\n");
    check_fails(&program, "ANYC_ETLS: TLS: what the peer sent is not TLS");
    close(client);
    close(listener);
}

/* -- several pages -- */

ANYC_TEST_PLAIN(test_fetch_tls__prints_several_pages_in_order)
{
    struct url pages[4];
    struct program servers[2];
    struct program program;
    int listener = peer_listen(AF_INET);

    program_start(&servers[0], "http_server", NULL);
    program_start(&servers[1], "http_server", TLS_LOCALHOST, NULL);
    pages[0] = url("https", "127.0.0.1", program_port(&servers[1]), "/");
    pages[2] = url("http", "localhost", program_port(&servers[0]), "/x");
    memcpy(&pages[3], &pages[0], sizeof pages[3]);
    pages[1] = url("https", "localhost", peer_port(listener), "/");
    close(listener);
    program_start(&program, "fetch", CA, pages[0].text, pages[2].text, pages[3].text, NULL);
    check_prints(&program, 0, "Hello, World!Not found\nHello, World!");
    program_start(&program, "fetch", CA, pages[0].text, pages[1].text, pages[2].text, pages[3].text,
                  NULL);
    check_prints(&program, 1, "Hello, World!Not found\nHello, World!"); /* one could not be had */
    program_stop(&servers[0]);
    program_stop(&servers[1]);
}

/* All are asked at once: the first server answers after the second one was asked. */
ANYC_TEST_PLAIN(test_fetch_tls__asks_all_servers_at_once)
{
    int listeners[] = {peer_listen(AF_INET), peer_listen(AF_INET)};
    struct url pages[2];
    struct program program;
    char request[1024];
    int clients[2];

    for (int i = 0; i < 2; i++)
        pages[i] = url("http", "127.0.0.1", peer_port(listeners[i]), "/");
    program_start(&program, "fetch", pages[0].text, pages[1].text, NULL);
    for (int i = 1; i >= 0; i--) {
        clients[i] = peer_accept(listeners[i]);
        program_receive(clients[i], "\r\n\r\n", request, sizeof request);
    }
    program_send(clients[1], "HTTP/1.1 200 OK\r\n\r\nsecond");
    close(clients[1]);
    program_send(clients[0], "HTTP/1.1 200 OK\r\n\r\nfirst, ");
    close(clients[0]);
    check_prints(&program, 0, "first, second");
    close(listeners[0]);
    close(listeners[1]);
}

/* -- the end of an answer -- */

static int read_request(struct tls_peer *peer)
{
    char request[1024] = "";
    size_t len = 0;
    int n = 1;

    while (n > 0 && strstr(request, "\r\n\r\n") == NULL) {
        n = tls_peer_read(peer, request + len, sizeof request - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    return n > 0 ? 0 : n;
}

/* Answers without saying how long it is. */
static int answer(struct tls_peer *peer, void *arg)
{
    static const char text[] = "HTTP/1.1 200 OK\r\n\r\nall of it?";
    const bool *end_of_tls = arg;
    int rc = read_request(peer);

    if (rc == 0)
        rc = tls_peer_write(peer, text, sizeof text - 1);
    if (rc == 0 && *end_of_tls)
        rc = tls_peer_send_close_notify(peer);
    return rc;
}

/* A body that ends with the connection could have been cut: only the end of TLS tells. */
ANYC_TEST_PLAIN(test_fetch_tls__tells_a_body_that_may_have_been_cut)
{
    const struct tls_peer_options options = {.certificate = TLS_FILE("localhost.pem"),
                                             .key = TLS_FILE("localhost.key")};
    struct tls_peer server;
    struct program program;
    struct url page;

    for (int i = 0; i < 2; i++) {
        bool end_of_tls = i == 0;

        tls_peer_server_start(&server, AF_INET, &options, answer, &end_of_tls);
        page = url("https", "127.0.0.1", server.port, "/");
        program_start(&program, "fetch", CA, page.text, NULL);
        check_prints(&program, end_of_tls ? 0 : 1, "all of it?");
        tls_peer_join_ok(&server);
    }
}
