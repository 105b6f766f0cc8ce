/* SPDX-License-Identifier: MIT */
/*
 * process_child.c - what a new process does until it executes its program.
 *
 * It shares its parent's memory, thread-local variables included, but is not known to the C library
 * as a process of its own. So it makes bare system calls: a setuid(3) here would change all threads
 * of the parent, and tools that stand between a program and its C library would take what happens
 * here for the parent's doings. For the same reason this file is never instrumented.
 *
 * The order of the steps is that of Python's subprocess.
 */
#include "os/process_child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHILD_STD_COUNT 3 /* descriptors 0, 1, 2 */
#define CHILD_SIGNALS 64  /* numbers 1..64 */
#define CHILD_MASK_BYTES 8
#define CHILD_CLOSE_RANGE_CLOEXEC 4u /* Linux 5.11 */

/* Where user numbers once had 16 bits, the calls of that time kept the names. */
#ifdef SYS_setresuid32
#define CHILD_SETUID SYS_setresuid32
#define CHILD_SETGID SYS_setresgid32
#define CHILD_SETGROUPS SYS_setgroups32
#else
#define CHILD_SETUID SYS_setresuid
#define CHILD_SETGID SYS_setresgid
#define CHILD_SETGROUPS SYS_setgroups
#endif
#ifndef SYS_close_range
#define SYS_close_range 436 /* on every architecture */
#endif

struct child_directory_entry { /* getdents64(2) */
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

static _Noreturn void child_exit(void)
{
    for (;;)
        (void)syscall(SYS_exit_group, 127);
}

/* Say which step failed, by errno, and end. */
static _Noreturn void child_fail(const struct process_birth *birth, enum process_step step)
{
    const struct process_report report = {.step = (int)step, .error = errno};

    (void)syscall(SYS_write, birth->report_fd, &report, sizeof report); /* there is room for it */
    child_exit();
}

static void child_check(const struct process_birth *birth, enum process_step step, long rc)
{
    if (rc < 0)
        child_fail(birth, step);
}

/* -- signals -- */

/* Default dispositions and an empty mask: what the parent ignores the program would ignore as well.
 * All zero is SIG_DFL in the kernel's struct sigaction, however it is laid out. */
static void child_signals(void)
{
    const unsigned long zero[8] = {0};

    for (int signum = 1; signum <= CHILD_SIGNALS; signum++)
        (void)syscall(SYS_rt_sigaction, signum, zero, NULL, CHILD_MASK_BYTES); /* not SIGKILL */
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, zero, NULL, CHILD_MASK_BYTES);
}

/* -- descriptors -- */

static int child_set_cloexec(int fd)
{
    return (int)syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
}

/* The number in a name of /proc/self/fd; -1: it is none. */
static int child_number(const char *name)
{
    int number = -1;

    for (; *name >= '0' && *name <= '9'; name++)
        number = (number < 0 ? 0 : number) * 10 + (*name - '0');
    return number;
}

/* Make all descriptors that /proc lists close-on-exec. */
static int child_cloexec_listed(void)
{
    _Alignas(struct child_directory_entry) char room[1024];
    long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long len = fd < 0 ? -1 : syscall(SYS_getdents64, fd, room, sizeof room);

    while (len > 0) {
        for (long at = 0; at < len;) {
            const struct child_directory_entry *entry = (void *)(room + at);
            int number = child_number(entry->name);

            if (number >= CHILD_STD_COUNT)
                (void)child_set_cloexec(number);
            at += entry->size;
        }
        len = syscall(SYS_getdents64, fd, room, sizeof room);
    }
    if (fd >= 0)
        (void)syscall(SYS_close, fd);
    return len < 0 ? -1 : 0;
}

/* Make every descriptor there can be close-on-exec. */
static int child_cloexec_possible(void)
{
    struct {
        uint64_t soft;
        uint64_t hard;
    } limit;

    if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit) < 0)
        return -1;
    for (int fd = CHILD_STD_COUNT; (uint64_t)fd < limit.soft; fd++)
        (void)child_set_cloexec(fd);
    return 0;
}

/* Nothing of the parent's stays open, whether its makers thought of that or not. */
static int child_cloexec_all(void)
{
    if (syscall(SYS_close_range, CHILD_STD_COUNT, ~0u, CHILD_CLOSE_RANGE_CLOEXEC) == 0)
        return 0;
    return child_cloexec_listed() == 0 ? 0 : child_cloexec_possible();
}

/* A copy that is in nobody's way, if this one is. */
static int child_move_up(int fd)
{
    return fd >= CHILD_STD_COUNT ? fd
                                 : (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, CHILD_STD_COUNT);
}

/* The standard streams may come from descriptors 0, 1 and 2 in any order. So those that change places
 * are copied away first. */
static int child_std(const int *std)
{
    int from[CHILD_STD_COUNT];
    long rc = 0;

    for (int i = 0; i < CHILD_STD_COUNT && rc >= 0; i++) {
        from[i] = std[i] < 0 || std[i] == i ? std[i] : child_move_up(std[i]);
        rc = std[i] < 0 ? 0 : from[i];
    }
    for (int i = 0; i < CHILD_STD_COUNT && rc >= 0; i++) {
        if (from[i] == i)
            rc = syscall(SYS_fcntl, i, F_SETFD, 0);
        else if (from[i] >= 0)
            rc = syscall(SYS_dup3, from[i], i, 0);
    }
    return rc < 0 ? -1 : 0;
}

static void child_descriptors(struct process_birth *birth)
{
    const struct process_plan *plan = birth->plan;
    int report_fd = child_move_up(birth->report_fd);

    child_check(birth, PROCESS_STEP_DESCRIPTORS, report_fd);
    birth->report_fd = report_fd;
    child_check(birth, PROCESS_STEP_DESCRIPTORS, child_cloexec_all());
    child_check(birth, PROCESS_STEP_DESCRIPTORS, child_std(plan->std));
    for (size_t i = 0; i < plan->pass_fds_count; i++) {
        if (plan->pass_fds[i] >= CHILD_STD_COUNT)
            child_check(birth, PROCESS_STEP_DESCRIPTORS,
                        syscall(SYS_fcntl, plan->pass_fds[i], F_SETFD, 0));
    }
}

/* -- the rest -- */

static void child_surroundings(const struct process_birth *birth)
{
    const struct process_plan *plan = birth->plan;

    if (plan->cwd != NULL)
        child_check(birth, PROCESS_STEP_CHDIR, syscall(SYS_chdir, plan->cwd));
    if (plan->set_umask)
        (void)syscall(SYS_umask, plan->umask);
    if (plan->start_new_session)
        child_check(birth, PROCESS_STEP_SETSID, syscall(SYS_setsid));
    if (plan->set_process_group)
        child_check(birth, PROCESS_STEP_SETPGID, syscall(SYS_setpgid, 0, plan->process_group));
}

/* The user comes last: who is not root any more may not change the groups. */
static void child_identity(const struct process_birth *birth)
{
    const struct process_plan *plan = birth->plan;

    if (plan->set_groups)
        child_check(birth, PROCESS_STEP_SETGROUPS,
                    syscall(CHILD_SETGROUPS, plan->group_count, plan->groups));
    if (plan->set_group)
        child_check(birth, PROCESS_STEP_SETGID,
                    syscall(CHILD_SETGID, plan->group, plan->group, plan->group));
    if (plan->set_user)
        child_check(birth, PROCESS_STEP_SETUID,
                    syscall(CHILD_SETUID, plan->user, plan->user, plan->user));
}

/* What an errno of execve(2) says of all the places where the program may be. */
enum child_verdict {
    CHILD_VERDICT_NONE,
    CHILD_VERDICT_NO_PLACE, /* an entry of PATH that leads nowhere; execvp(3) passes over it as well */
    CHILD_VERDICT_MISSING,
    CHILD_VERDICT_LOCKED, /* it is there, but may not be executed */
    CHILD_VERDICT_FAILED  /* found: there is no use in looking on */
};

static enum child_verdict child_judge(int error)
{
    switch (error) {
    case 0:
        return CHILD_VERDICT_NONE;
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case ENODEV: /* this one and those below: of file systems that are far away */
    case ESTALE:
    case ETIMEDOUT:
        return CHILD_VERDICT_NO_PLACE;
    case ENOENT:
        return CHILD_VERDICT_MISSING;
    case EACCES:
        return CHILD_VERDICT_LOCKED;
    default:
        return CHILD_VERDICT_FAILED;
    }
}

/* Answers only if no path could be executed, with the errno that says most. */
static void child_exec(const struct process_plan *plan)
{
    int error = 0;

    for (char **path = plan->paths; *path != NULL; path++) {
        (void)syscall(SYS_execve, *path, plan->argv, plan->env);
        if (child_judge(errno) > child_judge(error))
            error = errno;
        if (child_judge(errno) == CHILD_VERDICT_FAILED)
            break;
    }
    errno = error;
}

int anyc__process_child(void *arg)
{
    struct process_birth *birth = arg;

    birth->one_memory = true;
    child_signals();
    child_descriptors(birth);
    child_surroundings(birth);
    child_identity(birth);
    child_exec(birth->plan);
    child_fail(birth, PROCESS_STEP_EXEC);
}
