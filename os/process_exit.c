/* SPDX-License-Identifier: MIT */
/*
 * process_exit.c - how the end of a process is noticed.
 */
#include "os/process_exit.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "core/loop.h"
#include "os/exit_thread.h"

#define EXIT_P_PIDFD ((idtype_t)3) /* P_PIDFD, Linux 5.4 */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424 /* on every architecture */
#endif

/* What a loop has for its processes. */
struct process_loop {
    anyc_list held; /* process_exit.link: somebody has them in his hands */
    anyc_list left; /* the same: nobody waits for them */
    struct exit_threads threads;
};

static struct process_loop *exit_loop(const anyc_loop *loop)
{
    return loop->locals[LOOP_LOCAL_PROCESSES];
}

/* -- waiting -- */

static void exit_abandon(struct task_wait *wait)
{
    wait->task->loop->watch_waits--;
}

static const struct wait_type exit_wait = {"the end of a process", exit_abandon, NULL};

/* A process counts as a descriptor in whether the run is deadlocked. */
static void exit_enqueue(struct process_exit *exit, struct task_wait *wait)
{
    anyc__list_push(&exit->waiters, &wait->link);
    exit->loop->watch_waits++;
}

static void exit_wake_all(struct process_exit *exit)
{
    anyc_list *node;

    while ((node = anyc__list_first(&exit->waiters)) != NULL) {
        exit->loop->watch_waits--;
        anyc__wake(ANYC__CONTAINER(node, struct task_wait, link), 0);
    }
}

int anyc__process_exit_wait(struct process_exit *exit)
{
    struct task_wait wait = {.rc = 0};

    if (anyc__process_exit_is_over(exit))
        return 0;
    if (exit->loop == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    exit_enqueue(exit, &wait);
    return anyc__wait(&wait, &exit_wait, exit);
}

void anyc__process_exit_wait_shielded(struct process_exit *exit)
{
    struct task_wait wait = {.rc = 0};

    if (anyc__process_exit_is_over(exit))
        return;
    exit_enqueue(exit, &wait);
    (void)anyc__wait_shielded(&wait, &exit_wait, exit); /* answers what it was woken with: 0 */
}

/* -- the end -- */

static void exit_unwatch(struct process_exit *exit)
{
    if (exit->watch != NULL)
        anyc__watch_close(exit->watch, ANYC_ECLOSED);
    exit->watch = NULL;
    if (exit->thread != NULL)
        anyc__exit_thread_forget(exit->thread);
    exit->thread = NULL;
    if (anyc__list_linked(&exit->link))
        anyc__list_remove(&exit->link);
}

static void exit_over(struct process_exit *exit, enum process_state state)
{
    exit->state = state;
    exit_unwatch(exit);
    anyc__descriptor_close(exit->pidfd);
    exit->pidfd = -1;
    exit_wake_all(exit);
    if (exit->on_end != NULL)
        exit->on_end(exit); /* may free it */
}

static int exit_code(const siginfo_t *info)
{
    return info->si_code == CLD_EXITED ? info->si_status : -info->si_status;
}

/* Collect the exit code. flags: WNOHANG, or 0 to wait for it. False if it is still running. */
static bool exit_collect(struct process_exit *exit, int flags)
{
    bool by_pidfd = exit->pidfd >= 0 && flags != 0; /* a loop may have made it non-blocking */
    idtype_t type = by_pidfd ? EXIT_P_PIDFD : P_PID;
    id_t id = by_pidfd ? (id_t)exit->pidfd : (id_t)exit->pid;
    siginfo_t info = {.si_pid = 0};
    int rc;

    do
        rc = waitid(type, id, &info, WEXITED | flags);
    while (rc < 0 && errno == EINTR);
    if (rc == 0 && info.si_pid == 0)
        return false;
    if (rc == 0)
        exit->returncode = exit_code(&info);
    exit_over(exit, rc == 0 ? PROCESS_ENDED : PROCESS_LOST);
    return true;
}

bool anyc__process_exit_is_over(struct process_exit *exit)
{
    return exit->state != PROCESS_RUNNING || exit_collect(exit, WNOHANG);
}

/* A thread has seen the end. */
static void exit_seen(struct process_exit *exit)
{
    (void)exit_collect(exit, WNOHANG);
}

static int exit_wait_in_thread(struct process_exit *exit)
{
    return anyc__exit_thread_create(&exit_loop(exit->loop)->threads, exit, exit_seen,
                                    &exit->thread);
}

/* It has ended; but as long as a debugger has not looked at that, its exit code is not to be had, and
 * this would be called again and again. */
static void exit_called(struct watch_call *call)
{
    struct process_exit *exit = ANYC__CONTAINER(call, struct process_exit, call);

    if (exit_collect(exit, WNOHANG) || exit_wait_in_thread(exit) < 0)
        return;
    anyc__watch_close(exit->watch, ANYC_ECLOSED);
    exit->watch = NULL;
}

/* -- signals -- */

int anyc__process_exit_signal(struct process_exit *exit, int signum)
{
    long rc = 0;

    if (anyc__process_exit_is_over(exit))
        return 0;
    if (exit->pidfd >= 0)
        rc = syscall(SYS_pidfd_send_signal, exit->pidfd, signum, NULL, 0);
    if (exit->pidfd < 0 || (rc < 0 && errno == ENOSYS)) /* Valgrind 3.19 does not know the call */
        rc = kill(exit->pid, signum);
    if (rc < 0 && errno == ESRCH) /* it has ended, and somebody has collected its exit code */
        return 0;
    if (rc < 0)
        return anyc__fail_errno(errno, "signal %d to process %ld", signum, (long)exit->pid);
    exit->killed = exit->killed || signum == SIGKILL;
    return 0;
}

/* -- the beginning -- */

/* Can the system wait for a process by its descriptor? Linux 5.3 has these, but not that. */
static bool exit_pidfd_serves(int pidfd)
{
    siginfo_t info;

    return pidfd >= 0 &&
           (waitid(EXIT_P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ||
            errno == ECHILD);
}

static int exit_watch_pidfd(struct process_exit *exit)
{
    int rc = anyc__watch_open(exit->loop, exit->pidfd, &exit->watch);

    if (rc < 0)
        return rc;
    exit->call.fn = exit_called;
    return anyc__watch_call(exit->watch, &exit->call);
}

int anyc__process_exit_begin(struct process_exit *exit, anyc_loop *loop,
                             const struct process_started *started)
{
    int rc;

    *exit = (struct process_exit){.loop = loop, .pid = started->pid, .pidfd = started->pidfd};
    if (exit_pidfd_serves(exit->pidfd)) {
        rc = exit_watch_pidfd(exit);
    } else {
        anyc__descriptor_close(exit->pidfd);
        exit->pidfd = -1;
        rc = exit_wait_in_thread(exit);
    }
    if (rc == 0)
        anyc__list_push(&exit_loop(loop)->held, &exit->link);
    else if (anyc__process_exit_signal(exit, SIGKILL) == 0)
        (void)exit_collect(exit, 0);
    else
        exit_over(exit, PROCESS_LOST); /* it has become another user's */
    return rc;
}

/* -- those that are left behind -- */

void anyc__process_exit_leave(struct process_exit *exit, void (*on_end)(struct process_exit *exit))
{
    exit->on_end = on_end;
    if (exit->loop == NULL && exit->killed) {
        (void)exit_collect(exit, 0);
    } else if (exit->loop == NULL) {
        exit_over(exit, PROCESS_LOST);
    } else {
        anyc__list_remove(&exit->link);
        anyc__list_push(&exit_loop(exit->loop)->left, &exit->link);
    }
}

/* Wait for those that were killed. */
static void exit_collect_killed(struct process_loop *processes)
{
    anyc_list *node = anyc__list_first(&processes->left);

    while (node != NULL) {
        struct process_exit *exit = ANYC__CONTAINER(node, struct process_exit, link);

        node = anyc__list_after(&processes->left, node);
        if (exit->killed)
            (void)exit_collect(exit, 0);
    }
}

/* The run ends before who holds it has closed it. */
static void exit_outlive(struct process_exit *exit)
{
    exit_unwatch(exit);
    exit->loop = NULL;
}

/* The run ends, and nothing of it may stay behind. One that could not be killed is left to itself. */
static void exit_loop_end(anyc_loop *loop, void *local)
{
    struct process_loop *processes = local;
    anyc_list *node;

    (void)loop;
    exit_collect_killed(processes);
    anyc__exit_threads_join(&processes->threads);
    while ((node = anyc__list_first(&processes->left)) != NULL)
        exit_over(ANYC__CONTAINER(node, struct process_exit, link), PROCESS_LOST);
    while ((node = anyc__list_first(&processes->held)) != NULL)
        exit_outlive(ANYC__CONTAINER(node, struct process_exit, link));
    anyc__exit_threads_deinit(&processes->threads);
    anyc__free(processes);
}

int anyc__process_exit_prepare(anyc_loop *loop)
{
    struct process_loop *processes = exit_loop(loop);
    int rc;

    if (processes != NULL)
        return 0;
    processes = anyc__zalloc(sizeof *processes);
    if (processes == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = anyc__exit_threads_init(&processes->threads, loop);
    if (rc < 0) {
        anyc__free(processes);
        return rc;
    }
    anyc__loop_set_local(loop, LOOP_LOCAL_PROCESSES, processes, exit_loop_end);
    return 0;
}
