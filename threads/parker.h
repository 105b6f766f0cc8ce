/* SPDX-License-Identifier: MIT */
/*
 * parker.h - how one thread waits for another: until that has posted, once for each time. It takes
 * one system call on each side, and none when the other one was faster.
 *
 * A thread that wakes from a condition variable leaves its lock with a system call in vain. A parker
 * may lie on the stack of the thread that waits: who posts does not touch it afterwards. A wait is no
 * cancellation point of pthread_cancel().
 */
#ifndef ANYC_THREADS_PARKER_H
#define ANYC_THREADS_PARKER_H

#include <semaphore.h>
#include <stdatomic.h>

#include <anyc/base.h>

struct parker {
    union { /* which of them: parker_futex.c, parker_sem.c */
        atomic_uint state;
        sem_t sem;
    };
};

void anyc__parker_init(struct parker *parker);
void anyc__parker_deinit(struct parker *parker);

/* Let the thread go that waits, or will. All that the caller did happens before what follows the
 * wait. From any thread, once for each wait. */
void anyc__unpark(struct parker *parker);

/* Wait for the next post; one thread at a time. */
void anyc__park(struct parker *parker);

/* The same for so many nanoseconds at the most, INT64_MAX: for ever. False if nobody posted until
 * then. */
bool anyc__park_for(struct parker *parker, int64_t ns);

#endif
