/* SPDX-License-Identifier: MIT */
/*
 * loop.h - run a program on an event loop that is chosen by name, and sleep on it.
 *
 *     static int main_task(void *arg)
 *     {
 *         return anyc_sleep(1.5);
 *     }
 *
 *     int main(void)
 *     {
 *         return anyc_run(main_task, "libuv") < 0;
 *     }
 */
#ifndef ANYC_LOOP_H
#define ANYC_LOOP_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which clock a run goes by. */
typedef enum anyc_clock {
    ANYC_CLOCK_LOOP = 0, /* the backend's monotonic clock */
    /* Starts at 0 and jumps to the next deadline when every task is blocked: for tests. It stands
     * still while a worker thread is busy. Real I/O takes no time on it. */
    ANYC_CLOCK_VIRTUAL
} anyc_clock;

/** What a run may be told; all zero means the defaults. */
typedef struct anyc_run_options {
    const char *backend; /* name; NULL: $ANYC_BACKEND, else the first available */
    const char *name;    /* the main task's; NULL: its function's */
    void *loop;          /* run on this uv_loop_t * or event_base *, which stays the caller's and
                          * must be of the library that `backend` names: nobody can check that,
                          * and there is no default then */
    size_t stack_size;   /* bytes of address space for a task, guard included; 0: 256 KiB */
    anyc_clock clock;
    const char *method; /* libevent: use this kernel mechanism ("epoll", "poll", "select") */
    bool precise_timer; /* libevent: timers finer than a millisecond where the system has them */
    bool use_io_uring;  /* libuv: let it use io_uring where its version knows how */
} anyc_run_options;

/**
 * Run a function as the main task of a fresh event loop, and return its result when it and all
 * that it started have ended.
 *
 * @param func     the main task; its name becomes the task's name (the macro sees to that)
 * @param backend  "libuv", "libevent" or the name of a registered one; NULL: the environment
 *                 variable ANYC_BACKEND, else the first available
 *
 * Returns: func's result, or
 *   ANYC_ENOBACKEND  no such backend; the message lists those there are
 *   ANYC_ERUNNING    a loop runs in this thread already
 *   ANYC_ESTATE      the thread ran a loop when it forked this process (anyc_after_fork_child)
 *   ANYC_EDEADLOCK   every task waited and nothing could wake one; the message lists them. All
 *                    tasks were cancelled and have ended
 *   ANYC_ENOMEM      out of memory at the start
 *   -errno           the system refused a loop (EMFILE ...)
 * Owns:    nothing is taken.
 * Cancel:  not a checkpoint; it blocks the thread.
 * Threads: any thread; several threads may each run a loop.
 * AnyIO:   run.
 */
ANYC_API int anyc_run(anyc_task_fn func, const char *backend);

/**
 * The same with an argument and options.
 *
 * @param func     the main task
 * @param arg      its argument; borrowed during the run
 * @param options  NULL or zero fields: defaults
 *
 * Returns: as anyc_run; ANYC_EINVAL for an option that the backend does not know, a stack size
 *          below 16 KiB, or a loop without its backend's name.
 * Owns:    a loop given in the options stays the caller's; all handles of anyc are closed on return.
 * Cancel:  not a checkpoint; it blocks the thread.
 * Threads: any thread; a given loop must belong to it and not be running.
 * AnyIO:   run(func, *args, backend, backend_options).
 */
ANYC_API int anyc_run_with(anyc_task_fn func, void *arg, const anyc_run_options *options);

/** As anyc_run_with; `origin` is what ANYC_ORIGIN_ makes of the function: used by the macros. */
ANYC_API int anyc_run_from(const char *origin, anyc_task_fn func, void *arg,
                           const anyc_run_options *options);

#define anyc_run_with(func, ...) anyc_run_from(ANYC_ORIGIN_(#func), (func), __VA_ARGS__)
/** As anyc_run; used by the macro. */
ANYC_API int anyc_run_named(const char *origin, anyc_task_fn func, const char *backend);
#define anyc_run(func, backend) anyc_run_named(ANYC_ORIGIN_(#func), (func), (backend))

/**
 * In a child of fork(2), let go of the run in which its parent forked, so that the child may make runs
 * of its own.
 *
 * The child of a process that was forked in a task, or in a callback of a loop, has a copy of the run's
 * memory, but shares its descriptors with the parent, and of the threads it has only the one that
 * forked. It must not go on with the run: until this call, whatever needs a loop answers ANYC_ESTATE
 * there, anyc_run included, and a task or callback that returns ends the child with a message. A child
 * that only calls exec, or _exit, needs nothing of this.
 *
 * This call lets go of the run without touching it: nothing is freed, as the caller's own stack may be
 * part of it, and memory that nobody writes to stays shared with the parent. It does not touch what the
 * system watches for the parent either, which serves both: the parent goes on undisturbed. The child
 * keeps copies of the parent's descriptors (anyc_aclose of a stream or listener of that run closes the
 * child's copy, and nothing else); the peer of a connection of which the child has a copy hears of its
 * end only when both have closed it. Tasks, worker threads, signal receivers, portals and tokens of the
 * parent's run do not exist in the child, and signals do again what they did before the receivers. A
 * loop of the host's (anyc_run_options.loop) on which the run was under way is of no more use there.
 *
 * A thread that was in no run when it forked may run at once; for it, and in the parent, this call does
 * nothing.
 *
 * Owns:    nothing is freed; the objects of the parent's run stay the parent's.
 * Cancel:  never suspends.
 * Threads: the thread that forked, in the child.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_after_fork_child(void);

/**
 * The names of all backends that anyc knows of, built in, registered, or loadable, usable or not.
 *
 * @param out_count  number of names; may be NULL
 *
 * Returns: an array of names, ended by NULL, best first.
 * Owns:    the array belongs to anyc and stays valid until the calling thread asks again.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   get_all_backends.
 */
ANYC_API const char *const *anyc_get_all_backends(size_t *out_count);

/**
 * The names of the backends that anyc_run would find here.
 *
 * @param out_count  number of names; may be NULL
 *
 * Returns: an array of names, ended by NULL, best first.
 * Owns:    the array belongs to anyc and stays valid until the calling thread asks again.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   get_available_backends.
 */
ANYC_API const char *const *anyc_get_available_backends(size_t *out_count);

/**
 * The name of the backend of the running loop.
 *
 * Returns: its name, or NULL outside a run.
 * Owns:    borrowed, valid during the run.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   sniffio.current_async_library.
 */
ANYC_API const char *anyc_current_backend(void);

/**
 * Let this task sleep.
 *
 * @param seconds  how long; 0 or less is a plain checkpoint; INFINITY is forever
 *
 * Returns: 0, or
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_EINVAL     seconds is not a number
 * Owns:    nothing.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   sleep.
 */
ANYC_API int anyc_sleep(double seconds);

/**
 * Let this task sleep until it is cancelled.
 *
 * Returns: ANYC_ECANCELLED, or ANYC_ENOLOOP outside a task.
 * Owns:    nothing.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   sleep_forever.
 */
ANYC_API int anyc_sleep_forever(void);

/**
 * Let this task sleep until a moment of the loop's clock.
 *
 * @param deadline  seconds on the clock of anyc_current_time; the past is a plain checkpoint
 *
 * Returns: as anyc_sleep.
 * Owns:    nothing.
 * Cancel:  checkpoint.
 * Threads: tasks only.
 * AnyIO:   sleep_until.
 */
ANYC_API int anyc_sleep_until(double deadline);

/**
 * Read the loop's monotonic clock.
 *
 * Returns: seconds since an arbitrary moment; NAN outside a run.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the loop's thread.
 * AnyIO:   current_time.
 */
ANYC_API double anyc_current_time(void);

#ifdef __cplusplus
}
#endif

#endif
