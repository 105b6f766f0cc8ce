/* SPDX-License-Identifier: MIT */
/*
 * scarce.c - an allocator for anyc that gives out a given number of blocks.
 */
#include "scarce.h"

#include <anyc/alloc.h>

#include <check.h>

#include <stdlib.h>

static int scarce_left;
static int scarce_blocks;

static void *scarce_realloc(void *ptr, size_t size, void *arg)
{
    void *moved = scarce_left > 0 ? realloc(ptr, size) : NULL;

    (void)arg;
    if (scarce_left < SCARCE_PLENTY)
        scarce_left--;
    scarce_blocks += moved != NULL && ptr == NULL;
    return moved;
}

static void *scarce_alloc(size_t size, void *arg)
{
    return scarce_realloc(NULL, size, arg);
}

static void scarce_free(void *ptr, void *arg)
{
    (void)arg;
    scarce_blocks -= ptr != NULL;
    free(ptr);
}

void scarce_allow(int count)
{
    static const anyc_allocator scarce = {scarce_alloc, scarce_realloc, scarce_free, NULL};

    scarce_left = count;
    ck_assert_int_eq(anyc_set_allocator(&scarce), 0);
}

int scarce_live(void)
{
    return scarce_blocks;
}
