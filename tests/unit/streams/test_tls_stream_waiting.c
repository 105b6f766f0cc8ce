/* SPDX-License-Identifier: MIT */
/*
 * test_tls_stream_waiting.c - several tasks at one TLS stream: a reader and a writer, somebody who
 * closes it under their hands.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tls_link.h"

enum { MIB = 1024 * 1024 };

/* Bytes that tell where they belong. */
static char *pattern(size_t len, unsigned seed)
{
    char *data = malloc(len);

    for (size_t i = 0; i < len; i++)
        data[i] = (char)((i * 31 + i / 253 + seed) % 251);
    return data;
}

/* -- a reader and a writer -- */

static void both_ways(struct byte_pair *pair, size_t len)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct job jobs[4];

    for (unsigned i = 0; i < 2; i++) {
        jobs[i] = (struct job){i == 0 ? pair->a : pair->b, pattern(len, i), len, 1};
        jobs[2 + i] = (struct job){i == 0 ? pair->b : pair->a, calloc(1, len), len, 1};
    }
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_once, &jobs[0]);
    group_start(&group, send_once, &jobs[1]);
    settle(); /* both directions are full */
    group_start(&group, receive_all, &jobs[2]);
    group_start(&group, receive_all, &jobs[3]);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(jobs[i].rc, 0);
        ck_assert(memcmp(jobs[i].data, jobs[2 + i].data, len) == 0);
        free(jobs[i].data);
        free(jobs[2 + i].data);
    }
    tls_pair_close(pair);
}

/* TL-R001, TL-R002, TL-R005 */
ANYC_TEST(test_tls_stream_waiting__both_directions_may_be_full)
{
    struct byte_pair pair;

    tls_pair_open(&pair, NULL);
    both_ways(&pair, MIB);
    byte_pair_unix_narrow(&pair);
    tls_pair_wrap(&pair, NULL);
    both_ways(&pair, MIB);
}

/* The same with a foreign peer, that sends back what it gets. */
ANYC_TEST(test_tls_stream_waiting__a_foreign_peer_echoes)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct tls_peer peer;
    anyc_byte_stream *stream = tls_link_open(&peer, tls_peer_echo, NULL);
    struct job sender = {stream, pattern(MIB, 7), MIB, 1};
    struct job receiver = {stream, calloc(1, MIB), MIB, 1};

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_once, &sender);
    group_start(&group, receive_all, &receiver);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(sender.rc, 0);
    ck_assert(memcmp(sender.data, receiver.data, MIB) == 0);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
    free(sender.data);
    free(receiver.data);
}

/* TL-R003 */
ANYC_TEST(test_tls_stream_waiting__a_second_task_in_one_direction_is_refused)
{
    const struct iovec piece = {"x", 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct byte_pair pair;
    char *data = pattern(MIB, 0);
    char byte[1];
    struct job sender;
    struct job receiver;

    tls_pair_open(&pair, NULL);
    sender = (struct job){pair.a, data, MIB, 1};
    receiver = (struct job){pair.a, byte, 1, 1};
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_once, &sender);
    group_start(&group, receive_once, &receiver);
    settle();
    ck_assert_int_eq(anyc_send(pair.a, "x", 1), ANYC_EBUSY);
    ck_assert_int_eq(anyc_send(pair.a, "", 0), ANYC_EBUSY);
    ck_assert_int_eq(anyc_sendv(pair.a, &piece, 1), ANYC_EBUSY);
    ck_assert_int_eq(anyc_send_some(pair.a, "x", 1), ANYC_EBUSY);
    expect_error(pair.a, ANYC_EBUSY);
    ck_assert(sender.rc == 1 && receiver.rc == 1);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    tls_pair_drop(&pair);
    free(data);
}

/* -- answers that mbedTLS gives while it reads -- */

/* A script reads on over what is no data. */
static int read_all(struct tls_peer *peer, char *buf, size_t len)
{
    int n = 0;

    while (len > 0 && (n >= 0 || n == MBEDTLS_ERR_SSL_WANT_READ)) {
        n = tls_peer_read(peer, buf, len);
        buf += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return len == 0 ? 0 : n;
}

enum { SEVERAL = 150000 }; /* bytes: more than a narrow socket holds */

/* Asks for a new handshake, which is refused with a warning, before it reads. */
static int ask_then_read(struct tls_peer *peer, void *arg)
{
    struct timespec limit;
    char *buf = malloc(SEVERAL);
    int rc = mbedtls_ssl_renegotiate(peer->ssl);

    if (rc == 0)
        rc = tls_peer_write(peer, "hello", 5);
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 10;
    if (rc == 0)
        rc = sem_timedwait(arg, &limit);
    if (rc == 0)
        rc = read_all(peer, buf, SEVERAL);
    for (size_t i = 0; i < SEVERAL && rc == 0; i++)
        rc = buf[i] == (char)((i * 31 + i / 253) % 251) ? 0 : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    free(buf);
    return rc != 0 ? rc : tls_peer_close_notify(peer);
}

/* TL-R002, TL-R003: a reader whose mbedTLS has something to say leaves that to the writer, who is
 * stuck in the middle of a record. */
ANYC_TEST(test_tls_stream_waiting__a_receive_does_not_get_in_the_way_of_a_send)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct tls_peer peer;
    sem_t gate;
    anyc_byte_stream *stream;
    struct job sender;

    ck_assert_int_eq(sem_init(&gate, 0, 0), 0);
    stream = tls_link_open_narrow(&peer, ask_then_read, &gate);
    sender = (struct job){stream, pattern(SEVERAL, 0), SEVERAL, 1};
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    group_start(&group, send_once, &sender);
    settle();
    expect(stream, "hello");
    ck_assert_int_eq(sender.rc, 1);
    ck_assert_int_eq(sem_post(&gate), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(sender.rc, 0);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
    free(sender.data);
    sem_destroy(&gate);
}

/* Waits for the warning before it says anything. */
static int ask_and_wait(struct tls_peer *peer, void *arg)
{
    char byte;
    int rc = mbedtls_ssl_renegotiate(peer->ssl);

    (void)arg;
    if (rc == 0)
        rc = tls_peer_read(peer, &byte, 1);
    if (rc == MBEDTLS_ERR_SSL_WANT_READ)
        rc = tls_peer_write(peer, "well then", 9);
    return rc != 0 ? rc : tls_peer_close_notify(peer);
}

/* TL-R002: what a reader has to say goes out before it waits, or both would wait for ever. */
ANYC_TEST(test_tls_stream_waiting__a_receive_answers_before_it_waits)
{
    struct tls_peer peer;
    anyc_byte_stream *stream = tls_link_open_narrow(&peer, ask_and_wait, NULL);

    expect(stream, "well then");
    ck_assert_int_eq(anyc_aclose(stream), 0);
    tls_peer_join_ok(&peer);
}
