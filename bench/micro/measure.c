/* SPDX-License-Identifier: MIT */
/*
 * measure.c - a program of micro measures: reads the command line, takes the measures, prints.
 */
#include "measure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT ((void)0)
#define CALLGRIND_DUMP_STATS_AT(name) ((void)(name))
#endif

static const double long_enough_ns = 100e6;

struct arguments {
    const char *backend; /* NULL: not given */
    size_t stack_kib;    /* these three, 0: each measure's own */
    size_t count;
    size_t rounds;
    bool list;
    char **names;
    int name_count; /* 0: all measures */
};

static double timespec_ns(clockid_t id)
{
    struct timespec ts = {0};

    clock_gettime(id, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static double bench_clock_ns(const struct bench *bench)
{
    return timespec_ns(bench->cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC);
}

void bench_start(struct bench *bench)
{
    bench->started = bench_clock_ns(bench);
    CALLGRIND_TOGGLE_COLLECT;
}

void bench_stop(struct bench *bench)
{
    CALLGRIND_TOGGLE_COLLECT;
    bench->total += bench_clock_ns(bench) - bench->started;
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

double random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (double)(*state >> 11) / (double)(UINT64_C(1) << 53);
}

/* Long enough, and not only because something else ran meanwhile. */
static bool took_long(double total, double total_of_half)
{
    return total >= long_enough_ns && total < 3 * total_of_half;
}

static int run_afresh(const struct measure *measure, struct bench *bench)
{
    bench->total = 0;
    return measure->run(bench);
}

int measure_take(const struct measure *measure, struct bench *bench)
{
    bool given = bench->rounds > 0;
    double total_of_half = long_enough_ns;
    int rc;

    if (!given)
        bench->rounds = 1;
    rc = run_afresh(measure, bench);
    while (rc >= 0 && !given && !measure->fixed && !took_long(bench->total, total_of_half)) {
        total_of_half = bench->total;
        bench->rounds *= 2;
        rc = run_afresh(measure, bench);
    }
    CALLGRIND_DUMP_STATS_AT(measure->name);
    return rc;
}

/* Fork, measure in the child, and leave it without the ends of the parent's libraries. */
static int measure_in_child(struct bench *shared, bench_fn once)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(once(shared) < 0 ? 1 : 0);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return -errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

int measure_in_children(struct bench *bench, bench_fn once)
{
    struct bench *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int rc = 0;

    if (shared == MAP_FAILED)
        return -errno;
    *shared = *bench;
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++)
        rc = measure_in_child(shared, once);
    bench->total = shared->total;
    bench->ops = (double)bench->rounds;
    munmap(shared, sizeof *shared);
    return rc;
}

static int measure_report(const struct program *program, const struct measure *measure,
                          const struct arguments *arguments)
{
    struct bench bench = {.backend = arguments->backend, .rounds = arguments->rounds};
    int rc;

    bench.stack_size =
        1024 * (arguments->stack_kib > 0 ? arguments->stack_kib : measure->stack_kib);
    bench.count = arguments->count > 0 ? arguments->count : measure->count;
    bench.cpu = strncmp(measure->unit, "cpu", 3) == 0;
    rc = program->take(measure, &bench);
    if (rc < 0)
        return rc;
    printf("{\"name\": \"%s\", \"value\": %.3f, \"unit\": \"%s\", \"count\": %zu, \"ops\": %.0f}\n",
           measure->name, bench.total / bench.ops, measure->unit, bench.count, bench.ops);
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

/* With a count given, the first measure of a family stands for all. */
static bool measure_wanted(const struct measure *measures, size_t index,
                           const struct arguments *arguments)
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
    uintmax_t value = text == NULL ? 0 : strtoumax(text, &end, 10);

    if (end == NULL || end == text || *end != '\0' || value == 0 || value > SIZE_MAX / 1024)
        return false;
    *out = (size_t)value;
    return true;
}

static bool arguments_parse(const struct program *program, int argc, char **argv,
                            struct arguments *out)
{
    bool ok = true;
    int i;

    *out = (struct arguments){0};
    for (i = 1; i < argc && argv[i][0] == '-' && ok; i++) {
        const char *value = argv[i + 1]; /* NULL after the last */

        if (strcmp(argv[i], "--list") == 0) {
            out->list = true;
            continue;
        }
        if (program->has_backends && strcmp(argv[i], "--backend") == 0)
            out->backend = value;
        else if (strcmp(argv[i], "--stack") == 0)
            ok = parse_size(value, &out->stack_kib);
        else if (strcmp(argv[i], "--count") == 0)
            ok = parse_size(value, &out->count);
        else if (strcmp(argv[i], "--rounds") == 0)
            ok = parse_size(value, &out->rounds);
        else
            ok = false;
        ok = ok && value != NULL;
        i++;
    }
    out->names = argv + i;
    out->name_count = argc - i;
    if (!ok)
        fprintf(stderr,
                "usage: %s %s[--stack KIB] [--count N] [--rounds N] [MEASURE ...]\n"
                "       %s --list\n",
                program->name, program->has_backends ? "[--backend NAME] " : "", program->name);
    return ok;
}

int program_main(const struct program *program, int argc, char **argv)
{
    struct arguments arguments;
    int failures = 0;

    if (!arguments_parse(program, argc, argv, &arguments))
        return 2;
    for (size_t i = 0; i < program->measure_count; i++) {
        if (arguments.list)
            puts(program->measures[i].name);
        else if (measure_wanted(program->measures, i, &arguments) &&
                 measure_report(program, &program->measures[i], &arguments) < 0)
            failures++;
    }
    return failures == 0 ? 0 : 1;
}
