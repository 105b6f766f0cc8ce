/* SPDX-License-Identifier: MIT */
/*
 * testing.c - runs the tests of a program under Check: each test, on each backend, in a process of
 * its own. AnyIO: its pytest plugin.
 *
 * The plan, one entry for each test and backend, lives in memory shared with the test processes, so
 * that a skipped one can leave its reason there.
 */
#include "leaks.h"

#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/testing.h>

#include <check.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TESTING_TIMEOUT 20.0 /* seconds */
#define TESTING_SKIPPED 77   /* exit code */

/* One test on one backend. */
struct entry {
    const anyc_testing_case *test;
    char backend[64];
    bool skipped;     /* set by the test's process */
    char reason[160]; /* why */
};

struct command_line {
    bool list;
    bool in_this_process;
    const char *backend; /* NULL: every one */
    const char *test;    /* NULL: every one */
};

static anyc_testing_case *testing_first; /* in the order of definition */
static anyc_testing_case **testing_end = &testing_first;
static struct entry *testing_plan;
static int testing_count; /* entries of the plan */
static struct entry *testing_current;

static int testing_body(void *arg)
{
    const anyc_testing_case *test = arg;

    test->body();
    return 0;
}

static int testing_nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* A loop's first run opens and allocates what its library keeps for good. A test may run others
 * than its own: in a thread, or without naming one. */
static void testing_warm_up(void)
{
    const char *const *names = anyc_get_available_backends(NULL);

    for (size_t i = 0; names[i] != NULL; i++) {
        int rc = anyc_run_with(testing_nothing, NULL, &(anyc_run_options){.backend = names[i]});

        if (rc < 0)
            ck_abort_msg("backend %s: %s", names[i], anyc_last_error()->message);
    }
}

/* The run's own result: a body returns none, so anything below 0 is a failure of the run. */
static void testing_run_in_loop(struct entry *entry)
{
    anyc_run_options options = {
        .backend = entry->backend,
        .name = entry->test->name,
        .clock = entry->test->options.clock,
    };
    int rc = anyc_run_with(testing_body, (void *)entry->test, &options);

    if (rc < 0)
        ck_abort_msg("%s: the run ended with %s: %s", entry->test->name, anyc_error_name(rc),
                     anyc_last_error()->message);
}

/* In the test's process; `_i`, Check's loop index, is the place in the plan. */
START_TEST(testing_run)
{
    struct entry *entry = &testing_plan[_i];
    struct leaks before;
    char text[256];

    testing_current = entry;
    anyc__leaks_install();
    testing_warm_up();
    anyc__leaks_look(&before);
    if (entry->test->options.plain)
        entry->test->body();
    else
        testing_run_in_loop(entry);
    (void)anyc_checkpoint(); /* its failure out here replaces one that still holds its message */
    if (anyc__leaks_find(&before, text, sizeof text))
        ck_abort_msg("%s: left behind: %s", entry->test->name, text);
}
END_TEST

static double testing_timeout(const anyc_testing_case *test)
{
    const char *scale = getenv("ANYC_TESTING_TIMEOUT_SCALE");
    double seconds = test->options.timeout > 0 ? test->options.timeout : TESTING_TIMEOUT;

    return scale == NULL ? seconds : seconds * strtod(scale, NULL);
}

/* A suite for each backend; every entry is a case of its own, for its name in reports and its
 * timeout. */
static SRunner *testing_runner(enum fork_status fork_status)
{
    SRunner *runner = srunner_create(NULL);
    const char *backend = "";
    Suite *suite = NULL;

    srunner_set_fork_status(runner, fork_status);
    for (int i = 0; i < testing_count; i++) {
        const struct entry *entry = &testing_plan[i];
        TCase *tcase = tcase_create(entry->test->name);

        if (strcmp(backend, entry->backend) != 0) {
            backend = entry->backend;
            suite = suite_create(backend);
            srunner_add_suite(runner, suite);
        }
        tcase_set_timeout(tcase, testing_timeout(entry->test));
        tcase_add_loop_test(tcase, testing_run, i, i + 1);
        suite_add_tcase(suite, tcase);
    }
    return runner;
}

static void testing_plan_backend(const char *backend, const char *name)
{
    for (const anyc_testing_case *test = testing_first; test != NULL; test = test->next) {
        struct entry *entry = &testing_plan[testing_count];

        if (name != NULL && strcmp(name, test->name) != 0)
            continue;
        entry->test = test;
        snprintf(entry->backend, sizeof entry->backend, "%s", backend);
        testing_count++;
    }
}

static void testing_make_plan(const struct command_line *line)
{
    const char *const only[] = {line->backend, NULL};
    const char *const *backends = line->backend == NULL ? anyc_get_available_backends(NULL) : only;
    size_t rows = 0;
    size_t columns = 0;

    for (const anyc_testing_case *test = testing_first; test != NULL; test = test->next)
        rows++;
    while (backends[columns] != NULL)
        columns++;
    testing_plan = mmap(NULL, (rows * columns + 1) * sizeof *testing_plan, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (testing_plan == MAP_FAILED)
        abort();
    for (size_t i = 0; i < columns; i++)
        testing_plan_backend(backends[i], line->test);
}

/* Prints what was skipped, and counts it. */
static int testing_report_skipped(void)
{
    int skipped = 0;

    for (int i = 0; i < testing_count; i++) {
        const struct entry *entry = &testing_plan[i];

        if (!entry->skipped)
            continue;
        printf("skipped: %s on %s: %s\n", entry->test->name, entry->backend, entry->reason);
        skipped++;
    }
    return skipped;
}

static int testing_run_plan(bool in_this_process)
{
    SRunner *runner = testing_runner(in_this_process ? CK_NOFORK : CK_FORK);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    if (failed > 0)
        return 1;
    return testing_report_skipped() == testing_count ? TESTING_SKIPPED : 0;
}

static bool testing_parse(int argc, char **argv, struct command_line *line)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0)
            line->list = true;
        else if (strcmp(argv[i], "--no-fork") == 0)
            line->in_this_process = true;
        else if (strcmp(argv[i], "--backend") == 0 && i + 1 < argc)
            line->backend = argv[++i];
        else if (strcmp(argv[i], "--test") == 0 && i + 1 < argc)
            line->test = argv[++i];
        else
            return false;
    }
    return true;
}

const char *anyc_testing_backend(void)
{
    return testing_current == NULL ? NULL : testing_current->backend;
}

void anyc_testing_skip(const char *reason)
{
    if (testing_current != NULL) {
        snprintf(testing_current->reason, sizeof testing_current->reason, "%s", reason);
        testing_current->skipped = true;
    }
    _exit(0);
}

void anyc_testing_register(anyc_testing_case *test)
{
    *testing_end = test;
    testing_end = &test->next;
}

int anyc_testing_main(int argc, char **argv)
{
    struct command_line line = {0};

    if (!testing_parse(argc, argv, &line)) {
        fprintf(stderr, "usage: %s [--list] [--backend NAME] [--test NAME] [--no-fork]\n", argv[0]);
        return 2;
    }
    if (line.list) {
        for (const anyc_testing_case *test = testing_first; test != NULL; test = test->next)
            puts(test->name);
        return 0;
    }
    testing_make_plan(&line);
    if (testing_count == 0) {
        fprintf(stderr, "%s: no such test\n", argv[0]);
        return 2;
    }
    if (line.in_this_process && testing_count > 1) { /* a failure jumps out of its task */
        fprintf(stderr, "%s: --no-fork runs one test on one backend\n", argv[0]);
        return 2;
    }
    return testing_run_plan(line.in_this_process);
}
