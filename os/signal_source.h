/* SPDX-License-Identifier: MIT */
/*
 * signal_source.h - from the system's signals to loops: one source for each loop and number.
 */
#ifndef ANYC_OS_SIGNAL_SOURCE_H
#define ANYC_OS_SIGNAL_SOURCE_H

#include <stdatomic.h>

#include "core/list.h"
#include "core/loop.h"

/* On the heap; a handler may look at it in any thread until it is closed. */
struct signal_source {
    /* the handlers' */
    struct post post;
    atomic_bool posted; /* the post is on its way: the memory must stay */
    atomic_bool heard;  /* a handler of anyc was called for it */
    _Atomic(struct signal_source *) next;

    /* the loop's */
    anyc_loop *loop;
    int signum;
    bool claimed;        /* the loop's own facility is asked too */
    bool closed;         /* goes when its post arrives */
    anyc_list receivers; /* os/signal.c */
    void (*arrived)(struct signal_source *source);
};

/* Can this number be received? */
bool anyc__signal_valid(int signum);

/* From now on `arrived` is called on the loop's thread, outside any task, once or more for all that
 * came since its last call. At most one source for each number of a loop. ANYC_ENOMEM, or -errno of the
 * host's loop, with a message. On the loop's thread, as the next. */
int anyc__signal_source_open(anyc_loop *loop, int signum,
                             void (*arrived)(struct signal_source *source),
                             struct signal_source **out_source);

/* Ends that and takes the source. With the last one of a number the signal does again what it did
 * before. */
void anyc__signal_source_close(struct signal_source *source);

#endif
