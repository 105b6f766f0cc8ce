/* SPDX-License-Identifier: MIT */
/*
 * thread_portal.c - a program that is not asynchronous talks to an echo server through a library
 * that is.
 *
 *     thread_portal [--backend NAME] [--host H] --port P [--timeout SECONDS] TEXT...
 *
 * The loop runs in a thread of its own, behind a blocking portal. main() only starts tasks there and
 * waits for their results, as it would call any other library. All texts are on their way at the
 * same time; the answers are printed in order. For the server see echo_server.c.
 */
#include <math.h>

#include <anyc/anyc.h>

#include "options.h"

enum { REPLY_ROOM = 4096 };

/* One text, and what became of it. */
struct message {
    const struct options *options;
    const char *text;
    char reply[REPLY_ROOM];
    size_t reply_len;
    anyc_thread_future *future; /* NULL: it was not sent */
};

/* -- in the loop: tasks, which wait without holding up each other -- */

static int receive_reply(struct message *message, anyc_byte_stream *stream)
{
    ssize_t n = 1;

    while (n > 0 && message->reply_len < REPLY_ROOM) {
        n = anyc_receive(stream, message->reply + message->reply_len,
                         REPLY_ROOM - message->reply_len);
        if (n > 0)
            message->reply_len += (size_t)n;
    }
    return n == ANYC_EOF || n > 0 ? 0 : (int)n;
}

static int talk(struct message *message)
{
    anyc_byte_stream *stream;
    int rc = anyc_connect_tcp(message->options->host, message->options->port, NULL, &stream);

    if (rc < 0)
        return rc;
    rc = anyc_send(stream, message->text, strlen(message->text));
    if (rc >= 0)
        rc = anyc_send_eof(stream);
    if (rc >= 0)
        rc = receive_reply(message, stream);
    anyc_aclose(stream);
    return rc;
}

static int talk_in_time(void *arg)
{
    struct message *message = arg;
    double seconds = message->options->timeout > 0 ? message->options->timeout : INFINITY;
    anyc_cancel_scope scope;

    anyc_fail_after(&scope, seconds, false);
    return anyc_cancel_scope_exit(&scope, talk(message));
}

/* -- in main's thread: calls that block -- */

static void say_why(const char *text, int rc)
{
    fprintf(stderr, "%s: %s: %s\n", text, anyc_error_name(rc), anyc_last_error()->message);
}

/* Waits for one answer and prints it; false after a message if there is none. */
static bool print_reply(struct message *message)
{
    int rc = anyc_thread_future_wait(message->future, INFINITY);

    if (rc == 0)
        rc = anyc_thread_future_result(message->future, NULL);
    anyc_thread_future_unref(message->future);
    if (rc < 0) {
        say_why(message->text, rc);
        return false;
    }
    printf("%.*s\n", (int)message->reply_len, message->reply);
    return true;
}

/* Sends all texts, then waits for each answer: the exit code of the program. */
static int send_all(const struct options *options, anyc_blocking_portal *portal,
                    struct message *messages)
{
    int code = EXIT_SUCCESS;

    for (int i = 0; i < options->argument_count; i++) {
        struct message *message = &messages[i];
        int rc;

        message->options = options;
        message->text = options->arguments[i];
        rc = anyc_blocking_portal_start_task_soon(portal, talk_in_time, message, NULL,
                                                  &message->future);
        if (rc < 0)
            say_why(message->text, rc);
    }
    for (int i = 0; i < options->argument_count; i++) {
        if (messages[i].future == NULL || !print_reply(&messages[i]))
            code = EXIT_FAILURE;
    }
    return code;
}

int main(int argc, char **argv)
{
    struct options options = {.host = "127.0.0.1"};
    anyc_blocking_portal *portal;
    struct message *messages;
    int rc;

    if (!options_parse(argc, argv, &options))
        return 2;
    if (options.port == 0 || options.argument_count == 0)
        return usage("thread_portal [--backend NAME] [--host H] --port P [--timeout S] TEXT...");
    rc = anyc_start_blocking_portal(options.backend, NULL, &portal);
    if (rc < 0) {
        say_why("thread_portal", rc);
        return EXIT_FAILURE;
    }
    messages = calloc((size_t)options.argument_count, sizeof *messages);
    rc = messages != NULL ? send_all(&options, portal, messages) : EXIT_FAILURE;
    anyc_aclose(portal); /* every task has ended after this */
    free(messages);
    return rc;
}
