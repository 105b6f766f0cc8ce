/* SPDX-License-Identifier: MIT */
/*
 * alloc.h - memory by the embedder's allocator. All answer NULL when there is none.
 */
#ifndef ANYC_CORE_ALLOC_H
#define ANYC_CORE_ALLOC_H

#include <anyc/alloc.h>

void *anyc__alloc(size_t size);
void *anyc__zalloc(size_t size);
/* count * size bytes; NULL if that overflows. */
void *anyc__alloc_array(size_t count, size_t size);
/* On failure the old block stays. */
void *anyc__realloc_array(void *ptr, size_t count, size_t size);
char *anyc__strdup(const char *text);
/* `ptr` may be NULL. */
void anyc__free(void *ptr);

#endif
