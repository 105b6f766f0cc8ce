/* SPDX-License-Identifier: MIT */
/*
 * waits.c - measures of time and runs: sleeps, timeouts, an empty run.
 */
#include "micro.h"

#include <stdbool.h>

#include <anyc/cancel.h>
#include <anyc/event.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>

static const double sleep_max_seconds = 0.5;
static const double timeout_seconds = 1.0;

/* What all sleepers share; all zero at first. */
struct dormitory {
    uint64_t times; /* each sleeps */
    uint64_t random;
    size_t ready;
    anyc_event release;
};

static int sleeper_run(void *arg)
{
    struct dormitory *dormitory = arg;
    int rc;

    dormitory->ready++;
    rc = anyc_event_wait(&dormitory->release);
    for (uint64_t i = 0; i < dormitory->times && rc == 0; i++)
        rc = anyc_sleep(random_next(&dormitory->random) * sleep_max_seconds);
    return rc;
}

/* From the moment all tasks begin to sleep, 0 to 0.5 s each, until the last has ended. */
int bench_sleep(struct bench *bench)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct dormitory dormitory = {.times = bench->rounds, .random = RANDOM_START};
    int rc = anyc_task_group_enter(&group);

    for (size_t i = 0; i < bench->count && rc == 0; i++)
        rc = anyc_task_group_start_soon(&group, sleeper_run, &dormitory, NULL);
    while (rc == 0 && dormitory.ready < bench->count)
        rc = anyc_checkpoint();
    bench_start(bench);
    anyc_event_set(&dormitory.release);
    rc = anyc_task_group_exit(&group, rc);
    bench_stop(bench);
    bench->ops = (double)bench->count * (double)bench->rounds;
    return rc;
}

static int timeouts(struct bench *bench, bool checkpoint)
{
    int rc = 0;

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++) {
        anyc_cancel_scope scope;

        rc = anyc_fail_after(&scope, timeout_seconds, false);
        if (rc == 0 && checkpoint)
            rc = anyc_checkpoint_if_cancelled();
        rc = anyc_cancel_scope_exit(&scope, rc);
    }
    bench_stop(bench);
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

int bench_run_empty(struct bench *bench)
{
    const anyc_run_options options = bench_options(bench);
    int rc = 0;

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++)
        rc = anyc_run_with(do_nothing, NULL, &options);
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    return rc;
}

static int first_run(struct bench *bench)
{
    const anyc_run_options options = bench_options(bench);
    int rc;

    bench_start(bench);
    rc = anyc_run_with(do_nothing, NULL, &options);
    bench_stop(bench);
    return rc;
}

/* In a process that has not run anything. */
int bench_run_first(struct bench *bench)
{
    return measure_in_children(bench, first_run);
}
