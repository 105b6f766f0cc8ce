/* SPDX-License-Identifier: MIT */
/*
 * task.h - task groups: start tasks, and be sure that they have ended when the group is left.
 *
 *     anyc_task_group group = ANYC_TASK_GROUP_INIT;
 *     anyc_task_group_enter(&group);
 *     anyc_task_group_start_soon(&group, fetch, "https://a.example/", NULL);
 *     anyc_task_group_start_soon(&group, fetch, "https://b.example/", NULL);
 *     rc = anyc_task_group_exit(&group, 0);   // waits for both; the first failure cancels the rest
 *
 * A task runs on its own stack in the thread of its loop and never leaves it. It runs until it
 * waits; between two waits no other task of the loop runs.
 */
#ifndef ANYC_TASK_H
#define ANYC_TASK_H

#include <anyc/base.h>
#include <anyc/cancel.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Tasks that end together. All fields are private; initialise with ANYC_TASK_GROUP_INIT. */
typedef struct anyc_task_group {
    anyc_cancel_scope scope;
    anyc_task *host; /* that entered it */
    anyc_list children;
    anyc_list handles; /* of children whose names the group keeps */
    size_t child_count;
    void *exit_wait;                 /* the host, waiting in the exit */
    struct group_failures *failures; /* NULL: none, or no memory for a list */
    int first_failure;               /* code of the first one, or 0 */
    struct stack_pool *stacks;       /* of children; NULL: the run's */
    uint32_t magic;
    bool cut_short; /* a child ended by cancellation from outside the group */
} anyc_task_group;

#define ANYC_TASK_GROUP_INIT ANYC_ZERO_INIT(magic)

/** Through which a started task says that it is ready. Valid until it has done so or returned. */
typedef struct anyc_task_status anyc_task_status;

/** A task function that can be started with anyc_task_group_start. */
typedef int (*anyc_start_fn)(void *arg, anyc_task_status *status);

/** What became of a task. */
typedef enum anyc_task_state {
    ANYC_TASK_PENDING,    /* not ended */
    ANYC_TASK_CANCELLING, /* its handle was cancelled, it has not ended yet */
    ANYC_TASK_FINISHED,   /* returned a result >= 0 */
    ANYC_TASK_FAILED,     /* returned an error other than its own cancellation */
    ANYC_TASK_CANCELLED   /* ended by cancellation */
} anyc_task_state;

/** To wait for one task, cancel it alone, and read its result. All fields are private. It must
 * stay in place until the task's group has been left. */
typedef struct anyc_task_handle {
    anyc_cancel_scope scope; /* around the whole task */
    anyc_task *task;         /* NULL once it has ended */
    anyc_list link;          /* in group->handles while `name` is set */
    anyc_list waiters;
    const char *origin; /* "function\0file:line" */
    char *name;         /* copied name, until the group is left; NULL: that of origin */
    void *start_value;
    uint64_t id;
    int result;
    anyc_task_state state;
} anyc_task_handle;

/** One failure in a group. */
typedef struct anyc_task_error {
    int code;
    const char *task_name; /* of the child, or of the host for the group's body */
    const char *message;
    const struct anyc_task_error *nested; /* list of the inner group behind this one, or NULL */
    size_t nested_count;
} anyc_task_error;

/** What can be known of a task. The strings are borrowed, valid until the next checkpoint. */
typedef struct anyc_task_info {
    uint64_t id;        /* unique in the run, from 1 */
    uint64_t parent_id; /* the task that entered its group; 0: the main task has none */
    const char *name;
    const char *place;       /* "file:line" of its spawn, or "" */
    const char *waiting_for; /* "lock", "sleep", ...; NULL: it can run */
    const void *waiting_on;  /* the object, or NULL */
    bool running;            /* it is the one that runs now */
    size_t stack_size;       /* usable bytes; 0: it has not run yet */
    size_t stack_used;       /* most bytes ever used, rounded up to pages */
} anyc_task_info;

/**
 * Open a group: the calling task becomes its host.
 *
 * @param group  initialised with ANYC_TASK_GROUP_INIT; borrowed until the exit
 *
 * Returns: 0, or
 *   ANYC_ESTATE  the group was entered before, now or earlier; the first use goes on undisturbed
 *   ANYC_ENOLOOP not called from a task
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: tasks only.
 * AnyIO:   create_task_group, TaskGroup.__aenter__.
 */
ANYC_API int anyc_task_group_enter(anyc_task_group *group);

/**
 * Leave a group: wait for every child, whatever happens. A negative `rc` cancels the children
 * first; so does a failing child.
 *
 * @param group  entered by this task, and the innermost scope of it
 * @param rc     the body's result
 *
 * Returns: the first failure that was listed, of a child or the body (ANYC_ECANCELLED is never
 *          listed); without failures
 *   rc              if it is >= 0 and nothing was cancelled from outside
 *   ANYC_ECANCELLED a cancellation from outside cut something short
 *   0               only the group's own cancellation did
 *   ANYC_ESTATE     not entered, not by this task, or not the innermost scope: stays as it was
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    the storage is the caller's again. The list of failures belongs to the task and stays
 *          readable until the task leaves another group or ends.
 * Cancel:  lets others run at least once. Cancellation from outside reaches the children; the
 *          wait itself goes on until they have ended.
 * Threads: tasks only.
 * AnyIO:   TaskGroup.__aexit__.
 */
ANYC_MUST_USE ANYC_API int anyc_task_group_exit(anyc_task_group *group, int rc);

/**
 * The group's scope: cancelling it cancels all children and the rest of the body.
 *
 * @param group  entered
 *
 * Returns: its scope; never leave it by hand.
 * Owns:    borrowed.
 * Cancel:  never suspends.
 * Threads: the group's loop only.
 * AnyIO:   TaskGroup.cancel_scope.
 */
ANYC_API anyc_cancel_scope *anyc_task_group_cancel_scope(anyc_task_group *group);

/**
 * Cancel the group's scope.
 *
 * @param group   entered
 * @param reason  for people, or NULL; borrowed until the group is left
 *
 * Owns:    nothing is taken; allocates nothing.
 * Cancel:  never suspends.
 * Threads: the group's loop only.
 * AnyIO:   TaskGroup.cancel (4.14).
 */
ANYC_API void anyc_task_group_cancel(anyc_task_group *group, const char *reason);

/**
 * Give the group's children stacks of another size from now on.
 *
 * @param group       entered
 * @param stack_size  bytes of address space, guard included, 16 KiB at least
 *
 * Returns: 0, ANYC_EINVAL for a size that is too small or huge, ANYC_ESTATE if the group is not
 *          entered, ANYC_ENOLOOP outside of a run, or ANYC_ENOMEM.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the group's loop only.
 * AnyIO:   no counterpart.
 */
ANYC_API int anyc_task_group_set_stack_size(anyc_task_group *group, size_t stack_size);

/**
 * Start a task without waiting for it. It does not run inside this call. It runs up to its first
 * checkpoint even if it is cancelled before.
 *
 * @param group  that is entered, also while its exit waits
 * @param fn     the task; a result < 0 cancels the group
 * @param arg    its argument; borrowed until the task ends: not the address of a loop's variable
 * @param name   copied; NULL: the name of the function
 *
 * Returns: 0, or
 *   ANYC_ENOLOOP outside of a run
 *   ANYC_ESTATE  the group is not entered, or its exit has finished
 *   ANYC_ENOMEM  out of memory; nothing was started
 *   ANYC_EINVAL  no function
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the group's loop only (any task, or a callback of the loop).
 * AnyIO:   TaskGroup.start_soon.
 */
ANYC_API int anyc_task_group_start_soon(anyc_task_group *group, anyc_task_fn fn, void *arg,
                                        const char *name);

/**
 * As anyc_task_group_start_soon, with an argument that is copied: each task of a loop gets its own.
 *
 * @param group     as above
 * @param fn        the task; it is given the address of its copy, which goes when it ends
 * @param arg       what to copy
 * @param arg_size  bytes
 * @param name      copied; NULL: the name of the function
 *
 * Returns: as anyc_task_group_start_soon.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the group's loop only.
 * AnyIO:   TaskGroup.start_soon (Python binds arguments by value).
 */
ANYC_API int anyc_task_group_start_soon_copy(anyc_task_group *group, anyc_task_fn fn,
                                             const void *arg, size_t arg_size, const char *name);

/**
 * As anyc_task_group_start_soon, with a handle.
 *
 * @param group       as above
 * @param fn          the task
 * @param arg         its argument; borrowed until the task ends
 * @param name        copied; NULL: the name of the function
 * @param out_handle  storage for the handle; borrowed until the group has been left
 *
 * Returns: as anyc_task_group_start_soon; the handle is written on success only.
 * Owns:    the handle needs no end of its own.
 * Cancel:  never suspends.
 * Threads: the group's loop only.
 * AnyIO:   TaskGroup.create_task (4.14).
 */
ANYC_API int anyc_task_group_create_task(anyc_task_group *group, anyc_task_fn fn, void *arg,
                                         const char *name, anyc_task_handle *out_handle);

/**
 * Start a task and wait until it says that it is ready.
 *
 * @param group      as above
 * @param fn         the task; it calls anyc_task_status_started
 * @param arg        its argument; borrowed until the task ends
 * @param name       copied; NULL: the name of the function
 * @param out_value  what the task handed to anyc_task_status_started; may be NULL
 *
 * Returns: 0, or
 *   ANYC_ENOTSTARTED the task returned without signalling
 *   ANYC_ECANCELLED  this task was cancelled; the new one was too and has ended
 *   ANYC_ESTATE, ANYC_ENOMEM, ANYC_EINVAL, ANYC_ENOLOOP as above
 *   other            the task failed before it signalled: its result, which is not listed in the
 *                    group
 * Owns:    nothing is taken.
 * Cancel:  checkpoint.
 * Threads: tasks of the group's loop only.
 * AnyIO:   TaskGroup.start.
 */
ANYC_API int anyc_task_group_start(anyc_task_group *group, anyc_start_fn fn, void *arg,
                                   const char *name, void **out_value);

/**
 * As anyc_task_group_start, with a handle.
 *
 * @param group       as above
 * @param fn          the task
 * @param arg         its argument; borrowed until the task ends
 * @param name        copied; NULL: the name of the function
 * @param out_value   as above; may be NULL
 * @param out_handle  storage for the handle; borrowed until the group has been left
 *
 * Returns: as anyc_task_group_start; the handle is usable on success only.
 * Owns:    the handle needs no end of its own.
 * Cancel:  checkpoint.
 * Threads: tasks of the group's loop only.
 * AnyIO:   TaskGroup.start(return_handle=True) (4.14).
 */
ANYC_API int anyc_task_group_start_task(anyc_task_group *group, anyc_start_fn fn, void *arg,
                                        const char *name, void **out_value,
                                        anyc_task_handle *out_handle);

/**
 * Tell the task that waits in anyc_task_group_start that this one is ready.
 *
 * @param status  given to the task's function; NULL (a task that nobody waits for) is fine
 * @param value   handed to the starter; what it points to must outlive this call
 *
 * Returns: 0 (also if the starter was cancelled meanwhile), or ANYC_ESTATE for a second call.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the started task only.
 * AnyIO:   TaskStatus.started.
 */
ANYC_API int anyc_task_status_started(anyc_task_status *status, void *value);

/**
 * The failures of a group, in order of occurrence; those of a nested group hang on the entry that
 * its result became. To be read after the exit.
 *
 * @param group      left
 * @param out_count  number of entries; may be NULL
 *
 * Returns: the entries, or NULL if there are none.
 * Owns:    borrowed, valid until the task that left the group leaves another one or ends.
 * Cancel:  never suspends.
 * Threads: the group's loop only.
 * AnyIO:   ExceptionGroup.exceptions.
 */
ANYC_API const anyc_task_error *anyc_task_group_errors(const anyc_task_group *group,
                                                       size_t *out_count);

/**
 * Wait until a task has ended.
 *
 * @param handle      of the task
 * @param out_result  its result; NULL: only wait for its end, whatever that is
 *
 * Returns: 0, or
 *   ANYC_ETASKFAILED    (out_result given) it failed; see anyc_task_handle_error
 *   ANYC_ETASKCANCELLED it was cancelled
 *   ANYC_ECANCELLED     this task was cancelled
 *   ANYC_ENOLOOP        not called from a task
 * Owns:    nothing.
 * Cancel:  checkpoint. The other task goes on.
 * Threads: tasks of the same loop.
 * AnyIO:   await TaskHandle, TaskHandle.wait (4.14).
 */
ANYC_API int anyc_task_handle_wait(anyc_task_handle *handle, int *out_result);

/**
 * Cancel one task. The group goes on. An ended task stays as it is.
 *
 * @param handle  of the task
 * @param reason  for people, or NULL; borrowed until the task has ended
 *
 * Owns:    nothing is taken; allocates nothing.
 * Cancel:  never suspends.
 * Threads: the task's loop only.
 * AnyIO:   TaskHandle.cancel (4.14).
 */
ANYC_API void anyc_task_handle_cancel(anyc_task_handle *handle, const char *reason);

/**
 * The result of an ended task, without waiting.
 *
 * @param handle      of the task
 * @param out_result  its result, >= 0
 *
 * Returns: 0, ANYC_EPENDING (not ended), ANYC_ETASKFAILED or ANYC_ETASKCANCELLED (also while it is
 *          being cancelled).
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the task's loop only.
 * AnyIO:   TaskHandle.return_value (4.14).
 */
ANYC_API int anyc_task_handle_result(const anyc_task_handle *handle, int *out_result);

/**
 * The error of an ended task, without waiting.
 *
 * @param handle     of the task
 * @param out_error  its negative result, or 0 if it did not fail
 *
 * Returns: 0, ANYC_EPENDING (not ended) or ANYC_ETASKCANCELLED (also while being cancelled).
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the task's loop only.
 * AnyIO:   TaskHandle.exception (4.14).
 */
ANYC_API int anyc_task_handle_error(const anyc_task_handle *handle, int *out_error);

/**
 * What has become of the task.
 *
 * @param handle  of the task
 *
 * Returns: its state.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the task's loop only.
 * AnyIO:   TaskHandle.status (4.14).
 */
ANYC_API anyc_task_state anyc_task_handle_state(const anyc_task_handle *handle);

/**
 * The name of the task.
 *
 * @param handle  of the task
 *
 * Returns: the name given; after the group was left, the name of its function.
 * Owns:    borrowed, valid until the group is left.
 * Cancel:  never suspends.
 * Threads: the task's loop only.
 * AnyIO:   TaskHandle.name (4.14).
 */
ANYC_API const char *anyc_task_handle_name(const anyc_task_handle *handle);

/**
 * The value a started task handed to anyc_task_status_started.
 *
 * @param handle  of the task
 *
 * Returns: the value, or NULL if there was none.
 * Owns:    borrowed from the task.
 * Cancel:  never suspends.
 * Threads: the task's loop only.
 * AnyIO:   TaskHandle.start_value (4.14).
 */
ANYC_API void *anyc_task_handle_start_value(const anyc_task_handle *handle);

/**
 * Describe the calling task.
 *
 * @param out_info  filled in
 *
 * Returns: 0, or ANYC_ENOLOOP outside a task.
 * Owns:    its strings are borrowed until the next checkpoint.
 * Cancel:  never suspends.
 * Threads: tasks only.
 * AnyIO:   get_current_task.
 */
ANYC_API int anyc_get_current_task(anyc_task_info *out_info);

/**
 * Describe all tasks of the running loop that have not ended.
 *
 * @param infos      room for `capacity` descriptions; may be NULL if that is 0
 * @param capacity   of `infos`
 * @param out_count  how many tasks there are, also if they did not all fit
 *
 * Returns: 0, or ANYC_ENOLOOP outside a run.
 * Owns:    the strings are borrowed until the next checkpoint.
 * Cancel:  never suspends.
 * Threads: the loop's thread.
 * AnyIO:   get_running_tasks.
 */
ANYC_API int anyc_get_running_tasks(anyc_task_info *infos, size_t capacity, size_t *out_count);

/* The functions behind the macros below: `origin` is what ANYC_ORIGIN_ makes of the function. */
ANYC_API int anyc_task_group_start_soon_from(const char *origin, anyc_task_group *group,
                                             anyc_task_fn fn, void *arg, const char *name);
ANYC_API int anyc_task_group_start_soon_copy_from(const char *origin, anyc_task_group *group,
                                                  anyc_task_fn fn, const void *arg, size_t arg_size,
                                                  const char *name);
ANYC_API int anyc_task_group_create_task_from(const char *origin, anyc_task_group *group,
                                              anyc_task_fn fn, void *arg, const char *name,
                                              anyc_task_handle *out_handle);
ANYC_API int anyc_task_group_start_from(const char *origin, anyc_task_group *group,
                                        anyc_start_fn fn, void *arg, const char *name,
                                        void **out_value, anyc_task_handle *out_handle);

/* They add the function's name and the place of the call, for dumps and messages. */
#define anyc_task_group_start_soon(group, fn, ...) \
    anyc_task_group_start_soon_from(ANYC_ORIGIN_(#fn), (group), (fn), __VA_ARGS__)
#define anyc_task_group_start_soon_copy(group, fn, ...) \
    anyc_task_group_start_soon_copy_from(ANYC_ORIGIN_(#fn), (group), (fn), __VA_ARGS__)
#define anyc_task_group_create_task(group, fn, ...) \
    anyc_task_group_create_task_from(ANYC_ORIGIN_(#fn), (group), (fn), __VA_ARGS__)
#define anyc_task_group_start(group, fn, ...) \
    anyc_task_group_start_from(ANYC_ORIGIN_(#fn), (group), (fn), __VA_ARGS__, NULL)
#define anyc_task_group_start_task(group, fn, ...) \
    anyc_task_group_start_from(ANYC_ORIGIN_(#fn), (group), (fn), __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
