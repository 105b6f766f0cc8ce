/* SPDX-License-Identifier: MIT */
/*
 * file_ahead.h - what a stdio stream has in its buffer, which only the C library knows. Hold the
 * stream's lock.
 */
#ifndef ANYC_OS_FILE_AHEAD_H
#define ANYC_OS_FILE_AHEAD_H

#include <stdio.h>

/* Bytes that can be read from the stream without a system call, and where they are; 0 if that is
 * not known. */
size_t anyc__file_ahead(FILE *stream, const char **out_data);

/* Bytes that can be written to the stream without a system call, once it was written to; 0 if that
 * is not known. */
size_t anyc__file_room(FILE *stream);

/* Drop what was written and has not gone out; nothing, where the C library cannot. */
void anyc__file_forget(FILE *stream);

#endif
