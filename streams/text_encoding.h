/* SPDX-License-Identifier: MIT */
/*
 * text_encoding.h - what anyc knows of an encoding; all else iconv(3) knows.
 */
#ifndef ANYC_STREAMS_TEXT_ENCODING_H
#define ANYC_STREAMS_TEXT_ENCODING_H

#include <anyc/text_stream.h>

#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "streams/byte_buffer.h"

#define TEXT_NAME_MAX 64 /* bytes of an encoding's name, with its end */

struct text_encoding {
    char name[TEXT_NAME_MAX]; /* iconv's, in this computer's byte order */
    size_t unit;              /* bytes that make one broken unit: 1, 2 or 4 */
    bool utf8;                /* no iconv needed */
    bool mark;                /* text begins with a byte-order mark */
};

/* Bytes at the beginning that name the byte order. */
struct text_mark {
    uint8_t bytes[4];
    size_t len;
    const char *name; /* the encoding without mark that it tells, as iconv knows it */
};

/* Set up an encoding by its name, NULL: UTF-8. 0 or ANYC_EINVAL. */
int anyc__text_encoding_find(const char *name, struct text_encoding *out_encoding);

/* The marks that may stand at the beginning; [0] is the one to write. Ended by one with len 0. */
const struct text_mark *anyc__text_encoding_marks(const struct text_encoding *encoding);

/* iconv_open. 0, ANYC_EINVAL for a pair that iconv does not know, ANYC_ENOMEM or -errno. */
int anyc__text_iconv_open(const char *to, const char *from, iconv_t *out_cd);

#define TEXT_NO_ICONV ((iconv_t)-1)

/* Append some bytes as \x.. each. 0 or ANYC_ENOMEM with the buffer as it was. */
int anyc__text_append_escaped(struct byte_buffer *buffer, const uint8_t *bytes, size_t len);

/* Append. The same answers. */
int anyc__text_append(struct byte_buffer *buffer, const void *data, size_t len);

/* "0xe2 0x82": up to 4 bytes in words, and dots if there are more. */
#define TEXT_BYTES_MAX 32
const char *anyc__text_bytes(const uint8_t *bytes, size_t len, char out[TEXT_BYTES_MAX]);

#endif
