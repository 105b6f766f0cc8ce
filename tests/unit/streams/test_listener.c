/* SPDX-License-Identifier: MIT */
/*
 * test_listener.c - serving: who runs the handlers, what ends it, and what does not.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/log.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <stdio.h>
#include <string.h>

#include "dummy_listener.h"
#include "scarce.h"

/* One call of anyc_listener_serve, as a task. */
struct server {
    struct dummy_listener dummy;
    anyc_connection_fn handler;
    anyc_task_group *task_group;
    anyc_cancel_scope scope;
    int handled; /* connections that a handler has begun with */
    int ended;   /* and that it has ended */
    int rc;      /* of serve */
};

static int logged;
static int logged_code;
static char logged_message[128];

static void count_log(int code, const char *message, void *arg)
{
    (void)arg;
    logged++;
    logged_code = code;
    snprintf(logged_message, sizeof logged_message, "%s", message);
}

/* -- handlers -- */

static int handle_at_once(anyc_byte_stream *stream, void *arg)
{
    struct server *server = arg;

    server->handled++;
    ck_assert_int_eq(anyc_aclose(stream), 0);
    server->ended++;
    return 0;
}

static int handle_for_ever(anyc_byte_stream *stream, void *arg)
{
    struct server *server = arg;
    int rc;

    server->handled++;
    rc = anyc_sleep_forever();
    ck_assert_int_eq(anyc_aclose(stream), 0);
    server->ended++;
    return rc;
}

static int handle_badly(anyc_byte_stream *stream, void *arg)
{
    struct server *server = arg;

    server->handled++;
    ck_assert_int_eq(anyc_aclose(stream), 0);
    return ANYC_EBROKEN;
}

/* -- serving -- */

static int serve(void *arg)
{
    struct server *server = arg;

    ck_assert_int_eq(anyc_cancel_scope_enter(&server->scope, NULL), 0);
    server->rc =
        anyc_listener_serve(&server->dummy.listener, server->handler, server, server->task_group);
    return anyc_cancel_scope_exit(&server->scope, server->rc) == ANYC_ECANCELLED ? ANYC_ECANCELLED
                                                                                 : 0;
}

static void server_start(struct server *server, anyc_task_group *group, anyc_connection_fn handler,
                         anyc_task_group *task_group)
{
    memset(server, 0, sizeof *server);
    dummy_listener_init(&server->dummy);
    server->handler = handler;
    server->task_group = task_group;
    server->rc = 1;
    logged = 0;
    anyc_set_log_handler(count_log, NULL);
    ck_assert_int_eq(anyc_task_group_enter(group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(group, serve, server, NULL), 0);
}

static void settle(void)
{
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
}

static void server_end(struct server *server, anyc_task_group *group, int expected)
{
    ck_assert_int_eq(anyc_task_group_exit(group, 0), 0);
    ck_assert_int_eq(server->rc, expected);
    ck_assert_int_eq(anyc_aclose(&server->dummy.listener), 0);
}

/* -- the table -- */

static int close_nothing(anyc_resource *resource, bool forcefully)
{
    (void)resource;
    (void)forcefully;
    return 0;
}

static void destroy_nothing(anyc_resource *resource)
{
    (void)resource;
}

static const anyc_listener_ops nothing_ops = {
    .resource = {"nothing", close_nothing, destroy_nothing, anyc_no_attributes},
    .accept = anyc_no_accept,
    .serve = anyc_listener_serve_by_accept,
};

#define REFUSES_WITHOUT(slot)                                               \
    do {                                                                    \
        anyc_listener_ops ops = nothing_ops;                                \
        anyc_listener listener = {.ops = NULL};                             \
                                                                            \
        ops.slot = NULL;                                                    \
        ck_assert_int_eq(anyc_listener_init(&listener, &ops), ANYC_EINVAL); \
        ck_assert(listener.ops == NULL && listener.resource.ops == NULL);   \
    } while (0)

ANYC_TEST(test_listener__refuses_a_table_with_a_slot_missing)
{
    REFUSES_WITHOUT(resource.type);
    REFUSES_WITHOUT(resource.close);
    REFUSES_WITHOUT(resource.destroy);
    REFUSES_WITHOUT(resource.extra);
    REFUSES_WITHOUT(accept);
    REFUSES_WITHOUT(serve);
}

ANYC_TEST(test_listener__an_error_that_is_no_shortage_ends_serving)
{
    anyc_listener listener;
    anyc_byte_stream *stream = NULL;

    ck_assert_int_eq(anyc_listener_init(&listener, &nothing_ops), 0);
    ck_assert_int_eq(anyc_listener_accept(&listener, &stream), -ENOTSUP);
    ck_assert_int_eq(anyc_listener_serve(&listener, handle_at_once, NULL, NULL), -ENOTSUP);
    ck_assert_int_eq(anyc_listener_serve(&listener, NULL, NULL, NULL), ANYC_EINVAL);
    ck_assert_ptr_null(stream);
}

ANYC_TEST(test_listener__accept_answers_a_connection)
{
    struct dummy_listener dummy;
    anyc_byte_stream *stream = NULL;

    dummy_listener_init(&dummy);
    dummy_listener_tell(&dummy, 0);
    dummy_listener_tell(&dummy, -ECONNABORTED);
    ck_assert_int_eq(anyc_listener_accept(&dummy.listener, &stream), 0);
    ck_assert_ptr_eq(stream, &dummy.connections[0].stream);
    ck_assert_int_eq(anyc_listener_accept(&dummy.listener, &stream), -ECONNABORTED);
    ck_assert_int_eq(anyc_aclose(stream), 0);
    ck_assert_int_eq(anyc_aclose(&dummy.listener), 0);
}

/* -- serving -- */

/* NT-R023: it ends by cancellation only, and waits for the handlers of its own group. */
ANYC_TEST(test_listener__handlers_run_in_a_group_that_is_waited_for)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group, handle_for_ever, NULL);
    dummy_listener_tell(&server.dummy, 0);
    dummy_listener_tell(&server.dummy, 0);
    settle();
    ck_assert_int_eq(server.handled, 2);
    ck_assert_int_eq(server.ended, 0);
    ck_assert_int_eq(server.rc, 1);
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_end(&server, &group, ANYC_ECANCELLED);
    ck_assert_int_eq(server.ended, 2);
    ck_assert_int_eq(logged, 0);
}

/* NT-R023 */
ANYC_TEST(test_listener__handlers_run_in_the_group_given)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_group handlers = ANYC_TASK_GROUP_INIT;
    struct server server;

    ck_assert_int_eq(anyc_task_group_enter(&handlers), 0);
    server_start(&server, &group, handle_for_ever, &handlers);
    dummy_listener_tell(&server.dummy, 0);
    settle();
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_end(&server, &group, ANYC_ECANCELLED);
    ck_assert_int_eq(server.handled, 1);
    ck_assert_int_eq(server.ended, 0);
    anyc_task_group_cancel(&handlers, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&handlers, 0), 0);
    ck_assert_int_eq(server.ended, 1);
}

/* NT-R023: AnyIO's rule: the failure is the group's, and so ends the serving. */
ANYC_TEST(test_listener__a_failing_handler_is_logged_and_cancels_its_group)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group, handle_badly, NULL);
    dummy_listener_tell(&server.dummy, 0);
    server_end(&server, &group, ANYC_EBROKEN);
    ck_assert_int_eq(logged, 1);
    ck_assert_int_eq(logged_code, ANYC_EBROKEN);
    ck_assert_ptr_nonnull(strstr(logged_message, anyc_strerror(ANYC_EBROKEN)));
}

ANYC_TEST(test_listener__a_failing_handler_cancels_the_group_given)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group, handle_badly, &group);
    dummy_listener_tell(&server.dummy, 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_EBROKEN);
    ck_assert_int_eq(server.rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_aclose(&server.dummy.listener), 0);
}

/* NT-R023: a connection that is accepted always reaches its handler, or is closed. */
ANYC_TEST(test_listener__a_connection_of_a_cancelled_server_reaches_its_handler)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group, handle_for_ever, NULL);
    settle();
    dummy_listener_tell(&server.dummy, 0);
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_end(&server, &group, ANYC_ECANCELLED);
    ck_assert_int_eq(server.dummy.accepted, 1);
    ck_assert_int_eq(server.ended, 1);
    ck_assert_int_eq(server.dummy.connections[0].state.destroys, 1);
}

/* NT-R023 */
ANYC_TEST(test_listener__a_connection_without_a_task_is_closed)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_group left = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group, handle_at_once, &left);
    dummy_listener_tell(&server.dummy, 0);
    server_end(&server, &group, ANYC_ESTATE);
    ck_assert_int_eq(server.handled, 0);
    ck_assert_int_eq(server.dummy.connections[0].state.destroys, 1);
}

/* NT-R023 */
ANYC_TEST(test_listener__a_connection_that_failed_early_is_passed_over)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group, handle_at_once, NULL);
    dummy_listener_tell(&server.dummy, -ECONNABORTED);
    dummy_listener_tell(&server.dummy, -ECONNABORTED);
    dummy_listener_tell(&server.dummy, 0);
    settle();
    ck_assert_int_eq(server.ended, 1);
    ck_assert_int_eq(logged, 0);
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_end(&server, &group, ANYC_ECANCELLED);
}

/* NT-R023: neither an end nor a spin; one line in the log for each shortage. */
ANYC_TEST_WITH(test_listener__a_shortage_of_descriptors_makes_it_pause, .clock = ANYC_CLOCK_VIRTUAL)
{
    static const int shortages[] = {-EMFILE, -ENFILE, -ENOMEM, -ENOBUFS, 0};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;
    const double *at = server.dummy.accept_at;

    server_start(&server, &group, handle_at_once, NULL);
    for (size_t i = 0; i < sizeof shortages / sizeof shortages[0]; i++)
        dummy_listener_tell(&server.dummy, shortages[i]);
    ck_assert_int_eq(anyc_sleep(3600), 0);
    ck_assert_int_eq(server.ended, 1);
    ck_assert_int_eq(logged, 1);
    dummy_listener_tell(&server.dummy, -EMFILE);
    dummy_listener_tell(&server.dummy, 0);
    ck_assert_int_eq(anyc_sleep(3600), 0);
    ck_assert_int_eq(server.ended, 2);
    ck_assert_int_eq(logged, 2);
    ck_assert_int_eq(logged_code, -EMFILE);
    ck_assert_double_eq_tol(at[1] - at[0], 0.01, 1e-6);
    ck_assert_double_eq_tol(at[2] - at[1], 0.02, 1e-6);
    ck_assert_double_eq_tol(at[3] - at[2], 0.04, 1e-6);
    ck_assert_double_eq_tol(at[4] - at[3], 0.08, 1e-6);
    ck_assert_double_eq_tol(at[6] - at[0], 3600.01, 1e-6);
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_end(&server, &group, ANYC_ECANCELLED);
}

/* A server at its limit is short again after each connection: that is worth one line. */
ANYC_TEST_WITH(test_listener__shortages_that_follow_each_other_are_logged_once,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group, handle_at_once, NULL);
    for (int i = 0; i < 3; i++) {
        dummy_listener_tell(&server.dummy, -EMFILE);
        dummy_listener_tell(&server.dummy, 0);
    }
    ck_assert_int_eq(anyc_sleep(3600), 0);
    ck_assert_int_eq(server.ended, 3);
    ck_assert_int_eq(logged, 1);
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_end(&server, &group, ANYC_ECANCELLED);
}

/* NT-R023: a long shortage ends in pauses of one second; a pause can be cancelled. */
ANYC_TEST_WITH(test_listener__a_pause_can_be_cancelled, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group, handle_at_once, NULL);
    for (int i = 0; i < 8; i++)
        dummy_listener_tell(&server.dummy, -EMFILE);
    ck_assert_int_eq(anyc_sleep(2),
                     0); /* after 0.01 + 0.02 + ... + 0.64 = 1.27: in the 8th pause */
    ck_assert_int_eq(server.dummy.state.calls, 8);
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_end(&server, &group, ANYC_ECANCELLED);
    ck_assert_double_eq_tol(anyc_current_time(), 2, 1e-6);
}

ANYC_TEST(test_listener__closing_it_ends_serving)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group, handle_for_ever, NULL);
    dummy_listener_tell(&server.dummy, 0);
    settle();
    ck_assert_int_eq(anyc_close(&server.dummy.listener), 0);
    server_end(&server, &group, ANYC_ECLOSED);
    ck_assert_int_eq(server.ended, 1);
}

ANYC_TEST(test_listener__it_can_be_freed_while_it_serves)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group, handle_at_once, NULL);
    settle();
    ck_assert_int_eq(anyc_aclose(&server.dummy.listener), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(server.rc, ANYC_ECLOSED);
}

ANYC_TEST_WITH(test_listener__it_can_be_freed_in_a_pause, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group, handle_at_once, NULL);
    dummy_listener_tell(&server.dummy, -EMFILE);
    ck_assert_int_eq(anyc_checkpoint(), 0);
    ck_assert_int_eq(server.dummy.state.calls, 1);
    ck_assert_int_eq(anyc_aclose(&server.dummy.listener), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(server.rc, ANYC_ECLOSED);
}

static int serve_without_memory(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    (void)arg;
    server_start(&server, &group, handle_at_once, NULL);
    dummy_listener_tell(&server.dummy, 0);
    scarce_allow(0);
    settle();
    ck_assert_int_eq(server.dummy.accepted, 1);
    ck_assert_int_eq(server.handled, 0);
    ck_assert_int_eq(server.dummy.connections[0].state.destroys, 1);
    scarce_allow(SCARCE_PLENTY);
    dummy_listener_tell(&server.dummy, 0);
    ck_assert_int_eq(anyc_sleep(0.1), 0);
    ck_assert_int_eq(server.ended, 1);
    ck_assert_int_eq(logged, 1);
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_end(&server, &group, ANYC_ECANCELLED);
    return 0;
}

/* A connection that gets no task for want of memory is closed; serving goes on. */
ANYC_TEST_PLAIN(test_listener__goes_on_after_a_shortage_of_memory)
{
    const anyc_run_options options = {
        .backend = anyc_testing_backend(),
        .clock = ANYC_CLOCK_VIRTUAL,
    };

    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(anyc_run_with(serve_without_memory, NULL, &options), 0);
}

/* Serves with stacks that nobody used before, while all allocations after the first `count` fail.
 * True if the connection got its task. */
static bool serve_on_new_stacks(int count)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_group handlers = ANYC_TASK_GROUP_INIT;
    struct server server;
    bool handled;

    ck_assert_int_eq(anyc_task_group_enter(&handlers), 0);
    ck_assert_int_eq(anyc_task_group_set_stack_size(&handlers, 65536 + 4096 * (size_t)count), 0);
    server_start(&server, &group, handle_at_once, &handlers);
    settle();
    dummy_listener_tell(&server.dummy, 0);
    scarce_allow(count);
    settle();
    scarce_allow(SCARCE_PLENTY);
    handled = server.ended == 1;
    ck_assert_int_eq(server.dummy.connections[0].state.destroys, 1);
    dummy_listener_tell(&server.dummy, 0);
    ck_assert_int_eq(anyc_sleep(0.1), 0);
    ck_assert_int_eq(server.ended, handled ? 2 : 1);
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_end(&server, &group, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_task_group_exit(&handlers, 0), 0);
    return handled;
}

static int serve_without_stacks(void *arg)
{
    int count = 0;

    (void)arg;
    while (!serve_on_new_stacks(count))
        count++;
    ck_assert_int_gt(count, 2); /* the connection's copy, the list of stacks, and their arena */
    return 0;
}

/* NT-R023: neither does a connection for whose task there is no stack end the others. */
ANYC_TEST_PLAIN(test_listener__goes_on_after_a_shortage_of_stacks)
{
    const anyc_run_options options = {
        .backend = anyc_testing_backend(),
        .clock = ANYC_CLOCK_VIRTUAL,
    };

    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(anyc_run_with(serve_without_stacks, NULL, &options), 0);
}
