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
#define WARM_MOST 64  /* free stacks that keep their pages while the loop is idle */
#define TRIM_BATCH 64 /* stacks whose pages are given back between two looks for events */
#define STAGGER_STEPS 32
#define STAGGER_BYTES 64 /* a cache line */

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
        anyc__free(pool->cold);
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

char *anyc__stack_acquire_slow(struct stack_pool *pool)
{
    char *low;

    if (pool->cold_count > 0)
        return pool->cold[--pool->cold_count];
    if (pool->fresh == pool->fresh_end && !pool_extend(pool))
        return NULL;
    low = pool->fresh + pool->guard;
    pool->fresh += pool->size;
    pool->carved++;
    anyc__tools_stack_created(low, anyc__stack_top(pool, low));
    return low;
}

void anyc__stack_release(struct stack_pool *pool, char *low)
{
    *anyc__stack_link(pool, low) = pool->warm;
    pool->warm = low;
    pool->warm_count++;
}

/* Room for one more cold stack; without memory the stack just stays warm. */
static bool cold_reserve(struct stack_pool *pool)
{
    size_t capacity = pool->cold_capacity > 0 ? pool->cold_capacity * 2 : TRIM_BATCH;
    char **cold;

    if (pool->cold_count < pool->cold_capacity)
        return true;
    cold = anyc__realloc_array(pool->cold, capacity, sizeof *cold);
    if (cold == NULL)
        return false;
    pool->cold = cold;
    pool->cold_capacity = capacity;
    return true;
}

static bool pool_trim(struct stack_pool *pool)
{
    size_t left = TRIM_BATCH;

    while (pool->warm_count > WARM_MOST && left > 0) {
        char *low;

        if (!cold_reserve(pool))
            return false;
        low = anyc__stack_acquire(pool);
        (void)madvise(low, pool->size - pool->guard, MADV_DONTNEED);
        pool->cold[pool->cold_count++] = low;
        left--;
    }
    return pool->warm_count > WARM_MOST;
}

bool anyc__stack_trim(struct stack_pool *pools)
{
    struct stack_pool *pool;
    bool more = false;

    for (pool = pools; pool != NULL; pool = pool->next)
        more |= pool_trim(pool);
    return more;
}

char *anyc__stack_start(const struct stack_pool *pool, char *low)
{
    size_t step = ((uintptr_t)low / pool->size) % STAGGER_STEPS;

    return anyc__stack_top(pool, low) - sizeof(char *) - step * STAGGER_BYTES;
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
