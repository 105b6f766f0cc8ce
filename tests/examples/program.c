/* SPDX-License-Identifier: MIT */
/*
 * program.c - starts a program of examples/ on the backend of the running test, and talks to it.
 */
#include "program.h"

#include <check.h>

#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sys/wait.h>
#include <unistd.h>

#include "support/peer.h"

extern char **environ;

enum { ARGUMENTS_MAX = 16 };

static void program_spawn(struct program *program, const char *path, char *const *arguments,
                          const int out[2], const int err[2])
{
    posix_spawn_file_actions_t actions;

    ck_assert_int_eq(posix_spawn_file_actions_init(&actions), 0);
    ck_assert_int_eq(posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO), 0);
    ck_assert_int_eq(posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO), 0);
    ck_assert_int_eq(posix_spawn(&program->pid, path, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
}

void program_start(struct program *program, const char *name, ...)
{
    char *arguments[ARGUMENTS_MAX] = {(char *)name, "--backend", (char *)anyc_testing_backend()};
    char path[4096];
    int out[2];
    int err[2];
    va_list list;

    va_start(list, name);
    for (int i = 3; i < ARGUMENTS_MAX && (i == 3 || arguments[i - 1] != NULL); i++)
        arguments[i] = va_arg(list, char *);
    va_end(list);
    snprintf(path, sizeof path, "%s/%s", ANYC_EXAMPLES_DIR, name);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
    program_spawn(program, path, arguments, out, err);
    close(out[1]);
    close(err[1]);
    program->out = out[0];
    program->err = err[0];
}

int program_port(struct program *program)
{
    char line[256] = "";
    size_t len = 0;
    int port = 0;

    while (strchr(line, '\n') == NULL) {
        ssize_t n = read(program->out, line + len, sizeof line - 1 - len);

        ck_assert_msg(n > 0, "the program does not listen: %s", line);
        len += (size_t)n;
        line[len] = '\0';
    }
    ck_assert_int_eq(sscanf(line, "listening on 127.0.0.1:%d", &port), 1);
    return port;
}

/* Both outputs at once, so that a program that prints much to one of them does not block. */
static void program_collect(struct program *program, struct program_result *out)
{
    struct pollfd wanted[] = {{program->out, POLLIN, 0}, {program->err, POLLIN, 0}};
    char *texts[] = {out->out, out->err};
    size_t lens[] = {0, 0};

    while (wanted[0].fd >= 0 || wanted[1].fd >= 0) {
        ck_assert_int_ge(poll(wanted, 2, -1), 1);
        for (int i = 0; i < 2; i++) {
            ssize_t n = 1;

            if (wanted[i].fd < 0 || wanted[i].revents == 0)
                continue;
            n = read(wanted[i].fd, texts[i] + lens[i], PROGRAM_TEXT - 1 - lens[i]);
            lens[i] += n > 0 ? (size_t)n : 0;
            if (n <= 0)
                wanted[i].fd = -1;
        }
    }
    out->out[lens[0]] = '\0';
    out->err[lens[1]] = '\0';
}

void program_wait(struct program *program, struct program_result *out)
{
    int status = 0;

    program_collect(program, out);
    ck_assert_int_eq(waitpid(program->pid, &status, 0), program->pid);
    out->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    close(program->out);
    close(program->err);
}

void program_stop(struct program *program)
{
    int status = 0;

    ck_assert_int_eq(waitpid(program->pid, &status, WNOHANG), 0); /* it runs still */
    ck_assert_int_eq(kill(program->pid, SIGTERM), 0);
    ck_assert_int_eq(waitpid(program->pid, &status, 0), program->pid);
    close(program->out);
    close(program->err);
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
