/* SPDX-License-Identifier: MIT */
/*
 * portal_context.c - a pair of functions that one task of a portal runs for a thread, the second one
 * when the thread says so. AnyIO: BlockingPortal.wrap_async_context_manager.
 *
 * The task signals that it has started when the first function has returned, and then waits for the
 * thread. When it is cancelled meanwhile (by a group that the first function has opened, say) it
 * runs the second one at once.
 */
#include "threads/portal.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "threads/loop_call.h"
#include "threads/thread_future.h"

struct anyc_blocking_portal_context {
    anyc_task_fn enter_fn;
    anyc_context_exit_fn exit_fn;
    void *arg;
    anyc_thread_future *future; /* of the task; one reference */
    int entered;                /* what enter_fn returned */
    int block_rc;               /* the thread's; set before `leave` */
    bool early;                 /* exit_fn was called before the thread had left */
    anyc_event leave;           /* the loop's */
};

static int context_main(void *arg, anyc_task_status *status)
{
    anyc_blocking_portal_context *context = arg;
    int rc = context->enter_fn(context->arg);

    if (rc < 0)
        return rc;
    context->entered = rc;
    (void)anyc_task_status_started(status, NULL); /* the first signal: cannot fail */
    rc = anyc_event_wait(&context->leave);
    context->early = rc < 0;
    return context->exit_fn(context->arg, rc < 0 ? rc : context->block_rc);
}

int anyc_blocking_portal_wrap_context(anyc_blocking_portal *portal, anyc_task_fn enter_fn,
                                      anyc_context_exit_fn exit_fn, void *arg, int *out_result,
                                      anyc_blocking_portal_context **out_context)
{
    anyc_blocking_portal_context *context;
    int rc;

    if (enter_fn == NULL || exit_fn == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a context needs both of its functions");
    context = anyc__zalloc(sizeof *context);
    if (context == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    context->enter_fn = enter_fn;
    context->exit_fn = exit_fn;
    context->arg = arg;
    rc = anyc_blocking_portal_start_task(portal, context_main, context, NULL, NULL,
                                         &context->future);
    if (rc < 0) {
        anyc__free(context);
        return rc;
    }
    if (out_result != NULL)
        *out_result = context->entered;
    *out_context = context;
    return 0;
}

static int context_leave(void *arg)
{
    anyc_blocking_portal_context *context = arg;

    anyc_event_set(&context->leave);
    return 0;
}

int anyc_blocking_portal_context_exit(anyc_blocking_portal_context *context, int rc)
{
    anyc_thread_future *future = context->future;
    struct loop_call call;
    int posted;

    context->block_rc = rc;
    anyc__loop_call_init(&call, context_leave, context, anyc__loop_call_sync);
    posted = anyc__loop_call_post(&call, future->token);
    if (posted == ANYC_ESTATE)
        return posted;
    if (posted == 0)
        (void)anyc__loop_call_wait(&call); /* refused if the run is over, and then so is the task */
    anyc__thread_future_join(future);
    if (future->rc < 0)
        rc = anyc__fail_as(future->failure, future->rc);
    else if (!context->early)
        rc = future->rc;
    anyc_thread_future_unref(future);
    anyc__free(context);
    return rc;
}
