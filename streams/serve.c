/* SPDX-License-Identifier: MIT */
/*
 * serve.c - serving with a limit and a graceful end. AnyIO: abc.Listener.serve.
 *
 * The handlers run in one group and the listener in another one within it, so that a stop ends the
 * accepting alone, and the grace period is the deadline of the handlers' group.
 */
#include <anyc/serve.h>

#include "core/error.h"
#include "core/loop.h"
#include "streams/serve.h"

#include <anyc/task.h>

static const struct wait_type room_wait = {"a connection to end", NULL, NULL};
static const struct wait_type shortage_wait = {"descriptors and memory", NULL, NULL};

/* -- the gate -- */

void anyc__gate_leave(struct serve_gate *gate)
{
    anyc_list *node;

    gate->count--;
    while ((node = anyc__list_first(&gate->waiting)) != NULL)
        anyc__wake(ANYC__CONTAINER(node, struct task_wait, link), 0);
}

/* Into the queue: before those that were served later, so that under a limit all get their turn. */
static void turn_queue(struct serve_turn *turn)
{
    anyc_list *waiting = &turn->gate->waiting;
    anyc_list *node = anyc__list_first(waiting);

    while (node != NULL &&
           ANYC__CONTAINER(node, struct serve_turn, wait.link)->last_taken <= turn->last_taken)
        node = anyc__list_after(waiting, node);
    anyc__list_push(node != NULL ? node : waiting, &turn->wait.link);
}

int anyc__turn_wait(struct serve_turn *turn)
{
    int rc = 0;

    while (rc >= 0 && turn->gate->count >= turn->gate->max) {
        turn_queue(turn);
        rc = anyc__wait(&turn->wait, &room_wait, turn->gate);
    }
    return rc;
}

int anyc__turn_pause(struct serve_turn *turn, double seconds)
{
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    turn_queue(turn);
    rc = anyc__wait_until(&turn->wait, &shortage_wait, turn->gate,
                          anyc__deadline_after(task->loop, seconds));
    return rc == ANYC_ETIMEDOUT ? 0 : rc;
}

int anyc__turn_accept(struct serve_turn *turn, anyc_listener *listener,
                      anyc_byte_stream **out_stream)
{
    int rc;

    if (turn->gate->max == SIZE_MAX)
        return anyc_listener_accept(listener, out_stream);
    rc = anyc_cancel_scope_enter(&turn->scope, NULL);
    if (rc < 0)
        return rc;
    anyc__list_push(&turn->gate->accepting, &turn->link);
    rc = anyc_listener_accept(listener, out_stream);
    if (anyc__list_linked(&turn->link))
        anyc__list_remove(&turn->link);
    return anyc_cancel_scope_exit(&turn->scope, rc);
}

void anyc__turn_taken(struct serve_turn *turn)
{
    struct serve_gate *gate = turn->gate;
    anyc_list *node;

    gate->count++;
    turn->last_taken = ++gate->taken;
    if (gate->count < gate->max)
        return;
    while ((node = anyc__list_pop(&gate->accepting)) != NULL)
        anyc_cancel_scope_cancel(&ANYC__CONTAINER(node, struct serve_turn, link)->scope,
                                 "there are as many connections as there may be");
}

/* -- serving -- */

/* Waits for the stop, as a task beside the accepting. */
struct serve_stopper {
    anyc_event *stop;
    anyc_task_group *accepting;
};

static int stopper_task(void *arg)
{
    const struct serve_stopper *stopper = arg;
    int rc = anyc_event_wait(stopper->stop);

    if (rc == 0)
        anyc_task_group_cancel(stopper->accepting, "the server is being stopped");
    return rc;
}

/* Accept until the stop: 0 then, also if the listener was closed for it. */
static int serve_until_stopped(anyc_listener *listener, const anyc_serving *serving,
                               anyc_event *stop)
{
    anyc_task_group accepting = ANYC_TASK_GROUP_INIT;
    struct serve_stopper stopper = {stop, &accepting};
    int rc = anyc_task_group_enter(&accepting);

    if (rc < 0)
        return rc;
    rc = anyc_task_group_start_soon(&accepting, stopper_task, &stopper, NULL);
    if (rc >= 0)
        rc = anyc_listener_serve_inner(listener, serving);
    if (rc >= 0)
        anyc_task_group_cancel(&accepting, NULL); /* the stopper, that is */
    rc = anyc_task_group_exit(&accepting, rc);
    return rc == ANYC_ECLOSED && anyc_event_is_set(stop) ? 0 : rc;
}

static int serve_check(anyc_connection_fn handler, const anyc_serve_options *options)
{
    if (handler == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a listener needs a handler for its connections");
    if (!(options->grace_seconds >= 0))
        return anyc__fail(ANYC_EINVAL, 0, "a grace period is a number of seconds, 0 or more");
    return 0;
}

/* Leave the handlers' group. After a stop they have the grace period. */
static int serve_finish(const struct serve_gate *gate, anyc_task_group *handlers, int rc,
                        double grace_seconds)
{
    anyc_cancel_scope *scope = anyc_task_group_cancel_scope(handlers);
    bool graceful = rc == 0 && anyc__gate_stopped(gate) && gate->count > 0;

    if (graceful)
        rc = anyc_cancel_scope_set_deadline(scope, anyc_current_time() + grace_seconds);
    rc = anyc_task_group_exit(handlers, rc);
    if (rc == 0 && graceful && anyc_cancel_scope_cancel_called(scope))
        rc = anyc__fail(ANYC_ETIMEDOUT, 0, "the grace period was too short for some connections");
    return rc;
}

int anyc_listener_serve_with(anyc_listener *listener, anyc_connection_fn handler, void *arg,
                             const anyc_serve_options *options)
{
    static const anyc_serve_options defaults;
    const anyc_serve_options *chosen = options != NULL ? options : &defaults;
    struct serve_gate gate = {
        .max = chosen->max_connections > 0 ? chosen->max_connections : SIZE_MAX,
        .stop = chosen->stop,
    };
    anyc_task_group handlers = ANYC_TASK_GROUP_INIT;
    anyc_serving serving = {handler, arg, &handlers, &gate};
    anyc_task *task;
    int rc = serve_check(handler, chosen);

    if (rc == 0)
        rc = anyc__enter(&task);
    if (rc == 0)
        rc = anyc_task_group_enter(&handlers);
    if (rc < 0)
        return rc;
    if (chosen->stop != NULL)
        rc = serve_until_stopped(listener, &serving, chosen->stop);
    else
        rc = anyc_listener_serve_inner(listener, &serving);
    return serve_finish(&gate, &handlers, rc, chosen->grace_seconds);
}
