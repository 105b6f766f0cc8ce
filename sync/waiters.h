/* SPDX-License-Identifier: MIT */
/*
 * waiters.h - the queues that all primitives have in common.
 *
 * A queue is a ring of the nodes of tasks that wait, first come first. A node leaves it when its
 * task is woken or cancelled, in that same call; so whoever is found in a queue can be served.
 */
#ifndef ANYC_SYNC_WAITERS_H
#define ANYC_SYNC_WAITERS_H

#include "core/list.h"
#include "core/suspend.h"

/* Who came first, or NULL. */
static inline struct task_wait *anyc__waiters_first(const anyc_list *waiters)
{
    anyc_list *node = anyc__list_first(waiters);

    return node == NULL ? NULL : ANYC__CONTAINER(node, struct task_wait, link);
}

/* Let the running task wait at the end of a queue. As anyc__wait; `on` is the queue's object. */
ALWAYS_INLINE int anyc__waiters_join(anyc_list *waiters, const struct wait_type *type,
                                     const void *on)
{
    struct task_wait wait = {0};

    anyc__list_push(waiters, &wait.link);
    return anyc__wait_inlined(&wait, type, on);
}

/* Wake all, in order. */
static inline void anyc__waiters_wake(const anyc_list *waiters, int rc)
{
    struct task_wait *wait = anyc__waiters_first(waiters);

    while (wait != NULL) {
        anyc__wake(wait, rc);
        wait = anyc__waiters_first(waiters);
    }
}

/* Counted on demand: a counter would burden every wait for the sake of statistics. */
static inline size_t anyc__waiters_count(const anyc_list *waiters)
{
    const anyc_list *node = anyc__list_first(waiters);
    size_t count = 0;

    while (node != NULL) {
        count++;
        node = anyc__list_after(waiters, node);
    }
    return count;
}

#endif
