/* SPDX-License-Identifier: MIT */
/*
 * process_start.c - start a program as a plan says: clone(2) as vfork(2) does it, but on a stack of
 * the child's own, and with a descriptor for the process.
 *
 * The child says by a pipe which step failed; the pipe is close-on-exec, so its end without a word
 * is success. As the child shares our memory, it has gone through all of that when clone returns, and
 * what the pipe holds then is all there will be: it is not waited for, since a process that another
 * thread forks in between may hold it open for ever. Emulators make an ordinary fork of a vfork;
 * then the child's mark does not reach us, and the pipe is waited for.
 */
#include "os/process_start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "os/process_child.h"

#define START_STACK_SIZE ((size_t)32 * 1024) /* bytes; the child needs about 2,000 */
#define START_STACK_ALIGN ((uintptr_t)64)
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000 /* Linux 5.2; older ones pass over it */
#endif

/* The C library's clone by its other name: sanitizers put a function of their own in front of the
 * first, which takes the child for a fork with memory of its own. NULL: it has no other name. */
int start_plain_clone(int (*fn)(void *), void *stack, int flags, void *arg, ...) __asm__("__clone")
    __attribute__((weak));

/* clone(2) with all signals blocked, so that no handler of ours runs in the child. -errno. */
static pid_t start_clone(struct process_birth *birth, void *stack_top, int *out_pidfd)
{
    int (*make)(int (*)(void *), void *, int, void *, ...) =
        start_plain_clone != NULL ? start_plain_clone : clone;
    const int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
    sigset_t all;
    sigset_t before;
    pid_t pid;
    int error;

    *out_pidfd = -1;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = make(anyc__process_child, stack_top, flags | CLONE_PIDFD, birth, out_pidfd);
    if (pid < 0 && errno == EINVAL) /* an emulator that does not know it */
        pid = make(anyc__process_child, stack_top, flags, birth);
    error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid < 0 ? -error : pid;
}

/* What the child had to say. False: nothing, it executes its program. */
static bool start_report(const struct process_birth *birth, int fd, struct process_report *out)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    ssize_t n;

    do {
        if (!birth->one_memory)
            (void)poll(&wait, 1, -1);
        n = read(fd, out, sizeof *out);
    } while (n < 0 && (errno == EINTR || (anyc__would_block(errno) && !birth->one_memory)));
    return n == (ssize_t)sizeof *out;
}

/* The end of a child that has failed is near. */
static void start_reap(pid_t pid)
{
    siginfo_t info;
    int rc;

    do
        rc = waitid(P_PID, (id_t)pid, &info, WEXITED);
    while (rc < 0 && errno == EINTR);
}

/* Is one of the paths there? Then it is what executes it that is not. */
static bool start_is_there(const struct process_plan *plan)
{
    bool found = false;

    for (char **path = plan->paths; *path != NULL && !found; path++)
        found = (plan->cwd == NULL || **path == '/') && access(*path, F_OK) == 0;
    return found;
}

static int start_fail(const struct process_plan *plan, const struct process_report *report)
{
    static const char *const calls[] = {
        [PROCESS_STEP_DESCRIPTORS] = "dup2", [PROCESS_STEP_SETSID] = "setsid",
        [PROCESS_STEP_SETPGID] = "setpgid",  [PROCESS_STEP_SETGROUPS] = "setgroups",
        [PROCESS_STEP_SETGID] = "setgid",    [PROCESS_STEP_SETUID] = "setuid",
    };
    int error = report->error;

    if (report->step == PROCESS_STEP_CHDIR)
        return anyc__fail_errno(error, "chdir to %.150s", plan->cwd);
    if (report->step != PROCESS_STEP_EXEC)
        return anyc__fail_errno(error, "%s for %.150s", calls[report->step], plan->program);
    if (error == ENOENT && start_is_there(plan))
        return anyc__fail(-error, error, "exec %s: it is there, but not the interpreter it names",
                          plan->program);
    return anyc__fail_errno(error, "exec %.150s", plan->argv[0]);
}

static int start_on(const struct process_plan *plan, const int *pipe_ends, void *stack,
                    struct process_started *out)
{
    uintptr_t top = ((uintptr_t)stack + START_STACK_SIZE) / START_STACK_ALIGN * START_STACK_ALIGN;
    struct process_birth birth = {.plan = plan, .report_fd = pipe_ends[1]};
    struct process_report report;
    int pidfd;
    pid_t pid = start_clone(&birth, (void *)top, &pidfd);

    anyc__descriptor_close(pipe_ends[1]);
    if (pid < 0)
        return anyc__fail_errno((int)-pid, "a process for %.150s", plan->program);
    if (start_report(&birth, pipe_ends[0], &report)) {
        start_reap(pid);
        anyc__descriptor_close(pidfd);
        return start_fail(plan, &report);
    }
    *out = (struct process_started){.pid = pid, .pidfd = pidfd};
    return 0;
}

int anyc__process_start(const struct process_plan *plan, struct process_started *out_started)
{
    void *stack = anyc__alloc(START_STACK_SIZE);
    int pipe_ends[2];
    int rc;

    if (stack == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        rc = anyc__fail_errno(errno, "a pipe to start %.150s", plan->program);
    } else {
        rc = start_on(plan, pipe_ends, stack, out_started);
        anyc__descriptor_close(pipe_ends[0]);
    }
    anyc__free(stack);
    return rc;
}
