/* SPDX-License-Identifier: MIT */
/*
 * program.h - starts a program beside a test, reads what it prints, and ends it.
 */
#ifndef ANYC_TESTS_SUPPORT_PROGRAM_H
#define ANYC_TESTS_SUPPORT_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/types.h>

enum { PROGRAM_TEXT = 65536 };

struct program {
    pid_t pid;
    int in;  /* what it reads; -1: nothing more */
    int out; /* what it prints */
    int err;
};

/* What a program that has ended printed. */
struct program_result {
    int code; /* exit code, or 128 + signal */
    char out[PROGRAM_TEXT];
    char err[PROGRAM_TEXT];
};

/* Is there a program of this name in PATH? */
bool program_exists(const char *name);

/* Start arguments[0], a path or a name in PATH; the list ends with NULL. */
void program_spawn(struct program *program, const char *const *arguments);

/* With a terminal of its own as standard error; `program->err` is the other side of it. */
void program_spawn_on_terminal(struct program *program, const char *const *arguments);

/* Let it read text, and then the end of its input. */
void program_feed(struct program *program, const char *text);

/* The next line of one of its outputs, `program->out` or `program->err`, with its end. */
void program_line(int output, char *out_line, size_t size);

/* Wait until there is a line with `text` in it; those before it are passed over. */
void program_await(int output, const char *text);

/* Wait for its end, which must not take longer than the test may. */
void program_wait(struct program *program, struct program_result *out);

/* End it by SIGTERM. */
void program_stop(struct program *program);

#endif
