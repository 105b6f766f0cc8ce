/* SPDX-License-Identifier: MIT */
/*
 * fail_alloc.h - lets the nth allocation of anyc fail, and counts what is alive. For plain tests
 * with runs of their own:
 *
 *     fail_alloc_install();
 *     for (fail_alloc_n = 1; ...; fail_alloc_n++)
 *         anyc_run(main that calls fail_alloc_arm(), does it, fail_alloc_disarm(), ...);
 *     ck_assert_int_eq(fail_alloc_live(), 0);
 */
#ifndef ANYC_TESTS_SUPPORT_FAIL_ALLOC_H
#define ANYC_TESTS_SUPPORT_FAIL_ALLOC_H

#include <anyc/alloc.h>

#include <stdatomic.h>
#include <stdlib.h>

static atomic_long fail_alloc_left = -1; /* until the one that fails; < 0: none will */
static atomic_long fail_alloc_blocks;

static inline bool fail_alloc_now(void)
{
    long left = atomic_load(&fail_alloc_left);

    return left >= 0 && atomic_fetch_sub(&fail_alloc_left, 1) == 0;
}

static void *fail_alloc_alloc(size_t size, void *arg)
{
    void *ptr = fail_alloc_now() ? NULL : malloc(size);

    (void)arg;
    atomic_fetch_add(&fail_alloc_blocks, ptr != NULL);
    return ptr;
}

static void *fail_alloc_realloc(void *ptr, size_t size, void *arg)
{
    void *moved = fail_alloc_now() ? NULL : realloc(ptr, size);

    (void)arg;
    atomic_fetch_add(&fail_alloc_blocks, ptr == NULL && moved != NULL);
    return moved;
}

static void fail_alloc_free(void *ptr, void *arg)
{
    (void)arg;
    atomic_fetch_sub(&fail_alloc_blocks, ptr != NULL);
    free(ptr);
}

/* Outside of a run. */
static inline void fail_alloc_install(void)
{
    static const anyc_allocator allocator = {
        .alloc = fail_alloc_alloc, .realloc = fail_alloc_realloc, .free = fail_alloc_free};

    (void)anyc_set_allocator(&allocator); /* the table is complete */
}

/* The nth allocation from now on fails, n >= 1. */
static inline void fail_alloc_arm(long n)
{
    atomic_store(&fail_alloc_left, n - 1);
}

/* None fails any more. Did one fail since the arming? */
static inline bool fail_alloc_disarm(void)
{
    return atomic_exchange(&fail_alloc_left, -1) < 0;
}

static inline long fail_alloc_live(void)
{
    return atomic_load(&fail_alloc_blocks);
}

#endif
