/* SPDX-License-Identifier: MIT */
/*
 * libevent.h - what the files of the libevent adapter share.
 */
#ifndef ANYC_BACKENDS_LIBEVENT_H
#define ANYC_BACKENDS_LIBEVENT_H

#include <anyc/backend.h>

#include <event2/event.h>
#include <event2/event_struct.h>

struct libevent_signal;

/* The adapter's state of a loop. Invariant: the base holds `added` events of anyc. */
struct libevent_loop {
    struct event_base *base;
    bool adopted; /* the base is the host's */
    int added;
    unsigned events; /* callbacks of watches since the last turn */
    bool done;       /* the run is over */
    int64_t deadline_ns;
    int64_t armed_ns; /* what the timer is set to, or INT64_MAX */
    int wake_fds[2];  /* to read, to write */
    struct event wake;
    struct event timer;
    struct libevent_signal *signals;
};

/* Add an event without a timeout. 0, or -errno if libevent or the system refuses. */
int anyc__libevent_add(struct libevent_loop *state, struct event *event);

/* Take out an event that was added. */
void anyc__libevent_del(struct libevent_loop *state, struct event *event);

/* libevent_signal.c: the slots of the same names. */
int anyc__libevent_signal_start(anyc_loop *loop, int signum);
void anyc__libevent_signal_stop(anyc_loop *loop, int signum);

/* libevent_linux.c or libevent_posix.c: open something that is readable after 8 bytes were written
 * to it, non-blocking and close-on-exec. fds[0] is to be read, fds[1] to be written; they may be
 * the same. 0 or -errno. */
int anyc__libevent_open_wake(int fds[2]);

/* The same: 0 if readiness of the descriptor can be waited for, else -EPERM or -EBADF. libevent
 * would find out too, but would print that to the standard error. */
int anyc__libevent_check_fd(int fd);

#endif
