/* SPDX-License-Identifier: MIT */
/*
 * process_plan.h - all that a new process does before it executes its program, worked out
 * beforehand: between its birth and execve(2) it may neither allocate nor take a lock.
 */
#ifndef ANYC_OS_PROCESS_PLAN_H
#define ANYC_OS_PROCESS_PLAN_H

#include <anyc/process.h>

struct process_plan {
    const char *program; /* as the caller named it, for messages */
    const char *const *argv;
    const char *const *env;
    const char *shell_argv[5];
    char **paths; /* where the program may be, in turn, ended by NULL; one block of memory */
    const char *cwd;

    int std[3]; /* what becomes its descriptors 0, 1, 2; -1: it has none */
    const int *pass_fds;
    size_t pass_fds_count;

    bool start_new_session;
    bool set_process_group;
    bool set_umask;
    bool set_user;
    bool set_group;
    bool set_groups;
    pid_t process_group; /* 0: a new one */
    mode_t umask;
    uid_t user;
    gid_t group;
    gid_t *groups;
    size_t group_count;
};

/* Fill a plan but for `std` and the users and groups. It borrows what the options borrow. Answers 0,
 * ANYC_EINVAL or ANYC_ENOMEM, with a message; deinit is due after 0 only. */
int anyc__process_plan_init(struct process_plan *plan, const char *const *argv,
                            const anyc_process_options *options);
void anyc__process_plan_deinit(struct process_plan *plan);

/* Take the environment, and what follows from it, anew: this program's own may have moved if
 * another task has changed it meanwhile. 0 or ANYC_ENOMEM. */
int anyc__process_plan_environment(struct process_plan *plan, const anyc_process_options *options);

/* Fill in users and groups, by a worker thread if there are names among them. May suspend. Answers 0,
 * ANYC_EINVAL with a message, ANYC_ECANCELLED, ANYC_ENOMEM or -errno. */
int anyc__process_plan_ids(anyc_task *task, struct process_plan *plan,
                           const anyc_process_options *options);

#endif
