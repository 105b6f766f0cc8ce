/* SPDX-License-Identifier: MIT */
/*
 * exit_thread.h - a thread that waits for the end of one process, for systems without descriptors of
 * processes, and for processes that a debugger looks at.
 *
 * It leaves the exit code to the loop's thread. All functions are called there.
 */
#ifndef ANYC_OS_EXIT_THREAD_H
#define ANYC_OS_EXIT_THREAD_H

#include "os/process_exit.h"
#include "threads/run_token.h"

struct exit_thread;

/* Those of a loop. */
struct exit_threads {
    anyc_loop *loop;
    anyc_token *token;
    anyc_list list;
};

/* ANYC_ENOMEM. */
int anyc__exit_threads_init(struct exit_threads *threads, anyc_loop *loop);

/* Wait for those that were forgotten: their processes have ended. */
void anyc__exit_threads_join(struct exit_threads *threads);

/* The run ends. A thread whose process still runs is left to itself. */
void anyc__exit_threads_deinit(struct exit_threads *threads);

/* Wait for the end of exit->pid, then call `seen` on the loop's thread, outside a task. ANYC_ENOMEM or
 * -EAGAIN, with a message. */
int anyc__exit_thread_create(struct exit_threads *threads, struct process_exit *exit,
                             void (*seen)(struct process_exit *exit),
                             struct exit_thread **out_thread);

/* The process has ended, do not call `seen` any more. */
void anyc__exit_thread_forget(struct exit_thread *thread);

#endif
