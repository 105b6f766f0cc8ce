/* SPDX-License-Identifier: MIT */
/*
 * job_token.h - the token of the limiter that a job holds from before its start to its end.
 *
 * A worker that calls into the loop keeps its token while it waits. If what runs for it there calls
 * a worker thread again, many of them could wait for each other's tokens for ever. So a call that
 * is made on behalf of a worker, when the limiter has no free token, borrows that of the worker.
 */
#ifndef ANYC_THREADS_JOB_TOKEN_H
#define ANYC_THREADS_JOB_TOKEN_H

#include "threads/worker_pool.h"

/* A task that runs a function for a worker that waits, on the task's stack. */
struct job_service {
    anyc_list link; /* in the pool's list: that of a nested service stands before the outer one */
    const anyc_task *task;
    struct worker_job *job;
};

/* The running task begins, and ends, to run a function for the worker that has this job. */
void anyc__job_service_begin(struct job_service *service, struct worker_job *job);
void anyc__job_service_end(struct job_service *service);

/* Does this task, or one around it, run a function for a worker? */
bool anyc__job_is_nested(const anyc_task *task, const struct worker_job *job);

/* Take a token for the job of this task: without a yield if there is a free one, for anyc__enter
 * took care of fairness. Answers 0, ANYC_ECANCELLED or ANYC_ENOMEM. */
int anyc__job_token_take(anyc_task *task, struct worker_job *job);

/* Give it back, to whom it was borrowed from if that is so. */
void anyc__job_token_give_back(struct worker_job *job);

#endif
