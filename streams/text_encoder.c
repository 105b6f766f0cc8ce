/* SPDX-License-Identifier: MIT */
/*
 * text_encoder.c - UTF-8 to any encoding, piece by piece.
 *
 * A text is given to iconv as a whole. POSIX lets iconv put anything in place of a character that
 * the encoding lacks, and say so only by counting: then those pieces of the text that have such
 * characters are looked at character by character, and a text in which they are replaced is encoded
 * instead. Each text begins and ends in the initial shift state, so this can be done again, and each
 * send stands for itself.
 */
#include "streams/text_encoder.h"

#include <stdio.h>

#include "core/error.h"

#define ENCODER_PIECE 4096 /* bytes of text that are looked at together */
#define ENCODER_SCRATCH 64 /* bytes: more than any character takes with its shift sequences */
#define ENCODER_UNCLEAN 1  /* a character of the piece is not in the encoding */

int anyc__text_encoder_init(struct text_encoder *encoder, const char *encoding,
                            anyc_text_errors errors)
{
    int rc;

    *encoder = (struct text_encoder){.errors = errors, .cd = TEXT_NO_ICONV};
    rc = anyc__text_encoding_find(encoding, &encoder->encoding);
    if (rc >= 0 && !encoder->encoding.utf8)
        rc = anyc__text_iconv_open(encoder->encoding.name, "UTF-8", &encoder->cd);
    encoder->state.mark_due = encoder->encoding.mark;
    return rc;
}

void anyc__text_encoder_deinit(struct text_encoder *encoder)
{
    if (encoder->cd != TEXT_NO_ICONV)
        iconv_close(encoder->cd);
    anyc__free(encoder->clean.data);
    anyc__free(encoder->out.data);
}

/* Forget what was appended since the buffer had `len` bytes. */
static void encoder_cut(struct byte_buffer *buffer, size_t len)
{
    buffer->end = buffer->start + len;
    anyc__byte_buffer_consume(buffer, 0); /* an empty one begins at 0 */
}

static void encoder_reset(struct text_encoder *encoder)
{
    iconv(encoder->cd, NULL, NULL, NULL, NULL);
}

/* Let iconv write into `out`, which grows as needed. With `text` NULL: the way back to the initial
 * state. 0, ENCODER_UNCLEAN or ANYC_ENOMEM. */
static int encoder_convert(struct text_encoder *encoder, const uint8_t *text, size_t len)
{
    struct byte_buffer *buffer = &encoder->out;
    char *in = (char *)(uintptr_t)text; /* iconv only reads it */
    size_t room = len + ENCODER_SCRATCH;
    size_t result;

    for (;;) {
        int rc = anyc__byte_buffer_reserve(buffer, room);
        size_t left = buffer->capacity - buffer->end;
        char *out = buffer->data + buffer->end;

        if (rc < 0)
            return anyc__fail_plain(rc);
        result = iconv(encoder->cd, in == NULL ? NULL : &in, &len, &out, &left);
        buffer->end = buffer->capacity - left;
        if (result != (size_t)-1 || errno != E2BIG)
            return result == 0 && len == 0 ? 0 : ENCODER_UNCLEAN;
        room = 2 * len + ENCODER_SCRATCH;
    }
}

/* Encode right UTF-8 as a whole. 0, or ENCODER_UNCLEAN or ANYC_ENOMEM with `out` as it was. */
static int encoder_batch(struct text_encoder *encoder, const uint8_t *text, size_t len)
{
    const size_t had = anyc__byte_buffer_len(&encoder->out);
    int rc;

    if (encoder->cd == TEXT_NO_ICONV)
        return anyc__text_append(&encoder->out, text, len);
    encoder_reset(encoder);
    rc = encoder_convert(encoder, text, len);
    if (rc == 0)
        rc = encoder_convert(encoder, NULL, 0);
    if (rc != 0)
        encoder_cut(&encoder->out, had);
    return rc;
}

/* Is this one character in the encoding? If nothing comes out for it, it is not; it may come out
 * only at the end, where the encoding has a form for it together with the next one. */
static bool encoder_has(struct text_encoder *encoder, const uint8_t *bytes, size_t len)
{
    char scratch[ENCODER_SCRATCH];
    char *in = (char *)(uintptr_t)bytes; /* iconv only reads it */
    char *out = scratch;
    size_t left = sizeof scratch;

    encoder_reset(encoder);
    return iconv(encoder->cd, &in, &len, &out, &left) == 0 && len == 0 &&
           iconv(encoder->cd, NULL, NULL, &out, &left) == 0 && left < sizeof scratch;
}

/* Append to `clean` what stands for a character that is not in the encoding, or report it. */
static int encoder_replace(struct text_encoder *encoder, const uint8_t *bytes, size_t len,
                           uint64_t offset)
{
    uint32_t code = anyc__utf8_code(bytes, len);
    char words[TEXT_BYTES_MAX];
    char escape[16];

    switch (encoder->errors) {
    case ANYC_TEXT_STRICT:
        return anyc__fail(ANYC_EENCODE, 0, "%s cannot encode U+%04X (%s) at offset %llu",
                          encoder->encoding.name, (unsigned)code,
                          anyc__text_bytes(bytes, len, words), (unsigned long long)offset);
    case ANYC_TEXT_IGNORE:
        break;
    case ANYC_TEXT_REPLACE:
        return anyc__text_append(&encoder->clean, "?", 1);
    case ANYC_TEXT_BACKSLASHREPLACE:
        snprintf(escape, sizeof escape,
                 code > 0xFFFF ? "\\U%08x"
                 : code > 0xFF ? "\\u%04x"
                               : "\\x%02x",
                 (unsigned)code);
        return anyc__text_append(&encoder->clean, escape, strlen(escape));
    }
    return 0;
}

/* May there be tag characters (U+E0000 to U+E007F) in it? glibc leaves them out without a word where
 * the encoding lacks them. */
static bool encoder_may_lose(const struct text_encoder *encoder, const uint8_t *text, size_t len)
{
    return encoder->cd != TEXT_NO_ICONV && memmem(text, len, "\xF3\xA0", 2) != NULL;
}

/* As encoder_batch, for text in which there may be such characters: these are ENCODER_UNCLEAN. */
static int encoder_batch_all(struct text_encoder *encoder, const uint8_t *text, size_t len)
{
    return encoder_may_lose(encoder, text, len) ? ENCODER_UNCLEAN
                                                : encoder_batch(encoder, text, len);
}

/* Append a piece of right UTF-8 to `clean`, with each character that is not in the encoding
 * replaced. */
static int encoder_clean(struct text_encoder *encoder, const uint8_t *text, size_t len,
                         uint64_t offset)
{
    const size_t had = anyc__byte_buffer_len(&encoder->out);
    int rc = encoder_batch_all(encoder, text, len);
    size_t n;

    encoder_cut(&encoder->out, had); /* it was only tried */
    if (rc == 0)
        return anyc__text_append(&encoder->clean, text, len);
    for (size_t at = 0; at < len && rc >= 0; at += n) {
        (void)anyc__utf8_next(text + at, len - at, &n); /* a whole one */
        if (encoder_has(encoder, text + at, n))
            rc = anyc__text_append(&encoder->clean, text + at, n);
        else
            rc = encoder_replace(encoder, text + at, n, offset + at);
    }
    return rc;
}

/* Encode right UTF-8 in which characters are not in the encoding. */
static int encoder_by_pieces(struct text_encoder *encoder, const uint8_t *text, size_t len,
                             uint64_t offset)
{
    int rc = 0;
    size_t n;

    encoder_cut(&encoder->clean, 0);
    for (size_t at = 0; at < len && rc >= 0; at += n) {
        n = anyc__utf8_fit(text + at, len - at, ENCODER_PIECE);
        rc = encoder_clean(encoder, text + at, n, offset + at);
    }
    if (rc >= 0 && anyc__byte_buffer_len(&encoder->clean) > 0)
        rc = encoder_batch(encoder, (const uint8_t *)encoder->clean.data,
                           anyc__byte_buffer_len(&encoder->clean));
    if (rc == ENCODER_UNCLEAN)
        rc = anyc__fail(ANYC_EENCODE, 0, "%s lacks what would replace the text at offset %llu",
                        encoder->encoding.name, (unsigned long long)offset);
    return rc;
}

/* Encode right UTF-8. */
static int encoder_text(struct text_encoder *encoder, const uint8_t *text, size_t len,
                        uint64_t offset)
{
    int rc = encoder_batch_all(encoder, text, len);

    return rc == ENCODER_UNCLEAN ? encoder_by_pieces(encoder, text, len, offset) : rc;
}

/* Encode what stands for bytes that are not UTF-8, or report them. */
static int encoder_broken(struct text_encoder *encoder, const uint8_t *bytes, size_t len,
                          uint64_t offset)
{
    char words[TEXT_BYTES_MAX];
    int rc = 0;

    encoder_cut(&encoder->clean, 0);
    switch (encoder->errors) {
    case ANYC_TEXT_STRICT:
        return anyc__fail(ANYC_EENCODE, 0, "the text is not UTF-8: %s at offset %llu",
                          anyc__text_bytes(bytes, len, words), (unsigned long long)offset);
    case ANYC_TEXT_IGNORE:
        return 0;
    case ANYC_TEXT_REPLACE:
        rc = anyc__text_append(&encoder->clean, "?", 1);
        break;
    case ANYC_TEXT_BACKSLASHREPLACE:
        rc = anyc__text_append_escaped(&encoder->clean, bytes, len);
        break;
    }
    if (rc >= 0)
        rc = encoder_batch(encoder, (const uint8_t *)encoder->clean.data,
                           anyc__byte_buffer_len(&encoder->clean));
    return rc == ENCODER_UNCLEAN ? anyc__fail_plain(ANYC_EENCODE) : rc;
}

/* Put the tail and the text together. Answers how many bytes of the text went, or an error. */
static ssize_t encoder_join(struct text_encoder *encoder, const uint8_t *text, size_t len)
{
    struct text_encoder_state *state = &encoder->state;
    const uint64_t offset = state->offset - state->tail_len;
    uint8_t joined[2 * UTF8_MAX];
    size_t had = state->tail_len;
    size_t more = len < UTF8_MAX ? len : UTF8_MAX;
    size_t n;
    int rc;

    memcpy(joined, state->tail, had);
    memcpy(joined + had, text, more);
    switch (anyc__utf8_next(joined, had + more, &n)) {
    case UTF8_CHARACTER:
        rc = encoder_text(encoder, joined, n, offset);
        break;
    case UTF8_BROKEN: /* the tail alone: it was a right beginning */
        rc = encoder_broken(encoder, joined, n, offset);
        break;
    default:
        memcpy(state->tail, joined, had + more); /* still less than a character */
        state->tail_len = had + more;
        return (ssize_t)more;
    }
    state->tail_len = 0;
    return rc < 0 ? rc : (ssize_t)(n - had);
}

/* Encode a text that does not continue a character. */
static int encoder_all(struct text_encoder *encoder, const uint8_t *text, size_t len,
                       uint64_t offset)
{
    int rc = 0;

    while (rc >= 0 && len > 0) {
        size_t n = anyc__utf8_valid(text, len);

        if (n > 0) {
            rc = encoder_text(encoder, text, n, offset);
        } else if (anyc__utf8_next(text, len, &n) == UTF8_BROKEN) {
            rc = encoder_broken(encoder, text, n, offset);
        } else {
            memcpy(encoder->state.tail, text, n);
            encoder->state.tail_len = n;
        }
        text += n;
        len -= n;
        offset += n;
    }
    return rc;
}

static int encoder_mark(struct text_encoder *encoder)
{
    const struct text_mark *mark = anyc__text_encoding_marks(&encoder->encoding);

    if (!encoder->state.mark_due)
        return 0;
    encoder->state.mark_due = false;
    return anyc__text_append(&encoder->out, mark->bytes, mark->len);
}

int anyc__text_encoder_put(struct text_encoder *encoder, const void *text, size_t len)
{
    const struct text_encoder_state before = encoder->state;
    const size_t had = anyc__byte_buffer_len(&encoder->out);
    ssize_t joined = 0;
    int rc = len > 0 ? encoder_mark(encoder) : 0;
    bool tail_is_broken = false;

    if (rc >= 0 && len > 0 && before.tail_len > 0) {
        joined = encoder_join(encoder, text, len);
        tail_is_broken = joined == ANYC_EENCODE;
        rc = joined < 0 ? (int)joined : 0;
    }
    if (rc >= 0 && len > 0)
        rc = encoder_all(encoder, (const uint8_t *)text + joined, len - (size_t)joined,
                         before.offset + (size_t)joined);
    if (rc >= 0) {
        encoder->state.offset += len;
        return 0;
    }
    encoder_cut(&encoder->out, had);
    encoder->state = before;
    if (tail_is_broken)
        encoder->state.tail_len = 0;
    return rc;
}

int anyc__text_encoder_finish(struct text_encoder *encoder)
{
    struct text_encoder_state *state = &encoder->state;
    int rc = 0;

    if (state->tail_len > 0)
        rc = encoder_broken(encoder, state->tail, state->tail_len, state->offset - state->tail_len);
    if (rc >= 0 || rc == ANYC_EENCODE)
        state->tail_len = 0;
    return rc;
}
