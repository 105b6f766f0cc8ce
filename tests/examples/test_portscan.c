/* SPDX-License-Identifier: MIT */
/*
 * test_portscan.c - examples/portscan.c.
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

ANYC_TEST_PLAIN(test_portscan__finds_the_open_ports)
{
    int listeners[3];
    static struct program_result result;
    struct program program;
    char line[16];

    for (int i = 0; i < 3; i++)
        listeners[i] = peer_listen(AF_INET);
    program_start(&program, "portscan", "127.0.0.1", "1", "65535", NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 0);
    for (int i = 0; i < 3; i++) {
        snprintf(line, sizeof line, "%d\n", peer_port(listeners[i]));
        ck_assert_ptr_nonnull(strstr(result.out, line));
        peer_drain(listeners[i]);
        close(listeners[i]);
    }
}

/* A port that never answers ends after its second, and is not open. */
ANYC_TEST_PLAIN(test_portscan__gives_up_on_a_silent_port)
{
    int filler;
    int listener = peer_listen_full("127.0.0.1", &filler);
    static struct program_result result;
    struct program program;
    char port[16];

    snprintf(port, sizeof port, "%d", peer_port(listener));
    program_start(&program, "portscan", "localhost", port, port, NULL);
    program_wait(&program, &result);
    ck_assert_str_eq(result.out, "");
    ck_assert_int_eq(result.code, 0);
    close(listener);
    close(filler);
}

ANYC_TEST_PLAIN(test_portscan__refuses_a_bad_range)
{
    static struct program_result result;
    struct program program;

    program_start(&program, "portscan", "localhost", "0", "10", NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 2);
    program_start(&program, "portscan", "localhost", "1", "65536", NULL);
    program_wait(&program, &result);
    ck_assert_int_eq(result.code, 2);
}
