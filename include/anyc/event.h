/* SPDX-License-Identifier: MIT */
/*
 * event.h - a flag that tasks wait for: set once, never cleared.
 *
 *     anyc_event ready = ANYC_EVENT_INIT;
 *
 *     anyc_event_set(&ready);         // in one task: wakes everybody who waits
 *     rc = anyc_event_wait(&ready);   // in others
 *
 * An event is all zero at first, needs no end, and may be made before a loop runs. Whoever was
 * woken by it does not touch it again, so a waiter may own its memory.
 */
#ifndef ANYC_EVENT_H
#define ANYC_EVENT_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A flag that is set once. All fields are private; initialise with ANYC_EVENT_INIT. */
typedef struct anyc_event {
    anyc_list waiters; /* empty once set */
    bool set;
} anyc_event;

#define ANYC_EVENT_INIT ANYC_ZERO_INIT(set)

/** What can be known of an event. */
typedef struct anyc_event_stats {
    size_t tasks_waiting;
} anyc_event_stats;

/**
 * Set the flag and wake every waiter, in the order in which they came. Repeating it does nothing.
 *
 * @param event  the event
 *
 * Owns:    nothing; allocates nothing.
 * Cancel:  never suspends; the waiters run later.
 * Threads: the waiters' loop only (any task, or a callback of the loop); anywhere while nobody
 *          waits.
 * AnyIO:   Event.set.
 */
ANYC_API void anyc_event_set(anyc_event *event);

/**
 * Is the flag set?
 *
 * @param event  the event
 *
 * Returns: true once it was set.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the waiters' loop only.
 * AnyIO:   Event.is_set.
 */
ANYC_API bool anyc_event_is_set(const anyc_event *event);

/**
 * Wait until the flag is set.
 *
 * @param event  the event; borrowed until the flag is set or the wait is cancelled
 *
 * Returns: 0, or
 *   ANYC_ECANCELLED the enclosing scope was cancelled (also if the flag is set already)
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    nothing.
 * Cancel:  checkpoint.
 * Threads: tasks of one loop.
 * AnyIO:   Event.wait.
 */
ANYC_API int anyc_event_wait(anyc_event *event);

/**
 * How many tasks wait. Takes time in proportion to them.
 *
 * @param event      the event
 * @param out_stats  filled in
 *
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the waiters' loop only.
 * AnyIO:   Event.statistics.
 */
ANYC_API void anyc_event_statistics(const anyc_event *event, anyc_event_stats *out_stats);

#ifdef __cplusplus
}
#endif

#endif
