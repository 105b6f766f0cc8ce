/* SPDX-License-Identifier: MIT */
/*
 * loop_call.c - a call from another thread into a loop.
 */
#include "threads/loop_call.h"

#include "core/error.h"
#include "core/fork.h"
#include "core/loop.h"
#include "threads/job_token.h"
#include "threads/worker.h"

void anyc__loop_call_init(struct loop_call *call, anyc_task_fn fn, void *arg,
                          void (*receive)(struct post *post))
{
    *call = (struct loop_call){.post.fn = receive, .fn = fn, .arg = arg};
    anyc__parker_init(&call->answered);
}

int anyc__loop_call_post(struct loop_call *call, anyc_token *token)
{
    const struct worker *worker = anyc__worker_current();
    anyc_loop *loop = NULL;
    int rc = 0;

    if (anyc__run_token_is_here(token))
        rc = anyc__fail(ANYC_ESTATE, 0, "a thread cannot wait for a call into its own loop");
    else if (anyc__run_token_forked(token))
        rc = anyc__fail_forked();
    else
        loop = anyc__run_token_enter(token);
    if (loop == NULL) {
        anyc__parker_deinit(&call->answered);
        return rc < 0 ? rc : anyc__fail_plain(ANYC_ERUNFINISHED);
    }
    if (worker != NULL && worker->token == token)
        call->job = worker->running;
    anyc__post(loop, &call->post);
    anyc__run_token_leave(token);
    return 0;
}

int anyc__loop_call_wait(struct loop_call *call)
{
    anyc__park(&call->answered);
    anyc__parker_deinit(&call->answered);
    if (call->rc < 0) {
        (void)anyc__fail_as(call->failure, call->rc);
        anyc__failure_free(call->failure);
    }
    return call->rc;
}

struct loop_call *anyc__loop_call_of(struct post *post)
{
    return ANYC__CONTAINER(post, struct loop_call, post);
}

void anyc__loop_call_sync(struct post *post)
{
    struct loop_call *call = anyc__loop_call_of(post);
    int rc;

    if (anyc__loop->main_task == NULL)
        rc = anyc__fail_plain(ANYC_ERUNFINISHED);
    else
        rc = call->fn(call->arg);
    anyc__loop_call_answer(call, rc);
}

int anyc__loop_call_run(void *arg)
{
    struct loop_call *call = arg;
    struct job_service service;
    int rc;

    if (call->job == NULL) {
        rc = call->fn(call->arg);
    } else {
        anyc__job_service_begin(&service, call->job);
        rc = call->fn(call->arg);
        anyc__job_service_end(&service);
    }
    anyc__loop_call_answer(call, rc);
    return 0;
}

void anyc__loop_call_answer(struct loop_call *call, int rc)
{
    call->rc = rc;
    call->failure = rc < 0 ? anyc__failure_take(rc) : NULL;
    anyc__unpark(&call->answered);
}
