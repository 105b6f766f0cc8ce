/* SPDX-License-Identifier: MIT */
/*
 * test_shield.c - shields: what they keep out, what gets through, and what happens when one is put
 * up or taken down. AnyIO: test_taskgroups.py.
 */
#include "support/tasks.h"

#include <anyc/event.h>

#define SHIELDED (&(anyc_cancel_scope_options){.shield = true})

/* TG-049, TG-R11 */
ANYC_TEST_WITH(test_shield__keeps_the_cancellation_of_its_group_out, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope shield;
    int rc;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, killer_task, anyc_task_group_cancel_scope(&group));
    ck_assert_ok(anyc_move_on_after(&shield, 10, true));
    ck_assert_ok(anyc_sleep(0.1));
    ck_assert_ok(anyc_cancel_scope_exit(&shield, 0));
    rc = anyc_sleep(1);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_task_group_exit(&group, rc));
    ck_assert(anyc_cancel_scope_cancel_called(anyc_task_group_cancel_scope(&group)));
    ck_assert(!anyc_cancel_scope_cancel_called(&shield));
    ck_assert_double_eq(anyc_current_time(), 0.1);
}

/* TG-050, TG-R11, TG-R13 */
ANYC_TEST(test_shield__ends_at_its_exit)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope shield;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_cancel_scope_enter(&shield, SHIELDED));
    anyc_task_group_cancel(&group, NULL);
    ck_assert_double_eq(anyc_current_effective_deadline(), INFINITY);
    ck_assert(!anyc_has_pending_cancellation());
    ck_assert_ptr_null(anyc_cancel_reason());
    ck_assert_ok(anyc_checkpoint());
    ck_assert_ok(anyc_cancel_scope_exit(&shield, 0));
    ck_assert_double_eq(anyc_current_effective_deadline(), -INFINITY);
    ck_assert(anyc_has_pending_cancellation());
    ck_assert_int_eq(anyc_sleep(0.01), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_sleep(0.01), ANYC_ECANCELLED);
    ck_assert_ok(anyc_task_group_exit(&group, ANYC_ECANCELLED));
}

/* TG-051 */
ANYC_TEST(test_shield__does_not_protect_against_its_own_scope)
{
    anyc_cancel_scope shield;

    ck_assert_ok(anyc_cancel_scope_enter(&shield, SHIELDED));
    anyc_cancel_scope_cancel(&shield, NULL);
    ck_assert_double_eq(anyc_current_effective_deadline(), -INFINITY);
    ck_assert(anyc_has_pending_cancellation());
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&shield, ANYC_ECANCELLED));
}

/* TG-056 */
ANYC_TEST(test_shield__lets_its_scope_swallow_inside_a_cancelled_one)
{
    anyc_cancel_scope outer, inner;

    ck_assert_ok(anyc_cancel_scope_enter(&outer, NULL));
    ck_assert_ok(anyc_cancel_scope_enter(&inner, SHIELDED));
    anyc_cancel_scope_cancel(&inner, NULL);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    anyc_cancel_scope_cancel(&outer, NULL);
    ck_assert_ok(anyc_cancel_scope_exit(&inner, ANYC_ECANCELLED));
    ck_assert_ok(anyc_cancel_scope_exit(&outer, 0));
    ck_assert(anyc_cancel_scope_cancelled_caught(&inner));
    ck_assert(!anyc_cancel_scope_cancelled_caught(&outer));
}

/* TG-058 */
ANYC_TEST_WITH(test_shield__is_cancelled_by_a_task_of_the_group_around_it,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope shield;
    int rc;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_cancel_scope_enter(&shield, SHIELDED));
    spawn(&group, killer_task, &shield);
    rc = anyc_sleep(0.5);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&shield, rc));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_double_eq(anyc_current_time(), 0);
}

struct mutation {
    bool flag;
    int last_sleep;
    int exit_rc;
};

static int mutate_shield_task(void *arg, anyc_task_status *status)
{
    struct mutation *mutation = arg;
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    ck_assert_ok(anyc_sleep(0.1));
    ck_assert_ok(anyc_cancel_scope_set_shield(&scope, true));
    ck_assert(anyc_cancel_scope_shield(&scope));
    ck_assert_ok(anyc_task_status_started(status, NULL));
    ck_assert_ok(anyc_sleep(0.1));
    mutation->flag = true;
    ck_assert_ok(anyc_cancel_scope_set_shield(&scope, false));
    mutation->last_sleep = anyc_sleep(1);
    mutation->exit_rc = anyc_cancel_scope_exit(&scope, mutation->last_sleep);
    return mutation->exit_rc;
}

/* TG-059 */
ANYC_TEST_WITH(test_shield__is_put_up_and_taken_down, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct mutation mutation = {0};

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start(&group, mutate_shield_task, &mutation, NULL, NULL));
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(mutation.flag);
    ck_assert_int_eq(mutation.last_sleep, ANYC_ECANCELLED);
    ck_assert_int_eq(mutation.exit_rc, ANYC_ECANCELLED);
    ck_assert_double_eq(anyc_current_time(), 0.2);
}

struct shielded_wait {
    anyc_event event;
    anyc_cancel_scope scope;
    int rc;
    int exit_rc;
};

static int wait_shielded_task(void *arg)
{
    struct shielded_wait *wait = arg;

    ck_assert_ok(anyc_cancel_scope_enter(&wait->scope, SHIELDED));
    wait->rc = 1;
    wait->rc = anyc_event_wait(&wait->event);
    wait->exit_rc = anyc_cancel_scope_exit(&wait->scope, wait->rc);
    return wait->exit_rc;
}

ANYC_TEST(test_shield__wakes_a_waiting_task_when_taken_down)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct shielded_wait wait = {0};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_shielded_task, &wait);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_cancel_shielded_checkpoint());
    ck_assert_int_eq(wait.rc, 1);
    ck_assert_ok(anyc_cancel_scope_set_shield(&wait.scope, false));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(wait.rc, ANYC_ECANCELLED);
    ck_assert_int_eq(wait.exit_rc, ANYC_ECANCELLED);
}

ANYC_TEST(test_shield__put_up_too_late_does_not_undo_a_cancellation)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct shielded_wait wait = {0};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_shielded_task, &wait);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_cancel_scope_set_shield(&wait.scope, false));
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_cancel_scope_set_shield(&wait.scope, true));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(wait.rc, ANYC_ECANCELLED);
}

ANYC_TEST(test_shield__may_be_toggled_in_a_cancelled_scope)
{
    anyc_cancel_scope outer, inner;

    ck_assert_ok(anyc_cancel_scope_enter(&outer, NULL));
    ck_assert_ok(anyc_cancel_scope_enter(&inner, NULL));
    anyc_cancel_scope_cancel(&outer, NULL);
    for (int i = 0; i < 3; i++) {
        ck_assert_ok(anyc_cancel_scope_set_shield(&inner, true));
        ck_assert_ok(anyc_checkpoint());
        ck_assert_ok(anyc_cancel_scope_set_shield(&inner, false));
        ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    }
    ck_assert_int_eq(anyc_cancel_scope_exit(&inner, ANYC_ECANCELLED), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&outer, ANYC_ECANCELLED));
}

/* TG-064 */
ANYC_TEST(test_shield__hides_the_deadlines_around_it)
{
    anyc_cancel_scope near, shield, far;

    ck_assert_ok(anyc_move_on_after(&near, 10, false));
    ck_assert_ok(anyc_cancel_scope_enter(&shield, SHIELDED));
    ck_assert_double_eq(anyc_current_effective_deadline(), INFINITY);
    ck_assert_ok(anyc_move_on_after(&far, 1000, false));
    ck_assert_double_gt(anyc_current_effective_deadline() - anyc_current_time(), 900);
    ck_assert_ok(anyc_checkpoint());
    ck_assert_ok(anyc_cancel_scope_set_shield(&shield, false));
    ck_assert_double_lt(anyc_current_effective_deadline() - anyc_current_time(), 11);
    ck_assert_ok(anyc_cancel_scope_exit(&far, 0));
    ck_assert_ok(anyc_cancel_scope_exit(&shield, 0));
    ck_assert_ok(anyc_cancel_scope_exit(&near, 0));
}

/* TG-069 */
ANYC_TEST_WITH(test_shield__lets_a_timeout_out, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope a, b, timeout;
    int rc;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_cancel_scope_enter(&a, NULL));
    spawn(&group, killer_task, &a);
    ck_assert_ok(anyc_cancel_scope_enter(&b, SHIELDED));
    ck_assert_ok(anyc_fail_after(&timeout, 0.2, false));
    rc = anyc_cancel_scope_exit(&timeout, anyc_sleep(2));
    ck_assert_int_eq(rc, ANYC_ETIMEDOUT);
    ck_assert(anyc_cancel_scope_cancel_called(&a));
    rc = anyc_cancel_scope_exit(&b, rc);
    ck_assert_int_eq(rc, ANYC_ETIMEDOUT);
    rc = anyc_cancel_scope_exit(&a, rc);
    ck_assert_int_eq(rc, ANYC_ETIMEDOUT);
    ck_assert_int_eq(anyc_task_group_exit(&group, rc), ANYC_ETIMEDOUT);
    check_one_failure(&group, ANYC_ETIMEDOUT);
    ck_assert_double_eq(anyc_current_time(), 0.2);
}

struct triple {
    bool cancel_second; /* besides the first */
    bool leave_second;  /* before the last checkpoint */
    int shielded, last;
};

static int triple_task(void *arg)
{
    struct triple *triple = arg;
    anyc_cancel_scope first, second, third;
    int rc = 0;

    ck_assert_ok(anyc_cancel_scope_enter(&first, NULL));
    ck_assert_ok(anyc_cancel_scope_enter(&second, NULL));
    ck_assert_ok(anyc_cancel_scope_enter(&third, SHIELDED));
    anyc_cancel_scope_cancel(&first, NULL);
    if (triple->cancel_second)
        anyc_cancel_scope_cancel(&second, NULL);
    triple->shielded = anyc_checkpoint();
    ck_assert_ok(anyc_cancel_scope_exit(&third, 0));
    if (triple->leave_second)
        ck_assert_ok(anyc_cancel_scope_exit(&second, 0));
    triple->last = anyc_checkpoint();
    rc = triple->last;
    if (!triple->leave_second)
        rc = anyc_cancel_scope_exit(&second, rc);
    return anyc_cancel_scope_exit(&first, rc);
}

static void check_triple(struct triple triple)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, triple_task, &triple);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(triple.shielded, 0);
    ck_assert_int_eq(triple.last, ANYC_ECANCELLED);
}

/* TG-070, TG-R11 */
ANYC_TEST(test_shield__left_shows_the_cancellation_in_the_outermost_scope)
{
    check_triple((struct triple){.cancel_second = true, .leave_second = true});
}

/* TG-071, TG-R11 */
ANYC_TEST(test_shield__left_shows_the_cancellation_in_the_middle_scope)
{
    check_triple((struct triple){.cancel_second = false, .leave_second = false});
}

static int set_when_cancelled_task(void *arg)
{
    int rc = anyc_sleep_forever();

    if (rc == ANYC_ECANCELLED)
        anyc_event_set(arg);
    return rc;
}

/* TG-094, TG-R07 */
ANYC_TEST_WITH(test_shield__of_the_host_does_not_protect_its_children, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope parent, shield;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_event event = ANYC_EVENT_INIT;
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&parent, NULL));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, set_when_cancelled_task, &event);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_fail_after(&shield, 1, true));
    anyc_cancel_scope_cancel(&parent, NULL);
    ck_assert_ok(anyc_event_wait(&event));
    ck_assert_ok(anyc_cancel_scope_exit(&shield, 0));
    rc = anyc_task_group_exit(&group, 0);
    ck_assert_ok(anyc_cancel_scope_exit(&parent, rc));
    ck_assert_double_eq(anyc_current_time(), 0);
}

ANYC_TEST(test_shield__of_a_group_protects_its_children)
{
    anyc_cancel_scope outer;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_event event = ANYC_EVENT_INIT;
    struct shielded_wait wait = {0};

    ck_assert_ok(anyc_cancel_scope_enter(&outer, NULL));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_cancel_scope_set_shield(anyc_task_group_cancel_scope(&group), true));
    spawn(&group, set_when_cancelled_task, &event);
    spawn(&group, wait_shielded_task, &wait);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&outer, NULL);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert(!anyc_event_is_set(&event));
    ck_assert_ok(anyc_cancel_scope_set_shield(anyc_task_group_cancel_scope(&group), false));
    ck_assert_ok(anyc_cancel_shielded_checkpoint());
    ck_assert(anyc_event_is_set(&event));
    ck_assert_int_eq(wait.rc, 1);
    anyc_event_set(&wait.event);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&outer, ANYC_ECANCELLED));
}
