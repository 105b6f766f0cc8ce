/* SPDX-License-Identifier: MIT */
/*
 * text.c - text over a byte stream. AnyIO: streams.text.
 *
 * It is a byte stream of UTF-8. Receiving: bytes of the inner stream go through the decoder, text
 * waits in its buffer until it is received. Sending: a text is encoded as a whole and then sent, so
 * that nothing is sent of a text with an error in it. After a send_some that was cut short, the end
 * of its bytes waits in the encoder's buffer; whatever is sent next goes behind it.
 */
#include <anyc/text_stream.h>

#include <limits.h>

#include "core/list.h"
#include "streams/stream.h"
#include "streams/text_decoder.h"
#include "streams/text_encoder.h"

#define TEXT_ROOM 4096      /* bytes asked for at a time, at least */
#define TEXT_ROOM_MAX 65536 /* likewise, at most */
#define TEXT_PART 1024      /* bytes of text that one send_some takes */
#define TEXT_KEPT_MAX 65536 /* bytes of buffer that a stream keeps for the next text to send */

struct text {
    union {
        anyc_resource resource;
        anyc_text_stream stream;
    };
    anyc_byte_stream *inner;
    struct text_decoder decoder;
    struct text_encoder encoder;
    struct stream_life life;
    bool receiving; /* a task is in one of the receiving calls */
    bool sending;   /* likewise */
    bool closed;
};

static struct text *text_of(const anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct text, resource);
}

static void text_free(struct text *self)
{
    anyc__text_decoder_deinit(&self->decoder);
    anyc__text_encoder_deinit(&self->encoder);
    anyc__free(self);
}

/* Begin a call of which only one may be under way: 0, and then text_end must follow, or an error. */
static int text_begin(struct text *self, bool *at_work)
{
    anyc_task *task;
    int rc;

    anyc__stream_hold(&self->life);
    rc = anyc__enter(&task);
    if (rc >= 0 && self->closed)
        rc = anyc__fail_plain(ANYC_ECLOSED);
    else if (rc >= 0 && *at_work)
        rc = anyc__fail_plain(ANYC_EBUSY);
    if (rc >= 0)
        *at_work = true;
    else if (anyc__stream_release(&self->life))
        text_free(self);
    return rc;
}

static void text_end(struct text *self, bool *at_work)
{
    *at_work = false;
    if (anyc__stream_release(&self->life))
        text_free(self);
}

/* What a call of the inner stream answered, unless this side was closed meanwhile. */
static ssize_t text_answer(const struct text *self, ssize_t rc)
{
    return self->closed && rc != ANYC_ECANCELLED ? anyc__fail_plain(ANYC_ECLOSED) : rc;
}

/* -- receiving -- */

/* Append bytes to `raw`, about as many as are of use for so many bytes of text. */
static int text_fill(struct text *self, size_t wanted)
{
    struct byte_buffer *raw = &self->decoder.raw;
    size_t room = wanted < TEXT_ROOM ? TEXT_ROOM : wanted < TEXT_ROOM_MAX ? wanted : TEXT_ROOM_MAX;
    ssize_t n;
    int rc = anyc__byte_buffer_reserve(raw, room);

    if (rc < 0)
        return anyc__fail_plain(rc);
    n = text_answer(self, anyc_receive(self->inner, raw->data + raw->end, room));
    if (n < 0)
        return (int)n;
    raw->end += (size_t)n;
    return 0;
}

/* Wait until there is more text than before; `wanted` bytes would be of use. */
static int text_more(struct text *self, size_t wanted)
{
    const size_t had = anyc__byte_buffer_len(&self->decoder.text);
    bool final = false;
    int rc;

    for (;;) {
        rc = anyc__text_decoder_run(&self->decoder, final);
        if (rc < 0 || anyc__byte_buffer_len(&self->decoder.text) > had)
            return rc;
        if (final)
            return anyc__fail_plain(ANYC_EOF);
        rc = text_fill(self, wanted);
        final = rc == ANYC_EOF;
        if (rc < 0 && !final)
            return rc;
    }
}

static ssize_t text_receive(anyc_byte_stream *stream, void *buf, size_t max_bytes)
{
    struct text *self = text_of(&stream->resource);
    struct byte_buffer *text = &self->decoder.text;
    ssize_t rc = text_begin(self, &self->receiving);
    size_t n;

    if (rc < 0)
        return rc;
    if (anyc__byte_buffer_len(text) == 0)
        rc = text_more(self, max_bytes);
    if (rc >= 0) {
        n = anyc__utf8_fit((const uint8_t *)text->data + text->start, anyc__byte_buffer_len(text),
                           max_bytes);
        if (n == 0)
            n = max_bytes; /* less than a character */
        anyc__byte_buffer_take(text, buf, n);
        rc = (ssize_t)n;
    }
    text_end(self, &self->receiving);
    return rc;
}

/* Wait until there is a whole line, and answer its length. */
static ssize_t text_find_line(struct text *self, size_t max_bytes)
{
    struct byte_buffer *text = &self->decoder.text;
    size_t searched = 0;
    size_t len;
    int rc;

    for (;;) {
        const char *end = NULL;

        len = anyc__byte_buffer_len(text);
        if (len > searched)
            end = memchr(text->data + text->start + searched, '\n', len - searched);
        if (end != NULL)
            len = (size_t)(end - (text->data + text->start)) + 1;
        if (len > max_bytes)
            return anyc__fail(ANYC_EDELIMITER, 0, "the line is longer than %zu bytes", max_bytes);
        if (end != NULL)
            return (ssize_t)len;
        searched = len;
        rc = text_more(self, TEXT_ROOM);
        if (rc == ANYC_EOF && len > 0)
            return (ssize_t)len;
        if (rc < 0)
            return rc;
    }
}

/* -- sending -- */

/* Send what waits in the encoder's buffer. What has gone is gone from it, also with an error. */
static int text_flush(struct text *self)
{
    struct byte_buffer *out = &self->encoder.out;
    ssize_t n = 0;

    while (n >= 0 && anyc__byte_buffer_len(out) > 0) {
        n = text_answer(
            self, anyc_send_some(self->inner, out->data + out->start, anyc__byte_buffer_len(out)));
        if (n > 0)
            anyc__byte_buffer_consume(out, (size_t)n);
    }
    return n < 0 ? (int)n : 0;
}

static void text_trim(struct byte_buffer *buffer)
{
    if (buffer->capacity > TEXT_KEPT_MAX) {
        anyc__free(buffer->data);
        *buffer = (struct byte_buffer){0};
    }
}

/* Send all of the encoder's buffer at once, and empty it. */
static int text_send_out(struct text *self)
{
    struct byte_buffer *out = &self->encoder.out;
    ssize_t rc =
        anyc_send(self->inner, anyc__byte_buffer_len(out) > 0 ? out->data + out->start : "",
                  anyc__byte_buffer_len(out));

    anyc__byte_buffer_consume(out, anyc__byte_buffer_len(out));
    text_trim(out);
    text_trim(&self->encoder.clean);
    return (int)text_answer(self, rc);
}

/* Encode all pieces, then send them as one. */
static int text_send_encoded(struct text *self, const struct iovec *pieces, int count)
{
    const struct text_encoder_state before = self->encoder.state;
    struct text_encoder *encoder = &self->encoder;
    int rc = 0;

    for (int i = 0; i < count && rc >= 0; i++) {
        rc = anyc__text_encoder_put(encoder, pieces[i].iov_base, pieces[i].iov_len);
        if (rc < 0 && encoder->state.offset != before.offset)
            encoder->state = before; /* the pieces before were taken */
    }
    if (rc < 0) {
        anyc__byte_buffer_consume(&encoder->out, anyc__byte_buffer_len(&encoder->out));
        return rc;
    }
    rc = text_send_out(self);
    if (rc < 0)
        encoder->state = before;
    return rc;
}

static int text_sendv(anyc_byte_stream *stream, const struct iovec *pieces, int count)
{
    struct text *self = text_of(&stream->resource);
    int rc = text_begin(self, &self->sending);

    if (rc < 0)
        return rc;
    rc = text_flush(self);
    if (rc >= 0)
        rc = text_send_encoded(self, pieces, count);
    text_end(self, &self->sending);
    return rc;
}

static int text_send(anyc_byte_stream *stream, const void *buf, size_t len)
{
    const struct iovec piece = {(void *)(uintptr_t)buf, len}; /* only read */
    struct text *self = text_of(&stream->resource);
    int rc = text_begin(self, &self->sending);

    if (rc < 0)
        return rc;
    rc = text_flush(self);
    if (rc >= 0 && anyc__text_encoder_is_plain(&self->encoder, buf, len)) {
        rc = (int)text_answer(self, anyc_send(self->inner, buf, len));
        if (rc >= 0)
            self->encoder.state.offset += len;
    } else if (rc >= 0) {
        rc = text_send_encoded(self, &piece, 1);
    }
    text_end(self, &self->sending);
    return rc;
}

/* Send a part: it has gone as soon as one byte of it has. */
static int text_send_part(struct text *self, const void *buf, size_t len)
{
    const struct text_encoder_state before = self->encoder.state;
    struct byte_buffer *out = &self->encoder.out;
    size_t whole;
    int rc = anyc__text_encoder_put(&self->encoder, buf, len);

    if (rc < 0)
        return rc;
    whole = anyc__byte_buffer_len(out);
    rc = text_flush(self);
    if (rc < 0 && anyc__byte_buffer_len(out) == whole) {
        anyc__byte_buffer_consume(out, whole);
        self->encoder.state = before;
        return rc;
    }
    return 0; /* the next call meets the error again, if it lasts */
}

static ssize_t text_send_some(anyc_byte_stream *stream, const void *buf, size_t len)
{
    struct text *self = text_of(&stream->resource);
    size_t part = len < TEXT_PART ? len : TEXT_PART;
    int rc = text_begin(self, &self->sending);

    if (rc < 0)
        return rc;
    rc = text_flush(self);
    if (rc >= 0)
        rc = text_send_part(self, buf, part);
    text_end(self, &self->sending);
    return rc < 0 ? rc : (ssize_t)part;
}

static int text_send_eof(anyc_byte_stream *stream)
{
    struct text *self = text_of(&stream->resource);
    int rc = text_begin(self, &self->sending);

    if (rc < 0)
        return rc;
    rc = text_flush(self);
    if (rc >= 0)
        rc = anyc__text_encoder_finish(&self->encoder);
    if (rc >= 0)
        rc = text_flush(self);
    if (rc >= 0)
        rc = (int)text_answer(self, anyc_send_eof(self->inner));
    text_end(self, &self->sending);
    return rc;
}

/* -- the tables -- */

static int text_close(anyc_resource *resource, bool forcefully)
{
    struct text *self = text_of(resource);
    struct text_encoder *encoder = &self->encoder;
    bool cut = !self->closed && encoder->state.tail_len > 0 && encoder->errors == ANYC_TEXT_STRICT;
    int rc;

    self->closed = true;
    rc = anyc__stream_close_inner(&self->inner->resource, forcefully);
    if (rc >= 0 && cut && !forcefully)
        rc = anyc__fail(ANYC_EENCODE, 0, "closed within a character, at offset %llu of the text",
                        (unsigned long long)encoder->state.offset);
    return rc;
}

static void text_destroy(anyc_resource *resource)
{
    struct text *self = text_of(resource);

    anyc_aclose_forcefully(self->inner);
    if (anyc__stream_destroy(&self->life))
        text_free(self);
}

static int text_extra(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out)
{
    return anyc__stream_extra_inner(&text_of(resource)->inner->resource, attribute, out);
}

static const anyc_byte_stream_ops text_receive_ops = {
    .resource = {"text receive stream", text_close, text_destroy, text_extra},
    .receive = text_receive,
    .send = anyc_no_send,
    .sendv = anyc_no_sendv,
    .send_some = anyc_no_send_some,
    .send_eof = anyc_no_send_eof,
};

static const anyc_byte_stream_ops text_send_ops = {
    .resource = {"text send stream", text_close, text_destroy, text_extra},
    .receive = anyc_no_receive,
    .send = text_send,
    .sendv = text_sendv,
    .send_some = text_send_some,
    .send_eof = text_send_eof,
};

static const anyc_byte_stream_ops text_ops = {
    .resource = {"text stream", text_close, text_destroy, text_extra},
    .receive = text_receive,
    .send = text_send,
    .sendv = text_sendv,
    .send_some = text_send_some,
    .send_eof = text_send_eof,
};

/* -- public -- */

/* With the directions that the table has. */
static int text_create(anyc_byte_stream *inner, const anyc_text_stream_options *options,
                       const anyc_byte_stream_ops *ops, anyc_text_stream **out_stream)
{
    static const anyc_text_stream_options defaults = {.encoding = NULL};
    const anyc_text_stream_options *chosen = options != NULL ? options : &defaults;
    struct text *self;
    int rc = 0;

    if ((unsigned)chosen->errors > ANYC_TEXT_BACKSLASHREPLACE)
        return anyc__fail(ANYC_EINVAL, 0, "unknown error mode %d", (int)chosen->errors);
    self = anyc__zalloc(sizeof *self);
    if (self == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    self->stream.stream = (anyc_byte_stream){{&ops->resource}, ops};
    self->inner = inner;
    self->decoder.cd = TEXT_NO_ICONV;
    self->encoder.cd = TEXT_NO_ICONV;
    if (ops != &text_send_ops)
        rc = anyc__text_decoder_init(&self->decoder, chosen->encoding, chosen->errors);
    if (rc >= 0 && ops != &text_receive_ops)
        rc = anyc__text_encoder_init(&self->encoder, chosen->encoding, chosen->errors);
    if (rc < 0) {
        text_free(self);
        return rc;
    }
    *out_stream = &self->stream;
    return 0;
}

int anyc_text_receive_stream_create(anyc_byte_stream *inner,
                                    const anyc_text_stream_options *options,
                                    anyc_text_stream **out_stream)
{
    return text_create(inner, options, &text_receive_ops, out_stream);
}

int anyc_text_send_stream_create(anyc_byte_stream *inner, const anyc_text_stream_options *options,
                                 anyc_text_stream **out_stream)
{
    return text_create(inner, options, &text_send_ops, out_stream);
}

int anyc_text_stream_create(anyc_byte_stream *inner, const anyc_text_stream_options *options,
                            anyc_text_stream **out_stream)
{
    return text_create(inner, options, &text_ops, out_stream);
}

ssize_t anyc_text_receive_line(anyc_text_stream *stream, void *buf, size_t max_bytes)
{
    struct text *self = text_of(&stream->resource);
    ssize_t rc;

    if (max_bytes - 1 >= SSIZE_MAX) /* 0 wraps around */
        return anyc__fail(ANYC_EINVAL, 0, "max_bytes must be 1 or more, up to SSIZE_MAX");
    if (stream->stream.ops == &text_send_ops)
        return anyc_no_receive(&stream->stream, buf, max_bytes);
    rc = text_begin(self, &self->receiving);
    if (rc < 0)
        return rc;
    rc = text_find_line(self, max_bytes);
    if (rc >= 0)
        anyc__byte_buffer_take(&self->decoder.text, buf, (size_t)rc);
    text_end(self, &self->receiving);
    return rc;
}
