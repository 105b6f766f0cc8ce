/* SPDX-License-Identifier: MIT */
/*
 * test_thread_portal.c - examples/thread_portal.c.
 */
#include <check.h>

#include <anyc/testing.h>

#include <stdio.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "examples/program.h"
#include "support/peer.h"

ANYC_TEST_PLAIN(test_thread_portal__prints_the_answers_in_order)
{
    static struct program_result result;
    struct program server;
    struct program client;
    char port[16];

    program_start(&server, "echo_server", "--port", "0", NULL);
    (void)snprintf(port, sizeof port, "%d", program_port(&server));
    program_start(&client, "thread_portal", "--port", port, "--timeout", "10", "one", "", "three",
                  NULL);
    program_wait(&client, &result);
    ck_assert_str_eq(result.err, "");
    ck_assert_str_eq(result.out, "one\n\nthree\n");
    ck_assert_int_eq(result.code, 0);
    program_stop(&server);
}

/* The listener never accepts; the system takes the connection all the same. */
ANYC_TEST_PLAIN(test_thread_portal__gives_up_in_time)
{
    static struct program_result result;
    int listener = peer_listen(AF_INET);
    struct program client;
    char port[16];

    (void)snprintf(port, sizeof port, "%d", peer_port(listener));
    program_start(&client, "thread_portal", "--port", port, "--timeout", "0.05", "hello", NULL);
    program_wait(&client, &result);
    ck_assert_str_eq(result.out, "");
    ck_assert_str_eq(result.err, "hello: ETIMEDOUT: timed out\n");
    ck_assert_int_eq(result.code, 1);
    close(listener);
}

/* The message of the failure is that of the task. */
ANYC_TEST_PLAIN(test_thread_portal__says_why_it_failed)
{
    static struct program_result result;
    int listener = peer_listen(AF_INET);
    struct program client;
    char port[16];

    (void)snprintf(port, sizeof port, "%d", peer_port(listener));
    close(listener);
    program_start(&client, "thread_portal", "--port", port, "a", "b", NULL);
    program_wait(&client, &result);
    ck_assert_ptr_nonnull(strstr(result.err, "a: ECONNREFUSED: "));
    ck_assert_ptr_nonnull(strstr(result.err, "b: ECONNREFUSED: "));
    ck_assert_ptr_nonnull(strstr(result.err, "127.0.0.1"));
    ck_assert_int_eq(result.code, 1);
}

ANYC_TEST_PLAIN(test_thread_portal__needs_a_port_and_a_text)
{
    static struct program_result result;
    struct program client;

    program_start(&client, "thread_portal", "--port", "1", NULL);
    program_wait(&client, &result);
    ck_assert_ptr_nonnull(strstr(result.err, "usage: thread_portal"));
    ck_assert_int_eq(result.code, 2);
}
