/* SPDX-License-Identifier: MIT */
/*
 * stack.h - stacks of tasks: carved from large lazily committed arenas, a guard below each, and
 * reused warm.
 */
#ifndef ANYC_CORE_STACK_H
#define ANYC_CORE_STACK_H

#include <anyc/base.h>

struct stack_arena;

/* All stacks of one size in one loop. A stack is named by its lowest usable address. Invariants:
 * every stack handed out has its guard; cold_count <= free_count <= carved <= free_capacity. */
struct stack_pool {
    struct stack_pool *next;
    size_t size;  /* address space of one, guard included */
    size_t guard; /* bytes of it that fault */
    char **free;  /* free stacks, the last freed at the end; the first cold_count hold no pages */
    size_t free_count;
    size_t cold_count;
    size_t low_mark; /* fewest there were since trim_ns was set */
    size_t free_capacity;
    int64_t trim_ns; /* stacks that are free until then lose their pages; 0: none would */
    char *fresh;     /* guarded, never used: carved from here ... */
    char *fresh_end; /* ... to here */
    char *rest_end;  /* end of the arena: without guards from fresh_end on */
    size_t carved;   /* in all */
    struct stack_arena *arenas;
};

#define ANYC__CACHE_LINE 64
#define ANYC__STACK_STAGGER_BITS 5 /* of steps of a cache line */
#define ANYC__STACK_AHEAD 8        /* free stacks whose use is foreseen */

/* 0, or ANYC_EINVAL with a message for a size of which no stack can be made. */
int anyc__stack_check_size(size_t size);

/* The pool for stacks of `size` bytes of a list of pools, made if need be; NULL without memory. */
struct stack_pool *anyc__stack_pool_find(struct stack_pool **pools, size_t size);

/* Unmap everything; no stack may be in use. */
void anyc__stack_pools_destroy(struct stack_pool *pools);

/* A stack never used before, or NULL when memory, address space or guards have run out. */
char *anyc__stack_carve(struct stack_pool *pool);

/* To be called when idle: give back the pages of free stacks that were not needed for a second, but
 * for a few. Answers when to call again: at now_ns if there is more to do, INT64_MAX for never. */
int64_t anyc__stack_trim(struct stack_pool *pools, int64_t now_ns);

static inline char *anyc__stack_top(const struct stack_pool *pool, char *low)
{
    return low + (pool->size - pool->guard);
}

/* Where the first frame of a task begins: staggered, so that tasks do not share cache sets. */
static inline char *anyc__stack_start(const struct stack_pool *pool, char *low)
{
    uint32_t mixed = (uint32_t)((uintptr_t)low >> 12) * UINT32_C(2654435769);

    return anyc__stack_top(pool, low) -
           (mixed >> (32 - ANYC__STACK_STAGGER_BITS)) * ANYC__CACHE_LINE;
}

/* Is there a free stack that is not cold? */
static inline bool anyc__stack_ready(const struct stack_pool *pool)
{
    return pool->free_count > pool->cold_count;
}

static inline char *anyc__stack_acquire(struct stack_pool *pool)
{
    size_t left = pool->free_count;

    if (left == 0)
        return anyc__stack_carve(pool);
    pool->free_count = --left;
    if (left < pool->low_mark)
        pool->low_mark = left;
    if (left < pool->cold_count)
        pool->cold_count = left;
    else if (left >= ANYC__STACK_AHEAD)
        __builtin_prefetch(anyc__stack_start(pool, pool->free[left - ANYC__STACK_AHEAD]) - 1, 1);
    return pool->free[left];
}

static inline void anyc__stack_release(struct stack_pool *pool, char *low)
{
    pool->free[pool->free_count++] = low;
}

/* Most bytes ever used, rounded up to pages. Makes a system call. */
size_t anyc__stack_used(const struct stack_pool *pool, char *low);

#endif
