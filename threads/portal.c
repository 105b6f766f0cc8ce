/* SPDX-License-Identifier: MIT */
/*
 * portal.c - blocking portals: calls from threads into a loop. AnyIO: anyio.from_thread's
 * BlockingPortal.
 *
 * The door (`open`) is closed once, by the loop. A call looks at it twice: in its thread, and when
 * it has come to the loop; whoever is refused there is answered as well. Until then the call holds
 * a reference, so that the owner may free the portal meanwhile.
 */
#include "threads/portal.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/fork.h"
#include "core/loop.h"
#include "core/tools.h"
#include "threads/loop_call.h"
#include "threads/worker_pool.h"

static int portal_refuse(void)
{
    return anyc__fail(ANYC_ESTATE, 0, "the blocking portal is not running");
}

/* -- its life -- */

static struct portal *portal_of_resource(anyc_resource *resource)
{
    return (struct portal *)(void *)resource; /* its first member's first member */
}

static int portal_close(anyc_resource *resource, bool forcefully)
{
    struct portal *portal = portal_of_resource(resource);

    if (portal->closed)
        return 0;
    if (portal->has_thread)
        return anyc__portal_join(portal, forcefully);
    return anyc__portal_leave(portal, 0, forcefully);
}

/* One that could not be closed, because it was the wrong task or thread that tried, stays. */
static void portal_destroy(anyc_resource *resource)
{
    struct portal *portal = portal_of_resource(resource);

    if (portal->closed)
        anyc__portal_unref(portal);
}

static const anyc_resource_ops portal_ops = {
    .type = "blocking portal",
    .close = portal_close,
    .destroy = portal_destroy,
    .extra = anyc_no_attributes,
};

struct portal *anyc__portal_create(void)
{
    struct portal *portal = anyc__zalloc(sizeof *portal);

    if (portal == NULL)
        return NULL;
    portal->handle.resource.ops = &portal_ops;
    atomic_init(&portal->refs, 1);
    return portal;
}

void anyc__portal_ref(struct portal *portal)
{
    atomic_fetch_add_explicit(&portal->refs, 1, memory_order_relaxed);
}

void anyc__portal_unref(struct portal *portal)
{
    anyc__tools_release(portal);
    if (atomic_fetch_sub_explicit(&portal->refs, 1, memory_order_acq_rel) > 1)
        return;
    anyc__tools_acquire(portal);
    if (portal->token != NULL)
        anyc__run_token_unref(portal->token);
    anyc__free(portal);
}

int anyc__portal_open(struct portal *portal)
{
    anyc_token *token = anyc__worker_token(anyc__loop);
    int rc;

    if (token == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = anyc_task_group_enter(&portal->group);
    if (rc < 0)
        return rc;
    anyc__run_token_ref(token);
    portal->token = token;
    anyc__loop_open_door(anyc__loop);
    atomic_store(&portal->open, true);
    return 0;
}

static void portal_stop_here(struct portal *portal, bool cancel_remaining)
{
    if (atomic_exchange(&portal->open, false)) {
        anyc_event_set(&portal->stopped);
        anyc__loop_close_door(anyc__loop);
    }
    if (cancel_remaining)
        anyc_task_group_cancel(&portal->group, "the blocking portal is shutting down");
}

int anyc__portal_leave(struct portal *portal, int rc, bool cancel_remaining)
{
    const anyc_task *task = anyc__task();

    if (task == NULL || task != portal->group.host || task->scope != &portal->group.scope)
        return anyc__fail(ANYC_ESTATE, 0,
                          "the blocking portal is not the innermost scope of this task");
    portal_stop_here(portal, cancel_remaining);
    rc = anyc_task_group_exit(&portal->group, rc);
    if (!portal->has_thread)
        portal->closed = true;
    return rc;
}

/* -- calls -- */

struct portal_call {
    struct loop_call call;
    struct portal *portal; /* one reference, until the loop has the call */
    const char *origin;
};

int anyc__portal_check(const struct portal *portal)
{
    if (!atomic_load(&portal->open))
        return portal_refuse();
    if (anyc__run_token_forked(portal->token))
        return anyc__fail_forked();
    if (anyc__run_token_is_here(portal->token))
        return anyc__fail(ANYC_ESTATE, 0,
                          "a blocking portal cannot be used in the thread of its own loop");
    return 0;
}

int anyc__portal_start(struct portal *portal, const char *origin, anyc_task_fn fn, void *arg,
                       const char *name)
{
    if (!atomic_load(&portal->open))
        return portal_refuse();
    return anyc__group_start_certain(origin, &portal->group, fn, arg, 0, name);
}

static void portal_call_received(struct post *post)
{
    struct loop_call *call = anyc__loop_call_of(post);
    const struct portal_call *portal_call = ANYC__CONTAINER(call, struct portal_call, call);
    struct portal *portal = portal_call->portal;
    int rc = anyc__portal_start(portal, portal_call->origin, anyc__loop_call_run, call, NULL);

    if (rc < 0)
        anyc__loop_call_answer(call, rc);
    anyc__portal_unref(portal);
}

static int portal_call_make(struct portal_call *call)
{
    struct portal *portal = call->portal;
    int rc;

    anyc__portal_ref(portal);
    rc = anyc__loop_call_post(&call->call, portal->token);
    if (rc == 0)
        return anyc__loop_call_wait(&call->call);
    anyc__portal_unref(portal);
    return rc == ANYC_ERUNFINISHED ? portal_refuse() : rc;
}

/* -- public -- */

int anyc_blocking_portal_enter(anyc_blocking_portal **out_portal)
{
    struct portal *portal;
    int rc;

    if (anyc__task() == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    portal = anyc__portal_create();
    if (portal == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = anyc__portal_open(portal);
    if (rc < 0)
        anyc__portal_unref(portal);
    else
        *out_portal = &portal->handle;
    return rc;
}

int anyc_blocking_portal_exit(anyc_blocking_portal *portal, int rc)
{
    struct portal *self = anyc__portal_of(portal);
    int joined;

    if (self->closed)
        return rc;
    if (!self->has_thread)
        return anyc__portal_leave(self, rc, false); /* a failure cancels the group by itself */
    joined = anyc__portal_join(self, rc < 0);
    return joined < 0 ? joined : rc;
}

int anyc_blocking_portal_call_from(const char *origin, anyc_blocking_portal *portal,
                                   anyc_task_fn fn, void *arg, int *out_result)
{
    struct portal_call call = {.portal = anyc__portal_of(portal), .origin = origin};
    int rc;

    if (fn == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "blocking portal: no function");
    rc = anyc__portal_check(call.portal);
    if (rc < 0)
        return rc;
    anyc__loop_call_init(&call.call, fn, arg, portal_call_received);
    rc = portal_call_make(&call);
    if (rc < 0)
        return rc;
    if (out_result != NULL)
        *out_result = rc;
    return 0;
}

int(anyc_blocking_portal_call)(anyc_blocking_portal *portal, anyc_task_fn fn, void *arg,
                               int *out_result)
{
    return anyc_blocking_portal_call_from(NULL, portal, fn, arg, out_result);
}

struct portal_stop {
    struct portal *portal;
    bool cancel_remaining;
};

static int portal_stop_received(void *arg)
{
    const struct portal_stop *stop = arg;

    portal_stop_here(stop->portal, stop->cancel_remaining);
    return 0;
}

int anyc_blocking_portal_stop(anyc_blocking_portal *portal, bool cancel_remaining)
{
    struct portal *self = anyc__portal_of(portal);
    struct portal_stop stop = {self, cancel_remaining};
    struct loop_call call;

    if (anyc__run_token_is_here(self->token)) {
        portal_stop_here(self, cancel_remaining);
        return 0;
    }
    anyc__loop_call_init(&call, portal_stop_received, &stop, anyc__loop_call_sync);
    if (anyc__loop_call_post(&call, self->token) == 0)
        (void)anyc__loop_call_wait(&call); /* refused only if the run is over: nothing to stop */
    return 0;
}

int anyc_blocking_portal_sleep_until_stopped(anyc_blocking_portal *portal)
{
    struct portal *self = anyc__portal_of(portal);
    int rc;

    anyc__portal_ref(self);
    rc = anyc_event_wait(&self->stopped);
    anyc__portal_unref(self);
    return rc;
}
