/* SPDX-License-Identifier: MIT */
/*
 * test_serve.c - serving with a limit of connections and a graceful end, over listeners that accept
 * what the test tells them to.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/event.h>
#include <anyc/log.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/serve.h>
#include <anyc/stapled_stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include <math.h>
#include <string.h>

#include "dummy_listener.h"
#include "scarce.h"

/* Listeners A and B behind a multi-listener, and a task that serves A or all. Each handler waits
 * until the test ends its connection. */
struct server {
    struct dummy_listener dummies[2];
    anyc_listener *multi;
    anyc_listener *served;
    anyc_serve_options options;
    anyc_event stop;
    anyc_event ends[2][DUMMY_CONNECTIONS];
    char order[8]; /* of the connections that handlers began with: "AAB" */
    int ended;     /* handlers that came to their end */
    int cut;       /* handlers that were cancelled */
    int fails;     /* what the handlers answer; 0: how their wait ended */
    anyc_cancel_scope scope;
    int rc; /* of serve; 1: it has not ended */
    double ended_at;
};

static int handle(anyc_byte_stream *stream, void *arg)
{
    struct server *server = arg;
    struct dummy_bytes *connection = (struct dummy_bytes *)(void *)stream;
    int member = connection >= server->dummies[1].connections &&
                 connection < server->dummies[1].connections + DUMMY_CONNECTIONS;
    ptrdiff_t index = connection - server->dummies[member].connections;
    int rc;

    ck_assert_uint_lt(strlen(server->order), sizeof server->order - 1);
    server->order[strlen(server->order)] = (char)('A' + member);
    rc = anyc_event_wait(&server->ends[member][index]);
    if (rc == 0)
        server->ended++;
    else
        server->cut++;
    ck_assert_int_eq(anyc_aclose(stream), 0);
    return rc == 0 ? server->fails : rc;
}

static int serve(void *arg)
{
    struct server *server = arg;

    ck_assert_int_eq(anyc_cancel_scope_enter(&server->scope, NULL), 0);
    server->rc = anyc_listener_serve_with(server->served, handle, server, &server->options);
    server->ended_at = anyc_current_time();
    ck_assert_int_le(anyc_cancel_scope_exit(&server->scope, server->rc), 0);
    return 0;
}

static void ignore_log(int code, const char *message, void *arg)
{
    (void)code;
    (void)message;
    (void)arg;
}

static void server_open(struct server *server, size_t max_connections)
{
    anyc_listener *members[2];

    anyc_set_log_handler(ignore_log, NULL);
    memset(server, 0, sizeof *server);
    for (int i = 0; i < 2; i++) {
        dummy_listener_init(&server->dummies[i]);
        members[i] = &server->dummies[i].listener;
    }
    ck_assert_int_eq(anyc_multi_listener_create(members, 2, &server->multi), 0);
    server->served = members[0];
    server->options.max_connections = max_connections;
    server->options.stop = &server->stop;
    server->rc = 1;
}

static void settle(void)
{
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
}

static void server_start(struct server *server, anyc_task_group *group)
{
    ck_assert_int_eq(anyc_task_group_enter(group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(group, serve, server, NULL), 0);
    settle();
}

/* A connection for listener A (0) or B (1). */
static void server_connect(struct server *server, int member)
{
    dummy_listener_tell(&server->dummies[member], 0);
}

static void server_hang_up(struct server *server, int member, int index)
{
    anyc_event_set(&server->ends[member][index]);
    settle();
}

/* Wait for the end of serving. Whatever it was, each connection has been closed once. */
static void server_finish(struct server *server, anyc_task_group *group, int expected)
{
    ck_assert_int_eq(anyc_task_group_exit(group, 0), 0);
    ck_assert_int_eq(server->rc, expected);
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < server->dummies[i].accepted; j++)
            ck_assert_int_eq(server->dummies[i].connections[j].state.destroys, 1);
    }
    ck_assert_int_eq(anyc_aclose(server->multi), 0);
}

/* -- the limit -- */

ANYC_TEST(test_serve__takes_no_more_connections_than_it_may)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server, 2);
    server_start(&server, &group);
    for (int i = 0; i < 3; i++)
        server_connect(&server, 0);
    settle();
    ck_assert_str_eq(server.order, "AA");
    ck_assert_int_eq(server.dummies[0].state.calls, 2); /* it does not even try */
    server_hang_up(&server, 0, 1);
    ck_assert_str_eq(server.order, "AAA");
    ck_assert_int_eq(server.dummies[0].accepted, 3);
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_finish(&server, &group, ANYC_ECANCELLED);
    ck_assert_int_eq(server.cut, 2);
}

ANYC_TEST(test_serve__the_limit_is_that_of_all_members_together)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server, 1);
    server.served = server.multi;
    server.options.grace_seconds = INFINITY;
    server_start(&server, &group);
    ck_assert_int_eq(server.dummies[1].state.calls, 1);
    server_connect(&server, 0);
    settle();
    server_connect(&server, 1); /* its accept has been given up */
    settle();
    ck_assert_str_eq(server.order, "A");
    ck_assert_int_eq(server.dummies[1].accepted, 0);
    server_hang_up(&server, 0, 0);
    ck_assert_str_eq(server.order, "AB");
    anyc_event_set(&server.stop);
    server_hang_up(&server, 1, 0);
    server_finish(&server, &group, 0);
}

/* A always has another client, and yet B is served. */
ANYC_TEST(test_serve__members_take_turns_under_the_limit)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server, 1);
    server.served = server.multi;
    server_start(&server, &group);
    for (int i = 0; i < 3; i++)
        server_connect(&server, 0);
    settle();
    server_connect(&server, 1);
    server_connect(&server, 1);
    server_hang_up(&server, 0, 0);
    server_hang_up(&server, 1, 0);
    server_hang_up(&server, 0, 1);
    server_hang_up(&server, 1, 1);
    ck_assert_str_eq(server.order, "ABABA");
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_finish(&server, &group, ANYC_ECANCELLED);
}

/* Both members are woken at once, for one place: B has taken its connection by then. */
static void take_one_too_many(struct server *server, anyc_task_group *group)
{
    server_open(server, 1);
    server->served = server->multi;
    server_start(server, group);
    server_connect(server, 0);
    server_connect(server, 1);
    settle();
    ck_assert_str_eq(server->order, "A");
    ck_assert_int_eq(server->dummies[1].accepted, 1);
}

ANYC_TEST(test_serve__a_connection_on_its_way_waits_for_a_place)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    take_one_too_many(&server, &group);
    server_hang_up(&server, 0, 0);
    ck_assert_str_eq(server.order, "AB");
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_finish(&server, &group, ANYC_ECANCELLED);
}

ANYC_TEST(test_serve__a_connection_without_a_place_is_closed_at_the_end)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    take_one_too_many(&server, &group);
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_finish(&server, &group, ANYC_ECANCELLED);
    ck_assert_str_eq(server.order, "A");
}

ANYC_TEST(test_serve__a_connection_without_a_place_is_closed_at_the_stop)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    take_one_too_many(&server, &group);
    anyc_event_set(&server.stop);
    server_finish(&server, &group, ANYC_ETIMEDOUT);
    ck_assert_str_eq(server.order, "A");
}

ANYC_TEST(test_serve__can_be_freed_while_it_is_full)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server, 1);
    server_start(&server, &group);
    server_connect(&server, 0);
    settle();
    ck_assert_int_eq(anyc_aclose(server.multi), 0);
    server_hang_up(&server, 0, 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(server.rc, ANYC_ECLOSED);
    ck_assert_int_eq(server.ended, 1);
}

/* -- shortages -- */

/* NT-R023: who ends gives a descriptor back, so there is no need to sit the pause out. */
ANYC_TEST_WITH(test_serve__the_end_of_a_connection_ends_a_pause, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;
    double before;

    server_open(&server, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, serve, &server, NULL), 0);
    server_connect(&server, 0);
    for (int i = 0; i < 5; i++)
        dummy_listener_tell(&server.dummies[0], -EMFILE);
    server_connect(&server, 0);
    ck_assert_int_eq(anyc_sleep(0.2), 0); /* after 0.01 + ... + 0.08 = 0.15: in the 5th pause */
    ck_assert_str_eq(server.order, "A");
    before = anyc_current_time();
    server_hang_up(&server, 0, 0);
    ck_assert_str_eq(server.order, "AA");
    ck_assert_double_eq_tol(anyc_current_time(), before, 1e-6);
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_finish(&server, &group, ANYC_ECANCELLED);
}

ANYC_TEST_WITH(test_serve__a_stop_ends_a_pause, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server, 0);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, serve, &server, NULL), 0);
    for (int i = 0; i < 6; i++)
        dummy_listener_tell(&server.dummies[0], -EMFILE);
    ck_assert_int_eq(anyc_sleep(0.5), 0);
    anyc_event_set(&server.stop);
    server_finish(&server, &group, 0);
    ck_assert_double_eq_tol(anyc_current_time(), server.ended_at, 1e-6);
}

/* -- the stop -- */

ANYC_TEST(test_serve__a_stop_lets_the_handlers_end)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server, 0);
    server.options.grace_seconds = INFINITY;
    server_start(&server, &group);
    server_connect(&server, 0);
    server_connect(&server, 0);
    settle();
    anyc_event_set(&server.stop);
    settle();
    server_connect(&server, 0);
    settle();
    ck_assert_str_eq(server.order, "AA");
    ck_assert_int_eq(server.rc, 1);
    ck_assert(!server.dummies[0].state.closed);
    server_hang_up(&server, 0, 0);
    ck_assert_int_eq(server.rc, 1);
    server_hang_up(&server, 0, 1);
    server_finish(&server, &group, 0);
    ck_assert_int_eq(server.ended, 2);
}

ANYC_TEST_WITH(test_serve__cancels_the_handlers_after_the_grace_period, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;
    double before;

    server_open(&server, 0);
    server.options.grace_seconds = 5;
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, serve, &server, NULL), 0);
    server_connect(&server, 0);
    server_connect(&server, 0);
    ck_assert_int_eq(anyc_sleep(1), 0);
    before = anyc_current_time();
    anyc_event_set(&server.stop);
    anyc_event_set(&server.ends[0][1]);
    server_finish(&server, &group, ANYC_ETIMEDOUT);
    ck_assert_double_eq_tol(server.ended_at - before, 5, 1e-6);
    ck_assert_int_eq(server.ended, 1);
    ck_assert_int_eq(server.cut, 1);
}

ANYC_TEST(test_serve__without_a_grace_period_cancels_the_handlers_at_once)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server, 0);
    server_start(&server, &group);
    server_connect(&server, 0);
    settle();
    anyc_event_set(&server.stop);
    server_finish(&server, &group, ANYC_ETIMEDOUT);
    ck_assert_int_eq(server.cut, 1);
}

ANYC_TEST(test_serve__a_stop_without_connections_is_a_success)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server, 0);
    server.served = server.multi;
    server_start(&server, &group);
    anyc_event_set(&server.stop);
    server_finish(&server, &group, 0);
}

ANYC_TEST(test_serve__accepts_nothing_when_it_was_stopped_before)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server, 0);
    server.served = server.multi;
    server_connect(&server, 0);
    anyc_event_set(&server.stop);
    server_start(&server, &group);
    server_finish(&server, &group, 0);
    ck_assert_int_eq(server.dummies[0].state.calls, 0);
}

/* Closing refuses newcomers during the grace period; it does not matter what comes first. */
ANYC_TEST(test_serve__the_listener_may_be_closed_together_with_the_stop)
{
    for (int first = 0; first < 2; first++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        struct server server;

        server_open(&server, 0);
        server.served = server.multi;
        server.options.grace_seconds = INFINITY;
        server_start(&server, &group);
        server_connect(&server, 1);
        settle();
        if (first == 0)
            anyc_event_set(&server.stop);
        ck_assert_int_eq(anyc_close(server.multi), 0);
        anyc_event_set(&server.stop);
        settle();
        server_hang_up(&server, 1, 0);
        server_finish(&server, &group, 0);
        ck_assert_int_eq(server.ended, 1);
    }
}

ANYC_TEST(test_serve__a_handler_that_fails_after_the_stop_ends_the_others)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server, 0);
    server.options.grace_seconds = INFINITY;
    server.fails = ANYC_EBROKEN;
    server_start(&server, &group);
    server_connect(&server, 0);
    server_connect(&server, 0);
    settle();
    anyc_event_set(&server.stop);
    settle();
    anyc_event_set(&server.ends[0][0]);
    server_finish(&server, &group, ANYC_EBROKEN);
    ck_assert_int_eq(server.cut, 1);
}

/* -- cancellation -- */

ANYC_TEST(test_serve__a_cancellation_ends_the_grace_period)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server, 0);
    server.options.grace_seconds = INFINITY;
    server_start(&server, &group);
    server_connect(&server, 0);
    settle();
    anyc_event_set(&server.stop);
    settle();
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_finish(&server, &group, ANYC_ECANCELLED);
    ck_assert_int_eq(server.cut, 1);
}

/* Together with the stop the cancellation has the last word. */
ANYC_TEST(test_serve__a_cancellation_counts_more_than_a_stop)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server, 0);
    server.options.grace_seconds = INFINITY;
    server_start(&server, &group);
    server_connect(&server, 0);
    settle();
    anyc_event_set(&server.stop);
    anyc_cancel_scope_cancel(&server.scope, NULL);
    server_finish(&server, &group, ANYC_ECANCELLED);
    ck_assert_int_eq(server.cut, 1);
}

/* Cancelled after `steps` turns of the scheduler, from before it begins until it waits. */
ANYC_TEST(test_serve__can_be_cancelled_at_any_step)
{
    for (int steps = 0; steps < 12; steps++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        struct server server;

        server_open(&server, 1);
        server.served = server.multi;
        server_connect(&server, 0);
        server_connect(&server, 1);
        ck_assert_int_eq(anyc_task_group_enter(&group), 0);
        ck_assert_int_eq(anyc_task_group_start_soon(&group, serve, &server, NULL), 0);
        for (int i = 0; i < steps; i++)
            ck_assert_int_eq(anyc_checkpoint(), 0);
        anyc_task_group_cancel(&group, NULL);
        server_finish(&server, &group, ANYC_ECANCELLED);
    }
}

/* The same with the stop. */
ANYC_TEST(test_serve__can_be_stopped_at_any_step)
{
    for (int steps = 0; steps < 12; steps++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        struct server server;

        server_open(&server, 1);
        server.served = server.multi;
        server.options.grace_seconds = INFINITY;
        server_connect(&server, 0);
        server_connect(&server, 1);
        ck_assert_int_eq(anyc_task_group_enter(&group), 0);
        ck_assert_int_eq(anyc_task_group_start_soon(&group, serve, &server, NULL), 0);
        for (int i = 0; i < steps; i++)
            ck_assert_int_eq(anyc_checkpoint(), 0);
        anyc_event_set(&server.stop);
        settle();
        server_hang_up(&server, 0, 0);
        server_hang_up(&server, 1, 0);
        server_finish(&server, &group, 0);
        ck_assert_int_eq(server.cut, 0);
    }
}

/* -- use -- */

ANYC_TEST(test_serve__refuses_bad_arguments)
{
    const anyc_serve_options bad[] = {{.grace_seconds = -1}, {.grace_seconds = NAN}};
    struct server server;

    server_open(&server, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(anyc_listener_serve_with(server.multi, handle, NULL, &bad[i]),
                         ANYC_EINVAL);
    ck_assert_int_eq(anyc_listener_serve_with(server.multi, NULL, NULL, NULL), ANYC_EINVAL);
    ck_assert_int_eq(server.dummies[0].state.calls, 0);
    ck_assert_int_eq(anyc_aclose(server.multi), 0);
}

ANYC_TEST_PLAIN(test_serve__needs_a_loop)
{
    struct server server;

    server_open(&server, 0);
    ck_assert_int_eq(anyc_listener_serve_with(server.multi, handle, NULL, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ENOLOOP); /* forgets the message */
    ck_assert_int_eq(anyc_aclose(server.multi), 0);
}

static int stop_at_once(anyc_byte_stream *stream, void *arg)
{
    struct server *server = arg;

    server->ended++;
    anyc_event_set(&server->stop);
    return anyc_aclose(stream);
}

/* Serves while all allocations after the first `count` fail, for a minute of the virtual clock. */
static int serve_scarcely(struct server *server, int count)
{
    anyc_cancel_scope scope;

    server_open(server, 1);
    server->served = server->multi;
    server_connect(server, 0);
    server_connect(server, 1);
    scarce_allow(count);
    anyc_move_on_after(&scope, 60, false);
    server->rc = anyc_listener_serve_with(server->served, stop_at_once, server, &server->options);
    server->rc = anyc_cancel_scope_exit(&scope, server->rc);
    scarce_allow(SCARCE_PLENTY);
    ck_assert(server->rc == 0 || server->rc == ANYC_ENOMEM);
    for (int i = 0; i < 2; i++) {
        if (server->dummies[i].accepted > 0)
            ck_assert_int_eq(server->dummies[i].connections[0].state.destroys, 1);
    }
    ck_assert_int_eq(anyc_aclose(server->multi), 0);
    return server->ended;
}

static int serve_without_memory(void *arg)
{
    struct server server;
    int count = 0;

    (void)arg;
    while (serve_scarcely(&server, count) == 0) {
        count++;
        ck_assert_int_lt(count, 50);
    }
    ck_assert_int_gt(count, 2); /* two members, and a connection */
    return 0;
}

/* Without memory to begin with it fails; a connection for which there is none is closed. */
ANYC_TEST_PLAIN(test_serve__without_memory_loses_nothing)
{
    const anyc_run_options options = {
        .backend = anyc_testing_backend(),
        .clock = ANYC_CLOCK_VIRTUAL,
    };

    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(anyc_run_with(serve_without_memory, NULL, &options), 0);
}
