/* SPDX-License-Identifier: MIT */
/*
 * worker.h - one worker thread, for the pool only. All functions are called on the loop's thread.
 *
 * The loop gives a worker one job at a time and hears of its end by a post; it owns the lists and
 * everything else that is not marked here. A worker that got no job for a while leaves by itself
 * and is joined when the pool next looks at it.
 */
#ifndef ANYC_THREADS_WORKER_H
#define ANYC_THREADS_WORKER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "core/list.h"
#include "threads/run_token.h"
#include "threads/worker_pool.h"

/* Invariant: the value of `wake` is 1 iff `job` was set and not yet taken, apart from the moments
 * in which the two follow each other. */
struct worker {
    anyc_list link;             /* in the pool's list of idle or busy ones */
    struct worker_job *running; /* given last */
    pthread_t thread;
    anyc_loop *loop;         /* valid while the run waits for the job */
    struct run_token *token; /* one reference */
    int64_t idle_ns;

    sem_t wake;
    _Atomic(struct worker_job *) job; /* given and not yet taken; or a mark, see worker.c */

    bool reported; /* the loop was told of the end of `running`; under the token's lock */
};

/* A new thread that begins with `job`. Answers 0, ANYC_ENOMEM or -EAGAIN. */
int anyc__worker_create(anyc_loop *loop, struct run_token *token, struct worker_job *job,
                        struct worker **out_worker);

/* Give an idle worker its next job; the end of each is posted to the loop by job->post. False if it
 * has left. */
bool anyc__worker_give(struct worker *worker, struct worker_job *job);

/* Has the thread ended by itself, or is it about to? */
bool anyc__worker_has_left(struct worker *worker);

/* Tell an idle worker to end. */
void anyc__worker_quit(struct worker *worker);

/* Wait for the end of a worker that has left or was told to end, and free it. */
void anyc__worker_join(struct worker *worker);

/* Leave a worker to itself: it will end after its job, and free itself. With the token locked. */
void anyc__worker_cast_off(struct worker *worker);

#endif
