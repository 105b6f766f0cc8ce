/* SPDX-License-Identifier: MIT */
/*
 * test_echo_tls.c - examples/echo_server.c with --tls.
 */
#include <check.h>

#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "examples/tls_client.h"
#include "support/foreign.h"
#include "support/peer.h"
#include "support/unix_peer.h"

enum { SIZE_MAX_SENT = 200000, WRONG_ECHO = -1 };

/* -- what clients do -- */

/* What comes back must be what was sent; of these sizes. */
static int check_echoes(struct tls_peer *peer, const size_t *sizes, size_t count)
{
    unsigned char *sent = malloc(SIZE_MAX_SENT);
    unsigned char *received = malloc(SIZE_MAX_SENT);
    int rc = 0;

    for (size_t i = 0; i < SIZE_MAX_SENT; i++)
        sent[i] = (unsigned char)(i * 11 + i / 251);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = tls_peer_write(peer, sent, sizes[i]);
        if (rc == 0)
            rc = tls_peer_read_all(peer, received, sizes[i]);
        if (rc == 0 && memcmp(sent, received, sizes[i]) != 0)
            rc = WRONG_ECHO;
    }
    free(sent);
    free(received);
    return rc;
}

static int say_little(struct tls_peer *peer, void *arg)
{
    static const size_t sizes[] = {5, 1, 100};
    int rc = check_echoes(peer, sizes, 3);

    (void)arg;
    return rc != 0 ? rc : tls_peer_close_notify(peer);
}

/* On both sides of the sizes of buffers and records. */
static int say_much(struct tls_peer *peer, void *arg)
{
    static const size_t sizes[] = {511,   512,   513,           1,     16383, 16384, 16385,
                                   32768, 65536, SIZE_MAX_SENT, 65537, 512,   1};
    int rc = check_echoes(peer, sizes, sizeof sizes / sizeof *sizes);

    (void)arg;
    return rc != 0 ? rc : tls_peer_close_notify(peer);
}

/* Says something, and then nothing until the server has had enough. */
static int fall_silent(struct tls_peer *peer, void *arg)
{
    static const size_t size = 5;
    int rc = check_echoes(peer, &size, 1);
    char byte;

    (void)arg;
    if (rc == 0)
        rc = tls_peer_read(peer, &byte, 1);
    return rc == MBEDTLS_ERR_SSL_CONN_EOF ? 0 : rc;
}

static int break_off(struct tls_peer *peer, void *arg)
{
    int rc = tls_peer_write(peer, "unread", 6);

    (void)arg;
    tls_peer_reset(peer);
    return rc;
}

/* -- tests -- */

ANYC_TEST_PLAIN(test_echo_tls__sends_back_little_and_much)
{
    struct program server;
    int port;

    program_start(&server, "echo_server", TLS_LOCALHOST, NULL);
    port = program_port(&server);
    tls_client_run(port, say_little, NULL);
    tls_client_run(port, say_much, NULL);
    program_stop(&server);
}

ANYC_TEST_PLAIN(test_echo_tls__does_without_worker_threads_and_with_them)
{
    struct program server;

    for (int i = 0; i < 2; i++) {
        program_start(&server, "echo_server", TLS_LOCALHOST, "--tls-workers", i == 0 ? "off" : "on",
                      NULL);
        tls_client_run(program_port(&server), say_little, NULL);
        program_stop(&server);
    }
}

ANYC_TEST_PLAIN(test_echo_tls__threads_share_one_context)
{
    enum { CLIENTS = 12 };
    struct tls_peer clients[CLIENTS];
    struct program server;
    int port;

    program_start(&server, "echo_server", TLS_LOCALHOST, "--threads", "3", NULL);
    port = program_port(&server);
    for (int i = 0; i < CLIENTS; i++)
        tls_peer_client_start(&clients[i], program_connect(port), &tls_client_options, say_little,
                              NULL);
    for (int i = 0; i < CLIENTS; i++)
        tls_peer_join_ok(&clients[i]);
    program_stop(&server);
}

ANYC_TEST_PLAIN(test_echo_tls__serves_a_unix_socket)
{
    struct unix_place place = unix_place_make(false);
    struct tls_peer client;
    struct program server;

    program_start(&server, "echo_server", TLS_LOCALHOST, "--unix", place.name, NULL);
    program_await(server.out, "listening on ");
    tls_peer_client_start(&client, unix_peer_connect(&place), &tls_client_options, say_little,
                          NULL);
    tls_peer_join_ok(&client);
    program_stop(&server);
    unix_place_remove(&place);
}

ANYC_TEST_PLAIN(test_echo_tls__bounds_the_time_of_a_receive)
{
    struct program server;

    program_start(&server, "echo_server", TLS_LOCALHOST, "--timeout", "0.5", NULL);
    tls_client_run(program_port(&server), fall_silent, NULL);
    program_stop(&server);
}

/* Clients that break off, or speak no TLS, do no harm to the others. */
ANYC_TEST_PLAIN(test_echo_tls__survives_bad_clients)
{
    struct program server;
    char buf[64];
    int client;
    int port;

    program_start(&server, "echo_server", TLS_LOCALHOST, NULL);
    port = program_port(&server);
    for (int i = 0; i < 5; i++) {
        client = program_connect(port);
        program_send(client, "GET / HTTP/1.1\r\n\r\n");
        peer_receive(client, buf, sizeof buf); /* an alert, and the end */
        close(client);
        peer_reset(program_connect(port));
        tls_client_run(port, break_off, NULL);
    }
    tls_client_run(port, say_little, NULL);
    program_stop(&server);
}

/* A program that fails at once. */
static void check_fails(int code, const char *word, const char *a, const char *b, const char *c)
{
    static struct program_result result;
    struct program server;

    program_start(&server, "echo_server", "--tls", a, b, c, NULL);
    program_wait(&server, &result);
    ck_assert_msg(result.code == code, "%d: %s", result.code, result.err);
    ck_assert_msg(strstr(result.err, word) != NULL, "%s", result.err);
}

ANYC_TEST_PLAIN(test_echo_tls__says_what_is_wrong_with_its_files)
{
    check_fails(1, "ENOENT", "/nowhere/cert.pem", TLS_FILE("localhost.key"), NULL);
    check_fails(1, "localhost.pem", TLS_FILE("localhost.pem"), TLS_FILE("client.key"), NULL);
    check_fails(1, "README.md", TLS_FILE("README.md"), TLS_FILE("localhost.key"), NULL);
    check_fails(2, "usage:", TLS_FILE("localhost.pem"), NULL, NULL);
    check_fails(2, "usage:", TLS_FILE("localhost.pem"), TLS_FILE("localhost.key"), "--udp");
    check_fails(2, "usage:", TLS_FILE("localhost.pem"), TLS_FILE("localhost.key"),
                "--tls-workers=perhaps");
}

/* -- a program that is not ours -- */

ANYC_TEST_PLAIN(test_echo_tls__openssl_reaches_it)
{
    static struct program_result result;
    struct program server;
    struct program client;
    char target[64];
    char line[64];
    const char *ca = TLS_FILE("ca.pem");

    foreign_need("openssl");
    program_start(&server, "echo_server", TLS_LOCALHOST, NULL);
    snprintf(target, sizeof target, "127.0.0.1:%d", program_port(&server));
    program_spawn(&client,
                  (const char *const[]){"openssl", "s_client", "-quiet", "-no_ign_eof", "-connect",
                                        target, "-CAfile", ca, "-verify_return_error",
                                        "-verify_hostname", "localhost", NULL});
    ck_assert_int_eq(write(client.in, "hello\n", 6), 6);
    program_line(client.out, line, sizeof line);
    ck_assert_str_eq(line, "hello\n");
    program_wait(&client, &result); /* ends its input, and so TLS */
    ck_assert_msg(result.code == 0, "%s", result.err);
    program_stop(&server);
}
