/* SPDX-License-Identifier: MIT */
/*
 * serve.h - what the listeners that one call of anyc_listener_serve_with serves have in common: the
 * number of their connections, and who waits for one of them to end.
 *
 * A listener takes part by a turn. Before it accepts it waits for room; while it accepts, another
 * listener may take the last place, which ends that accept without a connection. So nothing is
 * taken from the system that has no place, but for what was on its way already; that waits for its
 * place.
 */
#ifndef ANYC_STREAMS_SERVE_H
#define ANYC_STREAMS_SERVE_H

#include <anyc/event.h>
#include <anyc/stream.h>

#include "core/task.h"

/* Invariant: `accepting` is empty while count >= max. */
struct serve_gate {
    size_t max;             /* connections at once; SIZE_MAX: no limit */
    size_t count;           /* connections whose handlers have not ended */
    uint64_t taken;         /* connections ever */
    const anyc_event *stop; /* no more are to be accepted once it is set; NULL: none */
    anyc_list waiting;      /* turns, by `wait`: who was served longest ago comes first */
    anyc_list accepting;    /* turns, by `link`; only if there is a limit */
};

/* Of one listener, on the stack of the task that accepts. */
struct serve_turn {
    struct serve_gate *gate;
    anyc_list link;
    struct task_wait wait;
    anyc_cancel_scope scope; /* around the accept */
    uint64_t last_taken;     /* gate->taken when it took its last connection */
};

/* Shall no more be accepted? */
static inline bool anyc__gate_stopped(const struct serve_gate *gate)
{
    return gate->stop != NULL && anyc_event_is_set(gate->stop);
}

/* A handler has ended: whoever waits tries again. */
void anyc__gate_leave(struct serve_gate *gate);

/* Wait until there is room for a connection. At once, without a checkpoint, if there is. */
int anyc__turn_wait(struct serve_turn *turn);

/* Wait until a handler ends, or for so long: there may be descriptors and memory again. */
int anyc__turn_pause(struct serve_turn *turn, double seconds);

/* Accept. Answers 0 and no stream if others took the last place meanwhile. */
int anyc__turn_accept(struct serve_turn *turn, anyc_listener *listener,
                      anyc_byte_stream **out_stream);

/* The connection has a handler, which will call anyc__gate_leave. */
void anyc__turn_taken(struct serve_turn *turn);

#endif
