/* SPDX-License-Identifier: MIT */
/*
 * worker_process_start.h - start a worker process.
 */
#ifndef ANYC_OS_WORKER_PROCESS_START_H
#define ANYC_OS_WORKER_PROCESS_START_H

#include "os/worker_process_link.h"

/* A new worker, ready for a request, the calling task's. Answers 0; ANYC_EWORKER: it did not become
 * ready; ANYC_ECANCELLED, ANYC_ENOMEM; as anyc__worker_program_init, anyc__process_start and
 * anyc__process_exit_begin. With a message; there is no worker then. */
int anyc__worker_process_start(anyc_loop *loop, struct worker_process **out_worker);

/* How long a worker stays without a request, and how long it may take to become ready. Tests shorten
 * them. */
extern int64_t anyc__worker_process_idle_ns;
extern int64_t anyc__worker_process_ready_ns;

#endif
