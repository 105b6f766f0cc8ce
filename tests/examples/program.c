/* SPDX-License-Identifier: MIT */
/*
 * program.c - starts a program of examples/ on the backend of the running test, and talks to it.
 */
#include "examples/program.h"

#include <check.h>

#include <anyc/testing.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "support/peer.h"

enum { ARGUMENTS_MAX = 16 };

static void program_start_by(void (*spawn)(struct program *, const char *const *),
                             struct program *program, const char *name, va_list list)
{
    char path[4096];
    const char *arguments[ARGUMENTS_MAX] = {path, "--backend", anyc_testing_backend()};

    for (int i = 3; i < ARGUMENTS_MAX && (i == 3 || arguments[i - 1] != NULL); i++)
        arguments[i] = va_arg(list, char *);
    snprintf(path, sizeof path, "%s/%s", ANYC_EXAMPLES_DIR, name);
    spawn(program, arguments);
}

void program_start(struct program *program, const char *name, ...)
{
    va_list list;

    va_start(list, name);
    program_start_by(program_spawn, program, name, list);
    va_end(list);
}

void program_start_on_terminal(struct program *program, const char *name, ...)
{
    va_list list;

    va_start(list, name);
    program_start_by(program_spawn_on_terminal, program, name, list);
    va_end(list);
}

int program_port(struct program *program)
{
    char line[256];
    int port = 0;

    program_line(program->out, line, sizeof line);
    ck_assert_int_eq(sscanf(line, "listening on 127.0.0.1:%d", &port), 1);
    return port;
}

int program_connect(int port)
{
    return peer_connect(AF_INET, port);
}

void program_send(int fd, const char *text)
{
    ck_assert(peer_send(fd, text, strlen(text)));
}

void program_receive(int fd, const char *end, char *buf, size_t size)
{
    size_t len = 0;
    ssize_t n = 1;

    buf[0] = '\0';
    while (n > 0 && strstr(buf, end) == NULL) {
        n = recv(fd, buf + len, size - 1 - len, 0);
        ck_assert_msg(n >= 0, "recv: %s", strerror(errno));
        len += (size_t)n;
        buf[len] = '\0';
    }
}
