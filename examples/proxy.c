/* SPDX-License-Identifier: MIT */
/*
 * proxy.c - passes connections on to another address, both directions of each in one task group.
 *
 *     proxy [--backend NAME] [--timeout SECONDS] LISTEN TARGET
 *
 * LISTEN and TARGET are HOST:PORT, [IPV6]:PORT or unix:PATH. What one side sends reaches the other
 * before more is received, so no more than one buffer a direction is ever held: a reader that is
 * slow, or stops, slows the sender down. A side that ends its sending may still receive. When one
 * side fails, the other is closed too. With --timeout, so is a pair over which nothing has moved
 * for so long.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <anyc/anyc.h>

#include "listen.h"
#include "options.h"

enum { BUFFER = 65536 };

struct proxy {
    struct options options; /* where to listen; first: serve() hands it to the handlers */
    anyc_connectable *target;
};

/* One direction of a pair of connections. */
struct flow {
    anyc_byte_stream *from;
    anyc_byte_stream *to;
    anyc_task_group *group; /* of both directions */
    double timeout;
};

static void put_off_timeout(const struct flow *flow)
{
    anyc_cancel_scope_set_deadline(anyc_task_group_cancel_scope(flow->group),
                                   anyc_current_time() + flow->timeout);
}

/* Sends whatever is received, then the end. A failure cancels the other direction. */
static int pass_on(void *arg)
{
    const struct flow *flow = arg;
    char *buf = malloc(BUFFER);
    int rc = buf == NULL ? ANYC_ENOMEM : 0;

    while (rc == 0) {
        ssize_t n = anyc_receive(flow->from, buf, BUFFER);

        rc = n > 0 ? anyc_send(flow->to, buf, (size_t)n) : (int)n;
        put_off_timeout(flow);
    }
    free(buf);
    return rc == ANYC_EOF ? anyc_send_eof(flow->to) : rc;
}

static int pass_both_ways(anyc_byte_stream *client, anyc_byte_stream *server, double timeout)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct flow there = {client, server, &group, timeout};
    struct flow back = {server, client, &group, timeout};
    int rc;

    anyc_task_group_enter(&group);
    put_off_timeout(&there);
    rc = anyc_task_group_start_soon(&group, pass_on, &there, NULL);
    if (rc == 0)
        rc = pass_on(&back);
    return anyc_task_group_exit(&group, rc);
}

static int serve_client(anyc_byte_stream *client, void *arg)
{
    struct proxy *proxy = arg;
    double timeout = proxy->options.timeout;
    anyc_byte_stream *server;
    int rc = anyc_connectable_connect(proxy->target, &server);

    if (rc == 0) {
        rc = pass_both_ways(client, server, timeout > 0 ? timeout : INFINITY);
        anyc_aclose(server);
    } else if (!anyc_is_cancelled(rc)) {
        fprintf(stderr, "%s\n", anyc_last_error()->message);
    }
    anyc_aclose(client);
    return anyc_is_cancelled(rc) ? rc : 0; /* that one pair failed does not end the others */
}

static int proxy_main(void *arg)
{
    struct proxy *proxy = arg;

    return serve(&proxy->options, serve_client);
}

/* Takes HOST:PORT, [IPV6]:PORT or unix:PATH to pieces, in place. */
static bool address_parse(char *text, anyc_connect_target *out)
{
    char *colon = strrchr(text, ':');

    *out = (anyc_connect_target){.host = NULL};
    if (strncmp(text, "unix:", 5) == 0) {
        out->path = text + 5;
        return true;
    }
    if (colon == NULL || !option_number(colon + 1, 65535, &out->port))
        return false;
    *colon = '\0';
    if (*text == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        text++;
    }
    out->host = text;
    return true;
}

int main(int argc, char **argv)
{
    struct proxy proxy = {.target = NULL};
    struct options *options = &proxy.options;
    anyc_connect_target listen;
    anyc_connect_target target;
    int rc;

    if (!options_parse(argc, argv, options))
        return 2;
    if (options->argument_count != 2 || !address_parse(options->arguments[0], &listen) ||
        !address_parse(options->arguments[1], &target) ||
        anyc_as_connectable(&target, &proxy.target) < 0)
        return usage("proxy [--backend NAME] [--timeout SECONDS] LISTEN TARGET\n"
                     "an address is HOST:PORT, [IPV6]:PORT or unix:PATH");
    options->host = listen.host;
    options->port = listen.port;
    options->path = listen.path;
    raise_descriptor_limit();
    rc = options_run(options, proxy_main, &proxy);
    anyc_connectable_destroy(proxy.target);
    return rc;
}
