/* SPDX-License-Identifier: MIT */
/*
 * tls_error.c - errors of the TLS library in words.
 */
#include "streams/tls_error.h"

#include "core/error.h"
#include "streams/tls_shim.h"

#include <stdarg.h>
#include <stdio.h>

#define ERROR_TEXT_SIZE 160
#define ERROR_MESSAGE_SIZE 384 /* names of files are cut */

void anyc__tls_library_text(int library_code, char *buf, size_t size)
{
#if defined(MBEDTLS_ERROR_C)
    mbedtls_strerror(library_code, buf, size);
#else
    (void)snprintf(buf, size, "error -0x%04x of the TLS library", (unsigned)-library_code);
#endif
}

int anyc__tls_fail(int code, int library_code, const char *format, ...)
{
    const anyc_error_tls tls = {.library_code = library_code};
    char message[ERROR_MESSAGE_SIZE];
    char text[ERROR_TEXT_SIZE];
    va_list args;

    if (anyc__tls_shim_is_no_memory(library_code))
        return anyc__fail_plain(ANYC_ENOMEM);
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    anyc__tls_library_text(library_code, text, sizeof text);
    return anyc__fail_tls(code, 0, &tls, "%s: %s", message, text);
}
