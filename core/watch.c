/* SPDX-License-Identifier: MIT */
/*
 * watch.c - waiting for descriptors; see watch.h.
 */
#include "core/watch.h"

#include "core/alloc.h"
#include "core/ended_loop.h"
#include "core/error.h"
#include "core/fork.h"
#include "core/loop.h"
#include "core/task.h"

static void watch_abandon(struct task_wait *wait);

static const struct wait_type readable_wait = {"data on a descriptor", watch_abandon, NULL};
static const struct wait_type writable_wait = {"room on a descriptor", watch_abandon, NULL};

static void waiter_enter(anyc_watch *watch, anyc_task *task, unsigned events)
{
    if ((events & ANYC_READABLE) != 0)
        watch->waiter[0] = task;
    if ((events & ANYC_WRITABLE) != 0)
        watch->waiter[1] = task;
    watch->loop->watch_waits++;
}

/* Answers what the task waited for. */
static unsigned waiter_leave(anyc_watch *watch, const anyc_task *task)
{
    unsigned events = 0;

    if (watch->waiter[0] == task) {
        watch->waiter[0] = NULL;
        events |= ANYC_READABLE;
    }
    if (watch->waiter[1] == task) {
        watch->waiter[1] = NULL;
        events |= ANYC_WRITABLE;
    }
    watch->loop->watch_waits--;
    return events;
}

static void watch_abandon(struct task_wait *wait)
{
    anyc_watch *watch = (anyc_watch *)(uintptr_t)wait->on;
    unsigned events = waiter_leave(watch, wait->task);

    watch->loop->backend->scope_wake(watch, events);
}

static bool table_reserve(anyc_loop *loop, int fd)
{
    size_t size = loop->watches_size > 0 ? loop->watches_size : 16;
    anyc_watch **watches;
    size_t i;

    if ((size_t)fd < loop->watches_size)
        return true;
    while (size <= (size_t)fd)
        size *= 2;
    watches = anyc__realloc_array(loop->watches, size, sizeof(anyc_watch *));
    if (watches == NULL)
        return false;
    for (i = loop->watches_size; i < size; i++)
        watches[i] = NULL;
    loop->watches = watches;
    loop->watches_size = size;
    return true;
}

anyc_watch *anyc__watch_find(const anyc_loop *loop, int fd)
{
    return fd >= 0 && (size_t)fd < loop->watches_size ? loop->watches[fd] : NULL;
}

int anyc__watch_open(anyc_loop *loop, int fd, anyc_watch **out_watch)
{
    anyc_watch *watch;
    int rc;

    if (fd < 0)
        return anyc__fail(-EBADF, EBADF, "descriptor %d", fd);
    if (anyc__watch_find(loop, fd) != NULL)
        return anyc__fail(ANYC_EBUSY, 0, "descriptor %d is in use in this loop already", fd);
    if (!table_reserve(loop, fd))
        return anyc__fail_plain(ANYC_ENOMEM);
    watch = anyc__zalloc(loop->backend->watch_size);
    if (watch == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    watch->loop = loop;
    watch->fd = fd;
    rc = loop->backend->watch_open(watch);
    if (rc < 0) {
        anyc__free(watch);
        return anyc__fail_errno(-rc, "cannot wait for descriptor %d", fd);
    }
    loop->watches[fd] = watch;
    loop->open_watches++;
    *out_watch = watch;
    return 0;
}

/* See that the loop reports the events. */
static int watch_arm(anyc_watch *watch, unsigned events)
{
    int rc;

    if ((watch->armed & events) == events)
        return 0;
    if (watch->closed)
        return ANYC_ECLOSED;
    rc = watch->loop->backend->watch_start(watch, watch->armed | events);
    if (rc < 0)
        return anyc__fail_errno(-rc, "cannot wait for descriptor %d", watch->fd);
    return 0;
}

int anyc__watch_wait_any(anyc_watch *watch, unsigned events, unsigned *out_ready)
{
    struct task_wait wait = {.rc = 0};
    int rc;

    if (((events & ANYC_READABLE) != 0 && watch->waiter[0] != NULL) ||
        ((events & ANYC_WRITABLE) != 0 && watch->waiter[1] != NULL))
        return anyc__fail(ANYC_EBUSY, 0, "another task is waiting for descriptor %d", watch->fd);
    if ((watch->ready & events) != 0) {
        *out_ready = watch->ready & events;
        watch->ready &= (uint8_t)~events;
        if ((*out_ready & ANYC_READABLE) != 0)
            watch->drained = false;
        return 0;
    }
    rc = watch_arm(watch, events);
    if (rc < 0)
        return rc;
    waiter_enter(watch, anyc__task(), events);
    watch->users++; /* it may be closed before this task runs again */
    rc = anyc__wait(&wait, events == ANYC_WRITABLE ? &writable_wait : &readable_wait, watch);
    if (rc >= 0 && watch->closed)
        rc = ANYC_ECLOSED;
    if (rc >= 0 && ((unsigned)rc & ANYC_READABLE) != 0)
        watch->drained = false;
    watch->woken &= (uint8_t)~events;
    anyc__watch_return(watch);
    if (rc < 0)
        return rc;
    *out_ready = (unsigned)rc;
    return 0;
}

int anyc__watch_wait(anyc_watch *watch, unsigned event)
{
    unsigned ready;

    return anyc__watch_wait_any(watch, event, &ready);
}

/* Wake who waits for the event with an error or with what is ready of what it waits for; answers
 * whether there was one. Its stack may be far, so only its result is written there. */
static bool watch_wake(anyc_watch *watch, unsigned event, int rc)
{
    anyc_task *task = watch->waiter[event == ANYC_WRITABLE];
    unsigned events;

    if (task == NULL)
        return false;
    events = waiter_leave(watch, task);
    watch->woken |= (uint8_t)events;
    anyc__wake_waiting(task, rc < 0 ? rc : rc & (int)events);
    return true;
}

int anyc__watch_call(anyc_watch *watch, struct watch_call *call)
{
    watch->call = call;
    return watch_arm(watch, ANYC_READABLE);
}

void anyc__watch_close(anyc_watch *watch, int rc)
{
    anyc_loop *loop = watch->loop;

    if (UNLIKELY(loop == &anyc__ended_loop)) {
        anyc__watch_return(watch);
        return;
    }
    if (UNLIKELY(loop->forks != anyc__forks))
        anyc__fork_leave(loop);
    watch->closed = true;
    (void)watch_wake(watch, ANYC_READABLE, rc);
    (void)watch_wake(watch, ANYC_WRITABLE, rc);
    loop->watches[watch->fd] = NULL;
    loop->backend->watch_close(watch);
}

void anyc__watches_end(anyc_loop *loop)
{
    anyc_watch *watch;
    size_t i;

    for (i = 0; i < loop->watches_size; i++) {
        watch = loop->watches[i];
        if (watch == NULL)
            continue;
        watch->users++; /* its owner closes it once more, maybe much later */
        anyc__watch_close(watch, ANYC_ECLOSED);
    }
}

int anyc__watch_borrow(anyc_loop *loop, int fd, anyc_watch **out_watch)
{
    anyc_watch *watch = anyc__watch_find(loop, fd);
    int rc;

    if (watch == NULL) {
        rc = anyc__watch_open(loop, fd, &watch);
        if (rc < 0)
            return rc;
        ANYC_ASSERT(watch != NULL);
        watch->borrowed = true;
    }
    watch->users++;
    *out_watch = watch;
    return 0;
}

void anyc__watch_return(anyc_watch *watch)
{
    watch->users--;
    if (watch->users > 0)
        return;
    if (watch->let_go)
        anyc__free(watch);
    else if (watch->borrowed && !watch->closed)
        anyc__watch_close(watch, ANYC_ECLOSED);
}

/* -- for adapters -- */

/* Wake who waits for them. Answers those that are to be reported no more. */
static unsigned watch_deliver(anyc_watch *watch, unsigned events)
{
    unsigned unwanted = events & ANYC_WRITABLE; /* re-armed by the next who finds no room */
    struct watch_call *call;

    /* who was woken but did not run yet is about to read: that is no reason to disarm */
    if ((events & ANYC_READABLE) != 0 && !watch_wake(watch, ANYC_READABLE, (int)events) &&
        (watch->woken & ANYC_READABLE) == 0) {
        call = watch->call;
        if (call != NULL) {
            call->fn(call); /* the watch may be gone after it */
            return 0;
        }
        watch->ready |= ANYC_READABLE;
        unwanted |= ANYC_READABLE;
    }
    if ((events & ANYC_WRITABLE) != 0)
        (void)watch_wake(watch, ANYC_WRITABLE, (int)events);
    return watch->armed & unwanted;
}

void anyc_backend_watch_ready(anyc_watch *watch, unsigned events)
{
    anyc_loop *loop = watch->loop;
    bool in_turn = loop->in_turn;
    unsigned unwanted;
    unsigned armed;

    loop->in_turn = true; /* a turn follows anyway, the loop need not be told */
    unwanted = watch_deliver(watch, events);
    loop->in_turn = in_turn;
    if (unwanted == 0)
        return;
    armed = watch->armed & ~unwanted;
    if (armed == 0)
        loop->backend->watch_stop(watch);
    else
        (void)loop->backend->watch_start(watch, armed); /* failing, it fires again */
}

void anyc_backend_watch_closed(anyc_watch *watch)
{
    watch->loop->open_watches--;
    watch->let_go = true;
    watch->loop = &anyc__ended_loop;
    if (watch->users == 0)
        anyc__free(watch);
}

void anyc_backend_signal(anyc_loop *loop, int signum)
{
    if (loop->on_signal != NULL)
        loop->on_signal(loop, signum);
}

void anyc_backend_default_scope_wake(anyc_watch *watch, unsigned events)
{
    (void)watch;
    (void)events;
}
