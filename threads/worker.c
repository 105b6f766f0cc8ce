/* SPDX-License-Identifier: MIT */
/*
 * worker.c - one worker thread: waits for a job, runs it, reports it, and leaves when it has
 * waited for too long.
 *
 * A job that cannot be abandoned is reported by a plain post: the run waits for it. One that can be
 * is reported through the run's token, for the run may have ended meanwhile. The thread is then on
 * its own: it disposes of the job, and of itself, unless the loop has not come to cast it off yet;
 * the second of the two to note that they have parted frees the worker.
 */
#include "threads/worker.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/fork.h"
#include "threads/os_thread.h"

/* Marks in place of a job. */
static struct worker_job worker_quits; /* set by the loop: end */
static struct worker_job worker_left;  /* set by the thread, which ends: no job came */

static _Thread_local struct worker *worker_self; /* while it runs a job */

static void worker_free(struct worker *worker)
{
    anyc__parker_deinit(&worker->parker);
    anyc__run_token_unref(worker->token);
    anyc__free(worker);
}

/* Waits for a job. NULL: leave. A wait with an end costs a tenth of a call. */
static struct worker_job *worker_next_job(struct worker *worker, bool stays)
{
    struct worker_job *job = NULL;

    if (stays) {
        anyc__park(&worker->parker);
    } else if (!anyc__park_for(&worker->parker, worker->idle_ns)) {
        if (atomic_compare_exchange_strong(&worker->job, &job, &worker_left))
            return NULL;
        anyc__park(&worker->parker); /* a job came at the last moment, the post follows */
    }
    job = atomic_exchange_explicit(&worker->job, NULL, memory_order_acquire);
    return job == &worker_quits ? NULL : job;
}

/* Hands an ended job to the loop, which may free it and use the worker again at once. False: the
 * run has ended. */
static bool worker_report(struct worker *worker, struct worker_job *job)
{
    anyc_loop *loop;

    if (job->dispose == NULL) {
        anyc__post(worker->loop, &job->post);
        return true;
    }
    loop = anyc__run_token_enter(worker->token);
    if (loop == NULL) {
        job->dispose(job);
        return false;
    }
    worker->reported = true;
    anyc__post(loop, &job->post);
    anyc__run_token_leave(worker->token);
    return true;
}

/* Reports an ended job. False: the run has ended, and the worker has gone its own way. */
static bool worker_end_job(struct worker *worker, struct worker_job *job)
{
    worker_self = NULL;
    if (worker_report(worker, job))
        return true;
    if (atomic_exchange(&worker->parted, true))
        worker_free(worker);
    return false;
}

static void worker_work(struct worker *worker)
{
    struct worker_job *job = worker_next_job(worker, true); /* it is there */

    while (job != NULL) {
        bool stays = worker->stays; /* from the report on it is the loop's */
        unsigned forks = anyc__forks;

        worker_self = worker;
        anyc__failure_forget(); /* that of the job before */
        job->result = job->fn(job);
        if (anyc__forks != forks)
            anyc__fork_went_on("returning from a worker thread's function");
        job = worker_end_job(worker, job) ? worker_next_job(worker, stays) : NULL;
    }
}

/* The function has ended the thread, by pthread_exit(): the job ends by that, and there is no other
 * one for this worker. */
static void worker_torn(void *arg)
{
    struct worker *worker = arg;
    struct worker_job *job = worker->running;

    if (anyc__run_token_forked(worker->token))
        return; /* in a child of fork there is no loop to tell */
    job->result =
        anyc__fail(ANYC_EWORKER, 0, "the function ended its worker thread by pthread_exit()");
    job->failure = anyc__failure_take(job->result);
    atomic_store(&worker->job, &worker_left);
    (void)worker_end_job(worker, job); /* nothing of the worker is touched afterwards */
}

static void *worker_main(void *arg)
{
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL); /* valid: cannot fail */
    anyc__thread_set_name(ANYC__WORKER_NAME);
    pthread_cleanup_push(worker_torn, arg);
    worker_work(arg);
    pthread_cleanup_pop(0);
    return NULL;
}

struct worker *anyc__worker_current(void)
{
    return worker_self;
}

int anyc__worker_create(anyc_loop *loop, anyc_token *token, struct worker_job *job, bool stays,
                        struct worker **out_worker)
{
    struct worker *worker = anyc__zalloc(sizeof *worker);
    int rc;

    if (worker == NULL)
        return ANYC_ENOMEM;
    anyc__run_token_ref(token);
    anyc__parker_init(&worker->parker);
    worker->loop = loop;
    worker->token = token;
    worker->idle_ns = anyc__worker_idle_ns;
    (void)anyc__worker_give(worker, job, stays); /* it cannot have left */
    rc = anyc__thread_create(&worker->thread, worker_main, worker);
    if (rc < 0)
        worker_free(worker);
    else
        *out_worker = worker;
    return rc;
}

/* Hands over a job or a mark. */
static bool worker_put(struct worker *worker, struct worker_job *job)
{
    struct worker_job *none = NULL;

    if (!atomic_compare_exchange_strong(&worker->job, &none, job))
        return false;
    anyc__unpark(&worker->parker);
    return true;
}

bool anyc__worker_give(struct worker *worker, struct worker_job *job, bool stays)
{
    worker->running = job;
    worker->stays = stays;
    worker->reported = false;
    return worker_put(worker, job);
}

bool anyc__worker_has_left(struct worker *worker)
{
    return atomic_load_explicit(&worker->job, memory_order_relaxed) == &worker_left;
}

void anyc__worker_quit(struct worker *worker)
{
    (void)worker_put(worker, &worker_quits); /* if it has left, so much the better */
}

void anyc__worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
    worker_free(worker);
}

void anyc__worker_cast_off(struct worker *worker)
{
    pthread_t thread = worker->thread;

    if (atomic_exchange(&worker->parted, true))
        anyc__worker_join(worker);
    else
        pthread_detach(thread);
}
