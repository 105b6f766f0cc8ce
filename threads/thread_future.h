/* SPDX-License-Identifier: MIT */
/*
 * thread_future.h - futures from the side of the task that makes the result.
 */
#ifndef ANYC_THREADS_THREAD_FUTURE_H
#define ANYC_THREADS_THREAD_FUTURE_H

#include <pthread.h>
#include <stdatomic.h>

#include <anyc/cancel.h>
#include <anyc/thread_future.h>

#include "core/list.h"
#include "core/post.h"
#include "threads/run_token.h"

struct done_callback;
struct task_failure;

/* Embed it at the beginning of the block that is to be freed with it. */
struct anyc_thread_future {
    atomic_size_t refs;    /* one of them is the task's, until it is done */
    anyc_token *token;     /* of the task's run; one reference */
    _Atomic(int) state;    /* an anyc_future_state; leaves "pending" once, under the lock */
    atomic_bool cancelled; /* somebody asked for it */
    struct post cancel;    /* on its way to the loop */

    int rc; /* valid from "done" on */
    struct task_failure *failure;

    pthread_mutex_t lock;
    anyc_list waiters; /* threads; empty when done; under the lock */
    struct done_callback *callbacks;
    struct done_callback **callbacks_end;

    anyc_cancel_scope *scope; /* around the task's function while that runs; the loop's */
};

/* Pending, with two references: the caller's and the task's. */
void anyc__thread_future_init(anyc_thread_future *future, anyc_token *token);

/* The task begins: `scope` lies around it from now on, and is cancelled with the future. */
void anyc__thread_future_begin(anyc_thread_future *future, anyc_cancel_scope *scope);

/* It ends: the future is done. */
void anyc__thread_future_end(anyc_thread_future *future, int rc);

/* Wait until it is done, in another thread than the loop's. */
void anyc__thread_future_join(anyc_thread_future *future);

/* The future is done without a task having begun, or after its end. Takes the task's reference. */
void anyc__thread_future_complete(anyc_thread_future *future, int rc);

#endif
