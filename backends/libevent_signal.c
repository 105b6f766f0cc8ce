/* SPDX-License-Identifier: MIT */
/*
 * libevent_signal.c - the signals of the libevent adapter: one event for each number.
 *
 * libevent delivers signals to one base in a process, the one that looked for events last, so a
 * second loop with signals at the same time would take them away from the first: it is refused.
 */
#include "backends/libevent.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

struct libevent_signal {
    struct event event;
    anyc_loop *loop;
    struct libevent_signal *next; /* in state->signals */
};

/* The loop that receives signals, or NULL. */
static _Atomic(struct libevent_loop *) libevent_signal_owner;

static void libevent_on_signal(evutil_socket_t signum, short what, void *arg)
{
    struct libevent_signal *signal = arg;

    (void)what;
    anyc_backend_signal(signal->loop, (int)signum);
}

/* Makes this loop the one that receives signals: -EBUSY if another one is. */
static int libevent_own_signals(struct libevent_loop *state)
{
    struct libevent_loop *owner = NULL;

    if (atomic_compare_exchange_strong(&libevent_signal_owner, &owner, state) || owner == state)
        return 0;
    return -EBUSY;
}

static void libevent_disown_signals(struct libevent_loop *state)
{
    if (state->signals == NULL)
        atomic_store(&libevent_signal_owner, NULL);
}

int anyc__libevent_signal_start(anyc_loop *loop, int signum)
{
    struct libevent_loop *state = anyc_backend_state(loop);
    struct libevent_signal *signal;
    struct sigaction action;
    int rc;

    /* libevent would print that it cannot catch it */
    if (signum == SIGKILL || signum == SIGSTOP || sigaction(signum, NULL, &action) < 0)
        return -EINVAL;
    rc = libevent_own_signals(state);
    if (rc < 0)
        return rc;
    signal = anyc_backend_realloc(NULL, sizeof *signal);
    rc = -ENOMEM;
    if (signal != NULL) {
        signal->loop = loop;
        event_assign(&signal->event, state->base, signum, EV_SIGNAL | EV_PERSIST,
                     libevent_on_signal, signal);
        rc = anyc__libevent_add(state, &signal->event);
    }
    if (rc == 0) {
        signal->next = state->signals;
        state->signals = signal;
    } else {
        anyc_backend_realloc(signal, 0);
        libevent_disown_signals(state);
    }
    return rc;
}

void anyc__libevent_signal_stop(anyc_loop *loop, int signum)
{
    struct libevent_loop *state = anyc_backend_state(loop);
    struct libevent_signal **link = &state->signals;
    struct libevent_signal *signal;

    while (*link != NULL && event_get_signal(&(*link)->event) != signum)
        link = &(*link)->next;
    signal = *link;
    if (signal == NULL)
        return;
    *link = signal->next;
    anyc__libevent_del(state, &signal->event);
    event_debug_unassign(&signal->event);
    anyc_backend_realloc(signal, 0);
    libevent_disown_signals(state);
}
