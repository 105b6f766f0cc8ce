/* SPDX-License-Identifier: MIT */
/*
 * text_decoder.h - bytes in any encoding to UTF-8, piece by piece. AnyIO: codecs.IncrementalDecoder.
 */
#ifndef ANYC_STREAMS_TEXT_DECODER_H
#define ANYC_STREAMS_TEXT_DECODER_H

#include "streams/text_encoding.h"

/* Bytes go into `raw`, text comes out of `text`; both belong to whoever uses the decoder too. */
struct text_decoder {
    struct text_encoding encoding;
    anyc_text_errors errors;
    iconv_t cd;              /* TEXT_NO_ICONV for UTF-8 */
    bool mark_due;           /* a byte-order mark may come first */
    uint64_t offset;         /* in the stream, of the first byte in `raw` */
    struct byte_buffer raw;  /* not decoded yet */
    struct byte_buffer text; /* whole characters */
};

/* 0, or as anyc__text_encoding_find and anyc__text_iconv_open; nothing to deinit then. */
int anyc__text_decoder_init(struct text_decoder *decoder, const char *encoding,
                            anyc_text_errors errors);
void anyc__text_decoder_deinit(struct text_decoder *decoder);

/* Decode what is in `raw`, except an incomplete character at its end; with `final`, that too: it is an
 * error. 0; ANYC_EDECODE, when errors are strict, after the broken bytes were taken out; ANYC_ENOMEM
 * with the rest in `raw`. An error is only told by a run that adds nothing to `text`: what comes
 * before it is to be used first, then the next run finds the error again. */
int anyc__text_decoder_run(struct text_decoder *decoder, bool final);

#endif
