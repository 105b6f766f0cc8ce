/* SPDX-License-Identifier: MIT */
/*
 * alloc.c - every allocation of anyc goes through the embedder's three functions.
 */
#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

#include <anyc/backend.h>
#include <anyc/error.h>

static void *default_alloc(size_t size, void *arg)
{
    (void)arg;
    return malloc(size);
}

static void *default_realloc(void *ptr, size_t size, void *arg)
{
    (void)arg;
    return realloc(ptr, size);
}

static void default_free(void *ptr, void *arg)
{
    (void)arg;
    free(ptr);
}

static const anyc_allocator default_allocator = {default_alloc, default_realloc, default_free,
                                                 NULL};
static anyc_allocator allocator = {default_alloc, default_realloc, default_free, NULL};

void *anyc__alloc(size_t size)
{
    return allocator.alloc(size > 0 ? size : 1, allocator.arg);
}

void *anyc__zalloc(size_t size)
{
    void *ptr = anyc__alloc(size);

    if (ptr != NULL)
        memset(ptr, 0, size);
    return ptr;
}

void *anyc__alloc_array(size_t count, size_t size)
{
    return anyc__realloc_array(NULL, count, size);
}

void *anyc__realloc_array(void *ptr, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    return allocator.realloc(ptr, total > 0 ? total : 1, allocator.arg);
}

char *anyc__strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = anyc__alloc(size);

    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

void anyc__free(void *ptr)
{
    if (ptr != NULL)
        allocator.free(ptr, allocator.arg);
}

void *anyc_backend_realloc(void *ptr, size_t size)
{
    if (size > 0)
        return allocator.realloc(ptr, size, allocator.arg);
    anyc__free(ptr);
    return NULL;
}

int anyc_set_allocator(const anyc_allocator *replacement)
{
    if (replacement == NULL)
        replacement = &default_allocator;
    if (replacement->alloc == NULL || replacement->realloc == NULL || replacement->free == NULL)
        return ANYC_EINVAL;
    allocator = *replacement;
    return 0;
}
