/* SPDX-License-Identifier: MIT */
/*
 * buffered.c - receive exactly so many bytes, or up to a delimiter. AnyIO: streams.buffered.
 *
 * Over a byte stream no more is asked for than is missing, where that is known. Over an object
 * stream of chunks each chunk goes into the buffer as a whole.
 */
#include <anyc/buffered_stream.h>

#include "core/error.h"
#include "core/list.h"
#include "core/task.h"
#include "streams/byte_buffer.h"
#include "streams/byte_from_object.h"
#include "streams/stream.h"

#define BUFFERED_ROOM 4096      /* bytes asked for when it is unknown how many will come */
#define BUFFERED_ROOM_MAX 65536 /* bytes asked for at once */

struct buffered {
    union {
        anyc_resource resource;
        anyc_buffered_stream stream;
    };
    anyc_byte_stream *inner;
    struct byte_buffer buffer;
    struct stream_life life;
    bool chunked;   /* inner is an object stream behind an adapter */
    bool receiving; /* a task is in one of the receiving calls */
    bool closed;
};

static struct buffered *buffered_of(const anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct buffered, resource);
}

static void buffered_free(struct buffered *self)
{
    anyc__free(self->buffer.data);
    anyc__free(self);
}

static void buffered_release(struct buffered *self)
{
    if (anyc__stream_release(&self->life))
        buffered_free(self);
}

/* Begin a receiving call: 0, and then buffered_end must follow, or an error. */
static int buffered_begin(struct buffered *self)
{
    anyc_task *task;
    int rc;

    anyc__stream_hold(&self->life);
    rc = anyc__enter(&task);
    if (rc >= 0 && self->closed)
        rc = anyc__fail_plain(ANYC_ECLOSED);
    else if (rc >= 0 && self->receiving)
        rc = anyc__fail_plain(ANYC_EBUSY);
    if (rc < 0)
        buffered_release(self);
    else
        self->receiving = true;
    return rc;
}

static void buffered_end(struct buffered *self)
{
    self->receiving = false;
    buffered_release(self);
}

/* Append a whole chunk. */
static int buffered_more_chunk(struct buffered *self)
{
    const void *data;
    size_t len;
    int rc = anyc__byte_from_object_fill(self->inner);

    if (rc < 0)
        return rc;
    data = anyc__byte_from_object_data(self->inner, &len);
    rc = anyc__byte_buffer_reserve(&self->buffer, len);
    if (rc < 0)
        return anyc__fail_plain(rc);
    anyc__byte_buffer_append(&self->buffer, data, len);
    anyc__byte_from_object_consume(self->inner, len);
    return 0;
}

/* Append up to `room` bytes, at least one. */
static int buffered_more_bytes(struct buffered *self, size_t room)
{
    ssize_t n;
    int rc = anyc__byte_buffer_reserve(&self->buffer, room);

    if (rc < 0)
        return anyc__fail_plain(rc);
    n = anyc_receive(self->inner, self->buffer.data + self->buffer.end, room);
    if (n < 0)
        return (int)n;
    self->buffer.end += (size_t)n;
    return 0;
}

/* Wait for more in the buffer; the end of the stream is ANYC_EINCOMPLETE. `missing` bytes are
 * wanted, 0: nobody knows. */
static int buffered_more(struct buffered *self, size_t missing)
{
    size_t room = missing;
    int rc;

    if (missing == 0) {
        room = self->buffer.capacity - self->buffer.end;
        if (room < BUFFERED_ROOM)
            room = BUFFERED_ROOM;
    }
    if (room > BUFFERED_ROOM_MAX)
        room = BUFFERED_ROOM_MAX;
    rc = self->chunked ? buffered_more_chunk(self) : buffered_more_bytes(self, room);
    if (self->closed && rc != ANYC_ECANCELLED)
        return anyc__fail_plain(ANYC_ECLOSED);
    return rc == ANYC_EOF ? anyc__fail_plain(ANYC_EINCOMPLETE) : rc;
}

static ssize_t buffered_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes)
{
    struct buffered *self = buffered_of(&stream->resource);
    ssize_t rc = buffered_begin(self);
    size_t len;

    if (rc < 0)
        return rc;
    len = anyc__byte_buffer_len(&self->buffer);
    if (len == 0 && !self->chunked) {
        rc = anyc_receive(self->inner, buf, max_bytes);
        goto out;
    }
    if (len == 0)
        rc = buffered_more_chunk(self);
    if (rc < 0)
        goto out;
    len = anyc__byte_buffer_len(&self->buffer);
    if (len > max_bytes)
        len = max_bytes;
    anyc__byte_buffer_take(&self->buffer, buf, len);
    rc = (ssize_t)len;
out:
    buffered_end(self);
    return rc;
}

static int buffered_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    return anyc_send(buffered_of(&stream->resource)->inner, buf, len);
}

static int buffered_sendv(anyc_byte_stream *stream, const struct iovec *pieces, int count)
{
    return anyc_sendv(buffered_of(&stream->resource)->inner, pieces, count);
}

static ssize_t buffered_send_some(anyc_byte_stream *stream, const void *buf, size_t len)
{
    return anyc_send_some(buffered_of(&stream->resource)->inner, buf, len);
}

static int buffered_send_eof(anyc_byte_stream *stream)
{
    return anyc_send_eof(buffered_of(&stream->resource)->inner);
}

static int buffered_close(anyc_resource *resource, bool forcefully)
{
    struct buffered *self = buffered_of(resource);

    self->closed = true;
    return anyc__stream_close_inner(&self->inner->resource, forcefully);
}

static void buffered_destroy(anyc_resource *resource)
{
    struct buffered *self = buffered_of(resource);

    anyc_aclose_forcefully(self->inner);
    if (anyc__stream_destroy(&self->life))
        buffered_free(self);
}

static int buffered_extra(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out)
{
    return anyc__stream_extra_inner(&buffered_of(resource)->inner->resource, attribute, out);
}

static const anyc_byte_stream_ops buffered_ops = {
    .resource =
        {
            .type = "buffered stream",
            .close = buffered_close,
            .destroy = buffered_destroy,
            .extra = buffered_extra,
        },
    .receive = buffered_receive,
    .send = buffered_send,
    .sendv = buffered_sendv,
    .send_some = buffered_send_some,
    .send_eof = buffered_send_eof,
};

int anyc_buffered_stream_create(anyc_byte_stream *inner, anyc_buffered_stream **out_stream)
{
    struct buffered *self = anyc__zalloc(sizeof *self);

    if (self == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    self->stream.stream = (anyc_byte_stream){{&buffered_ops.resource}, &buffered_ops};
    self->inner = inner;
    self->chunked = anyc__byte_from_object_is(inner);
    *out_stream = &self->stream;
    return 0;
}

int anyc_buffered_receive_exactly(anyc_buffered_stream *stream, void *buf, size_t len)
{
    struct buffered *self = buffered_of(&stream->resource);
    int rc = buffered_begin(self);

    if (rc < 0)
        return rc;
    while (rc >= 0 && anyc__byte_buffer_len(&self->buffer) < len)
        rc = buffered_more(self, len - anyc__byte_buffer_len(&self->buffer));
    if (rc >= 0)
        anyc__byte_buffer_take(&self->buffer, buf, len);
    buffered_end(self);
    return rc;
}

/* Wait until the delimiter is in the buffer. Answers the number of bytes before it, or an error. */
static ssize_t buffered_find(struct buffered *self, const void *delimiter, size_t delimiter_len,
                             size_t max_bytes)
{
    struct byte_buffer *buffer = &self->buffer;
    size_t searched = 0; /* bytes at the front in which no delimiter begins */
    const char *found;
    size_t len;
    int rc = 0;

    for (;;) {
        len = anyc__byte_buffer_len(buffer);
        found = NULL;
        if (len >= delimiter_len)
            found = memmem(buffer->data + buffer->start + searched, len - searched, delimiter,
                           delimiter_len);
        if (found != NULL)
            return found - (buffer->data + buffer->start);
        if (len >= max_bytes)
            return anyc__fail_plain(ANYC_EDELIMITER);
        if (len >= delimiter_len)
            searched = len - (delimiter_len - 1);
        rc = buffered_more(self, 0);
        if (rc < 0)
            return rc;
    }
}

ssize_t anyc_buffered_receive_until(anyc_buffered_stream *stream, const void *delimiter,
                                    size_t delimiter_len, size_t max_bytes, void *buf, size_t size)
{
    struct buffered *self = buffered_of(&stream->resource);
    ssize_t rc;

    if (delimiter_len == 0)
        return anyc__fail(ANYC_EINVAL, 0, "the delimiter is empty");
    rc = buffered_begin(self);
    if (rc < 0)
        return rc;
    rc = buffered_find(self, delimiter, delimiter_len, max_bytes);
    if (rc >= 0 && (size_t)rc > size) {
        rc = anyc__fail(-ENOBUFS, 0, "%zd bytes stand before the delimiter, there is room for %zu",
                        rc, size);
    } else if (rc >= 0) {
        anyc__byte_buffer_take(&self->buffer, buf, (size_t)rc);
        anyc__byte_buffer_consume(&self->buffer, delimiter_len);
    }
    buffered_end(self);
    return rc;
}

const void *anyc_buffered_buffer(const anyc_buffered_stream *stream, size_t *out_len)
{
    const struct byte_buffer *buffer = &buffered_of(&stream->resource)->buffer;

    *out_len = anyc__byte_buffer_len(buffer);
    return *out_len == 0 ? NULL : buffer->data + buffer->start;
}

int anyc_buffered_feed_data(anyc_buffered_stream *stream, const void *data, size_t len)
{
    struct buffered *self = buffered_of(&stream->resource);
    int rc;

    if (self->closed)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (self->receiving)
        return anyc__fail_plain(ANYC_EBUSY);
    rc = anyc__byte_buffer_reserve(&self->buffer, len);
    if (rc < 0)
        return anyc__fail_plain(rc);
    anyc__byte_buffer_append(&self->buffer, data, len);
    return 0;
}
