/* SPDX-License-Identifier: MIT */
/*
 * byte_buffer.h - bytes that are appended at one end and taken from the other.
 *
 * Taking only moves an offset, and the rest is moved to the front only when that frees at least as
 * much as is moved: so each byte is moved a bounded number of times. Invariants: start <= end <=
 * capacity; start == end => both are 0.
 */
#ifndef ANYC_STREAMS_BYTE_BUFFER_H
#define ANYC_STREAMS_BYTE_BUFFER_H

#include <string.h>

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/assert.h"

#define BYTE_BUFFER_FIRST 256 /* bytes, the smallest capacity */

struct byte_buffer {
    char *data;
    size_t start;
    size_t end;
    size_t capacity;
};

static inline size_t anyc__byte_buffer_len(const struct byte_buffer *buffer)
{
    return buffer->end - buffer->start;
}

/* Make room for `room` bytes at the end. 0, or ANYC_ENOMEM with the content unchanged. */
static inline int anyc__byte_buffer_reserve(struct byte_buffer *buffer, size_t room)
{
    size_t len = anyc__byte_buffer_len(buffer);
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : BYTE_BUFFER_FIRST;
    char *data;

    if (room <= buffer->capacity - buffer->end)
        return 0;
    if (buffer->start >= len && room <= buffer->capacity - len) {
        memcpy(buffer->data, buffer->data + buffer->start, len);
        buffer->start = 0;
        buffer->end = len;
        return 0;
    }
    while (capacity - len < room) {
        if (capacity > SIZE_MAX / 2)
            return ANYC_ENOMEM;
        capacity *= 2;
    }
    data = anyc__alloc(capacity);
    if (data == NULL)
        return ANYC_ENOMEM;
    if (len > 0)
        memcpy(data, buffer->data + buffer->start, len);
    anyc__free(buffer->data);
    *buffer = (struct byte_buffer){.data = data, .end = len, .capacity = capacity};
    return 0;
}

/* There is room for them. */
static inline void anyc__byte_buffer_append(struct byte_buffer *buffer, const void *data,
                                            size_t len)
{
    ANYC_ASSERT(len <= buffer->capacity - buffer->end);
    if (len > 0)
        memcpy(buffer->data + buffer->end, data, len);
    buffer->end += len;
}

/* Forget the first `len` bytes, at most all. */
static inline void anyc__byte_buffer_consume(struct byte_buffer *buffer, size_t len)
{
    ANYC_ASSERT(len <= anyc__byte_buffer_len(buffer));
    buffer->start += len;
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
}

/* Take the first `len` bytes, at most all. */
static inline void anyc__byte_buffer_take(struct byte_buffer *buffer, void *out, size_t len)
{
    if (len > 0)
        memcpy(out, buffer->data + buffer->start, len);
    anyc__byte_buffer_consume(buffer, len);
}

#endif
