/* SPDX-License-Identifier: MIT */
/*
 * timer.h - the timers of a loop, one for each task.
 *
 * A hierarchical wheel with exact deadlines. A timer sits at the level of the highest 6-bit digit
 * in which its deadline differs from `now_ns`, in the slot of its own digit there. Adding and
 * removing are O(1) and allocate nothing; a timer moves inward at most once per level. Timers
 * with equal deadlines expire in the order in which they were added.
 */
#ifndef ANYC_CORE_TIMER_H
#define ANYC_CORE_TIMER_H

#include <anyc/base.h>

#define ANYC__TIMER_LEVELS 11
#define ANYC__TIMER_SLOTS 64
#define ANYC__NO_DEADLINE INT64_MAX

/* In the wheel, or not armed: all zero but for the deadline. */
struct timer {
    anyc_list link;
    int64_t deadline_ns;
};

/* Invariants: bit s of occupied[l] is set iff slots[l][s] is a non-empty ring; bit l of levels is
 * set iff occupied[l] != 0; every deadline in the wheel is >= now_ns, or sits in the slot of now_ns. */
struct timer_wheel {
    int64_t now_ns;
    size_t count;
    uint32_t levels;
    uint64_t occupied[ANYC__TIMER_LEVELS];
    anyc_list slots[ANYC__TIMER_LEVELS][ANYC__TIMER_SLOTS];
};

/* `wheel` is all zero but for now_ns, the clock's first reading (>= 0). timer->deadline_ns is set. */
void anyc__timer_add(struct timer_wheel *wheel, struct timer *timer);

/* Does nothing for a timer that is not armed. */
void anyc__timer_remove(struct timer_wheel *wheel, struct timer *timer);

static inline bool anyc__timer_armed(const struct timer *timer)
{
    return timer->link.next != NULL;
}

/* Take out and return the earliest timer with a deadline <= now_ns, or NULL. */
struct timer *anyc__timer_expire(struct timer_wheel *wheel, int64_t now_ns);

/* A moment at which to look again, never later than the earliest deadline; it is exact when that
 * deadline is near or alone. ANYC__NO_DEADLINE when there is none. */
int64_t anyc__timer_next(const struct timer_wheel *wheel);

#endif
