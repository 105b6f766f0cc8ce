/* SPDX-License-Identifier: MIT */
/*
 * tls_pair.c - both ends of a TLS connection within one test.
 */
#include "tls_pair.h"

#include <anyc/error.h>
#include <anyc/task.h>

#include <check.h>

#include <errno.h>
#include <string.h>

#include "support/tls_files.h"

anyc_tls_context *tls_context(const anyc_tls_context_options *options)
{
    anyc_tls_context *context = NULL;
    int rc = anyc_tls_context_create(options, &context);

    ck_assert_msg(rc == 0, "%s", anyc_last_error()->message);
    return context;
}

anyc_tls_context *tls_context_client(void)
{
    return tls_context(&(anyc_tls_context_options){.ca.file = TLS_FILE("ca.pem"),
                                                   .workers = ANYC_TLS_WORKERS_OFF});
}

anyc_tls_context *tls_context_server_with(const char *certificate, const char *key)
{
    const anyc_tls_certificate own = {.chain.file = certificate, .key.file = key};

    return tls_context(&(anyc_tls_context_options){.server_side = true,
                                                   .certificates = &own,
                                                   .certificate_count = 1,
                                                   .workers = ANYC_TLS_WORKERS_OFF});
}

anyc_tls_context *tls_context_server(void)
{
    return tls_context_server_with(TLS_FILE("localhost.pem"), TLS_FILE("localhost.key"));
}

bool tls_can(int version)
{
    anyc_tls_context *context = NULL;
    int rc = anyc_tls_context_create(
        &(anyc_tls_context_options){.ca.file = TLS_FILE("ca.pem"), .min_version = version},
        &context);

    anyc_tls_context_destroy(context);
    return rc != -ENOTSUP;
}

size_t tls_record_len(anyc_byte_stream *stream)
{
    const char *version = NULL;

    ck_assert_int_eq(anyc_extra(stream, &ANYC_TLS_VERSION, &version), 0);
    return strcmp(version, "TLSv1.3") == 0 ? 16383 : 16384;
}

int tls_end_wrap(void *arg)
{
    struct tls_end *end = arg;

    end->rc = anyc_tls_stream_wrap(end->stream, &end->options, &end->stream);
    if (end->rc < 0)
        anyc_aclose_forcefully(end->stream);
    return end->rc == ANYC_ECANCELLED ? end->rc : 0;
}

void tls_ends_wrap(struct tls_end *client, struct tls_end *server)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, tls_end_wrap, client, NULL), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, tls_end_wrap, server, NULL), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
}

void tls_pair_wrap(struct byte_pair *pair, const struct tls_pair_options *options)
{
    static const struct tls_pair_options defaults;
    const struct tls_pair_options *chosen = options != NULL ? options : &defaults;
    anyc_tls_context *own_client = chosen->client == NULL ? tls_context_client() : NULL;
    anyc_tls_context *own_server = chosen->server == NULL ? tls_context_server() : NULL;
    struct tls_end client = {pair->a,
                             {.context = own_client != NULL ? own_client : chosen->client,
                              .hostname = chosen->hostname != NULL ? chosen->hostname : "localhost",
                              .not_standard_compatible = chosen->not_standard_compatible},
                             1};
    struct tls_end server = {pair->b,
                             {.context = own_server != NULL ? own_server : chosen->server,
                              .not_standard_compatible = chosen->not_standard_compatible},
                             1};

    tls_ends_wrap(&client, &server);
    ck_assert_int_eq(client.rc, 0);
    ck_assert_int_eq(server.rc, 0);
    pair->a = client.stream;
    pair->b = server.stream;
    anyc_tls_context_destroy(own_client); /* the streams keep what they need */
    anyc_tls_context_destroy(own_server);
}

void tls_pair_open(struct byte_pair *pair, const struct tls_pair_options *options)
{
    byte_pair_from_objects(pair, 1);
    tls_pair_wrap(pair, options);
}

static int end_close(void *stream)
{
    ck_assert_int_eq(anyc_aclose((anyc_byte_stream *)stream), 0);
    return 0;
}

void tls_pair_close(struct byte_pair *pair)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, end_close, pair->a, NULL), 0);
    ck_assert_int_eq(end_close(pair->b), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
}

void tls_pair_drop(struct byte_pair *pair)
{
    anyc_aclose_forcefully(pair->a);
    anyc_aclose_forcefully(pair->b);
}
