/* SPDX-License-Identifier: MIT */
/*
 * sample.h - what a process has used up to now: processor time, context switches, memory.
 */
#ifndef ANYC_BENCH_SAMPLE_H
#define ANYC_BENCH_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sample {
    int64_t wall_ns;           /* when it was taken, monotonic clock */
    int64_t own_cpu_ns;        /* processor time of the load generator itself */
    int64_t cpu_ns;            /* of the server: all its threads, user and system */
    int64_t system_ns;         /* the system part, in clock ticks (10 ms) */
    uint64_t voluntary;        /* context switches because it had nothing to do */
    uint64_t involuntary;      /* context switches because it was preempted */
    uint64_t resident_bytes;   /* zero unless asked for */
    uint64_t page_table_bytes; /* zero unless asked for */
};

int64_t now_ns(void);

/* Fill *out for process `pid` (0: only the load generator's own part). False: no such process. */
bool sample_take(pid_t pid, bool with_memory, struct sample *out);

#endif
