/* SPDX-License-Identifier: MIT */
/*
 * test_future.c - anyc_future. The rows of AnyIO's test_futures.py are in behaviour/test_futures.c.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/future.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "support/fail_alloc.h"
#include "support/steps.h"

struct waiter {
    anyc_future *future;
    void *value;
    int rc;
};

static int wait_for_value(void *arg)
{
    struct waiter *waiter = arg;

    waiter->rc = anyc_future_wait(waiter->future, &waiter->value);
    return waiter->rc == ANYC_ECANCELLED ? waiter->rc : 0;
}

struct scene {
    anyc_future future;
    struct waiter waiters[3];
    anyc_task_handle handles[3];
    anyc_task_group group;
};

static void scene_open(struct scene *scene)
{
    *scene = (struct scene){.future = ANYC_FUTURE_INIT("scene")};
    ck_assert_ok(anyc_task_group_enter(&scene->group));
    for (size_t i = 0; i < 3; i++) {
        scene->waiters[i] = (struct waiter){&scene->future, NULL, 1};
        ck_assert_ok(anyc_task_group_create_task(&scene->group, wait_for_value, &scene->waiters[i],
                                                 NULL, &scene->handles[i]));
    }
    ck_assert_ok(anyc_wait_all_tasks_blocked());
}

static void cancel_one_of_three(size_t position)
{
    struct scene scene;
    int item;

    scene_open(&scene);
    anyc_task_handle_cancel(&scene.handles[position], NULL);
    ck_assert_ok(anyc_future_set_result(&scene.future, &item));
    ck_assert_ok(anyc_task_group_exit(&scene.group, 0));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(scene.waiters[i].rc, i == position ? ANYC_ECANCELLED : 0);
        ck_assert_ptr_eq(scene.waiters[i].value, i == position ? NULL : &item);
    }
}

ANYC_TEST(test_future__a_cancelled_waiter_at_any_position_leaves_the_others)
{
    for (size_t position = 0; position < 3; position++)
        cancel_one_of_three(position);
}

ANYC_TEST(test_future__a_result_before_the_cancel_wins)
{
    struct scene scene;
    int item;

    scene_open(&scene);
    ck_assert_ok(anyc_future_set_result(&scene.future, &item));
    anyc_task_group_cancel(&scene.group, NULL);
    ck_assert_ok(anyc_task_group_exit(&scene.group, 0));
    for (size_t i = 0; i < 3; i++)
        ck_assert_ptr_eq(scene.waiters[i].value, &item);
}

ANYC_TEST(test_future__all_waiters_learn_of_its_cancellation)
{
    struct scene scene;

    scene_open(&scene);
    anyc_future_cancel(&scene.future);
    ck_assert_ok(anyc_task_group_exit(&scene.group, 0));
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(scene.waiters[i].rc, ANYC_EFUTURECANCELLED);
}

ANYC_TEST(test_future__is_set_once)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    void *value = NULL;
    int item, other, error;

    ck_assert_int_eq(anyc_future_set_error(&future, 0), ANYC_EINVAL);
    ck_assert(!anyc_future_done(&future));
    ck_assert_ok(anyc_future_set_result(&future, &item));
    ck_assert_int_eq(anyc_future_set_result(&future, &other), ANYC_ESTATE);
    ck_assert_int_eq(anyc_future_set_error(&future, -E2BIG), ANYC_ESTATE);
    anyc_future_cancel(&future);
    ck_assert_int_eq(anyc_future_status(&future), ANYC_FUTURE_FINISHED);
    ck_assert_ok(anyc_future_result(&future, &value));
    ck_assert_ptr_eq(value, &item);
    ck_assert_ok(anyc_future_error(&future, &error));
    ck_assert_int_eq(error, 0);
}

ANYC_TEST(test_future__the_wait_is_a_checkpoint_when_it_is_done)
{
    anyc_future future = ANYC_FUTURE_INIT(NULL);
    anyc_cancel_scope scope;
    void *value = NULL;

    ck_assert_ok(anyc_future_set_result(&future, &future));
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_future_wait(&future, &value), ANYC_ECANCELLED);
    ck_assert_ptr_null(value);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
}

ANYC_TEST(test_future__a_plain_wait_ends_with_0_whatever_the_outcome)
{
    anyc_future failed = ANYC_FUTURE_INIT("failed");
    anyc_future cancelled = ANYC_FUTURE_INIT("cancelled");

    ck_assert_ok(anyc_future_set_error(&failed, -E2BIG));
    anyc_future_cancel(&cancelled);
    ck_assert_ok(anyc_future_wait(&failed, NULL));
    ck_assert_ok(anyc_future_wait(&cancelled, NULL));
}

/* Sets a future that is gone when the waiter runs. */
static void set_for_one_waiter(anyc_task_group *group, struct waiter *waiter, void *value)
{
    anyc_future future = ANYC_FUTURE_INIT("gone");

    waiter->future = &future;
    ck_assert_ok(anyc_task_group_start_soon(group, wait_for_value, waiter, NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_future_set_result(&future, value));
    memset(&future, 0xff, sizeof future);
}

ANYC_TEST(test_future__is_not_touched_by_those_it_woke)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct waiter waiter = {0};
    int item;

    ck_assert_ok(anyc_task_group_enter(&group));
    set_for_one_waiter(&group, &waiter, &item);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ptr_eq(waiter.value, &item);
}

static int own_a_future(void *arg)
{
    anyc_future future = ANYC_FUTURE_INIT("own");
    anyc_future **place = arg;
    void *value;
    int rc;

    *place = &future;
    rc = anyc_future_wait(&future, &value);
    ck_assert_int_eq(rc, ANYC_EFUTUREFAILED);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "\"own\" failed"));
    return 0;
}

static int fail_a_future(void *arg)
{
    anyc_future *const *place = arg;

    return anyc_future_set_error(*place, -E2BIG);
}

ANYC_TEST(test_future__may_lie_on_the_stack_of_its_waiter)
{
    anyc_future *future = NULL;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, own_a_future, &future, NULL));
    ck_assert_ok(anyc_task_group_start_soon(&group, fail_a_future, &future, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

static void check_format(const anyc_future *future, const char *expected)
{
    char text[64];

    ck_assert_int_eq(anyc_future_format(future, text, sizeof text), (int)strlen(expected));
    ck_assert_str_eq(text, expected);
}

ANYC_TEST_PLAIN(test_future__tells_its_state)
{
    anyc_future future = {0};
    anyc_future failed = ANYC_FUTURE_INIT("a");
    anyc_future cancelled = ANYC_FUTURE_INIT("b");
    char text[8];

    check_format(&future, "future \"unnamed\" is pending");
    ck_assert_int_eq(anyc_future_format(&future, text, sizeof text), 27);
    ck_assert_str_eq(text, "future ");
    ck_assert_int_eq(anyc_future_format(&future, text, 0), ANYC_EINVAL);
    ck_assert_ok(anyc_future_set_result(&future, NULL));
    check_format(&future, "future \"unnamed\" is finished");
    ck_assert_ok(anyc_future_set_error(&failed, ANYC_EBROKEN));
    check_format(&failed, "future \"a\" failed: ANYC_EBROKEN");
    anyc_future_cancel(&cancelled);
    check_format(&cancelled, "future \"b\" was cancelled");
}

ANYC_TEST_PLAIN(test_future__is_usable_outside_a_run_but_for_waiting)
{
    anyc_future future = ANYC_FUTURE_INIT("outside");

    ck_assert_int_eq(anyc_future_wait(&future, NULL), ANYC_ENOLOOP);
    ck_assert_ok(anyc_future_set_result(&future, NULL));
    ck_assert(anyc_future_done(&future));
    ck_assert_int_eq(anyc_future_wait(&future, NULL), ANYC_ENOLOOP);
}

static int settle_without_memory(void *arg)
{
    struct scene scene;

    (void)arg;
    scene_open(&scene);
    fail_alloc_arm(1);
    ck_assert_ok(anyc_future_set_result(&scene.future, &scene));
    ck_assert_ok(anyc_checkpoint());
    ck_assert(!fail_alloc_disarm());
    ck_assert_ok(anyc_task_group_exit(&scene.group, 0));
    ck_assert_int_eq(scene.waiters[2].rc, 0);
    return 0;
}

ANYC_TEST_PLAIN(test_future__is_set_without_memory)
{
    fail_alloc_install();
    ck_assert_ok(anyc_run(settle_without_memory, anyc_testing_backend()));
    ck_assert_int_eq(fail_alloc_live(), 0);
}
