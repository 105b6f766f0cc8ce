/* SPDX-License-Identifier: MIT */
/*
 * clear.h - zero a small object at once. Compilers use `rep stos` from 72 bytes on, which takes 9 ns
 * to begin; a few plain stores take 2.
 */
#ifndef ANYC_CORE_CLEAR_H
#define ANYC_CORE_CLEAR_H

#include <stddef.h>
#include <string.h>

typedef long long anyc__zeros __attribute__((vector_size(16), aligned(8), may_alias));

/* `size` is a constant below 512, `memory` aligned to 8 bytes. */
static inline __attribute__((always_inline)) void anyc__clear(void *memory, size_t size)
{
    anyc__zeros *at = memory;
    size_t whole = size / sizeof *at;

#pragma GCC unroll 32
    for (size_t i = 0; i < whole; i++)
        at[i] = (anyc__zeros){0, 0};
    if (size % sizeof *at != 0)
        memset(at + whole, 0, size % sizeof *at);
}

#endif
