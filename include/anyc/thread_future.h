/* SPDX-License-Identifier: MIT */
/*
 * thread_future.h - the result to come of a task that a thread started in another thread's loop.
 *
 *     rc = anyc_blocking_portal_start_task_soon(portal, fetch, &page, NULL, &future);
 *     ...
 *     if (anyc_thread_future_wait(future, 2.0) == ANYC_ETIMEDOUT)
 *         anyc_thread_future_cancel(future);
 *     rc = anyc_thread_future_wait(future, INFINITY);    // now `page` is the caller's again
 *     if (rc == 0)
 *         rc = anyc_thread_future_result(future, NULL);
 *     anyc_thread_future_unref(future);
 *
 * A future is done when its task has ended, also if it was cancelled before: what the task was given
 * may be freed then, and not earlier. All functions may be called from any thread, by several at
 * once, before and after the end of the loop's run. Waiting blocks the calling thread.
 */
#ifndef ANYC_THREAD_FUTURE_H
#define ANYC_THREAD_FUTURE_H

#include <anyc/base.h>
#include <anyc/future.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The result of a task, for other threads. Counted: it goes with the last reference. */
typedef struct anyc_thread_future anyc_thread_future;

/** Called when a future is done; the future is borrowed during the call. */
typedef void (*anyc_done_fn)(anyc_thread_future *future, void *arg);

/**
 * Wait until the future is done.
 *
 * @param future   the future
 * @param seconds  the longest time to wait; INFINITY: for ever; 0 or less: only look
 *
 * Returns: 0 if it is done, whatever became of it; or
 *   ANYC_ETIMEDOUT  it is not done yet
 *   ANYC_ESTATE     it is not done, and this is the thread of its loop, which would wait for itself
 *   ANYC_EINVAL     seconds is not a number
 * Owns:    nothing is taken.
 * Cancel:  blocks this thread; not a checkpoint.
 * Threads: any thread but that of the task's loop.
 * AnyIO:   concurrent.futures.wait, Future.result(timeout).
 */
ANYC_MUST_USE ANYC_API int anyc_thread_future_wait(anyc_thread_future *future, double seconds);

/**
 * What the task returned, without waiting. Its error becomes the thread's anyc_last_error(), with the
 * task's message.
 *
 * @param future      the future
 * @param out_result  what the task returned, if that is >= 0; may be NULL
 *
 * Returns: 0, or
 *   ANYC_EPENDING         it is not done
 *   ANYC_EFUTURECANCELLED the task ended by cancellation
 *   any other negative code that the task returned
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   concurrent.futures.Future.result, once it is done.
 */
ANYC_MUST_USE ANYC_API int anyc_thread_future_result(anyc_thread_future *future, int *out_result);

/**
 * Cancel the task, at whatever moment: one that has not begun runs up to its first checkpoint. What
 * the task makes of it is its own affair; the future is done when it has ended.
 *
 * @param future  the future
 *
 * Returns: true if the task had not ended and has been told, or will be; false if it had.
 * Owns:    nothing; allocates nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   concurrent.futures.Future.cancel (which is done at once; here others may free what the
 *          task uses when it is done).
 */
ANYC_API bool anyc_thread_future_cancel(anyc_thread_future *future);

/**
 * Is the future done?
 *
 * @param future  the future
 *
 * Returns: true if its task has ended.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   concurrent.futures.Future.done.
 */
ANYC_API bool anyc_thread_future_done(const anyc_thread_future *future);

/**
 * What has become of the future.
 *
 * @param future  the future
 *
 * Returns: pending, finished (a result), failed (an error), or cancelled (its task ended by
 *          cancellation, whoever asked for that).
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   concurrent.futures.Future.cancelled, done and exception in one.
 */
ANYC_API anyc_future_state anyc_thread_future_status(const anyc_thread_future *future);

/**
 * Have a function called when the future is done: on the thread of the loop, in the order in which
 * the functions were added; or at once by this call if it is done. It may not block.
 *
 * @param future  the future
 * @param fn      the function
 * @param arg     its argument
 *
 * Returns: 0, or
 *   ANYC_ENOMEM  out of memory
 *   ANYC_EINVAL  no function
 * Owns:    `arg` is borrowed until the call.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   concurrent.futures.Future.add_done_callback.
 */
ANYC_API int anyc_thread_future_add_done_callback(anyc_thread_future *future, anyc_done_fn fn,
                                                  void *arg);

/**
 * Take one more reference.
 *
 * @param future  the future
 *
 * Returns: the same future.
 * Owns:    the caller gets a reference; give it back with anyc_thread_future_unref.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   a second name for the object.
 */
ANYC_API anyc_thread_future *anyc_thread_future_ref(anyc_thread_future *future);

/**
 * Give a reference back. The task goes on, if it has not ended.
 *
 * @param future  NULL is fine
 *
 * Owns:    takes the reference.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   the end of its life.
 */
ANYC_API void anyc_thread_future_unref(anyc_thread_future *future);

#ifdef __cplusplus
}
#endif

#endif
