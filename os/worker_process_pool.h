/* SPDX-License-Identifier: MIT */
/*
 * worker_process_pool.h - the worker processes of a run.
 */
#ifndef ANYC_OS_WORKER_PROCESS_POOL_H
#define ANYC_OS_WORKER_PROCESS_POOL_H

#include <anyc/capacity_limiter.h>

#include "os/worker_process_link.h"

struct worker_process_pool {
    anyc_list idle; /* first: idle for the longest time */
    anyc_capacity_limiter limiter;
};

/* The run's pool, made when it is asked for first: ANYC_ENOMEM. */
int anyc__worker_process_pool(anyc_loop *loop, struct worker_process_pool **out_pool);

/* The worker that became idle last, or a new one; those that have been idle for too long are ended.
 * Errors as of anyc__worker_process_start. */
int anyc__worker_process_take(anyc_loop *loop, struct worker_process **out_worker);

/* Give a worker that is ready for the next request back. */
void anyc__worker_process_give_back(anyc_loop *loop, struct worker_process *worker);

#endif
