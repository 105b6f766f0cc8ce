/* SPDX-License-Identifier: MIT */
/*
 * waits.c - measures of time, threads and runs: sleeps, timeouts, a call in a worker thread, an
 * empty run.
 */
#include "micro.h"

#include <stdbool.h>

#include <anyc/cancel.h>
#include <anyc/event.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/thread.h>

static const double sleep_max_seconds = 0.5;
static const double timeout_seconds = 1.0;

/* What all sleepers share (all zero at first), and the argument of one. */
struct dormitory {
    size_t ready;
    anyc_event release;
};

struct sleeper {
    struct dormitory *dormitory;
    double seconds;
};

/* The next number of a small generator, 0 to 1; the same sequence in every run. */
static double random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (double)(*state >> 11) / (double)(UINT64_C(1) << 53);
}

static int sleeper_run(void *arg)
{
    const struct sleeper *sleeper = arg;
    int rc;

    sleeper->dormitory->ready++;
    rc = anyc_event_wait(&sleeper->dormitory->release);
    return rc < 0 ? rc : anyc_sleep(sleeper->seconds);
}

/* From the moment all tasks begin to sleep, 0 to 0.5 s each, until the last has ended. */
int bench_sleep(struct bench *bench)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct dormitory dormitory = {0};
    uint64_t state = 88172645463325252U;
    double start_ns;
    int rc = anyc_task_group_enter(&group);

    for (size_t i = 0; i < bench->count && rc == 0; i++) {
        struct sleeper sleeper = {&dormitory, random_next(&state) * sleep_max_seconds};

        rc = anyc_task_group_start_soon_copy(&group, sleeper_run, &sleeper, sizeof sleeper, NULL);
    }
    while (rc == 0 && dormitory.ready < bench->count)
        rc = anyc_checkpoint();
    start_ns = cpu_clock_ns();
    anyc_event_set(&dormitory.release);
    rc = anyc_task_group_exit(&group, rc);
    bench->total = cpu_clock_ns() - start_ns;
    bench->ops = (double)bench->count;
    return rc;
}

static int timeouts(struct bench *bench, bool checkpoint)
{
    double start_ns = clock_ns();
    int rc = 0;

    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++) {
        anyc_cancel_scope scope;

        rc = anyc_fail_after(&scope, timeout_seconds, false);
        if (rc == 0 && checkpoint)
            rc = anyc_checkpoint_if_cancelled();
        rc = anyc_cancel_scope_exit(&scope, rc);
    }
    bench->total = clock_ns() - start_ns;
    bench->ops = (double)bench->rounds;
    return rc;
}

int bench_timeout_noop(struct bench *bench)
{
    return timeouts(bench, false);
}

int bench_timeout_checkpoint(struct bench *bench)
{
    return timeouts(bench, true);
}

static int do_nothing(void *arg)
{
    (void)arg;
    return 0;
}

int bench_to_thread(struct bench *bench)
{
    double start_ns;
    int rc = anyc_to_thread_run_sync(do_nothing, NULL, NULL, NULL); /* starts the thread */

    start_ns = clock_ns();
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++)
        rc = anyc_to_thread_run_sync(do_nothing, NULL, NULL, NULL);
    bench->total = clock_ns() - start_ns;
    bench->ops = (double)bench->rounds;
    return rc;
}

int bench_run_empty(struct bench *bench)
{
    double start_ns = clock_ns();
    int rc = 0;

    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++)
        rc = anyc_run_with(do_nothing, NULL, bench->options);
    bench->total = clock_ns() - start_ns;
    bench->ops = (double)bench->rounds;
    return rc;
}
