/* SPDX-License-Identifier: MIT */
/*
 * parker_futex.c - parkers on Linux: futex(2).
 */
#include "threads/parker.h"

#include "core/tools.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

enum { PARKER_EMPTY, PARKER_POSTED, PARKER_ASLEEP };

void anyc__parker_init(struct parker *parker)
{
    atomic_init(&parker->state, PARKER_EMPTY);
}

void anyc__parker_deinit(struct parker *parker)
{
    (void)parker; /* holds nothing */
}

void anyc__unpark(struct parker *parker)
{
    anyc__tools_release(parker);
    if (atomic_exchange_explicit(&parker->state, PARKER_POSTED, memory_order_release) ==
        PARKER_ASLEEP)
        (void)syscall(SYS_futex, &parker->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Changes the state if it is `from`. */
static bool parker_move(struct parker *parker, unsigned from, unsigned to)
{
    return atomic_compare_exchange_strong_explicit(&parker->state, &from, to, memory_order_acquire,
                                                   memory_order_relaxed);
}

/* Sleeps while nobody posts; may return early. False: the time is over. */
static bool parker_sleep(struct parker *parker, const struct timespec *end)
{
    return syscall(SYS_futex, &parker->state, FUTEX_WAIT_BITSET_PRIVATE, PARKER_ASLEEP, end, NULL,
                   FUTEX_BITSET_MATCH_ANY) == 0 ||
           errno != ETIMEDOUT;
}

/* Waits for a post, until `end` if there is one. */
static bool parker_wait(struct parker *parker, const struct timespec *end)
{
    while (!parker_move(parker, PARKER_POSTED, PARKER_EMPTY)) {
        (void)parker_move(parker, PARKER_EMPTY, PARKER_ASLEEP);
        if (!parker_sleep(parker, end) && parker_move(parker, PARKER_ASLEEP, PARKER_EMPTY))
            return false;
    }
    anyc__tools_acquire(parker);
    return true;
}

void anyc__park(struct parker *parker)
{
    (void)parker_wait(parker, NULL); /* ends with a post only */
}

bool anyc__park_for(struct parker *parker, int64_t ns)
{
    struct timespec end;

    clock_gettime(CLOCK_MONOTONIC, &end);
    if (ns / NS_PER_S >= INT32_MAX) /* longer than anybody waits */
        return parker_wait(parker, NULL);
    end.tv_sec += (time_t)(ns / NS_PER_S);
    end.tv_nsec += (long)(ns % NS_PER_S);
    if (end.tv_nsec >= NS_PER_S) {
        end.tv_nsec -= NS_PER_S;
        end.tv_sec++;
    }
    return parker_wait(parker, &end);
}
