/* SPDX-License-Identifier: MIT */
/*
 * portal_thread.c - a portal with a loop in a thread of its own. AnyIO: start_blocking_portal.
 */
#include "threads/portal.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"
#include "threads/os_thread.h"
#include "threads/parker.h"

#include <stdio.h>

/* On the stack of the thread that starts the portal, until `answered` is posted. */
struct portal_start {
    struct portal *portal;
    const char *name; /* of the thread, or NULL */
    anyc_run_options run;
    int rc;
    struct task_failure *failure;
    struct parker answered;
};

static void portal_start_answer(struct portal_start *start, int rc)
{
    start->rc = rc;
    start->failure = rc < 0 ? anyc__failure_take(rc) : NULL;
    anyc__unpark(&start->answered);
}

static void portal_name_thread(const char *name)
{
    char text[64];

    (void)snprintf(text, sizeof text, "%s-portal-%llu", anyc_current_backend(),
                   (unsigned long long)anyc__loop->run_id);
    anyc__thread_set_name(name != NULL ? name : text);
}

/* The main task. A failure before the answer is answered by who made the run. */
static int portal_main(void *arg)
{
    struct portal_start *start = arg;
    struct portal *portal = start->portal;
    int rc = anyc__portal_open(portal);

    if (rc < 0)
        return rc;
    portal_name_thread(start->name);
    portal_start_answer(start, 0);
    rc = anyc_blocking_portal_sleep_until_stopped(
        &portal->handle); /* or until what remains is cancelled */
    return anyc__portal_leave(portal, rc, false);
}

static void *portal_thread_main(void *arg)
{
    struct portal_start *start = arg;
    struct portal *portal = start->portal;
    int rc;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL); /* valid: cannot fail */
    rc = anyc_run_with(portal_main, start, &start->run);
    if (portal->token == NULL) /* it was not opened, so nobody has answered */
        portal_start_answer(start, rc);
    else if (rc < 0)
        anyc__log(rc, "the loop of a blocking portal: %s", anyc_last_error()->message);
    return NULL;
}

/* Starts the thread and waits for its answer. On failure no thread is left. */
static int portal_start_thread(struct portal_start *start)
{
    int rc;

    anyc__parker_init(&start->answered);
    rc = anyc__thread_create(&start->portal->thread, portal_thread_main, start);
    if (rc < 0) {
        rc = anyc__fail_errno(-rc, "starting the thread of a blocking portal");
    } else {
        anyc__park(&start->answered);
        rc = start->rc;
        if (rc < 0) {
            pthread_join(start->portal->thread, NULL);
            (void)anyc__fail_as(start->failure, rc);
            anyc__failure_free(start->failure);
        }
    }
    anyc__parker_deinit(&start->answered);
    return rc;
}

int anyc_start_blocking_portal(const char *backend,
                               const anyc_start_blocking_portal_options *options,
                               anyc_blocking_portal **out_portal)
{
    struct portal_start start = {.portal = anyc__portal_create()};
    int rc;

    if (start.portal == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    start.portal->has_thread = true;
    if (options != NULL) {
        start.name = options->name;
        start.run = options->run;
    }
    start.run.backend = backend;
    rc = portal_start_thread(&start);
    if (rc < 0)
        anyc__portal_unref(start.portal);
    else
        *out_portal = &start.portal->handle;
    return rc;
}

int anyc__portal_join(struct portal *portal, bool cancel_remaining)
{
    if (anyc__run_token_is_here(portal->token))
        return anyc__fail(ANYC_ESTATE, 0, "a blocking portal cannot be left in its own thread");
    (void)anyc_blocking_portal_stop(&portal->handle, cancel_remaining); /* answers 0 */
    if (!anyc__run_token_forked(portal->token)) /* a child of fork does not have the thread */
        pthread_join(portal->thread, NULL);
    portal->closed = true;
    return 0;
}
