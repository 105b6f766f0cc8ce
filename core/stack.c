/* SPDX-License-Identifier: MIT */
/*
 * stack.c - stacks of tasks, carved from large arenas.
 *
 * An arena is one lazily committed mapping. Guards are laid ahead of use in growing batches: by
 * MADV_GUARD_INSTALL, which needs no mapping of its own (so there is no limit at vm.max_map_count)
 * and can be batched, else by mprotect. A stack whose guard was refused is never handed out.
 *
 *     arena: | guard | stack | guard | stack | ...       each pair is pool->size bytes
 */
#include "core/stack.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/tools.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif
/* PIDFD_SELF_THREAD, Linux 6.14: process_madvise on oneself. Valgrind 3.19 does not know the
 * call. */
#define SELF_PIDFD (-10000)

#define STACK_SIZE_MIN 16384
#define GUARD_BATCH 64
#define ARENA_STACKS_FIRST 64
#define ARENA_STACKS_MOST 4096
#define FREE_FIRST 64
#define WARM_MOST 64                  /* free stacks that keep their pages however long */
#define UNUSED_NS INT64_C(1000000000) /* so long a free stack keeps them in any case */
#define TRIM_BATCH 64 /* stacks whose pages are given back between two looks for events */

struct stack_arena {
    struct stack_arena *next;
    char *base;
    size_t size;
};

enum guard_method { GUARD_UNKNOWN, GUARD_INSTALL, GUARD_MPROTECT };

static _Atomic int guard_method = GUARD_UNKNOWN;

static size_t page_size(void)
{
    static _Atomic size_t cached;
    size_t size = atomic_load_explicit(&cached, memory_order_relaxed);

    if (size == 0) {
        size = (size_t)sysconf(_SC_PAGESIZE);
        atomic_store_explicit(&cached, size, memory_order_relaxed);
    }
    return size;
}

/* A sixteenth of the stack, at least a page: frames of that size cannot step over it. */
static size_t guard_size(size_t stack_size)
{
    size_t page = page_size();
    size_t guard = stack_size / 16 / page * page;

    return guard > page ? guard : page;
}

int anyc__stack_check_size(size_t size)
{
    if (size >= STACK_SIZE_MIN && size <= SIZE_MAX / 2)
        return 0;
    return anyc__fail(ANYC_EINVAL, 0, "a stack of %zu bytes: at least %d are needed", size,
                      STACK_SIZE_MIN);
}

struct stack_pool *anyc__stack_pool_find(struct stack_pool **pools, size_t size)
{
    size_t page = page_size();
    struct stack_pool *pool;

    size = (size + page - 1) / page * page;
    for (pool = *pools; pool != NULL; pool = pool->next) {
        if (pool->size == size)
            return pool;
    }
    pool = anyc__zalloc(sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->size = size;
    pool->guard = guard_size(size);
    pool->next = *pools;
    *pools = pool;
    return pool;
}

void anyc__stack_pools_destroy(struct stack_pool *pools)
{
    while (pools != NULL) {
        struct stack_pool *pool = pools;

        pools = pool->next;
        while (pool->arenas != NULL) {
            struct stack_arena *arena = pool->arenas;

            pool->arenas = arena->next;
            (void)munmap(arena->base, arena->size);
            anyc__free(arena);
        }
        anyc__free(pool->free);
        anyc__free(pool);
    }
}

/* Map room for as many stacks as are likely to be needed next, or fewer if that is refused. */
static bool arena_add(struct stack_pool *pool)
{
    size_t count = pool->carved < ARENA_STACKS_FIRST ? ARENA_STACKS_FIRST : pool->carved;
    struct stack_arena *arena = anyc__alloc(sizeof *arena);
    void *base = MAP_FAILED;

    if (arena == NULL)
        return false;
    if (count > ARENA_STACKS_MOST)
        count = ARENA_STACKS_MOST;
    for (; count > 0 && base == MAP_FAILED; count /= 2) {
        if (__builtin_mul_overflow(count, pool->size, &arena->size))
            continue;
        base = mmap(NULL, arena->size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    }
    if (base == MAP_FAILED) {
        anyc__free(arena);
        return false;
    }
    /* a huge page under a stack would commit all of it and its neighbours at the first touch */
    (void)madvise(base, arena->size, MADV_NOHUGEPAGE);
    arena->base = base;
    arena->next = pool->arenas;
    pool->arenas = arena;
    pool->fresh = base;
    pool->fresh_end = base;
    pool->rest_end = (char *)base + arena->size;
    return true;
}

/* Guards for the first of `count` stacks from `base` on; answers how many were laid. */
static size_t guards_install(const struct stack_pool *pool, char *base, size_t count)
{
    struct iovec guards[GUARD_BATCH];
    size_t i;
    long done;

    for (i = 0; i < count; i++)
        guards[i] = (struct iovec){base + i * pool->size, pool->guard};
    done = count > 1 && !anyc__tools_valgrind
               ? syscall(SYS_process_madvise, SELF_PIDFD, guards, count, MADV_GUARD_INSTALL, 0)
               : -1;
    if (done > 0)
        return (size_t)done / pool->guard;
    for (i = 0; i < count; i++) {
        if (madvise(guards[i].iov_base, pool->guard, MADV_GUARD_INSTALL) < 0)
            break;
    }
    return i;
}

static size_t guards_mprotect(const struct stack_pool *pool, char *base, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (mprotect(base + i * pool->size, pool->guard, PROT_NONE) < 0)
            break;
    }
    return i;
}

static size_t guards_lay(const struct stack_pool *pool, char *base, size_t count)
{
    size_t laid = 0;

    if (atomic_load_explicit(&guard_method, memory_order_relaxed) != GUARD_MPROTECT) {
        laid = guards_install(pool, base, count);
        if (laid > 0)
            atomic_store_explicit(&guard_method, GUARD_INSTALL, memory_order_relaxed);
        else if (errno == EINVAL)
            atomic_store_explicit(&guard_method, GUARD_MPROTECT, memory_order_relaxed);
    }
    return laid > 0 ? laid : guards_mprotect(pool, base, count);
}

static bool pool_extend(struct stack_pool *pool)
{
    size_t count = pool->carved < GUARD_BATCH ? pool->carved + 1 : GUARD_BATCH;
    size_t room, laid;

    if (pool->fresh_end == pool->rest_end && !arena_add(pool))
        return false;
    room = (size_t)(pool->rest_end - pool->fresh_end) / pool->size;
    laid = guards_lay(pool, pool->fresh_end, count < room ? count : room);
    pool->fresh_end += laid * pool->size;
    return laid > 0;
}

/* Room in the list of free stacks for one more than there are: releasing cannot fail then. */
static bool free_reserve(struct stack_pool *pool)
{
    size_t capacity = pool->free_capacity > 0 ? pool->free_capacity * 2 : FREE_FIRST;
    char **free;

    if (pool->carved < pool->free_capacity)
        return true;
    free = anyc__realloc_array(pool->free, capacity, sizeof *free);
    if (free == NULL)
        return false;
    pool->free = free;
    pool->free_capacity = capacity;
    return true;
}

char *anyc__stack_carve(struct stack_pool *pool)
{
    char *low;

    if (!free_reserve(pool) || (pool->fresh == pool->fresh_end && !pool_extend(pool)))
        return NULL;
    low = pool->fresh + pool->guard;
    pool->fresh += pool->size;
    pool->carved++;
    anyc__tools_stack_created(low, anyc__stack_top(pool, low));
    return low;
}

/* Take the pages of up to a batch of the stacks that were free all the time since low_mark was set;
 * answers whether there are more. */
static bool pool_give_back(struct stack_pool *pool)
{
    size_t keep = pool->cold_count + WARM_MOST;
    size_t surplus = pool->low_mark > keep ? pool->low_mark - keep : 0;
    size_t count = surplus < TRIM_BATCH ? surplus : TRIM_BATCH;

    for (; count > 0; count--, surplus--)
        (void)madvise(pool->free[pool->cold_count++], pool->size - pool->guard, MADV_DONTNEED);
    return surplus > 0;
}

/* When to look at the pool again. */
static int64_t pool_trim(struct stack_pool *pool, int64_t now_ns)
{
    if (pool->trim_ns != 0 && now_ns < pool->trim_ns)
        return pool->trim_ns;
    if (pool->trim_ns != 0 && pool_give_back(pool))
        return now_ns;
    if (pool->free_count - pool->cold_count <= WARM_MOST) {
        pool->trim_ns = 0;
        return INT64_MAX;
    }
    pool->low_mark = pool->free_count;
    pool->trim_ns = now_ns + UNUSED_NS;
    return pool->trim_ns;
}

int64_t anyc__stack_trim(struct stack_pool *pools, int64_t now_ns)
{
    int64_t again_ns = INT64_MAX;
    struct stack_pool *pool;

    for (pool = pools; pool != NULL; pool = pool->next) {
        int64_t pool_ns = pool_trim(pool, now_ns);

        if (pool_ns < again_ns)
            again_ns = pool_ns;
    }
    return again_ns;
}

size_t anyc__stack_used(const struct stack_pool *pool, char *low)
{
    size_t page = page_size();
    char *top = anyc__stack_top(pool, low);
    unsigned char resident;

    for (; low < top; low += page) {
        if (mincore(low, page, &resident) == 0 && (resident & 1) != 0)
            break;
    }
    return (size_t)(top - low);
}
