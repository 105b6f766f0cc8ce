/* SPDX-License-Identifier: MIT */
/*
 * stream.c - byte streams: the shared checks of each call, and ready slots for ops tables.
 * AnyIO: abc.ByteReceiveStream, abc.ByteSendStream, abc.ByteStream.
 */
#include <anyc/stream.h>

#include "core/error.h"
#include "streams/stream.h"

#include <anyc/cancel.h>
#include <anyc/lowlevel.h>

#include <limits.h>

#define SEND_SOME_MAX ((size_t)65536) /* bytes that one shielded send may take */

ANYC_TYPED_ATTRIBUTE(anyc__stream_peer, struct stream_peer);

int anyc__stream_discard(anyc_byte_stream *stream, int rc)
{
    const anyc_error error = *anyc_last_error();
    char *message = error.code == rc ? anyc__strdup(error.message) : NULL;

    anyc_aclose_forcefully(stream);
    if (message != NULL)
        anyc__fail_tls(rc, error.os_error, &error.tls, "%s", message);
    else
        anyc__fail_plain(rc);
    anyc__free(message);
    return rc;
}

ssize_t anyc_no_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes)
{
    (void)buf;
    (void)max_bytes;
    return anyc__fail(-ENOTSUP, 0, "%s: this stream only sends", stream->resource.ops->type);
}

int anyc_no_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    (void)buf;
    (void)len;
    return anyc__fail(-ENOTSUP, 0, "%s: this stream only receives", stream->resource.ops->type);
}

int anyc_no_sendv(anyc_byte_stream *stream, const struct iovec *pieces, int count)
{
    (void)pieces;
    (void)count;
    return anyc_no_send(stream, NULL, 0);
}

ssize_t anyc_no_send_some(anyc_byte_stream *stream, const void *buf, size_t len)
{
    return anyc_no_send(stream, buf, len);
}

int anyc_no_send_eof(anyc_byte_stream *stream)
{
    return anyc__fail(-ENOTSUP, 0, "%s: the end of sending cannot be told to the peer",
                      stream->resource.ops->type);
}

int anyc_sendv_by_send(anyc_byte_stream *stream, const struct iovec *pieces, int count)
{
    int rc = 0;

    for (int i = 0; i < count && rc >= 0; i++) {
        if (pieces[i].iov_len > 0)
            rc = stream->ops->send(stream, pieces[i].iov_base, pieces[i].iov_len);
    }
    return rc;
}

ssize_t anyc_send_some_by_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    size_t part = len < SEND_SOME_MAX ? len : SEND_SOME_MAX;
    anyc_cancel_scope shield;
    int rc = anyc_checkpoint_if_cancelled();

    if (rc < 0)
        return rc;
    rc = anyc_cancel_scope_enter(&shield, &(anyc_cancel_scope_options){.shield = true});
    if (rc < 0)
        return rc;
    rc = stream->ops->send(stream, buf, part);
    rc = anyc_cancel_scope_exit(&shield, rc);
    return rc < 0 ? rc : (ssize_t)part;
}

int anyc_byte_stream_init(anyc_byte_stream *stream, const anyc_byte_stream_ops *ops)
{
    if (!anyc__stream_resource_complete(&ops->resource) || ops->receive == NULL ||
        ops->send == NULL || ops->sendv == NULL || ops->send_some == NULL || ops->send_eof == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a slot of the byte stream's table is missing");
    stream->resource.ops = &ops->resource;
    stream->ops = ops;
    return 0;
}

ssize_t anyc_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes)
{
    if (max_bytes - 1 >= SSIZE_MAX) /* 0 wraps around */
        return anyc__fail(ANYC_EINVAL, 0, "max_bytes must be 1 or more, up to SSIZE_MAX");
    return stream->ops->receive(stream, buf, max_bytes);
}

int anyc_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    if (len > SSIZE_MAX)
        return anyc__fail(ANYC_EINVAL, 0, "more than SSIZE_MAX bytes to send");
    return stream->ops->send(stream, buf, len);
}

int anyc_sendv(anyc_byte_stream *stream, const struct iovec *pieces, int count)
{
    size_t total = 0;

    for (int i = 0; i < count && total <= SSIZE_MAX; i++)
        total = pieces[i].iov_len <= SSIZE_MAX ? total + pieces[i].iov_len : SIZE_MAX;
    if (count < 0 || total > SSIZE_MAX)
        return anyc__fail(ANYC_EINVAL, 0, "a negative count, or more than SSIZE_MAX bytes to send");
    if (total == 0)
        return stream->ops->send(stream, "", 0);
    return stream->ops->sendv(stream, pieces, count);
}

ssize_t anyc_send_some(anyc_byte_stream *stream, const void *buf, size_t len)
{
    if (len - 1 >= SSIZE_MAX) /* 0 wraps around */
        return anyc__fail(ANYC_EINVAL, 0, "a part is of 1 byte or more, up to SSIZE_MAX");
    return stream->ops->send_some(stream, buf, len);
}

int anyc_send_eof(anyc_byte_stream *stream)
{
    return stream->ops->send_eof(stream);
}
