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
#include "threads/os_thread.h"
#include "threads/worker.h"

#include <stdio.h>

struct thread_call {
    struct worker_job job;
    anyc_thread_fn fn;
    void *arg;
    char name[ANYC__THREAD_NAME_SIZE]; /* of the thread meanwhile; "": the usual one */
};

static struct thread_call *thread_call_of(struct worker_job *job)
{
    return ANYC__CONTAINER(job, struct thread_call, job);
}

static int thread_call_fn(struct worker_job *job)
{
    struct thread_call *call = thread_call_of(job);
    int rc;

    if (call->name[0] != '\0')
        anyc__thread_set_name(call->name);
    rc = call->fn(call->arg);
    if (rc < 0)
        job->failure = anyc__failure_take(rc);
    if (call->name[0] != '\0')
        anyc__thread_set_name(ANYC__WORKER_NAME);
    return rc;
}

static void thread_call_dispose(struct worker_job *job)
{
    anyc__failure_free(job->failure);
    anyc__free(thread_call_of(job));
}

/* What the ended call comes to. */
static int thread_call_result(const struct thread_call *call, int *out_result)
{
    int result = call->job.result;

    if (result < 0) {
        (void)anyc__fail_as(call->job.failure, result);
        anyc__failure_free(call->job.failure);
        return result;
    }
    if (out_result != NULL)
        *out_result = result;
    return 0;
}

/* Field by field: what the pool uses is set there. */
static void thread_call_init(struct thread_call *call, anyc_thread_fn fn, void *arg,
                             const anyc_to_thread_run_sync_options *options)
{
    call->job.fn = thread_call_fn;
    call->job.dispose = options->abandon_on_cancel ? thread_call_dispose : NULL;
    call->job.kind = WORKER_CALLS;
    call->job.limiter = options->limiter;
    call->job.failure = NULL;
    call->fn = fn;
    call->arg = arg;
    call->name[0] = '\0';
    if (options->thread_name != NULL)
        (void)snprintf(call->name, sizeof call->name, "%s", options->thread_name); /* or cut */
}

static int thread_call_shielded(anyc_task *task, anyc_thread_fn fn, void *arg,
                                const anyc_to_thread_run_sync_options *options, int *out_result)
{
    struct thread_call call;
    int rc;

    thread_call_init(&call, fn, arg, options);
    rc = anyc__worker_run(task, &call.job);
    return rc < 0 ? rc : thread_call_result(&call, out_result);
}

static int thread_call_abandonable(anyc_task *task, anyc_thread_fn fn, void *arg,
                                   const anyc_to_thread_run_sync_options *options, int *out_result)
{
    struct thread_call *call = anyc__alloc(sizeof *call);
    int rc;

    if (call == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    thread_call_init(call, fn, arg, options);
    rc = anyc__worker_run(task, &call->job);
    if (rc < 0)
        return rc;
    rc = thread_call_result(call, out_result);
    anyc__free(call);
    return rc;
}

int anyc_to_thread_run_sync(anyc_thread_fn fn, void *arg,
                            const anyc_to_thread_run_sync_options *options, int *out_result)
{
    static const anyc_to_thread_run_sync_options defaults;
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    if (fn == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "to_thread: no function");
    if (options == NULL)
        options = &defaults;
    if (options->abandon_on_cancel)
        return thread_call_abandonable(task, fn, arg, options, out_result);
    return thread_call_shielded(task, fn, arg, options, out_result);
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
