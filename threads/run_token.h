/* SPDX-License-Identifier: MIT */
/*
 * run_token.h - the way into a run for threads that may outlive it.
 *
 * A thread that the run waits for may call anyc__post directly. Any other one holds a reference to
 * the run's token and asks it for the loop:
 *
 *     loop = anyc__run_token_lock(token);
 *     if (loop != NULL)
 *         anyc__post(loop, &post);
 *     anyc__run_token_unlock(token);
 */
#ifndef ANYC_THREADS_RUN_TOKEN_H
#define ANYC_THREADS_RUN_TOKEN_H

#include <anyc/base.h>

struct run_token;

/* A token with one reference, the caller's; NULL without memory. */
struct run_token *anyc__run_token_create(anyc_loop *loop);

/* From any thread that has a reference. */
void anyc__run_token_ref(struct run_token *token);
void anyc__run_token_unref(struct run_token *token);

/* The loop, which stays there until the unlock, or NULL: the run has ended. From any thread, also
 * the loop's; between lock and unlock nothing may wait. */
anyc_loop *anyc__run_token_lock(struct run_token *token);
void anyc__run_token_unlock(struct run_token *token);

/* The run ends: with the lock held, on the loop's thread. */
void anyc__run_token_end(struct run_token *token);

#endif
