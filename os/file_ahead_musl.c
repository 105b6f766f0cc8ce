/* SPDX-License-Identifier: MIT */
/*
 * file_ahead_musl.c - by the questions that musl's stdio answers.
 */
#include "os/file_ahead.h"

#include <stdio_ext.h>

size_t anyc__file_ahead(FILE *stream, const char **out_data)
{
    size_t len = 0;

    *out_data = __freadptr(stream, &len);
    return *out_data != NULL ? len : 0;
}

/* What writes by lines, or at once, has none. */
size_t anyc__file_room(FILE *stream)
{
    size_t size = __fbufsize(stream);
    size_t pending = __fpending(stream);

    if (__fwriting(stream) == 0 || __flbf(stream) != 0 || size <= pending)
        return 0;
    return size - pending;
}

void anyc__file_forget(FILE *stream)
{
    __fpurge(stream);
}
