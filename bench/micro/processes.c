/* SPDX-License-Identifier: MIT */
/*
 * processes.c - what it costs to start a program and wait for its end.
 */
#include "micro.h"

#include <stddef.h>

#include <anyc/process.h>

/* One program after the other, with this one's standard streams. */
int bench_process(struct bench *bench)
{
    static const char *const program[] = {"/bin/true", NULL};
    const anyc_process_options options = {
        .std_in = ANYC_STDIO_INHERIT, .std_out = ANYC_STDIO_INHERIT, .std_err = ANYC_STDIO_INHERIT};
    int rc = 0;

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++) {
        anyc_process *process;

        rc = anyc_open_process(program, &options, &process);
        if (rc == 0)
            rc = anyc_aclose(process);
    }
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    return rc;
}
