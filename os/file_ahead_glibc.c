/* SPDX-License-Identifier: MIT */
/*
 * file_ahead_glibc.c - by the fields that glibc shows for its macros.
 */
#include "os/file_ahead.h"

#include <stdio_ext.h>

size_t anyc__file_ahead(FILE *stream, const char **out_data)
{
    *out_data = stream->_IO_read_ptr;
    return (size_t)(stream->_IO_read_end - stream->_IO_read_ptr);
}

/* What writes by lines, or at once, has its end before its position. */
size_t anyc__file_room(FILE *stream)
{
    if (stream->_IO_write_end <= stream->_IO_write_ptr)
        return 0;
    return (size_t)(stream->_IO_write_end - stream->_IO_write_ptr);
}

void anyc__file_forget(FILE *stream)
{
    __fpurge(stream);
}
