/* SPDX-License-Identifier: MIT */
/*
 * worker_process_pool.c - the worker processes of a run. AnyIO: the pool of its to_process.
 *
 * A worker that is idle for too long says so, and is ended; that costs the loop nothing until then. It
 * is also ended when the pool is next used: then the loop's clock decides.
 */
#include "os/worker_process_pool.h"

#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"
#include "os/worker_process_start.h"

static struct worker_process_pool *pool_of(const anyc_loop *loop)
{
    return loop->locals[LOOP_LOCAL_WORKER_PROCESSES];
}

static struct worker_process *pool_worker(anyc_list *node)
{
    return ANYC__CONTAINER(node, struct worker_process, link);
}

/* At the end of the run no call is under way, so all workers are idle. */
static void pool_end(anyc_loop *loop, void *local)
{
    struct worker_process_pool *pool = local;

    (void)loop;
    while (!anyc__list_empty(&pool->idle))
        anyc__worker_process_kill(pool_worker(anyc__list_first(&pool->idle)));
    anyc_capacity_limiter_deinit(&pool->limiter);
    anyc__free(pool);
}

static double pool_tokens(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors > 1 ? (double)processors : 1.0;
}

int anyc__worker_process_pool(anyc_loop *loop, struct worker_process_pool **out_pool)
{
    struct worker_process_pool *pool = pool_of(loop);

    if (pool == NULL) {
        pool = anyc__zalloc(sizeof *pool);
        if (pool == NULL)
            return anyc__fail_plain(ANYC_ENOMEM);
        (void)anyc_capacity_limiter_init(&pool->limiter, pool_tokens()); /* a valid total */
        anyc__loop_set_local(loop, LOOP_LOCAL_WORKER_PROCESSES, pool, pool_end);
    }
    *out_pool = pool;
    return 0;
}

/* An idle worker said something: that it has been idle for too long; anything else is nonsense. */
static void pool_heard(struct watch_call *call)
{
    anyc__worker_process_kill(ANYC__CONTAINER(call, struct worker_process, call));
}

/* End those that have been idle for too long. */
static void pool_prune(anyc_loop *loop, struct worker_process_pool *pool)
{
    int64_t since_ns = anyc__now(loop) - anyc__worker_process_idle_ns;

    while (!anyc__list_empty(&pool->idle)) {
        struct worker_process *worker = pool_worker(anyc__list_first(&pool->idle));

        if (worker->idle_since_ns > since_ns)
            return;
        anyc__worker_process_kill(worker);
    }
}

int anyc__worker_process_take(anyc_loop *loop, struct worker_process **out_worker)
{
    struct worker_process_pool *pool = pool_of(loop);

    while (!anyc__list_empty(&pool->idle)) {
        struct worker_process *worker = pool_worker(pool->idle.prev);

        anyc__list_remove(&worker->link);
        worker->owner = WORKER_PROCESS_OF_TASK;
        worker->watch->call = NULL;
        if (!anyc__process_exit_is_over(&worker->exit)) {
            pool_prune(loop, pool);
            *out_worker = worker;
            return 0;
        }
        anyc__worker_process_kill(worker);
    }
    return anyc__worker_process_start(loop, out_worker);
}

void anyc__worker_process_give_back(anyc_loop *loop, struct worker_process *worker)
{
    worker->call.fn = pool_heard;
    if (worker->exit.state != PROCESS_RUNNING ||
        anyc__watch_call(worker->watch, &worker->call) < 0) {
        anyc__worker_process_kill(worker);
        return;
    }
    worker->owner = WORKER_PROCESS_OF_POOL;
    worker->idle_since_ns = anyc__now(loop);
    anyc__list_push(&pool_of(loop)->idle, &worker->link);
}
