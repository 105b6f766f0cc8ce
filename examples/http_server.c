/* SPDX-License-Identifier: MIT */
/*
 * http_server.c - answers GET / with "Hello, World!", or serves the files of a folder: keep-alive,
 * pipelining, limits.
 *
 *     http_server [--backend NAME] [--host H] [--port P] [--unix PATH] [--timeout SECONDS]
 *                 [--tls CERT KEY] [--root DIR]
 *
 * A connection's task receives until there is a whole request, answers all requests that have
 * arrived with one send, and goes on. Each such round may take SECONDS, 30 if not given; with 0 a
 * client may take as long as it likes. With --root a round answers one request, and the file that
 * follows, see http_page.h, may take any time as long as some of it is taken within SECONDS.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <anyc/anyc.h>

#include "http.h"
#include "http_page.h"
#include "listen.h"
#include "options.h"

enum { HEAD_MAX = 8192, BATCH = 32 };

struct connection {
    anyc_byte_stream *stream;
    struct http_page *page; /* of --root; else NULL */
    bool last;              /* end it after what is in `out` */
    int out_count;
    struct iovec out[BATCH];
    size_t len; /* of what is in `in` */
    char in[HEAD_MAX];
};

/* Answers the requests in the buffer and keeps what is left of it. */
static void answer_all(struct connection *c)
{
    struct http_request request;
    int batch = c->page == NULL ? BATCH : 1;
    size_t used = 0;
    long n = 1;

    while (n > 0 && !c->last && c->out_count < batch) {
        struct http_text head = {c->in + used, c->len - used};

        n = http_read_request(&request, head.text, head.len);
        if (n > 0) {
            head.len = (size_t)n;
            if (c->page != NULL)
                request.reply = http_page_find(c->page, head, request.last);
            c->out[c->out_count++] = request.reply;
            c->last = request.last;
            used += (size_t)n;
        }
    }
    c->len -= used;
    memmove(c->in, c->in + used, c->len);
    if (n < 0 || (n == 0 && c->len == HEAD_MAX)) {
        c->out[c->out_count++] = http_piece(n < 0 ? &http_bad : &http_large, true);
        c->last = true;
    }
}

/* Receives, answers and sends once. */
static int play_round(struct connection *c)
{
    ssize_t n = 0;

    c->out_count = 0;
    answer_all(c); /* more than a batch may have come the last time */
    while (n >= 0 && c->out_count == 0) {
        n = anyc_receive(c->stream, c->in + c->len, HEAD_MAX - c->len);
        if (n > 0) {
            c->len += (size_t)n;
            answer_all(c);
        }
    }
    return n < 0 ? (int)n : anyc_sendv(c->stream, c->out, c->out_count);
}

/* Says that it was the last, and lets the client read it before the connection is closed. TLS has
 * no end of one direction alone: there it ends in both, and what still comes is dropped. */
static int part(struct connection *c)
{
    anyc_bytes leftover = {NULL, 0};
    int rc = anyc_send_eof(c->stream);

    if (rc == -ENOTSUP)
        rc = anyc_tls_stream_unwrap(c->stream, &c->stream, &leftover);
    while (rc >= 0 || rc == ANYC_ESTATE)
        rc = (int)anyc_receive(c->stream, c->in, HEAD_MAX);
    anyc_bytes_deinit(&leftover);
    return rc;
}

static int take_turn(struct connection *c)
{
    return c->last ? part(c) : play_round(c);
}

static int take_turn_within(struct connection *c, double seconds)
{
    anyc_cancel_scope scope;

    anyc_fail_after(&scope, seconds, false);
    return anyc_cancel_scope_exit(&scope, take_turn(c));
}

/* Until the connection ends. */
static void take_turns(struct connection *c, double seconds)
{
    int rc = 0;

    while (rc >= 0) {
        rc = seconds > 0 ? take_turn_within(c, seconds) : take_turn(c);
        if (rc >= 0 && c->page != NULL)
            rc = http_page_send(c->page, c->stream, seconds);
    }
}

static int converse(anyc_byte_stream *stream, void *arg)
{
    const struct options *options = arg;
    struct connection *c = malloc(sizeof *c);
    struct http_page *page = NULL;

    if (options->root != NULL)
        page = http_page_create(options->root_fd, options->tls_context != NULL);
    if (c == NULL || (options->root != NULL && page == NULL)) {
        anyc_aclose(stream);
    } else {
        c->stream = stream;
        c->page = page;
        c->last = false;
        c->len = 0;
        take_turns(c, options->timeout);
        anyc_aclose(c->stream);
    }
    http_page_destroy(page);
    free(c);
    return 0; /* that a connection ended, well or not, is no failure of the server */
}

static int http_server(void *arg)
{
    return serve(arg, converse);
}

int main(int argc, char **argv)
{
    static const char *const protocols[] = {"http/1.1", "http/1.0", NULL};
    struct options options = {.host = "127.0.0.1", .timeout = 30};
    int rc;

    if (!options_parse(argc, argv, &options))
        return 2;
    if (options.root != NULL) {
        options.root_fd = open(options.root, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
        if (options.root_fd < 0) {
            fprintf(stderr, "http_server: %s: %s\n", options.root, anyc_strerror(-errno));
            return 1;
        }
    }
    /* Requests and answers tell their own ends, so nobody can cut one unnoticed. Many clients just
     * go when they have their answer, and waiting for more than that from them would be in vain. */
    options.tls_just_closes = true;
    rc = prepare_tls(&options, protocols);
    if (rc < 0)
        return failed(rc);
    raise_descriptor_limit();
    rc = options_run(&options, http_server, &options);
    anyc_tls_context_destroy(options.tls_context);
    return rc;
}
