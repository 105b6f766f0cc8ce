/* SPDX-License-Identifier: MIT */
/*
 * micro_spawn.c - what it costs to start a program and wait for its end by the C library alone:
 * posix_spawn and waitpid.
 *
 *   micro_spawn [--rounds N] [MEASURE ...]
 *
 * It has the measure of bench/micro/processes.c.
 */
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

#include "../micro/measure.h"

static int bench_spawn(struct bench *bench)
{
    static char path[] = "/bin/true";
    char *const argv[] = {path, NULL};
    int rc = 0;

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++) {
        pid_t pid;

        rc = posix_spawn(&pid, path, NULL, NULL, argv, environ);
        if (rc == 0)
            (void)waitpid(pid, NULL, 0);
    }
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    return -rc;
}

static const struct measure measures[] = {
    {"process", "process", 1, "ns", 0, false, true, bench_spawn},
};

static int micro_take(const struct measure *measure, struct bench *bench)
{
    int rc = measure_take(measure, bench);

    if (rc < 0)
        fprintf(stderr, "%s: %s\n", measure->name, strerror(-rc));
    return rc;
}

int main(int argc, char **argv)
{
    static const struct program program = {"micro_spawn", measures,
                                           sizeof measures / sizeof measures[0], false, micro_take};

    return program_main(&program, argc, argv);
}
