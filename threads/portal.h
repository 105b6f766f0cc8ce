/* SPDX-License-Identifier: MIT */
/*
 * portal.h - blocking portals, for the files that make them: portal.c (the portal, and calls),
 * portal_task.c (tasks with futures), portal_context.c, portal_thread.c (a loop in its own thread).
 */
#ifndef ANYC_THREADS_PORTAL_H
#define ANYC_THREADS_PORTAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <anyc/event.h>
#include <anyc/portal.h>

#include "threads/run_token.h"

struct portal {
    anyc_blocking_portal handle; /* what the program has */
    atomic_size_t refs; /* the owner's, and one for each call that is on its way to the loop */
    anyc_token *token;  /* of its run; one reference */
    atomic_bool open;   /* takes calls; changed by the loop */

    /* the loop's */
    anyc_task_group group;
    anyc_event stopped;

    /* the owner's */
    bool has_thread; /* the loop runs in `thread`, and the group is left there */
    pthread_t thread;
    bool closed; /* the group was left, or the thread was joined */
};

static inline struct portal *anyc__portal_of(anyc_blocking_portal *handle)
{
    return (struct portal *)(void *)handle; /* its first member */
}

/* A portal with one reference that is not open yet; NULL without memory. */
struct portal *anyc__portal_create(void);

void anyc__portal_ref(struct portal *portal);
void anyc__portal_unref(struct portal *portal);

/* Open it into the running loop: the running task is the host of its group. Answers 0 or
 * ANYC_ENOMEM. */
int anyc__portal_open(struct portal *portal);

/* Stop it, and leave its group: as anyc_task_group_exit. Answers ANYC_ESTATE to who may not. */
int anyc__portal_leave(struct portal *portal, int rc, bool cancel_remaining);

/* Before a call: 0, or ANYC_ESTATE if the portal takes none. From any thread. */
int anyc__portal_check(const struct portal *portal);

/* Start a task of the portal, if it still takes calls; it surely runs. On the loop's thread. */
int anyc__portal_start(struct portal *portal, const char *origin, anyc_task_fn fn, void *arg,
                       const char *name);

/* Stop the portal's thread, and wait for its end. Answers 0, or ANYC_ESTATE in that thread. */
int anyc__portal_join(struct portal *portal, bool cancel_remaining);

#endif
