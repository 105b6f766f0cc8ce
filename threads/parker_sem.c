/* SPDX-License-Identifier: MIT */
/*
 * parker_sem.c - parkers where there is no futex(2): POSIX semaphores.
 *
 * They know the time of day only. When that is set forward, a wait looks at the monotonic clock and
 * goes on; when it is set back, the wait is late by as much.
 */
#include "threads/parker.h"

#include "core/tools.h"

#include <pthread.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

void anyc__parker_init(struct parker *parker)
{
    sem_init(&parker->sem, 0, 0); /* cannot fail with such a value */
}

void anyc__parker_deinit(struct parker *parker)
{
    sem_destroy(&parker->sem);
}

void anyc__unpark(struct parker *parker)
{
    anyc__tools_release(parker);
    sem_post(&parker->sem);
}

/* The waits are cancellation points of pthread_cancel(), but who will post must find the parker. */
static int parker_hold_cancel(void)
{
    int before = PTHREAD_CANCEL_ENABLE;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

void anyc__park(struct parker *parker)
{
    int cancel_state = parker_hold_cancel();

    while (sem_wait(&parker->sem) != 0)
        continue; /* interrupted by a signal */
    (void)pthread_setcancelstate(cancel_state, NULL);
    anyc__tools_acquire(parker);
}

static int64_t parker_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static struct timespec parker_day_in(int64_t ns)
{
    struct timespec end;

    if (ns / NS_PER_S >= INT32_MAX) /* longer than anybody waits */
        ns = INT32_MAX * NS_PER_S;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += (time_t)(ns / NS_PER_S);
    end.tv_nsec += (long)(ns % NS_PER_S);
    if (end.tv_nsec >= NS_PER_S) {
        end.tv_nsec -= NS_PER_S;
        end.tv_sec++;
    }
    return end;
}

bool anyc__park_for(struct parker *parker, int64_t ns)
{
    int64_t begin_ns = parker_now();
    int64_t passed_ns = 0;
    int cancel_state = parker_hold_cancel();
    int rc = sem_trywait(&parker->sem);

    while (rc != 0 && passed_ns < ns) {
        struct timespec end = parker_day_in(ns - passed_ns);

        rc = sem_timedwait(&parker->sem, &end);
        passed_ns = parker_now() - begin_ns;
    }
    (void)pthread_setcancelstate(cancel_state, NULL);
    if (rc == 0)
        anyc__tools_acquire(parker);
    return rc == 0;
}
