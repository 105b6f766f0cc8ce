/* SPDX-License-Identifier: MIT */
/*
 * worker_process_link.h - one worker process, as its program sees it: what is sent and received, and
 * its end.
 *
 * Whoever works with it owns it; the pool owns those that are idle. Its memory goes when it is owned
 * by nobody and its end has been noticed.
 */
#ifndef ANYC_OS_WORKER_PROCESS_LINK_H
#define ANYC_OS_WORKER_PROCESS_LINK_H

#include <sys/uio.h>

#include "os/process_exit.h"
#include "os/worker_process_message.h"

enum worker_process_owner {
    WORKER_PROCESS_OF_TASK,
    WORKER_PROCESS_OF_POOL,
    WORKER_PROCESS_OF_NOBODY /* it was killed */
};

/* Invariants: linked iff the pool's; `watch` is NULL iff nobody's. */
struct worker_process {
    struct process_exit exit;
    enum worker_process_owner owner;
    anyc_watch *watch; /* of the socket, which is its own */

    /* while it is the pool's */
    anyc_list link;
    struct watch_call call; /* it says something, without being asked */
    int64_t idle_since_ns;
};

/* Begin with our end of its socket, non-blocking, which is taken: ANYC_ENOMEM or -errno of the loop. */
int anyc__worker_process_create(anyc_loop *loop, int fd, struct worker_process **out_worker);

/* Then its process has been started; see anyc__process_exit_begin. */
int anyc__worker_process_begin(struct worker_process *worker, anyc_loop *loop,
                               const struct process_started *started);

/* Or that has failed. */
void anyc__worker_process_destroy(struct worker_process *worker);

/* Send all the pieces, at most 3, which are used up. 0, ANYC_ECANCELLED or -errno. Others run between two parts of
 * what is long. */
int anyc__worker_process_send(struct worker_process *worker, struct iovec *pieces, int count);

/* Receive so many bytes. 0, ANYC_ECANCELLED, ANYC_EOF or -errno. */
int anyc__worker_process_receive(struct worker_process *worker, void *buf, size_t size);

/* Receive the beginning of an answer. As above, and ANYC_EWORKER: it is none. */
int anyc__worker_process_receive_answer(struct worker_process *worker,
                                        struct worker_answer *out_answer);

/* Kill it and let go of it. */
void anyc__worker_process_kill(struct worker_process *worker);

/* The same for the calling task, which waits until the worker has ended, whatever comes. Something
 * failed: `rc` is what send, receive and receive_answer answer. Answers rc for a cancellation and when
 * there is no memory, else ANYC_EWORKER with a message: how it died, and `when`. */
int anyc__worker_process_end(struct worker_process *worker, int rc, const char *when);

#endif
