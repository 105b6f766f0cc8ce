/* SPDX-License-Identifier: MIT */
/*
 * tls_send.c - sending on a TLS stream: data becomes records, records go to the transport.
 */
#include "streams/tls_stream.h"

#include <anyc/lowlevel.h>

#include "core/error.h"
#include "streams/tls_shim_connection.h"

#define TLS_OUT_HIGH 32768 /* bytes of records that are collected before they are sent */

static int tls_write_check(const struct tls_stream *self)
{
    if (self->state == TLS_FAILED || self->send_failed)
        return anyc__fail_tls(ANYC_EBROKEN, self->failure.os_error, &self->failure.tls, "%s",
                              self->failure.message != NULL ? self->failure.message
                                                            : "the TLS stream failed before");
    return self->notified ? anyc__fail_plain(ANYC_ECLOSED) : 0;
}

/* Make a record of at most len bytes. Answers how many it holds, or an error. */
static ssize_t tls_write_record(struct tls_stream *self, const void *data, size_t len)
{
    int rc = tls_write_check(self);
    int n;

    if (len > self->plain_max)
        len = self->plain_max;
    if (rc >= 0) {
        rc = anyc__byte_buffer_reserve(&self->out, len + self->expansion + TLS_RECORD_HEADER);
        if (rc < 0)
            anyc__fail_plain(rc);
    }
    if (rc < 0)
        return rc;
    n = mbedtls_ssl_write(&self->ssl, data, len);
    return n > 0 ? n : anyc__tls_library_failed(self, n);
}

/* Encrypt all of it, sending whenever much has come together. *done: bytes encrypted so far. */
static int tls_write(struct tls_stream *self, const void *data, size_t len, size_t *done)
{
    const char *rest = data;
    ssize_t n = 0;
    int rc = 0;

    while (len > 0) {
        if (anyc__byte_buffer_len(&self->out) >= TLS_OUT_HIGH)
            rc = anyc__tls_flush(self, &self->sender);
        if (rc < 0)
            return rc;
        n = tls_write_record(self, rest, len);
        if (n < 0)
            return (int)n;
        rest += n;
        len -= (size_t)n;
        *done += (size_t)n;
    }
    return 0;
}

/* Small pieces make records together. */
static int tls_write_pieces(struct tls_stream *self, const struct iovec *pieces, int count,
                            size_t *done)
{
    struct byte_buffer *gather = &self->gather;
    int rc = 0;

    for (int i = 0; i < count && rc >= 0; i++) {
        const char *data = pieces[i].iov_base;
        size_t len = pieces[i].iov_len;

        if (anyc__byte_buffer_len(gather) == 0 && len >= self->plain_max) {
            size_t whole = len - len % self->plain_max;

            rc = tls_write(self, data, whole, done);
            data += whole;
            len -= whole;
        }
        while (len > 0 && rc >= 0) {
            size_t room = self->plain_max - anyc__byte_buffer_len(gather);
            size_t part = len < room ? len : room;

            anyc__byte_buffer_append(gather, data, part);
            data += part;
            len -= part;
            if (part == room) {
                rc = tls_write(self, gather->data, self->plain_max, done);
                anyc__byte_buffer_consume(gather, self->plain_max);
            }
        }
    }
    if (rc >= 0)
        rc = tls_write(self, gather->data, anyc__byte_buffer_len(gather), done);
    anyc__byte_buffer_consume(gather, anyc__byte_buffer_len(gather));
    return rc;
}

/* The end of a send: get everything out, and say how far it came. */
static int tls_write_finish(struct tls_stream *self, int rc, size_t done, size_t total)
{
    if (rc >= 0)
        rc = anyc__tls_flush(self, &self->sender);
    if (rc == ANYC_ECANCELLED)
        return anyc__fail(rc, 0, "%zu of %zu bytes were encrypted and are sent sooner or later",
                          done, total);
    return rc;
}

int anyc__tls_send(anyc_byte_stream *base, const void *buf, size_t len)
{
    struct tls_stream *self = anyc__tls_of(&base->resource);
    size_t done = 0;
    int rc = anyc__tls_begin(self, &self->busy_sending);

    if (rc < 0)
        return rc;
    rc = tls_write_check(self);
    if (rc >= 0 && len > 0) {
        rc = tls_write(self, buf, len, &done);
        rc = tls_write_finish(self, rc, done, len);
    }
    anyc__tls_end(self, &self->busy_sending);
    return rc;
}

int anyc__tls_sendv(anyc_byte_stream *base, const struct iovec *pieces, int count)
{
    struct tls_stream *self = anyc__tls_of(&base->resource);
    size_t done = 0;
    size_t total = 0;
    int rc = anyc__tls_begin(self, &self->busy_sending);

    if (rc < 0)
        return rc;
    for (int i = 0; i < count; i++)
        total += pieces[i].iov_len;
    rc = tls_write_check(self);
    if (rc >= 0) {
        rc = anyc__byte_buffer_reserve(&self->gather, self->plain_max);
        if (rc < 0)
            anyc__fail_plain(rc);
    }
    if (rc >= 0) {
        rc = tls_write_pieces(self, pieces, count, &done);
        rc = tls_write_finish(self, rc, done, total);
    }
    anyc__tls_end(self, &self->busy_sending);
    return rc;
}

/* Once bytes are in a record they count as sent: what keeps the record here after that, a
 * cancellation above all, shows at the next call, and it goes out with what follows. */
static ssize_t tls_write_some(struct tls_stream *self, const void *buf, size_t len)
{
    ssize_t n;
    int rc = tls_write_check(self);

    if (rc >= 0)
        rc = anyc__tls_flush(self, &self->sender);
    if (rc < 0)
        return rc;
    n = tls_write_record(self, buf, len);
    if (n < 0)
        return n;
    rc = anyc__tls_flush(self, &self->sender);
    return rc >= 0 || (self->state != TLS_FAILED && !self->send_failed && !self->closed) ? n : rc;
}

ssize_t anyc__tls_send_some(anyc_byte_stream *base, const void *buf, size_t len)
{
    struct tls_stream *self = anyc__tls_of(&base->resource);
    ssize_t n = anyc__tls_begin(self, &self->busy_sending);

    if (n < 0)
        return n;
    n = tls_write_some(self, buf, len);
    anyc__tls_end(self, &self->busy_sending);
    return n;
}

int anyc__tls_send_eof(anyc_byte_stream *base)
{
    struct tls_stream *self = anyc__tls_of(&base->resource);
    int rc = anyc_checkpoint_if_cancelled();

    if (rc < 0)
        return rc;
    if (self->closed)
        return anyc__fail_plain(ANYC_ECLOSED);
    return anyc__fail(-ENOTSUP, 0, "%s",
                      anyc__tls_shim_is_tls13(&self->ssl)
                          ? "the end of sending alone is not implemented for TLS 1.3 yet"
                          : "the end of sending alone needs TLS 1.3 at least");
}
