/* SPDX-License-Identifier: MIT */
/*
 * worker_pool.h - the worker threads of a run, for every module that has something to block on.
 *
 * Embed a worker_job in what the function needs, and call anyc__worker_run from a task:
 *
 *     rc = anyc__enter(&task);
 *     ...
 *     rc = anyc__worker_run(task, &call.job);   // 0: call.job.result is what fn returned
 *
 * A job without `dispose` may live on the task's stack: its call is shielded once the thread has
 * begun. A job with `dispose` is abandoned when the task is cancelled; it and all that it uses must
 * be heap memory.
 */
#ifndef ANYC_THREADS_WORKER_POOL_H
#define ANYC_THREADS_WORKER_POOL_H

#include <stdatomic.h>

#include <anyc/capacity_limiter.h>
#include <anyc/thread.h>

#include "core/post.h"
#include "core/task.h"

/* What a job is for: each kind has a limiter of its own in the run, so that slow ones of one kind
 * do not keep others out. */
enum worker_kind {
    WORKER_CALLS,      /* the user's, through anyc_to_thread_run_sync */
    WORKER_LOOKUPS,    /* names, in net/ */
    WORKER_FILES,      /* in os/ */
    WORKER_HANDSHAKES, /* of TLS, in streams/: as many at once as there are processors */
    WORKER_KINDS
};

struct loop_call;
struct task_failure;
struct worker;
struct worker_pool;

struct worker_job {
    /* set by who makes the job */
    int (*fn)(struct worker_job *job);       /* in the thread */
    void (*dispose)(struct worker_job *job); /* see above; in the thread when the run has ended */
    enum worker_kind kind;
    anyc_capacity_limiter *limiter; /* NULL: that of its kind */

    int result;                   /* of fn */
    struct task_failure *failure; /* what is known of a negative one; who made the job frees it */

    /* the pool's */
    struct worker_pool *pool;
    struct worker *worker;
    struct post post;
    struct task_wait *wait; /* on the task's stack; NULL: abandoned */
    struct loop_call *call; /* what the worker asks the waiting task to run, or NULL */

    /* for anyc_from_thread_check_cancelled */
    const anyc_cancel_scope *scope; /* the task's innermost one, as long as it waits shielded */
    atomic_bool abandoned;

    /* see job_token.h */
    struct worker_job *lender;   /* whose token this is; NULL: its own */
    struct worker_job *borrower; /* to whom its token is lent, or NULL */
    anyc_list lent_waiters;      /* for it to come back */
};

/* Run a job in a worker thread: after anyc__enter, with its task. Answers 0 when fn has returned,
 * and then the job is the caller's again; or ANYC_ECANCELLED, ANYC_ENOMEM, -EAGAIN (no thread at
 * all), and then `dispose` was called or will be, when fn has returned, if it ever began. */
int anyc__worker_run(anyc_task *task, struct worker_job *job);

/* The run's token, borrowed; NULL without memory when it is asked for first. */
anyc_token *anyc__worker_token(anyc_loop *loop);

/* The list of services (job_token.h). */
anyc_list *anyc__worker_services(struct worker_pool *pool);

/* The run's limiter of a kind: ANYC_ENOMEM when it is asked for first. */
int anyc__worker_limiter(anyc_loop *loop, enum worker_kind kind,
                         anyc_capacity_limiter **out_limiter);

/* How long a worker stays without a job. Tests shorten it, before the run. */
extern int64_t anyc__worker_idle_ns;

#endif
