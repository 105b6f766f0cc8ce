/* SPDX-License-Identifier: MIT */
/*
 * tasks.c - measures of tasks: switching, spawning, cancelling, memory.
 */
#include "micro.h"

#include <stdbool.h>

#include <anyc/event.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>

enum {
    YIELDS_BEFORE = 2, /* until all tasks have started */
    WARM_REPEATS = 3,
};
static const double an_hour = 3600.0;

/* Tasks that start, count themselves and wait. All zero at first. */
struct crowd {
    size_t ready;
    anyc_event release;
};

static int crowd_wait(void *arg)
{
    struct crowd *crowd = arg;

    crowd->ready++;
    return anyc_event_wait(&crowd->release);
}

static int crowd_sleep(void *arg)
{
    struct crowd *crowd = arg;

    crowd->ready++;
    return anyc_sleep(an_hour);
}

static int crowd_sleep_forever(void *arg)
{
    struct crowd *crowd = arg;

    crowd->ready++;
    return anyc_sleep_forever();
}

/* Start `count` tasks and let them run until they wait. */
static int crowd_start(struct crowd *crowd, anyc_task_group *group, anyc_task_fn fn, size_t count)
{
    int rc = 0;

    crowd->ready = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = anyc_task_group_start_soon(group, fn, crowd, NULL);
    while (rc == 0 && crowd->ready < count)
        rc = anyc_checkpoint();
    return rc;
}

static int yield_some(uint64_t rounds)
{
    int rc = 0;

    for (uint64_t i = 0; i < rounds && rc == 0; i++)
        rc = anyc_checkpoint();
    return rc;
}

/* The argument of one yielding task. */
struct yielder {
    struct bench *bench;
    bool first; /* it measures the time */
};

static int yielder_run(void *arg)
{
    const struct yielder *yielder = arg;
    int rc = yield_some(YIELDS_BEFORE);

    if (yielder->first)
        bench_start(yielder->bench);
    if (rc == 0)
        rc = yield_some(yielder->bench->rounds);
    if (yielder->first)
        bench_stop(yielder->bench);
    return rc;
}

/* The same from other code. */
static int yielder_run_elsewhere(void *arg)
{
    const struct yielder *yielder = arg;
    uint64_t left = YIELDS_BEFORE + yielder->bench->rounds;
    int rc = 0;

    while (left-- > 0 && rc == 0)
        rc = anyc_checkpoint();
    return rc;
}

static int yielders_run(struct bench *bench, anyc_task_fn others)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc = anyc_task_group_enter(&group);

    for (size_t i = 0; i < bench->count && rc == 0; i++) {
        struct yielder yielder = {bench, i == 0};

        rc = anyc_task_group_start_soon_copy(&group, i == 0 ? yielder_run : others, &yielder,
                                             sizeof yielder, NULL);
    }
    bench->ops = (double)bench->count * (double)bench->rounds;
    return anyc_task_group_exit(&group, rc);
}

/* The clock runs from the first task's third turn on, when all of them have started. */
int bench_yield(struct bench *bench)
{
    return yielders_run(bench, yielder_run);
}

/* Tasks that run different code return to different places, which the processor predicts badly. */
int bench_yield_mixed(struct bench *bench)
{
    return yielders_run(bench, yielder_run_elsewhere);
}

static int do_nothing(void *arg)
{
    (void)arg;
    return 0;
}

int bench_spawn_join(struct bench *bench)
{
    int rc = 0;

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;

        rc = anyc_task_group_enter(&group);
        if (rc == 0)
            rc = anyc_task_group_start_soon(&group, do_nothing, NULL, NULL);
        rc = anyc_task_group_exit(&group, rc);
    }
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    return rc;
}

/* All tasks live at once: each waits until the last has started. */
int bench_spawn_cold(struct bench *bench)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct crowd crowd = {0};
    int rc = anyc_task_group_enter(&group);

    bench_start(bench);
    if (rc == 0)
        rc = crowd_start(&crowd, &group, crowd_wait, bench->count);
    anyc_event_set(&crowd.release);
    rc = anyc_task_group_exit(&group, rc);
    bench_stop(bench);
    bench->ops = (double)bench->count;
    return rc;
}

/* The mean of three after a first. */
int bench_spawn_warm(struct bench *bench)
{
    int rc = bench_spawn_cold(bench);

    bench->total = 0;
    for (int i = 0; i < WARM_REPEATS && rc >= 0; i++)
        rc = bench_spawn_cold(bench);
    bench->ops = WARM_REPEATS * (double)bench->count;
    return rc;
}

/* From the cancellation to the end of the last task. */
static int cancel_crowd(struct bench *bench)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct crowd crowd = {0};
    int rc = anyc_task_group_enter(&group);

    if (rc == 0)
        rc = crowd_start(&crowd, &group, crowd_sleep_forever, bench->count);
    bench_start(bench);
    anyc_task_group_cancel(&group, NULL);
    rc = anyc_task_group_exit(&group, rc);
    bench_stop(bench);
    return rc;
}

int bench_cancel(struct bench *bench)
{
    int rc = 0;

    for (uint64_t i = 0; i < bench->rounds && rc >= 0; i++)
        rc = cancel_crowd(bench);
    bench->ops = (double)bench->count * (double)bench->rounds;
    return rc;
}

/* Spawned, asleep with a deadline each, all cancelled. */
int bench_million(struct bench *bench)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct crowd crowd = {0};
    int rc = anyc_task_group_enter(&group);

    bench_start(bench);
    if (rc == 0)
        rc = crowd_start(&crowd, &group, crowd_sleep, bench->count);
    anyc_task_group_cancel(&group, NULL);
    rc = anyc_task_group_exit(&group, rc);
    bench_stop(bench);
    bench->ops = (double)bench->count;
    return rc;
}

int bench_task_memory(struct bench *bench)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct crowd crowd = {0};
    double before = memory_bytes();
    int rc = anyc_task_group_enter(&group);

    if (rc == 0)
        rc = crowd_start(&crowd, &group, crowd_sleep, bench->count);
    bench->total = memory_bytes() - before;
    bench->ops = (double)bench->count;
    anyc_task_group_cancel(&group, NULL);
    return anyc_task_group_exit(&group, rc);
}
