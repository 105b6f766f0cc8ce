/* SPDX-License-Identifier: MIT */
/*
 * libuv.h - what the files of the libuv adapter share.
 */
#ifndef ANYC_BACKENDS_LIBUV_H
#define ANYC_BACKENDS_LIBUV_H

#include <anyc/backend.h>

#include <uv.h>

struct libuv_signal;

/* The adapter's state of a loop. */
struct libuv_loop {
    anyc_loop *loop;
    uv_loop_t *native;   /* &own, or the host's */
    bool done;           /* the last turn said so */
    unsigned events;     /* of descriptors since the last turn */
    size_t open_handles; /* of anyc, until their closing has been confirmed */
    int64_t deadline_ns;
    int64_t armed_ns; /* what the timer is set to, or INT64_MAX */
    struct libuv_signal *signals;
    uv_prepare_t prepare;
    uv_idle_t idle;
    uv_timer_t timer;
    uv_async_t async;
    uv_loop_t own;
};

/* The slots of the same names. */
int anyc__libuv_signal_start(anyc_loop *loop, int signum);
void anyc__libuv_signal_stop(anyc_loop *loop, int signum);

#endif
