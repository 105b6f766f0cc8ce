/* SPDX-License-Identifier: MIT */
/*
 * test_tls_stream_close.c - a TLS stream is closed or freed while other tasks are inside it.
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

enum { MIB = 1024 * 1024 };

/* A pair on which `a` has tasks that wait. */
struct busy_pair {
    struct byte_pair tls;
    struct probe_stream probe; /* of a */
    anyc_task_group group;
    struct job sender;
    struct job receiver;
    char byte;
};

static void busy_pair_init(struct busy_pair *pair)
{
    struct byte_pair raw;

    byte_pair_from_objects(&raw, 1);
    memset(pair, 0, sizeof *pair);
    pair->tls = (struct byte_pair){probe_init(&pair->probe, raw.a), raw.b};
    tls_pair_wrap(&pair->tls, NULL);
    pair->group = (anyc_task_group)ANYC_TASK_GROUP_INIT;
    pair->sender = (struct job){pair->tls.a, malloc(MIB), MIB, 1};
    pair->receiver = (struct job){pair->tls.a, &pair->byte, 1, 1};
    for (size_t i = 0; i < MIB; i++)
        pair->sender.data[i] = (char)((i * 31 + i / 253) % 251);
    ck_assert_int_eq(anyc_task_group_enter(&pair->group), 0);
}

/* A writer that is stuck, as nobody receives. */
static void busy_pair_send(struct busy_pair *pair)
{
    group_start(&pair->group, send_once, &pair->sender);
    settle();
    ck_assert_int_eq(pair->sender.rc, 1);
}

/* A reader that has nothing to receive. */
static void busy_pair_receive(struct busy_pair *pair)
{
    group_start(&pair->group, receive_once, &pair->receiver);
    settle();
    ck_assert_int_eq(pair->receiver.rc, 1);
}

/* A reader that is stuck sending what a cancelled send has left, and a writer behind it. */
static void busy_pair_queue(struct busy_pair *pair)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_once, &pair->sender);
    settle();
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(pair->sender.rc, ANYC_ECANCELLED);
    busy_pair_receive(pair);
    busy_pair_send(pair);
}

/* The tasks of `a` have ended, for this reason if they had begun. */
static void busy_pair_leave(struct busy_pair *pair, int sender_rc, int receiver_rc)
{
    ck_assert_int_eq(anyc_task_group_exit(&pair->group, 0), 0);
    ck_assert_int_eq(pair->sender.rc, sender_rc);
    ck_assert_int_eq(pair->receiver.rc, receiver_rc);
    free(pair->sender.data);
}

/* Everything up to the end, then the own end. */
static int drain_and_close(void *arg)
{
    struct job *job = arg;
    ssize_t n = 1;

    job->len = 0;
    while (n > 0) {
        n = anyc_receive(job->stream, job->data + job->len, MIB - job->len);
        job->len += n > 0 ? (size_t)n : 0;
    }
    ck_assert_int_eq(n, ANYC_EOF);
    job->rc = anyc_aclose(job->stream);
    return 0;
}

/* Close or free `a` politely; the other side gets what was encrypted, in whole records, and the
 * end. */
static size_t close_under(struct busy_pair *pair, bool free_it)
{
    struct job drain = {pair->tls.b, malloc(MIB), 0, 1};
    size_t record_len = tls_record_len(pair->tls.a);
    size_t len;

    group_start(&pair->group, drain_and_close, &drain);
    ck_assert_int_eq(free_it ? anyc_aclose(pair->tls.a) : anyc_close(pair->tls.a), 0);
    ck_assert(pair->probe.closed && !pair->probe.forcefully);
    while (drain.rc == 1)
        ck_assert_int_eq(anyc_checkpoint(), 0);
    ck_assert_int_eq(drain.rc, 0);
    ck_assert_uint_lt(drain.len, MIB);
    ck_assert_uint_eq(drain.len % record_len, 0);
    len = drain.len;
    ck_assert(memcmp(drain.data, pair->sender.data, len < 32768 ? len : 32768) == 0);
    free(drain.data);
    if (!free_it)
        ck_assert_int_eq(anyc_aclose(pair->tls.a), 0);
    return len;
}

ANYC_TEST(test_tls_stream_close__a_reader_and_a_writer_are_told)
{
    for (int free_it = 0; free_it < 2; free_it++) {
        struct busy_pair pair;

        busy_pair_init(&pair);
        busy_pair_receive(&pair);
        ck_assert_uint_eq(close_under(&pair, free_it), 0);
        busy_pair_leave(&pair, 1, ANYC_ECLOSED);

        busy_pair_init(&pair);
        busy_pair_send(&pair);
        ck_assert_uint_gt(close_under(&pair, free_it), 0);
        busy_pair_leave(&pair, ANYC_ECLOSED, 1);

        busy_pair_init(&pair);
        busy_pair_receive(&pair);
        busy_pair_send(&pair);
        ck_assert_uint_gt(close_under(&pair, free_it), 0);
        busy_pair_leave(&pair, ANYC_ECLOSED, ANYC_ECLOSED);
    }
}

ANYC_TEST(test_tls_stream_close__who_waits_for_a_turn_to_send_is_told)
{
    for (int free_it = 0; free_it < 2; free_it++) {
        struct busy_pair pair;

        busy_pair_init(&pair);
        busy_pair_queue(&pair);
        ck_assert_uint_gt(close_under(&pair, free_it), 0);
        busy_pair_leave(&pair, ANYC_ECLOSED, ANYC_ECLOSED);
    }
}

ANYC_TEST(test_tls_stream_close__a_forceful_one_does_not_wait_for_others)
{
    struct busy_pair pair;

    busy_pair_init(&pair);
    busy_pair_receive(&pair);
    busy_pair_send(&pair);
    anyc_aclose_forcefully(pair.tls.a);
    ck_assert(pair.probe.forcefully && pair.probe.destroyed);
    ck_assert(pair.sender.rc == 1 && pair.receiver.rc == 1);
    busy_pair_leave(&pair, ANYC_ECLOSED, ANYC_ECLOSED);
    anyc_aclose_forcefully(pair.tls.b);

    busy_pair_init(&pair);
    busy_pair_queue(&pair);
    anyc_aclose_forcefully(pair.tls.a);
    busy_pair_leave(&pair, ANYC_ECLOSED, ANYC_ECLOSED);
    anyc_aclose_forcefully(pair.tls.b);
}

/* Woken by the closing of the transport, which is gone when they run. */
ANYC_TEST(test_tls_stream_close__in_a_cancelled_scope_it_does_not_wait_for_others)
{
    anyc_cancel_scope scope;
    struct busy_pair pair;

    busy_pair_init(&pair);
    busy_pair_queue(&pair);
    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), 0);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_aclose(pair.tls.a), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), 0);
    ck_assert(pair.probe.forcefully && pair.probe.destroyed);
    busy_pair_leave(&pair, ANYC_ECLOSED, ANYC_ECLOSED);
    anyc_aclose_forcefully(pair.tls.b);
}

/* The one that waits for the peer's end. */
ANYC_TEST(test_tls_stream_close__a_second_one_changes_nothing)
{
    struct busy_pair pair;
    struct job closer;

    busy_pair_init(&pair);
    closer = (struct job){pair.tls.a, NULL, 0, 1};
    group_start(&pair.group, close_once, &closer);
    settle();
    ck_assert_int_eq(anyc_close(pair.tls.a), 0);
    ck_assert(closer.rc == 1 && !pair.probe.closed);
    expect_error(pair.tls.a, ANYC_ECLOSED);
    ck_assert_int_eq(anyc_send(pair.tls.a, "x", 1), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_aclose(pair.tls.b), 0);
    busy_pair_leave(&pair, 1, 1);
    ck_assert_int_eq(closer.rc, 0);
    ck_assert_int_eq(anyc_aclose(pair.tls.a), 0);
}

ANYC_TEST(test_tls_stream_close__may_be_freed_while_it_waits_for_the_peer)
{
    struct busy_pair pair;
    struct job closer;

    busy_pair_init(&pair);
    closer = (struct job){pair.tls.a, NULL, 0, 1};
    group_start(&pair.group, close_once, &closer);
    settle();
    anyc_aclose_forcefully(pair.tls.a);
    ck_assert(pair.probe.destroyed);
    busy_pair_leave(&pair, 1, 1);
    ck_assert_int_eq(closer.rc, ANYC_ECLOSED);
    anyc_aclose_forcefully(pair.tls.b);
}

/* After each number of turns: it may wait for the others or for the peer. */
ANYC_TEST(test_tls_stream_close__may_be_freed_at_any_time)
{
    for (int turns = 1; turns < 8; turns++) {
        struct busy_pair pair;
        struct job closer;

        busy_pair_init(&pair);
        busy_pair_queue(&pair);
        closer = (struct job){pair.tls.a, NULL, 0, 1};
        group_start(&pair.group, close_once, &closer);
        for (int i = 0; i < turns; i++)
            ck_assert_int_eq(anyc_checkpoint(), 0);
        anyc_aclose_forcefully(pair.tls.a);
        busy_pair_leave(&pair, ANYC_ECLOSED, ANYC_ECLOSED);
        ck_assert(closer.rc < 0);
        anyc_aclose_forcefully(pair.tls.b);
    }
}

static int free_at_once(void *arg)
{
    struct job *job = arg;

    anyc_aclose_forcefully(job->stream);
    job->rc = 0;
    return 0;
}

/* A call that lets others run at its checkpoint comes back to a stream that has gone. */
ANYC_TEST(test_tls_stream_close__is_freed_while_a_call_lets_others_run)
{
    struct busy_pair pair;
    struct job freer;
    int rc = 0;

    busy_pair_init(&pair);
    freer = (struct job){pair.tls.a, NULL, 0, 1};
    group_start(&pair.group, free_at_once, &freer);
    while (rc == 0 && freer.rc == 1)
        rc = anyc_send(pair.tls.a, "", 0);
    ck_assert_int_eq(rc, ANYC_ECLOSED);
    busy_pair_leave(&pair, 1, 1);
    anyc_aclose_forcefully(pair.tls.b);
}

/* -- freed after a call of the transport has done its part, but before its task runs -- */

static int unwrap_once(void *arg)
{
    struct job *job = arg;
    anyc_byte_stream *transport = NULL;
    anyc_bytes leftover;

    job->rc = anyc_tls_stream_unwrap(job->stream, &transport, &leftover);
    return 0;
}

static int receive_until_error(void *arg)
{
    struct job *job = arg;

    do
        job->rc = anyc_receive(job->stream, job->data, job->len);
    while (job->rc > 0);
    return 0;
}

/* The task is in a call of the transport when `a` is freed, and the call is a success all the same.
 * It must not go on with the transport, which the probe watches. */
static void free_within_call(anyc_task_fn fn, size_t step, int call)
{
    struct busy_pair pair;
    struct job job;
    struct job peer;

    busy_pair_init(&pair);
    put(pair.tls.b, "not looked at");
    pair.probe.step = step;
    pair.probe.outlive_at = pair.probe.calls + call;
    job = (struct job){pair.tls.a, pair.sender.data, MIB, 1};
    group_start(&pair.group, fn, &job);
    peer = (struct job){pair.tls.b, &pair.byte, 1, 1};
    group_start(&pair.group, receive_until_error, &peer);
    while (pair.probe.calls < pair.probe.outlive_at)
        ck_assert_int_eq(anyc_checkpoint(), 0);
    anyc_aclose_forcefully(pair.tls.a);
    ck_assert_int_eq(job.rc, 1);
    busy_pair_leave(&pair, 1, 1);
    ck_assert_int_eq(job.rc, ANYC_ECLOSED);
    anyc_aclose_forcefully(pair.tls.b);
}

ANYC_TEST(test_tls_stream_close__is_freed_between_two_calls_of_the_transport)
{
    free_within_call(send_once, 10, 1);
    free_within_call(send_once, 10, 2);
    free_within_call(send_once, 0, 1);
    free_within_call(close_once, 10, 1);
    free_within_call(unwrap_once, 10, 1);
}

/* The end is told, in two calls or one, and the peer's is not waited for any more: of the record
 * before it only a part is there. */
ANYC_TEST(test_tls_stream_close__is_freed_while_it_waits_for_the_end_of_the_peer)
{
    free_within_call(close_once, 0, 1);
    free_within_call(close_once, 20, 3);
    free_within_call(unwrap_once, 0, 1);
    free_within_call(unwrap_once, 20, 3);
}
