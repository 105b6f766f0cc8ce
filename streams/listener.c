/* SPDX-License-Identifier: MIT */
/*
 * listener.c - serve connections: accept for ever, one task for each. AnyIO: abc.Listener.
 */
#include <anyc/stream.h>

#include "core/error.h"
#include "core/list.h"
#include "streams/stream.h"

#include <anyc/loop.h>

#define PAUSE_FIRST 0.01 /* seconds, after the first accept that found a shortage */
#define PAUSE_LONGEST 1.0

/* One connection, copied into its task. */
struct listener_connection {
    anyc_connection_fn handler;
    void *arg;
    anyc_byte_stream *stream;
};

/* One call of anyc_listener_serve_by_accept, on its stack, linked into listener->serving. */
struct listener_call {
    anyc_list link;
    anyc_listener *listener; /* NULL once it was freed */
    anyc_connection_fn handler;
    void *arg;
    anyc_task_group *task_group;
    double pause; /* the last one, seconds; 0: there is no shortage */
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

/* Wait until there may be descriptors and memory again. */
static int listener_pause(struct listener_call *call, int rc)
{
    if (call->pause == 0) {
        anyc__log(rc, "%s: cannot accept now, trying again: %s", call->listener->resource.ops->type,
                  anyc_strerror(rc));
        call->pause = PAUSE_FIRST;
    } else if (call->pause < PAUSE_LONGEST) {
        call->pause *= 2;
    }
    return anyc_sleep(call->pause < PAUSE_LONGEST ? call->pause : PAUSE_LONGEST);
}

/* Accept one connection and start its task. */
static int listener_serve_one(struct listener_call *call)
{
    struct listener_connection connection = {call->handler, call->arg, NULL};
    int rc = call->listener->ops->accept(call->listener, &connection.stream);

    if (rc < 0)
        return rc;
    rc = anyc_task_group_start_soon_copy(call->task_group, listener_handle, &connection,
                                         sizeof connection, NULL);
    if (rc < 0)
        anyc_aclose_forcefully(connection.stream);
    return rc;
}

static int listener_serve_for_ever(struct listener_call *call)
{
    int rc = 0;

    anyc__list_push(&call->listener->serving, &call->link);
    while (rc >= 0 && call->listener != NULL) {
        rc = listener_serve_one(call);
        if (rc >= 0)
            call->pause = 0;
        else if (call->listener == NULL)
            break;
        else if (listener_is_short(rc))
            rc = listener_pause(call, rc);
        else if (listener_passes_over(rc))
            rc = 0;
    }
    if (call->listener != NULL)
        anyc__list_remove(&call->link);
    return rc < 0 ? rc : anyc__fail_plain(ANYC_ECLOSED);
}

int anyc_listener_serve_by_accept(anyc_listener *listener, anyc_connection_fn handler, void *arg,
                                  anyc_task_group *task_group)
{
    anyc_task_group own = ANYC_TASK_GROUP_INIT;
    struct listener_call call = {
        .listener = listener,
        .handler = handler,
        .arg = arg,
        .task_group = task_group != NULL ? task_group : &own,
    };
    int rc = 0;

    if (task_group == NULL)
        rc = anyc_task_group_enter(&own);
    if (rc < 0)
        return rc;
    rc = listener_serve_for_ever(&call);
    if (task_group == NULL)
        rc = anyc_task_group_exit(&own, rc);
    return rc;
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
    if (handler == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a listener needs a handler for its connections");
    return listener->ops->serve(listener, handler, arg, task_group);
}
