/* SPDX-License-Identifier: MIT */
/*
 * signal.h - receive signals in a task, instead of in a handler.
 *
 *     const int signals[] = {SIGTERM, SIGHUP};
 *     anyc_signal_receiver *receiver;
 *     int signum;
 *
 *     rc = anyc_open_signal_receiver(signals, 2, &receiver);
 *     if (rc < 0)
 *         return rc;
 *     while ((signum = anyc_signal_receiver_next(receiver)) == SIGHUP)
 *         reload();
 *     anyc_aclose(receiver);       // SIGTERM, or an error
 *
 * From the first receiver that is opened for a signal until the last one is closed, in whichever
 * thread, the signal has no other effect: it does not end the program, and a handler that was there
 * before is not called, except for SIGCHLD, as other libraries may wait for their processes by one.
 * After that the signal does again what it did before. A signal that every thread blocks stays
 * pending until one does not (sigprocmask(2)).
 *
 * Any number of receivers may be open for one signal, in one loop or in several, of any backend: each
 * gets it. A receiver keeps the signals that come while nobody waits, and gives them in the order of
 * arrival; one that comes again before it was given counts once. So no kind of signal is lost, and a
 * flood of them takes no memory.
 *
 * A program that sets the action of a signal (sigaction(2)) while a receiver for it is open takes it
 * away from anyc. On a loop of the host's (anyc_run_options.loop) the signal facility of that loop's
 * library is asked first, so that the host's own uv_signal_t or evsignal get the signal too, whoever
 * was there first. Other loops of that library that the host runs beside anyc do not share signals
 * with it.
 */
#ifndef ANYC_SIGNAL_H
#define ANYC_SIGNAL_H

#include <anyc/base.h>
#include <anyc/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Receives signals. A resource: end it with anyc_aclose, which never waits. anyc_close keeps its
 * memory for tasks that may still look. */
typedef struct anyc_signal_receiver {
    anyc_resource resource;
} anyc_signal_receiver;

/**
 * Begin to receive signals. What arrives from now on is kept for anyc_signal_receiver_next.
 *
 * @param signals       their numbers, such as SIGTERM; copied. One that is named twice counts once
 * @param count         how many, at least 1
 * @param out_receiver  the receiver
 *
 * Returns: 0, or
 *   ANYC_EINVAL  `count` is 0, or a number is not that of a signal, or is that of one that cannot be
 *                caught (SIGKILL, SIGSTOP) or tells of a fault in the program itself (SIGSEGV, SIGBUS,
 *                SIGFPE, SIGILL); the message names it
 *   ANYC_ENOLOOP no loop runs in this thread
 *   ANYC_ESTATE  the loop is that of the parent process (anyc_after_fork_child)
 *   ANYC_ENOMEM  out of memory
 *   -errno       the host's loop has no descriptors for its signals (EMFILE ...)
 * Owns:    the receiver is the caller's, to be ended with anyc_aclose.
 * Cancel:  never suspends: also in a cancelled scope it opens, and the first `next` answers that.
 * Threads: the thread of a running loop (tasks and callbacks).
 * AnyIO:   open_signal_receiver.
 */
ANYC_API int anyc_open_signal_receiver(const int *signals, size_t count,
                                       anyc_signal_receiver **out_receiver);

/**
 * Receive the next signal, waiting until one arrives.
 *
 * @param receiver  open receiver; borrowed
 *
 * Returns: the signal's number, or
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ECLOSED    the receiver is closed, also while the task was waiting
 *   ANYC_EBUSY      another task is waiting in this receiver
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, no signal was taken.
 * Threads: the receiver's loop only.
 * AnyIO:   iteration over open_signal_receiver's result.
 */
ANYC_API int anyc_signal_receiver_next(anyc_signal_receiver *receiver);

#ifdef __cplusplus
}
#endif

#endif
