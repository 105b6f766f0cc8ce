/* SPDX-License-Identifier: MIT */
/*
 * thread.h - run blocking functions in worker threads, so that the loop goes on meanwhile.
 *
 *     static int hash_file(void *arg)
 *     {
 *         struct hash_job *job = arg;
 *
 *         return hash(job->path, job->digest);   // blocks this thread only
 *     }
 *
 *     rc = anyc_to_thread_run_sync(hash_file, &job, NULL, NULL);
 *
 * Worker threads belong to their run: they are started when needed, used again, end after ten
 * seconds without work, and are gone when the run has ended. All signals but those of a fault are
 * blocked in them. Their stacks have the system's default size for threads, 256 KiB at least.
 */
#ifndef ANYC_THREAD_H
#define ANYC_THREAD_H

#include <anyc/base.h>
#include <anyc/capacity_limiter.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A function that runs in a worker thread. It is no task: it may block, and may not call the
 * functions that wait. A negative result is a failure. */
typedef int (*anyc_thread_fn)(void *arg);

/** What a call may be told; all zero means the defaults. */
typedef struct anyc_to_thread_run_sync_options {
    /* When the task is cancelled, leave the thread to itself, which runs on to the function's end.
     * Then the argument must live that long; so must `limiter`, until its token is back or the run
     * has ended (a token that is not back by then is lost to it). False: the task waits for the
     * function whatever happens. */
    bool abandon_on_cancel;
    anyc_capacity_limiter *limiter; /* NULL: the default one */
} anyc_to_thread_run_sync_options;

/**
 * Call a function in a worker thread and wait for its result.
 *
 * The call takes a token of the limiter while the function runs, to its very end also when it is
 * abandoned; the borrower is the call, not the task.
 *
 * @param fn          the function
 * @param arg         its argument; borrowed until it returns
 * @param options     NULL or zero fields: defaults
 * @param out_result  what the function returned, if that is >= 0; may be NULL
 *
 * Returns: 0 if the function returned a value >= 0, or
 *   any negative code that the function returned, as it is; or, and then it has not been called
 *   ANYC_ECANCELLED  the enclosing scope was cancelled before the function was started (with
 *                    abandon_on_cancel: before it returned; it is called and its result dropped)
 *   ANYC_ENOLOOP     not called from a task
 *   ANYC_EINVAL      no function
 *   ANYC_ENOMEM      out of memory
 *   -EAGAIN          the system refused a thread, and the run has none yet (if it has, the call
 *                    waits for one)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the function starts, then shielded: a cancelled task gets the
 *          function's own result, and ANYC_ECANCELLED at its next checkpoint. With
 *          abandon_on_cancel a checkpoint throughout.
 * Threads: tasks only.
 * AnyIO:   to_thread.run_sync (cancellable is abandon_on_cancel, its name since 4.1).
 */
ANYC_MUST_USE ANYC_API int anyc_to_thread_run_sync(anyc_thread_fn fn, void *arg,
                                                   const anyc_to_thread_run_sync_options *options,
                                                   int *out_result);

/**
 * The limiter of calls that name none. It has 40 tokens at first.
 *
 * Returns: the run's limiter, or NULL outside a run (ANYC_ENOLOOP in anyc_last_error()) or without
 *          memory (ANYC_ENOMEM).
 * Owns:    borrowed, valid until the run ends.
 * Cancel:  never suspends.
 * Threads: the loop's thread.
 * AnyIO:   to_thread.current_default_thread_limiter.
 */
ANYC_API anyc_capacity_limiter *anyc_current_default_thread_limiter(void);

#ifdef __cplusplus
}
#endif

#endif
