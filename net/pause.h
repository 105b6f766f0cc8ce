/* SPDX-License-Identifier: MIT */
/*
 * pause.h - growing pauses, for what the system refuses for now without a readiness to wait for: a
 * UNIX listener with a full backlog, an unconnected UNIX datagram socket with a full receiver. Both
 * answer EAGAIN while the own descriptor polls as writable.
 *
 *     struct growing_pause pause = {0};
 *
 *     rc = try();
 *     while (rc == -EAGAIN) {
 *         rc = anyc__growing_pause(&pause);
 *         if (rc == 0)
 *             rc = try();
 *     }
 */
#ifndef ANYC_NET_PAUSE_H
#define ANYC_NET_PAUSE_H

#include <anyc/loop.h>

#define ANYC__PAUSE_FIRST 0.001 /* seconds */
#define ANYC__PAUSE_LONGEST 0.1

struct growing_pause {
    double seconds; /* the last one; 0: there was none */
};

/* How long the next one is, in seconds: twice as long as the last one. */
static inline double anyc__growing_pause_next(struct growing_pause *pause)
{
    pause->seconds = pause->seconds > 0 ? 2 * pause->seconds : ANYC__PAUSE_FIRST;
    if (pause->seconds > ANYC__PAUSE_LONGEST)
        pause->seconds = ANYC__PAUSE_LONGEST;
    return pause->seconds;
}

/* Sleep as long. A checkpoint: answers 0 or ANYC_ECANCELLED. What is used after it must have been
 * held. */
static inline int anyc__growing_pause(struct growing_pause *pause)
{
    return anyc_sleep(anyc__growing_pause_next(pause));
}

#endif
