/* SPDX-License-Identifier: MIT */
/*
 * test_unix_programs.c - UNIX sockets between anyc and programs that are not ours: socat, nc, and
 * Python's socket module, which passes descriptors too.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "support/foreign.h"
#include "support/peer.h"
#include "support/program.h"
#include "support/unix_peer.h"

static anyc_listener *listen_on(const struct unix_place *place)
{
    const anyc_create_unix_listener_options options = {.path_len = place->len};
    anyc_listener *listener;

    ck_assert_int_eq(anyc_create_unix_listener(place->name, &options, &listener), 0);
    return listener;
}

static anyc_byte_stream *connect_to(const struct unix_place *place)
{
    const anyc_connect_unix_options options = {.path_len = place->len};
    anyc_byte_stream *stream;

    ck_assert_int_eq(anyc_connect_unix(place->name, &options, &stream), 0);
    return stream;
}

static int echo_until_the_end(anyc_byte_stream *stream, void *arg)
{
    char buf[256];
    ssize_t n = 1;

    (void)arg;
    while (n > 0) {
        n = anyc_receive(stream, buf, sizeof buf);
        if (n > 0)
            ck_assert_int_eq(anyc_send(stream, buf, (size_t)n), 0);
    }
    anyc_aclose(stream);
    return 0;
}

static int serve_echo(void *arg)
{
    return anyc_listener_serve(arg, echo_until_the_end, NULL, NULL);
}

/* What the client sends comes back to it. */
static void check_echo_client(const struct unix_place *place, const char *const *arguments)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_listener *listener = listen_on(place);
    struct program client;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, serve_echo, listener, NULL);
    program_spawn(&client, arguments);
    program_feed(&client, "hello, world\n");
    ck_assert_str_eq(foreign_output(&client), "hello, world\n");
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    anyc_aclose(listener);
}

/* What we send comes back, also after the end of our sending. */
static void check_echo_server(const struct unix_place *place)
{
    anyc_byte_stream *stream = connect_to(place);
    char buf[64] = "";
    size_t len = 0;
    ssize_t n = 1;

    ck_assert_int_eq(anyc_send(stream, "hello, ", 7), 0);
    ck_assert_int_eq(anyc_send(stream, "world\n", 6), 0);
    ck_assert_int_eq(anyc_send_eof(stream), 0);
    while (n > 0) {
        n = anyc_receive(stream, buf + len, sizeof buf - len);
        len += n > 0 ? (size_t)n : 0;
    }
    ck_assert_int_eq(n, ANYC_EOF);
    ck_assert_str_eq(buf, "hello, world\n");
    anyc_aclose(stream);
}

/* socat writes an abstract name without its zero byte; these have no other. */
static struct unix_place socat_place(bool abstract)
{
    struct unix_place place = unix_place_make(abstract);

    if (abstract)
        place.name[5] = '-';
    return place;
}

static void socat_address(const struct unix_place *place, const char *verb, char *out_text,
                          size_t size)
{
    bool abstract = unix_place_is_abstract(place);

    snprintf(out_text, size, "%s-%s:%.*s", abstract ? "ABSTRACT" : "UNIX", verb,
             (int)(abstract ? place->len - 1 : place->len), place->name + abstract);
}

static void socat_connects(bool abstract)
{
    struct unix_place place = socat_place(abstract);
    char address[256];

    socat_address(&place, "CONNECT", address, sizeof address);
    check_echo_client(&place, (const char *const[]){"socat", "-t", "10", "-", address, NULL});
    unix_place_remove(&place);
}

ANYC_TEST(test_unix_programs__socat_connects)
{
    foreign_need("socat");
    socat_connects(false);
    socat_connects(true);
}

static void socat_listens(bool abstract)
{
    struct unix_place place = socat_place(abstract);
    struct program server;
    char address[256];

    socat_address(&place, "LISTEN", address, sizeof address);
    program_spawn(&server, (const char *const[]){"socat", "-d", "-d", address, "PIPE", NULL});
    program_await(server.err, "listening on");
    check_echo_server(&place);
    ck_assert_ptr_nonnull(foreign_output(&server));
    unix_place_remove(&place);
}

ANYC_TEST(test_unix_programs__socat_listens)
{
    foreign_need("socat");
    socat_listens(false);
    socat_listens(true);
}

ANYC_TEST(test_unix_programs__nc_connects)
{
    struct unix_place place = unix_place_make(false);

    foreign_need("nc");
    check_echo_client(&place, (const char *const[]){"nc", "-N", "-U", place.name, NULL});
    unix_place_remove(&place);
}

ANYC_TEST(test_unix_programs__nc_listens)
{
    struct unix_place place = unix_place_make(false);
    struct program server;
    anyc_byte_stream *stream;
    char buf[64] = "";

    foreign_need("nc");
    program_spawn(&server, (const char *const[]){"nc", "-v", "-N", "-l", "-U", place.name, NULL});
    program_await(server.err, "istening on");
    program_feed(&server, "hello");
    stream = connect_to(&place);
    ck_assert_int_eq(anyc_receive(stream, buf, sizeof buf), 5);
    ck_assert_str_eq(buf, "hello");
    ck_assert_int_eq(anyc_send(stream, "olleh", 5), 0);
    ck_assert_int_eq(anyc_send_eof(stream), 0);
    ck_assert_str_eq(foreign_output(&server), "olleh");
    anyc_aclose(stream);
    unix_place_remove(&place);
}

/* -- descriptors -- */

/* Python connects; answers the program and our end. */
static anyc_byte_stream *accept_python(const struct unix_place *place, const char *script,
                                       struct program *out_program)
{
    anyc_listener *listener = listen_on(place);
    anyc_byte_stream *stream;

    program_spawn(out_program, (const char *const[]){ANYC_PYTHON, "-c", script, place->name, NULL});
    ck_assert_int_eq(anyc_socket_listener_accept(listener, &stream), 0);
    anyc_aclose(listener);
    return stream;
}

/* NT-034: the message and the descriptors of a foreign program. */
ANYC_TEST(test_unix_programs__python_sends_descriptors)
{
    static const char script[] = "import os, socket, sys, tempfile\n"
                                 "s = socket.socket(socket.AF_UNIX)\n"
                                 "s.connect(sys.argv[1])\n"
                                 "files = [tempfile.TemporaryFile() for _ in range(2)]\n"
                                 "for f, text in zip(files, (b'Hello, ', b'World!')):\n"
                                 "    f.write(text)\n"
                                 "    f.seek(0)\n"
                                 "socket.send_fds(s, [b'test'], [f.fileno() for f in files])\n";
    struct unix_place place = unix_place_make(false);
    struct program python;
    anyc_byte_stream *stream = accept_python(&place, script, &python);
    char text[32] = "";
    char buf[10] = "";
    size_t count = 0;
    int fds[2];

    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(stream, buf, 10, fds, 2, &count), 4);
    ck_assert_str_eq(buf, "test");
    ck_assert_uint_eq(count, 2);
    unix_peer_read_file(fds[0], text, sizeof text);
    ck_assert_str_eq(text, "Hello, ");
    unix_peer_read_file(fds[1], text, sizeof text);
    ck_assert_str_eq(text, "World!");
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(stream, buf, 10, fds, 2, &count),
                     ANYC_EOF);
    ck_assert_str_eq(foreign_output(&python), "");
    anyc_aclose(stream);
    unix_place_remove(&place);
}

/* NT-036 */
ANYC_TEST(test_unix_programs__python_receives_descriptors)
{
    static const char script[] = "import os, socket, sys\n"
                                 "s = socket.socket(socket.AF_UNIX)\n"
                                 "s.connect(sys.argv[1])\n"
                                 "message, fds, flags, _ = socket.recv_fds(s, 10, 2)\n"
                                 "print(message.decode(), flags, end=' ')\n"
                                 "print(*[os.read(fd, 100).decode() for fd in fds])\n";
    struct unix_place place = unix_place_make(false);
    struct program python;
    anyc_byte_stream *stream = accept_python(&place, script, &python);
    int files[2] = {unix_peer_file("Hello,"), unix_peer_file("World!")};

    ck_assert_int_eq(anyc_unix_socket_stream_send_fds(stream, "test", 4, files, 2), 0);
    close(files[0]);
    close(files[1]);
    ck_assert_str_eq(foreign_output(&python), "test 0 Hello, World!\n");
    anyc_aclose(stream);
    unix_place_remove(&place);
}

/* A connection that Python accepted goes on here. */
ANYC_TEST(test_unix_programs__python_hands_over_a_connection)
{
    static const char script[] = "import socket, sys\n"
                                 "s = socket.socket(socket.AF_UNIX)\n"
                                 "s.connect(sys.argv[1])\n"
                                 "server = socket.create_server(('127.0.0.1', 0))\n"
                                 "print(server.getsockname()[1], flush=True)\n"
                                 "connection, _ = server.accept()\n"
                                 "socket.send_fds(s, [b'c'], [connection.fileno()])\n";
    struct unix_place place = unix_place_make(false);
    struct program python;
    anyc_byte_stream *channel = accept_python(&place, script, &python);
    anyc_byte_stream *stream;
    char buf[16] = "";
    size_t count = 0;
    int client;
    int fd;

    program_line(python.out, buf, sizeof buf);
    client = peer_connect(AF_INET, atoi(buf));
    ck_assert_int_eq(anyc_unix_socket_stream_receive_fds(channel, buf, 1, &fd, 1, &count), 1);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(anyc_socket_stream_from_fd(fd, &stream), 0);
    ck_assert_str_eq(foreign_output(&python), "");
    ck_assert_int_eq(anyc_send(stream, "yours", 5), 0);
    ck_assert_uint_eq(peer_receive(client, buf, 5), 5);
    ck_assert_mem_eq(buf, "yours", 5);
    anyc_aclose(stream);
    anyc_aclose(channel);
    close(client);
    unix_place_remove(&place);
}
