/* SPDX-License-Identifier: MIT */
/*
 * tls_attempt.c - a handshake between two ends over a memory stream, which fails as a rule.
 */
#include "tls_attempt.h"

#include <string.h>

void attempt_init(struct attempt *attempt)
{
    struct byte_pair pair;

    byte_pair_from_objects(&pair, 1);
    memset(attempt, 0, sizeof *attempt);
    probe_init(&attempt->client.probe, pair.a);
    probe_init(&attempt->server.probe, pair.b);
    attempt->client.options.hostname = "localhost";
}

static int end_wrap(void *arg)
{
    struct attempt_end *end = arg;

    end->rc = 1;
    end->rc = anyc_tls_stream_wrap(&end->probe.stream, &end->options, &end->stream);
    if (end->rc >= 0)
        return 0;
    end->tls = anyc_last_error()->tls;
    strncpy(end->message, anyc_last_error()->message, sizeof end->message - 1);
    ck_assert_ptr_null(end->stream);
    ck_assert(!end->probe.closed);
    anyc_aclose_forcefully(&end->probe.stream);
    return end->rc == ANYC_ECANCELLED ? end->rc : 0;
}

void attempt_run(struct attempt *attempt)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct attempt_end *client = &attempt->client;
    struct attempt_end *server = &attempt->server;
    anyc_tls_context *own_client = client->context == NULL ? tls_context_client() : NULL;
    anyc_tls_context *own_server = server->context == NULL ? tls_context_server() : NULL;

    client->options.context = own_client != NULL ? own_client : client->context;
    server->options.context = own_server != NULL ? own_server : server->context;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, end_wrap, client, NULL), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, end_wrap, server, NULL), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    anyc_tls_context_destroy(own_client);
    anyc_tls_context_destroy(own_server);
}

void attempt_end(struct attempt *attempt)
{
    struct byte_pair pair = {attempt->client.stream, attempt->server.stream};

    if (pair.a != NULL && pair.b != NULL)
        tls_pair_close(&pair);
    else if (pair.a != NULL)
        anyc_aclose_forcefully(pair.a);
    else if (pair.b != NULL)
        anyc_aclose_forcefully(pair.b);
}
