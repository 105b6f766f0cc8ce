/* SPDX-License-Identifier: MIT */
/*
 * worker_process.h - run functions in worker processes: on other processors, and where a crash hurts
 * nobody else.
 *
 *     static int sum(const void *input, size_t input_size, anyc_bytes *output)
 *     {
 *         const int *numbers = input;
 *         long total = 0;
 *
 *         for (size_t i = 0; i < input_size / sizeof *numbers; i++)
 *             total += numbers[i];
 *         return anyc_bytes_init(output, &total, sizeof total);
 *     }
 *
 *     rc = anyc_to_process_run_sync(sum, numbers, sizeof numbers, NULL, &output);
 *
 * A worker is this program, executed anew: its libraries and its static initialisation (functions
 * with the attribute `constructor`, static objects of C++) run, but main() does not. So a worker has
 * none of the threads, locks and descriptors of the program, and nothing that main() or a task has
 * set: what a function needs goes into its input. A program that must not do in a worker what its
 * static initialisation does finds out by anyc_in_worker_process.
 *
 * Workers belong to their run: they are started when needed, used again, and end after five minutes
 * without work, with the run, or with the program. What a function leaves behind in its worker
 * (static variables, open files, threads, the working directory) is there for the next one; only the
 * signal mask is put back. In a worker, standard input, output and error are the null device, and it
 * is in a process group of its own, so that what is typed at a terminal does not reach it.
 */
#ifndef ANYC_WORKER_PROCESS_H
#define ANYC_WORKER_PROCESS_H

#include <anyc/base.h>
#include <anyc/capacity_limiter.h>
#include <anyc/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A function that runs in a worker process. It is no task: it may block, and may not call the
 * functions that wait, unless it makes a run of its own. A negative result is a failure.
 *
 * It must be part of this program's file or of a shared library, linked or loaded later; in a worker
 * the same file is loaded, so it must still be there unchanged.
 *
 * `input` is a copy that goes when the function returns, aligned as by malloc(3). `output` is empty at
 * first; its memory is that of anyc_bytes_init, or of malloc(3) if the program's static initialisation
 * has not set another allocator. It is freed after the function has returned, and sent back if the
 * result is not negative. */
typedef int (*anyc_process_fn)(const void *input, size_t input_size, anyc_bytes *output);

/** What a call may be told; all zero means the defaults. */
typedef struct anyc_to_process_run_sync_options {
    /* When the task is cancelled, kill the worker. False: the task waits for the function whatever
     * happens. */
    bool cancellable;
    anyc_capacity_limiter *limiter; /* NULL: the default one */
} anyc_to_process_run_sync_options;

/**
 * Call a function in a worker process and wait for its result.
 *
 * The call takes a token of the limiter from before a worker is looked for to its end; the borrower is
 * the call, not the task. It takes the worker that became idle last, or starts one.
 *
 * @param fn          the function
 * @param input       what it gets; borrowed until the call returns, may be NULL if input_size is 0
 * @param input_size  bytes
 * @param options     NULL or zero fields: defaults
 * @param output      what the function has put out, if its result is >= 0; unchanged otherwise. NULL:
 *                    it is of no interest
 *
 * Returns: the function's result, as it is: >= 0, or any negative code, with the message that
 *          anyc_last_error() had for it in the worker; or
 *   ANYC_EWORKER     the worker died (a crash, exit(3) ...), sent nonsense, was not ready within 20 s,
 *                    did not find the function's file as it was, or cannot be spoken to; the message
 *                    says which. The worker is gone, others are not concerned
 *   ANYC_ECANCELLED  the enclosing scope was cancelled before the function was started (if
 *                    `cancellable`: before it returned; then the worker has been killed)
 *   ANYC_ESTATE      called in a worker process
 *   ANYC_ENOLOOP     not called from a task
 *   ANYC_EINVAL      no function, or one that lies in no file
 *   ANYC_ENOMEM      out of memory, here or for the worker's copy of the input
 *   -EPERM           the program has raised privileges (set-user-ID and the like): its environment
 *                    cannot tell a worker what it is
 *   -EAGAIN, -EMFILE, -ENFILE, -ENOENT ...  no process could be started, as of anyc_open_process;
 *                    -ENOENT: /proc is not mounted
 * Owns:    nothing is taken. The output is the caller's: free it with anyc_bytes_deinit.
 * Cancel:  checkpoint until the function starts, then shielded: a cancelled task gets the function's
 *          own result, and ANYC_ECANCELLED at its next checkpoint. With `cancellable` a checkpoint
 *          throughout; when it answers ANYC_ECANCELLED, the function runs no longer.
 * Threads: tasks only.
 * AnyIO:   to_process.run_sync.
 */
ANYC_MUST_USE ANYC_API int anyc_to_process_run_sync(anyc_process_fn fn, const void *input,
                                                    size_t input_size,
                                                    const anyc_to_process_run_sync_options *options,
                                                    anyc_bytes *output);

/**
 * The limiter of calls that name none. It has as many tokens as there are processors at first.
 *
 * Returns: the run's limiter, or NULL outside a run (ANYC_ENOLOOP in anyc_last_error()) or without
 *          memory (ANYC_ENOMEM).
 * Owns:    borrowed, valid until the run ends.
 * Cancel:  never suspends.
 * Threads: the loop's thread.
 * AnyIO:   to_process.current_default_process_limiter.
 */
ANYC_API anyc_capacity_limiter *anyc_current_default_process_limiter(void);

/**
 * Is this process a worker of another one?
 *
 * Returns: true in a worker, from the static initialisation of the program on.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API bool anyc_in_worker_process(void);

#ifdef __cplusplus
}
#endif

#endif
