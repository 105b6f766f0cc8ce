/* SPDX-License-Identifier: MIT */
/*
 * process_exit.h - how the end of a process is noticed, and what is sent to it until then.
 *
 * The loop watches the process's descriptor (pidfd_open(2)); where the system has none, a thread
 * waits for this one process. Only the loop's thread collects the exit code, and only that of this
 * process, never of "any child". Until it has done so, no other process can have its number.
 */
#ifndef ANYC_OS_PROCESS_EXIT_H
#define ANYC_OS_PROCESS_EXIT_H

#include <anyc/base.h>

#include "core/watch.h"
#include "os/process_start.h"

enum process_state {
    PROCESS_RUNNING,
    PROCESS_ENDED,
    PROCESS_LOST /* its exit code was collected by somebody else */
};

/* Invariant: state != PROCESS_RUNNING => nothing below `waiters` is in use. */
struct process_exit {
    anyc_loop *loop; /* NULL: its run has ended */
    pid_t pid;
    enum process_state state;
    int returncode; /* PROCESS_ENDED: exit code, or minus the signal's number */
    bool killed;    /* SIGKILL was sent, so its end is near */
    anyc_list waiters;

    int pidfd; /* or -1 */
    anyc_watch *watch;
    struct watch_call call;
    struct exit_thread *thread; /* instead of the watch */

    anyc_list link; /* among those of the loop */
    void (*on_end)(struct process_exit *exit);
};

/* Before a process is started: what the loop needs for it. ANYC_ENOMEM. */
int anyc__process_exit_prepare(anyc_loop *loop);

/* A process was started: begin to watch it. Takes the pidfd. If that fails, the process is killed, and
 * has ended when this returns: ANYC_ENOMEM, -EAGAIN (no thread) or -errno of the loop, with a
 * message. */
int anyc__process_exit_begin(struct process_exit *exit, anyc_loop *loop,
                             const struct process_started *started);

/* Has it ended, as of now? */
bool anyc__process_exit_is_over(struct process_exit *exit);

/* Wait for its end; after anyc__enter. 0, ANYC_ECANCELLED, or ANYC_ECLOSED if its run has ended. */
int anyc__process_exit_wait(struct process_exit *exit);

/* The same, and no cancellation ends it. */
void anyc__process_exit_wait_shielded(struct process_exit *exit);

/* Send a signal; nothing is sent if it has ended. 0 or -errno. */
int anyc__process_exit_signal(struct process_exit *exit, int signum);

/* Nobody will wait for its end: on_end is called when it has come, at the end of the run at the
 * latest if it was killed, and from here if the run has ended. It runs still. */
void anyc__process_exit_leave(struct process_exit *exit, void (*on_end)(struct process_exit *exit));

#endif
