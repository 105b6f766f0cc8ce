/* SPDX-License-Identifier: MIT */
/*
 * tls_source.h - the bytes of certificates and keys, from files or from memory.
 */
#ifndef ANYC_STREAMS_TLS_SOURCE_H
#define ANYC_STREAMS_TLS_SOURCE_H

#include <anyc/tls_context.h>

/* What a source holds. All zero: nothing. */
struct tls_text {
    unsigned char *data; /* with a zero byte behind it */
    size_t len;          /* without that */
    const char *name;    /* of the file, for messages; borrowed, never NULL once it is read */
};

/* Is there any source at all? */
static inline bool anyc__tls_source_exists(const anyc_tls_source *source)
{
    return source->file != NULL || source->data != NULL;
}

/* Read it all. Answers 0, -errno with the file's name, or ANYC_ENOMEM. */
int anyc__tls_text_read(struct tls_text *text, const anyc_tls_source *source);

/* Forget it: it may be a key. */
void anyc__tls_text_deinit(struct tls_text *text);

/* The length to tell mbedTLS's parsers: with the zero byte if it is PEM. */
size_t anyc__tls_text_parse_len(const struct tls_text *text);

#endif
