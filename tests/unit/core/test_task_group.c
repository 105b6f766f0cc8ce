/* SPDX-License-Identifier: MIT */
/*
 * test_task_group.c - entering and leaving groups. AnyIO: test_taskgroups.py.
 *
 * What a group does with failures is in test_group_failures.c, its misuse in
 * test_task_group_misuse.c, the spawning calls in test_spawn.c.
 */
#include "support/tasks.h"

#include <stdlib.h>
#include <string.h>

struct late {
    anyc_task_group *group;
    bool host_waits;
    bool ran;
};

static int checkpoint_and_note(void *arg)
{
    int rc = anyc_sleep(0);

    *(bool *)arg = true;
    return rc;
}

static int spawn_late(void *arg)
{
    struct late *late = arg;

    late->host_waits = anyc_wait_all_tasks_blocked() == 0;
    return anyc_task_group_start_soon(late->group, checkpoint_and_note, &late->ran, NULL);
}

/* TG-003 */
ANYC_TEST(test_task_group__takes_tasks_while_its_exit_waits)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct late late = {.group = &group};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, spawn_late, &late);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(late.host_waits);
    ck_assert(late.ran);
}

static int cancel_and_spawn(void *arg)
{
    struct late *late = arg;

    late->host_waits = anyc_sleep_forever() == ANYC_ECANCELLED;
    return anyc_task_group_start_soon(late->group, note_task, &late->ran, NULL);
}

ANYC_TEST(test_task_group__takes_tasks_while_it_is_being_cancelled)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct late late = {.group = &group};
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, cancel_and_spawn, &late);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    spawn(&group, note_task, &ran);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(late.host_waits);
    ck_assert(late.ran);
    ck_assert(ran);
}

ANYC_TEST(test_task_group__gives_the_bodys_result_when_nothing_failed)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, note_task, &ran);
    ck_assert_int_eq(anyc_task_group_exit(&group, 42), 42);
    ck_assert(ran);
}

/* TG-028 */
ANYC_TEST_WITH(test_task_group__can_be_cancelled_twice_in_a_row, .clock = ANYC_CLOCK_VIRTUAL)
{
    for (int round = 0; round < 2; round++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        int rc;

        ck_assert_ok(anyc_task_group_enter(&group));
        spawn(&group, killer_task, anyc_task_group_cancel_scope(&group));
        rc = anyc_sleep(1);
        ck_assert_int_eq(rc, ANYC_ECANCELLED);
        ck_assert_ok(anyc_task_group_exit(&group, rc));
        ck_assert_double_eq(anyc_current_time(), 0);
    }
}

/* TG-033 */
ANYC_TEST(test_task_group__swallows_the_cancellation_it_caused)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    anyc_cancel_scope_cancel(anyc_task_group_cancel_scope(&group), NULL);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    ck_assert_ok(anyc_task_group_exit(&group, ANYC_ECANCELLED));
    ck_assert_ok(anyc_checkpoint());
}

/* TG-057, TG-R17 */
ANYC_TEST(test_task_group__lets_others_run_at_an_exit_without_children)
{
    anyc_task_group outer = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&outer));
    for (int round = 0; round < 2; round++) {
        anyc_task_group inner = ANYC_TASK_GROUP_INIT;
        bool ran = false;

        ck_assert_ok(anyc_task_group_enter(&inner));
        spawn(&outer, note_task, &ran);
        ck_assert(!ran);
        ck_assert_ok(anyc_task_group_exit(&inner, 0));
        ck_assert(ran);
    }
    ck_assert_ok(anyc_task_group_exit(&outer, 0));
}

/* TG-092, TG-R17 */
ANYC_TEST(test_task_group__without_children_is_no_cancellation_point)
{
    anyc_cancel_scope scope;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert(!anyc_cancel_scope_cancelled_caught(&scope));
}

/* TG-R23 */
ANYC_TEST(test_task_group__is_not_disturbed_by_a_second_enter)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, note_task, &ran);
    ck_assert_int_eq(anyc_task_group_enter(&group), ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "entered before"));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(ran);
}

/* TG-091, TG-R23 */
ANYC_TEST(test_task_group__cannot_be_entered_again_after_its_exit)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(anyc_task_group_enter(&group), ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "entered before"));
    ck_assert_int_eq(anyc_task_group_start_soon(&group, note_task, &ran, NULL), ANYC_ESTATE);
    ck_assert_ok(anyc_checkpoint());
    ck_assert(!ran);
    ck_assert_double_eq(anyc_current_effective_deadline(), INFINITY);
}

ANYC_TEST(test_task_group__leaves_the_last_error_alone_when_entered)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_int_eq(anyc_last_error()->code, 0);
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_int_eq(anyc_last_error()->code, 0);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(anyc_last_error()->code, 0);
}

ANYC_TEST(test_task_group__works_on_the_heap)
{
    anyc_task_group *group = calloc(1, sizeof *group);
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(group));
    spawn(group, note_task, &ran);
    ck_assert_ok(anyc_task_group_exit(group, 0));
    ck_assert(ran);
    free(group);
}

static int count_cancellation(void *arg)
{
    int rc = anyc_sleep_forever();

    *(int *)arg += rc == ANYC_ECANCELLED;
    return rc;
}

#if defined(__SANITIZE_THREAD__)
#define MANY_CHILDREN 5000 /* ThreadSanitizer takes 8128 fibers */
#else
#define MANY_CHILDREN 10000
#endif

ANYC_TEST(test_task_group__cancels_10000_children_at_once)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int cancelled = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < MANY_CHILDREN; i++)
        spawn(&group, count_cancellation, &cancelled);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(cancelled, 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(cancelled, MANY_CHILDREN);
}

struct nest {
    int depth;
    int cancelled; /* how many groups a cancellation came out of */
};

static int nest_task(void *arg)
{
    struct nest *nest = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc;

    if (nest->depth-- == 0)
        return anyc_sleep_forever();
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, nest_task, nest);
    rc = anyc_task_group_exit(&group, 0);
    nest->cancelled += rc == ANYC_ECANCELLED;
    return rc;
}

ANYC_TEST(test_task_group__is_cancelled_through_500_nested_ones)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct nest nest = {.depth = 500};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, nest_task, &nest);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(nest.depth, -1);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(nest.cancelled, 500);
}

static int measure_stack(void *arg)
{
    anyc_task_info info;
    int rc = anyc_get_current_task(&info);

    *(size_t *)arg = info.stack_size;
    return rc;
}

ANYC_TEST(test_task_group__gives_its_children_stacks_of_the_size_set)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    size_t usual = 0;
    size_t bigger = 0;

    ck_assert_int_eq(anyc_task_group_set_stack_size(&group, 1 << 20), ANYC_ESTATE);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, measure_stack, &usual);
    ck_assert_int_eq(anyc_task_group_set_stack_size(&group, 16383), ANYC_EINVAL);
    ck_assert_int_eq(anyc_task_group_set_stack_size(&group, SIZE_MAX), ANYC_EINVAL);
    ck_assert_ok(anyc_task_group_set_stack_size(&group, 1 << 20));
    spawn(&group, measure_stack, &bigger);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_lt(usual, 262144);
    ck_assert_uint_gt(usual, 131072);
    ck_assert_uint_lt(bigger, 1 << 20);
    ck_assert_uint_gt(bigger, 1 << 19);
}

ANYC_TEST(test_task_group__tells_a_child_that_no_stack_can_be_had)
{
    const size_t huge = ((size_t)1 << 58) + 4096; /* times 64, it wraps around */
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_set_stack_size(&group, huge));
    spawn(&group, note_task, &ran);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_ENOMEM);
    check_one_failure(&group, ANYC_ENOMEM);
    ck_assert(!ran);
}
