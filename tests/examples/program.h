/* SPDX-License-Identifier: MIT */
/*
 * program.h - starts a program of examples/ on the backend of the running test, and talks to it.
 */
#ifndef ANYC_TESTS_EXAMPLES_PROGRAM_H
#define ANYC_TESTS_EXAMPLES_PROGRAM_H

#include "support/program.h"

/* Start "NAME --backend BACKEND arguments...", the last one NULL. */
void program_start(struct program *program, const char *name, ...);

/* The same with a terminal as its standard error. */
void program_start_on_terminal(struct program *program, const char *name, ...);

/* Wait for "listening on HOST:PORT", and answer the port. */
int program_port(struct program *program);

/* A blocking connection to a port of 127.0.0.1; gives up receiving after 10 s. */
int program_connect(int port);

/* Send text, all of it. */
void program_send(int fd, const char *text);

/* Receive text until there is `end` in it, or the other side ends. */
void program_receive(int fd, const char *end, char *buf, size_t size);

#endif
