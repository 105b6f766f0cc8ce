/* SPDX-License-Identifier: MIT */
/*
 * worker_process.c - functions of the user in worker processes. AnyIO: anyio.to_process.
 *
 * The request is made before a worker is looked for, so that one that cannot be made costs none. The
 * input goes from the caller's memory into the socket, and the output from there into the caller's.
 */
#include <anyc/worker_process.h>

#include <anyc/cancel.h>
#include <anyc/error.h>

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"
#include "os/worker_process_function.h"
#include "os/worker_process_link.h"
#include "os/worker_process_pool.h"

struct process_call {
    struct worker_function function;
    struct worker_request request;
    const void *input;
    anyc_capacity_limiter *limiter;
    bool cancellable;

    struct worker_answer answer;
    anyc_bytes output; /* or the message of a failure, with its end */
};

static int call_send(struct process_call *call, struct worker_process *worker)
{
    struct iovec pieces[] = {
        {.iov_base = &call->request, .iov_len = sizeof call->request},
        {.iov_base = call->function.path, .iov_len = call->request.path_size},
        {.iov_base = (void *)call->input, .iov_len = (size_t)call->request.input_size},
    };

    return anyc__worker_process_send(worker, pieces, 3);
}

static bool call_answer_is_sound(const struct worker_answer *answer)
{
    if (answer->kind == WORKER_READY || (answer->kind == WORKER_REFUSED && answer->code >= 0))
        return false;
    return answer->size < SIZE_MAX && (answer->code >= 0 || answer->size <= WORKER_MESSAGE_MOST);
}

static int call_receive(struct process_call *call, struct worker_process *worker)
{
    struct worker_answer *answer = &call->answer;
    int rc = anyc__worker_process_receive_answer(worker, answer);

    if (rc < 0)
        return rc;
    if (!call_answer_is_sound(answer))
        return ANYC_EWORKER;
    if (answer->size == 0)
        return 0;
    call->output.data = anyc__alloc((size_t)answer->size + 1);
    if (call->output.data == NULL)
        return ANYC_ENOMEM;
    call->output.len = (size_t)answer->size;
    ((char *)call->output.data)[call->output.len] = '\0'; /* for a message */
    return anyc__worker_process_receive(worker, call->output.data, call->output.len);
}

static int call_exchange(struct process_call *call, struct worker_process *worker)
{
    const anyc_cancel_scope_options shield = {.shield = !call->cancellable};
    anyc_cancel_scope scope;
    int rc = anyc_cancel_scope_enter(&scope, &shield);

    if (rc < 0) {
        anyc__worker_process_kill(worker);
        return rc;
    }
    rc = call_send(call, worker);
    if (rc == 0)
        rc = call_receive(call, worker);
    if (rc < 0)
        rc = anyc__worker_process_end(worker, rc, "while it had a function to run");
    return anyc_cancel_scope_exit(&scope, rc);
}

/* The worker's answer becomes the call's. */
static int call_result(const struct process_call *call)
{
    const struct worker_answer *answer = &call->answer;

    if (answer->code < 0 && answer->size > 0)
        return anyc__fail(answer->code, answer->os_error, "%s", (const char *)call->output.data);
    return answer->code < 0 ? anyc__fail_plain(answer->code) : answer->code;
}

/* With a token. Answers 0 if the worker has answered. */
static int call_run(struct process_call *call, anyc_task *task)
{
    struct worker_process *worker;
    int rc = anyc__check_cancelled(task);

    if (rc < 0)
        return rc;
    anyc__loop_hold(task->loop);
    rc = anyc__worker_process_take(task->loop, &worker);
    if (rc == 0) {
        rc = call_exchange(call, worker);
        if (rc == 0)
            anyc__worker_process_give_back(task->loop, worker);
    }
    anyc__loop_release(task->loop);
    return rc;
}

static int call_run_limited(struct process_call *call, anyc_task *task)
{
    int rc = anyc_capacity_limiter_acquire_on_behalf_of(call->limiter, call);

    if (rc < 0)
        return rc;
    rc = call_run(call, task);
    /* Fails only if the user ended the limiter meanwhile, and then there is nothing to give. */
    (void)anyc_capacity_limiter_release_on_behalf_of(call->limiter, call);
    return rc;
}

static int call_prepare(struct process_call *call, anyc_task *task, anyc_process_fn fn,
                        size_t input_size)
{
    struct worker_process_pool *pool;
    size_t path_size = 0;
    int rc;

    if (fn == NULL || (call->input == NULL && input_size > 0))
        return anyc__fail(ANYC_EINVAL, 0, "to_process: no %s", fn == NULL ? "function" : "input");
    if (anyc_in_worker_process())
        return anyc__fail(ANYC_ESTATE, 0, "a worker process has no worker processes of its own");
    rc = anyc__worker_process_pool(task->loop, &pool);
    if (rc == 0)
        rc = anyc__worker_function_locate(fn, &call->function);
    if (rc < 0)
        return rc;
    if (call->function.path != NULL)
        path_size = strlen(call->function.path) + 1;
    call->request = (struct worker_request){
        .magic = WORKER_MAGIC,
        .path_size = (uint32_t)path_size,
        .offset = call->function.offset,
        .fingerprint = call->function.fingerprint,
        .input_size = input_size,
    };
    if (call->limiter == NULL)
        call->limiter = &pool->limiter;
    return 0;
}

int anyc_to_process_run_sync(anyc_process_fn fn, const void *input, size_t input_size,
                             const anyc_to_process_run_sync_options *options, anyc_bytes *output)
{
    struct process_call call = {.input = input};
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    if (options != NULL) {
        call.limiter = options->limiter;
        call.cancellable = options->cancellable;
    }
    rc = call_prepare(&call, task, fn, input_size);
    if (rc < 0)
        return rc;
    rc = call_run_limited(&call, task);
    anyc__worker_function_deinit(&call.function);
    if (rc == 0)
        rc = call_result(&call);
    if (rc >= 0 && output != NULL)
        *output = call.output;
    else
        anyc_bytes_deinit(&call.output);
    return rc;
}

anyc_capacity_limiter *anyc_current_default_process_limiter(void)
{
    struct worker_process_pool *pool = NULL;

    if (anyc__loop == NULL)
        (void)anyc__fail_plain(ANYC_ENOLOOP); /* NULL says it */
    else
        (void)anyc__worker_process_pool(anyc__loop, &pool); /* so here */
    return pool != NULL ? &pool->limiter : NULL;
}
