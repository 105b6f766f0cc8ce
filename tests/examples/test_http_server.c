/* SPDX-License-Identifier: MIT */
/*
 * test_http_server.c - examples/http_server.c.
 */
#include <check.h>

#include <anyc/testing.h>

#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "examples/program.h"
#include "support/peer.h"

#define HOST "\r\nHost: x\r\n\r\n"
#define HELLO "\r\n\r\nHello, World!"

static size_t count_text(const char *text, const char *part)
{
    size_t count = 0;

    for (text = strstr(text, part); text != NULL; text = strstr(text + 1, part))
        count++;
    return count;
}

/* Send a request on a connection of its own; everything that is answered until the end. */
static void ask(int port, const char *request, char *buf, size_t size)
{
    int client = program_connect(port);

    program_send(client, request);
    ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
    program_receive(client, "\xff", buf, size);
    close(client);
}

ANYC_TEST_PLAIN(test_http_server__answers_and_keeps_the_connection)
{
    struct program server;
    char buf[4096];
    int client;

    program_start(&server, "http_server", NULL);
    client = program_connect(program_port(&server));
    for (int i = 0; i < 3; i++) {
        program_send(client, "GET / HTTP/1.1" HOST);
        program_receive(client, HELLO, buf, sizeof buf);
        ck_assert_int_eq(strncmp(buf, "HTTP/1.1 200 OK\r\n", 17), 0);
        ck_assert_ptr_nonnull(strstr(buf, "\r\nContent-Length: 13\r\n"));
    }
    close(client);
    program_stop(&server);
}

ANYC_TEST_PLAIN(test_http_server__answers_pipelined_requests_in_order)
{
    enum { COUNT = 100 };
    static char requests[COUNT * 64];
    static char buf[65536];
    struct program server;

    for (int i = 0; i < COUNT; i++)
        strcat(requests, i % 2 == 0 ? "GET / HTTP/1.1" HOST : "GET /x HTTP/1.1" HOST);
    program_start(&server, "http_server", NULL);
    ask(program_port(&server), requests, buf, sizeof buf);
    ck_assert_uint_eq(count_text(buf, "HTTP/1.1 200 OK"), COUNT / 2);
    ck_assert_uint_eq(count_text(buf, "HTTP/1.1 404 "), COUNT / 2);
    ck_assert(strstr(buf, "200 OK") < strstr(buf, "404 "));
    program_stop(&server);
}

/* A request may come byte by byte. */
ANYC_TEST_PLAIN(test_http_server__waits_for_a_whole_request)
{
    const char *request = "GET / HTTP/1.1" HOST "HEAD / HTTP/1.1" HOST;
    struct program server;
    char buf[4096];
    int client;

    program_start(&server, "http_server", NULL);
    client = program_connect(program_port(&server));
    for (size_t i = 0; i < strlen(request); i++)
        ck_assert(peer_send(client, request + i, 1));
    ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
    program_receive(client, "\xff", buf, sizeof buf);
    ck_assert_uint_eq(count_text(buf, "HTTP/1.1 200 OK"), 2);
    ck_assert_uint_eq(count_text(buf, "Content-Length: 13"), 2);
    ck_assert_uint_eq(count_text(buf, "Hello, World!"), 1); /* none for HEAD */
    close(client);
    program_stop(&server);
}

ANYC_TEST_PLAIN(test_http_server__refuses_what_it_does_not_know)
{
    static const char *const bad[] = {"rubbish\r\n\r\n",
                                      "\r\n\r\n",
                                      "GET /\r\n\r\n",
                                      "GET / HTTP/1.1\r\n\r\n",
                                      "GET / HTTP/1.1\r\nHost\r\n\r\n",
                                      "GET / HTTP/2.0" HOST,
                                      "GET / HTTP/1.1 x" HOST,
                                      " / HTTP/1.1" HOST};
    struct program server;
    char buf[4096];
    int port;

    program_start(&server, "http_server", NULL);
    port = program_port(&server);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ask(port, bad[i], buf, sizeof buf);
        ck_assert_msg(strncmp(buf, "HTTP/1.1 400 ", 13) == 0, "%s: %s", bad[i], buf);
    }
    ask(port, "GET /nothing HTTP/1.1" HOST, buf, sizeof buf);
    ck_assert_int_eq(strncmp(buf, "HTTP/1.1 404 ", 13), 0);
    ask(port, "DELETE / HTTP/1.1" HOST, buf, sizeof buf);
    ck_assert_int_eq(strncmp(buf, "HTTP/1.1 405 ", 13), 0);
    program_stop(&server);
}

ANYC_TEST_PLAIN(test_http_server__bounds_the_size_of_a_request)
{
    static char request[65536];
    struct program server;
    char buf[4096];

    strcpy(request, "GET / HTTP/1.1\r\nHost: ");
    memset(request + strlen(request), 'x', 20000);
    strcat(request, "\r\n\r\n");
    program_start(&server, "http_server", NULL);
    ask(program_port(&server), request, buf, sizeof buf);
    ck_assert_int_eq(strncmp(buf, "HTTP/1.1 431 ", 13), 0);
    program_stop(&server);
}

/* "Connection: close", HTTP/1.0 and bodies end the connection behind the answer. */
ANYC_TEST_PLAIN(test_http_server__closes_when_asked_to)
{
    static const char *const last[] = {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                                       "GET / HTTP/1.0\r\n\r\n",
                                       "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nxxx"};
    struct program server;
    char buf[4096];
    int port;

    program_start(&server, "http_server", NULL);
    port = program_port(&server);
    for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
        int client = program_connect(port);

        program_send(client, last[i]);
        program_receive(client, "\xff", buf, sizeof buf); /* until the end */
        ck_assert_uint_eq(count_text(buf, HELLO), 1);
        close(client);
    }
    program_stop(&server);
}

/* A client that takes too long over a request is cut off. */
ANYC_TEST_PLAIN(test_http_server__bounds_the_time_of_a_request)
{
    struct program server;
    char buf[64];
    int client;

    program_start(&server, "http_server", "--timeout", "0.05", NULL);
    client = program_connect(program_port(&server));
    program_send(client, "GET / HT");
    ck_assert_uint_eq(peer_receive(client, buf, sizeof buf), 0);
    close(client);
    program_stop(&server);
}
