/* SPDX-License-Identifier: MIT */
/*
 * main.c - micro: what a task, a wait, a lock or a stream costs. Prints one JSON line a measure.
 *
 *   micro [--backend NAME] [--stack KIB] [--count N] [MEASURE ...]
 *   micro --list
 *
 * A measure is named by its name or its family; --count replaces its number of tasks or items.
 * Rounds are doubled until they take 0.1 s, except for measures that are one round by nature.
 */
#include "micro.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <anyc/error.h>

static const double long_enough_ns = 100e6;

struct measure {
    const char *family;
    const char *name;
    size_t count;
    const char *unit;
    bool fixed;   /* one round */
    bool outside; /* the measure runs its own loops */
    bench_fn run;
};

static const struct measure measures[] = {
    {"yield", "yield_1", 1, "ns", false, false, bench_yield},
    {"yield", "yield_2", 2, "ns", false, false, bench_yield},
    {"yield", "yield_1000", 1000, "ns", false, false, bench_yield},
    {"yield", "yield_100000", 100000, "ns", false, false, bench_yield},
    {"yield_mixed", "yield_mixed", 2, "ns", false, false, bench_yield_mixed},
    {"spawn_join", "spawn_join", 1, "ns", false, false, bench_spawn_join},
    {"spawn_cold", "spawn_cold", 100000, "ns", true, false, bench_spawn_cold},
    {"spawn_warm", "spawn_warm", 100000, "ns", true, false, bench_spawn_warm},
    {"memory_stream", "memory_stream_0", 0, "ns", false, false, bench_memory_stream},
    {"memory_stream", "memory_stream_128", 128, "ns", false, false, bench_memory_stream},
    {"lock_free", "lock_free", 1, "ns", false, false, bench_lock_free},
    {"lock_free_yield", "lock_free_yield", 1, "ns", false, false, bench_lock_free_yield},
    {"lock_contended", "lock_contended", 10, "ns", false, false, bench_lock_contended},
    {"semaphore", "semaphore", 1, "ns", false, false, bench_semaphore},
    {"event_wake", "event_wake", 2, "ns", false, false, bench_event_wake},
    {"event_wake_all", "event_wake_all", 1000, "ns", false, false, bench_event_wake_all},
    {"sleep", "sleep", 100000, "cpu ns", true, false, bench_sleep},
    {"timeout_noop", "timeout_noop", 1, "ns", false, false, bench_timeout_noop},
    {"timeout_checkpoint", "timeout_checkpoint", 1, "ns", false, false, bench_timeout_checkpoint},
    {"cancel", "cancel", 100000, "ns", true, false, bench_cancel},
    {"million", "million", 1000000, "ns", true, false, bench_million},
    {"run_empty", "run_empty", 1, "ns", false, true, bench_run_empty},
    {"to_thread", "to_thread", 1, "ns", false, false, bench_to_thread},
    {"task_memory", "task_memory", 100000, "bytes", true, false, bench_task_memory},
};
enum { MEASURE_COUNT = sizeof measures / sizeof measures[0] };

struct arguments {
    anyc_run_options options;
    size_t count; /* 0: each measure's own */
    bool list;
    char **names;
    int name_count; /* 0: all measures */
};

/* A measure on its way: the argument of the main task. */
struct job {
    const struct measure *measure;
    struct bench bench;
};

static double timespec_ns(clockid_t id)
{
    struct timespec ts = {0};

    clock_gettime(id, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

double clock_ns(void)
{
    return timespec_ns(CLOCK_MONOTONIC);
}

double cpu_clock_ns(void)
{
    return timespec_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* The number of KiB after `label` in one of this process's /proc files. */
static double proc_bytes(const char *path, const char *label)
{
    char line[256];
    double kib = 0;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, label, strlen(label)) == 0) {
            kib = strtod(line + strlen(label), NULL);
            break;
        }
    }
    fclose(file);
    return kib * 1024;
}

double memory_bytes(void)
{
    return proc_bytes("/proc/self/smaps_rollup", "Rss:") +
           proc_bytes("/proc/self/status", "VmPTE:");
}

static int job_run(void *arg)
{
    struct job *job = arg;
    int rc;

    job->bench.rounds = 1;
    rc = job->measure->run(&job->bench);
    while (rc >= 0 && !job->measure->fixed && job->bench.total < long_enough_ns) {
        job->bench.rounds *= 2;
        rc = job->measure->run(&job->bench);
    }
    return rc;
}

static int measure_report(const struct measure *measure, const struct arguments *arguments)
{
    struct job job = {.measure = measure, .bench = {.options = &arguments->options}};
    int rc;

    job.bench.count = arguments->count > 0 ? arguments->count : measure->count;
    rc = measure->outside ? job_run(&job) : anyc_run_with(job_run, &job, &arguments->options);
    if (rc < 0) {
        fprintf(stderr, "%s: %s: %s\n", measure->name, anyc_error_name(rc),
                anyc_last_error()->message);
        return rc;
    }
    printf("{\"name\": \"%s\", \"value\": %.3f, \"unit\": \"%s\", \"count\": %zu}\n", measure->name,
           job.bench.total / job.bench.ops, measure->unit, job.bench.count);
    fflush(stdout);
    return 0;
}

static bool arguments_name(const struct arguments *arguments, const char *name)
{
    for (int i = 0; i < arguments->name_count; i++) {
        if (strcmp(arguments->names[i], name) == 0)
            return true;
    }
    return arguments->name_count == 0;
}

/* With a count given, one measure of a family stands for all. */
static bool measure_wanted(size_t index, const struct arguments *arguments)
{
    const struct measure *measure = &measures[index];

    if (arguments->count > 0 && index > 0 &&
        strcmp(measures[index - 1].family, measure->family) == 0)
        return false;
    if (arguments->count > 0)
        return arguments_name(arguments, measure->family);
    return arguments_name(arguments, measure->name) || arguments_name(arguments, measure->family);
}

static bool parse_size(const char *text, size_t *out)
{
    char *end = NULL;
    uintmax_t value = strtoumax(text, &end, 10);

    if (end == text || *end != '\0' || value == 0 || value > SIZE_MAX / 1024)
        return false;
    *out = (size_t)value;
    return true;
}

static bool arguments_parse(int argc, char **argv, struct arguments *out)
{
    size_t stack_kib = 0;
    bool ok = true;
    int i;

    *out = (struct arguments){0};
    for (i = 1; i < argc && argv[i][0] == '-' && ok; i++) {
        if (strcmp(argv[i], "--list") == 0)
            out->list = true;
        else if (strcmp(argv[i], "--backend") == 0 && i + 1 < argc)
            out->options.backend = argv[++i];
        else if (strcmp(argv[i], "--stack") == 0 && i + 1 < argc)
            ok = parse_size(argv[++i], &stack_kib);
        else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc)
            ok = parse_size(argv[++i], &out->count);
        else
            ok = false;
    }
    if (!ok)
        fprintf(stderr, "usage: micro [--backend NAME] [--stack KIB] [--count N] [MEASURE ...]\n"
                        "       micro --list\n");
    out->options.stack_size = stack_kib * 1024;
    out->names = argv + i;
    out->name_count = argc - i;
    return ok;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    int failures = 0;

    if (!arguments_parse(argc, argv, &arguments))
        return 2;
    for (size_t i = 0; i < MEASURE_COUNT; i++) {
        if (arguments.list)
            puts(measures[i].name);
        else if (measure_wanted(i, &arguments) && measure_report(&measures[i], &arguments) < 0)
            failures++;
    }
    return failures == 0 ? 0 : 1;
}
