/* SPDX-License-Identifier: MIT */
/*
 * test_tls_stream_cancel.c - every operation of TLS streams cancelled at every point.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cut_short.h"
#include "support/probe_stream.h"
#include "tls_link.h"

/* -- wrapping -- */

static int wrap_once(void *arg)
{
    struct tls_end *end = arg;

    end->rc = anyc_tls_stream_wrap(end->stream, &end->options, &end->stream);
    return end->rc;
}

struct contexts {
    anyc_tls_context *client;
    anyc_tls_context *server;
};

static struct contexts contexts_open(anyc_tls_workers workers)
{
    const anyc_tls_certificate own = {.chain.file = TLS_FILE("localhost.pem"),
                                      .key.file = TLS_FILE("localhost.key")};
    anyc_tls_context_options client = {
        .ca.file = TLS_FILE("ca.pem"), .workers = workers, .no_resumption = true};
    anyc_tls_context_options server = {
        .server_side = true, .certificates = &own, .certificate_count = 1, .workers = workers};

    return (struct contexts){tls_context(&client), tls_context(&server)};
}

static void contexts_close(const struct contexts *contexts)
{
    anyc_tls_context_destroy(contexts->client);
    anyc_tls_context_destroy(contexts->server);
}

/* A handshake of which one side is cancelled after so many turns. Answers whether it got through. */
static bool wrap_cut(const struct contexts *contexts, bool at_client, unsigned turns)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct probe_stream probe;
    struct probe_stream other_probe;
    struct byte_pair pair;
    struct tls_end ends[2] = {{.options.context = contexts->server},
                              {.options.context = contexts->client}};
    struct tls_end *cut = &ends[at_client];
    struct tls_end *other = &ends[!at_client];
    int rc;

    byte_pair_from_objects(&pair, 1);
    ends[1].options.hostname = "localhost";
    cut->stream = probe_init(&probe, pair.a);
    other->stream = probe_init(&other_probe, pair.b);
    probe.step = other_probe.step = 100;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, tls_end_wrap, other, NULL), 0);
    rc = cut_short(wrap_once, cut, turns);
    if (rc < 0) {
        ck_assert_int_eq(rc, ANYC_ECANCELLED);
        ck_assert_ptr_eq(cut->stream, &probe.stream);
        ck_assert(!probe.closed);
        ck_assert_int_eq(anyc_aclose(cut->stream), 0);
    }
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    if (rc == 0)
        tls_pair_close(&(struct byte_pair){cut->stream, other->stream});
    else if (other->rc == 0)
        anyc_aclose_forcefully(other->stream); /* its part was over already */
    return rc == 0;
}

ANYC_TEST(test_tls_stream_cancel__a_handshake_can_be_cancelled_at_every_turn)
{
    const struct contexts contexts = contexts_open(ANYC_TLS_WORKERS_OFF);

    for (int at_client = 0; at_client < 2; at_client++) {
        unsigned turns = 0;

        while (!wrap_cut(&contexts, at_client, turns))
            turns++;
        ck_assert_uint_gt(turns, 5);
    }
    contexts_close(&contexts);
}

/* The worker's step is waited for. */
ANYC_TEST(test_tls_stream_cancel__a_handshake_in_workers_can_be_cancelled)
{
    const struct contexts contexts = contexts_open(ANYC_TLS_WORKERS_ON);

    for (int at_client = 0; at_client < 2; at_client++) {
        unsigned turns = 0;

        while (!wrap_cut(&contexts, at_client, turns))
            turns += 1 + turns / 2;
        ck_assert_uint_ge(turns, 5);
    }
    contexts_close(&contexts);
}

/* At every call of the transport: cancelled just as that was to begin. */
ANYC_TEST(test_tls_stream_cancel__a_handshake_can_be_cancelled_at_every_call)
{
    const struct contexts contexts = contexts_open(ANYC_TLS_WORKERS_ON);
    bool whole = false;

    for (int n = 1; !whole; n++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        struct probe_stream probe;
        struct byte_pair pair;
        anyc_cancel_scope scope;
        struct tls_end server = {.options.context = contexts.server};
        struct tls_end client = {.options = {contexts.client, "localhost", ANYC_TLS_CLIENT, false}};

        byte_pair_from_objects(&pair, 1);
        server.stream = pair.b;
        client.stream = probe_init(&probe, pair.a);
        probe.cancel_at = n;
        probe.scope = &scope;
        ck_assert_int_eq(anyc_task_group_enter(&group), 0);
        ck_assert_int_eq(anyc_task_group_start_soon(&group, tls_end_wrap, &server, NULL), 0);
        ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), 0);
        ck_assert_int_eq(anyc_cancel_scope_exit(&scope, wrap_once(&client)), 0);
        whole = probe.calls < n;
        ck_assert_int_eq(client.rc, whole ? 0 : ANYC_ECANCELLED);
        ck_assert(!probe.closed);
        anyc_aclose_forcefully(client.stream);
        ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
        if (server.rc == 0)
            anyc_aclose_forcefully(server.stream);
    }
    contexts_close(&contexts);
}

/* -- receiving -- */

static int receive_part(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_receive(job->stream, job->data, job->len);
    return (int)job->rc;
}

enum { LENGTH = 100000 };

static int send_slowly(void *arg)
{
    struct job *job = arg;

    for (size_t at = 0; at < job->len; at += 1000) {
        ck_assert_int_eq(anyc_send(job->stream, job->data + at, 1000), 0);
        for (size_t i = 0; i < at / 1000 % 30; i++)
            ck_assert_int_eq(anyc_checkpoint(), 0);
    }
    job->rc = 0;
    return 0;
}

/* Over a transport that gives so many bytes at a time. */
static void cancelled_receives(size_t step)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct probe_stream probe;
    struct byte_pair pair;
    struct job sender = {NULL, malloc(LENGTH), LENGTH, 1};
    char *received = malloc(LENGTH);
    size_t at = 0;
    unsigned cancelled = 0;

    for (size_t i = 0; i < LENGTH; i++)
        sender.data[i] = (char)((i * 31 + i / 253) % 251);
    byte_pair_from_objects(&pair, 1);
    pair.a = probe_init(&probe, pair.a);
    probe.step = step;
    tls_pair_wrap(&pair, NULL);
    sender.stream = pair.b;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_slowly, &sender);
    for (unsigned n = 0; at < LENGTH; n++) {
        struct job part = {pair.a, received + at, LENGTH - at < 999 ? LENGTH - at : 999, 1};
        int rc = cut_short(receive_part, &part, n % 7);

        ck_assert(rc > 0 || rc == ANYC_ECANCELLED);
        cancelled += rc < 0;
        at += rc > 0 ? (size_t)rc : 0;
    }
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_uint_gt(cancelled, 10);
    ck_assert(memcmp(sender.data, received, LENGTH) == 0);
    free(sender.data);
    free(received);
    tls_pair_close(&pair);
}

ANYC_TEST(test_tls_stream_cancel__a_cancelled_receive_loses_nothing)
{
    cancelled_receives(0);
    cancelled_receives(700);
}

/* -- sending -- */

enum { MIB = 1024 * 1024, SENDS = 12 };

/* What was sent so far, and what should arrive. */
struct flow {
    anyc_byte_stream *stream;
    int (*send)(struct flow *flow); /* all of `data`, or what it likes; adds up `taken` */
    char *data;
    size_t len;
    size_t taken; /* of data */
    char *expected;
    size_t expected_len;
    unsigned random;
    unsigned turns; /* at most, until a send is cancelled */
    unsigned cancelled;
};

static unsigned flow_random(struct flow *flow, unsigned below)
{
    flow->random = flow->random * 1664525U + 1013904223U;
    return (flow->random >> 8) % below;
}

static int flow_note(struct flow *flow, int rc)
{
    size_t total = flow->len;

    if (rc == 0)
        flow->taken = total;
    else if (sscanf(anyc_last_error()->message, "%zu of %zu bytes were encrypted", &flow->taken,
                    &total) < 2)
        flow->taken = 0; /* it had not begun */
    ck_assert_uint_eq(total, flow->len);
    ck_assert(flow->taken == flow->len || flow->taken % tls_record_len(flow->stream) == 0);
    return rc;
}

static int flow_send(struct flow *flow)
{
    return flow_note(flow, anyc_send(flow->stream, flow->data, flow->len));
}

static int flow_sendv(struct flow *flow)
{
    const struct iovec pieces[] = {{flow->data, 7},
                                   {NULL, 0},
                                   {flow->data + 7, 50000},
                                   {flow->data + 50007, 1},
                                   {flow->data + 50008, flow->len - 50008}};

    return flow_note(flow, anyc_sendv(flow->stream, pieces, 5));
}

static int flow_send_some(struct flow *flow)
{
    ssize_t n = 0;

    while (n >= 0 && flow->taken < flow->len) {
        n = anyc_send_some(flow->stream, flow->data + flow->taken, flow->len - flow->taken);
        flow->taken += n > 0 ? (size_t)n : 0;
    }
    return n < 0 ? (int)n : 0;
}

static int flow_task(void *arg)
{
    struct flow *flow = arg;

    return flow->send(flow);
}

/* Several sends one after the other, each cancelled at some time or not. */
static void flow_run(struct flow *flow)
{
    flow->data = malloc(MIB);
    flow->len = MIB;
    flow->expected = malloc((size_t)SENDS * MIB);
    for (unsigned k = 0; k < SENDS; k++) {
        int rc;

        for (size_t i = 0; i < MIB; i++)
            flow->data[i] = (char)((i * 31 + i / 253 + k * 17) % 251);
        flow->taken = 0;
        rc = cut_short(flow_task, flow, flow_random(flow, flow->turns));
        ck_assert(rc == 0 || rc == ANYC_ECANCELLED);
        flow->cancelled += rc < 0;
        memcpy(flow->expected + flow->expected_len, flow->data, flow->taken);
        flow->expected_len += flow->taken;
    }
    ck_assert_int_gt(flow->cancelled, 2);
}

static void flow_check(struct flow *flow, const char *data, size_t len)
{
    ck_assert_uint_eq(len, flow->expected_len);
    ck_assert(memcmp(data, flow->expected, len) == 0);
    free(flow->data);
    free(flow->expected);
}

/* Takes its time, up to the end; then closes too. */
static int receive_slowly(void *arg)
{
    struct job *job = arg;
    ssize_t n = 1;

    for (job->len = 0; n > 0; job->len += n > 0 ? (size_t)n : 0) {
        n = anyc_receive(job->stream, job->data + job->len, 5000);
        for (size_t i = 0; i < job->len % 3; i++)
            ck_assert_int_eq(anyc_checkpoint(), 0);
    }
    ck_assert_int_eq(n, ANYC_EOF);
    job->rc = anyc_aclose(job->stream);
    return 0;
}

static void cancelled_sends(int (*send)(struct flow *flow), void (*make)(struct byte_pair *pair),
                            unsigned turns)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct flow flow = {.send = send, .turns = turns, .random = turns};
    struct job receiver = {NULL, malloc((size_t)SENDS * MIB + 5000), 0, 1};
    struct byte_pair pair;

    make(&pair);
    tls_pair_wrap(&pair, NULL);
    flow.stream = pair.a;
    receiver.stream = pair.b;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receive_slowly, &receiver);
    flow_run(&flow);
    ck_assert_int_eq(anyc_aclose(pair.a), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(receiver.rc, 0);
    flow_check(&flow, receiver.data, receiver.len);
    free(receiver.data);
}

static void make_memory(struct byte_pair *pair)
{
    byte_pair_from_objects(pair, 1);
}

ANYC_TEST(test_tls_stream_cancel__of_a_cancelled_send_whole_records_arrive)
{
    cancelled_sends(flow_send, make_memory, 400);
    cancelled_sends(flow_send, byte_pair_unix_narrow, 1000);
}

ANYC_TEST(test_tls_stream_cancel__of_cancelled_pieces_whole_records_arrive)
{
    cancelled_sends(flow_sendv, make_memory, 400);
    cancelled_sends(flow_sendv, byte_pair_unix_narrow, 1000);
}

ANYC_TEST(test_tls_stream_cancel__of_cancelled_parts_arrives_what_was_said)
{
    cancelled_sends(flow_send_some, make_memory, 400);
    cancelled_sends(flow_send_some, byte_pair_unix_narrow, 1000);
}

/* A peer that keeps all it gets, up to the end that is told. */
static int keep_all(struct tls_peer *peer, void *arg)
{
    struct job *job = arg;
    int n = 1;

    for (job->len = 0; n > 0; job->len += n > 0 ? (size_t)n : 0)
        n = tls_peer_read(peer, job->data + job->len, 5000);
    return n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ? tls_peer_send_close_notify(peer) : n;
}

ANYC_TEST(test_tls_stream_cancel__to_a_foreign_peer_it_is_good_tls)
{
    struct flow flow = {.send = flow_send, .turns = 4000, .random = 1};
    struct job kept = {NULL, malloc((size_t)SENDS * MIB + 5000), 0, 1};
    struct tls_peer peer;

    flow.stream = tls_link_open_narrow(&peer, keep_all, &kept);
    flow_run(&flow);
    ck_assert_int_eq(anyc_aclose(flow.stream), 0);
    tls_peer_join_ok(&peer);
    flow_check(&flow, kept.data, kept.len);
    free(kept.data);
}
