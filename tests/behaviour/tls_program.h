/* SPDX-License-Identifier: MIT */
/*
 * tls_program.h - a program that speaks TLS, beside a test in a loop: what it is to read, what it
 * has printed so far. Whatever waits for the program lets the loop go on.
 *
 *     struct tls_program *client = tls_program_start(server->port, "openssl s_client "
 *                                                    "-connect 127.0.0.1:{port}", "-tls1_2");
 *     tls_program_write(client, "hello\n");
 *     tls_program_await(client, "hello\n");
 *     ck_assert_int_eq(tls_program_end(client), 0);
 *     ck_assert_said(client, "Protocol  : TLSv1.2");
 *     tls_program_free(client);
 */
#ifndef ANYC_TESTS_BEHAVIOUR_TLS_PROGRAM_H
#define ANYC_TESTS_BEHAVIOUR_TLS_PROGRAM_H

#include <check.h>

#include <stdbool.h>
#include <stddef.h>

#include "support/program.h"

struct tls_text {
    char *data; /* with a zero byte behind it */
    size_t len;
    size_t room;
};

/* All of what it has printed is kept. It is ended when it takes almost as long as a test may. */
struct tls_program {
    struct program program;
    struct tls_text out;
    struct tls_text err;
    bool ended;
};

/* Start a program. The command, and behind it `more` unless that is NULL, are words with one space
 * between two; in each are replaced
 *     {port}      by the port
 *     {tls}       by the folder of the test certificates
 *     {peers}     by the folder tls_peers
 *     {python}    by the path of Python
 *     {go}        by that of the program which tls_peers/build.sh makes
 * Skips the test, loudly, where there is no such program. */
struct tls_program *tls_program_start(int port, const char *command, const char *more);

/* Start a server that cannot choose a port itself: tries free ones until it prints `ready`. */
struct tls_program *tls_program_start_on_free_port(const char *command, const char *more,
                                                   const char *ready, int *out_port);

/* Start a server that says which port it has chosen, behind `before`. */
struct tls_program *tls_program_start_server(const char *command, const char *more,
                                             const char *before, int *out_port);

/* Let it read some text. */
void tls_program_write(struct tls_program *program, const char *text);

/* Wait until it has printed the text. Fails the test if it ends before that. */
void tls_program_await(struct tls_program *program, const char *text);

/* The same for so many bytes on its standard output. */
void tls_program_await_bytes(struct tls_program *program, size_t len);

/* Let it read the end of its input and wait for its end; answers its exit code. */
int tls_program_end(struct tls_program *program);

/* End it by SIGTERM and wait for that. */
void tls_program_stop(struct tls_program *program);

void tls_program_free(struct tls_program *program);

/* How often has it printed the text? */
int tls_program_count(const struct tls_program *program, const char *text);

/* The end of what it has printed, as arguments of a message: as much as Check takes. */
#define TLS_PROGRAM_SAID "%s ... %s"
#define tls_program_said(program) \
    tls_text_tail(&(program)->err, 1200), tls_text_tail(&(program)->out, 1200)

static inline const char *tls_text_tail(const struct tls_text *text, size_t len)
{
    return text->data + (text->len > len ? text->len - len : 0);
}

/* It has printed the text; it has not. */
#define ck_assert_said(program, text)                   \
    ck_assert_msg(tls_program_count(program, text) > 0, \
                  "it did not say \"%s\":\n" TLS_PROGRAM_SAID, (text), tls_program_said(program))
#define ck_assert_not_said(program, text)                                                      \
    ck_assert_msg(tls_program_count(program, text) == 0, "it said \"%s\":\n" TLS_PROGRAM_SAID, \
                  (text), tls_program_said(program))

/* It has ended with this code. */
#define ck_assert_ends(program, code)                                                 \
    do {                                                                              \
        int ends_ = tls_program_end(program);                                         \
                                                                                      \
        ck_assert_msg(ends_ == (code), "it ended with %d:\n" TLS_PROGRAM_SAID, ends_, \
                      tls_program_said(program));                                     \
    } while (0)

#endif
