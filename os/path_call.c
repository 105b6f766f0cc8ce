/* SPDX-License-Identifier: MIT */
/*
 * path_call.c - disk calls of paths in worker threads.
 *
 * A call that changes something lives on the task's stack, since the task waits for it in any case.
 * A question is allocated, with copies of its texts, since its thread goes on when it is abandoned.
 */
#include "os/path_call.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "threads/worker_pool.h"

#include <errno.h>
#include <string.h>

struct path_call {
    struct worker_job job;
    path_fn fn;
    struct path_args args;
    struct path_answer answer;
    char texts[]; /* of a question */
};

static int call_fn(struct worker_job *job)
{
    struct path_call *call = ANYC__CONTAINER(job, struct path_call, job);

    return call->fn(&call->args, &call->answer);
}

static void call_dispose(struct worker_job *job)
{
    struct path_call *call = ANYC__CONTAINER(job, struct path_call, job);

    anyc__free(call->answer.text);
    anyc__failure_free(call->answer.failure);
    anyc__free(call);
}

static void call_init(struct path_call *call, const anyc_path *path, path_fn fn,
                      const struct path_args *args)
{
    call->job.fn = call_fn;
    call->job.dispose = NULL;
    call->job.kind = WORKER_FILES;
    call->job.limiter = path->limiter;
    call->fn = fn;
    call->args = *args;
    call->args.text = path->text;
    call->answer = (struct path_answer){.text = NULL};
}

/* What the ended call comes to. */
static int call_result(const struct path_call *call, const anyc_path *path, const char *what,
                       struct path_answer *answer)
{
    struct task_failure *failure = call->answer.failure;
    int rc = call->job.result;

    if (rc == 0)
        *answer = call->answer;
    else if (anyc__errno_of(rc) == 0)
        (void)anyc__fail(rc, 0, "%s %s: %s", what, path->text, anyc__failure_message(failure, rc));
    else if (call->args.other != NULL)
        (void)anyc__fail_errno(anyc__errno_of(rc), "%s %s, %s", what, path->text, call->args.other);
    else
        (void)anyc__fail_errno(anyc__errno_of(rc), "%s %s", what, path->text);
    anyc__failure_free(failure);
    return rc;
}

int anyc__path_do(const anyc_path *path, const char *what, path_fn fn, const struct path_args *args,
                  struct path_answer *answer)
{
    struct path_call call;
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    call_init(&call, path, fn, args);
    rc = anyc__worker_run(task, &call.job);
    return rc < 0 ? rc : call_result(&call, path, what, answer);
}

/* Copies a text to `*at` and moves that on. */
static const char *call_keep(char **at, const char *text)
{
    char *copy = *at;

    if (text == NULL)
        return NULL;
    memcpy(copy, text, strlen(text) + 1);
    *at += strlen(text) + 1;
    return copy;
}

static size_t call_size(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

int anyc__path_ask(const anyc_path *path, const char *what, path_fn fn,
                   const struct path_args *args, struct path_answer *answer)
{
    struct path_call *call;
    anyc_task *task;
    char *at;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    call =
        anyc__alloc(sizeof *call + path->len + 1 + call_size(args->other) + call_size(args->third));
    if (call == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    call_init(call, path, fn, args);
    call->job.dispose = call_dispose;
    at = call->texts;
    call->args.text = call_keep(&at, path->text);
    call->args.other = call_keep(&at, args->other);
    call->args.third = call_keep(&at, args->third);
    rc = anyc__worker_run(task, &call->job);
    if (rc < 0)
        return rc;
    rc = call_result(call, path, what, answer);
    anyc__free(call);
    return rc;
}

int anyc__path_of_answer(const anyc_path *path, int rc, struct path_answer *answer,
                         anyc_path **out_path)
{
    if (rc == 0)
        rc = anyc__path_make(answer->text, answer->len, path->limiter, out_path);
    anyc__free(answer->text);
    answer->text = NULL;
    return rc;
}

int anyc__path_errno(int result)
{
    return result < 0 ? -errno : 0;
}

bool anyc__path_passes_over(int rc)
{
    return rc == -EACCES || rc == -EPERM || rc == -ENOENT || rc == -ENOTDIR || rc == -ELOOP ||
           rc == -ENAMETOOLONG;
}
