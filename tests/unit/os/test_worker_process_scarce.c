/* SPDX-License-Identifier: MIT */
/*
 * test_worker_process_scarce.c - worker processes when memory, descriptors, processes or time run out.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <sys/resource.h>

#include "child.h"
#include "core/loop.h"
#include "os/worker_process_start.h"
#include "support/crash.h"
#include "support/fail_alloc.h"
#include "support/limit_fds.h"
#include "support/tasks.h"
#include "support/valgrind.h"
#include "worker.h"

/* A program that is to hang in its initialisation is told so by this variable. */
#define HANG "ANYC_TEST_WORKER_HANGS"

__attribute__((constructor)) static void hang_if_told(void)
{
    while (getenv(HANG) != NULL)
        pause();
}

/* -- memory -- */

static int echo(const void *input, size_t input_size, anyc_bytes *output)
{
    return anyc_bytes_init(output, input, input_size);
}

struct scarce {
    long n;      /* the nth allocation fails */
    bool failed; /* there was one */
    int rc;
};

/* A first call, which starts a worker, and a second one, which does not. */
static int scarce_main(void *arg)
{
    struct scarce *scarce = arg;
    anyc_bytes output = {NULL, 0};
    int rc = 0;

    fail_alloc_arm(scarce->n);
    for (int i = 0; i < 2 && rc == 0; i++) {
        rc = anyc_to_process_run_sync(echo, "abc", 3, NULL, &output);
        ck_assert_uint_eq(output.len, rc == 0 ? 3 : 0);
        anyc_bytes_deinit(&output);
    }
    scarce->failed = fail_alloc_disarm();
    scarce->rc = rc;
    ck_assert_int_eq(anyc_to_process_run_sync(echo, "abc", 3, NULL, &output), 0);
    anyc_bytes_deinit(&output);
    return 0;
}

ANYC_TEST_PLAIN(test_worker_process_scarce__memory_is_an_answer)
{
    struct scarce scarce = {.n = 1, .failed = true};

    fail_alloc_install();
    for (; scarce.failed; scarce.n++) {
        ck_assert_ok(run_on_backend(scarce_main, &scarce));
        ck_assert_int_eq(scarce.rc, scarce.failed ? ANYC_ENOMEM : 0);
        forget_last_error();
        ck_assert_int_eq(fail_alloc_live(), 0);
        child_check_none();
    }
    ck_assert_int_ge(scarce.n, 8);
}

/* -- memory of the worker -- */

#define MOST ((size_t)1024 * 1024) /* bytes that it allocates at once */

static void *modest_alloc(size_t size, void *arg)
{
    (void)arg;
    return size <= MOST ? malloc(size) : NULL;
}

static void *modest_realloc(void *ptr, size_t size, void *arg)
{
    (void)arg;
    return size <= MOST ? realloc(ptr, size) : NULL;
}

static void modest_free(void *ptr, void *arg)
{
    (void)arg;
    free(ptr);
}

static int become_modest(const void *input, size_t input_size, anyc_bytes *output)
{
    static const anyc_allocator modest = {
        .alloc = modest_alloc, .realloc = modest_realloc, .free = modest_free};

    (void)input;
    (void)input_size;
    (void)output;
    return anyc_set_allocator(&modest);
}

/* The worker reads the input all the same, and goes on. */
ANYC_TEST(test_worker_process_scarce__memory_of_the_worker)
{
    const size_t size = 4 * MOST;
    void *input = calloc(1, size);
    pid_t pid = worker_pid();

    ck_assert_ok(anyc_to_process_run_sync(become_modest, NULL, 0, NULL, NULL));
    ck_assert_int_eq(anyc_to_process_run_sync(echo, input, size, NULL, NULL), ANYC_ENOMEM);
    ck_assert_str_eq(anyc_last_error()->message, "the worker process has no memory for the input");
    ck_assert_int_eq(worker_pid(), pid);
    free(input);
}

/* -- descriptors and processes -- */

ANYC_TEST(test_worker_process_scarce__descriptors_are_an_answer)
{
    int rc = -EMFILE;
    int more = 0;

    skip_on_valgrind("its socketpair(2) answers closed descriptors, not EMFILE");
    for (; rc == -EMFILE; more++) {
        struct rlimit old = limit_fds(more);

        rc = anyc_to_process_run_sync(worker_tell_pid, NULL, 0, NULL, NULL);
        unlimit_fds(&old);
        if (rc < 0)
            child_check_none();
    }
    ck_assert_msg(rc == 0, "%s", anyc_last_error()->message);
    ck_assert_int_ge(more, 4);
    ck_assert_int_gt(worker_pid(), 0);
}

/* With the worker that is there. */
ANYC_TEST(test_worker_process_scarce__descriptors_are_not_needed_for_an_idle_worker)
{
    pid_t pid = worker_pid();
    struct rlimit old = limit_fds(0);

    ck_assert_int_eq(worker_pid(), pid);
    unlimit_fds(&old);
}

/* Closed within the run: libuv makes no loop without them. */
static int standard_main(void *arg)
{
    int rc;

    (void)arg;
    for (int fd = 0; fd < 3; fd++)
        (void)close(fd);
    rc = anyc_to_process_run_sync(worker_tell_pid, NULL, 0, NULL, NULL);
    return rc == 0 ? anyc_to_process_run_sync(echo, "abc", 3, NULL, NULL) : rc;
}

/* The worker's socket and the program's file might become descriptors 0, 1 or 2. */
static void without_standard_descriptors(void)
{
    if (run_on_backend(standard_main, NULL) < 0)
        _exit(1);
}

ANYC_TEST_PLAIN(test_worker_process_scarce__standard_descriptors_may_be_closed)
{
    struct crash crash;

    crash_watch(&crash, without_standard_descriptors);
    ck_assert_int_eq(crash.signal, 0);
    ck_assert_int_eq(crash.status, 0);
}

/* -- time -- */

/* OS-R010. */
ANYC_TEST(test_worker_process_scarce__time_to_become_ready)
{
    anyc__worker_process_ready_ns = 50000000;
    setenv(HANG, "1", 1);
    worker_breaks(worker_tell_pid, "was not ready in time");
    child_check_none();
    unsetenv(HANG);
    anyc__worker_process_ready_ns = INT64_C(20000000000);
    ck_assert_int_gt(worker_pid(), 0);
}

/* 300 s, if no test says otherwise; a worker that says so itself is ended. */
ANYC_TEST(test_worker_process_scarce__time_without_work)
{
    pid_t pid;

    ck_assert_int_eq(anyc__worker_process_idle_ns, INT64_C(300000000000));
    anyc__worker_process_idle_ns = 20000000;
    pid = worker_pid();
    while (worker_exists(pid)) /* nothing of the pool's is called meanwhile */
        ck_assert_ok(anyc_sleep(0.001));
    anyc__worker_process_idle_ns = INT64_C(300000000000);
    ck_assert_int_ne(worker_pid(), pid);
}

/* Workers say that they are idle while requests are on their way. */
ANYC_TEST(test_worker_process_scarce__time_without_work_in_a_hurry)
{
    anyc__worker_process_idle_ns = 1000000;
    for (int i = 0; i < 300; i++) {
        ck_assert_int_gt(worker_pid(), 0);
        if (i % 3 == 0)
            ck_assert_ok(anyc_sleep(0.0008 + i * 0.000001));
        anyc__worker_process_idle_ns = i % 2 == 0 ? 1000000 : INT64_C(300000000000);
    }
}

/* An idle worker does not keep a run from being deadlocked. */
static int deadlock_main(void *arg)
{
    anyc_event event = ANYC_EVENT_INIT;

    (void)arg;
    (void)worker_pid();
    return anyc_event_wait(&event);
}

ANYC_TEST_PLAIN(test_worker_process_scarce__idle_ones_wake_nobody)
{
    ck_assert_int_eq(run_on_backend(deadlock_main, NULL), ANYC_EDEADLOCK);
    forget_last_error();
    child_check_none();
}
