/* SPDX-License-Identifier: MIT */
/*
 * micro_fork.c - what a call of another process costs at least: a byte to a forked child and one back,
 * through two pipes.
 *
 *   micro_fork [--rounds N] [MEASURE ...]
 *
 * It has the measure of bench/micro/worker_processes.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

#include "../micro/measure.h"

/* Send each byte back until there are no more. */
static void child_main(int in, int out)
{
    char byte;

    while (read(in, &byte, 1) == 1 && write(out, &byte, 1) == 1)
        continue;
    _exit(0);
}

static int round_trips(struct bench *bench, int in, int out)
{
    char byte = 'x';
    int rc = 0;

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++) {
        if (write(out, &byte, 1) != 1 || read(in, &byte, 1) != 1)
            rc = -EIO;
    }
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    return rc;
}

static int bench_pipes(struct bench *bench)
{
    int there[2];
    int back[2];
    pid_t pid;
    int rc;

    if (pipe(there) < 0)
        return -errno;
    if (pipe(back) < 0) {
        close(there[0]);
        close(there[1]);
        return -errno;
    }
    pid = fork();
    if (pid == 0) {
        close(there[1]);
        child_main(there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    rc = pid < 0 ? -errno : round_trips(bench, back[0], there[1]);
    close(there[1]);
    close(back[0]);
    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
    return rc;
}

static const struct measure measures[] = {
    {"to_process", "to_process", 1, "ns", 0, false, true, bench_pipes},
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
    static const struct program program = {"micro_fork", measures,
                                           sizeof measures / sizeof measures[0], false, micro_take};

    return program_main(&program, argc, argv);
}
