/* SPDX-License-Identifier: MIT */
/*
 * worker_processes.c - what a call of a function in a worker process costs, once there is a worker.
 */
#include "micro.h"

#include <anyc/worker_process.h>

static int do_nothing(const void *input, size_t input_size, anyc_bytes *output)
{
    (void)input;
    (void)input_size;
    (void)output;
    return 0;
}

int bench_to_process(struct bench *bench)
{
    int rc = anyc_to_process_run_sync(do_nothing, NULL, 0, NULL, NULL); /* starts the worker */

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++)
        rc = anyc_to_process_run_sync(do_nothing, NULL, 0, NULL, NULL);
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    return rc;
}
