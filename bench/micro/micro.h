/* SPDX-License-Identifier: MIT */
/*
 * micro.h - the measures of bench/micro: each is a function that does `rounds` rounds and says how
 * long they took.
 *
 * main.c holds the table of all measures and chooses the rounds. peers/micro.go has the same names,
 * numbers and units.
 */
#ifndef ANYC_BENCH_MICRO_H
#define ANYC_BENCH_MICRO_H

#include <stddef.h>
#include <stdint.h>

#include <anyc/loop.h>

struct bench {
    const anyc_run_options *options; /* of the run */
    size_t count;                    /* tasks or items */
    uint64_t rounds;
    double total; /* out: ns, CPU ns or bytes */
    double ops;   /* out: how many operations that was */
};

/* Runs in the main task (measures of a run itself: outside of any). 0 or an error code. */
typedef int (*bench_fn)(struct bench *bench);

double clock_ns(void);     /* monotonic */
double cpu_clock_ns(void); /* processor time of this process */

/* Bytes of this process that are resident, page tables included. */
double memory_bytes(void);

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
int bench_to_thread(struct bench *bench);
int bench_run_empty(struct bench *bench);

/* sync.c */
int bench_event_wake(struct bench *bench);
int bench_event_wake_all(struct bench *bench);
int bench_lock_free(struct bench *bench);
int bench_lock_free_yield(struct bench *bench);
int bench_lock_contended(struct bench *bench);
int bench_semaphore(struct bench *bench);
int bench_memory_stream(struct bench *bench);

#endif
