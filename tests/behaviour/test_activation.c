/* SPDX-License-Identifier: MIT */
/*
 * test_activation.c - services that are started with their sockets (anyc_listen_fds), by
 * systemd's own launcher and by a small one in Python.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <stdio.h>
#include <string.h>

#include <unistd.h>

#include "support/foreign.h"
#include "support/peer.h"
#include "support/unix_peer.h"

static void check_success(struct program *program)
{
    static struct program_result result;

    program_wait(program, &result);
    ck_assert_msg(result.code == 0, "%s", result.err);
}

static void check_answer(int client, const char *answer)
{
    char buf[64] = "";

    (void)peer_receive(client, buf, sizeof buf - 1);
    ck_assert_str_eq(buf, answer);
    close(client);
}

ANYC_TEST_PLAIN(test_activation__systemd_hands_over_two_sockets)
{
    struct unix_place place = unix_place_make(false);
    struct program launcher;
    char address[64];
    int port = anyc_testing_free_tcp_port();
    int client;

    foreign_need("systemd-socket-activate");
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    program_spawn(&launcher, (const char *const[]){"systemd-socket-activate", "-l", place.name,
                                                   "-l", address, "--fdname=local:web",
                                                   ANYC_ACTIVATED, anyc_testing_backend(), NULL});
    program_await(launcher.err, "as 4");
    client = unix_peer_connect(&place); /* the service is started now */
    check_answer(client, "local");
    check_answer(peer_connect(AF_INET, port), "web");
    check_success(&launcher); /* it has become the service */
    unix_place_remove(&place);
}

/* Usage: LAUNCHER PATH PROGRAM ARGUMENTS...; descriptor 3 becomes a listener on the path. */
static const char launcher_script[] =
    "import os, socket, sys\n"
    "s = socket.socket(socket.AF_UNIX)\n"
    "s.bind(sys.argv[1])\n"
    "s.listen()\n"
    "print('listens', flush=True)\n"
    "if s.fileno() != 3:\n"
    "    os.dup2(s.fileno(), 3)\n"
    "os.set_inheritable(3, True)\n"
    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n";

ANYC_TEST_PLAIN(test_activation__a_launcher_hands_over_a_socket)
{
    struct unix_place place = unix_place_make(false);
    struct program launcher;

    program_spawn(&launcher, (const char *const[]){ANYC_PYTHON, "-c", launcher_script, place.name,
                                                   ANYC_ACTIVATED, anyc_testing_backend(), NULL});
    program_await(launcher.out, "listens");
    check_answer(unix_peer_connect(&place), "unknown");
    check_success(&launcher);
    unix_place_remove(&place);
}

ANYC_TEST_PLAIN(test_activation__without_a_launcher_there_are_no_sockets)
{
    static struct program_result result;
    struct program service;

    program_spawn(&service, (const char *const[]){ANYC_ACTIVATED, anyc_testing_backend(), NULL});
    program_wait(&service, &result);
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "ANYC_ENOTFOUND"));
}
