/* SPDX-License-Identifier: MIT */
/*
 * file_read.c - reading bytes of files.
 *
 * A read that fails goes back to where it began. Where the file cannot seek, it answers what has come
 * before, and the next one tells of the failure.
 */
#include "os/file.h"

#include <errno.h>
#include <limits.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/file_ahead.h"

#define READ_FIRST 8192 /* bytes, of what has no known size */

bool anyc__file_unread(struct file *file, size_t len)
{
    return len == 0 || fseeko(file->stream, -(off_t)len, SEEK_CUR) == 0;
}

/* After `len` bytes: 0 if they are what the call answers. */
static int read_failed(struct file *file, size_t len, int rc)
{
    if (anyc__file_unread(file, len))
        return rc;
    if (rc != -EAGAIN) /* that may be over by then */
        file->failed_rc = rc;
    return 0;
}

/* What is there, after at most one read(2), which the first byte brings about. */
static size_t read_what_is_there(FILE *stream, char *buf, size_t size)
{
    const char *data;
    size_t ahead = anyc__file_ahead(stream, &data);
    int first;

    if (ahead > 0)
        return fread(buf, 1, ahead < size ? ahead : size, stream);
    first = getc(stream);
    if (first == EOF)
        return 0;
    *buf = (char)first;
    ahead = anyc__file_ahead(stream, &data);
    if (ahead > size - 1)
        ahead = size - 1;
    return ahead == 0 ? 1 : 1 + fread(buf + 1, 1, ahead, stream);
}

bool anyc__file_is_ahead(const struct file_call *call)
{
    const char *data;
    size_t ahead = anyc__file_ahead(call->file->stream, &data);

    if (call->file->turn != FILE_TURN_READ || ahead == 0)
        return false;
    return call->at_once || call->size <= ahead;
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
    if (n < size && ferror(file->stream))
        rc = read_failed(file, n, anyc__file_errno());
    *out_done = rc < 0 ? 0 : n;
    return rc;
}

static int read_into(struct file_call *call)
{
    return anyc__file_fread(call->file, call->buf, call->size, call->at_once, &call->done);
}

static ssize_t read_into_call(anyc_file *file, void *buf, size_t size, bool at_once)
{
    struct file_call call = {.what = "reading",
                             .fn = read_into,
                             .at_hand = anyc__file_is_ahead,
                             .buf = buf,
                             .size = size,
                             .at_once = at_once};
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
    return rc < 0 ? read_failed(call->file, text->len, rc) : 0;
}

static int read_bytes(struct file_call *call)
{
    int rc = read_parts(call, &call->text);

    if (rc < 0)
        anyc__text_deinit(&call->text);
    return rc;
}

int anyc__file_text_call(anyc_file *file, struct file_call *call, anyc_bytes *out_bytes)
{
    int rc = anyc__file_call(file, call);

    if (rc == 0)
        *out_bytes = (anyc_bytes){call->text.data, call->text.len};
    return rc;
}

int anyc_file_read(anyc_file *file, size_t max_bytes, anyc_bytes *out_bytes)
{
    struct file_call call = {
        .what = "reading", .fn = read_bytes, .at_hand = anyc__file_is_ahead, .size = max_bytes};

    return anyc__file_text_call(file, &call, out_bytes);
}

int anyc_file_read1(anyc_file *file, size_t max_bytes, anyc_bytes *out_bytes)
{
    struct file_call call = {.what = "reading",
                             .fn = read_bytes,
                             .at_hand = anyc__file_is_ahead,
                             .size = max_bytes,
                             .at_once = true};

    return anyc__file_text_call(file, &call, out_bytes);
}

ssize_t anyc_file_readinto(anyc_file *file, void *buf, size_t size)
{
    return read_into_call(file, buf, size, false);
}

ssize_t anyc_file_readinto1(anyc_file *file, void *buf, size_t size)
{
    return read_into_call(file, buf, size, true);
}
