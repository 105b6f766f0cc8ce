/* SPDX-License-Identifier: MIT */
/*
 * stack.h - stacks of tasks: carved from large lazily committed arenas, a guard below each, and
 * reused warm.
 */
#ifndef ANYC_CORE_STACK_H
#define ANYC_CORE_STACK_H

#include <anyc/base.h>

struct stack_arena;

/* All stacks of one size in one loop. A stack is named by its lowest usable address; a warm one
 * holds the link to the next in its topmost word. Invariant: every stack handed out has its guard. */
struct stack_pool {
    struct stack_pool *next;
    size_t size;  /* address space of one, guard included */
    size_t guard; /* bytes of it that fault */
    char *warm;   /* free stacks that hold pages, last freed first */
    size_t warm_count;
    char **cold; /* free stacks that hold none */
    size_t cold_count;
    size_t cold_capacity;
    char *fresh;     /* guarded, never used: carved from here ... */
    char *fresh_end; /* ... to here */
    char *rest_end;  /* end of the arena: without guards from fresh_end on */
    size_t carved;   /* in all */
    struct stack_arena *arenas;
};

/* 0, or ANYC_EINVAL with a message for a size of which no stack can be made. */
int anyc__stack_check_size(size_t size);

/* The pool for stacks of `size` bytes of a list of pools, made if need be; NULL without memory. */
struct stack_pool *anyc__stack_pool_find(struct stack_pool **pools, size_t size);

/* Unmap everything; no stack may be in use. */
void anyc__stack_pools_destroy(struct stack_pool *pools);

/* A stack, or NULL when memory, address space or guards have run out. */
char *anyc__stack_acquire_slow(struct stack_pool *pool);
void anyc__stack_release(struct stack_pool *pool, char *low);

/* Give back the pages of some of the free stacks that are more than a few. To be called when idle.
 * Answers whether there is more to do. */
bool anyc__stack_trim(struct stack_pool *pools);

static inline char *anyc__stack_top(const struct stack_pool *pool, char *low)
{
    return low + (pool->size - pool->guard);
}

static inline char **anyc__stack_link(const struct stack_pool *pool, char *low)
{
    return (char **)(void *)(anyc__stack_top(pool, low) - sizeof(char *));
}

static inline char *anyc__stack_acquire(struct stack_pool *pool)
{
    char *low = pool->warm;

    if (low == NULL)
        return anyc__stack_acquire_slow(pool);
    pool->warm = *anyc__stack_link(pool, low);
    pool->warm_count--;
    return low;
}

/* Where the first frame of a task begins: staggered, so that tasks do not share cache sets. */
char *anyc__stack_start(const struct stack_pool *pool, char *low);

/* Most bytes ever used, rounded up to pages. Makes a system call. */
size_t anyc__stack_used(const struct stack_pool *pool, char *low);

#endif
