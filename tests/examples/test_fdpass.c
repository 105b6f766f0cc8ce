/* SPDX-License-Identifier: MIT */
/*
 * test_fdpass.c - examples/fdpass.c.
 */
#include <check.h>

#include <anyc/testing.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "examples/program.h"
#include "support/peer.h"

/* A connection, and the worker that has it. */
static int connect_to_worker(int port, int *out_worker)
{
    int client = program_connect(port);
    char line[64];

    program_receive(client, "\n", line, sizeof line);
    ck_assert_msg(sscanf(line, "worker %d", out_worker) == 1, "%s", line);
    return client;
}

static void check_echo(int client)
{
    char buf[8] = "";

    program_send(client, "hello");
    ck_assert_uint_eq(peer_receive(client, buf, 5), 5);
    ck_assert_str_eq(buf, "hello");
}

/* Kill a worker, and wait until it has let go of everything. It is no child of ours. */
static void kill_worker(int worker)
{
    int handle = (int)syscall(SYS_pidfd_open, worker, 0);
    struct pollfd gone = {.fd = handle, .events = POLLIN};

    if (handle < 0)
        ANYC_TEST_SKIP("needs pidfd_open");
    ck_assert_int_eq(kill(worker, SIGKILL), 0);
    ck_assert_int_eq(poll(&gone, 1, 10000), 1);
    close(handle);
}

ANYC_TEST_PLAIN(test_fdpass__workers_serve_in_turn)
{
    struct program server;
    int workers[6];
    int clients[6];
    int port;

    program_start(&server, "fdpass", "3", NULL);
    port = program_port(&server);
    for (int i = 0; i < 6; i++)
        clients[i] = connect_to_worker(port, &workers[i]);
    for (int i = 0; i < 6; i++) {
        check_echo(clients[i]);
        ck_assert_int_ne(workers[i], server.pid);
        ck_assert_int_eq(workers[i], workers[i % 3]);
        close(clients[i]);
    }
    ck_assert_int_ne(workers[0], workers[1]);
    ck_assert_int_ne(workers[1], workers[2]);
    ck_assert_int_ne(workers[0], workers[2]);
    program_stop(&server);
}

ANYC_TEST_PLAIN(test_fdpass__a_worker_that_dies_is_passed_over)
{
    struct program server;
    int dead;
    int worker;
    int port;
    int client;
    char byte;

    program_start(&server, "fdpass", NULL);
    port = program_port(&server);
    client = connect_to_worker(port, &dead);
    kill_worker(dead);
    ck_assert_uint_eq(peer_receive(client, &byte, 1), 0);
    close(client);
    for (int i = 0; i < 3; i++) {
        client = connect_to_worker(port, &worker);
        ck_assert_int_ne(worker, dead);
        check_echo(client);
        close(client);
    }
    program_stop(&server);
}

ANYC_TEST_PLAIN(test_fdpass__ends_when_no_worker_is_left)
{
    static struct program_result result;
    struct program server;
    int worker;
    int client;
    int port;

    program_start(&server, "fdpass", "1", NULL);
    port = program_port(&server);
    client = connect_to_worker(port, &worker);
    kill_worker(worker);
    close(client);
    client = program_connect(port);
    program_wait(&server, &result);
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "ANYC_EBROKEN"));
    close(client);
}

/* The workers have the connections for themselves: they outlive the supervisor, and the workers end
 * with them. The outputs end when everybody has gone. */
ANYC_TEST_PLAIN(test_fdpass__connections_outlive_the_supervisor)
{
    static struct program_result result;
    struct program server;
    int worker;
    int client;

    program_start(&server, "fdpass", NULL);
    client = connect_to_worker(program_port(&server), &worker);
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    check_echo(client);
    close(client);
    program_wait(&server, &result);
    ck_assert_int_eq(result.code, 128 + SIGTERM);
    ck_assert_str_eq(result.err, "");
}

ANYC_TEST_PLAIN(test_fdpass__refuses_what_is_no_number_of_workers)
{
    static struct program_result result;
    struct program server;

    program_start(&server, "fdpass", "0", NULL);
    program_wait(&server, &result);
    ck_assert_int_eq(result.code, 2);
    ck_assert_ptr_nonnull(strstr(result.err, "usage: fdpass"));
}
