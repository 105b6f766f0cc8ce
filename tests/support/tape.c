/* SPDX-License-Identifier: MIT */
/*
 * tape.c - byte streams that record, and that play.
 */
#include "tape.h"

#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>

#include <stdlib.h>
#include <string.h>

void tape_append(struct tape_bytes *bytes, const void *data, size_t len)
{
    size_t capacity = bytes->capacity > 0 ? bytes->capacity : 4096;

    while (capacity - bytes->len < len)
        capacity *= 2;
    if (capacity > bytes->capacity)
        bytes->data = realloc(bytes->data, capacity);
    if (bytes->data == NULL)
        abort();
    bytes->capacity = capacity;
    if (len > 0)
        memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
}

void tape_free(struct tape_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct tape_bytes){0};
}

static struct tape *tape_of(anyc_byte_stream *stream)
{
    return (struct tape *)stream;
}

static ssize_t tape_receive_next(struct tape *tape, void *buf, size_t max_bytes)
{
    size_t len = tape->len < max_bytes ? tape->len : max_bytes;
    int rc = anyc_checkpoint_if_cancelled();

    if (rc < 0)
        return rc;
    if (tape->len == 0)
        return tape->stays_open ? anyc_sleep_forever() : ANYC_EOF;
    if (tape->step > 0 && len > tape->step)
        len = tape->step;
    memcpy(buf, tape->data, len);
    tape->data += len;
    tape->len -= len;
    return (ssize_t)len;
}

static ssize_t tape_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes)
{
    struct tape *tape = tape_of(stream);
    ssize_t n;

    tape->receives++;
    if (tape->inner == NULL)
        return tape_receive_next(tape, buf, max_bytes);
    n = anyc_receive(tape->inner, buf, max_bytes);
    if (n > 0)
        tape_append(&tape->received, buf, (size_t)n);
    return n;
}

static ssize_t tape_send_some(anyc_byte_stream *stream, const void *buf, size_t len)
{
    struct tape *tape = tape_of(stream);
    ssize_t n = (ssize_t)len;

    if (tape->inner != NULL)
        n = anyc_send_some(tape->inner, buf, len);
    else if (tape->deaf)
        n = anyc_sleep_forever();
    else if (tape->send_error < 0)
        n = tape->send_error;
    if (n > 0)
        tape_append(&tape->sent, buf, (size_t)n);
    return n;
}

static int tape_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    const uint8_t *rest = buf;
    ssize_t n = 0;

    while (len > 0 && n >= 0) {
        n = tape_send_some(stream, rest, len);
        if (n > 0) {
            rest += n;
            len -= (size_t)n;
        }
    }
    return n < 0 ? (int)n : 0;
}

static int tape_close(anyc_resource *resource, bool forcefully)
{
    struct tape *tape = (struct tape *)resource;
    anyc_byte_stream *inner = tape->inner;

    tape->closed = true;
    tape->inner = NULL;
    if (inner == NULL)
        return 0;
    if (!forcefully)
        return anyc_aclose(inner);
    anyc_aclose_forcefully(inner);
    return 0;
}

static void tape_destroy(anyc_resource *resource)
{
    (void)resource; /* the test's */
}

static const anyc_byte_stream_ops tape_ops = {
    .resource =
        {
            .type = "tape",
            .close = tape_close,
            .destroy = tape_destroy,
            .extra = anyc_no_attributes,
        },
    .receive = tape_receive,
    .send = tape_send,
    .sendv = anyc_sendv_by_send,
    .send_some = tape_send_some,
    .send_eof = anyc_no_send_eof,
};

static void tape_init(struct tape *tape)
{
    *tape = (struct tape){0};
    if (anyc_byte_stream_init(&tape->stream, &tape_ops) < 0)
        abort();
}

void tape_play(struct tape *tape, const void *data, size_t len)
{
    tape_init(tape);
    tape->data = data;
    tape->len = len;
}

void tape_record(struct tape *tape, anyc_byte_stream *inner)
{
    tape_init(tape);
    tape->inner = inner;
}

void tape_deinit(struct tape *tape)
{
    tape_free(&tape->received);
    tape_free(&tape->sent);
}
