/* SPDX-License-Identifier: MIT */
/*
 * instrument.h - hear what the scheduler does, for tracing and statistics.
 */
#ifndef ANYC_INSTRUMENT_H
#define ANYC_INSTRUMENT_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What an instrument hears. Any slot may be NULL. Each is called on the loop's thread, possibly
 * on the small stack of a task, and may not call anything of anyc but to read the task's id. */
typedef struct anyc_instrument {
    void (*task_spawned)(uint64_t id, const char *name, void *arg);
    void (*task_ready)(uint64_t id, void *arg);
    void (*before_step)(uint64_t id, void *arg); /* the task is about to run */
    void (*after_step)(uint64_t id, void *arg);  /* it waits, has ended or was put back */
    void (*task_exited)(uint64_t id, int rc, void *arg);
    void (*before_poll)(double timeout, void *arg); /* seconds; INFINITY: until an event */
    void (*after_poll)(void *arg);
} anyc_instrument;

/**
 * Add an instrument to the running loop. With none, the hooks cost one test.
 *
 * @param instrument  borrowed until it is removed or the run ends
 * @param arg         handed to each slot
 *
 * Returns: 0, ANYC_ENOLOOP outside a run, or ANYC_ENOMEM.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the loop's thread, not from an instrument.
 * AnyIO:   no counterpart (trio: lowlevel.add_instrument).
 */
ANYC_API int anyc_add_instrument(const anyc_instrument *instrument, void *arg);

/**
 * Remove an instrument.
 *
 * @param instrument  added before
 *
 * Returns: 0, ANYC_ENOLOOP, or ANYC_ENOTFOUND.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the loop's thread, not from an instrument.
 * AnyIO:   no counterpart (trio: lowlevel.remove_instrument).
 */
ANYC_API int anyc_remove_instrument(const anyc_instrument *instrument);

#ifdef __cplusplus
}
#endif

#endif
