/* SPDX-License-Identifier: MIT */
/*
 * memory.h - let memory run out at a chosen moment.
 *
 *     ANYC_TEST_PLAIN(test_x__survives_without_memory)
 *     {
 *         memory_install();
 *         ck_assert_ok(anyc_run(x_without_memory, anyc_testing_backend()));
 *         memory_remove();
 *     }
 *
 * In the run, memory_fail_after(n) lets n allocations succeed and all later ones fail, until
 * memory_fail_never().
 */
#ifndef ANYC_TESTS_SUPPORT_MEMORY_H
#define ANYC_TESTS_SUPPORT_MEMORY_H

#include <anyc/alloc.h>

#include <check.h>
#include <stdlib.h>

static long memory_left = -1; /* allocations that succeed; -1: all */
static long memory_blocks;    /* in use */
static long memory_calls;     /* allocations, failed ones included */

static inline bool memory_take(void)
{
    memory_calls++;
    if (memory_left == 0)
        return false;
    if (memory_left > 0)
        memory_left--;
    return true;
}

static inline void *memory_alloc(size_t size, void *arg)
{
    void *ptr = memory_take() ? malloc(size) : NULL;

    (void)arg;
    memory_blocks += ptr != NULL;
    return ptr;
}

static inline void *memory_realloc(void *ptr, size_t size, void *arg)
{
    void *moved = memory_take() ? realloc(ptr, size) : NULL;

    (void)arg;
    memory_blocks += ptr == NULL && moved != NULL;
    return moved;
}

static inline void memory_free(void *ptr, void *arg)
{
    (void)arg;
    memory_blocks -= ptr != NULL;
    free(ptr);
}

static inline void memory_fail_after(long count)
{
    memory_left = count;
}

static inline void memory_fail_never(void)
{
    memory_left = -1;
}

static inline void memory_install(void)
{
    const anyc_allocator allocator = {memory_alloc, memory_realloc, memory_free, NULL};

    memory_fail_never();
    ck_assert_int_eq(anyc_set_allocator(&allocator), 0);
}

static inline void memory_remove(void)
{
    ck_assert_int_eq(anyc_set_allocator(NULL), 0);
}

#endif
