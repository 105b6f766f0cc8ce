/* SPDX-License-Identifier: MIT */
/*
 * test_tls_stream_cancel_end.c - ends of TLS streams cancelled at every point, and what a cancelled
 * send leaves behind.
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
#include "support/stream_job.h"
#include "support/tls_pair.h"

/* A pair whose client's transport is the probe, in steps of a few bytes so that there are many
 * turns. The client has said "before". */
static void probed_pair(struct byte_pair *pair, struct probe_stream *probe)
{
    byte_pair_from_objects(pair, 1);
    pair->a = probe_init(probe, pair->a);
    tls_pair_wrap(pair, NULL);
    put(pair->a, "before");
    probe->step = 7;
}

/* -- closing -- */

static int close_and_answer(void *arg)
{
    struct job *job = arg;

    job->rc = anyc_close(job->stream);
    return (int)job->rc;
}

/* The other side: receives what comes, and closes. */
static int drain_and_close(void *arg)
{
    struct job *job = arg;
    char buf[1000];

    do
        job->rc = anyc_receive(job->stream, buf, sizeof buf);
    while (job->rc > 0);
    (void)anyc_aclose(job->stream); /* as the first side lets it */
    return 0;
}

/* Cancelled after so many turns. Answers whether it got through. */
static bool close_cut(unsigned turns)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct probe_stream probe;
    struct byte_pair pair;
    struct job job;
    struct job drain;
    int rc;

    probed_pair(&pair, &probe);
    job = (struct job){pair.a, NULL, 0, 1};
    drain = (struct job){pair.b, NULL, 0, 1};
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, drain_and_close, &drain);
    rc = cut_short(close_and_answer, &job, turns);
    ck_assert(rc == 0 || rc == ANYC_ECANCELLED);
    ck_assert(probe.closed && probe.forcefully == (rc < 0));
    expect_error(pair.a, ANYC_ECLOSED);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert(drain.rc == ANYC_EOF || (rc < 0 && drain.rc == ANYC_EBROKEN));
    ck_assert_int_eq(anyc_aclose(pair.a), 0);
    return rc == 0;
}

/* TL-R008 */
ANYC_TEST(test_tls_stream_cancel_end__a_cancelled_close_is_one_by_force)
{
    unsigned turns = 0;

    while (!close_cut(turns))
        turns++;
    ck_assert_uint_gt(turns, 2);
}

/* -- unwrapping -- */

struct unwrapper {
    anyc_byte_stream *stream;
    anyc_byte_stream *transport;
    anyc_bytes leftover;
};

static int unwrap_once(void *arg)
{
    struct unwrapper *unwrapper = arg;

    return anyc_tls_stream_unwrap(unwrapper->stream, &unwrapper->transport, &unwrapper->leftover);
}

/* The other side. */
static int drain_and_unwrap(void *arg)
{
    struct unwrapper *unwrapper = arg;

    expect(unwrapper->stream, "before");
    expect_eof(unwrapper->stream);
    ck_assert_int_eq(unwrap_once(unwrapper), 0);
    return 0;
}

/* Cancelled after so many turns, and again after one turn more, and so on, until it gets through.
 * Answers how often it was cancelled. */
static unsigned unwrap_cut(unsigned turns)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct unwrapper a = {.stream = NULL};
    struct unwrapper b = {.stream = NULL};
    struct probe_stream probe;
    struct byte_pair pair;
    unsigned cancelled = 0;

    probed_pair(&pair, &probe);
    a.stream = pair.a;
    b.stream = pair.b;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, drain_and_unwrap, &b, NULL), 0);
    while (cut_short(unwrap_once, &a, turns + cancelled) == ANYC_ECANCELLED) {
        ck_assert(a.transport == NULL && !probe.closed);
        cancelled++;
    }
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_ptr_eq(a.transport, &probe.stream);
    ck_assert_uint_eq(a.leftover.len + b.leftover.len, 0);
    put(a.transport, "after");
    expect(b.transport, "after");
    anyc_bytes_deinit(&a.leftover);
    anyc_bytes_deinit(&b.leftover);
    tls_pair_drop(&(struct byte_pair){a.transport, b.transport});
    return cancelled;
}

ANYC_TEST(test_tls_stream_cancel_end__a_cancelled_unwrap_goes_on_when_called_again)
{
    unsigned turns = 0;

    while (unwrap_cut(turns) > 0)
        turns++;
    ck_assert_uint_gt(turns, 2);
}

/* -- what a cancelled send leaves -- */

enum { LENGTH = 100000 };

static int send_cut_fn(void *arg)
{
    struct job *job = arg;
    size_t total;
    int rc = anyc_send(job->stream, job->data, LENGTH);

    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_int_eq(
        sscanf(anyc_last_error()->message, "%zu of %zu bytes were encrypted", &job->len, &total),
        2);
    ck_assert_uint_eq(total, LENGTH);
    return rc;
}

/* Sends to nobody until it is cancelled. `len`: how much was encrypted. */
static struct job send_cut(anyc_byte_stream *stream)
{
    struct job job = {stream, malloc(LENGTH), 0, 1};

    for (size_t i = 0; i < LENGTH; i++)
        job.data[i] = (char)((i * 31 + i / 253) % 251);
    ck_assert_int_eq(cut_short(send_cut_fn, &job, 100), ANYC_ECANCELLED);
    ck_assert_uint_gt(job.len, 16384);
    ck_assert_uint_lt(job.len, LENGTH);
    return job;
}

/* Receives as many bytes as were sent, which are those. */
static void receive_cut(anyc_byte_stream *stream, const struct job *sent)
{
    struct job job = {stream, malloc(LENGTH), sent->len, 1};

    ck_assert_int_eq(receive_all(&job), 0);
    ck_assert(memcmp(job.data, sent->data, sent->len) == 0);
    free(job.data);
}

ANYC_TEST(test_tls_stream_cancel_end__the_next_send_sends_what_was_left)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct byte_pair pair;
    struct job cut;
    struct job next;

    tls_pair_open(&pair, NULL);
    cut = send_cut(pair.a);
    next = (struct job){pair.a, "next", 4, 1};
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_once, &next);
    receive_cut(pair.b, &cut);
    expect(pair.b, "next");
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(next.rc, 0);
    tls_pair_close(&pair);
    free(cut.data);
}

/* TL-R002 */
ANYC_TEST(test_tls_stream_cancel_end__a_receive_sends_what_was_left)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct byte_pair pair;
    struct job cut;
    struct job receiver;
    char byte;

    tls_pair_open(&pair, NULL);
    cut = send_cut(pair.a);
    receiver = (struct job){pair.a, &byte, 1, 1};
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, receive_once, &receiver);
    receive_cut(pair.b, &cut);
    put(pair.b, "x");
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(receiver.rc, 1);
    tls_pair_close(&pair);
    free(cut.data);
}

ANYC_TEST(test_tls_stream_cancel_end__a_close_sends_what_was_left)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct byte_pair pair;
    struct job cut;
    struct job closer;

    tls_pair_open(&pair, NULL);
    cut = send_cut(pair.a);
    closer = (struct job){pair.a, NULL, 0, 1};
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, close_and_answer, &closer);
    receive_cut(pair.b, &cut);
    expect_eof(pair.b);
    ck_assert_int_eq(anyc_aclose(pair.b), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(closer.rc, 0);
    ck_assert_int_eq(anyc_aclose(pair.a), 0);
    free(cut.data);
}
