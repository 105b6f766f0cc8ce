/* SPDX-License-Identifier: MIT */
/*
 * worker.c - one worker thread: waits for a job, runs it, reports it, and leaves when it has
 * waited for too long.
 *
 * A job that cannot be abandoned is reported by a plain post: the run waits for it. One that can
 * be is reported under the lock of the run's token, for the run may have ended meanwhile; the
 * thread is then on its own, and disposes of the job and of itself.
 *
 * The worker sleeps on a semaphore and not on a condition: a thread that wakes from a condition
 * leaves its lock with a system call in vain.
 */
#include "threads/worker.h"

#include <anyc/error.h>

#include "core/alloc.h"

#include <signal.h>
#include <time.h>

#define WORKER_STACK_MIN ((size_t)256 * 1024) /* bytes; else the system's default */
#define WORKER_NS_PER_S 1000000000

/* Marks in place of a job. */
static struct worker_job worker_quits; /* set by the loop: end */
static struct worker_job worker_left;  /* set by the thread, which ends: no job came */

static void worker_free(struct worker *worker)
{
    sem_destroy(&worker->wake);
    anyc__run_token_unref(worker->token);
    anyc__free(worker);
}

/* The moment at which the worker has waited for long enough. A semaphore knows the time of day
 * only; when that is set, idle workers leave sooner or later than usual, and nothing else. */
static struct timespec worker_idle_end(const struct worker *worker)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += (time_t)(worker->idle_ns / WORKER_NS_PER_S);
    end.tv_nsec += (long)(worker->idle_ns % WORKER_NS_PER_S);
    if (end.tv_nsec >= WORKER_NS_PER_S) {
        end.tv_nsec -= WORKER_NS_PER_S;
        end.tv_sec++;
    }
    return end;
}

/* Waits for a job. NULL: leave. */
static struct worker_job *worker_next_job(struct worker *worker)
{
    struct timespec end = worker_idle_end(worker);
    struct worker_job *job = NULL;
    int rc;

    do
        rc = sem_timedwait(&worker->wake, &end);
    while (rc != 0 && errno == EINTR);
    if (rc != 0 && atomic_compare_exchange_strong(&worker->job, &job, &worker_left))
        return NULL;
    while (rc != 0) /* a job came at the last moment, the wake follows */
        rc = sem_wait(&worker->wake);
    job = atomic_exchange_explicit(&worker->job, NULL, memory_order_acquire);
    return job == &worker_quits ? NULL : job;
}

/* Hands an ended job to the loop, which may free it and use the worker again at once. False: the
 * run has ended, and has cast the worker off. */
static bool worker_report(struct worker *worker, struct worker_job *job)
{
    anyc_loop *loop;

    if (job->dispose == NULL) {
        anyc__post(worker->loop, &job->post);
        return true;
    }
    loop = anyc__run_token_lock(worker->token);
    if (loop != NULL) {
        worker->reported = true;
        anyc__post(loop, &job->post);
    }
    anyc__run_token_unlock(worker->token);
    if (loop == NULL)
        job->dispose(job);
    return loop != NULL;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct worker_job *job = worker_next_job(worker);

    pthread_setname_np(pthread_self(), "anyc-worker");
    while (job != NULL) {
        job->result = job->fn(job);
        if (!worker_report(worker, job)) {
            worker_free(worker);
            return NULL;
        }
        job = worker_next_job(worker);
    }
    return NULL;
}

/* Every signal but those by which the system reports a fault of the thread itself. */
static void worker_signals(sigset_t *set)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};

    sigfillset(set);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(set, faults[i]);
}

/* A thread inherits the mask of signals, so none can reach it before it would block them. */
static int worker_start_thread(struct worker *worker)
{
    pthread_attr_t attributes;
    sigset_t blocked;
    sigset_t before;
    size_t size = 0;
    int rc = pthread_attr_init(&attributes);

    if (rc != 0)
        return -rc;
    if (pthread_attr_getstacksize(&attributes, &size) == 0 && size < WORKER_STACK_MIN)
        pthread_attr_setstacksize(&attributes, WORKER_STACK_MIN);
    worker_signals(&blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    rc = pthread_create(&worker->thread, &attributes, worker_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -rc;
}

int anyc__worker_create(anyc_loop *loop, struct run_token *token, struct worker_job *job,
                        struct worker **out_worker)
{
    struct worker *worker = anyc__zalloc(sizeof *worker);
    int rc;

    if (worker == NULL)
        return ANYC_ENOMEM;
    anyc__run_token_ref(token);
    sem_init(&worker->wake, 0, 1); /* for `job`; cannot fail with such a value */
    worker->loop = loop;
    worker->token = token;
    worker->idle_ns = anyc__worker_idle_ns;
    worker->running = job;
    atomic_init(&worker->job, job);
    rc = worker_start_thread(worker);
    if (rc < 0)
        worker_free(worker);
    else
        *out_worker = worker;
    return rc;
}

bool anyc__worker_give(struct worker *worker, struct worker_job *job)
{
    struct worker_job *none = NULL;

    if (!atomic_compare_exchange_strong(&worker->job, &none, job))
        return false;
    sem_post(&worker->wake);
    return true;
}

bool anyc__worker_has_left(struct worker *worker)
{
    return atomic_load_explicit(&worker->job, memory_order_relaxed) == &worker_left;
}

void anyc__worker_quit(struct worker *worker)
{
    (void)anyc__worker_give(worker, &worker_quits); /* if it has left, so much the better */
}

void anyc__worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
    worker_free(worker);
}

void anyc__worker_cast_off(struct worker *worker)
{
    pthread_detach(worker->thread);
}
