/* SPDX-License-Identifier: MIT */
/*
 * test_task_start_cancel.c - a start whose caller is cancelled, at each moment there is.
 *
 * The order within one turn decides, so tasks are spawned in the order in which they are to run.
 */
#include "support/tasks.h"

#include <anyc/event.h>

/* A starter in a scope of its own, and a task that it starts. */
struct scene {
    anyc_task_group *group;
    anyc_cancel_scope scope; /* around the start */
    anyc_event go;           /* the new task waits for it before it signals */
    bool shielded;           /* ... in a shield */
    int child_rc;            /* what it answers in the end; 1: what the wait answered */
    int signal_rc;           /* what signalling answered; 1: it did not */
    int wait_rc;
    int start_rc;
    bool child_ended;
    bool ended_before; /* when the start returned */
    void *value;
};

#define SCENE_INIT(group_ptr)                                                            \
    {                                                                                    \
        .group = (group_ptr), .child_rc = 1, .signal_rc = 1, .wait_rc = 1, .start_rc = 1 \
    }

static int wait_then_start_task(void *arg, anyc_task_status *status)
{
    struct scene *scene = arg;
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_move_on_after(&scope, INFINITY, scene->shielded));
    scene->wait_rc = anyc_event_wait(&scene->go);
    rc = anyc_cancel_scope_exit(&scope, scene->wait_rc);
    if (rc == 0 && scene->child_rc == 1)
        scene->signal_rc = anyc_task_status_started(status, scene);
    scene->child_ended = true;
    return scene->child_rc == 1 ? rc : scene->child_rc;
}

static int signal_at_once_task(void *arg, anyc_task_status *status)
{
    struct scene *scene = arg;

    scene->signal_rc = anyc_task_status_started(status, scene);
    scene->wait_rc = anyc_checkpoint();
    scene->child_ended = true;
    return scene->wait_rc;
}

static int end_at_once_task(void *arg, anyc_task_status *status)
{
    struct scene *scene = arg;

    (void)status;
    scene->child_ended = true;
    return scene->child_rc;
}

static int starter(struct scene *scene, anyc_start_fn fn)
{
    ck_assert_ok(anyc_cancel_scope_enter(&scene->scope, NULL));
    scene->start_rc = anyc_task_group_start(scene->group, fn, scene, NULL, &scene->value);
    scene->ended_before = scene->child_ended;
    return anyc_cancel_scope_exit(&scene->scope, scene->start_rc);
}

static int start_waiting_task(void *arg)
{
    return starter(arg, wait_then_start_task);
}

static int start_signalling_task(void *arg)
{
    return starter(arg, signal_at_once_task);
}

static int start_ending_task(void *arg)
{
    return starter(arg, end_at_once_task);
}

static int cancel_task(void *arg)
{
    anyc_cancel_scope_cancel(arg, NULL);
    return 0;
}

/* TG-009 */
ANYC_TEST(test_task_start_cancel__before_the_call_starts_nothing)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct scene scene = SCENE_INIT(&group);
    int rc;

    ck_assert_ok(anyc_task_group_enter(&group));
    anyc_task_group_cancel(&group, NULL);
    rc = anyc_task_group_start(&group, signal_at_once_task, &scene, NULL, NULL);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_int_ne(scene.signal_rc, ANYC_ESTATE);
    ck_assert_ok(anyc_task_group_exit(&group, rc));
    ck_assert(!scene.child_ended);
}

/* TG-009, TG-R09 */
ANYC_TEST(test_task_start_cancel__before_the_first_run_lets_the_signal_pass)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct scene scene = SCENE_INIT(&group);

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, start_signalling_task, &scene); /* queues the new task ... */
    spawn(&group, cancel_task, &scene.scope);     /* ... behind this one */
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(scene.signal_rc, 0);
    ck_assert_int_eq(scene.start_rc, ANYC_ECANCELLED);
    ck_assert_int_eq(scene.wait_rc, ANYC_ECANCELLED);
    ck_assert(scene.ended_before);
    ck_assert_ptr_null(scene.value);
}

ANYC_TEST(test_task_start_cancel__of_a_waiting_task_cancels_it_and_waits_for_its_end)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct scene scene = SCENE_INIT(&group);

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, start_waiting_task, &scene);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&scene.scope, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(scene.wait_rc, ANYC_ECANCELLED);
    ck_assert_int_eq(scene.start_rc, ANYC_ECANCELLED);
    ck_assert(scene.ended_before);
    ck_assert(!anyc_cancel_scope_cancel_called(anyc_task_group_cancel_scope(&group)));
}

/* TG-R09: both in one turn, the cancellation first. */
ANYC_TEST(test_task_start_cancel__just_before_the_signal_wins)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct scene scene = SCENE_INIT(&group);

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, start_waiting_task, &scene);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_event_set(&scene.go); /* readies the new task, then its starter */
    anyc_cancel_scope_cancel(&scene.scope, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(scene.wait_rc, 0);
    ck_assert_int_eq(scene.signal_rc, 0);
    ck_assert_int_eq(scene.start_rc, ANYC_ECANCELLED);
    ck_assert(scene.ended_before);
}

static int cancel_after_signal_task(void *arg)
{
    struct scene *scene = arg;

    ck_assert_ok(anyc_event_wait(&scene->go)); /* woken behind the new task, before the starter */
    anyc_cancel_scope_cancel(&scene->scope, NULL);
    return 0;
}

ANYC_TEST(test_task_start_cancel__just_after_the_signal_comes_too_late)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct scene scene = SCENE_INIT(&group);

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, start_waiting_task, &scene);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    spawn(&group, cancel_after_signal_task, &scene);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_event_set(&scene.go);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(scene.signal_rc, 0);
    ck_assert_int_eq(scene.start_rc, 0);
    ck_assert_ptr_eq(scene.value, &scene);
    ck_assert(anyc_cancel_scope_cancel_called(&scene.scope));
}

/* The error of a task that was abandoned is nobody's but the group's. */
ANYC_TEST(test_task_start_cancel__keeps_an_error_of_the_dying_task)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct scene scene = SCENE_INIT(&group);

    scene.child_rc = E1;
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, start_waiting_task, &scene);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&scene.scope, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), E1);
    check_one_failure(&group, E1);
    ck_assert_int_eq(scene.wait_rc, ANYC_ECANCELLED);
    ck_assert_int_eq(scene.start_rc, ANYC_ECANCELLED);
}

ANYC_TEST(test_task_start_cancel__just_before_the_task_fails_leaves_that_to_the_group)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct scene scene = SCENE_INIT(&group);

    scene.child_rc = E1;
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, start_ending_task, &scene);
    spawn(&group, cancel_task, &scene.scope);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), E1);
    check_one_failure(&group, E1);
    ck_assert_int_eq(scene.start_rc, ANYC_ECANCELLED);
}

ANYC_TEST(test_task_start_cancel__just_before_the_task_ends_is_plain_cancellation)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct scene scene = SCENE_INIT(&group);

    scene.child_rc = 0;
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, start_ending_task, &scene);
    spawn(&group, cancel_task, &scene.scope);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(scene.start_rc, ANYC_ECANCELLED);
    ck_assert(scene.child_ended);
}

ANYC_TEST(test_task_start_cancel__waits_for_a_task_that_is_in_a_shield)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct scene scene = SCENE_INIT(&group);

    scene.shielded = true;
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, start_waiting_task, &scene);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&scene.scope, NULL);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(scene.start_rc, 1);
    anyc_event_set(&scene.go);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(scene.wait_rc, 0);
    ck_assert_int_eq(scene.signal_rc, 0);
    ck_assert_int_eq(scene.start_rc, ANYC_ECANCELLED);
    ck_assert(scene.ended_before);
}

ANYC_TEST(test_task_start_cancel__of_the_new_task_alone_is_told_apart)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_group starters = ANYC_TASK_GROUP_INIT;
    struct scene scene = SCENE_INIT(&group);

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(
        anyc_cancel_scope_enter(&scene.scope, &(anyc_cancel_scope_options){.shield = true}));
    ck_assert_ok(anyc_task_group_enter(&starters));
    spawn(&starters, killer_task, anyc_task_group_cancel_scope(&group));
    scene.start_rc = anyc_task_group_start(&group, wait_then_start_task, &scene, NULL, NULL);
    ck_assert_int_eq(scene.start_rc, ANYC_ETASKCANCELLED);
    ck_assert_ok(anyc_task_group_exit(&starters, 0));
    ck_assert_ok(anyc_cancel_scope_exit(&scene.scope, 0));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(scene.wait_rc, ANYC_ECANCELLED);
}

struct nested_start {
    anyc_task_group *group;
    anyc_event event;
    int shielded_rc;
    int after_rc;
    int start_rc;
};

static int never_started_task(void *arg, anyc_task_status *status)
{
    struct nested_start *nested = arg;
    anyc_cancel_scope shield;
    int rc;

    (void)status;
    ck_assert_ok(anyc_move_on_after(&shield, INFINITY, true));
    nested->shielded_rc = anyc_event_wait(&nested->event);
    rc = anyc_cancel_scope_exit(&shield, nested->shielded_rc);
    if (rc == 0)
        rc = nested->after_rc = anyc_checkpoint();
    return rc;
}

static int start_never_task(void *arg)
{
    struct nested_start *nested = arg;

    nested->start_rc = anyc_task_group_start(nested->group, never_started_task, nested, NULL, NULL);
    return nested->start_rc;
}

/* TG-100 */
ANYC_TEST(test_task_start_cancel__does_not_reach_through_the_tasks_shield)
{
    anyc_cancel_scope outer;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct nested_start nested = {.group = &group, .shielded_rc = 1};
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&outer, NULL));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, start_never_task, &nested);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&outer, NULL);
    anyc_event_set(&nested.event);
    rc = anyc_task_group_exit(&group, 0);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&outer, rc));
    ck_assert_int_eq(nested.shielded_rc, 0);
    ck_assert_int_eq(nested.after_rc, ANYC_ECANCELLED);
    ck_assert_int_eq(nested.start_rc, ANYC_ECANCELLED);
}
