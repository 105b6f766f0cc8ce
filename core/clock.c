/* SPDX-License-Identifier: MIT */
/*
 * clock.c - the clock of a run, and its deadlines. The one place where seconds become nanoseconds.
 */
#include <math.h>

#include "core/loop.h"

#define NS 1000000000.0

int64_t anyc__ns_from_seconds(double seconds)
{
    double ns = seconds * NS;

    if (ns >= 9.2e18)
        return ANYC__NO_DEADLINE;
    if (ns <= -9.2e18)
        return INT64_MIN + 1; /* the past; INT64_MIN means cancelled */
    return (int64_t)ceil(ns);
}

double anyc__seconds_from_ns(int64_t ns)
{
    if (ns == ANYC__NO_DEADLINE)
        return INFINITY;
    if (ns <= INT64_MIN + 1)
        return -INFINITY;
    return (double)ns / NS;
}

int64_t anyc__now(anyc_loop *loop)
{
    loop->now_ns = loop->virtual_ns >= 0 ? loop->virtual_ns : loop->backend->current_time(loop);
    return loop->now_ns;
}

int64_t anyc__deadline_after(anyc_loop *loop, double delay)
{
    int64_t delay_ns = anyc__ns_from_seconds(delay);
    int64_t deadline_ns;

    if (delay_ns == ANYC__NO_DEADLINE ||
        __builtin_add_overflow(anyc__now(loop), delay_ns, &deadline_ns))
        return delay_ns > 0 ? ANYC__NO_DEADLINE : INT64_MIN + 1;
    return deadline_ns;
}

void anyc__expire(anyc_loop *loop)
{
    anyc_timer *timer;

    while ((timer = anyc__timer_expire(&loop->timers, loop->now_ns)) != NULL)
        timer->expired(timer);
}

void anyc__deadline_add(anyc_loop *loop, anyc_timer *timer)
{
    anyc__timer_add(&loop->timers, timer);
    if (!loop->in_turn)
        loop->backend->task_ready(loop); /* the turn arms the native timer */
}
