/* SPDX-License-Identifier: MIT */
/*
 * threads.c - measures of calls between threads: from a task into a worker thread, from there into
 * the loop, and through a blocking portal.
 */
#include "micro.h"

#include <stdbool.h>

#include <anyc/portal.h>
#include <anyc/thread.h>

static int do_nothing(void *arg)
{
    (void)arg;
    return 0;
}

int bench_to_thread(struct bench *bench)
{
    int rc = anyc_to_thread_run_sync(do_nothing, NULL, NULL, NULL); /* starts the thread */

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++)
        rc = anyc_to_thread_run_sync(do_nothing, NULL, NULL, NULL);
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    return rc;
}

static int call_task_functions(void *arg)
{
    struct bench *bench = arg;
    int rc = 0;

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++)
        rc = anyc_from_thread_run(do_nothing, NULL, NULL, NULL);
    bench_stop(bench);
    return rc;
}

static int call_plain_functions(void *arg)
{
    struct bench *bench = arg;
    int rc = 0;

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++)
        rc = anyc_from_thread_run_sync(do_nothing, NULL, NULL, NULL);
    bench_stop(bench);
    return rc;
}

int bench_from_thread(struct bench *bench)
{
    bench->ops = (double)bench->rounds;
    return anyc_to_thread_run_sync(call_task_functions, bench, NULL, NULL);
}

int bench_from_thread_sync(struct bench *bench)
{
    bench->ops = (double)bench->rounds;
    return anyc_to_thread_run_sync(call_plain_functions, bench, NULL, NULL);
}

/* The portal has a loop of its own; this thread runs none. */
int bench_portal_call(struct bench *bench)
{
    anyc_blocking_portal *portal;
    int rc = anyc_start_blocking_portal(bench->backend, NULL, &portal);

    if (rc < 0)
        return rc;
    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++)
        rc = anyc_blocking_portal_call(portal, do_nothing, NULL, NULL);
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    anyc_aclose(portal);
    return rc;
}
