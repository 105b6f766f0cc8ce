/* SPDX-License-Identifier: MIT */
/*
 * micro.h - the measures of anyc. main.c holds their table.
 */
#ifndef ANYC_BENCH_MICRO_H
#define ANYC_BENCH_MICRO_H

#include <anyc/loop.h>

#include "measure.h"

/* What a measurement asks of a run. */
anyc_run_options bench_options(const struct bench *bench);

/* tasks.c */
int bench_yield(struct bench *bench);
int bench_yield_mixed(struct bench *bench);
int bench_spawn_join(struct bench *bench);
int bench_spawn_cold(struct bench *bench);
int bench_spawn_warm(struct bench *bench);
int bench_cancel(struct bench *bench);
int bench_million(struct bench *bench);
int bench_task_memory(struct bench *bench);

/* waits.c */
int bench_sleep(struct bench *bench);
int bench_timeout_noop(struct bench *bench);
int bench_timeout_checkpoint(struct bench *bench);
int bench_run_empty(struct bench *bench);
int bench_run_first(struct bench *bench);

/* threads.c */
int bench_to_thread(struct bench *bench);
int bench_from_thread(struct bench *bench);
int bench_from_thread_sync(struct bench *bench);
int bench_portal_call(struct bench *bench);

/* processes.c */
int bench_process(struct bench *bench);

/* worker_processes.c */
int bench_to_process(struct bench *bench);

/* echo.c */
int bench_echo(struct bench *bench);
int bench_echo_timeout(struct bench *bench);

/* sync.c */
int bench_event_wake(struct bench *bench);
int bench_event_wake_all(struct bench *bench);
int bench_lock_free(struct bench *bench);
int bench_lock_free_yield(struct bench *bench);
int bench_lock_contended(struct bench *bench);
int bench_lock_handover(struct bench *bench);
int bench_semaphore(struct bench *bench);
int bench_memory_stream(struct bench *bench);

#endif
