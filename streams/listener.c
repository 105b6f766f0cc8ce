/* SPDX-License-Identifier: MIT */
/*
 * listener.c - serve connections: accept for ever, one task for each. AnyIO: abc.Listener.
 */
#include <anyc/stream.h>

#include "core/error.h"
#include "core/list.h"
#include "streams/serve.h"
#include "streams/stream.h"

#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/serve.h>

#define PAUSE_FIRST 0.01 /* seconds, after the first accept that found a shortage */
#define PAUSE_LONGEST 1.0
#define LOG_INTERVAL 1.0    /* seconds between two lines about shortages, at least */
#define ACCEPTS_IN_A_ROW 16 /* of one listener, before other tasks get their turn */

/* One connection, copied into its task. */
struct listener_connection {
    anyc_connection_fn handler;
    void *arg;
    anyc_byte_stream *stream;
    struct serve_gate *gate; /* that counts it, or NULL */
};

/* One call of anyc_listener_serve_by_accept, on its stack, linked into listener->serving. */
struct listener_call {
    anyc_list link;
    anyc_listener *listener; /* NULL once it was freed */
    const anyc_serving *serving;
    struct serve_turn turn;
    double pause;     /* the last one, seconds; 0: there is no shortage */
    double log_after; /* no line in the log before this time */
    int in_a_row;     /* connections since others had their turn */
};

int anyc_no_accept(anyc_listener *listener, anyc_byte_stream **out_stream)
{
    (void)out_stream;
    return anyc__fail(-ENOTSUP, 0, "%s: this listener only serves", listener->resource.ops->type);
}

static int listener_handle(void *arg)
{
    const struct listener_connection *connection = arg;
    int rc = connection->handler(connection->stream, connection->arg);

    if (rc < 0 && rc != ANYC_ECANCELLED) {
        const anyc_error *error = anyc_last_error();

        anyc__log(rc, "a connection handler failed: %s",
                  error->code == rc ? error->message : anyc_strerror(rc));
    }
    if (connection->gate != NULL)
        anyc__gate_leave(connection->gate);
    return rc;
}

/* One bad connection: the next may be good. */
static bool listener_passes_over(int rc)
{
    switch (-rc) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN: /* Linux reports the new socket's pending errors, see accept(2) */
    case ENETUNREACH:
    case EHOSTUNREACH:
        return true;
    default:
        return false;
    }
}

static bool listener_is_short(int rc)
{
    return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOBUFS;
}

static void listener_log_shortage(struct listener_call *call, int rc)
{
    double now = anyc_current_time();

    if (now < call->log_after)
        return;
    call->log_after = now + LOG_INTERVAL;
    anyc__log(rc, "%s: cannot accept now, trying again: %s", call->listener->resource.ops->type,
              anyc_strerror(rc));
}

/* Wait until there may be descriptors and memory again. */
static int listener_pause(struct listener_call *call, int rc)
{
    if (call->pause == 0) {
        listener_log_shortage(call, rc);
        call->pause = PAUSE_FIRST;
    } else if (call->pause < PAUSE_LONGEST) {
        call->pause *= 2;
    }
    return anyc__turn_pause(&call->turn, call->pause < PAUSE_LONGEST ? call->pause : PAUSE_LONGEST);
}

/* Start the task of a connection, which belongs to it then. */
static int listener_hand_over(struct listener_call *call, anyc_byte_stream *stream)
{
    const anyc_serving *serving = call->serving;
    struct listener_connection connection = {serving->handler, serving->arg, stream, serving->gate};
    int rc = anyc__group_start_certain(ANYC_ORIGIN_("listener_handle"), serving->task_group,
                                       listener_handle, &connection, sizeof connection, NULL);

    if (rc >= 0 && serving->gate != NULL)
        anyc__turn_taken(&call->turn);
    return rc;
}

/* After so many connections without a wait, let the other listeners have theirs. */
static int listener_rest(struct listener_call *call)
{
    call->in_a_row++;
    if (call->in_a_row < ACCEPTS_IN_A_ROW)
        return 0;
    call->in_a_row = 0;
    return anyc_checkpoint();
}

/* Accept one connection and start its task, when there is room for it. */
static int listener_serve_one(struct listener_call *call)
{
    anyc_byte_stream *stream = NULL;
    int rc = anyc__turn_wait(&call->turn);

    if (rc < 0 || call->listener == NULL)
        return rc;
    rc = anyc__turn_accept(&call->turn, call->listener, &stream);
    if (rc < 0 || stream == NULL)
        return rc;
    rc = anyc__turn_wait(&call->turn); /* it was on its way when others took the last place */
    if (rc >= 0)
        rc = listener_hand_over(call, stream);
    if (rc < 0) {
        anyc_aclose_forcefully(stream);
        return rc;
    }
    call->pause = 0;
    return listener_rest(call);
}

static int listener_serve_for_ever(struct listener_call *call)
{
    const struct serve_gate *gate = call->turn.gate;
    int rc = 0;

    anyc__list_push(&call->listener->serving, &call->link);
    while (rc >= 0 && call->listener != NULL && !anyc__gate_stopped(gate)) {
        rc = listener_serve_one(call);
        if (rc >= 0 || call->listener == NULL)
            continue;
        if (listener_is_short(rc))
            rc = listener_pause(call, rc);
        else if (listener_passes_over(rc))
            rc = 0;
    }
    if (call->listener != NULL)
        anyc__list_remove(&call->link);
    if (rc >= 0 && !anyc__gate_stopped(gate))
        rc = anyc__fail_plain(ANYC_ECLOSED);
    return rc < 0 ? rc : 0;
}

int anyc_listener_serve_by_accept(anyc_listener *listener, const anyc_serving *serving)
{
    struct serve_gate open = {.max = SIZE_MAX}; /* for handlers in a group that others may use */
    struct listener_call call = {
        .listener = listener,
        .serving = serving,
        .turn = {.gate = serving->gate != NULL ? serving->gate : &open},
    };

    return listener_serve_for_ever(&call);
}

int anyc_listener_serve_inner(anyc_listener *listener, const anyc_serving *serving)
{
    return listener->ops->serve(listener, serving);
}

int anyc_listener_init(anyc_listener *listener, const anyc_listener_ops *ops)
{
    if (!anyc__stream_resource_complete(&ops->resource) || ops->accept == NULL ||
        ops->serve == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a slot of the listener's table is missing");
    *listener = (anyc_listener){.resource = {&ops->resource}, .ops = ops};
    return 0;
}

void anyc_listener_deinit(anyc_listener *listener)
{
    struct listener_call *call;
    anyc_list calls;

    anyc__list_move(&calls, &listener->serving);
    while (!anyc__list_empty(&calls)) {
        call = ANYC__CONTAINER(calls.next, struct listener_call, link);
        call->listener = NULL;
        anyc__list_remove(&call->link);
    }
}

int anyc_listener_accept(anyc_listener *listener, anyc_byte_stream **out_stream)
{
    return listener->ops->accept(listener, out_stream);
}

int anyc_listener_serve(anyc_listener *listener, anyc_connection_fn handler, void *arg,
                        anyc_task_group *task_group)
{
    const anyc_serving serving = {.handler = handler, .arg = arg, .task_group = task_group};

    if (task_group == NULL)
        return anyc_listener_serve_with(listener, handler, arg, NULL);
    if (handler == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a listener needs a handler for its connections");
    return anyc_listener_serve_inner(listener, &serving);
}
