/* SPDX-License-Identifier: MIT */
/*
 * fork.c - what becomes of a run in a child of fork(2).
 *
 * A loop of the parent's gets a table that does nothing, so that closing what belongs to it (which closes
 * the child's copy of a descriptor) changes nothing that the parent uses too: one epoll instance serves
 * both. Otherwise the loops of other threads are only reached through their tokens, which have become
 * void (threads/run_token.h).
 */
#include "core/fork.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include <anyc/backend.h>
#include <anyc/loop.h>

#include "backends/registry.h"
#include "core/error.h"
#include "core/loop.h"

#define FORK_NS 1000000000

unsigned anyc__forks;

/* That this thread ran when it forked the process. It stays reachable for leak checkers. */
static _Thread_local anyc_loop *fork_loop;
static _Thread_local bool fork_inside;

/* -- a table that does nothing -- */

static int fork_open(anyc_loop *loop, const anyc_run_options *options)
{
    (void)loop;
    (void)options;
    return -EBADF;
}

static int fork_run(anyc_loop *loop)
{
    (void)loop;
    return -EBADF;
}

static void fork_leave_loop(anyc_loop *loop)
{
    (void)loop;
}

static bool fork_alive(anyc_loop *loop)
{
    (void)loop;
    return false;
}

static int64_t fork_current_time(anyc_loop *loop)
{
    struct timespec now;

    (void)loop;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * FORK_NS + now.tv_nsec;
}

static void fork_sleep_until(anyc_loop *loop, int64_t deadline_ns)
{
    (void)loop;
    (void)deadline_ns;
}

static int fork_watch_open(anyc_watch *watch)
{
    (void)watch;
    return -EBADF;
}

static int fork_watch_start(anyc_watch *watch, unsigned events)
{
    (void)watch;
    (void)events;
    return -EBADF;
}

static void fork_watch_stop(anyc_watch *watch)
{
    watch->armed = 0;
}

static int fork_signal_start(anyc_loop *loop, int signum)
{
    (void)loop;
    (void)signum;
    return -EBADF;
}

static void fork_signal_stop(anyc_loop *loop, int signum)
{
    (void)loop;
    (void)signum;
}

static const anyc_backend fork_backend = {
    .version = ANYC_BACKEND_VERSION,
    .name = "the parent's",
    .watch_size = sizeof(anyc_watch),
    .open = fork_open,
    .run = fork_run,
    .close = fork_leave_loop,
    .alive = fork_alive,
    .current_time = fork_current_time,
    .sleep_until = fork_sleep_until,
    .task_ready = fork_leave_loop,
    .scope_wake = anyc_backend_default_scope_wake,
    .wake = fork_leave_loop,
    .watch_open = fork_watch_open,
    .watch_start = fork_watch_start,
    .watch_stop = fork_watch_stop,
    .watch_close = anyc_backend_watch_closed,
    .signal_start = fork_signal_start,
    .signal_stop = fork_signal_stop,
    .receive = anyc_backend_default_receive,
    .send = anyc_backend_default_send,
    .accept = anyc_backend_default_accept,
    .connect = anyc_backend_default_connect,
};

/* -- when it happens -- */

void anyc__fork_leave(anyc_loop *loop)
{
    loop->backend = &fork_backend;
}

static void fork_in_child(void)
{
    anyc_loop *loop = anyc__loop;

    anyc__registry_unlock();
    anyc__forks++;
    if (loop == NULL)
        return;
    anyc__fork_leave(loop);
    fork_loop = loop;
    fork_inside = true;
    anyc__loop_set(NULL);
}

/* The other thread that might be changing the registry would be missed in the child. */
static void fork_register(void)
{
    (void)pthread_atfork(anyc__registry_lock, anyc__registry_unlock, fork_in_child);
}

void anyc__fork_watch(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, fork_register);
}

bool anyc__fork_inside(void)
{
    return fork_inside;
}

int anyc__fail_forked(void)
{
    return anyc__fail(ANYC_ESTATE, 0,
                      "this process is a child of fork, and the run belongs to its parent: call "
                      "anyc_after_fork_child() to start afresh");
}

void anyc__fork_went_on(const char *how)
{
    anyc__abort("%s in a child of fork would go on with the run of its parent: end the child there "
                "by _exit() or one of the exec functions",
                how);
}

void anyc_after_fork_child(void)
{
    fork_inside = false;
}
