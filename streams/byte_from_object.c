/* SPDX-License-Identifier: MIT */
/*
 * byte_from_object.c - a byte stream over an object stream of chunks. AnyIO: abc.AnyByteStream.
 *
 * The chunk that is being given out stays in the adapter. Invariants: offset < chunk.len unless
 * both are 0; while `receiving`, nobody else changes the chunk.
 */
#include "streams/byte_from_object.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/list.h"
#include "core/task.h"
#include "streams/stream.h"

struct byte_from_object {
    anyc_byte_stream stream;
    anyc_object_stream *objects;
    anyc_bytes chunk; /* empty, or not given out to its end */
    size_t offset;    /* first byte of it that was not given out */
    struct stream_life life;
    bool receiving; /* a task is in anyc__byte_from_object_fill */
    bool closed;
};

int anyc_bytes_init(anyc_bytes *bytes, const void *data, size_t len)
{
    void *copy = NULL;

    if (len > 0) {
        copy = anyc__alloc(len);
        if (copy == NULL)
            return anyc__fail_plain(ANYC_ENOMEM);
        memcpy(copy, data, len);
    }
    *bytes = (anyc_bytes){copy, len};
    return 0;
}

void anyc_bytes_deinit(anyc_bytes *bytes)
{
    anyc__free(bytes->data);
    *bytes = (anyc_bytes){NULL, 0};
}

void anyc_bytes_destroy_item(void *item, void *arg)
{
    (void)arg;
    anyc_bytes_deinit(item);
}

static struct byte_from_object *adapter_of(const anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct byte_from_object, stream.resource);
}

static void adapter_drop_chunk(struct byte_from_object *adapter)
{
    anyc_bytes_deinit(&adapter->chunk);
    adapter->offset = 0;
}

/* Leave a call that held the adapter. 0, or ANYC_ECLOSED, and then the adapter may be gone. */
static int adapter_release(struct byte_from_object *adapter)
{
    bool closed = adapter->closed;

    if (closed)
        adapter_drop_chunk(adapter);
    if (anyc__stream_release(&adapter->life))
        anyc__free(adapter);
    return closed ? anyc__fail_plain(ANYC_ECLOSED) : 0;
}

/* The next chunk that is not empty. */
static int adapter_next_chunk(struct byte_from_object *adapter)
{
    anyc_bytes chunk = {NULL, 0};
    int rc = 0;

    while (rc >= 0 && !adapter->closed && chunk.len == 0) {
        anyc_bytes_deinit(&chunk);
        rc = anyc_object_receive(adapter->objects, &chunk);
    }
    if (rc >= 0)
        adapter->chunk = chunk;
    return rc;
}

int anyc__byte_from_object_fill(anyc_byte_stream *stream)
{
    struct byte_from_object *adapter = adapter_of(&stream->resource);
    anyc_task *task;
    int released;
    int rc;

    if (adapter->receiving)
        return anyc__fail_plain(ANYC_EBUSY);
    anyc__stream_hold(&adapter->life);
    adapter->receiving = true;
    if (adapter->chunk.len == 0 && !adapter->closed)
        rc = adapter_next_chunk(adapter);
    else
        rc = anyc__enter(&task);
    adapter->receiving = false;
    released = adapter_release(adapter);
    return rc < 0 ? rc : released;
}

const void *anyc__byte_from_object_data(const anyc_byte_stream *stream, size_t *out_len)
{
    const struct byte_from_object *adapter = adapter_of(&stream->resource);

    *out_len = adapter->chunk.len - adapter->offset;
    return (const char *)adapter->chunk.data + adapter->offset;
}

void anyc__byte_from_object_consume(anyc_byte_stream *stream, size_t len)
{
    struct byte_from_object *adapter = adapter_of(&stream->resource);

    adapter->offset += len;
    if (adapter->offset == adapter->chunk.len)
        adapter_drop_chunk(adapter);
}

static ssize_t adapter_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes)
{
    const void *data;
    size_t len;
    int rc = anyc__byte_from_object_fill(stream);

    if (rc < 0)
        return rc;
    data = anyc__byte_from_object_data(stream, &len);
    if (len > max_bytes)
        len = max_bytes;
    memcpy(buf, data, len);
    anyc__byte_from_object_consume(stream, len);
    return (ssize_t)len;
}

/* A checkpoint that tells a closed stream. */
static int adapter_send_nothing(struct byte_from_object *adapter)
{
    anyc_task *task;
    int released;
    int rc;

    anyc__stream_hold(&adapter->life);
    rc = anyc__enter(&task);
    released = adapter_release(adapter);
    return rc < 0 ? rc : released;
}

static int adapter_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    struct byte_from_object *adapter = adapter_of(&stream->resource);
    anyc_bytes chunk = {NULL, 0};
    int rc;

    if (len == 0)
        return adapter_send_nothing(adapter);
    rc = anyc_bytes_init(&chunk, buf, len);
    if (rc < 0)
        return rc;
    rc = anyc_object_send(adapter->objects, &chunk);
    if (rc < 0)
        anyc_bytes_deinit(&chunk);
    return rc;
}

static int adapter_sendv(anyc_byte_stream *stream, const struct iovec *pieces, int count)
{
    anyc_bytes chunk = {NULL, 0};
    size_t at = 0;
    int rc;

    for (int i = 0; i < count; i++)
        chunk.len += pieces[i].iov_len;
    chunk.data = anyc__alloc(chunk.len);
    if (chunk.data == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len > 0) /* memcpy may not be given NULL */
            memcpy((char *)chunk.data + at, pieces[i].iov_base, pieces[i].iov_len);
        at += pieces[i].iov_len;
    }
    rc = anyc_object_send(adapter_of(&stream->resource)->objects, &chunk);
    if (rc < 0)
        anyc_bytes_deinit(&chunk);
    return rc;
}

/* A chunk goes as a whole or not at all. */
static ssize_t adapter_send_some(anyc_byte_stream *stream, const void *buf, size_t len)
{
    int rc = adapter_send(stream, buf, len);

    return rc < 0 ? rc : (ssize_t)len;
}

static int adapter_send_eof(anyc_byte_stream *stream)
{
    return anyc_object_send_eof(adapter_of(&stream->resource)->objects);
}

static int adapter_close(anyc_resource *resource, bool forcefully)
{
    struct byte_from_object *adapter = adapter_of(resource);

    adapter->closed = true;
    if (adapter->life.users == 0)
        adapter_drop_chunk(adapter);
    return anyc__stream_close_inner(&adapter->objects->resource, forcefully);
}

static void adapter_destroy(anyc_resource *resource)
{
    struct byte_from_object *adapter = adapter_of(resource);

    anyc_aclose_forcefully(adapter->objects);
    if (anyc__stream_destroy(&adapter->life))
        anyc__free(adapter);
}

static int adapter_extra(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out)
{
    return anyc__stream_extra_inner(&adapter_of(resource)->objects->resource, attribute, out);
}

static const anyc_byte_stream_ops adapter_ops = {
    .resource =
        {
            .type = "byte stream over an object stream",
            .close = adapter_close,
            .destroy = adapter_destroy,
            .extra = adapter_extra,
        },
    .receive = adapter_receive,
    .send = adapter_send,
    .sendv = adapter_sendv,
    .send_some = adapter_send_some,
    .send_eof = adapter_send_eof,
};

bool anyc__byte_from_object_is(const anyc_byte_stream *stream)
{
    return stream->ops == &adapter_ops;
}

int anyc_byte_stream_from_object_stream(anyc_object_stream *objects, anyc_byte_stream **out_stream)
{
    struct byte_from_object *adapter;

    if (!objects->reliable || objects->item_size != sizeof(anyc_bytes))
        return anyc__fail(ANYC_EINVAL, 0, "%s: not a reliable stream of anyc_bytes",
                          objects->resource.ops->type);
    adapter = anyc__zalloc(sizeof *adapter);
    if (adapter == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    adapter->stream = (anyc_byte_stream){{&adapter_ops.resource}, &adapter_ops};
    adapter->objects = objects;
    *out_stream = &adapter->stream;
    return 0;
}
