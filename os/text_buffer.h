/* SPDX-License-Identifier: MIT */
/*
 * text_buffer.h - bytes that grow at their end, with a '\0' after them that is not counted.
 */
#ifndef ANYC_OS_TEXT_BUFFER_H
#define ANYC_OS_TEXT_BUFFER_H

#include <string.h>

#include "core/alloc.h"

/* All zero: empty. Invariant: room == 0 && data == NULL, or len < room && data[len] == 0. */
struct text_buffer {
    char *data;
    size_t len;
    size_t room;
};

static inline void anyc__text_deinit(struct text_buffer *text)
{
    anyc__free(text->data);
    *text = (struct text_buffer){0};
}

/* Make room for so many more bytes, and the '\0'; the first time no more than that (at least 64).
 * False, and nothing has changed, without memory. */
static inline bool anyc__text_reserve(struct text_buffer *text, size_t more)
{
    size_t room = text->room > 0 ? text->room : more < 64 ? 64 : more + 1;
    char *data;

    if (more >= SIZE_MAX / 4 - text->len)
        return false;
    if (text->len + more < text->room)
        return true;
    while (room <= text->len + more)
        room *= 2;
    data = anyc__realloc_array(text->data, room, 1);
    if (data == NULL)
        return false;
    text->data = data;
    text->room = room;
    data[text->len] = '\0';
    return true;
}

/* So many bytes were put behind the end, where there is room. */
static inline void anyc__text_grow(struct text_buffer *text, size_t more)
{
    text->len += more;
    text->data[text->len] = '\0';
}

static inline bool anyc__text_append(struct text_buffer *text, const void *data, size_t len)
{
    if (!anyc__text_reserve(text, len))
        return false;
    memcpy(text->data + text->len, data, len);
    anyc__text_grow(text, len);
    return true;
}

static inline bool anyc__text_append_string(struct text_buffer *text, const char *string)
{
    return anyc__text_append(text, string, strlen(string));
}

static inline void anyc__text_clear(struct text_buffer *text)
{
    text->len = 0;
    if (text->data != NULL)
        text->data[0] = '\0';
}

#endif
