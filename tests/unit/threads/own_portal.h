/* SPDX-License-Identifier: MIT */
/*
 * own_portal.h - a portal with a loop of its own, on the backend of the test, and what a thread
 * wants of such a loop.
 */
#ifndef ANYC_TESTS_UNIT_THREADS_OWN_PORTAL_H
#define ANYC_TESTS_UNIT_THREADS_OWN_PORTAL_H

#include "support/tasks.h"

#include <anyc/event.h>
#include <anyc/portal.h>

static inline anyc_blocking_portal *own_portal_start(void)
{
    anyc_blocking_portal *portal = NULL;

    ck_assert_ok(anyc_start_blocking_portal(anyc_testing_backend(), NULL, &portal));
    return portal;
}

static inline int own_portal_settle_task(void *arg)
{
    (void)arg;
    return anyc_wait_all_tasks_blocked();
}

/* Wait until all tasks of the portal wait for something. */
static inline void own_portal_settle(anyc_blocking_portal *portal)
{
    ck_assert_ok(anyc_blocking_portal_call(portal, own_portal_settle_task, NULL, NULL));
}

static inline int own_portal_set_task(void *arg)
{
    anyc_event_set(arg);
    return 0;
}

static inline void own_portal_set(anyc_blocking_portal *portal, anyc_event *event)
{
    ck_assert_ok(anyc_blocking_portal_call(portal, own_portal_set_task, event, NULL));
}

static inline int own_portal_wait_task(void *arg)
{
    return anyc_event_wait(arg);
}

static inline void own_portal_wait(anyc_blocking_portal *portal, anyc_event *event)
{
    ck_assert_ok(anyc_blocking_portal_call(portal, own_portal_wait_task, event, NULL));
}

#endif
