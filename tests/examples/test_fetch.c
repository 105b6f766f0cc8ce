/* SPDX-License-Identifier: MIT */
/*
 * test_fetch.c - examples/fetch.c, against a server in this process.
 */
#include <check.h>

#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "examples/program.h"
#include "support/peer.h"

/* Let `fetch` get a page that is answered by `response`. */
static void fetch(const char *response, struct program_result *out)
{
    int listener = peer_listen(AF_INET);
    struct program program;
    char url[64];
    char request[1024];
    int client;

    snprintf(url, sizeof url, "http://127.0.0.1:%d/page", peer_port(listener));
    program_start(&program, "fetch", url, NULL);
    client = peer_accept(listener);
    program_receive(client, "\r\n\r\n", request, sizeof request);
    ck_assert_int_eq(strncmp(request, "GET /page HTTP/1.1\r\n", 20), 0);
    ck_assert_ptr_nonnull(strstr(request, "\r\nHost: 127.0.0.1:"));
    program_send(client, response);
    close(client);
    close(listener);
    program_wait(&program, out);
}

static void check_fetch(const char *response, const char *body)
{
    static struct program_result result;

    fetch(response, &result);
    ck_assert_str_eq(result.out, body);
    ck_assert_str_eq(result.err, "HTTP/1.1 200 OK\n");
    ck_assert_int_eq(result.code, 0);
}

ANYC_TEST_PLAIN(test_fetch__prints_a_body_of_known_length)
{
    check_fetch("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello and more", "hello");
    check_fetch("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "");
}

ANYC_TEST_PLAIN(test_fetch__prints_a_body_in_chunks)
{
    check_fetch("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nhello\r\nA;x=y\r\n, chunked!\r\n0\r\n\r\n",
                "hello, chunked!");
}

ANYC_TEST_PLAIN(test_fetch__prints_a_body_up_to_the_end)
{
    check_fetch("HTTP/1.1 200 OK\r\n\r\nall of it", "all of it");
}

ANYC_TEST_PLAIN(test_fetch__tells_a_body_that_is_cut_short)
{
    static struct program_result result;

    fetch("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", &result);
    ck_assert_str_eq(result.out, "hello");
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "ANYC_EINCOMPLETE"));
    fetch("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", &result);
    ck_assert_int_eq(result.code, 1);
    fetch("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello", &result);
    ck_assert_int_eq(result.code, 1);
}

ANYC_TEST_PLAIN(test_fetch__says_why_it_cannot_connect)
{
    int listener = peer_listen(AF_INET);
    static struct program_result result;
    struct program program;
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d", peer_port(listener));
    close(listener);
    program_start(&program, "fetch", url, NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "ECONNREFUSED"));
    program_start(&program, "fetch", "ftp://127.0.0.1/", NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 2);
}

ANYC_TEST_PLAIN(test_fetch__gets_a_page_of_the_http_server)
{
    static struct program_result result;
    struct program server;
    struct program program;
    char url[64];

    program_start(&server, "http_server", NULL);
    snprintf(url, sizeof url, "http://localhost:%d/", program_port(&server));
    program_start(&program, "fetch", url, NULL);
    program_wait(&program, &result);
    ck_assert_str_eq(result.out, "Hello, World!");
    ck_assert_int_eq(result.code, 0);
    program_stop(&server);
}
