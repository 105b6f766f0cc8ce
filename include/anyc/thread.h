/* SPDX-License-Identifier: MIT */
/*
 * thread.h - run blocking functions in worker threads, so that the loop goes on meanwhile, and call
 * back into the loop from there or from any other thread.
 *
 *     static int hash_file(void *arg)
 *     {
 *         struct hash_job *job = arg;
 *
 *         while (hash_next_part(job)) {              // blocks this thread only
 *             int rc = anyc_from_thread_check_cancelled();
 *
 *             if (rc < 0)
 *                 return rc;
 *         }
 *         return anyc_from_thread_run(tell_everybody, job, NULL, NULL);   // a task's function
 *     }
 *
 *     rc = anyc_to_thread_run_sync(hash_file, &job, NULL, NULL);
 *
 * Worker threads belong to their run: they are started when needed, used again, and end after ten
 * seconds without work (but not one that is the only one). All signals but those of a fault are
 * blocked in them, so also in a program that a function there starts by itself, with system() or
 * fork(), unless it changes that before. Their stacks have the system's default size for threads,
 * 256 KiB at least. pthread_cancel() has no effect on them; in other threads what they have begun in
 * a loop comes to its end first.
 *
 * The end of a run. The main task's end cancels the tasks that run for foreign threads and for
 * abandoned workers, and waits for their ends; then the worker threads are joined, but not those
 * that still work for an abandoned call: such a one runs on to its function's end, and then ends.
 * Whatever a thread asks of the run from then on is answered by ANYC_ERUNFINISHED, and nothing of
 * the run is touched. A program that must not leave such threads behind (they may use what main()
 * is about to destroy) lets their functions look at anyc_from_thread_check_cancelled, or waits for
 * them by means of its own before it ends.
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
    const char *thread_name; /* of the thread while it runs the function, cut to what the system
                              * allows (15 bytes); NULL: "anyc-worker" */
} anyc_to_thread_run_sync_options;

/**
 * Call a function in a worker thread and wait for its result.
 *
 * The call takes a token of the limiter while the function runs, to its very end also when it is
 * abandoned; the borrower is the call, not the task. A call that is made on behalf of a worker
 * thread (by a task that runs for it in the loop, or a child of that) uses the token of that worker,
 * which waits anyhow, if its limiter has no other left. So calls from threads into the loop and on
 * into threads never wait for each other's tokens.
 *
 * @param fn          the function
 * @param arg         its argument; borrowed until it returns
 * @param options     NULL or zero fields: defaults
 * @param out_result  what the function returned, if that is >= 0; may be NULL
 *
 * Returns: 0 if the function returned a value >= 0, or
 *   any negative code that the function returned, as it is; or
 *   ANYC_EWORKER     the function did not return, but ended its thread by pthread_exit()
 *   or, and then it has not been called
 *   ANYC_ECANCELLED  the enclosing scope was cancelled before the function was started (with
 *                    abandon_on_cancel: before it returned; it is called and its result dropped)
 *   ANYC_ENOLOOP     not called from a task
 *   ANYC_EINVAL      no function
 *   ANYC_ENOMEM      out of memory
 *   -EAGAIN          the system refused a thread, and the run has none yet (if it has, the call
 *                    waits for one, but not if it is made on behalf of a worker)
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

/** The way into a run for threads that are none of its workers. */
typedef struct anyc_token anyc_token;

/** A function that is called on a loop's thread outside of tasks. It may do what a callback of the
 * loop may (set events, start tasks in groups, cancel scopes ...), and may not wait. */
typedef int (*anyc_loop_fn)(void *arg);

/**
 * Get a token of the running loop, to be handed to other threads. While there is one, the run does
 * not count as deadlocked when all of its tasks wait.
 *
 * @param out_token  the token
 *
 * Returns: 0, or
 *   ANYC_ENOLOOP  no loop runs in this thread
 *   ANYC_ENOMEM   out of memory
 * Owns:    give the token back with anyc_token_release, before or after the end of the run.
 * Cancel:  never suspends.
 * Threads: the loop's thread.
 * AnyIO:   lowlevel.current_token (4.11).
 */
ANYC_API int anyc_current_token(anyc_token **out_token);

/**
 * Give a token back.
 *
 * @param token  from anyc_current_token; NULL is fine
 *
 * Owns:    takes the token: no call with it may be in progress or come later.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   the end of its life.
 */
ANYC_API void anyc_token_release(anyc_token *token);

/**
 * Run a task's function in a loop and wait for its result; this thread blocks meanwhile.
 *
 * In a worker thread without a token, or with that of its own run, the function runs in the task
 * that waits for this thread, within its scopes: it is cancelled when they are. But if the call of
 * the worker may be abandoned, or the token is that of another run, the function runs in a task of
 * its own under the run's root, which nobody cancels but the end of the run.
 *
 * @param fn          the function; it may wait, and must leave the scopes that it enters
 * @param arg         its argument; borrowed until it returns
 * @param token       of the run; NULL in a worker thread: the run that the worker belongs to
 * @param out_result  what the function returned, if that is >= 0; may be NULL
 *
 * Returns: 0 if the function returned a value >= 0, or
 *   any negative code that the function returned, as it is; or, and then it has not been called
 *   ANYC_ENOLOOP      no token, and not in a worker thread
 *   ANYC_ERUNFINISHED the run has ended
 *   ANYC_ESTATE       the token is that of the run in this very thread, or of a parent process's
 *                     (anyc_after_fork_child)
 *   ANYC_ENOMEM       out of memory
 *   ANYC_EINVAL       no function
 * Owns:    nothing is taken.
 * Cancel:  blocks this thread; a cancellation reaches the function, which decides.
 * Threads: any thread but the loop's.
 * AnyIO:   from_thread.run.
 */
ANYC_MUST_USE ANYC_API int anyc_from_thread_run(anyc_task_fn fn, void *arg, anyc_token *token,
                                                int *out_result);

/**
 * Call a plain function on a loop's thread, outside of tasks, and wait for its result. It is called
 * also when the task that waits for a worker is cancelled.
 *
 * @param fn          the function; it may not wait
 * @param arg         its argument; borrowed until it returns
 * @param token       of the run; NULL in a worker thread: the run that the worker belongs to
 * @param out_result  what the function returned, if that is >= 0; may be NULL
 *
 * Returns: as anyc_from_thread_run, but never ANYC_ENOMEM of its own: it needs no memory.
 * Owns:    nothing is taken.
 * Cancel:  blocks this thread; never cancelled.
 * Threads: any thread but the loop's.
 * AnyIO:   from_thread.run_sync.
 */
ANYC_MUST_USE ANYC_API int anyc_from_thread_run_sync(anyc_loop_fn fn, void *arg, anyc_token *token,
                                                     int *out_result);

/**
 * Has the task that waits for this worker thread been cancelled, shields of its own scopes aside?
 * Cheap: it reads one number.
 *
 * Returns: 0, or
 *   ANYC_ECANCELLED the scopes around the call are cancelled, or the call was abandoned; returned by
 *                   the thread's function, it is swallowed by the scope that was cancelled
 *   ANYC_ENOLOOP    not in a worker thread
 *   ANYC_ESTATE     not in the process of the run, but in a child of it
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: worker threads.
 * AnyIO:   from_thread.check_cancelled.
 */
ANYC_MUST_USE ANYC_API int anyc_from_thread_check_cancelled(void);

#ifdef __cplusplus
}
#endif

#include <anyc/portal.h>
#include <anyc/portal_provider.h>
#include <anyc/thread_future.h>

#endif
