/* SPDX-License-Identifier: MIT */
/*
 * backend.h - what an event loop must offer to carry anyc, and what anyc offers to it.
 *
 * A backend is one const table. Whoever has another loop writes one, registers it, and its name
 * can be given to anyc_run. This header is less stable than the others: a table names the version
 * it was written for, and another version is refused.
 *
 * Everything here happens on the loop's thread, except `wake`. The loop calls back into core by
 * the anyc_backend_ functions at the end; none of them runs a task but anyc_backend_turn. Once in
 * each iteration, just before the loop would look for events, the adapter calls
 * anyc_backend_turn, and does as it answers. No function of a table may be NULL; use the
 * anyc_backend_default_ ones. tests/contract/backend holds the suite that a table must pass.
 */
#ifndef ANYC_BACKEND_H
#define ANYC_BACKEND_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <anyc/base.h>
#include <anyc/loop.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ANYC_BACKEND_VERSION 1

/** Feature bits of a table. */
#define ANYC_BACKEND_ADOPTS_LOOP 1u /* `loop` of the options may be a native loop to run on */

/**
 * One descriptor's registration. The adapter's own part follows in the same memory (watch_size).
 * Core allocates and frees it, and owns the descriptor.
 */
typedef struct anyc_watch {
    anyc_loop *loop;
    int fd;
    uint8_t armed;   /* ANYC_READABLE | ANYC_WRITABLE: what the native loop reports now. Set by the
                    * adapter, also when its loop drops an interest by itself */
    uint8_t ready;   /* reported while nobody waited; core's */
    uint16_t users;  /* tasks that wait or share it for one wait (anyc_wait_fd): they hold the
                     * memory; core's */
    bool borrowed;   /* nobody else uses it: goes with the last of them; core's */
    bool closed;     /* the registration has ended; core's */
    bool let_go;     /* by the adapter: the memory goes when users == 0; core's */
    uint8_t woken;   /* for what tasks were woken that did not run yet; core's */
    bool drained;    /* the last read took all there was: wait before the next; core's */
    bool no_socket;  /* recv(2) and send(2) refused it: read(2) and write(2) take it; core's */
    void *waiter[2]; /* who waits: for reading, for writing; core's */
    void *call;      /* what is called instead of waking a reader, or NULL; core's */
} anyc_watch;

/** What the adapter does after a turn. */
typedef enum anyc_turn {
    ANYC_TURN_IDLE,  /* look for events, and sleep until one comes or the timer is due */
    ANYC_TURN_READY, /* look for events without sleeping: tasks are ready */
    ANYC_TURN_DONE   /* the run is over: return from `run` */
} anyc_turn;

typedef struct anyc_backend {
    uint32_t version;  /* ANYC_BACKEND_VERSION */
    const char *name;  /* what the caller passes to anyc_run: [a-z0-9_]+ */
    uint32_t features; /* ANYC_BACKEND_* */
    size_t loop_size;  /* bytes of the adapter's state of a loop; see anyc_backend_state */
    size_t watch_size; /* bytes of its watch, at least sizeof(anyc_watch), which comes first */

    /* -- run -- */

    /* Make the state of a loop (all zero on entry) ready: create a native loop or adopt
     * options->loop. Called once, before anything else. Answers 0 or a negative code (-errno;
     * ANYC_EINVAL for an option it cannot honour) and then holds nothing; no other slot is called
     * after a failure. */
    int (*open)(anyc_loop *loop, const anyc_run_options *options);

    /* Drive the native loop until a turn answers ANYC_TURN_DONE. Called once, after open. Events
     * of the host on an adopted loop are served as well. Answers 0, or a negative code if the
     * native loop broke. */
    int (*run)(anyc_loop *loop);

    /* Let go of everything: close every native handle of anyc's, and wait until the loop will not
     * call any of them again. A fresh native loop is destroyed, an adopted one stays usable; its
     * host's callbacks may be called from here. Every signal was given to signal_stop before, and
     * every watch to watch_close, maybe without a turn since; their last callbacks may come from
     * here. Called also after an open without a run. */
    void (*close)(anyc_loop *loop);

    /* Does the native loop hold handles that are not anyc's, by which a task could be woken?
     * Asked before a run is called deadlocked. False for a fresh loop. */
    bool (*alive)(anyc_loop *loop);

    /* -- clock and sleep -- */

    /* The loop's monotonic clock, ns; fresh, not cached. Called often, also before `run`. */
    int64_t (*current_time)(anyc_loop *loop);

    /* Arm the one native timer, so that a turn runs at or soon after deadline_ns; INT64_MAX
     * disarms it. Replaces the former deadline. A deadline in the past means now. Its firing needs
     * no call to core: the turn that follows looks at the clock, and may let the loop sleep on
     * without a new deadline. Called within or outside a turn. */
    void (*sleep_until)(anyc_loop *loop, int64_t deadline_ns);

    /* -- task groups -- */

    /* A task became ready outside a turn, or a turn is wanted: see that one runs soon, without
     * the loop sleeping first. Called on the loop's thread, any number of times. */
    void (*task_ready)(anyc_loop *loop);

    /* -- cancel scopes -- */

    /* A wait for `events` of a watch was given up. A loop that reports readiness keeps no wait and
     * takes anyc_backend_default_scope_wake; one that completes operations cancels it here and may
     * not touch the task's memory afterwards. */
    void (*scope_wake)(anyc_watch *watch, unsigned events);

    /* -- any thread -- */

    /* Make the loop leave its sleep and run a turn. From any thread and from signal handlers, at
     * any time between open and close: may not block, allocate or fail. */
    void (*wake)(anyc_loop *loop);

    /* -- descriptors -- */

    /* Register watch->fd, without an interest yet. The descriptor is non-blocking already unless
     * it is a foreign one, whose flags must be left as they are. At most one watch is open for one
     * descriptor. Answers 0 or -errno (-EPERM for what cannot be polled, such as a regular file). */
    int (*watch_open)(anyc_watch *watch);

    /* Report exactly `events` (not 0) of the descriptor from now on, by anyc_backend_watch_ready,
     * at each look for events as long as they hold (level-triggered); replaces what was asked
     * before, and sets watch->armed. Errors and hang-ups count as both events. Answers 0 or -errno,
     * and then the interest is as before. Called only when `events` differs from watch->armed. */
    int (*watch_start)(anyc_watch *watch, unsigned events);

    /* Report nothing any more; sets watch->armed to 0. */
    void (*watch_stop)(anyc_watch *watch);

    /* End the registration. The descriptor may be closed as soon as this returns; the memory stays
     * until the adapter calls anyc_backend_watch_closed, from here or later. */
    void (*watch_close)(anyc_watch *watch);

    /* -- signals -- */

    /* Call anyc_backend_signal for each delivery of `signum` (or once for several that came
     * together), by the loop's own facility. At most once for each number, and only on a loop of the
     * host's, who may use that facility too. Answers 0 or -errno
     * (-EBUSY if another loop receives signals and the facility serves one loop of a process). */
    int (*signal_start)(anyc_loop *loop, int signum);

    /* Undo signal_start; the signal does again what it did before. */
    void (*signal_stop)(anyc_loop *loop, int signum);

    /* -- operations; a loop that reports readiness takes the defaults -- */

    /* Called by a task that is the only one to read: wait until something came, and take it. Answers
     * bytes, 0 at the end, ANYC_ECANCELLED (then nothing was taken), ANYC_ECLOSED, or -errno. */
    ssize_t (*receive)(anyc_watch *watch, void *buf, size_t max_bytes);

    /* Called by a task that is the only one to write: wait until there is room, and write some or
     * all of the pieces. Answers bytes, ANYC_ECANCELLED (nothing written), ANYC_ECLOSED or -errno. */
    ssize_t (*send)(anyc_watch *watch, const struct iovec *pieces, int count);

    /* Called by a task that is the only one to accept: wait for a connection. Answers its
     * descriptor (non-blocking, close-on-exec; the caller's), ANYC_ECANCELLED, ANYC_ECLOSED or
     * -errno. `peer` and `peer_len` are filled on success. */
    int (*accept)(anyc_watch *watch, struct sockaddr *peer, socklen_t *peer_len);

    /* Connect the socket of the watch and wait for the outcome. Answers 0, ANYC_ECANCELLED,
     * ANYC_ECLOSED or -errno. */
    int (*connect)(anyc_watch *watch, const struct sockaddr *address, socklen_t address_len);
} anyc_backend;

/**
 * Make a backend known by its name. A backend library that is linked in does this by itself.
 *
 * @param backend  a table that lives as long as the program
 *
 * Returns: 0, or
 *   ANYC_EINVAL  a slot is missing, the name is not [a-z0-9_]+, the sizes or the version are wrong
 *   ANYC_ESTATE  another table has this name (registering the same one again is fine)
 *   ANYC_ENOMEM  there is no room for more (16 names in a process)
 * Owns:    the table is borrowed for ever.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API int anyc_register_backend(const anyc_backend *backend);

/**
 * The adapter's state of a loop: loop_size bytes, zero before `open`.
 *
 * @param loop  the loop
 *
 * Returns: its address, aligned for any type, fixed until `close` has returned.
 * Owns:    borrowed.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void *anyc_backend_state(anyc_loop *loop);

/**
 * Run the tasks that are ready. Once in each iteration of the loop, before it looks for events.
 *
 * @param loop  the loop
 *
 * Returns: what to do next.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the loop's thread, not from within a turn.
 * AnyIO:   no counterpart.
 */
ANYC_API anyc_turn anyc_backend_turn(anyc_loop *loop);

/**
 * A descriptor is ready: wakes who waits for it, runs nobody. Core may call watch_start, watch_stop
 * or watch_close on the same watch from here, so that it may be gone afterwards.
 *
 * @param watch   the watch
 * @param events  ANYC_READABLE, ANYC_WRITABLE or both; both after an error or hang-up
 *
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the loop's thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_backend_watch_ready(anyc_watch *watch, unsigned events);

/**
 * The native loop will not touch a watch again: core frees it in this call.
 *
 * @param watch  given to watch_close before
 *
 * Owns:    takes the memory.
 * Cancel:  never suspends.
 * Threads: the loop's thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_backend_watch_closed(anyc_watch *watch);

/**
 * A signal arrived. Not for signal handlers: called when the loop gets to know of it.
 *
 * @param loop    the loop
 * @param signum  a number given to signal_start
 *
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the loop's thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_backend_signal(anyc_loop *loop, int signum);

/**
 * Memory by anyc's allocator, for what the adapter allocates. A loop's library that keeps one
 * allocator for the whole process is better left alone.
 *
 * @param ptr   from here, or NULL
 * @param size  bytes; 0 frees
 *
 * Returns: memory, or NULL when there is none (or size is 0).
 * Owns:    the memory is the caller's.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void *anyc_backend_realloc(void *ptr, size_t size);

/**
 * Does nothing: the scope_wake of loops that report readiness.
 *
 * @param watch   the watch
 * @param events  for which the wait was given up
 *
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the loop's thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_backend_default_scope_wake(anyc_watch *watch, unsigned events);

/**
 * The `receive` of loops that report readiness: recv(2) or read(2), and a wait on EAGAIN.
 *
 * @param watch      the watch
 * @param buf        where the bytes go; unchanged on error
 * @param max_bytes  room in `buf`, at least 1
 *
 * Returns: as the slot.
 * Owns:    nothing is taken.
 * Cancel:  may suspend; when cancelled, no byte was taken.
 * Threads: tasks of the loop only.
 * AnyIO:   no counterpart.
 */
ANYC_API ssize_t anyc_backend_default_receive(anyc_watch *watch, void *buf, size_t max_bytes);

/**
 * The `send` of loops that report readiness: sendmsg(2) or writev(2), and a wait on EAGAIN.
 *
 * @param watch   the watch
 * @param pieces  what to send; borrowed
 * @param count   number of pieces, at least 1
 *
 * Returns: as the slot.
 * Owns:    nothing is taken.
 * Cancel:  may suspend; when cancelled, no byte was sent.
 * Threads: tasks of the loop only.
 * AnyIO:   no counterpart.
 */
ANYC_API ssize_t anyc_backend_default_send(anyc_watch *watch, const struct iovec *pieces,
                                           int count);

/**
 * The `accept` of loops that report readiness: accept4(2), and a wait on EAGAIN.
 *
 * @param watch     the watch of a listening socket
 * @param peer      where the peer's address goes
 * @param peer_len  room in `peer`, then the length of the address
 *
 * Returns: as the slot.
 * Owns:    nothing is taken.
 * Cancel:  may suspend; when cancelled, no connection was taken.
 * Threads: tasks of the loop only.
 * AnyIO:   no counterpart.
 */
ANYC_API int anyc_backend_default_accept(anyc_watch *watch, struct sockaddr *peer,
                                         socklen_t *peer_len);

/**
 * The `connect` of loops that report readiness: connect(2), then a wait until writable.
 *
 * @param watch        the watch of a fresh socket
 * @param address      of the peer; borrowed
 * @param address_len  bytes
 *
 * Returns: as the slot.
 * Owns:    nothing is taken.
 * Cancel:  may suspend; when cancelled, the socket is of no more use.
 * Threads: tasks of the loop only.
 * AnyIO:   no counterpart.
 */
ANYC_API int anyc_backend_default_connect(anyc_watch *watch, const struct sockaddr *address,
                                          socklen_t address_len);

#ifdef __cplusplus
}
#endif

#endif
