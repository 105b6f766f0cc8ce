/* SPDX-License-Identifier: MIT */
/*
 * alloc.h - replace where anyc takes its memory from.
 *
 * Every allocation of anyc goes through these three functions; task stacks are mapped from the
 * system directly. libuv, libevent and mbedTLS keep their own allocators: theirs can only be
 * replaced for the whole process and before their first use, so a program that wants that calls
 * uv_replace_allocator, event_set_mem_functions or, where mbedTLS was built with it,
 * mbedtls_platform_set_calloc_free itself, first thing in main.
 */
#ifndef ANYC_ALLOC_H
#define ANYC_ALLOC_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct anyc_allocator {
    void *(*alloc)(size_t size, void *arg);              /* as malloc; size is never 0 */
    void *(*realloc)(void *ptr, size_t size, void *arg); /* as realloc; size is never 0 */
    void (*free)(void *ptr, void *arg);                  /* as free; ptr may be NULL */
    void *arg;                                           /* handed to each of them */
} anyc_allocator;

/**
 * Use another allocator from now on, in every thread. Call it before anything of anyc is in use:
 * memory is given back to the allocator that is set at that time.
 *
 * @param allocator  copied; NULL brings malloc, realloc and free back
 *
 * Returns: 0, or ANYC_EINVAL if one of the functions is missing.
 * Owns:    nothing is taken; `arg` must live as long as the allocator is set.
 * Cancel:  never suspends.
 * Threads: before any loop runs. The functions themselves are called from any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API int anyc_set_allocator(const anyc_allocator *allocator);

#ifdef __cplusplus
}
#endif

#endif
