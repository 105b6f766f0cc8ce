/* SPDX-License-Identifier: MIT */
/*
 * program.c - starts a program beside a test, reads what it prints, and ends it.
 */
#include "program.h"

#include <check.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bool program_exists(const char *name)
{
    const char *folders = getenv("PATH");
    char path[4096];
    size_t len = 0;
    bool found = false;

    for (; !found && folders != NULL && *folders != '\0'; folders += len) {
        folders += *folders == ':';
        len = strcspn(folders, ":");
        snprintf(path, sizeof path, "%.*s/%s", (int)len, folders, name);
        found = access(path, X_OK) == 0;
    }
    return found;
}

/* A pipe, or a terminal that only the program has open. */
static void program_open_err(bool is_terminal, int out_ends[2], char *out_path, size_t size)
{
    if (!is_terminal) {
        ck_assert_int_eq(pipe2(out_ends, O_CLOEXEC), 0);
        return;
    }
    out_ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    out_ends[1] = -1;
    ck_assert_int_ge(out_ends[0], 0);
    ck_assert_int_eq(grantpt(out_ends[0]), 0);
    ck_assert_int_eq(unlockpt(out_ends[0]), 0);
    ck_assert_int_eq(ptsname_r(out_ends[0], out_path, size), 0);
}

static void program_spawn_with(struct program *program, const char *const *arguments,
                               bool is_terminal)
{
    posix_spawn_file_actions_t actions;
    char terminal[64];
    int in[2];
    int out[2];
    int err[2];

    ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    program_open_err(is_terminal, err, terminal, sizeof terminal);
    ck_assert_int_eq(posix_spawn_file_actions_init(&actions), 0);
    ck_assert_int_eq(posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO), 0);
    ck_assert_int_eq(posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO), 0);
    ck_assert_int_eq(is_terminal
                         ? posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, terminal,
                                                            O_RDWR | O_NOCTTY, 0)
                         : posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO),
                     0);
    ck_assert_int_eq(posix_spawnp(&program->pid, arguments[0], &actions, NULL,
                                  (char *const *)arguments, environ),
                     0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    if (err[1] >= 0)
        close(err[1]);
    program->in = in[1];
    program->out = out[0];
    program->err = err[0];
}

void program_spawn(struct program *program, const char *const *arguments)
{
    program_spawn_with(program, arguments, false);
}

void program_spawn_on_terminal(struct program *program, const char *const *arguments)
{
    program_spawn_with(program, arguments, true);
}

static void program_end_input(struct program *program)
{
    if (program->in >= 0)
        close(program->in);
    program->in = -1;
}

void program_feed(struct program *program, const char *text)
{
    size_t len = strlen(text);

    ck_assert_int_eq(write(program->in, text, len), (ssize_t)len);
    program_end_input(program);
}

void program_line(int output, char *out_line, size_t size)
{
    size_t len = 0;

    while (len + 1 < size && (len == 0 || out_line[len - 1] != '\n')) {
        ck_assert_msg(read(output, out_line + len, 1) == 1,
                      "the program does not go on after \"%.*s\"", (int)len, out_line);
        len++;
    }
    out_line[len] = '\0';
}

void program_await(int output, const char *text)
{
    char line[4096] = "";

    while (strstr(line, text) == NULL)
        program_line(output, line, sizeof line);
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

    program_end_input(program);
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
    program_end_input(program);
    close(program->out);
    close(program->err);
}
