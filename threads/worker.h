/* SPDX-License-Identifier: MIT */
/*
 * worker.h - one worker thread. What the pool calls is called on the loop's thread.
 *
 * The loop gives a worker one job at a time and hears of its end by a post; it owns the lists and
 * everything else that is not marked here. A worker that got no job for a while leaves by itself and
 * is joined when the pool next looks at it, but not one that is to stay.
 */
#ifndef ANYC_THREADS_WORKER_H
#define ANYC_THREADS_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/list.h"
#include "threads/parker.h"
#include "threads/run_token.h"
#include "threads/worker_pool.h"

#define ANYC__WORKER_NAME "anyc-worker" /* of its thread, if the job does not give it another */

struct worker {
    anyc_list link;             /* in one of the pool's lists */
    struct worker_job *running; /* given last */
    bool stays;                 /* after that one it is to wait as long as it takes */
    pthread_t thread;
    anyc_loop *loop;   /* valid while the run waits for the job */
    anyc_token *token; /* one reference */
    int64_t idle_ns;

    struct parker parker;             /* posted to when `job` was set */
    _Atomic(struct worker_job *) job; /* given and not yet taken; or a mark, see worker.c */

    bool reported;      /* the loop was told of the end of `running`; written inside the token */
    atomic_bool parted; /* one of loop and worker has let go of the other: the run has ended */
};

/* The worker that the calling thread is, while it runs a job; else NULL. */
struct worker *anyc__worker_current(void);

/* A new thread that begins with `job`, and stays after it or not. Answers 0, ANYC_ENOMEM or
 * -EAGAIN. */
int anyc__worker_create(anyc_loop *loop, anyc_token *token, struct worker_job *job, bool stays,
                        struct worker **out_worker);

/* Give an idle worker its next job; the end of each is posted to the loop by job->post. False if it
 * has left. */
bool anyc__worker_give(struct worker *worker, struct worker_job *job, bool stays);

/* Has the thread ended by itself, or is it about to? */
bool anyc__worker_has_left(struct worker *worker);

/* Tell an idle worker to end. */
void anyc__worker_quit(struct worker *worker);

/* Wait for the end of a worker that has left or was told to end, and free it. */
void anyc__worker_join(struct worker *worker);

/* Leave a busy worker to itself: it will end after its job, and free itself. After the token's
 * end. */
void anyc__worker_cast_off(struct worker *worker);

#endif
