/* SPDX-License-Identifier: MIT */
/*
 * text_decoder.c - bytes in any encoding to UTF-8, piece by piece.
 *
 * What is broken is decided by iconv (for UTF-8 by text_utf8.h), how many bytes of it make one error
 * by the rule of Python's codecs: in UTF-8 those that could have begun a character, in UTF-16 and
 * UTF-32 one unit, elsewhere one byte, and at the end of the stream all that is left.
 */
#include "streams/text_decoder.h"

#include "core/error.h"
#include "streams/text_utf8.h"

#define DECODER_ROOM 64 /* bytes at least, when iconv writes text: several of any character */

/* How a step of decoding ended. */
enum decoder_stop {
    DECODER_DONE,       /* all that there is */
    DECODER_FULL,       /* no room in `text` */
    DECODER_BROKEN,     /* at the front of `raw` */
    DECODER_INCOMPLETE, /* likewise */
};

int anyc__text_decoder_init(struct text_decoder *decoder, const char *encoding,
                            anyc_text_errors errors)
{
    int rc;

    *decoder = (struct text_decoder){.errors = errors, .cd = TEXT_NO_ICONV};
    rc = anyc__text_encoding_find(encoding, &decoder->encoding);
    if (rc >= 0 && !decoder->encoding.utf8)
        rc = anyc__text_iconv_open("UTF-8", decoder->encoding.name, &decoder->cd);
    decoder->mark_due = decoder->encoding.mark;
    return rc;
}

void anyc__text_decoder_deinit(struct text_decoder *decoder)
{
    if (decoder->cd != TEXT_NO_ICONV)
        iconv_close(decoder->cd);
    anyc__free(decoder->raw.data);
    anyc__free(decoder->text.data);
}

static const uint8_t *decoder_front(const struct text_decoder *decoder)
{
    return (const uint8_t *)decoder->raw.data + decoder->raw.start;
}

static void decoder_consume(struct text_decoder *decoder, size_t len)
{
    anyc__byte_buffer_consume(&decoder->raw, len);
    decoder->offset += len;
}

/* Use the encoding that a mark tells. */
static int decoder_turn(struct text_decoder *decoder, const struct text_mark *mark)
{
    iconv_t cd;
    int rc;

    if (strcmp(mark->name, decoder->encoding.name) == 0)
        return 0;
    rc = anyc__text_iconv_open("UTF-8", mark->name, &cd);
    if (rc < 0)
        return rc;
    iconv_close(decoder->cd);
    decoder->cd = cd;
    memcpy(decoder->encoding.name, mark->name, strlen(mark->name) + 1);
    return 0;
}

/* Look for a byte-order mark; mark_due stays set while it is not known whether there is one. */
static int decoder_read_mark(struct text_decoder *decoder, bool final)
{
    const struct text_mark *mark = anyc__text_encoding_marks(&decoder->encoding);
    size_t len = anyc__byte_buffer_len(&decoder->raw);
    int rc = 0;

    for (; mark->len > 0; mark++) {
        size_t known = len < mark->len ? len : mark->len;

        if (memcmp(decoder_front(decoder), mark->bytes, known) != 0)
            continue;
        if (known < mark->len && !final)
            return 0;
        if (known == mark->len) {
            rc = decoder_turn(decoder, mark);
            if (rc < 0)
                return rc;
            decoder_consume(decoder, mark->len);
            break;
        }
    }
    decoder->mark_due = false;
    return 0;
}

static enum decoder_stop decoder_step_utf8(struct text_decoder *decoder)
{
    struct byte_buffer *text = &decoder->text;
    size_t len = anyc__byte_buffer_len(&decoder->raw);
    size_t valid = anyc__utf8_valid(decoder_front(decoder), len);
    size_t n = valid < text->capacity - text->end ? valid : text->capacity - text->end;
    size_t broken;

    if (n < valid)
        n = anyc__utf8_fit(decoder_front(decoder), len, n);
    anyc__byte_buffer_append(text, decoder_front(decoder), n);
    decoder_consume(decoder, n);
    if (n < valid)
        return DECODER_FULL;
    if (n == len)
        return DECODER_DONE;
    return anyc__utf8_next(decoder_front(decoder), len - n, &broken) == UTF8_BROKEN
               ? DECODER_BROKEN
               : DECODER_INCOMPLETE;
}

/* Flushing: `raw` is empty, and the state may hold a character. */
static enum decoder_stop decoder_step_iconv(struct text_decoder *decoder, bool flush)
{
    struct byte_buffer *raw = &decoder->raw;
    struct byte_buffer *text = &decoder->text;
    size_t in_left = anyc__byte_buffer_len(raw);
    size_t out_left = text->capacity - text->end;
    size_t before = in_left;
    char *in = raw->data + raw->start;
    char *out = text->data + text->end;
    size_t rc = iconv(decoder->cd, flush ? NULL : &in, &in_left, &out, &out_left);
    int why = errno;

    text->end = text->capacity - out_left;
    decoder_consume(decoder, before - in_left);
    if (rc != (size_t)-1)
        return DECODER_DONE;
    if (why == E2BIG)
        return DECODER_FULL;
    return why == EINVAL ? DECODER_INCOMPLETE : DECODER_BROKEN;
}

/* Bytes at the front of `raw` that make one error. */
static size_t decoder_broken_len(const struct text_decoder *decoder, enum decoder_stop stop)
{
    size_t len = anyc__byte_buffer_len(&decoder->raw);
    size_t broken = decoder->encoding.unit;

    if (decoder->encoding.utf8)
        (void)anyc__utf8_next(decoder_front(decoder), len, &broken); /* only the length matters */
    else if (stop == DECODER_INCOMPLETE)
        broken = len;
    return broken < len ? broken : len;
}

/* Put something in place of the broken bytes, or report them. */
static int decoder_replace(struct text_decoder *decoder, enum decoder_stop stop)
{
    const uint8_t *bytes = decoder_front(decoder);
    size_t len = decoder_broken_len(decoder, stop);
    char words[TEXT_BYTES_MAX];
    int rc = 0;

    switch (decoder->errors) {
    case ANYC_TEXT_STRICT:
        rc = anyc__fail(ANYC_EDECODE, 0, "%s cannot decode %s at offset %llu: %s",
                        decoder->encoding.name, anyc__text_bytes(bytes, len, words),
                        (unsigned long long)decoder->offset,
                        stop == DECODER_INCOMPLETE ? "the stream ends within a character"
                                                   : "no character begins so");
        break;
    case ANYC_TEXT_IGNORE:
        break;
    case ANYC_TEXT_REPLACE:
        rc = anyc__text_append(&decoder->text, "\xEF\xBF\xBD", 3); /* U+FFFD */
        break;
    case ANYC_TEXT_BACKSLASHREPLACE:
        rc = anyc__text_append_escaped(&decoder->text, bytes, len);
        break;
    }
    if (rc >= 0 || rc == ANYC_EDECODE)
        decoder_consume(decoder, len);
    return rc;
}

/* Make more room, at least for one step; not more than is of use for `raw`. */
static int decoder_make_room(struct text_decoder *decoder)
{
    size_t room = anyc__byte_buffer_len(&decoder->raw) + DECODER_ROOM;
    int rc = anyc__byte_buffer_reserve(&decoder->text, room);

    return rc < 0 ? anyc__fail_plain(rc) : 0;
}

/* Get out what iconv's state holds, and let it begin anew: the stream may grow. */
static int decoder_flush(struct text_decoder *decoder)
{
    int rc;

    if (decoder->cd == TEXT_NO_ICONV)
        return 0;
    rc = decoder_make_room(decoder);
    if (rc >= 0)
        (void)decoder_step_iconv(decoder, true); /* there is room, and nothing can be broken */
    return rc;
}

int anyc__text_decoder_run(struct text_decoder *decoder, bool final)
{
    const size_t had = anyc__byte_buffer_len(&decoder->text);
    enum decoder_stop stop;
    int rc = 0;

    if (decoder->mark_due && anyc__byte_buffer_len(&decoder->raw) > 0) {
        rc = decoder_read_mark(decoder, final);
        if (rc < 0 || decoder->mark_due)
            return rc;
    }
    while (rc >= 0 && anyc__byte_buffer_len(&decoder->raw) > 0) {
        rc = decoder_make_room(decoder);
        if (rc < 0)
            break;
        stop = decoder->encoding.utf8 ? decoder_step_utf8(decoder)
                                      : decoder_step_iconv(decoder, false);
        if (stop == DECODER_INCOMPLETE && !final)
            return 0;
        if (stop == DECODER_DONE || stop == DECODER_FULL)
            continue;
        if (decoder->errors == ANYC_TEXT_STRICT && anyc__byte_buffer_len(&decoder->text) > had)
            return 0; /* the error's turn is the next run */
        rc = decoder_replace(decoder, stop);
    }
    if (rc >= 0 && final)
        rc = decoder_flush(decoder);
    return rc == ANYC_ENOMEM && anyc__byte_buffer_len(&decoder->text) > had ? 0 : rc;
}
