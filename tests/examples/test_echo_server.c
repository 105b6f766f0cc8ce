/* SPDX-License-Identifier: MIT */
/*
 * test_echo_server.c - examples/echo_server.c.
 */
#include <check.h>

#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "examples/program.h"
#include "support/peer.h"
#include "support/unix_peer.h"

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

/* A client that sends is served however long that takes, one that is silent is cut off. */
ANYC_TEST_PLAIN(test_echo_server__bounds_the_time_of_a_receive)
{
    struct program server;
    char buf[16] = "";
    int client;

    program_start(&server, "echo_server", "--timeout", "0.2", NULL);
    client = program_connect(program_port(&server));
    program_send(client, "hello");
    ck_assert_uint_eq(peer_receive(client, buf, 5), 5);
    ck_assert_uint_eq(peer_receive(client, buf, sizeof buf), 0);
    close(client);
    program_stop(&server);
}

/* How many sockets of this machine listen on a port of IPv4. */
static int count_listeners(int port)
{
    FILE *table = fopen("/proc/net/tcp", "r");
    char line[256];
    int count = 0;

    ck_assert_ptr_nonnull(table);
    while (fgets(line, sizeof line, table) != NULL) {
        unsigned local = 0;
        unsigned state = 0;

        if (sscanf(line, " %*d: %*8x:%4x %*8x:%*4x %2x", &local, &state) == 2)
            count += local == (unsigned)port && state == 0x0a; /* TCP_LISTEN */
    }
    fclose(table);
    return count;
}

/* Each thread listens, and all answer. */
ANYC_TEST_PLAIN(test_echo_server__serves_one_port_in_several_threads)
{
    struct program server;
    char buf[16] = "";
    int clients[32];
    int port;

    program_start(&server, "echo_server", "--threads", "3", NULL);
    port = program_port(&server);
    for (int i = 0; i < 1000 && count_listeners(port) < 3; i++)
        usleep(10000);
    ck_assert_int_eq(count_listeners(port), 3);
    for (int i = 0; i < 32; i++) {
        clients[i] = program_connect(port);
        program_send(clients[i], "hello");
    }
    for (int i = 0; i < 32; i++) {
        ck_assert_uint_eq(peer_receive(clients[i], buf, 5), 5);
        ck_assert_str_eq(buf, "hello");
        close(clients[i]);
    }
    program_stop(&server);
}

ANYC_TEST_PLAIN(test_echo_server__serves_a_unix_socket)
{
    struct unix_place place = unix_place_make(false);
    struct program server;
    char buf[16] = "";
    int client;

    program_start(&server, "echo_server", "--unix", place.name, NULL);
    program_await(server.out, "listening on ");
    client = unix_peer_connect(&place);
    program_send(client, "hello");
    ck_assert_uint_eq(peer_receive(client, buf, 5), 5);
    close(client);
    program_stop(&server);
    unix_place_remove(&place);
}

ANYC_TEST_PLAIN(test_echo_server__sends_back_datagrams)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct program server;
    char buf[16] = "";
    int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    program_start(&server, "echo_server", "--udp", "--timeout", "30", NULL);
    address.sin_port = htons((uint16_t)program_port(&server));
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    for (int i = 0; i < 3; i++) {
        program_send(client, "hello");
        ck_assert_int_eq(recv(client, buf, sizeof buf, 0), 5);
    }
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
