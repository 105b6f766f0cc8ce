/* SPDX-License-Identifier: MIT */
/*
 * test_cancel_scope.c - cancelling a scope by hand: who gets it, who swallows it, what is left of
 * it. AnyIO: test_taskgroups.py.
 *
 * Shields are in test_shield.c, deadlines in test_timeout.c.
 */
#include "support/tasks.h"

#include <anyc/event.h>

#include <stdlib.h>
#include <string.h>

struct published {
    anyc_cancel_scope *scope; /* NULL: not entered yet */
    bool flag;                /* code after the sleep, inside the scope, ran */
    int slept;
};

static int publish_and_sleep_task(void *arg)
{
    struct published *published = arg;
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    published->scope = &scope;
    published->slept = anyc_sleep(2);
    published->flag = published->slept == 0;
    return anyc_cancel_scope_exit(&scope, published->slept);
}

/* TG-026 */
ANYC_TEST(test_cancel_scope__is_cancelled_from_another_task)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct published published = {0};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, publish_and_sleep_task, &published);
    while (published.scope == NULL)
        ck_assert_ok(anyc_checkpoint());
    anyc_cancel_scope_cancel(published.scope, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(published.slept, ANYC_ECANCELLED);
    ck_assert(!published.flag);
}

/* TG-060 */
ANYC_TEST_WITH(test_cancel_scope__of_a_child_is_its_own_matter, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct published published = {0};
    bool flag = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, publish_and_sleep_task, &published);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(published.scope, NULL);
    ck_assert_ok(anyc_sleep(0.1));
    flag = true;
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(flag);
    ck_assert(!published.flag);
    ck_assert(!anyc_cancel_scope_cancel_called(anyc_task_group_cancel_scope(&group)));
    ck_assert_double_eq(anyc_current_time(), 0.1);
}

/* TG-053 */
ANYC_TEST(test_cancel_scope__has_caught_nothing_without_a_checkpoint)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert(anyc_cancel_scope_cancel_called(&scope));
    ck_assert(!anyc_cancel_scope_cancelled_caught(&scope));
}

/* TG-054, TG-R05 */
ANYC_TEST(test_cancel_scope__does_not_swallow_inside_a_cancelled_one)
{
    anyc_cancel_scope outer, inner;
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&outer, NULL));
    anyc_cancel_scope_cancel(&outer, NULL);
    ck_assert_ok(anyc_cancel_scope_enter(&inner, NULL));
    anyc_cancel_scope_cancel(&inner, NULL);
    rc = anyc_sleep_forever();
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&inner, rc), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&outer, ANYC_ECANCELLED));
    ck_assert(!anyc_cancel_scope_cancelled_caught(&inner));
    ck_assert(anyc_cancel_scope_cancelled_caught(&outer));
}

/* TG-076, TG-R27 */
ANYC_TEST_WITH(test_cancel_scope__is_left_quietly_after_an_inner_timeout,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope outer, inner;

    ck_assert_ok(anyc_cancel_scope_enter(&outer, NULL));
    ck_assert_ok(anyc_move_on_after(&inner, 0.1, false));
    ck_assert_ok(anyc_cancel_scope_exit(&inner, anyc_sleep(1)));
    anyc_cancel_scope_cancel(&outer, NULL);
    ck_assert_ok(anyc_cancel_scope_exit(&outer, 0));
    ck_assert(!anyc_has_pending_cancellation());
    ck_assert_ok(anyc_checkpoint());
}

/* TG-080 */
ANYC_TEST(test_cancel_scope__must_be_left_in_order)
{
    anyc_cancel_scope first, second;

    ck_assert_ok(anyc_cancel_scope_enter(&first, NULL));
    ck_assert_ok(anyc_cancel_scope_enter(&second, NULL));
    ck_assert_int_eq(anyc_cancel_scope_exit(&first, 0), ANYC_ESTATE);
    ck_assert_ok(anyc_cancel_scope_exit(&second, 0));
    ck_assert_ok(anyc_cancel_scope_exit(&first, 0));
    ck_assert_int_eq(anyc_cancel_scope_exit(&first, 0), ANYC_ESTATE);
}

static int leave_scope_task(void *arg)
{
    return anyc_cancel_scope_exit(arg, 0);
}

/* TG-082, TG-R39 */
ANYC_TEST(test_cancel_scope__cannot_be_left_by_another_task)
{
    anyc_cancel_scope scope;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, leave_scope_task, &scope);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_ESTATE);
    check_one_failure(&group, ANYC_ESTATE);
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
}

ANYC_TEST(test_cancel_scope__is_not_disturbed_by_a_second_enter)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_move_on_after(&scope, 1000, true));
    ck_assert_int_eq(anyc_cancel_scope_enter(&scope, NULL), ANYC_ESTATE);
    ck_assert(anyc_cancel_scope_shield(&scope));
    ck_assert_double_lt(anyc_cancel_scope_deadline(&scope), INFINITY);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
}

ANYC_TEST(test_cancel_scope__can_be_entered_again_after_its_exit)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, anyc_checkpoint()));
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    ck_assert(!anyc_cancel_scope_cancel_called(&scope));
    ck_assert_ok(anyc_checkpoint());
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, 3), 3);
    ck_assert(!anyc_cancel_scope_cancelled_caught(&scope));
}

/* TG-086 */
ANYC_TEST(test_cancel_scope__leaves_nothing_pending)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, anyc_checkpoint()));
    ck_assert(anyc_cancel_scope_cancelled_caught(&scope));
    ck_assert(!anyc_has_pending_cancellation());
    ck_assert_ok(anyc_checkpoint());
}

/* TG-087, TG-R37 */
ANYC_TEST(test_cancel_scope__swallows_a_cancellation_from_wherever_it_came)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED); /* level, not edge */
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    ck_assert(anyc_cancel_scope_cancelled_caught(&scope));
}

/* TG-088 */
ANYC_TEST(test_cancel_scope__passes_on_what_belongs_to_an_outer_one)
{
    anyc_cancel_scope outer, inner;
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&outer, NULL));
    ck_assert_ok(anyc_cancel_scope_enter(&inner, NULL));
    anyc_cancel_scope_cancel(&outer, NULL);
    rc = anyc_checkpoint();
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    rc = anyc_cancel_scope_exit(&inner, rc);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&outer, rc));
    ck_assert(!anyc_has_pending_cancellation());
    ck_assert_ok(anyc_checkpoint());
}

/* TG-093, TG-R37 */
ANYC_TEST(test_cancel_scope__knows_its_cancellation_behind_a_group)
{
    anyc_cancel_scope scope;
    anyc_task_group wrapper = ANYC_TASK_GROUP_INIT;
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_ok(anyc_task_group_enter(&wrapper));
    rc = anyc_task_group_exit(&wrapper, anyc_sleep_forever());
    check_no_failure(&wrapper);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    ck_assert(anyc_cancel_scope_cancelled_caught(&scope));
}

ANYC_TEST(test_cancel_scope__lets_other_errors_through)
{
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, E1), E1);
    ck_assert(!anyc_cancel_scope_cancelled_caught(&scope));
}

/* TG-099 */
ANYC_TEST(test_cancel_scope__tells_why_and_by_whom_it_was_cancelled)
{
    anyc_cancel_scope scope;
    anyc_task_info self;
    const char *reason;

    ck_assert_ptr_null(anyc_cancel_reason());
    ck_assert_ok(anyc_get_current_task(&self));
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, "test reason");
    anyc_cancel_scope_cancel(&scope, "another reason"); /* only the first counts */
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    reason = anyc_cancel_reason();
    ck_assert_ptr_nonnull(reason);
    ck_assert_ptr_nonnull(strstr(reason, "test reason"));
    ck_assert_ptr_null(strstr(reason, "another"));
    ck_assert_int_eq(strncmp(strstr(reason, "test_cancel"), self.name, 26), 0); /* cut to fit */
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    ck_assert_ptr_null(anyc_cancel_reason());
}

ANYC_TEST(test_cancel_scope__tells_the_reason_of_the_outer_one_that_reaches_in)
{
    anyc_cancel_scope outer, inner;

    ck_assert_ok(anyc_cancel_scope_enter(&outer, NULL));
    ck_assert_ok(anyc_cancel_scope_enter(&inner, NULL));
    anyc_cancel_scope_cancel(&outer, "from further out");
    ck_assert_ptr_nonnull(strstr(anyc_cancel_reason(), "from further out"));
    anyc_cancel_scope_cancel(&inner, "from near");
    ck_assert_ptr_nonnull(strstr(anyc_cancel_reason(), "from near"));
    ck_assert_int_eq(anyc_cancel_scope_exit(&inner, ANYC_ECANCELLED), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&outer, ANYC_ECANCELLED));
}

/* TG-023 */
ANYC_TEST(test_cancel_scope__of_a_group_tells_why_it_was_cancelled)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    anyc_task_group_cancel(&group, "test reason");
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    ck_assert_ptr_nonnull(strstr(anyc_cancel_reason(), "test reason"));
    ck_assert_ok(anyc_task_group_exit(&group, ANYC_ECANCELLED));
}

struct race {
    anyc_event event;
    anyc_cancel_scope scope;
    int rc;
    int next;
};

static int wait_in_scope_task(void *arg)
{
    struct race *race = arg;

    ck_assert_ok(anyc_cancel_scope_enter(&race->scope, NULL));
    race->rc = anyc_event_wait(&race->event);
    race->next = anyc_checkpoint();
    return anyc_cancel_scope_exit(&race->scope, race->next);
}

/* First come, first served. */
ANYC_TEST(test_cancel_scope__comes_too_late_for_a_wait_that_is_over)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct race won = {0};
    struct race lost = {0};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_in_scope_task, &won);
    spawn(&group, wait_in_scope_task, &lost);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_event_set(&won.event);
    anyc_cancel_scope_cancel(&won.scope, NULL);
    anyc_cancel_scope_cancel(&lost.scope, NULL);
    anyc_event_set(&lost.event);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(won.rc, 0);
    ck_assert_int_eq(won.next, ANYC_ECANCELLED);
    ck_assert_int_eq(lost.rc, ANYC_ECANCELLED);
}

ANYC_TEST(test_cancel_scope__of_the_host_does_not_reach_the_groups_children)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    anyc_event event = ANYC_EVENT_INIT;
    struct race child = {0};

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    spawn(&group, wait_in_scope_task, &child);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_event_wait(&event), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_event_set(&child.event);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(child.rc, 0);
    ck_assert_int_eq(child.next, 0);
}

ANYC_TEST(test_cancel_scope__may_enclose_2000_others)
{
    enum { COUNT = 2000 };
    anyc_cancel_scope *scopes = calloc(COUNT, sizeof *scopes);
    int rc;

    for (int i = 0; i < COUNT; i++)
        ck_assert_ok(anyc_cancel_scope_enter(&scopes[i], NULL));
    anyc_cancel_scope_cancel(&scopes[COUNT / 2], NULL);
    anyc_cancel_scope_cancel(&scopes[0], NULL);
    rc = anyc_checkpoint();
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    for (int i = COUNT - 1; i > 0; i--) {
        rc = anyc_cancel_scope_exit(&scopes[i], rc);
        ck_assert_int_eq(rc, ANYC_ECANCELLED);
    }
    ck_assert_ok(anyc_cancel_scope_exit(&scopes[0], rc));
    free(scopes);
}

ANYC_TEST(test_cancel_scope__that_is_not_entered_ignores_a_cancel)
{
    anyc_cancel_scope scope = {0};

    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert(!anyc_cancel_scope_cancel_called(&scope));
    ck_assert_int_eq(anyc_cancel_scope_set_shield(&scope, true), ANYC_ESTATE);
    ck_assert_int_eq(anyc_cancel_scope_set_deadline(&scope, 1), ANYC_ESTATE);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, 0), ANYC_ESTATE);
}
