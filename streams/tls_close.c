/* SPDX-License-Identifier: MIT */
/*
 * tls_close.c - the end of TLS: closing the stream with its transport, or unwrapping the transport.
 */
#include "streams/tls_stream.h"

#include "core/error.h"
#include "core/task.h"
#include "streams/tls_shim_connection.h"

#define TLS_DROP 512 /* bytes dropped in one go while closing */

static const struct wait_type close_wait = {"other tasks to leave a TLS stream", NULL, NULL};

/* -- the end -- */

/* Wait until no other task is in an operation; they are told to leave. */
static int tls_close_alone(struct tls_stream *self)
{
    struct task_wait wait = {0};
    int rc = 0;

    if (self->receiver.on)
        anyc_cancel_scope_cancel(&self->receiver.scope, "the TLS stream was closed");
    if (self->sender.on)
        anyc_cancel_scope_cancel(&self->sender.scope, "the TLS stream was closed");
    while (rc >= 0 && (self->receiving || self->busy_sending)) {
        anyc__list_push(&self->closers, &wait.link);
        rc = anyc__wait(&wait, &close_wait, self);
    }
    return rc;
}

/* Tell the peer the end of what this side sends. */
static int tls_notify(struct tls_stream *self)
{
    size_t room = TLS_RECORD_HEADER + TLS_ALERT_LEN + self->expansion;
    int code;

    if (self->state == TLS_FAILED || self->send_failed)
        return anyc__tls_failed_before(self);
    if (!self->notified) {
        if (anyc__byte_buffer_reserve(&self->out, room) < 0)
            return anyc__fail_plain(ANYC_ENOMEM);
        code = mbedtls_ssl_close_notify(&self->ssl);
        if (code != 0)
            return anyc__tls_library_failed(self, code);
        self->notified = true;
    }
    return anyc__tls_flush(self, NULL);
}

/* The closing handshake: tell the end, and drop what comes before the peer tells it too. */
static int tls_close_politely(struct tls_stream *self)
{
    char dropped[TLS_DROP];
    ssize_t n = tls_close_alone(self);

    if (n >= 0)
        n = tls_notify(self);
    while (n >= 0)
        n = anyc__tls_read(self, dropped, sizeof dropped, NULL);
    return n == ANYC_EOF ? 0 : (int)n;
}

int anyc__tls_close(anyc_resource *resource, bool forcefully)
{
    struct tls_stream *self = anyc__tls_of(resource);
    bool politely =
        !forcefully && self->standard_compatible && self->state != TLS_FAILED && !self->send_failed;
    anyc_task *task;
    int closed_rc = 0;
    int rc = 0;

    if (self->closed)
        return forcefully ? anyc__stream_close_inner(&self->transport->resource, true) : 0;
    self->closed = true;
    anyc__stream_hold(&self->life);
    if (politely) {
        rc = anyc__enter(&task);
        if (rc >= 0)
            rc = tls_close_politely(self);
    }
    if (!self->life.destroyed) /* by another task, while this one waited */
        closed_rc = anyc__stream_close_inner(&self->transport->resource, forcefully || rc < 0);
    anyc__tls_release(self);
    return rc < 0 ? rc : closed_rc;
}

/* -- unwrapping -- */

/* Up to the end that the peer tells. Data before that stays with mbedTLS, to be received. */
static int unwrap_read_end(struct tls_stream *self)
{
    unsigned char none;
    int code = 0;
    int rc = 0;

    while (rc >= 0 && self->state == TLS_OPEN) {
        if (mbedtls_ssl_get_bytes_avail(&self->ssl) == 0)
            code = anyc__tls_shim_read(&self->ssl, &none, 0);
        if (mbedtls_ssl_get_bytes_avail(&self->ssl) > 0)
            return anyc__fail(ANYC_ESTATE, 0,
                              "the peer has sent data before the end of TLS: receive it first");
        rc = anyc__tls_read_result(self, code, &self->receiver);
    }
    return rc;
}

static int unwrap_end(struct tls_stream *self)
{
    int rc = tls_notify(self);

    if (rc >= 0)
        rc = unwrap_read_end(self);
    if (rc >= 0 && self->state == TLS_FAILED)
        rc = anyc__tls_failed_before(self);
    if (rc >= 0 && self->closed)
        rc = anyc__fail_plain(ANYC_ECLOSED); /* by another task, which now waits for this one */
    return rc;
}

/* Give away what came behind the end, and the transport. */
static int unwrap_hand_over(struct tls_stream *self, anyc_byte_stream **out_transport,
                            anyc_bytes *out_leftover)
{
    int rc =
        anyc_bytes_init(out_leftover, self->in.data == NULL ? "" : self->in.data + self->in.start,
                        anyc__byte_buffer_len(&self->in));

    if (rc < 0)
        return rc;
    *out_transport = self->transport;
    self->transport = NULL;
    self->closed = true;
    return 0;
}

/* Nobody sends meanwhile. */
static int unwrap_alone(struct tls_stream *self, anyc_byte_stream **out_transport,
                        anyc_bytes *out_leftover)
{
    int rc = anyc__tls_begin(self, &self->receiving);

    if (rc < 0)
        return rc;
    rc = unwrap_end(self);
    if (rc >= 0)
        rc = unwrap_hand_over(self, out_transport, out_leftover);
    anyc__tls_end(self, &self->receiving);
    return rc;
}

int anyc_tls_stream_unwrap(anyc_byte_stream *stream, anyc_byte_stream **out_transport,
                           anyc_bytes *out_leftover)
{
    struct tls_stream *self = anyc__tls_cast(stream);
    int rc;

    if (self == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "%s: not a TLS stream", stream->resource.ops->type);
    if (self->busy_sending)
        return anyc__fail_plain(ANYC_EBUSY);
    anyc__stream_hold(&self->life);
    self->busy_sending = true;
    rc = unwrap_alone(self, out_transport, out_leftover);
    self->busy_sending = false;
    if (rc >= 0)
        (void)anyc__stream_destroy(&self->life); /* the release frees it */
    anyc__tls_release(self);
    return rc;
}
