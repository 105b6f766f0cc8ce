/* SPDX-License-Identifier: MIT */
/*
 * tls_fate.c - TLS handshakes, and what becomes of them.
 */
#include "tls_fate.h"

#include <check.h>

#include <anyc/anyc.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/byte_pair.h"
#include "support/probe_stream.h"
#include "support/tls_files.h"
#include "support/tls_pair.h"

/* Places in the arrays of contexts. */
enum { CLIENT, CLIENT_PLAIN, CLIENT_RSA, CLIENT_H2, CLIENT_DISTRUSTS };
enum { SERVER, SERVER_PLAIN, SERVER_EXPIRED, SERVER_STRICT, SERVER_HTTP };

/* One side of a handshake. */
struct side {
    struct probe_stream probe;
    anyc_tls_stream_wrap_options options;
    anyc_byte_stream *stream; /* the transport; once rc is 0 the TLS stream */
    anyc_cancel_scope scope;  /* around the handshake */
    double limit;             /* on it, seconds */
    bool babbles;             /* sends what is no TLS, in place of a handshake */
    int rc;
    char message[160]; /* of the failure */
};

struct attempt {
    enum fate fate;
    uint32_t random;
    struct side client;
    struct side server;
};

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13; /* xorshift */
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static uint32_t below(struct attempt *attempt, uint32_t limit)
{
    return next_random(&attempt->random) % limit;
}

/* -- contexts -- */

static void make_clients(struct fates *fates)
{
    static const char *const h2[] = {"h2", NULL};
    const anyc_tls_source ca = {.file = TLS_FILE("ca.pem")};

    fates->clients[CLIENT] = tls_context(&(anyc_tls_context_options){.ca = ca});
    fates->clients[CLIENT_PLAIN] = tls_context(&(anyc_tls_context_options){
        .ca = ca, .no_resumption = true, .workers = ANYC_TLS_WORKERS_OFF});
    fates->clients[CLIENT_RSA] = tls_context(&(anyc_tls_context_options){
        .ca = ca, .ciphers = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", .max_version = ANYC_TLS_1_2});
    fates->clients[CLIENT_H2] =
        tls_context(&(anyc_tls_context_options){.ca = ca, .alpn_protocols = h2});
    fates->clients[CLIENT_DISTRUSTS] =
        tls_context(&(anyc_tls_context_options){.ca.file = TLS_FILE("other_ca.pem")});
}

static void make_servers(struct fates *fates)
{
    static const char *const http[] = {"http/1.1", NULL};
    const anyc_tls_certificate good = {.chain.file = TLS_FILE("localhost.pem"),
                                       .key.file = TLS_FILE("localhost.key")};
    const anyc_tls_certificate expired = {.chain.file = TLS_FILE("expired.pem"),
                                          .key.file = TLS_FILE("localhost.key")};
    anyc_tls_context_options options = {
        .server_side = true, .certificates = &good, .certificate_count = 1};

    fates->servers[SERVER] = tls_context(&options);
    options.alpn_protocols = http;
    fates->servers[SERVER_HTTP] = tls_context(&options);
    options.alpn_protocols = NULL;
    options.no_resumption = true;
    options.workers = ANYC_TLS_WORKERS_OFF;
    fates->servers[SERVER_PLAIN] = tls_context(&options);
    options.certificates = &expired;
    fates->servers[SERVER_EXPIRED] = tls_context(&options);
    options.certificates = &good;
    options.ca.file = TLS_FILE("ca.pem");
    options.verify = ANYC_TLS_VERIFY_REQUIRED;
    fates->servers[SERVER_STRICT] = tls_context(&options);
}

void fates_init(struct fates *fates, uint32_t seed)
{
    *fates = (struct fates){.seed = seed};
    make_clients(fates);
    make_servers(fates);
}

void fates_deinit(struct fates *fates)
{
    for (size_t i = 0; i < sizeof fates->clients / sizeof *fates->clients; i++)
        anyc_tls_context_destroy(fates->clients[i]);
    for (size_t i = 0; i < sizeof fates->servers / sizeof *fates->servers; i++)
        anyc_tls_context_destroy(fates->servers[i]);
}

/* -- one side -- */

static int side_babble(struct side *side)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int rc = anyc_send(side->stream, text, sizeof text - 1);

    return rc < 0 ? rc : ANYC_ETLS; /* it has failed, in a way */
}

/* Answers the result of the handshake, and ends the transport of one that failed. */
static void side_shake(struct side *side)
{
    int rc;

    ck_assert_int_eq(anyc_move_on_after(&side->scope, side->limit, false), 0);
    if (side->babbles)
        side->rc = side_babble(side);
    else
        side->rc = anyc_tls_stream_wrap(side->stream, &side->options, &side->stream);
    if (side->rc < 0)
        snprintf(side->message, sizeof side->message, "%s", anyc_last_error()->message);
    side->probe.cancel_at = 0; /* the scope ends */
    rc = anyc_cancel_scope_exit(&side->scope, side->rc);
    ck_assert(rc == side->rc || (rc == 0 && side->rc == ANYC_ECANCELLED));
    if (side->rc < 0)
        anyc_aclose_forcefully(side->stream);
}

/* A word each way, and the end. What the other side answers may be anything if it is not well. */
static int side_talk(struct side *side, bool all_well)
{
    char word[4];
    int rc = anyc_send(side->stream, "word", sizeof word);
    ssize_t n = rc < 0 ? rc : anyc_receive(side->stream, word, sizeof word);

    if (!all_well) {
        anyc_aclose_forcefully(side->stream);
        return n == ANYC_ECANCELLED ? (int)n : 0;
    }
    ck_assert_int_eq(n, sizeof word);
    ck_assert_int_eq(anyc_aclose(side->stream), 0);
    return 0;
}

static int client_task(void *arg)
{
    struct attempt *attempt = arg;

    side_shake(&attempt->client);
    return attempt->client.rc < 0 ? 0 : side_talk(&attempt->client, attempt->fate == FATE_GOOD);
}

static int server_task(void *arg)
{
    struct attempt *attempt = arg;

    side_shake(&attempt->server);
    return attempt->server.rc < 0 ? 0 : side_talk(&attempt->server, attempt->fate == FATE_GOOD);
}

/* -- what becomes of it -- */

/* Faults of a transport, on either side. */
static void spoil_transport(struct attempt *attempt)
{
    struct side *side = below(attempt, 2) == 0 ? &attempt->client : &attempt->server;
    struct probe_stream *probe = &side->probe;
    int call = 1 + (int)below(attempt, 10);

    switch (attempt->fate) {
    case FATE_CUT:
        probe->ends = true;
        probe->ends_after = below(attempt, 1000);
        break;
    case FATE_CHANGED:
        probe->flip_at = 1 + below(attempt, 1000);
        break;
    case FATE_CANCELLED_CALL:
        probe->cancel_at = call;
        probe->scope = &side->scope;
        break;
    case FATE_STALLED:
        probe->stall_at = call;
        break;
    case FATE_BROKEN:
        probe->fail_from = call;
        probe->fail_rc = ANYC_EBROKEN;
        break;
    default:
        break;
    }
}

/* Sides that do not get along with each other. */
static void spoil_sides(const struct fates *fates, struct attempt *attempt)
{
    anyc_tls_stream_wrap_options *client = &attempt->client.options;
    anyc_tls_stream_wrap_options *server = &attempt->server.options;

    switch (attempt->fate) {
    case FATE_GARBAGE:
        attempt->client.babbles = true;
        break;
    case FATE_WRONG_NAME:
        client->hostname = "other.example";
        break;
    case FATE_EXPIRED:
        server->context = fates->servers[SERVER_EXPIRED];
        break;
    case FATE_UNKNOWN_CA:
        client->context = fates->clients[CLIENT_DISTRUSTS];
        break;
    case FATE_NO_CERTIFICATE:
        server->context = fates->servers[SERVER_STRICT];
        break;
    case FATE_NO_CIPHER:
        client->context = fates->clients[CLIENT_RSA];
        break;
    case FATE_NO_PROTOCOL:
        client->context = fates->clients[CLIENT_H2];
        server->context = fates->servers[SERVER_HTTP];
        break;
    default:
        break;
    }
}

static void set_up(const struct fates *fates, struct attempt *attempt, uint32_t number)
{
    struct byte_pair pair;
    double limit = INFINITY;

    attempt->random = (fates->seed ^ number * 0x9e3779b9U) | 1;
    (void)below(attempt, 2); /* the first ones are much alike */
    if (number % 2 == 1)
        attempt->fate = (enum fate)(1 + below(attempt, FATE_COUNT - 1));
    if (below(attempt, 2) == 0)
        byte_pair_from_objects(&pair, 1 + below(attempt, 16));
    else
        byte_pair_unix(&pair);
    attempt->client.stream = probe_init(&attempt->client.probe, pair.a);
    attempt->server.stream = probe_init(&attempt->server.probe, pair.b);
    attempt->client.options = (anyc_tls_stream_wrap_options){
        .context = fates->clients[below(attempt, 2) == 0 ? CLIENT : CLIENT_PLAIN],
        .hostname = "localhost"};
    attempt->server.options = (anyc_tls_stream_wrap_options){
        .context = fates->servers[below(attempt, 2) == 0 ? SERVER : SERVER_PLAIN]};
    spoil_transport(attempt);
    spoil_sides(fates, attempt);
    if (attempt->fate == FATE_CANCELLED_TIME)
        limit = below(attempt, 4000) * 1e-6;
    else if (attempt->fate == FATE_STALLED || attempt->fate == FATE_CHANGED)
        limit = 0.02; /* a changed length lets both sides wait */
    attempt->client.limit = limit;
    attempt->server.limit = limit;
}

/* Those that cannot come too late. */
static bool is_certain(enum fate fate)
{
    return fate >= FATE_GARBAGE;
}

static bool is_known(int rc)
{
    return rc == 0 || rc == ANYC_ETLS || rc == ANYC_ETLS_EOF || rc == ANYC_ETLS_CERTIFICATE ||
           rc == ANYC_EBROKEN || rc == ANYC_ECANCELLED;
}

static void check(struct fates *fates, const struct attempt *attempt, uint32_t number)
{
    int client = attempt->client.rc;
    int server = attempt->server.rc;
    bool is_good = attempt->fate == FATE_GOOD ? client == 0 && server == 0
                                              : is_known(client) && is_known(server);

    if (is_certain(attempt->fate) && client == 0 && server == 0)
        is_good = false;
    ck_assert_msg(is_good, "handshake %u, fate %d: client %s (%s), server %s (%s)", number,
                  (int)attempt->fate, anyc_error_name(client), attempt->client.message,
                  anyc_error_name(server), attempt->server.message);
    fates->ended[attempt->fate]++;
    fates->succeeded[attempt->fate] += client == 0 && server == 0;
}

/* Where a transport may hang there is a limit on what comes after the handshake too. */
void fates_shake(struct fates *fates, uint32_t number)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct attempt *attempt = calloc(1, sizeof *attempt);
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ptr_nonnull(attempt);
    set_up(fates, attempt, number);
    ck_assert_int_eq(
        anyc_move_on_after(
            &scope,
            attempt->fate == FATE_STALLED || attempt->fate == FATE_CHANGED ? 0.05 : INFINITY,
            false),
        0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, client_task, attempt, NULL), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, server_task, attempt, NULL), 0);
    rc = anyc_task_group_exit(&group, 0);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), 0);
    check(fates, attempt, number);
    free(attempt);
}
