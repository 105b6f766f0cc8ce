/* SPDX-License-Identifier: MIT */
/*
 * concurrency.h - run several functions as tasks and collect what they return.
 *
 *     int sizes[2];
 *     const anyc_call calls[] = {ANYC_CALL(fetch, "https://a.example/"),
 *                                ANYC_CALL(fetch, "https://b.example/")};
 *     rc = anyc_gather(calls, 2, sizes);   // both have ended
 *
 * Each of these opens a task group: the first failure cancels the rest, its code is the result, and
 * anyc_last_group_errors() has them all.
 */
#ifndef ANYC_CONCURRENCY_H
#define ANYC_CONCURRENCY_H

#include <anyc/base.h>
#include <anyc/task.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A function to be called in a task of its own; see ANYC_CALL. */
typedef struct anyc_call {
    anyc_task_fn fn;
    void *arg;          /* borrowed until the task has ended */
    const char *name;   /* of the task, copied; NULL: the function's, which `origin` tells */
    const char *origin; /* "function\0file:line", static; may be NULL */
} anyc_call;

/** An element of an array of calls, with the function's name and the place. */
#define ANYC_CALL(fn, arg)                   \
    {                                        \
        (fn), (arg), NULL, ANYC_ORIGIN_(#fn) \
    }

/** The same with a name for the task. */
#define ANYC_CALL_NAMED(fn, arg, name)         \
    {                                          \
        (fn), (arg), (name), ANYC_ORIGIN_(#fn) \
    }

/**
 * Call several functions, each in a task of its own, and wait until all have ended.
 *
 * @param calls    the functions; borrowed during the call
 * @param count    of `calls`
 * @param results  room for `count` results, in the order of `calls`; NULL: not wanted
 *
 * Returns: 0 with all results written; or, with none written,
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_EINVAL     a function is missing; nothing was started
 *   ANYC_ENOMEM     no memory; what had been started was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   other           the first failure; see anyc_last_group_errors
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. A cancellation reaches the tasks; on return all have ended.
 * Threads: tasks only.
 * AnyIO:   gather.
 */
ANYC_API int anyc_gather(const anyc_call *calls, size_t count, int *results);

/** What a map may be told; all zero means the defaults. */
typedef struct anyc_amap_options {
    size_t limit;     /* at most so many calls at a time; 0: all */
    const char *name; /* of the tasks, copied; NULL: the function's */
} anyc_amap_options;

/**
 * Call one function for each element of an array, in tasks, and wait until all have ended. With a
 * limit, one task makes several calls, one after the other.
 *
 * @param fn        called with the address of an element; the macro sees to the task's name
 * @param args      the array; its elements may be changed by the calls
 * @param count     elements of the array
 * @param arg_size  of an element, bytes
 * @param options   NULL or zero fields: defaults
 * @param results   room for `count` results, in the order of the array; NULL: not wanted
 *
 * Returns: as anyc_gather.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. A cancellation reaches the tasks; on return all have ended.
 * Threads: tasks only.
 * AnyIO:   amap.
 */
ANYC_API int anyc_amap(anyc_task_fn fn, void *args, size_t count, size_t arg_size,
                       const anyc_amap_options *options, int *results);

/** As anyc_amap; `origin` is what ANYC_ORIGIN_ makes of the function: used by the macro. */
ANYC_API int anyc_amap_from(const char *origin, anyc_task_fn fn, void *args, size_t count,
                            size_t arg_size, const anyc_amap_options *options, int *results);

#define anyc_amap(fn, ...) anyc_amap_from(ANYC_ORIGIN_(#fn), (fn), __VA_ARGS__)

/** Calls whose tasks are handed out as they end. All fields are private. */
typedef struct anyc_as_completed {
    anyc_task_group group;
    struct as_completed_item *items; /* one for each call; freed by the exit */
    anyc_list ended;                 /* items that were not handed out yet */
    size_t left;                     /* those, and the ones that have not ended */
    anyc_list waiters;               /* the task that waits for the next one */
    bool entered;
} anyc_as_completed;

#define ANYC_AS_COMPLETED_INIT ANYC_ZERO_INIT(entered)

/**
 * Start several calls, each in a task of its own:
 *
 *     rc = anyc_as_completed_enter(&tasks, calls, count);
 *     if (rc < 0)
 *         return rc;
 *     while ((rc = anyc_as_completed_next(&tasks, &handle, &index)) == 0)
 *         anyc_task_handle_result(handle, &sizes[index]);
 *     rc = anyc_as_completed_exit(&tasks, rc == ANYC_EOF ? 0 : rc);
 *
 * @param tasks  initialised with ANYC_AS_COMPLETED_INIT; borrowed until the exit
 * @param calls  the functions; borrowed during the call
 * @param count  of `calls`
 *
 * Returns: 0, or, with nothing entered,
 *   ANYC_EINVAL  a function is missing
 *   ANYC_ESTATE  entered already
 *   ANYC_ENOMEM  no memory; tasks that had been started were cancelled and have ended
 *   ANYC_ENOLOOP not called from a task
 * Owns:    nothing is taken.
 * Cancel:  never suspends, except to end what it started when memory runs out.
 * Threads: tasks only.
 * AnyIO:   as_completed, its __aenter__.
 */
ANYC_API int anyc_as_completed_enter(anyc_as_completed *tasks, const anyc_call *calls,
                                     size_t count);

/**
 * Wait for the next task to end. A failure of any task cancels the body too, as in every group.
 *
 * @param tasks       entered by this task
 * @param out_handle  the ended task's handle, to read its result and name from
 * @param out_index   its place in `calls`; may be NULL
 *
 * Returns: 0, or
 *   ANYC_EOF        all have been handed out
 *   ANYC_ECANCELLED the enclosing scope was cancelled, or a task failed: go to the exit
 *   ANYC_EBUSY      another task waits for the next one
 *   ANYC_ESTATE     not entered
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    the handle is borrowed, valid until the exit.
 * Cancel:  checkpoint. A cancelled call loses no task: the next one would hand it out.
 * Threads: tasks only.
 * AnyIO:   the iteration of as_completed.
 */
ANYC_API int anyc_as_completed_next(anyc_as_completed *tasks, anyc_task_handle **out_handle,
                                    size_t *out_index);

/**
 * Cancel the tasks that have not ended, wait for their end, and forget all.
 *
 * @param tasks  entered by this task, and its innermost scope
 * @param rc     the result of what was done with the tasks
 *
 * Returns: as anyc_task_group_exit; the failures are in anyc_last_group_errors.
 * Owns:    the storage is the caller's again; the handles are gone.
 * Cancel:  as anyc_task_group_exit.
 * Threads: tasks only.
 * AnyIO:   as_completed, its __aexit__.
 */
ANYC_MUST_USE ANYC_API int anyc_as_completed_exit(anyc_as_completed *tasks, int rc);

/**
 * The failures of the group that failed last among those the calling task has left, also inside a
 * call such as anyc_gather. To be read right after that failure.
 *
 * @param out_count  number of entries; may be NULL
 *
 * Returns: the entries as anyc_task_group_errors lists them, or NULL if there are none.
 * Owns:    borrowed, valid until the task leaves another group or ends.
 * Cancel:  never suspends.
 * Threads: tasks only.
 * AnyIO:   ExceptionGroup.exceptions.
 */
ANYC_API const anyc_task_error *anyc_last_group_errors(size_t *out_count);

#ifdef __cplusplus
}
#endif

#endif
