/* SPDX-License-Identifier: MIT */
/*
 * signal_host_libevent.c - a host with an event_base and an event for a signal.
 */
#include "signal_host.h"

#include <check.h>
#include <event2/event.h>

#include <signal.h>
#include <stdlib.h>

struct event_host {
    struct signal_host host;
    struct event_base *base;
    struct event *event;
};

static void event_host_on_signal(evutil_socket_t signum, short what, void *arg)
{
    struct event_host *self = arg;

    (void)what;
    self->host.heard += signum == SIGUSR1;
}

static struct signal_host *event_host_open(void)
{
    struct event_host *self = calloc(1, sizeof *self);

    ck_assert_ptr_nonnull(self);
    self->base = event_base_new();
    ck_assert_ptr_nonnull(self->base);
    self->event = evsignal_new(self->base, SIGUSR1, event_host_on_signal, self);
    ck_assert_ptr_nonnull(self->event);
    return &self->host;
}

static void *event_host_loop(struct signal_host *host)
{
    return ((struct event_host *)host)->base;
}

static void event_host_start(struct signal_host *host)
{
    ck_assert_int_eq(event_add(((struct event_host *)host)->event, NULL), 0);
}

static void event_host_stop(struct signal_host *host)
{
    ck_assert_int_eq(event_del(((struct event_host *)host)->event), 0);
}

static void event_host_close(struct signal_host *host)
{
    struct event_host *self = (struct event_host *)host;

    event_free(self->event);
    ck_assert_int_eq(event_base_get_num_events(self->base, EVENT_BASE_COUNT_ADDED), 0);
    event_base_free(self->base);
    free(self);
}

const struct signal_host_type signal_host_libevent = {
    .backend = "libevent",
    .open = event_host_open,
    .loop = event_host_loop,
    .start = event_host_start,
    .stop = event_host_stop,
    .close = event_host_close,
};
