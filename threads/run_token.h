/* SPDX-License-Identifier: MIT */
/*
 * run_token.h - the way into a run for threads that may outlive it.
 *
 * A thread that the run waits for may call anyc__post directly. Any other one holds a reference to
 * the run's token and asks it for the loop:
 *
 *     loop = anyc__run_token_enter(token);
 *     if (loop != NULL) {
 *         anyc__post(loop, &post);
 *         anyc__run_token_leave(token);
 *     }
 */
#ifndef ANYC_THREADS_RUN_TOKEN_H
#define ANYC_THREADS_RUN_TOKEN_H

#include <anyc/thread.h>

/* A token with one reference, the caller's; NULL without memory. */
anyc_token *anyc__run_token_create(anyc_loop *loop);

/* From any thread that has a reference. */
void anyc__run_token_ref(anyc_token *token);
void anyc__run_token_unref(anyc_token *token);

/* The loop, which stays there until the caller leaves, or NULL: the run has ended, or is that of the
 * parent process, and there is nothing to leave. From any thread, any number at a time, but one token
 * at a time; what is between may not wait. */
anyc_loop *anyc__run_token_enter(anyc_token *token);
void anyc__run_token_leave(anyc_token *token);

/* Does the token belong to a run of the parent process, from before this one was forked? */
bool anyc__run_token_forked(const anyc_token *token);

/* Does the token belong to the run of the calling thread, which is not over? */
bool anyc__run_token_is_here(anyc_token *token);

/* The run ends: from the return on no thread is or will be inside. On the loop's thread. */
void anyc__run_token_end(anyc_token *token);

#endif
