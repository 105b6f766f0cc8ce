/* SPDX-License-Identifier: MIT */
/*
 * test_worker_process_broken.c - workers that die, and functions that behave badly: the caller is told,
 * and nobody else is concerned.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "child.h"
#include "support/tasks.h"
#include "worker.h"

#define LARGE ((size_t)8 * 1024 * 1024) /* more than any socket holds */

/* Most of the functions below want none of their arguments. */
#define FUNCTION(name)                                                        \
    static int name##_body(void);                                             \
    static int name(const void *input, size_t input_size, anyc_bytes *output) \
    {                                                                         \
        (void)input;                                                          \
        (void)input_size;                                                     \
        (void)output;                                                         \
        return name##_body();                                                 \
    }                                                                         \
    static int name##_body(void)

/* The worker's end of its socket: the first descriptor beyond the standard ones. */
static int worker_socket(void)
{
    int fd = STDERR_FILENO + 1;

    while (fcntl(fd, F_GETFD) < 0)
        fd++;
    return fd;
}

/* -- death -- */

FUNCTION(crash)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(SIGSEGV, SIG_DFL); /* a sanitizer's */
    return raise(SIGSEGV);
}

FUNCTION(leave)
{
    exit(5);
}

FUNCTION(leave_well)
{
    _exit(0);
}

/* OS-R009. */
ANYC_TEST(test_worker_process_broken__says_how_the_worker_died)
{
    pid_t pid = worker_pid();

    worker_breaks(crash, "was killed by signal 11 (Segmentation fault)");
    ck_assert(!worker_exists(pid));
    worker_breaks(leave, "exited with code 5");
    worker_breaks(leave_well, "exited with code 0");
    ck_assert_int_ne(worker_pid(), pid);
}

ANYC_TEST(test_worker_process_broken__concerns_no_other_call)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(2);
    anyc_to_process_run_sync_options options = {.limiter = &limiter};
    struct worker_call call;
    struct gate gate;
    pid_t pid;

    gate_make(&gate);
    call = worker_call_at(&gate);
    call.options.limiter = &limiter;
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, worker_call_task, &call);
    pid = gate_await(&gate);
    ck_assert_int_eq(anyc_to_process_run_sync(crash, NULL, 0, &options, NULL), ANYC_EWORKER);
    gate_open(&gate);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(call.rc, 0);
    ck_assert_int_eq(worker_pid(), pid);
    anyc_capacity_limiter_deinit(&limiter);
    gate_remove(&gate);
}

/* It leaves the pool, and the call takes another one. */
ANYC_TEST(test_worker_process_broken__may_die_while_idle)
{
    for (int i = 0; i < 20; i++) {
        pid_t pid = worker_pid();

        ck_assert_ok(kill(pid, SIGKILL));
        if (i % 2 == 0) {
            while (worker_exists(pid))
                ck_assert_ok(anyc_sleep(0.0001));
        } else {
            siginfo_t info; /* the loop has not heard of it */

            ck_assert_ok(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
        }
        ck_assert_int_ne(worker_pid(), pid);
    }
}

static int killer_thread(void *arg)
{
    const pid_t *pid = arg;

    return kill(*pid, SIGKILL);
}

struct kill_later {
    pid_t pid;
    double delay; /* seconds */
};

static int kill_later_task(void *arg)
{
    struct kill_later *later = arg;

    ck_assert_ok(anyc_sleep(later->delay));
    return anyc_to_thread_run_sync(killer_thread, &later->pid, NULL, NULL);
}

static int echo(const void *input, size_t input_size, anyc_bytes *output)
{
    return anyc_bytes_init(output, input, input_size);
}

/* The one that is idle may be about to die. */
static pid_t living_worker(void)
{
    anyc_bytes output = {NULL, 0};
    pid_t pid;
    int rc;

    do
        rc = anyc_to_process_run_sync(worker_tell_pid, NULL, 0, NULL, &output);
    while (rc == ANYC_EWORKER);
    ck_assert_ok(rc);
    memcpy(&pid, output.data, sizeof pid);
    anyc_bytes_deinit(&output);
    return pid;
}

/* While it takes a large input, and gives a large output: at 40 moments. */
ANYC_TEST_WITH(test_worker_process_broken__may_be_killed_at_any_moment, .timeout = 60)
{
    void *input = calloc(1, LARGE);
    int broken = 0;

    for (int i = 0; i < 40; i++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        struct kill_later later = {living_worker(), i * 0.0005};
        anyc_bytes output = {NULL, 0};
        int rc;

        ck_assert_ok(anyc_task_group_enter(&group));
        spawn(&group, kill_later_task, &later);
        rc = anyc_to_process_run_sync(echo, input, LARGE, NULL, &output);
        ck_assert_msg(rc == 0 || rc == ANYC_EWORKER, "%s", anyc_last_error()->message);
        ck_assert_uint_eq(output.len, rc == 0 ? LARGE : 0);
        broken += rc < 0;
        anyc_bytes_deinit(&output);
        ck_assert_ok(anyc_task_group_exit(&group, 0));
    }
    ck_assert_int_gt(broken, 0);
    free(input);
}

/* Somebody else in the program takes the exit codes of all its children. */
ANYC_TEST(test_worker_process_broken__may_die_with_nobody_knowing_how)
{
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);
    pid_t pid = worker_pid();

    ck_assert_int_eq(worker_pid(), pid);
    worker_breaks(leave, "ended while");
    ck_assert_int_ne(worker_pid(), pid);
    (void)signal(SIGCHLD, before);
}

/* -- nonsense -- */

FUNCTION(write_nonsense)
{
    static const char nonsense[64] = "this is not what was agreed upon";

    return write(worker_socket(), nonsense, sizeof nonsense) < 0 ? -errno : 0;
}

FUNCTION(write_half_an_answer)
{
    if (write(worker_socket(), "ab", 2) < 0)
        return -errno;
    _exit(1);
}

ANYC_TEST(test_worker_process_broken__may_send_nonsense)
{
    pid_t pid = worker_pid();

    worker_breaks(write_nonsense, "sent nonsense");
    ck_assert(!worker_exists(pid));
    worker_breaks(write_half_an_answer, "exited with code 1");
}

/* Called by nobody: a thread of the worker writes when the function has returned. */
static void *write_later(void *arg)
{
    (void)gate_pass(arg);
    (void)write_nonsense_body();
    return NULL;
}

static int leave_thread(const void *input, size_t input_size, anyc_bytes *output)
{
    static struct gate gate;
    pthread_t thread;

    (void)output;
    memcpy(&gate, input, input_size);
    return -pthread_create(&thread, NULL, write_later, &gate);
}

ANYC_TEST(test_worker_process_broken__may_send_nonsense_while_idle)
{
    struct gate gate;
    pid_t pid = worker_pid();

    gate_make(&gate);
    ck_assert_ok(anyc_to_process_run_sync(leave_thread, &gate, sizeof gate, NULL, NULL));
    ck_assert_int_eq(gate_await(&gate), pid);
    ck_assert(worker_exists(pid));
    gate_open(&gate);
    while (worker_exists(pid))
        ck_assert_ok(anyc_sleep(0.001));
    ck_assert_int_ne(worker_pid(), pid);
    gate_remove(&gate);
}

/* -- descriptors -- */

FUNCTION(close_all)
{
    for (int fd = 0; fd < 1024; fd++)
        (void)close(fd);
    return 0;
}

FUNCTION(close_all_and_stay)
{
    (void)close_all_body();
    pause();
    return 0;
}

/* Another socket gets the number of the worker's. */
FUNCTION(replace_socket)
{
    int fd = worker_socket();
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        return -errno;
    return dup2(pair[0], fd) < 0 ? -errno : 0;
}

FUNCTION(close_standard)
{
    return close(0) | close(1) | close(2);
}

ANYC_TEST(test_worker_process_broken__may_close_its_descriptors)
{
    worker_breaks(close_all, "exited with code 122");
    worker_breaks(replace_socket, "exited with code 122");
    worker_breaks(close_all_and_stay, "closed its socket");
    ck_assert_ok(anyc_to_process_run_sync(close_standard, NULL, 0, NULL, NULL));
    ck_assert_int_gt(worker_pid(), 0);
}

/* -- forks -- */

/* The child goes back to where the worker came from. */
FUNCTION(fork_and_return)
{
    return fork() < 0 ? -errno : 0;
}

/* The child stays, and holds the worker's socket open. */
FUNCTION(fork_and_die)
{
    if (fork() == 0) {
        sleep(10);
        _exit(0);
    }
    _exit(6);
}

ANYC_TEST_WITH(test_worker_process_broken__may_fork, .timeout = 8)
{
    pid_t pid = worker_pid();

    for (int i = 0; i < 10; i++)
        ck_assert_ok(anyc_to_process_run_sync(fork_and_return, NULL, 0, NULL, NULL));
    ck_assert_int_eq(worker_pid(), pid);
    worker_breaks(fork_and_die, "exited with code 6");
    ck_assert_ok(kill(-pid, SIGKILL)); /* the child, which is in the worker's group */
    ck_assert_int_ne(worker_pid(), pid);
}

/* -- signals -- */

FUNCTION(block_signals)
{
    sigset_t all;

    sigfillset(&all);
    return sigprocmask(SIG_SETMASK, &all, NULL);
}

FUNCTION(count_blocked_signals)
{
    sigset_t blocked;
    int count = 0;

    (void)sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int signum = 1; signum < 32; signum++)
        count += sigismember(&blocked, signum);
    return count;
}

FUNCTION(tell_sigpipe)
{
    return signal(SIGPIPE, SIG_DFL) == SIG_DFL ? 1 : 0;
}

ANYC_TEST(test_worker_process_broken__gets_its_signal_mask_back)
{
    pid_t pid = worker_pid();

    ck_assert_ok(anyc_to_process_run_sync(count_blocked_signals, NULL, 0, NULL, NULL));
    ck_assert_ok(anyc_to_process_run_sync(block_signals, NULL, 0, NULL, NULL));
    ck_assert_ok(anyc_to_process_run_sync(count_blocked_signals, NULL, 0, NULL, NULL));
    ck_assert_int_eq(anyc_to_process_run_sync(tell_sigpipe, NULL, 0, NULL, NULL), 1);
    ck_assert_int_eq(worker_pid(), pid);
}
