/* SPDX-License-Identifier: MIT */
/*
 * from_thread.c - calls from threads into the loop. AnyIO: anyio.from_thread, and the tokens of
 * anyio.lowlevel.
 *
 * A worker that the task waits for asks that task to run the function: no task is started, and it is
 * within the right scopes. Everybody else gets a task in the run's root group.
 */
#include <anyc/thread.h>

#include <anyc/error.h>

#include "core/error.h"
#include "core/fork.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/scope.h"
#include "threads/loop_call.h"
#include "threads/worker.h"

int anyc_current_token(anyc_token **out_token)
{
    anyc_token *token;

    if (anyc__loop == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    token = anyc__worker_token(anyc__loop);
    if (token == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    anyc__run_token_ref(token);
    anyc__loop_open_door(anyc__loop);
    *out_token = token;
    return 0;
}

void anyc_token_release(anyc_token *token)
{
    anyc_loop *loop;

    if (token == NULL)
        return;
    loop = anyc__run_token_enter(token);
    if (loop != NULL) {
        anyc__loop_close_door(loop);
        anyc__run_token_leave(token);
    }
    anyc__run_token_unref(token);
}

/* The task that waits for the worker is to run the function. */
static void from_thread_wake_task(struct post *post)
{
    struct loop_call *call = anyc__loop_call_of(post);

    call->job->call = call;
    anyc__wake(call->job->wait, 0);
}

static void from_thread_start_task(struct post *post)
{
    struct loop_call *call = anyc__loop_call_of(post);
    int rc;

    if (anyc__loop->closing)
        rc = anyc__fail_plain(ANYC_ERUNFINISHED);
    else
        rc = anyc__group_start_certain(ANYC_ORIGIN_("anyc_from_thread_run"),
                                       &anyc__loop->root_group, anyc__loop_call_run, call, 0, NULL);
    if (rc < 0)
        anyc__loop_call_answer(call, rc);
}

/* The token of the run to call into: NULL and a code in *out_rc if there is none. */
static anyc_token *from_thread_token(anyc_token *token, bool has_fn, int *out_rc)
{
    const struct worker *worker = anyc__worker_current();

    if (!has_fn) {
        *out_rc = anyc__fail(ANYC_EINVAL, 0, "from_thread: no function");
        return NULL;
    }
    if (token == NULL && worker != NULL)
        token = worker->token;
    if (token == NULL) {
        *out_rc = anyc__fail(ANYC_ENOLOOP, 0, "not in a worker thread, and there is no token");
    } else if (anyc__run_token_forked(token)) {
        *out_rc = anyc__fail_forked();
        token = NULL;
    }
    return token;
}

/* Is the calling thread a worker of this run, for which a task waits to the end? */
static struct worker *from_thread_worker(const anyc_token *token)
{
    struct worker *worker = anyc__worker_current();

    if (worker == NULL || worker->token != token || worker->running->dispose != NULL)
        return NULL;
    return worker;
}

/* Makes the call; the loop of a worker that is waited for is sure to be there. */
static int from_thread_make(struct loop_call *call, anyc_token *token, struct worker *worker)
{
    int rc = 0;

    if (worker != NULL) {
        call->job = worker->running;
        anyc__post(worker->loop, &call->post);
    } else {
        rc = anyc__loop_call_post(call, token);
    }
    return rc < 0 ? rc : anyc__loop_call_wait(call);
}

static int from_thread_result(int rc, int *out_result)
{
    if (rc < 0)
        return rc;
    if (out_result != NULL)
        *out_result = rc;
    return 0;
}

int anyc_from_thread_run(anyc_task_fn fn, void *arg, anyc_token *token, int *out_result)
{
    struct worker *worker;
    struct loop_call call;
    int rc = 0;

    token = from_thread_token(token, fn != NULL, &rc);
    if (token == NULL)
        return rc;
    worker = from_thread_worker(token);
    anyc__loop_call_init(&call, fn, arg,
                         worker != NULL ? from_thread_wake_task : from_thread_start_task);
    return from_thread_result(from_thread_make(&call, token, worker), out_result);
}

int anyc_from_thread_run_sync(anyc_loop_fn fn, void *arg, anyc_token *token, int *out_result)
{
    struct loop_call call;
    int rc = 0;

    token = from_thread_token(token, fn != NULL, &rc);
    if (token == NULL)
        return rc;
    anyc__loop_call_init(&call, fn, arg, anyc__loop_call_sync);
    return from_thread_result(from_thread_make(&call, token, from_thread_worker(token)),
                              out_result);
}

int anyc_from_thread_check_cancelled(void)
{
    const struct worker *worker = anyc__worker_current();
    const struct worker_job *job;
    bool cancelled;

    if (worker == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    if (anyc__run_token_forked(worker->token))
        return anyc__fail_forked();
    job = worker->running;
    if (job->dispose != NULL)
        cancelled = atomic_load_explicit(&job->abandoned, memory_order_relaxed);
    else
        cancelled = anyc__scope_reached(job->scope);
    return cancelled ? anyc__fail_plain(ANYC_ECANCELLED) : 0;
}
