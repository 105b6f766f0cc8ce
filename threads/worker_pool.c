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
#include "threads/run_token.h"
#include "threads/worker.h"

#define POOL_TOKENS 40.0                  /* of each limiter, as in AnyIO */
#define POOL_IDLE_NS INT64_C(10000000000) /* 10 s */

struct worker_pool {
    anyc_loop *loop;
    struct run_token *token;
    anyc_list idle; /* first: idle for the longest time */
    anyc_list busy;
    anyc_list waiters; /* tasks with a job, when no thread could be started */
    size_t count;
    anyc_capacity_limiter limiters[WORKER_KINDS];
};

int64_t anyc__worker_idle_ns = POOL_IDLE_NS;

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

/* Frees the idle workers that have left: those that waited longest leave first. */
static void pool_reap_left(struct worker_pool *pool)
{
    anyc_list *node = anyc__list_first(&pool->idle);

    while (node != NULL && anyc__worker_has_left(pool_worker(node))) {
        pool_reap(pool, pool_worker(node));
        node = anyc__list_first(&pool->idle);
    }
}

static void pool_give_token_back(struct worker_job *job)
{
    /* Fails only if the user ended the limiter meanwhile, and then there is nothing to give. */
    (void)anyc_capacity_limiter_release_on_behalf_of(job->limiter, job);
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
    pool_give_token_back(job);
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
        worker->running = job;
        worker->reported = false;
        if (anyc__worker_give(worker, job)) {
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
    int rc = anyc__worker_create(pool->loop, pool->token, job, &job->worker);

    if (rc < 0)
        return rc;
    pool->count++;
    anyc__list_push(&pool->busy, &job->worker->link);
    return 0;
}

/* Waits until a worker has become idle; another task may be faster to take it. */
static int pool_wait_for_worker(struct worker_pool *pool)
{
    static const struct wait_type type = {.what = "a free worker thread"};
    struct task_wait wait = {0};

    anyc__list_push(&pool->waiters, &wait.link);
    return anyc__wait(&wait, &type, pool);
}

/* Gives the job to some worker. If that fails with others waiting, they try in turn. */
static int pool_start(struct worker_pool *pool, struct worker_job *job)
{
    int rc = 0;

    while (rc == 0 && !pool_give_idle(pool, job)) {
        rc = pool_give_new(pool, job);
        if (rc == 0)
            break;
        if (pool->count > 0)
            rc = pool_wait_for_worker(pool);
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
    ANYC__CONTAINER(wait, struct job_wait, wait)->job->wait = NULL;
}

/* ANYC_ECANCELLED: the job was abandoned. */
static int pool_wait(struct worker_job *job)
{
    static const struct wait_type type = {.what = "a worker thread"};
    static const struct wait_type type_abandon = {.what = "a worker thread",
                                                  .abandon = pool_abandon};
    struct job_wait wait = {.job = job};

    job->wait = &wait.wait;
    if (job->dispose == NULL)
        return anyc__wait_shielded(&wait.wait, &type, job);
    return anyc__wait(&wait.wait, &type_abandon, job);
}

/* Without a yield if there is a free token: anyc__enter took care of fairness. */
static int pool_take_token(anyc_task *task, struct worker_job *job)
{
    int rc = anyc_capacity_limiter_acquire_on_behalf_of_nowait(job->limiter, job);

    if (rc == ANYC_EWOULDBLOCK)
        rc = anyc_capacity_limiter_acquire_on_behalf_of(job->limiter, job);
    if (rc < 0)
        return rc;
    rc = anyc__check_cancelled(task);
    if (rc < 0)
        pool_give_token_back(job);
    return rc;
}

static void pool_free(struct worker_pool *pool)
{
    for (int i = 0; i < WORKER_KINDS; i++)
        anyc_capacity_limiter_deinit(&pool->limiters[i]);
    anyc__run_token_unref(pool->token);
    anyc__free(pool);
}

/* From here on no thread touches the run. What was reported before comes by posts. */
static void pool_cut_loose(struct worker_pool *pool)
{
    anyc_list *node = anyc__list_first(&pool->busy);

    anyc__run_token_lock(pool->token);
    anyc__run_token_end(pool->token);
    while (node != NULL) {
        struct worker *worker = pool_worker(node);

        node = anyc__list_after(&pool->busy, node);
        if (worker->reported)
            continue;
        ANYC_ASSERT(worker->running->wait == NULL);
        anyc__loop_release(pool->loop);
        anyc__list_remove(&worker->link);
        pool->count--;
        anyc__worker_cast_off(worker);
    }
    anyc__run_token_unlock(pool->token);
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
    for (int i = 0; i < WORKER_KINDS; i++)
        (void)anyc_capacity_limiter_init(&pool->limiters[i], POOL_TOKENS); /* a valid total */
    anyc__loop_set_local(loop, LOOP_LOCAL_WORKERS, pool, pool_end);
    return pool;
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
    int rc = pool_take_token(task, job);

    if (rc < 0)
        return rc;
    rc = pool_start(job->pool, job);
    if (rc < 0) {
        pool_give_token_back(job);
        return rc;
    }
    rc = pool_wait(job);
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
