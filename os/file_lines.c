/* SPDX-License-Identifier: MIT */
/*
 * file_lines.c - reading lines of files.
 *
 * What fails for want of memory goes back to where it began, as far as the file can seek.
 */
#include "os/file.h"

#include "core/alloc.h"
#include "core/error.h"
#include "os/file_ahead.h"
#include "os/spooled_file.h"

/* How much of a line can be read at once, at most `max`: what was read ahead of it; else a byte, with
 * which stdio reads on. */
static size_t line_part(const struct file *file, size_t max)
{
    const char *data;
    const char *end;
    size_t len = file->spool != NULL ? anyc__spool_ahead(file->spool, &data)
                                     : anyc__file_ahead(file->stream, &data);

    if (len == 0)
        return 1;
    if (len > max)
        len = max;
    end = memchr(data, '\n', len);
    return end != NULL ? (size_t)(end + 1 - data) : len;
}

/* Appends a line of at most `max` bytes. */
static int line_get(const struct file *file, struct text_buffer *text, size_t max)
{
    size_t size = 0;
    size_t n = 0;

    if (!anyc__text_reserve(text, 0))
        return ANYC_ENOMEM;
    for (size_t left = max; left > 0; left -= n) {
        size = line_part(file, left);
        if (!anyc__text_reserve(text, size))
            return ANYC_ENOMEM;
        n = fread(text->data + text->len, 1, size, file->stream);
        anyc__text_grow(text, n);
        if (n < size || text->data[text->len - 1] == '\n')
            break;
    }
    return ferror(file->stream) ? anyc__file_errno() : 0;
}

/* The same, and back to where it began if it fails. */
static int line_read(struct file *file, struct text_buffer *text, size_t max)
{
    size_t before = text->len;
    int rc = anyc__file_turn(file, FILE_TURN_READ);

    if (rc < 0)
        return rc;
    rc = line_get(file, text, max);
    if (rc < 0) {
        (void)anyc__file_unread(file, text->len - before);
        text->len = before;
    }
    return rc;
}

static bool line_is_at_hand(const struct file_call *call)
{
    const char *data;
    size_t len = anyc__file_ahead(call->file->stream, &data);

    if (call->file->turn != FILE_TURN_READ || len == 0)
        return false;
    return call->size <= len || memchr(data, '\n', len) != NULL;
}

static int line_read_one(struct file_call *call)
{
    int rc = line_read(call->file, &call->text, call->size);

    if (rc < 0)
        anyc__text_deinit(&call->text);
    return rc;
}

int anyc_file_readline(anyc_file *file, size_t max_bytes, anyc_bytes *out_line)
{
    struct file_call call = {
        .what = "reading", .fn = line_read_one, .at_hand = line_is_at_hand, .size = max_bytes};

    return anyc__file_text_call(file, &call, out_line);
}

/* Lines, each with a '\0' behind it, until they have more than `hint` bytes together. call->done: how many. Only the
 * last may be without its end, even if the file grows meanwhile. */
static int lines_read(struct file_call *call, size_t *bytes)
{
    struct text_buffer *text = &call->text;
    size_t before;
    bool ended;
    int rc = 0;

    do {
        before = text->len;
        rc = line_read(call->file, text, SIZE_MAX);
        if (rc < 0 || text->len == before)
            return rc;
        *bytes += text->len - before;
        call->done++;
        ended = text->data[text->len - 1] == '\n';
        if (!anyc__text_append(text, "", 1))
            return ANYC_ENOMEM;
    } while (ended && (call->size == 0 || *bytes <= call->size));
    return 0;
}

static int lines_list(struct file_call *call)
{
    const struct text_buffer *text = &call->text;
    char *at = text->data;

    if (call->done == 0)
        return 0;
    call->items = anyc__alloc_array(call->done, sizeof *call->items);
    if (call->items == NULL)
        return ANYC_ENOMEM;
    for (size_t i = 0; i < call->done; i++) {
        size_t left = text->len - (size_t)(at - text->data);
        char *end = memchr(at, '\n', left);
        size_t len = end != NULL ? (size_t)(end + 1 - at) : left - 1;

        call->items[i] = (anyc_bytes){at, len};
        at += len + 1;
    }
    return 0;
}

static int lines_read_all(struct file_call *call)
{
    size_t bytes = 0;
    int rc = lines_read(call, &bytes);

    if (rc == 0)
        rc = lines_list(call);
    if (rc < 0) {
        (void)anyc__file_unread(call->file, bytes);
        anyc__text_deinit(&call->text);
    }
    return rc;
}

int anyc_file_readlines(anyc_file *file, size_t hint, anyc_file_lines *out_lines)
{
    struct file_call call = {.what = "reading", .fn = lines_read_all, .size = hint};
    int rc = anyc__file_call(file, &call);

    if (rc == 0)
        *out_lines = (anyc_file_lines){call.items, call.done, call.text.data};
    return rc;
}

void anyc_free_file_lines(anyc_file_lines *lines)
{
    anyc__free(lines->items);
    anyc__free(lines->text);
    *lines = (anyc_file_lines){NULL, 0, NULL};
}

static int line_read_next(struct file_call *call)
{
    struct text_buffer *line = &call->file->line;
    int rc;

    anyc__text_clear(line);
    rc = line_read(call->file, line, call->size);
    call->buf = line->data;
    call->done = line->len;
    return rc;
}

ssize_t anyc_file_next_line(anyc_file *file, char **out_line)
{
    struct file_call call = {
        .what = "reading", .fn = line_read_next, .at_hand = line_is_at_hand, .size = SIZE_MAX};
    int rc = anyc__file_call(file, &call);

    if (rc < 0)
        return rc;
    if (call.done == 0)
        return anyc__fail_plain(ANYC_EOF);
    *out_line = call.buf;
    return (ssize_t)call.done;
}
