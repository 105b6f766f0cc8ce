/* SPDX-License-Identifier: MIT */
/*
 * test_echo_server.c - examples/echo_server.c.
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

ANYC_TEST_PLAIN(test_echo_server__sends_back_what_comes)
{
    struct program server;
    char buf[16] = "";
    int clients[3];
    int port;

    program_start(&server, "echo_server", "--port", "0", NULL);
    port = program_port(&server);
    for (int i = 0; i < 3; i++)
        clients[i] = program_connect(port);
    for (int i = 2; i >= 0; i--) {
        program_send(clients[i], "hello");
        ck_assert_uint_eq(peer_receive(clients[i], buf, 5), 5);
        ck_assert_str_eq(buf, "hello");
    }
    for (int i = 0; i < 3; i++)
        close(clients[i]);
    program_stop(&server);
}

enum { LARGE = 4 * 1024 * 1024 };

static void send_large(struct peer_thread *peer)
{
    peer_send(peer->fd, peer->data, peer->len);
    shutdown(peer->fd, SHUT_WR);
}

ANYC_TEST_PLAIN(test_echo_server__sends_back_much)
{
    unsigned char *sent = malloc(LARGE);
    unsigned char *received = malloc(LARGE + 1);
    struct peer_thread peer = {.data = sent, .len = LARGE};
    struct program server;
    int client;

    for (size_t i = 0; i < LARGE; i++)
        sent[i] = (unsigned char)(i * 11 + i / 251);
    program_start(&server, "echo_server", NULL);
    client = program_connect(program_port(&server));
    peer_start(&peer, send_large, client);
    ck_assert_uint_eq(peer_receive(client, received, LARGE + 1), LARGE);
    ck_assert(memcmp(sent, received, LARGE) == 0);
    peer_join(&peer);
    close(client);
    free(sent);
    free(received);
    program_stop(&server);
}

/* Clients that break off do no harm to the others. */
ANYC_TEST_PLAIN(test_echo_server__survives_resets)
{
    struct program server;
    char buf[16] = "";
    int port;
    int client;

    program_start(&server, "echo_server", NULL);
    port = program_port(&server);
    for (int i = 0; i < 10; i++) {
        client = program_connect(port);
        program_send(client, "unread");
        peer_reset(client);
    }
    client = program_connect(port);
    program_send(client, "hello");
    ck_assert_uint_eq(peer_receive(client, buf, 5), 5);
    close(client);
    program_stop(&server);
}

ANYC_TEST_PLAIN(test_echo_server__says_why_it_cannot_listen)
{
    int taken = peer_listen(AF_INET);
    struct program server;
    static struct program_result result;
    char port[16];

    snprintf(port, sizeof port, "%d", peer_port(taken));
    program_start(&server, "echo_server", "--port", port, NULL);
    program_wait(&server, &result);
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "EADDRINUSE"));
    close(taken);
}
