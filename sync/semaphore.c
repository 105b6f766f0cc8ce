/* SPDX-License-Identifier: MIT */
/*
 * semaphore.c - a counter of free slots. AnyIO: anyio.Semaphore.
 *
 * A release gives its slot to the first waiter without raising the value. Invariants: value > 0
 * implies that the queue is empty; max_value == 0 or value <= max_value.
 */
#include <anyc/semaphore.h>

#include "core/error.h"
#include "sync/waiters.h"

static const struct wait_type semaphore_wait = {.what = "semaphore"};

int anyc_semaphore_init(anyc_semaphore *semaphore, size_t initial_value,
                        const anyc_semaphore_options *options)
{
    const anyc_semaphore_options defaults = {0};

    if (options == NULL)
        options = &defaults;
    if (options->max_value != 0 && options->max_value < initial_value)
        return anyc__fail(ANYC_EINVAL, 0,
                          "semaphore: the maximum %zu is below the initial value "
                          "%zu",
                          options->max_value, initial_value);
    *semaphore = (anyc_semaphore){
        .value = initial_value,
        .max_value = options->max_value,
        .fast_acquire = options->fast_acquire,
    };
    return 0;
}

/* What is not done at once; has the checkpoint been passed? */
static NEVER_INLINE int semaphore_acquire_slowly(anyc_semaphore *semaphore, bool entered)
{
    anyc_task *task = anyc__task();
    int rc = entered ? 0 : anyc__enter_slowly(&task);

    if (rc < 0)
        return rc;
    if (semaphore->value == 0)
        return anyc__waiters_join(&semaphore->waiters, &semaphore_wait, semaphore);
    semaphore->value--;
    if (!semaphore->fast_acquire)
        anyc__yield_inlined(task);
    return 0;
}

int anyc_semaphore_acquire(anyc_semaphore *semaphore)
{
    anyc_task *task;
    bool entered = anyc__enter_at_once(&task);

    if (UNLIKELY(!entered || semaphore->value == 0 || !semaphore->fast_acquire))
        return semaphore_acquire_slowly(semaphore, entered);
    semaphore->value--;
    return 0;
}

int anyc_semaphore_acquire_nowait(anyc_semaphore *semaphore)
{
    if (semaphore->value == 0)
        return anyc__fail_plain(ANYC_EWOULDBLOCK);
    semaphore->value--;
    return 0;
}

int anyc_semaphore_release(anyc_semaphore *semaphore)
{
    size_t max_value = semaphore->max_value != 0 ? semaphore->max_value : SIZE_MAX;
    struct task_wait *next = anyc__waiters_first(&semaphore->waiters);

    if (next != NULL) {
        anyc__wake(next, 0);
        return 0;
    }
    if (semaphore->value >= max_value)
        return anyc__fail(ANYC_EINVAL, 0,
                          "semaphore: released more often than acquired, all %zu "
                          "slots are free",
                          max_value);
    semaphore->value++;
    return 0;
}

size_t anyc_semaphore_value(const anyc_semaphore *semaphore)
{
    return semaphore->value;
}

size_t anyc_semaphore_max_value(const anyc_semaphore *semaphore)
{
    return semaphore->max_value;
}

void anyc_semaphore_statistics(const anyc_semaphore *semaphore, anyc_semaphore_stats *out_stats)
{
    out_stats->tasks_waiting = anyc__waiters_count(&semaphore->waiters);
}
