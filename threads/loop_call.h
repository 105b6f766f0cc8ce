/* SPDX-License-Identifier: MIT */
/*
 * loop_call.h - a call from another thread into a loop: it lies on the stack of that thread, which
 * waits until the loop has answered it. So it costs no memory, one post, and one wake of the thread.
 *
 *     anyc__loop_call_init(&call, fn, arg, anyc__loop_call_sync);
 *     rc = anyc__loop_call_post(&call, token);
 *     if (rc == 0)
 *         rc = anyc__loop_call_wait(&call);
 *
 * Every call that was posted is answered: by what `post.fn` starts, or at the end of the run.
 */
#ifndef ANYC_THREADS_LOOP_CALL_H
#define ANYC_THREADS_LOOP_CALL_H

#include "core/post.h"
#include "core/task.h"
#include "threads/parker.h"
#include "threads/run_token.h"

struct worker_job;
struct task_failure;

struct loop_call {
    struct post post;
    anyc_task_fn fn;
    void *arg;
    struct worker_job *job;       /* of the thread, if it is a worker of this run; else NULL */
    struct task_failure *failure; /* what is known of a failure */
    int rc;
    struct parker answered;
};

/* -- in the thread -- */

/* `receive` begins the call on the loop's thread, outside any task. */
void anyc__loop_call_init(struct loop_call *call, anyc_task_fn fn, void *arg,
                          void (*receive)(struct post *post));

/* Post it to the run of this token. If that is over, answers ANYC_ERUNFINISHED, and in the loop's own
 * thread or a child of fork ANYC_ESTATE; then the call has come to its end. */
int anyc__loop_call_post(struct loop_call *call, anyc_token *token);

/* Wait for the answer to a call that was posted. A negative one becomes the thread's last failure. */
int anyc__loop_call_wait(struct loop_call *call);

/* -- in the loop -- */

struct loop_call *anyc__loop_call_of(struct post *post);

/* A `receive`: call the function there and then. */
void anyc__loop_call_sync(struct post *post);

/* A task function, whose argument is the call: call the function, and answer. */
int anyc__loop_call_run(void *arg);

/* Answer; the call is gone afterwards. A failure's details are taken from the caller. */
void anyc__loop_call_answer(struct loop_call *call, int rc);

#endif
