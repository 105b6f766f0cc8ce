/* SPDX-License-Identifier: MIT */
/*
 * run_token.c - the way into a run for threads that may outlive it.
 */
#include "threads/run_token.h"

#include "core/alloc.h"
#include "core/tools.h"

#include <pthread.h>
#include <stdatomic.h>

struct run_token {
    pthread_mutex_t lock;
    anyc_loop *loop; /* NULL: the run has ended; under `lock` */
    atomic_size_t refs;
};

struct run_token *anyc__run_token_create(anyc_loop *loop)
{
    struct run_token *token = anyc__zalloc(sizeof *token);

    if (token == NULL)
        return NULL;
    if (pthread_mutex_init(&token->lock, NULL) != 0) {
        anyc__free(token);
        return NULL;
    }
    token->loop = loop;
    atomic_init(&token->refs, 1);
    return token;
}

void anyc__run_token_ref(struct run_token *token)
{
    atomic_fetch_add_explicit(&token->refs, 1, memory_order_relaxed);
}

void anyc__run_token_unref(struct run_token *token)
{
    anyc__tools_release(token);
    if (atomic_fetch_sub_explicit(&token->refs, 1, memory_order_acq_rel) > 1)
        return;
    anyc__tools_acquire(token);
    pthread_mutex_destroy(&token->lock);
    anyc__free(token);
}

anyc_loop *anyc__run_token_lock(struct run_token *token)
{
    pthread_mutex_lock(&token->lock);
    return token->loop;
}

void anyc__run_token_unlock(struct run_token *token)
{
    pthread_mutex_unlock(&token->lock);
}

void anyc__run_token_end(struct run_token *token)
{
    token->loop = NULL;
}
