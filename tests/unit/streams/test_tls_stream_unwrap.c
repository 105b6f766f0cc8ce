/* SPDX-License-Identifier: MIT */
/*
 * test_tls_stream_unwrap.c - from TLS back to plain text.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <string.h>

#include "support/stream_job.h"
#include "support/tls_pair.h"

/* A task that unwraps. */
struct unwrapper {
    anyc_byte_stream *stream;
    anyc_byte_stream *transport;
    anyc_bytes leftover;
    int rc;
};

static int unwrap_once(void *arg)
{
    struct unwrapper *unwrapper = arg;

    unwrapper->rc = 1;
    unwrapper->rc =
        anyc_tls_stream_unwrap(unwrapper->stream, &unwrapper->transport, &unwrapper->leftover);
    return 0;
}

static void unwrap_start(anyc_task_group *group, struct unwrapper *unwrapper)
{
    ck_assert_int_eq(anyc_task_group_start_soon(group, unwrap_once, unwrapper, NULL), 0);
    settle();
}

/* An unwrap that is answered so at once, and hands nothing over. */
static void unwrap_fails(anyc_byte_stream *stream, int code)
{
    anyc_byte_stream *transport = NULL;
    anyc_bytes leftover = {NULL, 0};

    ck_assert_int_eq(anyc_tls_stream_unwrap(stream, &transport, &leftover), code);
    ck_assert_ptr_null(transport);
    ck_assert_ptr_null(leftover.data);
}

/* Both ends of a TLS connection become those of the transport again. */
static void unwrap_both(struct byte_pair *pair)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct unwrapper a = {.stream = pair->a};
    struct unwrapper b = {.stream = pair->b};

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    unwrap_start(&group, &a);
    ck_assert_int_eq(a.rc, 1);
    unwrap_start(&group, &b);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(a.rc, 0);
    ck_assert_int_eq(b.rc, 0);
    ck_assert_uint_eq(a.leftover.len, 0);
    ck_assert_uint_eq(b.leftover.len, 0);
    anyc_bytes_deinit(&a.leftover);
    anyc_bytes_deinit(&b.leftover);
    pair->a = a.transport;
    pair->b = b.transport;
}

ANYC_TEST(test_tls_stream_unwrap__the_transport_can_be_used_and_wrapped_again)
{
    struct byte_pair pair;
    struct byte_pair plain;

    byte_pair_from_objects(&pair, 1);
    plain = pair;
    for (int i = 0; i < 2; i++) {
        tls_pair_wrap(&pair, NULL);
        put(pair.a, "secret");
        expect(pair.b, "secret");
        unwrap_both(&pair);
        ck_assert_ptr_eq(pair.a, plain.a);
        ck_assert_ptr_eq(pair.b, plain.b);
        put(pair.a, "open");
        expect(pair.b, "open");
        put(pair.b, "answer");
        expect(pair.a, "answer");
    }
    ck_assert_int_eq(anyc_aclose(pair.a), 0);
    ck_assert_int_eq(anyc_aclose(pair.b), 0);
}

/* TL-R009: data, the end of TLS and plain text come in one piece. */
ANYC_TEST(test_tls_stream_unwrap__what_was_received_behind_the_end_is_handed_over)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct unwrapper a = {.stream = NULL};
    struct unwrapper b = {.stream = NULL};
    struct byte_pair pair;
    anyc_byte_stream *raw;

    byte_pair_unix(&pair);
    raw = pair.b;
    tls_pair_wrap(&pair, NULL);
    b.stream = pair.b;
    put(pair.b, "encrypted");
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    unwrap_start(&group, &b);
    put(raw, "unencrypted");
    a.stream = pair.a;
    expect(pair.a, "encrypted");
    ck_assert_int_eq(unwrap_once(&a), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(a.rc, 0);
    ck_assert_int_eq(b.rc, 0);
    ck_assert_uint_eq(a.leftover.len, 11);
    ck_assert_mem_eq(a.leftover.data, "unencrypted", 11);
    anyc_bytes_deinit(&a.leftover);
    anyc_bytes_deinit(&b.leftover);
    tls_pair_drop(&(struct byte_pair){a.transport, b.transport});
}

static int send_much_and_unwrap(void *arg)
{
    struct unwrapper *unwrapper = arg;
    char data[4000] = "";

    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(anyc_send(unwrapper->stream, data, sizeof data), 0);
    return unwrap_once(unwrapper);
}

/* TL-R007: not dropped, and not the end of it either. */
ANYC_TEST(test_tls_stream_unwrap__data_that_still_comes_must_be_received_first)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct unwrapper a = {.stream = NULL};
    struct unwrapper b = {.stream = NULL};
    struct byte_pair pair;
    char buf[1000];
    size_t len = 0;
    ssize_t n;

    tls_pair_open(&pair, NULL);
    a.stream = pair.a;
    b.stream = pair.b;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, send_much_and_unwrap, &b, NULL), 0);
    unwrap_fails(pair.a, ANYC_ESTATE);
    unwrap_fails(pair.a, ANYC_ESTATE);
    ck_assert_int_eq(anyc_send(pair.a, "x", 1), ANYC_ECLOSED); /* it has told its end */
    while ((n = anyc_receive(pair.a, buf, sizeof buf)) > 0)
        len += (size_t)n;
    ck_assert_int_eq(n, ANYC_EOF);
    ck_assert_uint_eq(len, 40000);
    ck_assert_int_eq(unwrap_once(&a), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(a.rc, 0);
    ck_assert_int_eq(b.rc, 0);
    anyc_bytes_deinit(&a.leftover);
    anyc_bytes_deinit(&b.leftover);
    tls_pair_drop(&(struct byte_pair){a.transport, b.transport});
}

/* A part of a record was received, the rest is with mbedTLS. */
ANYC_TEST(test_tls_stream_unwrap__data_that_has_come_in_part_must_be_received_first)
{
    struct byte_pair pair;
    char buf[3];

    tls_pair_open(&pair, NULL);
    put(pair.b, "hello");
    ck_assert_int_eq(anyc_receive(pair.a, buf, 3), 3);
    unwrap_fails(pair.a, ANYC_ESTATE);
    expect(pair.a, "lo");
    tls_pair_drop(&pair);
}

ANYC_TEST(test_tls_stream_unwrap__a_stream_that_is_not_standard_compatible_can_be_unwrapped)
{
    struct byte_pair pair;

    tls_pair_open(&pair, &(struct tls_pair_options){.not_standard_compatible = true});
    unwrap_both(&pair);
    put(pair.a, "open");
    expect(pair.b, "open");
    tls_pair_drop(&pair);
}

ANYC_TEST(test_tls_stream_unwrap__refuses_what_is_not_a_tls_stream)
{
    struct byte_pair pair;

    byte_pair_from_objects(&pair, 1);
    unwrap_fails(pair.a, ANYC_EINVAL);
    tls_pair_drop(&pair);
}

ANYC_TEST(test_tls_stream_unwrap__is_refused_while_others_use_the_stream)
{
    static char data[200000];
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct byte_pair pair;
    struct job sender;
    struct job receiver;

    tls_pair_open(&pair, NULL);
    sender = (struct job){pair.a, data, sizeof data, 1};
    receiver = (struct job){pair.b, data, sizeof data, 1};
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_once, &sender);
    settle();
    unwrap_fails(pair.a, ANYC_EBUSY);
    ck_assert_int_eq(receive_all(&receiver), 0);
    group_start(&group, receive_once, &receiver);
    settle();
    unwrap_fails(pair.b, ANYC_EBUSY);
    put(pair.a, "x");
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(receiver.rc, 1);
    tls_pair_close(&pair);
}

/* And the other way round: who unwraps has the stream for itself. */
ANYC_TEST(test_tls_stream_unwrap__others_are_refused_meanwhile)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct unwrapper a = {.stream = NULL};
    struct byte_pair pair;

    tls_pair_open(&pair, NULL);
    a.stream = pair.a;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    unwrap_start(&group, &a);
    expect_error(pair.a, ANYC_EBUSY);
    ck_assert_int_eq(anyc_send(pair.a, "x", 1), ANYC_EBUSY);
    unwrap_fails(pair.a, ANYC_EBUSY);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(a.rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_send(pair.a, "x", 1), ANYC_ECLOSED);
    tls_pair_close(&pair);
}

ANYC_TEST(test_tls_stream_unwrap__a_close_ends_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct unwrapper a = {.stream = NULL};
    struct byte_pair pair;

    tls_pair_open(&pair, NULL);
    a.stream = pair.a;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    unwrap_start(&group, &a);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, unwrap_once, &a, NULL), 0);
    tls_pair_close(&pair);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(a.rc, ANYC_ECLOSED);
    ck_assert_ptr_null(a.transport);
}

/* The peer has told its end, and the own one cannot be sent, when another task closes. Then it can,
 * and the stream is the other task's. */
ANYC_TEST(test_tls_stream_unwrap__a_close_comes_before_an_unwrap_that_succeeds)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct unwrapper a = {.stream = NULL};
    struct unwrapper b = {.stream = NULL};
    struct byte_pair raw;
    struct byte_pair pair;
    struct job closer;

    byte_pair_from_objects(&raw, 1);
    pair = raw;
    tls_pair_wrap(&pair, NULL);
    a.stream = pair.a;
    b.stream = pair.b;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    unwrap_start(&group, &b);
    expect_eof(pair.a);
    put(raw.a, "no TLS"); /* the peer takes it, and goes */
    settle();
    ck_assert_int_eq(b.rc, ANYC_ETLS);
    put(raw.a, "full");
    unwrap_start(&group, &a);
    ck_assert_int_eq(a.rc, 1);
    closer = (struct job){pair.a, NULL, 0, 1};
    group_start(&group, close_once, &closer);
    settle();
    ck_assert_int_eq(closer.rc, 1);
    expect(raw.b, "full");
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(a.rc, ANYC_ECLOSED);
    ck_assert_ptr_null(a.transport);
    ck_assert_int_eq(closer.rc, 0);
    tls_pair_drop(&pair);
}

ANYC_TEST(test_tls_stream_unwrap__a_cut_is_no_end)
{
    struct byte_pair pair;

    tls_pair_open(&pair, NULL);
    anyc_aclose_forcefully(pair.b);
    unwrap_fails(pair.a, ANYC_EBROKEN);
    unwrap_fails(pair.a, ANYC_EBROKEN);
    ck_assert_int_eq(anyc_aclose(pair.a), 0);
}
