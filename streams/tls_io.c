/* SPDX-License-Identifier: MIT */
/*
 * tls_io.c - between mbedTLS, which works on memory, and the transport, which waits.
 */
#include "streams/tls_stream.h"

#include "streams/tls_shim_connection.h"

#include <limits.h>

#define TLS_ROOM 4096 /* bytes asked for into `in` at once, and least to go to mbedTLS directly */
#define TLS_ANSWERS_MAX 16384 /* bytes that may wait for somebody else to send them */

static const struct wait_type flush_wait = {"a turn to send on a TLS stream", NULL, NULL};

/* Remember that there was an alert, and, if it is in plain text, which fatal one. */
static void tls_note_alert(struct tls_stream *self, const unsigned char *record, size_t len)
{
    enum { FATAL = 2 };

    self->alerted = true;
    self->withheld = anyc__tls_shim_holds_back(&self->ssl);
    if (len == TLS_RECORD_HEADER + TLS_ALERT_LEN && record[TLS_RECORD_HEADER] == FATAL)
        self->alert = record[TLS_RECORD_HEADER + 1];
}

int anyc__tls_give(void *ctx, const unsigned char *buf, size_t len)
{
    enum { ALERT = 21 };
    struct tls_stream *self = ctx;
    int rc;

    if (len > 0 && buf[0] == ALERT) {
        tls_note_alert(self, buf, len);
        if (self->withheld)
            return (int)len;
    }
    rc = anyc__byte_buffer_reserve(&self->out, len);
    if (rc < 0)
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    anyc__byte_buffer_append(&self->out, buf, len);
    return (int)len;
}

int anyc__tls_take(void *ctx, unsigned char *buf, size_t len)
{
    struct tls_stream *self = ctx;
    size_t there = anyc__byte_buffer_len(&self->in);

    if (self->direct > 0) { /* it asks for the same bytes again, and they are there */
        ANYC_ASSERT(buf == self->wanted && self->direct <= len);
        there = self->direct;
        self->direct = 0;
        self->wanted_len = 0;
        return (int)there;
    }
    self->wanted_len = 0;
    if (there == 0 && self->transport_ended)
        return 0;
    if (there > self->in_ready)
        there = self->in_ready;
    if (there == 0) {
        self->wanted = buf;
        self->wanted_len = len;
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    if (len > there)
        len = there;
    anyc__byte_buffer_take(&self->in, buf, len);
    if (self->in_ready < SIZE_MAX)
        self->in_ready -= len;
    return (int)len;
}

/* May the transport not be used any more? Somebody has closed or freed the stream meanwhile. */
static bool tls_is_gone(const struct tls_stream *self, const struct tls_wait *wait)
{
    return self->life.destroyed || (wait != NULL && self->closed);
}

/* A wait that a close by this side ends. NULL: no close can come between. */
static int tls_wait_begin(struct tls_wait *wait)
{
    int rc;

    if (wait == NULL)
        return 0;
    rc = anyc_cancel_scope_enter(&wait->scope, NULL);
    wait->on = rc == 0;
    return rc;
}

static int tls_wait_end(const struct tls_stream *self, struct tls_wait *wait, int rc)
{
    if (wait == NULL)
        return rc;
    wait->on = false;
    rc = anyc_cancel_scope_exit(&wait->scope, rc);
    if (rc == ANYC_ECANCELLED || !self->closed)
        return rc;
    return anyc__fail_plain(ANYC_ECLOSED);
}

/* Where the next bytes go: to mbedTLS directly if it waits for much of a record, else into `in`. */
static int tls_fill_place(struct tls_stream *self, void **out_place, size_t *out_room)
{
    int rc = 0;

    if (self->wanted_len >= TLS_ROOM && self->state != TLS_SHAKING) {
        *out_place = self->wanted;
        *out_room = self->wanted_len;
        return 0;
    }
    rc = anyc__byte_buffer_reserve(&self->in, TLS_ROOM);
    if (rc < 0)
        return anyc__fail_plain(rc);
    *out_place = self->in.data + self->in.end;
    *out_room = TLS_ROOM;
    return 0;
}

int anyc__tls_fill(struct tls_stream *self, struct tls_wait *wait)
{
    void *place = NULL;
    size_t room = 0;
    ssize_t n;
    int rc;

    if (self->transport_ended)
        return 0;
    if (tls_is_gone(self, wait))
        return anyc__fail_plain(ANYC_ECLOSED);
    rc = tls_fill_place(self, &place, &room);
    if (rc >= 0)
        rc = tls_wait_begin(wait);
    if (rc < 0)
        return rc;
    n = anyc_receive(self->transport, place, room);
    if (n > 0 && place == self->wanted)
        self->direct = (size_t)n;
    else if (n > 0)
        self->in.end += (size_t)n;
    self->transport_ended = n == ANYC_EOF;
    rc = tls_wait_end(self, wait, n < 0 && n != ANYC_EOF ? (int)n : 0);
    return rc < 0 && rc != ANYC_ECLOSED ? anyc__tls_transport_failed(self, rc) : rc;
}

static void tls_swap(struct byte_buffer *left, struct byte_buffer *right)
{
    struct byte_buffer kept = *left;

    *left = *right;
    *right = kept;
}

/* Until there is nothing more to be sent. Then records are made in the same memory again. */
static int tls_flush_all(struct tls_stream *self, const struct tls_wait *wait)
{
    ssize_t n = 0;

    while (n >= 0 && anyc__tls_has_output(self)) {
        if (anyc__byte_buffer_len(&self->sending) == 0) {
            tls_swap(&self->sending, &self->out);
            self->tickets_len = 0;
        }
        n = anyc_send_some(self->transport, self->sending.data + self->sending.start,
                           anyc__byte_buffer_len(&self->sending));
        if (n > 0)
            anyc__byte_buffer_consume(&self->sending, (size_t)n);
        if (n >= 0 && tls_is_gone(self, wait))
            n = anyc__fail_plain(ANYC_ECLOSED);
    }
    if (n < 0)
        return (int)n;
    tls_swap(&self->sending, &self->out);
    return 0;
}

/* Have the transport to oneself for sending. */
static int tls_flush_turn(struct tls_stream *self)
{
    struct task_wait turn = {0};
    int rc = 0;

    while (rc >= 0 && self->flushing) {
        anyc__list_push(&self->flushers, &turn.link);
        rc = anyc__wait(&turn, &flush_wait, self);
    }
    return rc;
}

static void tls_flush_next(struct tls_stream *self)
{
    anyc_list *node = anyc__list_first(&self->flushers);

    self->flushing = false;
    if (node != NULL)
        anyc__wake(ANYC__CONTAINER(node, struct task_wait, link), 0);
}

int anyc__tls_flush(struct tls_stream *self, struct tls_wait *wait)
{
    int rc;

    if (!anyc__tls_has_output(self))
        return 0;
    if (self->send_failed)
        return anyc__tls_failed_before(self);
    rc = tls_wait_begin(wait);
    if (rc < 0)
        return rc;
    rc = tls_flush_turn(self);
    if (rc >= 0 && tls_is_gone(self, wait))
        rc = anyc__fail_plain(ANYC_ECLOSED);
    if (rc >= 0) {
        self->flushing = true;
        rc = tls_flush_all(self, wait);
        tls_flush_next(self);
    }
    rc = tls_wait_end(self, wait, rc);
    return rc < 0 && rc != ANYC_ECLOSED ? anyc__tls_send_failed(self, rc) : rc;
}

int anyc__tls_flush_before_wait(struct tls_stream *self, struct tls_wait *wait)
{
    size_t len = anyc__byte_buffer_len(&self->out);
    int rc = 0;

    if (self->tickets_len > 0 && len == self->tickets_len)
        return 0;
    if (!self->flushing || len >= TLS_ANSWERS_MAX)
        rc = anyc__tls_flush(self, wait);
    return self->send_failed ? 0 : rc;
}
