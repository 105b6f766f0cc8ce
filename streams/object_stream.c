/* SPDX-License-Identifier: MIT */
/*
 * object_stream.c - object streams: one entry for each call, and ready slots for ops tables.
 * AnyIO: abc.UnreliableObjectStream, abc.ObjectStream and their halves.
 */
#include <anyc/stream.h>

#include "core/error.h"
#include "streams/stream.h"

static int object_stream_lacks(const anyc_object_stream *stream, const char *what)
{
    return anyc__fail(-ENOTSUP, 0, "%s: %s", stream->resource.ops->type, what);
}

int anyc_no_object_receive(anyc_object_stream *stream, void *item)
{
    (void)item;
    return object_stream_lacks(stream, "this stream only sends");
}

int anyc_no_object_send(anyc_object_stream *stream, const void *item)
{
    (void)item;
    return object_stream_lacks(stream, "this stream only receives");
}

int anyc_no_object_send_nowait(anyc_object_stream *stream, const void *item)
{
    (void)item;
    return object_stream_lacks(stream, "this stream cannot send without waiting");
}

int anyc_no_object_send_eof(anyc_object_stream *stream)
{
    return object_stream_lacks(stream, "the end of sending cannot be told to the peer");
}

int anyc_object_stream_init(anyc_object_stream *stream, const anyc_object_stream_ops *ops,
                            size_t item_size, bool reliable)
{
    if (!anyc__stream_resource_complete(&ops->resource) || ops->receive == NULL ||
        ops->send == NULL || ops->send_nowait == NULL || ops->send_eof == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a slot of the object stream's table is missing");
    if (item_size == 0)
        return anyc__fail(ANYC_EINVAL, 0, "the items of an object stream need a size");
    stream->resource.ops = &ops->resource;
    stream->ops = ops;
    stream->item_size = item_size;
    stream->reliable = reliable;
    return 0;
}

int anyc_object_receive(anyc_object_stream *stream, void *item)
{
    return stream->ops->receive(stream, item);
}

int anyc_object_send(anyc_object_stream *stream, const void *item)
{
    return stream->ops->send(stream, item);
}

int anyc_object_send_nowait(anyc_object_stream *stream, const void *item)
{
    return stream->ops->send_nowait(stream, item);
}

int anyc_object_send_eof(anyc_object_stream *stream)
{
    return stream->ops->send_eof(stream);
}
