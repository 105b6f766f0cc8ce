/* SPDX-License-Identifier: MIT */
/*
 * worker_library.h - a library of the test program worker_host.c.
 */
#ifndef ANYC_TESTS_UNIT_OS_WORKER_LIBRARY_H
#define ANYC_TESTS_UNIT_OS_WORKER_LIBRARY_H

#include <anyc/worker_process.h>

/* Add a letter to the order; the library itself begins with 'l'. */
ANYC_API void library_note(char letter);

/* For a worker: puts the order out. */
ANYC_API int library_tell_order(const void *input, size_t input_size, anyc_bytes *output);

#endif
