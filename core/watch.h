/* SPDX-License-Identifier: MIT */
/*
 * watch.h - waiting for a descriptor: at most one watch for each descriptor of a loop, which
 * serves one reader and one writer at once.
 *
 * The interest in reading stays armed between two receives, and is given up only when it fires
 * with nobody waiting; so a busy connection costs no epoll_ctl.
 */
#ifndef ANYC_CORE_WATCH_H
#define ANYC_CORE_WATCH_H

#include <anyc/backend.h>

/* Register a descriptor. ANYC_EBUSY if the loop watches it already, ANYC_ENOMEM or -errno. */
int anyc__watch_open(anyc_loop *loop, int fd, anyc_watch **out_watch);

/* Wait until the descriptor is ready for `event` (one of ANYC_READABLE, ANYC_WRITABLE). It may
 * turn out not to be: try, and wait again. 0, ANYC_EBUSY if another task waits for the same,
 * ANYC_ECANCELLED, ANYC_ECLOSED, or -errno. */
int anyc__watch_wait(anyc_watch *watch, unsigned event);

/* The same for one or both events; *out_ready: those of them that came. */
int anyc__watch_wait_any(anyc_watch *watch, unsigned events, unsigned *out_ready);

/* Is another task waiting for this event? */
static inline bool anyc__watch_busy(const anyc_watch *watch, unsigned event)
{
    return watch->waiter[event == ANYC_WRITABLE] != NULL;
}

/* Instead of a task that waits: call->fn is called when the descriptor is readable, in no task, again
 * and again until the watch is closed, which may be done from there. By itself that does not keep the
 * run from counting as deadlocked; who waits for what the call does counts as one of watch_waits. */
struct watch_call {
    void (*fn)(struct watch_call *call);
};

/* Begin with that; the call lies with the caller until the watch is closed. 0 or -errno. */
int anyc__watch_call(anyc_watch *watch, struct watch_call *call);

/* End the registration; whoever waits gets `rc`, ANYC_ECLOSED if he had been woken but did not run
 * yet. The descriptor is the caller's again, the watch is gone; its memory outlives the waiters. */
void anyc__watch_close(anyc_watch *watch, int rc);

/* When the run ends: close those that the program has never closed. They stay for their owners, who
 * get ANYC_ECLOSED for all that they call, until they close them. */
void anyc__watches_end(anyc_loop *loop);

/* The loop's watch of a descriptor, or NULL. */
anyc_watch *anyc__watch_find(const anyc_loop *loop, int fd);

/* For one wait on a descriptor that may or may not be watched: use its watch, or open one that
 * goes with its last user. Give it back with anyc__watch_return, also if it was closed meanwhile.
 * Errors as anyc__watch_open. */
int anyc__watch_borrow(anyc_loop *loop, int fd, anyc_watch **out_watch);
void anyc__watch_return(anyc_watch *watch);

#endif
