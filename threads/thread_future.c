/* SPDX-License-Identifier: MIT */
/*
 * thread_future.c - the result of a task, for other threads. AnyIO: concurrent.futures.Future, as
 * its portals hand it out.
 *
 * Threads that wait lie on their own stacks, each with a parker. They are woken under the lock:
 * who has given up waiting and then finds itself unlinked has been posted to, and may go.
 */
#include "threads/thread_future.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/fork.h"
#include "core/loop.h"
#include "core/tools.h"
#include "threads/parker.h"

#include <math.h>

struct future_waiter {
    anyc_list link;
    struct parker parker;
};

struct done_callback {
    struct done_callback *next;
    anyc_done_fn fn;
    void *arg;
};

static void future_cancel_posted(struct post *post);

void anyc__thread_future_init(anyc_thread_future *future, anyc_token *token)
{
    *future = (anyc_thread_future){.token = token, .cancel.fn = future_cancel_posted};
    atomic_init(&future->refs, 2);
    anyc__run_token_ref(token);
    (void)pthread_mutex_init(&future->lock, NULL); /* a plain one: cannot fail */
    future->callbacks_end = &future->callbacks;
}

static void future_free(anyc_thread_future *future)
{
    anyc__run_token_unref(future->token);
    anyc__failure_free(future->failure);
    pthread_mutex_destroy(&future->lock);
    anyc__free(future);
}

void anyc__thread_future_begin(anyc_thread_future *future, anyc_cancel_scope *scope)
{
    (void)anyc_cancel_scope_enter(scope, NULL); /* in a task, with a fresh scope: cannot fail */
    future->scope = scope;
    anyc__loop_open_door(anyc__loop); /* who has the future may cancel it */
    if (atomic_load(&future->cancelled))
        anyc_cancel_scope_cancel(scope, "the future was cancelled");
}

void anyc__thread_future_end(anyc_thread_future *future, int rc)
{
    anyc_cancel_scope *scope = future->scope;

    future->scope = NULL;
    anyc__loop_close_door(anyc__loop);
    /* It fails if the function left a scope open, and then the end of the task says so. */
    if (anyc_cancel_scope_exit(scope, 0) == 0)
        anyc__thread_future_complete(future, rc);
}

static anyc_future_state future_state_of(int rc)
{
    if (rc >= 0)
        return ANYC_FUTURE_FINISHED;
    return rc == ANYC_ECANCELLED ? ANYC_FUTURE_CANCELLED : ANYC_FUTURE_FAILED;
}

static void future_call_back(anyc_thread_future *future, struct done_callback *callback)
{
    while (callback != NULL) {
        struct done_callback *next = callback->next;

        callback->fn(future, callback->arg);
        anyc__free(callback);
        callback = next;
    }
}

void anyc__thread_future_complete(anyc_thread_future *future, int rc)
{
    struct done_callback *callbacks;
    anyc_list *node;

    future->rc = rc;
    future->failure = rc < 0 ? anyc__failure_take(rc) : NULL;
    anyc__tools_release(future);
    pthread_mutex_lock(&future->lock);
    atomic_store_explicit(&future->state, (int)future_state_of(rc), memory_order_release);
    while ((node = anyc__list_pop(&future->waiters)) != NULL)
        anyc__unpark(&ANYC__CONTAINER(node, struct future_waiter, link)->parker);
    callbacks = future->callbacks;
    future->callbacks = NULL;
    pthread_mutex_unlock(&future->lock);
    future_call_back(future, callbacks);
    anyc_thread_future_unref(future);
}

/* -- any thread -- */

anyc_future_state anyc_thread_future_status(const anyc_thread_future *future)
{
    int state = atomic_load_explicit(&future->state, memory_order_acquire);

    if (state != ANYC_FUTURE_PENDING)
        anyc__tools_acquire((void *)future);
    return (anyc_future_state)state;
}

bool anyc_thread_future_done(const anyc_thread_future *future)
{
    return anyc_thread_future_status(future) != ANYC_FUTURE_PENDING;
}

/* Waits until it is done, and so many nanoseconds at the most. */
static void future_wait_for(anyc_thread_future *future, int64_t ns)
{
    struct future_waiter waiter = {.link = {NULL, NULL}};
    bool pending;

    anyc__parker_init(&waiter.parker);
    pthread_mutex_lock(&future->lock);
    pending = !anyc_thread_future_done(future);
    if (pending)
        anyc__list_push(&future->waiters, &waiter.link);
    pthread_mutex_unlock(&future->lock);
    if (pending && !anyc__park_for(&waiter.parker, ns)) {
        pthread_mutex_lock(&future->lock);
        if (anyc__list_linked(&waiter.link))
            anyc__list_remove(&waiter.link);
        pthread_mutex_unlock(&future->lock);
    }
    anyc__parker_deinit(&waiter.parker);
}

void anyc__thread_future_join(anyc_thread_future *future)
{
    future_wait_for(future, INT64_MAX);
}

int anyc_thread_future_wait(anyc_thread_future *future, double seconds)
{
    if (isnan(seconds))
        return anyc__fail_plain(ANYC_EINVAL);
    if (anyc_thread_future_done(future))
        return 0;
    if (anyc__run_token_is_here(future->token))
        return anyc__fail(ANYC_ESTATE, 0, "a thread cannot wait for a future of its own loop");
    if (anyc__run_token_forked(future->token))
        return anyc__fail_forked();
    if (seconds > 0)
        future_wait_for(future, anyc__ns_from_seconds(seconds));
    return anyc_thread_future_done(future) ? 0 : anyc__fail_plain(ANYC_ETIMEDOUT);
}

int anyc_thread_future_result(anyc_thread_future *future, int *out_result)
{
    switch (anyc_thread_future_status(future)) {
    case ANYC_FUTURE_PENDING:
        return anyc__fail_plain(ANYC_EPENDING);
    case ANYC_FUTURE_CANCELLED:
        return anyc__fail_plain(ANYC_EFUTURECANCELLED);
    case ANYC_FUTURE_FAILED:
        return anyc__fail_as(future->failure, future->rc);
    case ANYC_FUTURE_FINISHED:
        break;
    }
    if (out_result != NULL)
        *out_result = future->rc;
    return 0;
}

/* On the loop's thread. A task that has not begun looks by itself. */
static void future_cancel_here(anyc_thread_future *future)
{
    if (future->scope != NULL)
        anyc_cancel_scope_cancel(future->scope, "the future was cancelled");
}

static void future_cancel_posted(struct post *post)
{
    anyc_thread_future *future = ANYC__CONTAINER(post, anyc_thread_future, cancel);

    future_cancel_here(future);
    anyc_thread_future_unref(future);
}

bool anyc_thread_future_cancel(anyc_thread_future *future)
{
    anyc_loop *loop;

    if (anyc_thread_future_done(future))
        return false;
    if (atomic_exchange(&future->cancelled, true))
        return true;
    if (anyc__run_token_is_here(future->token)) {
        future_cancel_here(future);
        return true;
    }
    loop = anyc__run_token_enter(future->token);
    if (loop == NULL)
        return false; /* done meanwhile, with its run */
    anyc_thread_future_ref(future);
    anyc__post(loop, &future->cancel);
    anyc__run_token_leave(future->token);
    return true;
}

int anyc_thread_future_add_done_callback(anyc_thread_future *future, anyc_done_fn fn, void *arg)
{
    struct done_callback *callback;
    bool pending;

    if (fn == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a callback needs a function");
    callback = anyc__alloc(sizeof *callback);
    if (callback == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    *callback = (struct done_callback){.fn = fn, .arg = arg};
    pthread_mutex_lock(&future->lock);
    pending = !anyc_thread_future_done(future);
    if (pending) {
        *future->callbacks_end = callback;
        future->callbacks_end = &callback->next;
    }
    pthread_mutex_unlock(&future->lock);
    if (!pending)
        future_call_back(future, callback);
    return 0;
}

anyc_thread_future *anyc_thread_future_ref(anyc_thread_future *future)
{
    atomic_fetch_add_explicit(&future->refs, 1, memory_order_relaxed);
    return future;
}

void anyc_thread_future_unref(anyc_thread_future *future)
{
    if (future == NULL)
        return;
    anyc__tools_release(&future->refs);
    if (atomic_fetch_sub_explicit(&future->refs, 1, memory_order_acq_rel) > 1)
        return;
    anyc__tools_acquire(&future->refs);
    future_free(future);
}
