/* SPDX-License-Identifier: MIT */
/*
 * file_ahead.h - how much a stdio stream has read ahead, which only the C library knows.
 */
#ifndef ANYC_OS_FILE_AHEAD_H
#define ANYC_OS_FILE_AHEAD_H

#include <stdio.h>

/* Bytes that can be read from the stream without a system call; 0 if that is not known. */
size_t anyc__file_ahead(FILE *stream);

#endif
