/* SPDX-License-Identifier: MIT */
/*
 * file_ahead_glibc.c - by the fields that glibc shows for its macros.
 */
#include "os/file_ahead.h"

size_t anyc__file_ahead(FILE *stream)
{
    return (size_t)(stream->_IO_read_end - stream->_IO_read_ptr);
}
