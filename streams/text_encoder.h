/* SPDX-License-Identifier: MIT */
/*
 * text_encoder.h - UTF-8 to any encoding, piece by piece. AnyIO: codecs.getencoder.
 */
#ifndef ANYC_STREAMS_TEXT_ENCODER_H
#define ANYC_STREAMS_TEXT_ENCODER_H

#include "streams/text_encoding.h"
#include "streams/text_utf8.h"

/* What changes with each text; copy it to be able to take a text back. */
struct text_encoder_state {
    uint64_t offset;        /* bytes of text that were taken, `tail` included */
    uint8_t tail[UTF8_MAX]; /* the beginning of a character whose rest will come */
    size_t tail_len;
    bool mark_due; /* nothing was sent yet, a byte-order mark goes first */
};

struct text_encoder {
    struct text_encoding encoding;
    anyc_text_errors errors;
    iconv_t cd; /* TEXT_NO_ICONV for UTF-8 */
    struct text_encoder_state state;
    struct byte_buffer clean; /* scratch: text without what has no form in the encoding */
    struct byte_buffer out;   /* encoded; whoever uses the encoder takes it */
};

/* 0, or as anyc__text_encoding_find and anyc__text_iconv_open; nothing to deinit then. */
int anyc__text_encoder_init(struct text_encoder *encoder, const char *encoding,
                            anyc_text_errors errors);
void anyc__text_encoder_deinit(struct text_encoder *encoder);

/* Append to `out` what the text is in the encoding; a character that is cut at the end waits for its
 * rest. 0, or ANYC_EENCODE or ANYC_ENOMEM with all as it was: only a cut character that the text does
 * not complete is taken out, with ANYC_EENCODE. */
int anyc__text_encoder_put(struct text_encoder *encoder, const void *text, size_t len);

/* No more text comes: a cut character is an error. Answers as anyc__text_encoder_put. */
int anyc__text_encoder_finish(struct text_encoder *encoder);

/* Would the text come out as it is? */
static inline bool anyc__text_encoder_is_plain(const struct text_encoder *encoder, const void *text,
                                               size_t len)
{
    return encoder->encoding.utf8 && !encoder->state.mark_due && encoder->state.tail_len == 0 &&
           anyc__utf8_valid(text, len) == len;
}

#endif
