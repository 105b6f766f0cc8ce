/* SPDX-License-Identifier: MIT */
/*
 * run_token.c - the way into a run for threads that may outlive it.
 *
 * `inside` counts the threads between enter and leave by twos; its lowest bit says that the run has
 * ended. Who enters looks at that bit in the same step, so whoever found it clear is waited for.
 * So it must get out again: to wake a loop is a cancellation point of pthread_cancel(), which is put
 * off meanwhile.
 */
#include "threads/run_token.h"

#include "core/alloc.h"
#include "core/fork.h"
#include "core/task.h"
#include "core/tools.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define TOKEN_ENDED ((size_t)1)
#define TOKEN_THREAD ((size_t)2)

struct anyc_token {
    anyc_loop *loop;
    atomic_size_t inside;
    atomic_size_t refs;
    unsigned forks; /* anyc__forks when it was made */
};

static _Thread_local int token_cancel_state; /* of a thread that is inside: what it had outside */

anyc_token *anyc__run_token_create(anyc_loop *loop)
{
    anyc_token *token = anyc__zalloc(sizeof *token);

    if (token == NULL)
        return NULL;
    token->loop = loop;
    token->forks = anyc__forks;
    atomic_init(&token->refs, 1);
    return token;
}

void anyc__run_token_ref(anyc_token *token)
{
    atomic_fetch_add_explicit(&token->refs, 1, memory_order_relaxed);
}

void anyc__run_token_unref(anyc_token *token)
{
    anyc__tools_release(token);
    if (atomic_fetch_sub_explicit(&token->refs, 1, memory_order_acq_rel) > 1)
        return;
    anyc__tools_acquire(token);
    anyc__free(token);
}

anyc_loop *anyc__run_token_enter(anyc_token *token)
{
    size_t inside;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &token_cancel_state);
    inside = atomic_fetch_add_explicit(&token->inside, TOKEN_THREAD, memory_order_acquire);
    if ((inside & TOKEN_ENDED) == 0 && !anyc__run_token_forked(token))
        return token->loop;
    (void)pthread_setcancelstate(token_cancel_state, NULL);
    anyc__tools_acquire(&token->refs); /* all that the run did came before */
    atomic_fetch_sub_explicit(&token->inside, TOKEN_THREAD, memory_order_relaxed);
    return NULL;
}

void anyc__run_token_leave(anyc_token *token)
{
    anyc__tools_release(&token->inside);
    atomic_fetch_sub_explicit(&token->inside, TOKEN_THREAD, memory_order_release);
    (void)pthread_setcancelstate(token_cancel_state, NULL);
}

bool anyc__run_token_forked(const anyc_token *token)
{
    return token->forks != anyc__forks;
}

bool anyc__run_token_is_here(anyc_token *token)
{
    return anyc__loop != NULL && anyc__loop == token->loop &&
           (atomic_load_explicit(&token->inside, memory_order_relaxed) & TOKEN_ENDED) == 0;
}

void anyc__run_token_end(anyc_token *token)
{
    anyc__tools_release(&token->refs);
    atomic_fetch_or_explicit(&token->inside, TOKEN_ENDED, memory_order_release);
    while (atomic_load_explicit(&token->inside, memory_order_acquire) != TOKEN_ENDED)
        (void)sched_yield(); /* a thread is in the middle of a post: a few instructions more */
    anyc__tools_acquire(&token->inside);
}
