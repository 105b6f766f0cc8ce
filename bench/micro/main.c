/* SPDX-License-Identifier: MIT */
/*
 * main.c - micro: what a task, a wait, a lock or a stream costs. Prints one JSON line a measure.
 *
 *   micro [--backend NAME] [--stack KIB] [--count N] [--rounds N] [MEASURE ...]
 *   micro --list
 *
 * A measure is named by its name or its family; --count replaces its number of tasks or items, and
 * then the first of a family stands for all.
 */
#include "micro.h"

#include <stdio.h>

#include <anyc/error.h>

/* What is measured in a child comes first: the child has what its parent had done. */
static const struct measure measures[] = {
    {"run_first", "run_first", 1, "ns", 0, false, true, bench_run_first},
    {"yield", "yield_1", 1, "ns", 0, false, false, bench_yield},
    {"yield", "yield_2", 2, "ns", 0, false, false, bench_yield},
    {"yield", "yield_1000", 1000, "ns", 0, false, false, bench_yield},
    {"yield", "yield_100000", 100000, "ns", 0, false, false, bench_yield},
    {"yield_mixed", "yield_mixed", 2, "ns", 0, false, false, bench_yield_mixed},
    {"spawn_join", "spawn_join", 1, "ns", 0, false, false, bench_spawn_join},
    {"spawn_cold", "spawn_cold", 100000, "ns", 0, true, false, bench_spawn_cold},
    {"spawn_warm", "spawn_warm", 100000, "ns", 0, true, false, bench_spawn_warm},
    {"memory_stream", "memory_stream_0", 0, "ns", 0, false, false, bench_memory_stream},
    {"memory_stream", "memory_stream_128", 128, "ns", 0, false, false, bench_memory_stream},
    {"lock_free", "lock_free", 1, "ns", 0, false, false, bench_lock_free},
    {"lock_free_yield", "lock_free_yield", 1, "ns", 0, false, false, bench_lock_free_yield},
    {"lock_contended", "lock_contended", 10, "ns", 0, false, false, bench_lock_contended},
    {"lock_handover", "lock_handover", 10, "ns", 0, false, false, bench_lock_handover},
    {"semaphore", "semaphore", 1, "ns", 0, false, false, bench_semaphore},
    {"event_wake", "event_wake", 2, "ns", 0, false, false, bench_event_wake},
    {"event_wake_all", "event_wake_all", 1000, "ns", 0, false, false, bench_event_wake_all},
    {"sleep", "sleep", 100000, "cpu ns", 0, true, false, bench_sleep},
    {"timeout_noop", "timeout_noop", 1, "ns", 0, false, false, bench_timeout_noop},
    {"timeout_checkpoint", "timeout_checkpoint", 1, "ns", 0, false, false,
     bench_timeout_checkpoint},
    {"echo", "echo", 1, "ns", 0, false, false, bench_echo},
    {"echo_timeout", "echo_timeout", 1, "ns", 0, false, false, bench_echo_timeout},
    {"cancel", "cancel", 100000, "ns", 0, true, false, bench_cancel},
    {"million", "million", 1000000, "ns", 0, true, false, bench_million},
    {"run_empty", "run_empty", 1, "ns", 0, false, true, bench_run_empty},
    {"to_thread", "to_thread", 1, "ns", 0, false, false, bench_to_thread},
    {"from_thread", "from_thread", 1, "ns", 0, false, false, bench_from_thread},
    {"from_thread_sync", "from_thread_sync", 1, "ns", 0, false, false, bench_from_thread_sync},
    {"portal_call", "portal_call", 1, "ns", 0, false, true, bench_portal_call},
    {"process", "process", 1, "ns", 0, false, false, bench_process},
    {"to_process", "to_process", 1, "ns", 0, false, false, bench_to_process},
    {"task_memory", "task_memory_100k", 100000, "bytes", 0, true, false, bench_task_memory},
    {"task_memory", "task_memory_100k_64k", 100000, "bytes", 64, true, false, bench_task_memory},
    {"task_memory", "task_memory_1m", 1000000, "bytes", 0, true, false, bench_task_memory},
    {"task_memory", "task_memory_1m_64k", 1000000, "bytes", 64, true, false, bench_task_memory},
};

/* A measure on its way: the argument of the main task. */
struct job {
    const struct measure *measure;
    struct bench *bench;
};

anyc_run_options bench_options(const struct bench *bench)
{
    return (anyc_run_options){.backend = bench->backend, .stack_size = bench->stack_size};
}

static int job_run(void *arg)
{
    const struct job *job = arg;

    return measure_take(job->measure, job->bench);
}

static int micro_take(const struct measure *measure, struct bench *bench)
{
    const anyc_run_options options = bench_options(bench);
    struct job job = {measure, bench};
    int rc = measure->outside ? job_run(&job) : anyc_run_with(job_run, &job, &options);

    if (rc < 0)
        fprintf(stderr, "%s: %s: %s\n", measure->name, anyc_error_name(rc),
                anyc_last_error()->message);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct program program = {"micro", measures, sizeof measures / sizeof measures[0],
                                           true, micro_take};

    return program_main(&program, argc, argv);
}
