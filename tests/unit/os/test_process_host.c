/* SPDX-License-Identifier: MIT */
/*
 * test_process_host.c - what the rest of the program does while anyc runs others: threads that start
 * programs as well, or collect what is not theirs, and tasks that change the environment.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "child.h"
#include "support/tasks.h"
#include "support/thread.h"

#define THREADS 3
#define TASKS 4
#define PROGRAMS 5 /* for each task */

/* -- several loops -- */

static int run_some(void *arg)
{
    (void)arg;
    for (int i = 0; i < PROGRAMS; i++) {
        const anyc_process_options options = {.input = "", .std_err = ANYC_STDIO_DEVNULL};
        anyc_completed_process completed = child_run(CHILD("descriptors"), &options);

        ck_assert_str_eq(completed.std_out, "0 1 2 ");
        anyc_free_completed_process(&completed);
    }
    return 0;
}

static int run_many(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    (void)arg;
    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < TASKS; i++)
        spawn(&group, run_some, NULL);
    return anyc_task_group_exit(&group, 0);
}

static int run_loop(void *arg)
{
    (void)arg;
    ck_assert_ok(run_on_backend(run_many, NULL));
    forget_last_error();
    return 0;
}

/* Opens what programs must not find, without marking it, and keeps it for a moment. */
static int open_carelessly(void *arg)
{
    atomic_bool *stop = arg;

    while (!atomic_load(stop)) {
        int fd = dup(STDIN_FILENO);

        usleep(50);
        close(fd);
    }
    return 0;
}

/* OS-R007: no program finds a descriptor of another loop's programs. */
ANYC_TEST_PLAIN(test_process_host__loops_start_programs_at_once)
{
    struct side_thread loops[THREADS];
    struct side_thread careless;
    atomic_bool stop = false;

    side_thread_start(&careless, open_carelessly, &stop);
    for (int i = 0; i < THREADS; i++)
        side_thread_start(&loops[i], run_loop, NULL);
    for (int i = 0; i < THREADS; i++)
        ck_assert_ok(side_thread_join(&loops[i]));
    atomic_store(&stop, true);
    ck_assert_ok(side_thread_join(&careless));
    child_check_none();
}

static int echo(const void *input, size_t input_size, anyc_bytes *output)
{
    return anyc_bytes_init(output, input, input_size);
}

/* Every third call is cancelled, sooner or later. */
static int call_some(void *arg)
{
    const anyc_to_process_run_sync_options options = {.cancellable = true};

    (void)arg;
    for (int i = 0; i < 3 * PROGRAMS; i++) {
        anyc_bytes output = {NULL, 0};
        anyc_cancel_scope scope;
        int rc;

        ck_assert_ok(anyc_move_on_after(&scope, i % 3 == 0 ? 0.0005 * i : INFINITY, false));
        rc = anyc_to_process_run_sync(echo, &i, sizeof i, &options, &output);
        ck_assert_msg(rc == 0 || (i % 3 == 0 && rc == ANYC_ECANCELLED), "%s",
                      anyc_last_error()->message);
        if (rc == 0)
            ck_assert(output.len == sizeof i && memcmp(output.data, &i, sizeof i) == 0);
        anyc_bytes_deinit(&output);
        ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    }
    return 0;
}

static int call_many(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    (void)arg;
    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < TASKS; i++)
        spawn(&group, call_some, NULL);
    return anyc_task_group_exit(&group, 0);
}

static int call_loop(void *arg)
{
    (void)arg;
    ck_assert_ok(run_on_backend(call_many, NULL));
    forget_last_error();
    return 0;
}

/* OS-R012: each loop has workers of its own, and none is left. */
ANYC_TEST_PLAIN(test_process_host__loops_have_workers_at_once)
{
    struct side_thread loops[THREADS];

    for (int i = 0; i < THREADS; i++)
        side_thread_start(&loops[i], call_loop, NULL);
    for (int i = 0; i < THREADS; i++)
        ck_assert_ok(side_thread_join(&loops[i]));
    child_check_none();
}

/* -- who collects what is not his -- */

static void collect_all(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

static void collect_when_told(int signum)
{
    int error = errno; /* NOLINT(bugprone-signal-handler): the thread's own, put back below */

    (void)signum;
    collect_all();
    errno = error;
}

static int collect_always(void *arg)
{
    atomic_bool *stop = arg;

    while (!atomic_load(stop)) {
        collect_all();
        usleep(20);
    }
    return 0;
}

static int run_robbed(void *arg)
{
    const char *const missing[] = {"/nowhere/program", NULL};

    (void)arg;
    for (int i = 0; i < PROGRAMS; i++) {
        anyc_process *process = child_open(CHILD("wait", "ignore"), NULL);
        int rc = anyc_run_process(CHILD("both", "0"), NULL, NULL);

        ck_assert_msg(rc == 0 || rc == -ECHILD, "%s", anyc_last_error()->message);
        ck_assert_int_eq(anyc_run_process(missing, NULL, NULL), -ENOENT);
        ck_assert_ok(anyc_process_kill(process));
        rc = anyc_process_wait(process, NULL);
        ck_assert(rc == 0 || rc == -ECHILD);
        ck_assert_ok(anyc_process_kill(process));
        ck_assert_ok(anyc_aclose(process));
    }
    return 0;
}

static void run_robbed_at_once(void)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < TASKS; i++)
        spawn(&group, run_robbed, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    child_check_none();
}

/* A program whose handler waits for any child: exit codes may be lost, but nothing hangs. */
ANYC_TEST(test_process_host__a_handler_may_collect_all_children)
{
    ck_assert(signal(SIGCHLD, collect_when_told) != SIG_ERR);
    run_robbed_at_once();
}

/* Likewise, in a thread. */
ANYC_TEST(test_process_host__a_thread_may_collect_all_children)
{
    struct side_thread thread;
    atomic_bool stop = false;

    side_thread_start(&thread, collect_always, &stop);
    run_robbed_at_once();
    atomic_store(&stop, true);
    ck_assert_ok(side_thread_await(&thread));
}

/* -- the environment -- */

#define VARIABLES 200 /* so many that the table of them moves */

static int change_environment(void *arg)
{
    char name[32];

    (void)arg;
    for (int i = 0; i < VARIABLES; i++) {
        (void)snprintf(name, sizeof name, "ANYC_TEST_%d", i);
        ck_assert_ok(setenv(name, "late", 1));
    }
    return 0;
}

/* While names are looked up, a task changes the environment: the program has the new one. */
ANYC_TEST(test_process_host__a_task_may_change_the_environment)
{
    const struct passwd *self = getpwuid(geteuid());
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_process_options options = {.std_err = ANYC_STDIO_DEVNULL};
    anyc_completed_process completed;

    if (self == NULL)
        ANYC_TEST_SKIP("who runs the tests has no name");
    options.user = self->pw_name;
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, change_environment, NULL);
    completed = child_run(CHILD("environment"), &options);
    ck_assert_ptr_nonnull(strstr(completed.std_out, "ANYC_TEST_0=late\n"));
    ck_assert_ptr_nonnull(strstr(completed.std_out, "ANYC_TEST_199=late\n"));
    anyc_free_completed_process(&completed);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}
