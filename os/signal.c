/* SPDX-License-Identifier: MIT */
/*
 * signal.c - receive signals in tasks. AnyIO: open_signal_receiver.
 *
 * A receiver has an item for each of its numbers, which is in its queue while such a signal waits to
 * be received; so the order of arrival is kept, and nothing is allocated when one arrives.
 *
 * Invariants: a task waits => the queue is empty and the receiver is open; a source is open iff some
 * open receiver of its loop has an item for it.
 */
#include <anyc/signal.h>

#include <signal.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"
#include "os/signal_source.h"
#include "streams/stream.h"

/* What a loop has for its signals. */
struct signal_loop {
    struct signal_source *sources[NSIG]; /* NULL: no receiver has this number */
    anyc_list receivers;                 /* open ones */
};

/* One number of a receiver. */
struct signal_item {
    anyc_list link;   /* in source->receivers */
    anyc_list queued; /* in receiver->queue, or unlinked */
    struct signal_receiver *receiver;
    struct signal_source *source;
};

struct signal_receiver {
    anyc_signal_receiver public;
    struct signal_loop *signals; /* NULL: closed */
    anyc_loop *loop;
    anyc_list link;  /* among those of the loop */
    anyc_list queue; /* signal_item.queued */
    struct task_wait *waiter;
    struct stream_life life;
    bool receiving; /* a task is inside of `next` */
    size_t count;
    struct signal_item items[];
};

static struct signal_receiver *receiver_of(anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct signal_receiver, public.resource);
}

/* -- waiting and waking -- */

static void receiver_forget_waiter(struct signal_receiver *receiver)
{
    receiver->waiter = NULL;
    receiver->loop->watch_waits--;
}

static void receiver_abandon(struct task_wait *wait)
{
    receiver_forget_waiter((struct signal_receiver *)(uintptr_t)wait->on);
}

static const struct wait_type receiver_wait_type = {"a signal", receiver_abandon, NULL};

/* A signal counts as a descriptor in whether the run is deadlocked. */
static int receiver_wait(struct signal_receiver *receiver)
{
    struct task_wait wait = {.rc = 0};

    receiver->waiter = &wait;
    receiver->loop->watch_waits++;
    return anyc__wait(&wait, &receiver_wait_type, receiver);
}

static bool receiver_wake(struct signal_receiver *receiver, int rc)
{
    struct task_wait *waiter = receiver->waiter;

    if (waiter == NULL)
        return false;
    receiver_forget_waiter(receiver);
    anyc__wake(waiter, rc);
    return true;
}

/* A signal has arrived: the receivers of this loop get it. */
static void source_deliver(struct signal_source *source)
{
    anyc_list *node = anyc__list_first(&source->receivers);

    for (; node != NULL; node = anyc__list_after(&source->receivers, node)) {
        struct signal_item *item = ANYC__CONTAINER(node, struct signal_item, link);

        if (!receiver_wake(item->receiver, source->signum) && !anyc__list_linked(&item->queued))
            anyc__list_push(&item->receiver->queue, &item->queued);
    }
}

/* -- closing -- */

static void item_close(struct signal_item *item)
{
    struct signal_source *source = item->source;

    if (anyc__list_linked(&item->queued))
        anyc__list_remove(&item->queued);
    anyc__list_remove(&item->link);
    if (!anyc__list_empty(&source->receivers))
        return;
    item->receiver->signals->sources[source->signum] = NULL;
    anyc__signal_source_close(source);
}

static void receiver_end(struct signal_receiver *receiver)
{
    size_t i;

    (void)receiver_wake(receiver, ANYC_ECLOSED);
    for (i = 0; i < receiver->count; i++)
        item_close(&receiver->items[i]);
    anyc__list_remove(&receiver->link);
    receiver->signals = NULL;
}

static int receiver_close(anyc_resource *resource, bool forcefully)
{
    struct signal_receiver *receiver = receiver_of(resource);

    (void)forcefully;
    if (receiver->signals != NULL)
        receiver_end(receiver);
    return 0;
}

static void receiver_destroy(anyc_resource *resource)
{
    struct signal_receiver *receiver = receiver_of(resource);

    if (anyc__stream_destroy(&receiver->life))
        anyc__free(receiver);
}

static const anyc_resource_ops receiver_ops = {
    .type = "signal receiver",
    .close = receiver_close,
    .destroy = receiver_destroy,
    .extra = anyc_no_attributes,
};

/* -- opening -- */

/* The run ends: the receivers that the program left open hear of nothing any more. */
static void signal_loop_end(anyc_loop *loop, void *local)
{
    struct signal_loop *signals = local;
    anyc_list *node = anyc__list_first(&signals->receivers);

    (void)loop;
    while (node != NULL) {
        struct signal_receiver *receiver = ANYC__CONTAINER(node, struct signal_receiver, link);

        node = anyc__list_after(&signals->receivers, node);
        receiver_end(receiver);
    }
    anyc__free(signals);
}

/* The loop's signals, made when they are asked for first; NULL without memory. */
static struct signal_loop *signal_loop_of(anyc_loop *loop)
{
    struct signal_loop *signals = loop->locals[LOOP_LOCAL_SIGNALS];

    if (signals != NULL)
        return signals;
    signals = anyc__zalloc(sizeof *signals);
    if (signals != NULL)
        anyc__loop_set_local(loop, LOOP_LOCAL_SIGNALS, signals, signal_loop_end);
    return signals;
}

static int receiver_add(struct signal_receiver *receiver, int signum)
{
    struct signal_item *item = &receiver->items[receiver->count];
    struct signal_source **source = &receiver->signals->sources[signum];
    int rc = 0;

    if (*source == NULL)
        rc = anyc__signal_source_open(receiver->loop, signum, source_deliver, source);
    if (rc < 0)
        return rc;
    *item = (struct signal_item){.receiver = receiver, .source = *source};
    anyc__list_push(&(*source)->receivers, &item->link);
    receiver->count++;
    return 0;
}

/* Note which numbers are named, and count them. */
static int signals_check(const int *signals, size_t count, bool *wanted, size_t *out_distinct)
{
    size_t distinct = 0;
    size_t i;

    if (count == 0)
        return anyc__fail(ANYC_EINVAL, 0, "a signal receiver needs a signal");
    for (i = 0; i < count; i++) {
        if (!anyc__signal_valid(signals[i]))
            return anyc__fail(ANYC_EINVAL, 0, "signal %d cannot be received", signals[i]);
        distinct += !wanted[signals[i]];
        wanted[signals[i]] = true;
    }
    *out_distinct = distinct;
    return 0;
}

/* Room for so many items; NULL without memory. */
static struct signal_receiver *receiver_create(anyc_loop *loop, size_t room)
{
    struct signal_loop *signals = signal_loop_of(loop);
    struct signal_receiver *receiver;

    if (signals == NULL)
        return NULL;
    receiver = anyc__zalloc(sizeof *receiver + room * sizeof receiver->items[0]);
    if (receiver == NULL)
        return NULL;
    receiver->public.resource.ops = &receiver_ops;
    receiver->signals = signals;
    receiver->loop = loop;
    anyc__list_push(&signals->receivers, &receiver->link);
    return receiver;
}

int anyc_open_signal_receiver(const int *signals, size_t count, anyc_signal_receiver **out_receiver)
{
    anyc_loop *loop = anyc__loop;
    struct signal_receiver *receiver;
    bool wanted[NSIG] = {false};
    size_t distinct = 0;
    size_t i;
    int rc;

    if (loop == NULL)
        return anyc__fail_plain(ANYC_ENOLOOP);
    rc = signals_check(signals, count, wanted, &distinct);
    if (rc < 0)
        return rc;
    receiver = receiver_create(loop, distinct);
    if (receiver == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    for (i = 0; rc == 0 && i < count; i++) {
        if (wanted[signals[i]])
            rc = receiver_add(receiver, signals[i]);
        wanted[signals[i]] = false;
    }
    if (rc < 0)
        anyc_aclose_forcefully(&receiver->public);
    else
        *out_receiver = &receiver->public;
    return rc;
}

/* -- receiving -- */

/* The signal that came first, or what the wait for one ends with. */
static int receiver_take(struct signal_receiver *receiver)
{
    anyc_list *node = anyc__list_pop(&receiver->queue);

    if (receiver->signals == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (node == NULL)
        return receiver_wait(receiver);
    return ANYC__CONTAINER(node, struct signal_item, queued)->source->signum;
}

int anyc_signal_receiver_next(anyc_signal_receiver *receiver)
{
    struct signal_receiver *self = receiver_of(&receiver->resource);
    int rc = anyc__stream_begin(&self->life, &self->receiving, self);

    if (rc < 0)
        return rc;
    rc = receiver_take(self);
    anyc__stream_end(&self->life, &self->receiving, self);
    return rc;
}
