/* SPDX-License-Identifier: MIT */
/*
 * measure.h - what all programs of micro measures share: the table of measures, the command line,
 * the choice of rounds, the clocks, and one JSON line a measure.
 *
 * Uses nothing of anyc: the peers of other libraries in bench/peers are made of it too.
 */
#ifndef ANYC_BENCH_MEASURE_H
#define ANYC_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One measurement: what is asked for, then what came out. */
struct bench {
    const char *backend; /* anyc's; NULL: not given */
    size_t stack_size;   /* bytes for a task; 0: the library's own */
    size_t count;        /* tasks or items */
    uint64_t rounds;     /* 1 if the measure is fixed and none were given */
    bool cpu;            /* processor time counts */
    double started;
    double total; /* out, 0 at first: ns, CPU ns or bytes */
    double ops;   /* out: how many operations that was */
};

/* Takes one measurement. 0 or a negative code. */
typedef int (*bench_fn)(struct bench *bench);

struct measure {
    const char *family;
    const char *name;
    size_t count;
    const char *unit;
    size_t stack_kib; /* 0: the library's own */
    bool fixed;       /* one round, unless more were given */
    bool outside;     /* the measure runs its own loops */
    bench_fn run;
};

struct program {
    const char *name;
    const struct measure *measures;
    size_t measure_count;
    bool has_backends;
    /* Take one measure: set the library up, call measure_take, and say why if it failed. */
    int (*take)(const struct measure *measure, struct bench *bench);
};

/* All that main() does. Its exit code. */
int program_main(const struct program *program, int argc, char **argv);

/* Run a measure; unless rounds were given or it is fixed, double them until they take 0.1 s. */
int measure_take(const struct measure *measure, struct bench *bench);

/* For what a process can do only once: `once` measures in a child, one for each round. */
int measure_in_children(struct bench *bench, bench_fn once);

/* What counts begins and ends: the time between is added to total. Run by callgrind, the program
 * says so to it, so that it counts the instructions of the same part. */
void bench_start(struct bench *bench);
void bench_stop(struct bench *bench);

/* Bytes of this process that are resident, page tables included. */
double memory_bytes(void);

/* The next number of a small generator, 0 to 1. The same sequence from the same state. */
double random_next(uint64_t *state);
#define RANDOM_START UINT64_C(88172645463325252)

#ifdef __cplusplus
}
#endif

#endif
