/* SPDX-License-Identifier: MIT */
/*
 * stapled.c - two one-way streams as one two-way stream. AnyIO: streams.stapled.
 *
 * Everything is passed on, so that the halves' own rules hold: who may wait, what closes what. Only
 * the end of sending is the staple's own business: it closes the sending half.
 */
#include <anyc/stapled_stream.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/list.h"
#include "core/task.h"
#include "streams/stream.h"

/* The two halves, whatever they carry. */
struct staple {
    anyc_resource *send;
    anyc_resource *receive;
    struct stream_life life;
    bool closed;
};

struct stapled_bytes {
    anyc_byte_stream stream;
    struct staple staple;
    anyc_byte_stream *send;
    anyc_byte_stream *receive;
};

struct stapled_objects {
    anyc_object_stream stream;
    struct staple staple;
    anyc_object_stream *send;
    anyc_object_stream *receive;
};

/* Close the sending half, after a checkpoint. Sets *out_gone if the stapled stream must be freed. */
static int staple_send_eof(struct staple *staple, bool *out_gone)
{
    anyc_task *task;
    int rc;

    anyc__stream_hold(&staple->life);
    rc = anyc__enter(&task);
    if (rc >= 0 && staple->closed)
        rc = anyc__fail_plain(ANYC_ECLOSED);
    if (rc >= 0)
        rc = anyc__stream_close_inner(staple->send, false);
    *out_gone = anyc__stream_release(&staple->life);
    return rc;
}

static int staple_close(struct staple *staple, bool forcefully)
{
    int send_rc;
    int receive_rc;

    staple->closed = true;
    send_rc = anyc__stream_close_inner(staple->send, forcefully);
    receive_rc = anyc__stream_close_inner(staple->receive, forcefully);
    return send_rc < 0 ? send_rc : receive_rc;
}

/* True if the stapled stream is to be freed. */
static bool staple_destroy(struct staple *staple)
{
    (anyc_aclose_forcefully)(staple->send);
    (anyc_aclose_forcefully)(staple->receive);
    return anyc__stream_destroy(&staple->life);
}

static int staple_extra(struct staple *staple, const anyc_typed_attribute *attribute, void *out)
{
    int rc = anyc__stream_extra_inner(staple->receive, attribute, out);

    return rc == ANYC_EATTRIBUTE ? anyc__stream_extra_inner(staple->send, attribute, out) : rc;
}

/* -- bytes -- */

static struct stapled_bytes *stapled_bytes_of(const anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct stapled_bytes, stream.resource);
}

static int stapled_bytes_close(anyc_resource *resource, bool forcefully)
{
    return staple_close(&stapled_bytes_of(resource)->staple, forcefully);
}

static void stapled_bytes_destroy(anyc_resource *resource)
{
    struct stapled_bytes *self = stapled_bytes_of(resource);

    if (staple_destroy(&self->staple))
        anyc__free(self);
}

static int stapled_bytes_extra(anyc_resource *resource, const anyc_typed_attribute *attribute,
                               void *out)
{
    return staple_extra(&stapled_bytes_of(resource)->staple, attribute, out);
}

static ssize_t stapled_bytes_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes)
{
    return anyc_receive(stapled_bytes_of(&stream->resource)->receive, buf, max_bytes);
}

static int stapled_bytes_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    return anyc_send(stapled_bytes_of(&stream->resource)->send, buf, len);
}

static int stapled_bytes_sendv(anyc_byte_stream *stream, const struct iovec *pieces, int count)
{
    return anyc_sendv(stapled_bytes_of(&stream->resource)->send, pieces, count);
}

static ssize_t stapled_bytes_send_some(anyc_byte_stream *stream, const void *buf, size_t len)
{
    return anyc_send_some(stapled_bytes_of(&stream->resource)->send, buf, len);
}

static int stapled_bytes_send_eof(anyc_byte_stream *stream)
{
    struct stapled_bytes *self = stapled_bytes_of(&stream->resource);
    bool gone;
    int rc = staple_send_eof(&self->staple, &gone);

    if (gone)
        anyc__free(self);
    return rc;
}

static const anyc_byte_stream_ops stapled_bytes_ops = {
    .resource =
        {
            .type = "stapled byte stream",
            .close = stapled_bytes_close,
            .destroy = stapled_bytes_destroy,
            .extra = stapled_bytes_extra,
        },
    .receive = stapled_bytes_receive,
    .send = stapled_bytes_send,
    .sendv = stapled_bytes_sendv,
    .send_some = stapled_bytes_send_some,
    .send_eof = stapled_bytes_send_eof,
};

/* -- objects -- */

static struct stapled_objects *stapled_objects_of(const anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct stapled_objects, stream.resource);
}

static int stapled_objects_close(anyc_resource *resource, bool forcefully)
{
    return staple_close(&stapled_objects_of(resource)->staple, forcefully);
}

static void stapled_objects_destroy(anyc_resource *resource)
{
    struct stapled_objects *self = stapled_objects_of(resource);

    if (staple_destroy(&self->staple))
        anyc__free(self);
}

static int stapled_objects_extra(anyc_resource *resource, const anyc_typed_attribute *attribute,
                                 void *out)
{
    return staple_extra(&stapled_objects_of(resource)->staple, attribute, out);
}

static int stapled_objects_receive(anyc_object_stream *stream, void *item)
{
    return anyc_object_receive(stapled_objects_of(&stream->resource)->receive, item);
}

static int stapled_objects_send(anyc_object_stream *stream, const void *item)
{
    return anyc_object_send(stapled_objects_of(&stream->resource)->send, item);
}

static int stapled_objects_send_nowait(anyc_object_stream *stream, const void *item)
{
    return anyc_object_send_nowait(stapled_objects_of(&stream->resource)->send, item);
}

static int stapled_objects_send_eof(anyc_object_stream *stream)
{
    struct stapled_objects *self = stapled_objects_of(&stream->resource);
    bool gone;
    int rc = staple_send_eof(&self->staple, &gone);

    if (gone)
        anyc__free(self);
    return rc;
}

static const anyc_object_stream_ops stapled_objects_ops = {
    .resource =
        {
            .type = "stapled object stream",
            .close = stapled_objects_close,
            .destroy = stapled_objects_destroy,
            .extra = stapled_objects_extra,
        },
    .receive = stapled_objects_receive,
    .send = stapled_objects_send,
    .send_nowait = stapled_objects_send_nowait,
    .send_eof = stapled_objects_send_eof,
};

/* -- public -- */

int anyc_stapled_byte_stream_create(anyc_byte_stream *send_stream, anyc_byte_stream *receive_stream,
                                    anyc_byte_stream **out_stream)
{
    struct stapled_bytes *self;

    if (send_stream == receive_stream)
        return anyc__fail(ANYC_EINVAL, 0, "a stream cannot be stapled to itself");
    self = anyc__zalloc(sizeof *self);
    if (self == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    self->stream = (anyc_byte_stream){{&stapled_bytes_ops.resource}, &stapled_bytes_ops};
    self->staple.send = &send_stream->resource;
    self->staple.receive = &receive_stream->resource;
    self->send = send_stream;
    self->receive = receive_stream;
    *out_stream = &self->stream;
    return 0;
}

anyc_byte_stream *anyc_stapled_byte_stream_send_stream(const anyc_byte_stream *stream)
{
    if (stream->ops != &stapled_bytes_ops)
        return NULL;
    return stapled_bytes_of(&stream->resource)->send;
}

anyc_byte_stream *anyc_stapled_byte_stream_receive_stream(const anyc_byte_stream *stream)
{
    if (stream->ops != &stapled_bytes_ops)
        return NULL;
    return stapled_bytes_of(&stream->resource)->receive;
}

int anyc_stapled_object_stream_create(anyc_object_stream *send_stream,
                                      anyc_object_stream *receive_stream,
                                      anyc_object_stream **out_stream)
{
    struct stapled_objects *self;

    if (send_stream == receive_stream)
        return anyc__fail(ANYC_EINVAL, 0, "a stream cannot be stapled to itself");
    if (send_stream->item_size != receive_stream->item_size)
        return anyc__fail(ANYC_EINVAL, 0, "the items of the two halves have different sizes");
    self = anyc__zalloc(sizeof *self);
    if (self == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    self->stream = (anyc_object_stream){
        .resource = {&stapled_objects_ops.resource},
        .ops = &stapled_objects_ops,
        .item_size = send_stream->item_size,
        .reliable = send_stream->reliable && receive_stream->reliable,
    };
    self->staple.send = &send_stream->resource;
    self->staple.receive = &receive_stream->resource;
    self->send = send_stream;
    self->receive = receive_stream;
    *out_stream = &self->stream;
    return 0;
}

anyc_object_stream *anyc_stapled_object_stream_send_stream(const anyc_object_stream *stream)
{
    if (stream->ops != &stapled_objects_ops)
        return NULL;
    return stapled_objects_of(&stream->resource)->send;
}

anyc_object_stream *anyc_stapled_object_stream_receive_stream(const anyc_object_stream *stream)
{
    if (stream->ops != &stapled_objects_ops)
        return NULL;
    return stapled_objects_of(&stream->resource)->receive;
}
