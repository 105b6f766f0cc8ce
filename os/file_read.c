/* SPDX-License-Identifier: MIT */
/*
 * file_read.c - reading files: bytes and lines.
 *
 * What fails for want of memory goes back to where it began, as far as the file can seek.
 */
#include "os/file.h"

#include <errno.h>
#include <limits.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/file_ahead.h"

#define READ_FIRST 8192 /* bytes, of what has no known size */

/* Give back what was read. */
static void read_undo(struct file *file, size_t len)
{
    if (len > 0)
        (void)fseeko(file->stream, -(off_t)len, SEEK_CUR); /* as far as it can seek */
}

/* What is there, after at most one read(2), which the first byte brings about. */
static size_t read_what_is_there(FILE *stream, char *buf, size_t size)
{
    size_t ahead = anyc__file_ahead(stream);
    int first;

    if (ahead > 0)
        return fread(buf, 1, ahead < size ? ahead : size, stream);
    first = getc(stream);
    if (first == EOF)
        return 0;
    *buf = (char)first;
    ahead = anyc__file_ahead(stream);
    if (ahead > size - 1)
        ahead = size - 1;
    return ahead == 0 ? 1 : 1 + fread(buf + 1, 1, ahead, stream);
}

int anyc__file_fread(struct file *file, void *buf, size_t size, bool at_once, size_t *out_done)
{
    int rc = anyc__file_turn(file, FILE_TURN_READ);
    size_t n = 0;

    if (rc < 0)
        return rc;
    if (file->spool != NULL)
        at_once = false; /* all of it is there */
    if (size > 0)
        n = at_once ? read_what_is_there(file->stream, buf, size)
                    : fread(buf, 1, size, file->stream);
    if (n == 0 && ferror(file->stream))
        return anyc__file_errno();
    *out_done = n;
    return 0;
}

static int read_into(struct file_call *call)
{
    return anyc__file_fread(call->file, call->buf, call->size, call->at_once, &call->done);
}

static ssize_t read_into_call(anyc_file *file, void *buf, size_t size, bool at_once)
{
    struct file_call call = {.fn = read_into, .buf = buf, .size = size, .at_once = at_once};
    int rc;

    if (size > SSIZE_MAX)
        return anyc__fail(ANYC_EINVAL, 0, "readinto: a buffer larger than SSIZE_MAX");
    rc = anyc__file_call(file, &call);
    return rc < 0 ? rc : (ssize_t)call.done;
}

/* Room for the next part of at most `max` bytes: more each time. *out_size: of the part. */
static int read_make_room(struct text_buffer *text, size_t max, size_t *out_size)
{
    size_t size = text->len < READ_FIRST ? READ_FIRST : text->len;

    if (size > max)
        size = max;
    if (!anyc__text_reserve(text, size))
        return ANYC_ENOMEM;
    *out_size = size;
    return 0;
}

static int read_parts(struct file_call *call, struct text_buffer *text)
{
    bool at_once = call->at_once;
    size_t size = 0;
    size_t n = 0;
    int rc;

    do {
        rc = read_make_room(text, call->size - text->len, &size);
        if (rc == 0)
            rc = anyc__file_fread(call->file, text->data + text->len, size, at_once, &n);
        if (rc == 0)
            anyc__text_grow(text, n);
    } while (rc == 0 && !at_once && n == size && text->len < call->size);
    if (rc < 0 && rc != ANYC_ENOMEM && text->len > 0)
        return 0; /* the next call will fail in the same way */
    return rc;
}

static int read_bytes(struct file_call *call)
{
    int rc = read_parts(call, &call->text);

    if (rc < 0) {
        read_undo(call->file, call->text.len);
        anyc__text_deinit(&call->text);
    }
    return rc;
}

static int read_text_call(anyc_file *file, struct file_call *call, anyc_bytes *out_bytes)
{
    int rc = anyc__file_call(file, call);

    if (rc == 0)
        *out_bytes = (anyc_bytes){call->text.data, call->text.len};
    return rc;
}

int anyc_file_read(anyc_file *file, size_t max_bytes, anyc_bytes *out_bytes)
{
    struct file_call call = {.fn = read_bytes, .size = max_bytes};

    return read_text_call(file, &call, out_bytes);
}

int anyc_file_read1(anyc_file *file, size_t max_bytes, anyc_bytes *out_bytes)
{
    struct file_call call = {.fn = read_bytes, .size = max_bytes, .at_once = true};

    return read_text_call(file, &call, out_bytes);
}

ssize_t anyc_file_readinto(anyc_file *file, void *buf, size_t size)
{
    return read_into_call(file, buf, size, false);
}

ssize_t anyc_file_readinto1(anyc_file *file, void *buf, size_t size)
{
    return read_into_call(file, buf, size, true);
}

/* Appends a line of at most `max` bytes. */
static int line_get(FILE *stream, struct text_buffer *text, size_t max)
{
    int c = 0;
    int rc = anyc__text_reserve(text, 0) ? 0 : ANYC_ENOMEM;

    flockfile(stream);
    for (size_t n = 0; rc == 0 && n < max && c != '\n'; n++) {
        if (!anyc__text_reserve(text, 1)) {
            rc = ANYC_ENOMEM;
            break;
        }
        c = getc_unlocked(stream);
        if (c == EOF)
            break;
        text->data[text->len++] = (char)c;
    }
    funlockfile(stream);
    if (rc == 0)
        text->data[text->len] = '\0';
    return rc == 0 && ferror(stream) ? anyc__file_errno() : rc;
}

/* The same, and back to where it began if it fails. */
static int line_read(struct file *file, struct text_buffer *text, size_t max)
{
    size_t before = text->len;
    int rc = anyc__file_turn(file, FILE_TURN_READ);

    if (rc < 0)
        return rc;
    rc = line_get(file->stream, text, max);
    if (rc < 0) {
        read_undo(file, text->len - before);
        text->len = before;
    }
    return rc;
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
    struct file_call call = {.fn = line_read_one, .size = max_bytes};

    return read_text_call(file, &call, out_line);
}

/* Lines, each with a '\0' behind it, that have `hint` bytes together. call->done: how many. */
static int lines_read(struct file_call *call, size_t *bytes)
{
    struct text_buffer *text = &call->text;
    size_t before;
    int rc = 0;

    do {
        before = text->len;
        rc = line_read(call->file, text, SIZE_MAX);
        if (rc < 0 || text->len == before)
            return rc;
        *bytes += text->len - before;
        call->done++;
        if (!anyc__text_append(text, "", 1))
            return ANYC_ENOMEM;
    } while (call->size == 0 || *bytes < call->size);
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
        read_undo(call->file, bytes);
        anyc__text_deinit(&call->text);
    }
    return rc;
}

int anyc_file_readlines(anyc_file *file, size_t hint, anyc_file_lines *out_lines)
{
    struct file_call call = {.fn = lines_read_all, .size = hint};
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
    rc = line_read(call->file, line, SIZE_MAX);
    call->buf = line->data;
    call->done = line->len;
    return rc;
}

ssize_t anyc_file_next_line(anyc_file *file, char **out_line)
{
    struct file_call call = {.fn = line_read_next};
    int rc = anyc__file_call(file, &call);

    if (rc < 0)
        return rc;
    if (call.done == 0)
        return anyc__fail_plain(ANYC_EOF);
    *out_line = call.buf;
    return (ssize_t)call.done;
}
