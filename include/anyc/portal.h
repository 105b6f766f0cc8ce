/* SPDX-License-Identifier: MIT */
/*
 * portal.h - blocking portals: threads of a program that is not asynchronous run tasks in a loop.
 *
 *     anyc_blocking_portal *portal;
 *     int rc = anyc_start_blocking_portal("libuv", NULL, &portal);   // a loop in its own thread
 *
 *     if (rc < 0)
 *         return rc;
 *     rc = anyc_blocking_portal_call(portal, fetch, &page, &status); // fetch is a task's function
 *     rc = anyc_blocking_portal_exit(portal, rc);
 *     anyc_aclose(portal);
 *
 * A portal is opened in a loop that runs, for its worker threads and others, or comes with a loop of
 * its own. What is called through it runs in a task of the portal's group; errors go to the caller
 * and never fail the group. To stop a portal closes its door only: tasks that run go on, and the
 * exit waits for them.
 *
 * anyc_close(portal) is anyc_blocking_portal_exit(portal, 0). anyc_aclose(portal) does the same,
 * unless it has been done, and frees the portal: no thread may use it any more, or be about to begin
 * a call; calls in progress are fine. anyc_aclose_forcefully cancels what runs, but has to wait for
 * its end too.
 */
#ifndef ANYC_PORTAL_H
#define ANYC_PORTAL_H

#include <anyc/base.h>
#include <anyc/loop.h>
#include <anyc/resource.h>
#include <anyc/task.h>
#include <anyc/thread_future.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The way for threads to run tasks in a loop. See above for its end. */
typedef struct anyc_blocking_portal {
    anyc_resource resource;
} anyc_blocking_portal;

/** What a portal with a loop of its own may be told; all zero means the defaults. */
typedef struct anyc_start_blocking_portal_options {
    const char *name;     /* of the thread, cut to what the system allows (15 bytes); NULL: the
                           * backend's name, "-portal-" and a number */
    anyc_run_options run; /* of the loop; its `backend` is not looked at */
} anyc_start_blocking_portal_options;

/**
 * Open a portal into the running loop. Its group belongs to the calling task, as one that
 * anyc_task_group_enter opened: who cancels the scopes around it cancels what was called.
 *
 * @param out_portal  the portal
 *
 * Returns: 0, or
 *   ANYC_ENOLOOP  not called from a task
 *   ANYC_ENOMEM   out of memory
 * Owns:    the caller gets the portal; the same task leaves it, before its outer scopes, and frees
 *          it with anyc_aclose.
 * Cancel:  never suspends.
 * Threads: tasks only.
 * AnyIO:   BlockingPortal.__aenter__.
 */
ANYC_API int anyc_blocking_portal_enter(anyc_blocking_portal **out_portal);

/**
 * Start a loop in a thread of its own, with a portal into it. All signals but those of a fault are
 * blocked in that thread.
 *
 * @param backend     its name, or NULL: as for anyc_run
 * @param options     NULL or zero fields: defaults; borrowed during the call
 * @param out_portal  the portal
 *
 * Returns: 0, or, and then no thread is left over
 *   what anyc_run_with answers if the loop cannot be started: ANYC_ENOBACKEND, ANYC_EINVAL ...
 *   ANYC_ENOMEM  out of memory
 *   -EAGAIN      the system refused a thread
 * Owns:    the caller gets the portal and frees it with anyc_aclose, from any thread but its own.
 * Cancel:  blocks this thread until the loop runs; not a checkpoint.
 * Threads: any thread, also one that runs another loop, which stands still meanwhile.
 * AnyIO:   from_thread.start_blocking_portal.
 */
ANYC_API int anyc_start_blocking_portal(const char *backend,
                                        const anyc_start_blocking_portal_options *options,
                                        anyc_blocking_portal **out_portal);

/**
 * Leave a portal with the result of its block: stop it (a negative result also cancels what runs),
 * and wait until all that was called through it has ended; then, if it has a thread of its own, for
 * that to end. The portal's memory stays, later calls answer ANYC_ESTATE.
 *
 * @param portal  the portal
 * @param rc      the block's result
 *
 * Returns: what the caller should go on with: rc; or
 *   0               rc is ANYC_ECANCELLED, because the portal was stopped with cancel_remaining
 *   ANYC_ECANCELLED rc is >= 0, and the scopes around the portal were cancelled meanwhile
 *   ANYC_ESTATE     not the task that entered it, or another scope is further in, or this is the
 *                   portal's own thread: nothing has happened
 * Owns:    nothing; free it with anyc_aclose.
 * Cancel:  as anyc_task_group_exit; from a foreign thread it blocks.
 * Threads: the task that entered it; with a loop of its own: any thread but that.
 * AnyIO:   BlockingPortal.__aexit__, and the end of start_blocking_portal's block.
 */
ANYC_MUST_USE ANYC_API int anyc_blocking_portal_exit(anyc_blocking_portal *portal, int rc);

/**
 * Run a task's function in the portal's loop and wait for its result.
 *
 * @param portal      the portal
 * @param fn          the function; also one that does not wait
 * @param arg         its argument; borrowed until it returns
 * @param out_result  what the function returned, if that is >= 0; may be NULL
 *
 * Returns: 0 if the function returned a value >= 0, or
 *   any negative code that the function returned, as it is; or, and then it has not been called
 *   ANYC_ESTATE  the portal is not running (stopped, closed, its run is over), or this is the thread
 *                of its loop
 *   ANYC_ENOMEM  out of memory
 *   ANYC_EINVAL  no function
 * Owns:    nothing is taken.
 * Cancel:  blocks this thread; a cancellation reaches the function, which decides.
 * Threads: any thread but that of the portal's loop.
 * AnyIO:   BlockingPortal.call.
 */
ANYC_MUST_USE ANYC_API int anyc_blocking_portal_call(anyc_blocking_portal *portal, anyc_task_fn fn,
                                                     void *arg, int *out_result);

/**
 * Start a task in the portal's loop without waiting.
 *
 * @param portal      the portal
 * @param fn          the task
 * @param arg         its argument; borrowed until the future is done
 * @param name        copied; NULL: the name of the function
 * @param out_future  its result to come; may be NULL
 *
 * Returns: 0, or
 *   ANYC_ESTATE  the portal is not running, or this is the thread of its loop
 *   ANYC_ENOMEM  out of memory
 *   ANYC_EINVAL  no function
 * Owns:    the caller gets a reference to the future. What keeps the task from being started later
 *          (out of memory, the portal was stopped) is the future's result.
 * Cancel:  never blocks.
 * Threads: any thread but that of the portal's loop.
 * AnyIO:   BlockingPortal.start_task_soon.
 */
ANYC_API int anyc_blocking_portal_start_task_soon(anyc_blocking_portal *portal, anyc_task_fn fn,
                                                  void *arg, const char *name,
                                                  anyc_thread_future **out_future);

/**
 * Start a task in the portal's loop and wait until it signals that it has started.
 *
 * @param portal      the portal
 * @param fn          the task; it calls anyc_task_status_started
 * @param arg         its argument; borrowed until the future is done
 * @param name        copied; NULL: the name of the function
 * @param out_value   what it handed to anyc_task_status_started; may be NULL
 * @param out_future  its result to come; may be NULL
 *
 * Returns: 0, or
 *   ANYC_ENOTSTARTED  the task ended with a result >= 0 and without a signal
 *   ANYC_ESTATE, ANYC_ENOMEM, ANYC_EINVAL as above
 *   other             the task failed before it signalled: its result
 * Owns:    the caller gets a reference to the future.
 * Cancel:  blocks this thread.
 * Threads: any thread but that of the portal's loop.
 * AnyIO:   BlockingPortal.start_task.
 */
ANYC_API int anyc_blocking_portal_start_task(anyc_blocking_portal *portal, anyc_start_fn fn,
                                             void *arg, const char *name, void **out_value,
                                             anyc_thread_future **out_future);

/**
 * Close the door: the portal takes no new calls. Who waits in
 * anyc_blocking_portal_sleep_until_stopped is woken. Repeating it is fine.
 *
 * @param portal            the portal
 * @param cancel_remaining  cancel what runs, and the block of the task that entered the portal
 *
 * Returns: 0.
 * Owns:    nothing; allocates nothing.
 * Cancel:  from a foreign thread it blocks until the loop has taken note; else never suspends.
 * Threads: any thread.
 * AnyIO:   BlockingPortal.stop.
 */
ANYC_API int anyc_blocking_portal_stop(anyc_blocking_portal *portal, bool cancel_remaining);

/**
 * Wait in a task until the portal is stopped.
 *
 * @param portal  the portal; borrowed until the return
 *
 * Returns: 0, ANYC_ECANCELLED, or ANYC_ENOLOOP outside a task.
 * Owns:    nothing.
 * Cancel:  checkpoint.
 * Threads: tasks of the portal's loop.
 * AnyIO:   BlockingPortal.sleep_until_stopped.
 */
ANYC_API int anyc_blocking_portal_sleep_until_stopped(anyc_blocking_portal *portal);

/** A pair of functions that a portal holds open for a thread. */
typedef struct anyc_blocking_portal_context anyc_blocking_portal_context;

/** The second of the pair. `rc` is the result of the thread's block, or ANYC_ECANCELLED if the task
 * was cancelled before the thread had left. Answers what the thread should go on with. */
typedef int (*anyc_context_exit_fn)(void *arg, int rc);

/**
 * Call the first function of a pair in a task of the portal, and keep the task for the second one.
 * So a thread can use what must be entered and left by the same task: scopes, groups, locks.
 *
 * @param portal       the portal
 * @param enter_fn     called now, in the task; if it fails, there is no context, and no exit
 * @param exit_fn      called in the same task, when the thread says so, or when the task is
 *                     cancelled, whichever comes first
 * @param arg          of both; borrowed until anyc_blocking_portal_context_exit returns
 * @param out_result   what `enter_fn` returned, if that is >= 0; may be NULL
 * @param out_context  the context
 *
 * Returns: 0, or
 *   the negative code that `enter_fn` returned, as it is
 *   ANYC_ESTATE, ANYC_ENOMEM, ANYC_EINVAL as anyc_blocking_portal_call
 * Owns:    the caller gets the context; anyc_blocking_portal_context_exit frees it.
 * Cancel:  blocks this thread.
 * Threads: any thread but that of the portal's loop.
 * AnyIO:   BlockingPortal.wrap_async_context_manager, and the result's __enter__.
 */
ANYC_MUST_USE ANYC_API int
anyc_blocking_portal_wrap_context(anyc_blocking_portal *portal, anyc_task_fn enter_fn,
                                  anyc_context_exit_fn exit_fn, void *arg, int *out_result,
                                  anyc_blocking_portal_context **out_context);

/**
 * Leave the thread's block: call the second function, unless it has been called already, and wait
 * for its result. Also when the portal is stopped.
 *
 * @param context  the context; taken
 * @param rc       the result of the block
 *
 * Returns: what `exit_fn` answered; if it had been called before, and answered no failure: rc; or
 *   ANYC_ESTATE  this is the thread of the loop: nothing has happened
 * Owns:    takes the context.
 * Cancel:  blocks this thread.
 * Threads: any thread but that of the portal's loop.
 * AnyIO:   __exit__ of the result of wrap_async_context_manager.
 */
ANYC_MUST_USE ANYC_API int anyc_blocking_portal_context_exit(anyc_blocking_portal_context *context,
                                                             int rc);

/* The functions behind the macros below: `origin` is what ANYC_ORIGIN_ makes of the function. */
ANYC_MUST_USE ANYC_API int anyc_blocking_portal_call_from(const char *origin,
                                                          anyc_blocking_portal *portal,
                                                          anyc_task_fn fn, void *arg,
                                                          int *out_result);
ANYC_API int anyc_blocking_portal_start_task_soon_from(const char *origin,
                                                       anyc_blocking_portal *portal,
                                                       anyc_task_fn fn, void *arg, const char *name,
                                                       anyc_thread_future **out_future);
ANYC_API int anyc_blocking_portal_start_task_from(const char *origin, anyc_blocking_portal *portal,
                                                  anyc_start_fn fn, void *arg, const char *name,
                                                  void **out_value,
                                                  anyc_thread_future **out_future);

/* They add the function's name and the place of the call, for dumps and messages. */
#define anyc_blocking_portal_call(portal, fn, ...) \
    anyc_blocking_portal_call_from(ANYC_ORIGIN_(#fn), (portal), (fn), __VA_ARGS__)
#define anyc_blocking_portal_start_task_soon(portal, fn, ...) \
    anyc_blocking_portal_start_task_soon_from(ANYC_ORIGIN_(#fn), (portal), (fn), __VA_ARGS__)
#define anyc_blocking_portal_start_task(portal, fn, ...) \
    anyc_blocking_portal_start_task_from(ANYC_ORIGIN_(#fn), (portal), (fn), __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
