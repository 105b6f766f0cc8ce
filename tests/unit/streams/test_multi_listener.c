/* SPDX-License-Identifier: MIT */
/*
 * test_multi_listener.c - several listeners as one.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/stapled_stream.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "dummy_listener.h"
#include "scarce.h"

/* Two listeners behind a multi-listener that a task serves. */
struct server {
    struct dummy_listener dummies[2];
    anyc_listener *multi;
    int handled;
    int rc;
};

static int handle(anyc_byte_stream *stream, void *arg)
{
    struct server *server = arg;

    server->handled++;
    return anyc_aclose(stream);
}

static int serve(void *arg)
{
    struct server *server = arg;

    server->rc = anyc_listener_serve(server->multi, handle, server, NULL);
    return server->rc == ANYC_ECANCELLED ? server->rc : 0;
}

static void server_open(struct server *server)
{
    anyc_listener *members[2];

    for (int i = 0; i < 2; i++) {
        dummy_listener_init(&server->dummies[i]);
        members[i] = &server->dummies[i].listener;
    }
    server->handled = 0;
    server->rc = 1;
    ck_assert_int_eq(anyc_multi_listener_create(members, 2, &server->multi), 0);
}

static void server_start(struct server *server, anyc_task_group *group)
{
    server_open(server);
    ck_assert_int_eq(anyc_task_group_enter(group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(group, serve, server, NULL), 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
}

ANYC_TEST(test_multi_listener__serves_all_members)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group);
    dummy_listener_tell(&server.dummies[0], 0);
    dummy_listener_tell(&server.dummies[1], 0);
    dummy_listener_tell(&server.dummies[1], 0);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(server.handled, 3);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(server.rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_aclose(server.multi), 0);
}

ANYC_TEST(test_multi_listener__the_error_of_one_member_ends_serving)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group);
    dummy_listener_tell(&server.dummies[1], -EBADF);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(server.rc, -EBADF);
    ck_assert_int_eq(anyc_aclose(server.multi), 0);
}

ANYC_TEST(test_multi_listener__can_be_freed_while_it_serves)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_start(&server, &group);
    ck_assert_int_eq(anyc_aclose(server.multi), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(server.rc, ANYC_ECLOSED);
}

/* The tasks that serve the members have been started, but have not run yet. */
ANYC_TEST(test_multi_listener__can_be_freed_before_its_members_serve)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct server server;

    server_open(&server);
    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, serve, &server, NULL), 0);
    ck_assert_int_eq(anyc_checkpoint(), 0);
    ck_assert_int_eq(server.dummies[0].state.calls, 0);
    ck_assert_int_eq(anyc_aclose(server.multi), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(server.rc, ANYC_ECLOSED);
    ck_assert_int_eq(server.dummies[0].state.calls, 0);
}

ANYC_TEST(test_multi_listener__cannot_accept)
{
    struct server server;
    anyc_byte_stream *stream = NULL;

    server_open(&server);
    ck_assert_int_eq(anyc_listener_accept(server.multi, &stream), -ENOTSUP);
    ck_assert_int_eq(anyc_aclose(server.multi), 0);
}

/* NT-R024 */
ANYC_TEST(test_multi_listener__takes_over_the_members_of_others)
{
    struct server inner;
    struct dummy_listener single;
    anyc_listener *both[2];
    anyc_listener *middle = NULL;
    anyc_listener *outer = NULL;
    anyc_listener *const *members;
    size_t count = 0;

    server_open(&inner);
    dummy_listener_init(&single);
    ck_assert_int_eq(anyc_multi_listener_create(&inner.multi, 1, &middle), 0);
    both[0] = &single.listener;
    both[1] = middle;
    ck_assert_int_eq(anyc_multi_listener_create(both, 2, &outer), 0);
    members = anyc_multi_listener_listeners(outer, &count);
    ck_assert_uint_eq(count, 3);
    ck_assert_ptr_eq(members[0], &single.listener);
    ck_assert_ptr_eq(members[1], &inner.dummies[0].listener);
    ck_assert_ptr_eq(members[2], &inner.dummies[1].listener);
    ck_assert_ptr_null(anyc_multi_listener_listeners(inner.multi, &count));
    ck_assert_uint_eq(count, 0);
    ck_assert_ptr_null(anyc_multi_listener_listeners(middle, &count));
    ck_assert_int_eq(anyc_listener_serve(inner.multi, handle, NULL, NULL), 0);
    ck_assert_int_eq(anyc_aclose(outer), 0);
    ck_assert_int_eq(single.state.destroys, 1);
    ck_assert_int_eq(inner.dummies[0].state.destroys, 1);
    ck_assert_int_eq(inner.dummies[1].state.destroys, 1);
}

ANYC_TEST(test_multi_listener__other_listeners_have_no_members)
{
    struct dummy_listener single;
    size_t count = 7;

    dummy_listener_init(&single);
    ck_assert_ptr_null(anyc_multi_listener_listeners(&single.listener, &count));
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(anyc_aclose(&single.listener), 0);
}

/* ST-R013, ST-R012 by analogy: all are closed, as often as it is called. */
ANYC_TEST(test_multi_listener__closes_all_members)
{
    struct server server;

    server_open(&server);
    server.dummies[0].state.close_rc = ANYC_EBROKEN;
    server.dummies[1].state.close_rc = -EBADF;
    ck_assert_int_eq(anyc_close(server.multi), ANYC_EBROKEN);
    ck_assert(server.dummies[1].state.closed);
    ck_assert_int_eq(anyc_listener_serve(server.multi, handle, NULL, NULL), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_close(server.multi), ANYC_EBROKEN);
    anyc_aclose_forcefully(server.multi);
    ck_assert(server.dummies[0].state.forcefully);
    ck_assert_int_eq(server.dummies[1].state.destroys, 1);
}

/* ST-R016: as in AnyIO, each member overrides those before it. */
ANYC_TEST(test_multi_listener__attributes_come_from_the_last_member_first)
{
    struct server server;
    int colour = 0;

    server_open(&server);
    ck_assert_int_eq(anyc_extra(server.multi, &DUMMY_COLOUR, &colour), ANYC_EATTRIBUTE);
    server.dummies[0].state.colour = 1;
    ck_assert_int_eq(anyc_extra(server.multi, &DUMMY_COLOUR, &colour), 0);
    ck_assert_int_eq(colour, 1);
    server.dummies[1].state.colour = 2;
    ck_assert_int_eq(anyc_extra(server.multi, &DUMMY_COLOUR, &colour), 0);
    ck_assert_int_eq(colour, 2);
    ck_assert_int_eq(anyc_aclose(server.multi), 0);
}

static int create_without_memory(void *arg)
{
    struct server inner;
    anyc_listener *outer = NULL;
    size_t members = 0;
    int count = 0;
    int rc;

    (void)arg;
    server_open(&inner);
    do {
        scarce_allow(count++);
        rc = anyc_multi_listener_create(&inner.multi, 1, &outer);
        scarce_allow(SCARCE_PLENTY);
        (void)anyc_multi_listener_listeners(inner.multi, &members); /* for the count alone */
        ck_assert(rc == 0 || (rc == ANYC_ENOMEM && outer == NULL && members == 2));
    } while (rc < 0);
    ck_assert_int_eq(count, 3);
    ck_assert_int_eq(anyc_aclose(outer), 0);
    return 0;
}

ANYC_TEST_PLAIN(test_multi_listener__without_memory_nothing_moves)
{
    scarce_allow(SCARCE_PLENTY);
    ck_assert_int_eq(anyc_run(create_without_memory, anyc_testing_backend()), 0);
}
