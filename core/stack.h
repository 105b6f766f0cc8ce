/* SPDX-License-Identifier: MIT */
/*
 * stack.h - stacks of tasks: carved from large lazily committed arenas, a guard below each, and
 * reused warm.
 */
#ifndef ANYC_CORE_STACK_H
#define ANYC_CORE_STACK_H

#include <anyc/base.h>

struct stack_arena;

/* All stacks of one size in one loop. A stack is named by its lowest usable address; a free one
 * holds the link to the next in its topmost word. Invariant: every stack handed out has its guard. */
struct stack_pool {
    struct stack_pool *next;
    size_t size;            /* address space of one, guard included */
    size_t guard;           /* bytes of it that fault */
    char *deep;             /* free stacks that may hold many pages, last freed first */
    char *trimmed;          /* free stacks that hold few pages */
    size_t deep_count;
    char *fresh;            /* guarded, never used: carved from here ... */
    char *fresh_end;        /* ... to here */
    char *rest_end;         /* end of the arena: without guards from fresh_end on */
    size_t carved;          /* in all */
    struct stack_arena *arenas;
};

/* The pool for stacks of `size` bytes of a list of pools, made if need be; NULL without memory. */
struct stack_pool *anyc__stack_pool_find(struct stack_pool **pools, size_t size);

/* Unmap everything; no stack may be in use. */
void anyc__stack_pools_destroy(struct stack_pool *pools);

/* A stack, or NULL when memory, address space or guards have run out. */
char *anyc__stack_acquire_slow(struct stack_pool *pool);
void anyc__stack_release(struct stack_pool *pool, char *low);

/* Give back deep pages of some free stacks; cheap when there are few. To be called when idle. */
void anyc__stack_trim(struct stack_pool *pools);

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
    char *low = pool->deep;

    if (low == NULL)
        return anyc__stack_acquire_slow(pool);
    pool->deep = *anyc__stack_link(pool, low);
    pool->deep_count--;
    return low;
}

/* Where the first frame of a task begins: staggered, so that tasks do not share cache sets. */
char *anyc__stack_start(const struct stack_pool *pool, char *low);

/* Most bytes ever used, rounded up to pages. Makes a system call. */
size_t anyc__stack_used(const struct stack_pool *pool, char *low);

#endif
