/* SPDX-License-Identifier: MIT */
/*
 * tls_error.h - errors of the TLS library in words.
 */
#ifndef ANYC_STREAMS_TLS_ERROR_H
#define ANYC_STREAMS_TLS_ERROR_H

#include <anyc/error.h>

/* What the library says of one of its codes. */
void anyc__tls_library_text(int library_code, char *buf, size_t size);

/* As anyc__fail, with the library's code and, behind the message, its text. Answers `code`, or
 * ANYC_ENOMEM if that is what the library's code means. */
int anyc__tls_fail(int code, int library_code, const char *format, ...) ANYC_PRINTF(3, 4);

#endif
