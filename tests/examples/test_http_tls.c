/* SPDX-License-Identifier: MIT */
/*
 * test_http_tls.c - examples/http_server.c with --tls.
 */
#include <check.h>

#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/tls_client.h"
#include "support/foreign.h"

#define HOST "\r\nHost: x\r\n\r\n"

/* A request, and what is answered until the end. */
struct talk {
    const char *request;
    size_t body_len; /* sent behind it */
    char answer[4096];
};

/* Reads up to the end, which must be the orderly one. */
static int read_to_the_end(struct tls_peer *peer, struct talk *talk)
{
    size_t len = 0;
    int n = 1;

    while (n > 0 && len + 1 < sizeof talk->answer) {
        n = tls_peer_read(peer, talk->answer + len, sizeof talk->answer - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    return n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ? 0 : n;
}

static int ask(struct tls_peer *peer, void *arg)
{
    struct talk *talk = arg;
    char *body = calloc(1, talk->body_len + 1);
    int rc = tls_peer_write(peer, talk->request, strlen(talk->request));

    if (rc == 0)
        rc = tls_peer_write(peer, body, talk->body_len);
    free(body);
    if (rc == 0)
        rc = read_to_the_end(peer, talk);
    return rc;
}

/* Gets an answer and goes, as many clients do. */
static int ask_and_go(struct tls_peer *peer, void *arg)
{
    char buf[32] = "";
    int rc = tls_peer_write(peer, "GET / HTTP/1.1" HOST, sizeof "GET / HTTP/1.1" HOST - 1);

    (void)arg;
    if (rc == 0)
        rc = tls_peer_read_all(peer, buf, 15);
    return rc == 0 && strcmp(buf, "HTTP/1.1 200 OK") != 0 ? -1 : rc;
}

/* -- tests -- */

ANYC_TEST_PLAIN(test_http_tls__ends_tls_behind_the_last_answer)
{
    static struct talk talks[] = {
        {.request =
             "GET / HTTP/1.1" HOST "GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"},
        {.request = "GET / HTTP/1.0\r\n\r\n"},
        {.request = "rubbish\r\n\r\n"},
        {.request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n",
         .body_len = 300000}};
    static const char *const wanted[] = {"HTTP/1.1 404 ", "HTTP/1.1 200 ", "HTTP/1.1 400 ",
                                         "HTTP/1.1 405 "};
    struct program server;
    int port;

    program_start(&server, "http_server", TLS_LOCALHOST, NULL);
    port = program_port(&server);
    for (size_t i = 0; i < sizeof talks / sizeof *talks; i++) {
        tls_client_run(port, ask, &talks[i]);
        ck_assert_msg(strstr(talks[i].answer, wanted[i]) != NULL, "%s", talks[i].answer);
    }
    program_stop(&server);
}

ANYC_TEST_PLAIN(test_http_tls__speaks_http_1_1_only)
{
    static const char *const both[] = {"h2", "http/1.1", NULL};
    static const char *const other[] = {"h2", NULL};
    struct tls_peer_options options = tls_client_options;
    struct tls_peer client;
    struct program server;
    int port;

    program_start(&server, "http_server", TLS_LOCALHOST, NULL);
    port = program_port(&server);
    options.alpn = both;
    tls_peer_client_start(&client, program_connect(port), &options, ask_and_go, NULL);
    tls_peer_join_ok(&client);
    ck_assert_str_eq(client.alpn, "http/1.1");
    options.alpn = other;
    tls_peer_client_start(&client, program_connect(port), &options, ask_and_go, NULL);
    tls_peer_join(&client);
    ck_assert_int_eq(client.alert, MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL);
    tls_client_run(port, ask_and_go, NULL); /* without any it works too */
    program_stop(&server);
}

/* A client that does not go on is cut off, also one that does not take part in the end of TLS. */
ANYC_TEST_PLAIN(test_http_tls__bounds_the_time_of_a_request)
{
    static struct talk slow = {.request = "GET / HT"};
    struct tls_peer client;
    struct program server;

    program_start(&server, "http_server", TLS_LOCALHOST, "--timeout", "0.2", NULL);
    tls_peer_client_start(&client, program_connect(program_port(&server)), &tls_client_options, ask,
                          &slow);
    tls_peer_join(&client);
    ck_assert_int_eq(client.handshake, 0);
    ck_assert_int_eq(client.result, MBEDTLS_ERR_SSL_CONN_EOF);
    program_stop(&server);
}

/* -- a program that is not ours -- */

/* What curl prints for one page, asked for twice; the option may be NULL. */
static const char *curl(int port, const char *path, const char *option, const char *value)
{
    static struct program_result result;
    const char *ca = TLS_FILE("ca.pem");
    struct program curl;
    char url[128];

    snprintf(url, sizeof url, "https://127.0.0.1:%d%s", port, path);
    program_spawn(&curl, (const char *const[]){"curl", "-sS", "--noproxy", "*", "--max-time", "10",
                                               "--cacert", ca, url, url, option, value, NULL});
    program_wait(&curl, &result);
    ck_assert_msg(result.code == 0, "%s", result.err);
    return result.out;
}

ANYC_TEST_PLAIN(test_http_tls__curl_reaches_it)
{
    struct program server;
    int port;

    foreign_need("curl");
    program_start(&server, "http_server", TLS_LOCALHOST, NULL);
    port = program_port(&server);
    /* two on one connection */
    ck_assert_str_eq(curl(port, "/", NULL, NULL), "Hello, World!Hello, World!");
    ck_assert_str_eq(curl(port, "/x", "--http1.0", NULL), "Not found\nNot found\n");
    ck_assert_str_eq(curl(port, "/", "--data", "x=y"), "Not allowed\nNot allowed\n");
    program_stop(&server);
}
