/* SPDX-License-Identifier: MIT */
/*
 * test_datagram_programs.c - UDP and UNIX datagrams between anyc and programs that are not ours:
 * socat, nc, and Python's socket module.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "support/foreign.h"
#include "support/program.h"
#include "support/tasks.h"
#include "support/unix_peer.h"

enum { ROOM = 2048 };

static void reverse(char *buf, size_t len)
{
    while (len > 0 && buf[len - 1] == '\n')
        len--;
    for (size_t i = 0; i < len / 2; i++) {
        char byte = buf[i];

        buf[i] = buf[len - 1 - i];
        buf[len - 1 - i] = byte;
    }
}

static int serve_udp(void *arg)
{
    char buf[ROOM];
    anyc_datagram datagram = {.data = buf, .size = sizeof buf};
    int rc = 0;

    while (rc == 0) {
        rc = anyc_udp_socket_receive(arg, &datagram);
        reverse(buf, rc == 0 ? datagram.len : 0);
        if (rc == 0)
            rc = anyc_udp_socket_send(arg, &datagram);
    }
    return rc;
}

static int serve_unix(void *arg)
{
    char buf[ROOM];
    anyc_datagram datagram = {.data = buf, .size = sizeof buf};
    int rc = 0;

    while (rc == 0) {
        rc = anyc_unix_datagram_socket_receive(arg, &datagram);
        reverse(buf, rc == 0 ? datagram.len : 0);
        if (rc == 0)
            rc = anyc_unix_datagram_socket_send(arg, &datagram);
    }
    return rc;
}

/* Run a client that is to print what it sends reversed, while a task serves. */
static void check_client(anyc_task_fn serve, void *socket, const char *const *arguments)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct program client;

    anyc_task_group_enter(&group);
    spawn(&group, serve, socket);
    program_spawn(&client, arguments);
    program_feed(&client, "FOOBAR\n");
    ck_assert_str_eq(foreign_output(&client), "RABOOF\n");
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

/* -- UDP: they send, we answer -- */

static anyc_udp_socket *udp_open(int *out_port)
{
    anyc_create_udp_socket_options options = {.local_host = "127.0.0.1"};
    anyc_udp_socket *socket;

    ck_assert_ok(anyc_create_udp_socket(&options, &socket));
    ck_assert_ok(anyc_extra(socket, &ANYC_SOCKET_LOCAL_PORT, out_port));
    return socket;
}

ANYC_TEST(test_datagram_programs__socat_sends_by_udp)
{
    char address[64];
    anyc_udp_socket *socket;
    int port = 0;

    foreign_need("socat");
    socket = udp_open(&port);
    snprintf(address, sizeof address, "UDP4:127.0.0.1:%d", port);
    check_client(serve_udp, socket,
                 (const char *const[]){"socat", "-t", "0.5", "-", address, NULL});
    anyc_aclose(socket);
}

ANYC_TEST(test_datagram_programs__nc_sends_by_udp)
{
    char text[16];
    anyc_udp_socket *socket;
    int port = 0;

    foreign_need("nc");
    socket = udp_open(&port);
    snprintf(text, sizeof text, "%d", port);
    check_client(serve_udp, socket,
                 (const char *const[]){"nc", "-u", "-w", "1", "127.0.0.1", text, NULL});
    anyc_aclose(socket);
}

/* An empty datagram, one of every byte, a large one. */
ANYC_TEST(test_datagram_programs__python_sends_by_udp)
{
    static const char script[] = "import socket, sys\n"
                                 "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                                 "s.settimeout(10)\n"
                                 "s.connect(('127.0.0.1', int(sys.argv[1])))\n"
                                 "for data in (b'', bytes(range(1, 256)), b'ab' * 700):\n"
                                 "    s.send(data)\n"
                                 "    line = data.rstrip(b'\\n')\n"
                                 "    assert s.recv(65536) == line[::-1] + data[len(line):]\n"
                                 "s.send(sys.stdin.buffer.read())\n"
                                 "sys.stdout.write(s.recv(65536).decode())\n";
    char text[16];
    int port = 0;
    anyc_udp_socket *socket = udp_open(&port);

    snprintf(text, sizeof text, "%d", port);
    check_client(serve_udp, socket, (const char *const[]){ANYC_PYTHON, "-c", script, text, NULL});
    anyc_aclose(socket);
}

/* -- UDP: we send, they answer -- */

/* What we send to a program comes back to us. */
static void check_udp_server(int port)
{
    anyc_connected_udp_socket *socket;
    char buf[ROOM] = "";

    ck_assert_ok(anyc_create_connected_udp_socket("127.0.0.1", port, NULL, &socket));
    ck_assert_ok(anyc_connected_udp_socket_send(socket, "hello", 5));
    ck_assert_int_eq(anyc_connected_udp_socket_receive(socket, buf, sizeof buf, NULL), 5);
    ck_assert_str_eq(buf, "hello");
    anyc_aclose(socket);
}

ANYC_TEST(test_datagram_programs__socat_answers_by_udp)
{
    struct program server;
    char address[64];
    int port = anyc_testing_free_udp_port();

    foreign_need("socat");
    snprintf(address, sizeof address, "UDP4-RECVFROM:%d,bind=127.0.0.1", port);
    program_spawn(&server, (const char *const[]){"socat", "-d", "-d", address, "PIPE", NULL});
    program_await(server.err, "receiving on");
    check_udp_server(port);
    ck_assert_ptr_nonnull(foreign_output(&server));
}

ANYC_TEST(test_datagram_programs__python_answers_by_udp)
{
    static const char script[] = "import socket\n"
                                 "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                                 "s.settimeout(10)\n"
                                 "s.bind(('127.0.0.1', 0))\n"
                                 "print(s.getsockname()[1], flush=True)\n"
                                 "s.sendto(*s.recvfrom(65536))\n";
    struct program server;
    char line[64] = "";
    int port = 0;

    program_spawn(&server, (const char *const[]){ANYC_PYTHON, "-c", script, NULL});
    ck_assert_int_gt(read(server.out, line, sizeof line - 1), 0);
    port = atoi(line);
    check_udp_server(port);
    ck_assert_ptr_nonnull(foreign_output(&server));
}

/* -- UNIX -- */

static anyc_unix_datagram_socket *unix_open(const struct unix_place *place)
{
    anyc_create_unix_datagram_socket_options options = {.local_path = place->name,
                                                        .local_path_len = place->len};
    anyc_unix_datagram_socket *socket;

    ck_assert_ok(anyc_create_unix_datagram_socket(&options, &socket));
    return socket;
}

/* A name that can stand on a command line. */
static struct unix_place plain_place(bool abstract)
{
    struct unix_place place = unix_place_make(abstract);

    if (abstract)
        place.name[5] = '-';
    return place;
}

/* As socat writes it: an abstract one without its zero byte. */
static void socat_name(const struct unix_place *place, char *out_text, size_t size)
{
    bool abstract = unix_place_is_abstract(place);

    snprintf(out_text, size, "%.*s", (int)(abstract ? place->len - 1 : place->len),
             place->name + abstract);
}

static void socat_sends(bool abstract)
{
    struct unix_place place = plain_place(abstract);
    struct unix_place own = plain_place(abstract);
    anyc_unix_datagram_socket *socket = unix_open(&place);
    char name[128];
    char own_name[128];
    char address[300];

    socat_name(&place, name, sizeof name);
    socat_name(&own, own_name, sizeof own_name);
    snprintf(address, sizeof address, "%s-SENDTO:%s,bind=%s", abstract ? "ABSTRACT" : "UNIX", name,
             own_name);
    check_client(serve_unix, socket,
                 (const char *const[]){"socat", "-t", "0.5", "-", address, NULL});
    anyc_aclose(socket);
    unix_place_remove(&own);
    unix_place_remove(&place);
}

ANYC_TEST(test_datagram_programs__socat_sends_to_a_unix_socket)
{
    foreign_need("socat");
    socat_sends(false);
    socat_sends(true);
}

ANYC_TEST(test_datagram_programs__nc_sends_to_a_unix_socket)
{
    struct unix_place place = unix_place_make(false);
    struct unix_place own = unix_place_make(false);
    anyc_unix_datagram_socket *socket = unix_open(&place);

    foreign_need("nc");
    check_client(
        serve_unix, socket,
        (const char *const[]){"nc", "-u", "-U", "-w", "1", "-s", own.name, place.name, NULL});
    anyc_aclose(socket);
    unix_place_remove(&own);
    unix_place_remove(&place);
}

static void python_sends(bool abstract)
{
    static const char script[] = "import socket, sys\n"
                                 "own, name = (a.replace('@', '\\0', 1) for a in sys.argv[1:])\n"
                                 "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                                 "s.settimeout(10)\n"
                                 "s.bind(own)\n"
                                 "s.sendto(sys.stdin.buffer.read(), name)\n"
                                 "data, sender = s.recvfrom(65536)\n"
                                 "assert sender in (name, name.encode()), sender\n"
                                 "sys.stdout.write(data.decode())\n";
    struct unix_place place = plain_place(abstract);
    struct unix_place own = plain_place(abstract);
    anyc_unix_datagram_socket *socket = unix_open(&place);
    char name[128] = "@";
    char own_name[128] = "@";

    socat_name(&place, name + abstract, sizeof name - 1);
    socat_name(&own, own_name + abstract, sizeof own_name - 1);
    check_client(serve_unix, socket,
                 (const char *const[]){ANYC_PYTHON, "-c", script, own_name, name, NULL});
    anyc_aclose(socket);
    unix_place_remove(&own);
    unix_place_remove(&place);
}

ANYC_TEST(test_datagram_programs__python_sends_to_a_unix_socket)
{
    python_sends(false);
    python_sends(true);
}

static void socat_answers(bool abstract)
{
    struct unix_place place = plain_place(abstract);
    struct unix_place own = plain_place(abstract);
    anyc_create_connected_unix_datagram_socket_options options = {
        .remote_path_len = place.len, .local_path = own.name, .local_path_len = own.len};
    anyc_connected_unix_datagram_socket *socket;
    struct program server;
    char name[128];
    char address[200];
    char buf[ROOM] = "";

    socat_name(&place, name, sizeof name);
    snprintf(address, sizeof address, "%s-RECVFROM:%s", abstract ? "ABSTRACT" : "UNIX", name);
    program_spawn(&server, (const char *const[]){"socat", "-d", "-d", address, "PIPE", NULL});
    program_await(server.err, "receiving on");
    ck_assert_ok(anyc_create_connected_unix_datagram_socket(place.name, &options, &socket));
    ck_assert_ok(anyc_connected_unix_datagram_socket_send(socket, "hello", 5));
    ck_assert_int_eq(anyc_connected_unix_datagram_socket_receive(socket, buf, sizeof buf, NULL), 5);
    ck_assert_str_eq(buf, "hello");
    ck_assert_ptr_nonnull(foreign_output(&server));
    anyc_aclose(socket);
    unix_place_remove(&own);
    unix_place_remove(&place);
}

ANYC_TEST(test_datagram_programs__socat_answers_a_unix_socket)
{
    foreign_need("socat");
    socat_answers(false);
    socat_answers(true);
}
