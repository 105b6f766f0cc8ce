/* SPDX-License-Identifier: MIT */
/*
 * tls_stream.c - a TLS stream: its operations' frame, receiving, its table. AnyIO:
 * streams.tls.TLSStream.
 */
#include "streams/tls_stream.h"

#include <anyc/lowlevel.h>

#include "core/error.h"
#include "core/task.h"
#include "streams/tls_shim_connection.h"
#include "streams/tls_shim_session.h"

#define TLS_ROUNDS 8 /* attempts to read, without data, before others get their turn */

/* -- frames of operations -- */

/* Plain text is not left behind. */
static void tls_free_plain(struct byte_buffer *buffer)
{
    if (buffer->data != NULL)
        mbedtls_platform_zeroize(buffer->data, buffer->capacity);
    anyc__free(buffer->data);
}

void anyc__tls_free(struct tls_stream *self)
{
    mbedtls_ssl_free(&self->ssl);
    anyc__tls_verification_deinit(&self->peer);
    anyc__tls_config_unref(self->config);
    tls_free_plain(&self->gather);
    anyc__free(self->in.data);
    anyc__free(self->out.data);
    anyc__free(self->sending.data);
    anyc__free(self->failure.message);
    anyc__free(self);
}

void anyc__tls_release(struct tls_stream *self)
{
    if (anyc__stream_release(&self->life))
        anyc__tls_free(self);
}

void anyc__tls_end(struct tls_stream *self, bool *busy)
{
    anyc_list *node;

    *busy = false;
    while ((node = anyc__list_first(&self->closers)) != NULL)
        anyc__wake(ANYC__CONTAINER(node, struct task_wait, link), 0);
    anyc__tls_release(self);
}

int anyc__tls_begin(struct tls_stream *self, bool *busy)
{
    anyc_task *task;
    int rc;

    if (*busy)
        return anyc__fail_plain(ANYC_EBUSY);
    *busy = true;
    anyc__stream_hold(&self->life);
    rc = anyc__enter(&task);
    if (rc >= 0 && self->closed)
        rc = anyc__fail_plain(ANYC_ECLOSED);
    if (rc < 0)
        anyc__tls_end(self, busy);
    return rc;
}

/* -- receiving -- */

int anyc__tls_read_result(struct tls_stream *self, int code, struct tls_wait *wait)
{
    bool has_input = anyc__byte_buffer_len(&self->in) > 0;
    int rc;

    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) {
        if (has_input) /* it has passed over a warning */
            return 0;
        rc = anyc__tls_flush_before_wait(self, wait);
        return rc < 0 ? rc : anyc__tls_fill(self, wait);
    }
    if (anyc__tls_shim_is_ticket(code)) {
        anyc__tls_session_keep(&self->peer, &self->ssl);
        return 0;
    }
    if (code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        self->state = TLS_ENDED;
        return 0;
    }
    if (code == 0 && (has_input || !self->transport_ended)) /* an empty record is no end */
        return 0;
    if ((code == 0 || code == MBEDTLS_ERR_SSL_CONN_EOF) && !self->standard_compatible) {
        self->state = TLS_ENDED;
        return 0;
    }
    return anyc__tls_library_failed(self, code);
}

/* A peer that sends much, and nothing of it is data, is not to stop the loop. */
static int tls_read_pause(const struct tls_stream *self, const struct tls_wait *wait)
{
    int rc = anyc_checkpoint();

    return rc >= 0 && wait != NULL && self->closed ? anyc__fail_plain(ANYC_ECLOSED) : rc;
}

ssize_t anyc__tls_read(struct tls_stream *self, void *buf, size_t max_bytes, struct tls_wait *wait)
{
    unsigned rounds = 0;
    int rc = 0;
    int n;

    while (rc >= 0) {
        if (self->state == TLS_ENDED)
            return anyc__fail_plain(ANYC_EOF);
        if (self->state == TLS_FAILED)
            return anyc__tls_failed_before(self);
        n = anyc__tls_shim_read(&self->ssl, buf,
                                max_bytes < TLS_PLAIN_MAX ? max_bytes : TLS_PLAIN_MAX);
        if (n > 0)
            return n;
        rc = anyc__tls_read_result(self, n, wait);
        rounds++;
        if (rc >= 0 && rounds % TLS_ROUNDS == 0)
            rc = tls_read_pause(self, wait);
    }
    return rc;
}

static ssize_t tls_receive(anyc_byte_stream *base, void *buf, size_t max_bytes)
{
    struct tls_stream *self = anyc__tls_of(&base->resource);
    ssize_t n = anyc__tls_begin(self, &self->receiving);

    if (n < 0)
        return n;
    n = anyc__tls_read(self, buf, max_bytes, &self->receiver);
    anyc__tls_end(self, &self->receiving);
    return n;
}

static void tls_destroy(anyc_resource *resource)
{
    struct tls_stream *self = anyc__tls_of(resource);

    if (self->transport != NULL)
        anyc_aclose_forcefully(self->transport);
    if (anyc__stream_destroy(&self->life))
        anyc__tls_free(self);
}

static const anyc_byte_stream_ops tls_ops = {
    .resource =
        {
            .type = "TLS stream",
            .close = anyc__tls_close,
            .destroy = tls_destroy,
            .extra = anyc__tls_extra,
        },
    .receive = tls_receive,
    .send = anyc__tls_send,
    .sendv = anyc__tls_sendv,
    .send_some = anyc__tls_send_some,
    .send_eof = anyc__tls_send_eof,
};

void anyc__tls_open(struct tls_stream *self)
{
    self->stream = (anyc_byte_stream){{&tls_ops.resource}, &tls_ops};
}

struct tls_stream *anyc__tls_cast(const anyc_byte_stream *stream)
{
    return stream->ops == &tls_ops ? anyc__tls_of(&stream->resource) : NULL;
}

size_t anyc_tls_stream_pending(const anyc_byte_stream *stream)
{
    const struct tls_stream *self = anyc__tls_cast(stream);

    return self == NULL || self->closed ? 0 : mbedtls_ssl_get_bytes_avail(&self->ssl);
}
