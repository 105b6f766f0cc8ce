/* SPDX-License-Identifier: MIT */
/*
 * test_worker_process.c - functions in worker processes: what they get and give, what they find there,
 * and which worker they run in.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "child.h"
#include "support/tasks.h"
#include "worker.h"

#define FLOOD (1024 * 1024) /* bytes */
#define LARGE ((size_t)100 * 1024 * 1024)

/* -- what goes in and comes out -- */

static int reverse(const void *input, size_t input_size, anyc_bytes *output)
{
    const char *from = input;
    char *to = malloc(input_size);

    for (size_t i = 0; to != NULL && i < input_size; i++)
        to[i] = from[input_size - 1 - i];
    *output = (anyc_bytes){to, input_size};
    return to != NULL ? 42 : -ENOMEM;
}

ANYC_TEST(test_worker_process__answers_with_result_and_output)
{
    anyc_bytes output = {NULL, 0};

    ck_assert_int_eq(anyc_to_process_run_sync(reverse, "abc", 3, NULL, &output), 42);
    ck_assert_uint_eq(output.len, 3);
    ck_assert_mem_eq(output.data, "cba", 3);
    anyc_bytes_deinit(&output);
    ck_assert_int_eq(anyc_to_process_run_sync(reverse, "abc", 3, NULL, NULL), 42);
}

static int count_input(const void *input, size_t input_size, anyc_bytes *output)
{
    (void)output;
    return input == NULL ? (int)input_size : -1;
}

ANYC_TEST(test_worker_process__needs_no_input_and_no_output)
{
    anyc_bytes output = {"untouched", 9};

    ck_assert_int_eq(anyc_to_process_run_sync(count_input, NULL, 0, NULL, &output), 0);
    ck_assert_ptr_null(output.data);
    ck_assert_uint_eq(output.len, 0);
}

static int fail_aloud(const void *input, size_t input_size, anyc_bytes *output)
{
    (void)input;
    (void)input_size;
    if (anyc_bytes_init(output, "lost", 4) < 0)
        return -ENOMEM;
    (void)anyc_run(NULL, "libuv"); /* leaves a message */
    return ANYC_EINVAL;
}

static int fail_silently(const void *input, size_t input_size, anyc_bytes *output)
{
    (void)input;
    (void)input_size;
    (void)output;
    return ANYC_EINVAL;
}

ANYC_TEST(test_worker_process__passes_failures_on)
{
    anyc_bytes output = {NULL, 0};

    ck_assert_int_eq(anyc_to_process_run_sync(fail_aloud, NULL, 0, NULL, &output), ANYC_EINVAL);
    ck_assert_str_eq(anyc_last_error()->message, "a run needs a function");
    ck_assert_ptr_null(output.data);
    ck_assert_int_eq(anyc_to_process_run_sync(fail_silently, NULL, 0, NULL, &output), ANYC_EINVAL);
    ck_assert_str_eq(anyc_last_error()->message, anyc_strerror(ANYC_EINVAL));
}

struct ticker {
    bool stop;
    long turns;
};

static int ticker_task(void *arg)
{
    struct ticker *ticker = arg;

    while (!ticker->stop) {
        ticker->turns++;
        ck_assert_ok(anyc_checkpoint());
    }
    return 0;
}

/* Other tasks run meanwhile: at least once for each time that the socket was full, or empty. */
ANYC_TEST_WITH(test_worker_process__moves_100_mib_both_ways, .timeout = 60)
{
    char *input = malloc(LARGE);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct ticker ticker = {.stop = false};
    anyc_bytes output = {NULL, 0};

    for (size_t i = 0; i < LARGE; i++)
        input[i] = (char)(i * 31 >> 5);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, ticker_task, &ticker);
    ck_assert_int_eq(anyc_to_process_run_sync(reverse, input, LARGE, NULL, &output), 42);
    ticker.stop = true;
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_eq(output.len, LARGE);
    for (size_t i = 0; i < LARGE; i++) {
        if (((char *)output.data)[i] != input[LARGE - 1 - i])
            ck_abort_msg("byte %zu is wrong", i);
    }
    ck_assert_int_ge(ticker.turns, 100);
    anyc_bytes_deinit(&output);
    free(input);
}

/* -- what a function finds -- */

static int flood(const void *input, size_t input_size, anyc_bytes *output)
{
    (void)input;
    (void)input_size;
    for (int i = 0; i < FLOOD; i++) {
        (void)putc('o', stdout);
        (void)putc('e', stderr);
    }
    (void)fflush(stdout);
    return anyc_bytes_init(output, "completed", 9);
}

/* TP-001, OS-R026; test_stderr_flood */
ANYC_TEST_WITH(test_worker_process__lets_functions_write_as_much_as_they_like, .timeout = 10)
{
    char text[10] = "";

    worker_get(flood, NULL, 0, text, 9);
    ck_assert_str_eq(text, "completed");
}

static int initialised;

__attribute__((constructor)) static void initialise(void)
{
    initialised = 3;
}

static int tell_initialised(const void *input, size_t input_size, anyc_bytes *output)
{
    (void)input;
    (void)input_size;
    return anyc_bytes_init(output, &initialised, sizeof initialised);
}

/* TP-004, OS-R030; test_entrypoint_main_module. See test_worker_process_program.c for other files. */
ANYC_TEST(test_worker_process__finds_functions_of_the_program_initialised)
{
    int value = 0;

    initialised = 4; /* not what the worker has */
    worker_get(tell_initialised, NULL, 0, &value, sizeof value);
    ck_assert_int_eq(value, 3);
}

/* What the descriptors lead to, as of now: "0:/dev/null 1:/dev/null ...", a socket with " cloexec". */
static void list_descriptors(char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (int fd = 0; fd < 1024; fd++) {
        char path[64];
        char target[64] = "";
        int flags = fcntl(fd, F_GETFD);

        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (flags < 0 || readlink(path, target, sizeof target - 1) < 0)
            continue;
        target[strcspn(target, ":")] = '\0'; /* without the socket's number */
        len += (size_t)snprintf(text + len, size - len, "%s%s ", target,
                                (flags & FD_CLOEXEC) != 0 ? " cloexec" : "");
    }
}

static char descriptors_at_start[512];

__attribute__((constructor)) static void look_at_descriptors(void)
{
    list_descriptors(descriptors_at_start, sizeof descriptors_at_start);
}

static int tell_descriptors(const void *input, size_t input_size, anyc_bytes *output)
{
    char text[512];

    list_descriptors(text, sizeof text);
    if (strcmp(text, descriptors_at_start) != 0)
        return -EIO;
    (void)input;
    (void)input_size;
    return anyc_bytes_init(output, text, strlen(text) + 1);
}

/* OS-R011. Nothing else is there, though this test has inheritable descriptors. */
ANYC_TEST(test_worker_process__has_the_null_device_and_a_private_socket)
{
    const char *wanted = "/dev/null /dev/null /dev/null socket cloexec ";
    int inheritable = dup(STDERR_FILENO);
    char text[64] = "";

    worker_get(tell_descriptors, NULL, 0, text, strlen(wanted) + 1);
    ck_assert_str_eq(text, wanted);
    close(inheritable);
}

struct surroundings {
    bool worker;
    bool variable;
    bool group_leader;
    char name[16];
    char folder[128];
};

static int tell_surroundings(const void *input, size_t input_size, anyc_bytes *output)
{
    struct surroundings found = {
        .worker = anyc_in_worker_process(),
        .variable = getenv("ANYC_WORKER_PROCESS") != NULL || getenv("LD_PRELOAD") != NULL,
        .group_leader = getpgrp() == getpid(),
    };

    (void)input;
    (void)input_size;
    (void)prctl(PR_GET_NAME, found.name);
    if (getcwd(found.folder, sizeof found.folder) == NULL)
        return -errno;
    return anyc_bytes_init(output, &found, sizeof found);
}

ANYC_TEST(test_worker_process__knows_what_it_is)
{
    struct surroundings found;

    unsetenv("LD_PRELOAD"); /* of a tool */
    ck_assert_ok(chdir("/"));
    worker_get(tell_surroundings, NULL, 0, &found, sizeof found);
    ck_assert(found.worker && found.group_leader && !found.variable);
    ck_assert_str_eq(found.name, "anyc-worker");
    ck_assert_str_eq(found.folder, "/");
    ck_assert(!anyc_in_worker_process());
}

/* -- which worker -- */

static void start_two(struct gate *gate, struct worker_call calls[2], anyc_task_group *group)
{
    gate_make(gate);
    ck_assert_ok(anyc_task_group_enter(group));
    for (int i = 0; i < 2; i++) {
        calls[i] = worker_call_at(gate);
        calls[i].options.limiter = NULL;
        spawn(group, worker_call_task, &calls[i]);
    }
    (void)gate_await(gate);
    (void)gate_await(gate);
}

static void end_two(struct gate *gate, const struct worker_call calls[2], anyc_task_group *group)
{
    gate_open(gate);
    gate_open(gate);
    ck_assert_ok(anyc_task_group_exit(group, 0));
    ck_assert_int_eq(calls[0].rc, 0);
    ck_assert_int_eq(calls[1].rc, 0);
    ck_assert_int_ne(calls[0].pid, calls[1].pid);
    gate_remove(gate);
}

/* One processor may be all there is. */
static void allow_two(void)
{
    anyc_capacity_limiter *limiter = anyc_current_default_process_limiter();

    if (anyc_capacity_limiter_total_tokens(limiter) < 2)
        ck_assert_ok(anyc_capacity_limiter_set_total_tokens(limiter, 2));
}

/* Two workers at once; the second of those that are given back is the result. */
static void run_two(pid_t *out_first, pid_t *out_last)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct worker_call calls[2];
    struct gate gate;

    allow_two();
    start_two(&gate, calls, &group);
    end_two(&gate, calls, &group);
    *out_last = worker_pid();
    *out_first = calls[0].pid == *out_last ? calls[1].pid : calls[0].pid;
}

/* OS-R009. */
ANYC_TEST(test_worker_process__takes_the_worker_that_became_idle_last)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct worker_call calls[2];
    struct gate gates[2];
    pid_t first;

    allow_two();
    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 2; i++) {
        gate_make(&gates[i]);
        calls[i] = worker_call_at(&gates[i]);
        spawn(&group, worker_call_task, &calls[i]);
        (void)gate_await(&gates[i]);
    }
    for (int i = 1; i >= 0; i--) {
        gate_open(&gates[i]);
        while (calls[i].rc == 1)
            ck_assert_ok(anyc_sleep(0.001));
    }
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    first = worker_pid();
    ck_assert_int_eq(first, calls[0].pid);
    ck_assert_int_eq(worker_pid(), first);
    gate_remove(&gates[0]);
    gate_remove(&gates[1]);
}

/* TP-003, OS-R027; test_exec_while_pruning. The clock decides, and it is virtual. */
ANYC_TEST_WITH(test_worker_process__ends_those_that_are_idle_for_too_long,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    pid_t stale;
    pid_t real;

    run_two(&stale, &real);
    ck_assert_ok(anyc_sleep(200));
    ck_assert_int_eq(worker_pid(), real);
    ck_assert_ok(anyc_sleep(99));
    ck_assert_int_eq(worker_pid(), real);
    ck_assert(worker_exists(stale));
    ck_assert_ok(anyc_sleep(2));
    ck_assert_int_eq(worker_pid(), real);
    while (worker_exists(stale)) /* it was killed, and is waited for */
        ck_assert_ok(anyc_sleep(0.001));
    ck_assert_int_eq(worker_pid(), real);
    ck_assert_ok(anyc_sleep(299));
    ck_assert_int_eq(worker_pid(), real);
}

/* OS-R009: the limiter of the run has a token for each processor. */
ANYC_TEST(test_worker_process__limits_workers_to_the_processors)
{
    anyc_capacity_limiter *limiter = anyc_current_default_process_limiter();
    double processors = (double)sysconf(_SC_NPROCESSORS_ONLN);
    struct gate gate;
    struct worker_call call;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_double_eq(anyc_capacity_limiter_total_tokens(limiter), processors);
    gate_make(&gate);
    call = worker_call_at(&gate);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, worker_call_task, &call);
    (void)gate_await(&gate);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(limiter), 1);
    gate_open(&gate);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(limiter), 0);
    gate_remove(&gate);
}

ANYC_TEST(test_worker_process__waits_for_a_token_of_its_limiter)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct worker_call calls[4];
    struct gate gate;

    gate_make(&gate);
    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 4; i++) {
        calls[i] = worker_call_at(&gate);
        calls[i].options.limiter = &limiter;
        spawn(&group, worker_call_task, &calls[i]);
    }
    for (int i = 0; i < 4; i++) {
        (void)gate_await(&gate);
        ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 1);
        gate_open(&gate);
    }
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    for (int i = 1; i < 4; i++)
        ck_assert_int_eq(calls[i].pid, calls[0].pid);
    anyc_capacity_limiter_deinit(&limiter);
    gate_remove(&gate);
}

/* -- the run -- */

static int tell_pid_main(void *arg)
{
    *(pid_t *)arg = worker_pid();
    return 0;
}

/* OS-R012. */
ANYC_TEST_PLAIN(test_worker_process__ends_with_the_run)
{
    pid_t pid = 0;

    ck_assert_ok(run_on_backend(tell_pid_main, &pid));
    ck_assert_int_gt(pid, 0);
    ck_assert(!worker_exists(pid));
    child_check_none();
}

static void *tell_pid_thread(void *arg)
{
    ck_assert_ok(run_on_backend(tell_pid_main, arg));
    return NULL;
}

ANYC_TEST_PLAIN(test_worker_process__belongs_to_one_run_of_several)
{
    pthread_t threads[2];
    pid_t pids[2] = {0, 0};

    for (int i = 0; i < 2; i++)
        ck_assert_ok(pthread_create(&threads[i], NULL, tell_pid_thread, &pids[i]));
    for (int i = 0; i < 2; i++)
        ck_assert_ok(pthread_join(threads[i], NULL));
    ck_assert_int_ne(pids[0], pids[1]);
    ck_assert(!worker_exists(pids[0]) && !worker_exists(pids[1]));
}

/* -- misuse -- */

/* OS-R010: such a call costs no worker. */
ANYC_TEST(test_worker_process__is_not_started_for_a_call_that_cannot_be_made)
{
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    anyc_process_fn nowhere = (anyc_process_fn)(uintptr_t)page;

    ck_assert_int_eq(anyc_to_process_run_sync(NULL, NULL, 0, NULL, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_to_process_run_sync(reverse, NULL, 1, NULL, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_to_process_run_sync(nowhere, NULL, 0, NULL, NULL), ANYC_EINVAL);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "is in no file"));
    child_check_none();
    munmap(page, 4096);
}

/* What the program's own environment has under the name by which a worker is told is not passed on. */
ANYC_TEST(test_worker_process__is_told_what_it_is_by_its_program_alone)
{
    ck_assert_ok(setenv("ANYC_WORKER_PROCESS", "nonsense", 1));
    ck_assert_int_ne(worker_pid(), getpid());
    ck_assert_ok(unsetenv("ANYC_WORKER_PROCESS"));
}

ANYC_TEST_PLAIN(test_worker_process__needs_a_run)
{
    ck_assert_int_eq(anyc_to_process_run_sync(reverse, NULL, 0, NULL, NULL), ANYC_ENOLOOP);
    ck_assert_ptr_null(anyc_current_default_process_limiter());
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ENOLOOP);
    forget_last_error();
}

static int nested_main(void *arg)
{
    (void)arg;
    return anyc_to_process_run_sync(worker_tell_pid, NULL, 0, NULL, NULL);
}

static int nested(const void *input, size_t input_size, anyc_bytes *output)
{
    (void)input_size;
    (void)output;
    return anyc_run(nested_main, input);
}

/* A worker may have runs, but no workers. */
ANYC_TEST(test_worker_process__has_no_workers_of_its_own)
{
    const char *backend = anyc_testing_backend();

    ck_assert_int_eq(anyc_to_process_run_sync(nested, backend, strlen(backend) + 1, NULL, NULL),
                     ANYC_ESTATE);
    ck_assert_str_eq(anyc_last_error()->message,
                     "a worker process has no worker processes of its own");
}
