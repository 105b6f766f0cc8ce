/* SPDX-License-Identifier: MIT */
/*
 * file_ahead.c - where the C library does not tell: reading "what is there" then brings one byte,
 * every call needs a thread, and closing by force may wait for a pipe.
 */
#include "os/file_ahead.h"

size_t anyc__file_ahead(FILE *stream, const char **out_data)
{
    (void)stream;
    *out_data = NULL;
    return 0;
}

size_t anyc__file_room(FILE *stream)
{
    (void)stream;
    return 0;
}

void anyc__file_forget(FILE *stream)
{
    (void)stream;
}
