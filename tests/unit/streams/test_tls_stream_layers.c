/* SPDX-License-Identifier: MIT */
/*
 * test_tls_stream_layers.c - TLS over every kind of transport, TLS included.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <stdlib.h>
#include <string.h>

#include "support/probe_stream.h"
#include "support/stream_job.h"
#include "support/tls_pair.h"

static int end_first(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_aclose(job->stream);
    return 0;
}

/* The one that ends first waits for the other. (Where the transport holds next to nothing, two that
 * end at the same time would wait for each other to receive.) */
static void end_in_turn(struct byte_pair *pair)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct job first = {pair->a, NULL, 0, 1};

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, end_first, &first);
    expect_eof(pair->b);
    ck_assert_int_eq(anyc_aclose(pair->b), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(first.rc, 0);
}

/* Sends and receives so many bytes each way at the same time, then ends both. */
static void converse(struct byte_pair *pair, size_t len)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct job jobs[4];

    for (size_t i = 0; i < 4; i++) {
        jobs[i] = (struct job){i % 2 == 0 ? pair->a : pair->b, malloc(len), len, 1};
        for (size_t at = 0; at < len; at++)
            jobs[i].data[at] = i < 2 ? (char)((at * 31 + at / 253 + i) % 251) : 0;
    }
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    for (size_t i = 0; i < 4; i++)
        group_start(&group, i < 2 ? send_once : receive_all, &jobs[i]);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert(memcmp(jobs[0].data, jobs[3].data, len) == 0);
    ck_assert(memcmp(jobs[1].data, jobs[2].data, len) == 0);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(jobs[i].rc, 0);
        free(jobs[i].data);
    }
    end_in_turn(pair);
}

static void wrap_and_converse(struct byte_pair *pair, size_t len)
{
    tls_pair_wrap(pair, NULL);
    converse(pair, len);
}

ANYC_TEST(test_tls_stream_layers__over_a_stapled_stream)
{
    struct byte_pair pair;

    byte_pair_stapled(&pair, 1);
    wrap_and_converse(&pair, 100000);
}

ANYC_TEST(test_tls_stream_layers__over_a_buffered_stream)
{
    struct byte_pair pair;

    byte_pair_stapled(&pair, 1);
    byte_pair_buffer(&pair);
    wrap_and_converse(&pair, 100000);
    byte_pair_from_objects(&pair, 1);
    byte_pair_buffer(&pair);
    wrap_and_converse(&pair, 100000);
}

ANYC_TEST(test_tls_stream_layers__over_unix_sockets)
{
    struct byte_pair pair;

    byte_pair_unix(&pair);
    wrap_and_converse(&pair, 1000000);
    byte_pair_unix_narrow(&pair);
    wrap_and_converse(&pair, 100000);
}

/* Each send waits for a receive. */
ANYC_TEST(test_tls_stream_layers__over_a_stream_that_holds_nothing)
{
    struct byte_pair pair;

    byte_pair_from_objects(&pair, 0);
    wrap_and_converse(&pair, 100000);
}

ANYC_TEST(test_tls_stream_layers__byte_by_byte)
{
    struct probe_stream a;
    struct probe_stream b;
    struct byte_pair pair;

    byte_pair_from_objects(&pair, 1);
    pair = (struct byte_pair){probe_init(&a, pair.a), probe_init(&b, pair.b)};
    a.step = b.step = 1;
    wrap_and_converse(&pair, 3000);
    ck_assert_int_ge(a.calls, 6000);
}

ANYC_TEST(test_tls_stream_layers__over_tls)
{
    struct probe_stream probe;
    struct byte_pair pair;

    byte_pair_from_objects(&pair, 1);
    pair.a = probe_init(&probe, pair.a);
    for (int i = 0; i < 3; i++)
        tls_pair_wrap(&pair, NULL);
    converse(&pair, 300000);
    ck_assert(probe.closed && !probe.forcefully && probe.destroyed);
}

static int unwrap_quietly(void *arg)
{
    struct job *job = arg;
    anyc_bytes leftover = {NULL, 0};

    job->rc = anyc_tls_stream_unwrap(job->stream, &job->stream, &leftover);
    ck_assert_uint_eq(leftover.len, 0);
    anyc_bytes_deinit(&leftover);
    return 0;
}

/* The inner TLS ends, the outer one goes on. */
ANYC_TEST(test_tls_stream_layers__tls_over_tls_can_be_unwrapped)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct byte_pair outer;
    struct byte_pair inner;
    struct job a;
    struct job b;

    tls_pair_open(&outer, NULL);
    inner = outer;
    tls_pair_wrap(&inner, NULL);
    a = (struct job){inner.a, NULL, 0, 1};
    b = (struct job){inner.b, NULL, 0, 1};
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, unwrap_quietly, &a);
    group_start(&group, unwrap_quietly, &b);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert(a.rc == 0 && b.rc == 0);
    ck_assert(a.stream == outer.a && b.stream == outer.b);
    converse(&outer, 1000);
}

/* The client's first TLS message comes in one piece with the line before it, so that a buffered
 * stream has read it already. */
ANYC_TEST(test_tls_stream_layers__a_line_of_plain_text_comes_first)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_buffered_stream *buffered = NULL;
    struct tls_end client = {.options.hostname = "localhost"};
    struct tls_end server = {.rc = 1};
    struct byte_pair pair;
    char line[100];
    size_t buffered_len = 0;

    byte_pair_unix(&pair);
    ck_assert_int_eq(anyc_buffered_stream_create(pair.b, &buffered), 0);
    client.stream = pair.a;
    client.options.context = tls_context_client();
    server.stream = &buffered->stream;
    server.options.context = tls_context_server();
    put(pair.a, "STARTTLS\r\n");
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, tls_end_wrap, &client, NULL), 0);
    settle();
    ck_assert_int_eq(anyc_buffered_receive_until(buffered, "\r\n", 2, 99, line, sizeof line), 8);
    (void)anyc_buffered_buffer(buffered, &buffered_len);
    ck_assert_uint_gt(buffered_len, 100);
    ck_assert_int_eq(tls_end_wrap(&server), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert(client.rc == 0 && server.rc == 0);
    pair = (struct byte_pair){client.stream, server.stream};
    converse(&pair, 1000);
    anyc_tls_context_destroy(client.options.context);
    anyc_tls_context_destroy(server.options.context);
}
