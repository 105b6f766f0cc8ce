/* SPDX-License-Identifier: MIT */
/*
 * tls_program.c - a program that speaks TLS, beside a test in a loop.
 *
 * Its pipes are looked after by a worker thread whenever the test waits for the program: what it
 * prints is read meanwhile in any case, so that it never stops because nobody reads.
 */
#include "tls_program.h"

#include <anyc/testing.h>
#include <anyc/thread.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/wait.h>
#include <unistd.h>

#include "support/foreign.h"

enum { WORDS = 64, WORD = 512, PORTS = 5 };

#define SECONDS 15.0 /* that a program may run; a test is killed after 20 */

/* -- commands -- */

struct command {
    char words[WORDS][WORD];
    const char *arguments[WORDS + 1];
    int count;
};

/* The text that a word "{name}..." begins with, and how long "{name}" is. */
static const char *command_value(const char *word, const char *port, size_t *out_len)
{
    const struct {
        const char *name;
        const char *value;
    } table[] = {
        {"{port}", port},
        {"{tls}", ANYC_TESTS_DIR "/support/tls"},
        {"{peers}", ANYC_TESTS_DIR "/behaviour/tls_peers"},
        {"{python}", ANYC_PYTHON},
        {"{go}", ANYC_TLS_GO},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        *out_len = strlen(table[i].name);
        if (strncmp(word, table[i].name, *out_len) == 0)
            return table[i].value;
    }
    return NULL;
}

/* One word, its names replaced. */
static void command_add(struct command *command, const char *word, size_t len, const char *port)
{
    char *out = command->words[command->count];
    size_t used = 0;

    ck_assert_int_lt(command->count, WORDS);
    for (size_t i = 0; i < len; i++) {
        size_t name_len = 1;
        const char *value = word[i] == '{' ? command_value(word + i, port, &name_len) : NULL;
        int n = value == NULL ? snprintf(out + used, WORD - used, "%c", word[i])
                              : snprintf(out + used, WORD - used, "%s", value);

        used += (size_t)n;
        ck_assert_uint_lt(used, WORD);
        i += value == NULL ? 0 : name_len - 1;
    }
    out[used] = '\0';
    command->arguments[command->count++] = out;
    command->arguments[command->count] = NULL;
}

static void command_add_all(struct command *command, const char *text, const char *port)
{
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, " ");

        command_add(command, text, len, port);
        text += len;
        text += strspn(text, " ");
    }
}

/* Ends the program, also when the test is killed. */
static void command_add_limit(struct command *command)
{
    const char *scale = getenv("ANYC_TESTING_TIMEOUT_SCALE");
    char text[32];
    int n =
        snprintf(text, sizeof text, "%.0f", SECONDS * (scale == NULL ? 1 : strtod(scale, NULL)));

    command_add_all(command, "timeout", "");
    command_add(command, text, (size_t)n, "");
}

/* A path or a name. */
static void command_need(const char *program)
{
    if (strchr(program, '/') == NULL)
        foreign_need(program);
    else if (access(program, X_OK) != 0) {
        fprintf(stderr, "SKIPPED: there is no %s, which tls_peers/build.sh makes with Go\n",
                program);
        ANYC_TEST_SKIP("a program is missing");
    }
}

struct tls_program *tls_program_start(int port, const char *command, const char *more)
{
    struct tls_program *program = calloc(1, sizeof *program);
    struct command *parsed = calloc(1, sizeof *parsed);
    char port_text[16];

    ck_assert_ptr_nonnull(program);
    ck_assert_ptr_nonnull(parsed);
    snprintf(port_text, sizeof port_text, "%d", port);
    command_add_limit(parsed);
    command_add_all(parsed, command, port_text);
    command_add_all(parsed, more, port_text);
    command_need(parsed->arguments[0]);
    command_need(parsed->arguments[2]);
    program_spawn(&program->program, parsed->arguments);
    ck_assert_int_eq(fcntl(program->program.in, F_SETFL, O_NONBLOCK), 0);
    program->out.data = calloc(1, 1);
    program->err.data = calloc(1, 1);
    free(parsed);
    return program;
}

/* -- pipes -- */

/* What is waited for: at least one of these, in a worker thread. */
struct tls_exchange {
    struct tls_program *program;
    const char *data; /* to be read by the program */
    size_t len;
    const char *text; /* that it prints; NULL: none */
    size_t bytes;     /* that it prints on its standard output */
    bool to_the_end;  /* everything that it prints */
    size_t seen[2];   /* bytes in which the text is not, on each output */
};

/* False at the end. */
static bool text_read(struct tls_text *text, int fd)
{
    enum { PART = 65536 };
    ssize_t n;

    if (text->room - text->len < PART + 1) {
        text->room = 2 * text->room + PART + 1;
        text->data = realloc(text->data, text->room);
        ck_assert_ptr_nonnull(text->data);
    }
    n = read(fd, text->data + text->len, PART);
    text->len += n > 0 ? (size_t)n : 0;
    text->data[text->len] = '\0';
    return n > 0;
}

/* Is `wanted` in it, behind the first *seen bytes? */
static bool text_has(const struct tls_text *text, const char *wanted, size_t *seen)
{
    size_t len = strlen(wanted);

    if (memmem(text->data + *seen, text->len - *seen, wanted, len) != NULL)
        return true;
    if (text->len > len)
        *seen = text->len - len; /* the last bytes may be its beginning */
    return false;
}

static bool exchange_is_done(struct tls_exchange *exchange)
{
    const struct tls_program *program = exchange->program;

    if (program->ended)
        return true;
    if (exchange->to_the_end || exchange->len > 0)
        return false;
    return program->out.len >= exchange->bytes &&
           (exchange->text == NULL || text_has(&program->out, exchange->text, &exchange->seen[0]) ||
            text_has(&program->err, exchange->text, &exchange->seen[1]));
}

/* Worker threads block all signals, SIGPIPE included. */
static void exchange_write(struct tls_exchange *exchange)
{
    ssize_t n = write(exchange->program->program.in, exchange->data, exchange->len);

    if (n < 0 && errno != EAGAIN)
        exchange->len = 0; /* it does not read any more: its output tells why */
    exchange->data += n > 0 ? n : 0;
    exchange->len -= n > 0 ? (size_t)n : 0;
}

static int exchange_run(void *arg)
{
    struct tls_exchange *exchange = arg;
    struct tls_program *program = exchange->program;
    struct pollfd wanted[] = {
        {program->program.out, POLLIN, 0}, {program->program.err, POLLIN, 0}, {-1, POLLOUT, 0}};

    while (!exchange_is_done(exchange)) {
        wanted[2].fd = exchange->len > 0 ? program->program.in : -1;
        ck_assert_int_ge(poll(wanted, 3, -1), 1);
        if (wanted[0].revents != 0 && !text_read(&program->out, wanted[0].fd))
            wanted[0].fd = -1;
        if (wanted[1].revents != 0 && !text_read(&program->err, wanted[1].fd))
            wanted[1].fd = -1;
        if (wanted[2].revents != 0)
            exchange_write(exchange);
        program->ended = wanted[0].fd < 0 && wanted[1].fd < 0;
        wanted[0].revents = wanted[1].revents = wanted[2].revents = 0;
    }
    return 0;
}

static void exchange(const struct tls_exchange *wanted)
{
    struct tls_exchange copy = *wanted;

    ck_assert_int_eq(anyc_to_thread_run_sync(exchange_run, &copy, NULL, NULL), 0);
}

static void fail_at_end(const struct tls_program *program, const char *what)
{
    ck_assert_msg(!program->ended, "the program has ended, but %s:\n" TLS_PROGRAM_SAID, what,
                  tls_program_said(program));
}

void tls_program_write(struct tls_program *program, const char *text)
{
    exchange(&(struct tls_exchange){.program = program, .data = text, .len = strlen(text)});
}

void tls_program_await(struct tls_program *program, const char *text)
{
    exchange(&(struct tls_exchange){.program = program, .text = text});
    if (tls_program_count(program, text) == 0)
        fail_at_end(program, text);
}

void tls_program_await_bytes(struct tls_program *program, size_t len)
{
    exchange(&(struct tls_exchange){.program = program, .bytes = len});
    if (program->out.len < len)
        fail_at_end(program, "it has not printed enough");
}

/* -- the end -- */

static void program_end_input(struct tls_program *program)
{
    if (program->program.in >= 0)
        close(program->program.in);
    program->program.in = -1;
}

static int program_reap(struct tls_program *program)
{
    int status = 0;

    exchange(&(struct tls_exchange){.program = program, .to_the_end = true});
    ck_assert_int_eq(waitpid(program->program.pid, &status, 0), program->program.pid);
    program_end_input(program);
    close(program->program.out);
    close(program->program.err);
    program->program.pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int tls_program_end(struct tls_program *program)
{
    program_end_input(program);
    return program_reap(program);
}

void tls_program_stop(struct tls_program *program)
{
    ck_assert_int_eq(kill(program->program.pid, SIGTERM), 0);
    (void)program_reap(program); /* the signal, or what it makes of it */
}

void tls_program_free(struct tls_program *program)
{
    ck_assert_int_eq(program->program.pid, 0);
    free(program->out.data);
    free(program->err.data);
    free(program);
}

/* -- servers -- */

struct tls_program *tls_program_start_server(const char *command, const char *more,
                                             const char *before, int *out_port)
{
    struct tls_program *program = tls_program_start(0, command, more);
    const char *place;

    tls_program_await(program, before);
    place = strstr(program->out.data, before) + strlen(before);
    if (strchr(place, '\n') == NULL)
        tls_program_await_bytes(program, program->out.len + 1);
    *out_port = atoi(strstr(program->out.data, before) + strlen(before));
    ck_assert_int_gt(*out_port, 0);
    return program;
}

struct tls_program *tls_program_start_on_free_port(const char *command, const char *more,
                                                   const char *ready, int *out_port)
{
    struct tls_program *program = NULL;

    for (int i = 0; i < PORTS; i++) {
        *out_port = anyc_testing_free_tcp_port();
        program = tls_program_start(*out_port, command, more);
        exchange(&(struct tls_exchange){.program = program, .text = ready});
        if (tls_program_count(program, ready) > 0)
            return program;
        (void)program_reap(program); /* somebody else has the port */
        if (i + 1 < PORTS)
            tls_program_free(program);
    }
    fail_at_end(program, ready);
    return NULL;
}

/* -- what it said -- */

static int text_count(const struct tls_text *text, const char *wanted)
{
    const char *place = text->data;
    size_t len = strlen(wanted);
    int count = 0;

    while ((place = memmem(place, text->len - (size_t)(place - text->data), wanted, len)) != NULL) {
        count++;
        place += len;
    }
    return count;
}

int tls_program_count(const struct tls_program *program, const char *text)
{
    return text_count(&program->out, text) + text_count(&program->err, text);
}
