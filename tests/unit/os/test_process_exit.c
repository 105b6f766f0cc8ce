/* SPDX-License-Identifier: MIT */
/*
 * test_process_exit.c - how the end of a process is noticed: with and without descriptors of
 * processes, when others meddle, when the run ends, when something runs out.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "child.h"
#include "core/loop.h"
#include "support/fail_alloc.h"
#include "support/steps.h"
#include "support/tasks.h"
#include "support/valgrind.h"

/* -- stand-ins for functions of the C library -- */

#define PIDFD_FLAG 0x1000 /* CLONE_PIDFD */

enum kernel {
    KERNEL_NEW,   /* as it is here */
    KERNEL_NONE,  /* before Linux 5.2: there are no such descriptors */
    KERNEL_CLONE, /* clone(2) refuses the flag, as an emulator may */
    KERNEL_WAIT   /* Linux 5.3: waitid(2) does not take them */
};

static _Atomic(enum kernel) kernel; /* threads look at it */
static atomic_int polls;            /* calls of waitid that do not wait */

int stand_in_clone(int (*fn)(void *), void *stack, int flags, void *arg, ...) __asm__("__clone");

int stand_in_clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
    int (*real)(int (*)(void *), void *, int, void *, ...) =
        (int (*)(int (*)(void *), void *, int, void *, ...))(uintptr_t)dlsym(RTLD_NEXT, "__clone");
    va_list more;
    void *pidfd;

    va_start(more, arg);
    pidfd = (flags & PIDFD_FLAG) != 0 ? va_arg(more, void *) : NULL;
    va_end(more);
    if (kernel == KERNEL_CLONE && pidfd != NULL) {
        errno = EINVAL;
        return -1;
    }
    if (kernel == KERNEL_NONE)
        flags &= ~PIDFD_FLAG;
    return real(fn, stack, flags, arg, pidfd);
}

int stand_in_waitid(idtype_t type, id_t id, siginfo_t *info, int options) __asm__("waitid");

int stand_in_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    int (*real)(idtype_t, id_t, siginfo_t *, int) =
        (int (*)(idtype_t, id_t, siginfo_t *, int))(uintptr_t)dlsym(RTLD_NEXT, "waitid");

    polls += (options & WNOHANG) != 0;
    if (kernel == KERNEL_WAIT && type != P_ALL && type != P_PID) {
        errno = EINVAL;
        return -1;
    }
    return real(type, id, info, options);
}

static void on_each_kernel(void (*body)(void))
{
    for (enum kernel each = KERNEL_NEW; each <= KERNEL_WAIT; each++) {
        kernel = each;
        body();
        child_check_none();
    }
}

/* -- the same on every kernel -- */

static int wait_for_code_3(void *arg)
{
    anyc_process *process = arg;

    ck_assert_int_eq(child_wait(process), 3);
    return 0;
}

static void check_many_wait(void)
{
    anyc_process *process = child_open(CHILD("exit", "3"), NULL);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 3; i++)
        spawn(&group, wait_for_code_3, process);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(child_wait(process), 3);
    ck_assert_ok(anyc_aclose(process));
}

/* OS-R005. */
ANYC_TEST(test_process_exit__wakes_all_who_wait)
{
    on_each_kernel(check_many_wait);
}

static void check_signals(void)
{
    anyc_process *process = child_open(CHILD("wait", "ignore"), NULL);

    child_expect(anyc_process_stdout(process), "ready\n");
    ck_assert_ok(anyc_process_send_signal(process, 0));
    ck_assert_ok(anyc_process_terminate(process));
    ck_assert_int_eq(anyc_process_returncode(process, NULL), ANYC_EPENDING);
    ck_assert_ok(anyc_process_kill(process));
    ck_assert_int_eq(child_wait(process), -SIGKILL);
    ck_assert_ok(anyc_process_kill(process));
    ck_assert_ok(anyc_aclose(process));
}

/* OS-R006. */
ANYC_TEST(test_process_exit__sends_signals)
{
    on_each_kernel(check_signals);
}

static void check_return_code_without_wait(void)
{
    anyc_process *process = child_open(CHILD("exit", "4"), NULL);
    int returncode = 0;
    siginfo_t info;

    ck_assert_int_eq(waitid(P_PID, (id_t)anyc_process_pid(process), &info, WEXITED | WNOWAIT), 0);
    ck_assert_ok(anyc_process_returncode(process, &returncode));
    ck_assert_int_eq(returncode, 4);
    ck_assert_ok(anyc_aclose(process));
}

/* OS-R005. */
ANYC_TEST(test_process_exit__return_code_is_current)
{
    on_each_kernel(check_return_code_without_wait);
}

static void check_reaped_unasked(void)
{
    anyc_process *process = child_open(CHILD("exit", "0"), NULL);
    siginfo_t info;

    while (waitid(P_PID, (id_t)anyc_process_pid(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        ck_assert_ok(anyc_sleep(0.001));
    ck_assert_int_eq(errno, ECHILD);
    ck_assert_ok(anyc_process_returncode(process, NULL));
    ck_assert_ok(anyc_aclose(process));
}

/* No zombie, though nobody waits. */
ANYC_TEST(test_process_exit__is_seen_without_a_wait)
{
    on_each_kernel(check_reaped_unasked);
}

static void check_cancelled_close(void)
{
    anyc_process *process = child_open(CHILD("wait", "ignore"), NULL);
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    rc = anyc_aclose(process);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
}

/* OS-R023. */
ANYC_TEST(test_process_exit__close_kills_when_cancelled)
{
    on_each_kernel(check_cancelled_close);
}

static int run_one(void *arg)
{
    const char *delay = arg;
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_move_on_after(&scope, delay == NULL ? INFINITY : strtod(delay, NULL), false));
    rc = anyc_run_process(CHILD("both", "0"), NULL, NULL);
    ck_assert(rc == 0 || (delay != NULL && rc == ANYC_ECANCELLED));
    return anyc_cancel_scope_exit(&scope, rc);
}

static void check_many_at_once(void)
{
    static char delays[][8] = {"0.001", "0.003", "0.01", "0.03"};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 48; i++)
        spawn(&group, run_one, i % 3 == 0 ? delays[i / 3 % 4] : NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

/* A third of them cancelled on the way. */
ANYC_TEST(test_process_exit__sees_many_at_once)
{
    on_each_kernel(check_many_at_once);
}

/* -- what others do -- */

static void check_lost(void)
{
    anyc_process *process = child_open(CHILD("exit", "0"), NULL);
    pid_t pid = anyc_process_pid(process);

    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_eq(anyc_process_wait(process, NULL), -ECHILD);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "collected by somebody else"));
    ck_assert_int_eq(anyc_process_returncode(process, NULL), -ECHILD);
    ck_assert_ok(anyc_process_kill(process));
    ck_assert_int_eq(anyc_process_stop(process, 0.0, NULL), -ECHILD);
    ck_assert_ok(anyc_aclose(process));
    ck_assert(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    ck_assert_int_eq(anyc_run_process(CHILD("exit", "0"), NULL, NULL), -ECHILD);
    ck_assert(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}

/* Somebody collected the exit code, or the system threw it away. */
ANYC_TEST(test_process_exit__says_that_the_exit_code_is_lost)
{
    on_each_kernel(check_lost);
}

/* -- a debugger -- */

struct tracer {
    pid_t pid;
    int go; /* it lets go when this is closed */
};

static _Noreturn void trace(pid_t pid, int ready, int go)
{
    bool traces = ptrace(PTRACE_SEIZE, pid, 0, 0) == 0;
    char byte = (char)traces;

    if (write(ready, &byte, 1) == 1)
        (void)read(go, &byte, 1);
    _exit(0);
}

static struct tracer tracer_start(pid_t pid)
{
    struct tracer tracer;
    int ready[2];
    int go[2];
    char traces;

    ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
    tracer = (struct tracer){.pid = fork(), .go = go[1]};
    ck_assert_int_ge(tracer.pid, 0);
    if (tracer.pid == 0) {
        close(go[1]);
        trace(pid, ready[1], go[0]);
    }
    ck_assert_int_eq(read(ready[0], &traces, 1), 1);
    if (traces == 0)
        ANYC_TEST_SKIP("ptrace(2) is not allowed");
    close(ready[0]);
    close(ready[1]);
    close(go[0]);
    return tracer;
}

static void tracer_stop(const struct tracer *tracer)
{
    close(tracer->go);
    ck_assert_int_eq(waitpid(tracer->pid, NULL, 0), tracer->pid);
}

/* Its end shows in its descriptor from now on. */
static void await_end(pid_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

    ck_assert_int_ge(pidfd, 0);
    ck_assert_ok(anyc_wait_readable(pidfd));
    close(pidfd);
}

static void check_traced(void)
{
    anyc_process *process = child_open(CHILD("wait", "ignore"), NULL);
    struct tracer tracer = tracer_start(anyc_process_pid(process));
    int before;

    ck_assert_ok(anyc_process_kill(process));
    await_end(anyc_process_pid(process));
    before = polls;
    for (int i = 0; i < 20; i++) /* the loop goes round at least as often */
        ck_assert_ok(anyc_sleep(0.001));
    ck_assert_int_le(polls - before, 2);
    ck_assert_int_eq(anyc_process_returncode(process, NULL), ANYC_EPENDING);
    tracer_stop(&tracer);
    ck_assert_int_eq(child_wait(process), -SIGKILL);
    ck_assert_ok(anyc_aclose(process));
}

/* Until a debugger lets go of it, the loop does not turn in vain. */
ANYC_TEST(test_process_exit__a_debugger_may_hold_its_end_back)
{
    skip_on_valgrind("it cannot say that its own process is traced");
    on_each_kernel(check_traced);
}

static int child_signals;

static void count_child_signal(int signum)
{
    (void)signum;
    child_signals++;
}

/* A program may handle SIGCHLD. */
ANYC_TEST(test_process_exit__leaves_sigchld_to_the_program)
{
    ck_assert(signal(SIGCHLD, count_child_signal) != SIG_ERR);
    on_each_kernel(check_many_wait);
    ck_assert_int_eq(child_signals, KERNEL_WAIT + 1);
}

/* -- the end of the run -- */

static int leave_killed(void *arg)
{
    (void)arg;
    anyc_aclose_forcefully(child_open(CHILD("wait", "ignore"), NULL));
    return 0;
}

/* The run does not end before one that was closed by force. */
ANYC_TEST_PLAIN(test_process_exit__comes_before_the_end_of_the_run)
{
    for (enum kernel each = KERNEL_NEW; each <= KERNEL_WAIT; each++) {
        kernel = each;
        ck_assert_ok(run_on_backend(leave_killed, NULL));
        child_check_none();
    }
}

static pid_t left_pid;

static int leave_running(void *arg)
{
    anyc_process **process = arg;

    *process = child_open(CHILD("cat"), &(anyc_process_options){.std_out = ANYC_STDIO_DEVNULL,
                                                                .std_err = ANYC_STDIO_DEVNULL});
    left_pid = anyc_process_pid(*process);
    return 0;
}

/* A program that forgets to close one: its thread outlives the run, and harms nobody. */
ANYC_TEST_PLAIN(test_process_exit__thread_may_outlive_the_run)
{
    anyc_process *process = NULL;
    pid_t pid = fork();
    int status = 1;

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        kernel = KERNEL_NONE;
        if (run_on_backend(leave_running, &process) < 0 || kill(left_pid, SIGKILL) < 0)
            _exit(1);
        _exit(waitpid(left_pid, NULL, 0) == left_pid ? 0 : 2);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

/* -- out of memory -- */

/* The nth allocation fails, for every n: an answer, and nothing is left. */
static int run_short_of_memory(void *arg)
{
    const long *n = arg;
    const anyc_process_options options = {
        .input = "abc", .input_len = 3, .extra_groups = NULL, .user = NULL};
    anyc_completed_process completed;
    bool failed;
    int rc;

    ck_assert_int_eq(anyc_run_process(CHILD("reverse"), &options, NULL), 0); /* warm */
    fail_alloc_arm(*n);
    rc = anyc_run_process(CHILD("reverse"), &options, &completed);
    failed = fail_alloc_disarm();
    if (rc == 0)
        ck_assert_str_eq(completed.std_out, "cba\n");
    else
        ck_assert_int_eq(rc, ANYC_ENOMEM);
    anyc_free_completed_process(&completed);
    child_check_none();
    return failed;
}

ANYC_TEST_PLAIN(test_process_exit__survives_without_memory)
{
    fail_alloc_install();
    for (enum kernel each = KERNEL_NEW; each <= KERNEL_NONE; each++) {
        long n = 0;
        int failed = 1;

        kernel = each;
        while (failed == 1) {
            n++;
            failed = run_on_backend(run_short_of_memory, &n);
            ck_assert_int_ge(failed, 0);
            forget_last_error();
            ck_assert_int_eq(fail_alloc_live(), 0);
        }
        ck_assert_int_gt(n, 8);
    }
}
