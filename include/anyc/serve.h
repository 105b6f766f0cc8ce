/* SPDX-License-Identifier: MIT */
/*
 * serve.h - serving for real: no more connections than there is room for, and a graceful end.
 *
 *     anyc_event stop = ANYC_EVENT_INIT;   // anyc_event_set(&stop) ends the call below
 *     anyc_serve_options options = {.max_connections = 1000, .stop = &stop, .grace_seconds = 5};
 *
 *     rc = anyc_listener_serve_with(listener, handle, NULL, &options);
 *     if (rc == ANYC_ETIMEDOUT)
 *         log("some clients were cut off");
 *
 * To use several cores, run a loop in each of several threads (anyc_run), each with a listener of
 * its own on the same port (`reuse_port`): the system deals the connections out. See
 * examples/echo_server.c.
 */
#ifndef ANYC_SERVE_H
#define ANYC_SERVE_H

#include <anyc/base.h>
#include <anyc/event.h>
#include <anyc/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How to serve; all zero means the defaults. */
typedef struct anyc_serve_options {
    size_t max_connections; /* handlers at once, of all members of a multi-listener together; more
                               connections wait in the system's queue. 0: no limit */
    anyc_event *stop;       /* once it is set no more are accepted, and the call ends when all
                               handlers have; borrowed. NULL: cancel the call to end it */
    double grace_seconds;   /* how long the handlers may go on after `stop`, then they are
                               cancelled. 0: they are at once; INFINITY: as long as they like */
} anyc_serve_options;

/**
 * As anyc_listener_serve in a group of its own, with a limit and a graceful end.
 *
 * With `max_connections` connections the listener is left alone until one of them ends. The members
 * of a multi-listener take turns then.
 *
 * At a stop the listener stays open, and new clients wait in its queue until it is closed. To have
 * them refused at once, anyc_close it together with anyc_event_set. Handlers that look at `stop`
 * themselves can end between two requests.
 *
 * @param listener  open listener; borrowed
 * @param handler   the task of a connection, see anyc_connection_fn; a failure of it cancels the
 *                  other handlers and ends this call
 * @param arg       handed to every handler; borrowed until the call returns
 * @param options   NULL: no limit, no stop
 *
 * Returns: 0 after a stop when all handlers have ended by themselves, and at once for a
 *          multi-listener without members; else
 *   ANYC_ETIMEDOUT  after a stop: the grace period was over first, the rest was cancelled
 *   ANYC_ECLOSED    the listener is closed, also while it was waiting, and there was no stop; the
 *                   handlers were cancelled
 *   ANYC_EBUSY      another task is accepting
 *   ANYC_ECANCELLED the enclosing scope was cancelled, also during the grace period
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_EINVAL     no handler, or a grace period that is negative or no number
 *   ANYC_ENOMEM     no memory to begin with
 *   -errno          accepting failed otherwise
 *   other           the first failure of a handler
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. All handlers have ended when it returns.
 * Threads: the listener's loop only.
 * AnyIO:   abc.Listener.serve (limits and a graceful end are built by hand there).
 */
ANYC_API int anyc_listener_serve_with(anyc_listener *listener, anyc_connection_fn handler,
                                      void *arg, const anyc_serve_options *options);

#ifdef __cplusplus
}
#endif

#endif
