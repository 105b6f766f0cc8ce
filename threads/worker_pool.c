/* SPDX-License-Identifier: MIT */
/*
 * worker_pool.c - the worker threads of a run: as many as the limiters allow, started on demand.
 * AnyIO: the WorkerThread pools of its backends.
 *
 * A job takes a token, then a worker: the one that became idle last, else a new one, else (the
 * system gives no more threads) the first that becomes idle. The loop's thread alone touches the
 * pool; an ended job comes back by a post, which makes its worker idle and its task ready. So a
 * call costs one wake of the worker and one of the loop.
 *
 * A worker that has been idle for ten seconds leaves, unless it was the only one when it got its last
 * job: that one stays, so that it can wait without a timer.
 *
 * Invariants: each worker is in exactly one of `idle` and `busy`; `count` is how many there are;
 * every busy one holds the loop (anyc__loop_hold). `idle` is ordered by the time of becoming idle.
 *
 * At the end of the run the tasks have ended, so what is still busy works for abandoned calls. Such
 * workers are cast off; the others are joined.
 */
#include "threads/worker_pool.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"
#include "threads/job_token.h"
#include "threads/loop_call.h"
#include "threads/worker.h"

#include <unistd.h>

#define POOL_TOKENS 40.0                  /* of each limiter, as in AnyIO */
#define POOL_IDLE_NS INT64_C(10000000000) /* 10 s */

struct worker_pool {
    anyc_loop *loop;
    anyc_token *token;
    anyc_list idle; /* first: idle for the longest time */
    anyc_list busy;
    anyc_list waiters;  /* tasks with a job, when no thread could be started */
    anyc_list services; /* see job_token.h */
    size_t count;
    anyc_capacity_limiter limiters[WORKER_KINDS];
};

int64_t anyc__worker_idle_ns = POOL_IDLE_NS;

/* Jobs of a kind at once: what computes needs a processor, what waits does not. */
static double pool_tokens(enum worker_kind kind)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (kind != WORKER_HANDSHAKES)
        return POOL_TOKENS;
    return processors > 1 ? (double)processors : 1.0;
}

static struct worker *pool_worker(anyc_list *node)
{
    return ANYC__CONTAINER(node, struct worker, link);
}

static void pool_wake_waiter(struct worker_pool *pool)
{
    anyc_list *node = anyc__list_first(&pool->waiters);

    if (node != NULL)
        anyc__wake(ANYC__CONTAINER(node, struct task_wait, link), 0);
}

static void pool_reap(struct worker_pool *pool, struct worker *worker)
{
    anyc__list_remove(&worker->link);
    pool->count--;
    anyc__worker_join(worker);
}

/* Frees idle workers that have left: those that have waited longest leave first, but for the one that
 * stays, of which there is one at the most. */
static void pool_reap_left(struct worker_pool *pool)
{
    anyc_list *node = anyc__list_first(&pool->idle);

    while (node != NULL) {
        struct worker *worker = pool_worker(node);

        node = anyc__list_after(&pool->idle, node);
        if (anyc__worker_has_left(worker))
            pool_reap(pool, worker);
        else if (!worker->stays)
            break;
    }
}

/* An ended job is with the loop again. */
static void pool_job_ended(struct post *post)
{
    struct worker_job *job = ANYC__CONTAINER(post, struct worker_job, post);
    struct worker_pool *pool = job->pool;
    struct worker *worker = job->worker;

    anyc__loop_release(pool->loop);
    anyc__list_remove(&worker->link);
    anyc__list_push(&pool->idle, &worker->link);
    pool_reap_left(pool);
    anyc__job_token_give_back(job);
    pool_wake_waiter(pool);
    if (job->wait != NULL)
        anyc__wake(job->wait, 0);
    else
        job->dispose(job);
}

/* Gives the job to the worker that became idle last. */
static bool pool_give_idle(struct worker_pool *pool, struct worker_job *job)
{
    while (!anyc__list_empty(&pool->idle)) {
        struct worker *worker = pool_worker(pool->idle.prev);

        job->worker = worker;
        if (anyc__worker_give(worker, job, pool->count == 1)) {
            anyc__list_remove(&worker->link);
            anyc__list_push(&pool->busy, &worker->link);
            return true;
        }
        pool_reap(pool, worker);
    }
    return false;
}

static int pool_give_new(struct worker_pool *pool, struct worker_job *job)
{
    int rc = anyc__worker_create(pool->loop, pool->token, job, pool->count == 0, &job->worker);

    if (rc < 0)
        return rc;
    pool->count++;
    anyc__list_push(&pool->busy, &job->worker->link);
    return 0;
}

/* Waits until a worker has become idle; another task may be faster to take it. */
static int pool_wait_for_worker(anyc_task *task, struct worker_pool *pool)
{
    static const struct wait_type type = {.what = "a free worker thread"};
    struct task_wait wait = {0};
    int rc;

    anyc__list_push(&pool->waiters, &wait.link);
    rc = anyc__wait(&wait, &type, pool);
    return rc < 0 ? rc : anyc__check_cancelled(task); /* since it was woken */
}

/* Gives the job to some worker. If that fails with others waiting, they try in turn. A call on
 * behalf of a worker waits for none: they might all wait for such calls. */
static int pool_start(anyc_task *task, struct worker_job *job)
{
    struct worker_pool *pool = job->pool;
    int rc = 0;

    job->scope = task->scope;
    while (rc == 0 && !pool_give_idle(pool, job)) {
        rc = pool_give_new(pool, job);
        if (rc == 0)
            break;
        if (pool->count > 0 && !anyc__job_is_nested(task, job))
            rc = pool_wait_for_worker(task, pool);
        else
            rc = anyc__fail_errno(-rc, "starting a worker thread");
    }
    if (rc < 0)
        pool_wake_waiter(pool);
    else
        anyc__loop_hold(pool->loop);
    return rc;
}

/* The wait for a job that has begun. Its node is the task's: an abandoned job may be gone before
 * the task runs again. */
struct job_wait {
    struct task_wait wait;
    struct worker_job *job;
};

static void pool_abandon(struct task_wait *wait)
{
    struct worker_job *job = ANYC__CONTAINER(wait, struct job_wait, wait)->job;

    job->wait = NULL;
    atomic_store_explicit(&job->abandoned, true, memory_order_relaxed);
}

/* What the worker asks of the task that waits for it. */
static void pool_serve(const anyc_task *task, struct worker_job *job)
{
    struct loop_call *call = job->call;

    job->call = NULL;
    (void)anyc__loop_call_run(call); /* the result goes to the worker */
    if (task->scope != job->scope)
        anyc__abort("a function that was called from a worker thread returned without leaving a "
                    "cancel scope or task group that it had entered");
}

/* ANYC_ECANCELLED: the job was abandoned. */
static int pool_wait(const anyc_task *task, struct worker_job *job)
{
    static const struct wait_type type = {.what = "a worker thread"};
    static const struct wait_type type_abandon = {.what = "a worker thread",
                                                  .abandon = pool_abandon};
    struct job_wait wait = {.job = job};
    int rc;

    job->wait = &wait.wait;
    if (job->dispose != NULL)
        return anyc__wait(&wait.wait, &type_abandon, job);
    rc = anyc__wait_shielded(&wait.wait, &type, job);
    while (job->call != NULL) {
        pool_serve(task, job);
        rc = anyc__wait_shielded(&wait.wait, &type, job);
    }
    return rc;
}

static void pool_free(struct worker_pool *pool)
{
    for (enum worker_kind i = 0; i < WORKER_KINDS; i++)
        anyc_capacity_limiter_deinit(&pool->limiters[i]);
    anyc__run_token_unref(pool->token);
    anyc__free(pool);
}

/* From here on no thread touches the run. What was reported before comes by posts. */
static void pool_cut_loose(struct worker_pool *pool)
{
    anyc_list *node = anyc__list_first(&pool->busy);

    anyc__run_token_end(pool->token);
    while (node != NULL) {
        struct worker *worker = pool_worker(node);

        node = anyc__list_after(&pool->busy, node);
        if (worker->reported)
            continue;
        anyc__loop_release(pool->loop);
        anyc__list_remove(&worker->link);
        pool->count--;
        anyc__worker_cast_off(worker);
    }
}

static void pool_end(anyc_loop *loop, void *local)
{
    struct worker_pool *pool = local;

    pool_cut_loose(pool);
    anyc__post_run(loop);
    ANYC_ASSERT(anyc__list_empty(&pool->busy));
    for (anyc_list *node = anyc__list_first(&pool->idle); node != NULL;
         node = anyc__list_after(&pool->idle, node))
        anyc__worker_quit(pool_worker(node));
    while (!anyc__list_empty(&pool->idle))
        pool_reap(pool, pool_worker(anyc__list_first(&pool->idle)));
    pool_free(pool);
}

/* The run's pool, made when it is asked for first; NULL without memory. */
static struct worker_pool *pool_of(anyc_loop *loop)
{
    struct worker_pool *pool = loop->locals[LOOP_LOCAL_WORKERS];

    if (pool != NULL)
        return pool;
    pool = anyc__zalloc(sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->token = anyc__run_token_create(loop);
    if (pool->token == NULL) {
        anyc__free(pool);
        return NULL;
    }
    pool->loop = loop;
    for (enum worker_kind i = 0; i < WORKER_KINDS; i++)
        (void)anyc_capacity_limiter_init(&pool->limiters[i], pool_tokens(i)); /* a valid total */
    anyc__loop_set_local(loop, LOOP_LOCAL_WORKERS, pool, pool_end);
    return pool;
}

anyc_token *anyc__worker_token(anyc_loop *loop)
{
    struct worker_pool *pool = pool_of(loop);

    return pool != NULL ? pool->token : NULL;
}

anyc_list *anyc__worker_services(struct worker_pool *pool)
{
    return &pool->services;
}

int anyc__worker_limiter(anyc_loop *loop, enum worker_kind kind,
                         anyc_capacity_limiter **out_limiter)
{
    struct worker_pool *pool = pool_of(loop);

    if (pool == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    *out_limiter = &pool->limiters[kind];
    return 0;
}

/* Takes a token and a worker, and waits. Sets *out_left when the job is the pool's from now on. */
static int pool_run(anyc_task *task, struct worker_job *job, bool *out_left)
{
    int rc = anyc__job_token_take(task, job);

    if (rc < 0)
        return rc;
    rc = pool_start(task, job);
    if (rc < 0) {
        anyc__job_token_give_back(job);
        return rc;
    }
    rc = pool_wait(task, job);
    *out_left = rc < 0;
    return rc;
}

int anyc__worker_run(anyc_task *task, struct worker_job *job)
{
    bool left = false;
    int rc;

    job->pool = pool_of(task->loop);
    job->post = (struct post){.fn = pool_job_ended};
    job->wait = NULL;
    job->call = NULL;
    job->lender = NULL;
    job->borrower = NULL;
    job->lent_waiters = (anyc_list){NULL, NULL};
    atomic_init(&job->abandoned, false);
    if (job->pool == NULL) {
        rc = anyc__fail_plain(ANYC_ENOMEM);
    } else {
        if (job->limiter == NULL)
            job->limiter = &job->pool->limiters[job->kind];
        rc = pool_run(task, job, &left);
    }
    if (rc < 0 && !left && job->dispose != NULL)
        job->dispose(job);
    return rc;
}
