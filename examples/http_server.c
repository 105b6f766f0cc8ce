/* SPDX-License-Identifier: MIT */
/*
 * http_server.c - answers GET / with "Hello, World!": keep-alive, pipelining, limits.
 *
 *     http_server [--backend NAME] [--host H] [--port P] [--unix PATH] [--timeout SECONDS]
 *                 [--tls CERT KEY]
 *
 * A connection's task receives until there is a whole request, answers all requests that have
 * arrived with one send, and goes on. Each such round may take SECONDS, 30 if not given; with 0 a
 * client may take as long as it likes.
 */
#include <stdlib.h>

#include <anyc/anyc.h>

#include "http.h"
#include "listen.h"
#include "options.h"

enum { HEAD_MAX = 8192, BATCH = 32 };

struct connection {
    anyc_byte_stream *stream;
    bool last; /* end it after what is in `out` */
    int out_count;
    struct iovec out[BATCH];
    size_t len; /* of what is in `in` */
    char in[HEAD_MAX];
};

/* Answers the requests in the buffer and keeps what is left of it. */
static void answer_all(struct connection *c)
{
    struct http_request request;
    size_t used = 0;
    long n = 1;

    while (n > 0 && !c->last && c->out_count < BATCH) {
        n = http_read_request(&request, c->in + used, c->len - used);
        if (n > 0) {
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

static int converse(anyc_byte_stream *stream, void *arg)
{
    double seconds = ((const struct options *)arg)->timeout;
    struct connection *c = malloc(sizeof *c);
    int rc = 0;

    if (c == NULL) {
        anyc_aclose(stream);
        return 0;
    }
    c->stream = stream;
    c->last = false;
    c->len = 0;
    while (rc >= 0)
        rc = seconds > 0 ? take_turn_within(c, seconds) : take_turn(c);
    anyc_aclose(c->stream);
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
