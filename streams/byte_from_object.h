/* SPDX-License-Identifier: MIT */
/*
 * byte_from_object.h - a look into the chunks of an object stream behind a byte stream, for the
 * buffered stream, which takes whole chunks into its own buffer.
 */
#ifndef ANYC_STREAMS_BYTE_FROM_OBJECT_H
#define ANYC_STREAMS_BYTE_FROM_OBJECT_H

#include <anyc/stream.h>

/* Was the stream made by anyc_byte_stream_from_object_stream? */
bool anyc__byte_from_object_is(const anyc_byte_stream *stream);

/* Wait until there are bytes of a chunk at hand; a checkpoint. 0 or what anyc_receive answers. */
int anyc__byte_from_object_fill(anyc_byte_stream *stream);

/* The bytes at hand, after a fill that succeeded and without suspending since. They stay in the
 * stream until they are consumed. */
const void *anyc__byte_from_object_data(const anyc_byte_stream *stream, size_t *out_len);

/* Take the first `len` of the bytes at hand. */
void anyc__byte_from_object_consume(anyc_byte_stream *stream, size_t len);

#endif
