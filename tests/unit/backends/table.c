/* SPDX-License-Identifier: MIT */
/*
 * table.c - see table.h.
 */
#include "table.h"

#include <errno.h>
#include <stdlib.h>

static int table_open(anyc_loop *loop, const anyc_run_options *options)
{
    (void)loop;
    (void)options;
    return -ENOSYS;
}

/* No other slot is called after that. */

static int table_run(anyc_loop *loop)
{
    (void)loop;
    abort();
}

static void table_loop(anyc_loop *loop)
{
    (void)loop;
    abort();
}

static bool table_alive(anyc_loop *loop)
{
    (void)loop;
    abort();
}

static int64_t table_current_time(anyc_loop *loop)
{
    (void)loop;
    abort();
}

static void table_sleep_until(anyc_loop *loop, int64_t deadline_ns)
{
    (void)loop;
    (void)deadline_ns;
    abort();
}

static int table_watch_open(anyc_watch *watch)
{
    (void)watch;
    abort();
}

static int table_watch_start(anyc_watch *watch, unsigned events)
{
    (void)watch;
    (void)events;
    abort();
}

static void table_watch_end(anyc_watch *watch)
{
    (void)watch;
    abort();
}

static int table_signal_start(anyc_loop *loop, int signum)
{
    (void)loop;
    (void)signum;
    abort();
}

static void table_signal_stop(anyc_loop *loop, int signum)
{
    (void)loop;
    (void)signum;
    abort();
}

anyc_backend table_named(const char *name)
{
    return (anyc_backend){
        .version = ANYC_BACKEND_VERSION,
        .name = name,
        .loop_size = 1,
        .watch_size = sizeof(anyc_watch),
        .open = table_open,
        .run = table_run,
        .close = table_loop,
        .alive = table_alive,
        .current_time = table_current_time,
        .sleep_until = table_sleep_until,
        .task_ready = table_loop,
        .scope_wake = anyc_backend_default_scope_wake,
        .wake = table_loop,
        .watch_open = table_watch_open,
        .watch_start = table_watch_start,
        .watch_stop = table_watch_end,
        .watch_close = table_watch_end,
        .signal_start = table_signal_start,
        .signal_stop = table_signal_stop,
        .receive = anyc_backend_default_receive,
        .send = anyc_backend_default_send,
        .accept = anyc_backend_default_accept,
        .connect = anyc_backend_default_connect,
    };
}
