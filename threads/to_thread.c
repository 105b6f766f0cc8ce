/* SPDX-License-Identifier: MIT */
/*
 * to_thread.c - functions of the user in worker threads. AnyIO: anyio.to_thread.
 *
 * A call that waits for its function in any case lives on the task's stack; one that may be
 * abandoned is allocated, since the thread goes on using it.
 */
#include <anyc/thread.h>

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/task.h"
#include "threads/worker_pool.h"

struct thread_call {
    struct worker_job job;
    anyc_thread_fn fn;
    void *arg;
};

static struct thread_call *thread_call_of(struct worker_job *job)
{
    return ANYC__CONTAINER(job, struct thread_call, job);
}

static int thread_call_fn(struct worker_job *job)
{
    struct thread_call *call = thread_call_of(job);

    return call->fn(call->arg);
}

static void thread_call_dispose(struct worker_job *job)
{
    anyc__free(thread_call_of(job));
}

static int thread_call_shielded(anyc_task *task, const struct thread_call *model, int *out_result)
{
    struct thread_call call = *model;
    int rc = anyc__worker_run(task, &call.job);

    if (rc == 0)
        *out_result = call.job.result;
    return rc;
}

static int thread_call_abandonable(anyc_task *task, const struct thread_call *model,
                                   int *out_result)
{
    struct thread_call *call = anyc__alloc(sizeof *call);
    int rc;

    if (call == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    *call = *model;
    call->job.dispose = thread_call_dispose;
    rc = anyc__worker_run(task, &call->job);
    if (rc < 0)
        return rc;
    *out_result = call->job.result;
    anyc__free(call);
    return 0;
}

int anyc_to_thread_run_sync(anyc_thread_fn fn, void *arg,
                            const anyc_to_thread_run_sync_options *options, int *out_result)
{
    const anyc_to_thread_run_sync_options defaults = {0};
    struct thread_call model = {.fn = fn, .arg = arg};
    anyc_task *task;
    int result = 0;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    if (fn == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "to_thread: no function");
    if (options == NULL)
        options = &defaults;
    model.job = (struct worker_job){
        .fn = thread_call_fn, .kind = WORKER_CALLS, .limiter = options->limiter};
    rc = options->abandon_on_cancel ? thread_call_abandonable(task, &model, &result)
                                    : thread_call_shielded(task, &model, &result);
    if (rc < 0)
        return rc;
    if (result < 0)
        return anyc__fail_plain(result);
    if (out_result != NULL)
        *out_result = result;
    return 0;
}

anyc_capacity_limiter *anyc_current_default_thread_limiter(void)
{
    anyc_capacity_limiter *limiter = NULL;

    if (anyc__loop == NULL)
        (void)anyc__fail_plain(ANYC_ENOLOOP); /* NULL says it */
    else
        (void)anyc__worker_limiter(anyc__loop, WORKER_CALLS, &limiter); /* so here */
    return limiter;
}
