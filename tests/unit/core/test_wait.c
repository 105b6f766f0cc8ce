/* SPDX-License-Identifier: MIT */
/*
 * test_wait.c - how a task waits: who ends the wait, and what is undone when it is given up
 * (WHITEBOX).
 */
#include "support/tasks.h"

#include "core/deadline.h"
#include "core/loop.h"
#include "core/task.h"

/* Something that tasks wait for in a queue, with a count beside it. */
struct thing {
    anyc_list waiters;
    int count;     /* of those who wait */
    int abandoned; /* how often a wait was given up */
};

static struct thing *thing_of(const struct task_wait *wait)
{
    return (struct thing *)(uintptr_t)wait->on;
}

static void thing_abandon(struct task_wait *wait)
{
    ck_assert(anyc__list_linked(&wait->link)); /* it is unlinked afterwards */
    thing_of(wait)->count--;
    thing_of(wait)->abandoned++;
}

static const struct wait_type thing_wait = {"thing", thing_abandon, NULL};

struct waiter {
    struct thing *thing;
    anyc_cancel_scope scope;
    double deadline; /* seconds; INFINITY: none */
    int rc;          /* 1: it waits */
};

static int wait_until_task(void *arg)
{
    struct waiter *waiter = arg;
    struct task_wait wait = {.rc = 0};
    int64_t deadline_ns = anyc__ns_from_seconds(waiter->deadline);

    waiter->rc = 1;
    ck_assert_ok(anyc_cancel_scope_enter(&waiter->scope, NULL));
    waiter->thing->count++;
    anyc__list_push(&waiter->thing->waiters, &wait.link);
    waiter->rc = anyc__wait_until(&wait, &thing_wait, waiter->thing, deadline_ns);
    ck_assert(!anyc__list_linked(&wait.link));
    return anyc_cancel_scope_exit(&waiter->scope, 0);
}

static void thing_wake(struct thing *thing, int rc)
{
    anyc_list *node = anyc__list_first(&thing->waiters);

    ck_assert_ptr_nonnull(node);
    thing->count--;
    anyc__wake(ANYC__CONTAINER(node, struct task_wait, link), rc);
    ck_assert(!anyc__list_linked(node));
}

ANYC_TEST_WITH(test_wait__ends_with_what_the_waker_says, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct thing thing = {.count = 0};
    struct waiter first = {.thing = &thing, .deadline = INFINITY};
    struct waiter second = {.thing = &thing, .deadline = 5};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_until_task, &first);
    spawn(&group, wait_until_task, &second);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    thing_wake(&thing, 7);
    thing_wake(&thing, E1);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(first.rc, 7);
    ck_assert_int_eq(second.rc, E1);
    ck_assert_int_eq(thing.abandoned, 0);
    ck_assert_uint_eq(anyc__loop->deadlines, 0);
    ck_assert_double_eq(anyc_current_time(), 0);
}

ANYC_TEST_WITH(test_wait__is_given_up_at_its_deadline, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct thing thing = {.count = 0};
    struct waiter waiter = {.thing = &thing, .deadline = 5};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_until_task, &waiter);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(waiter.rc, ANYC_ETIMEDOUT);
    ck_assert_int_eq(thing.abandoned, 1);
    ck_assert_int_eq(thing.count, 0);
    ck_assert_double_eq(anyc_current_time(), 5);
}

ANYC_TEST_WITH(test_wait__is_given_up_when_its_deadline_has_passed_before,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct thing thing = {.count = 0};
    struct waiter waiter = {.thing = &thing, .deadline = 5};

    ck_assert_ok(anyc_sleep(10));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_until_task, &waiter);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(waiter.rc, ANYC_ETIMEDOUT);
    ck_assert_int_eq(thing.abandoned, 1);
    ck_assert_double_eq(anyc_current_time(), 10);
}

ANYC_TEST_WITH(test_wait__is_given_up_by_a_cancellation, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct thing thing = {.count = 0};
    struct waiter waiter = {.thing = &thing, .deadline = 5};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_until_task, &waiter);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&waiter.scope, NULL);
    ck_assert_int_eq(thing.abandoned, 1); /* at once, before the task runs */
    ck_assert(anyc__list_empty(&thing.waiters));
    anyc_cancel_scope_cancel(&waiter.scope, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(waiter.rc, ANYC_ECANCELLED);
    ck_assert_int_eq(thing.abandoned, 1);
    ck_assert_uint_eq(anyc__loop->deadlines, 0);
}

ANYC_TEST(test_wait__is_given_up_before_it_begins_in_a_cancelled_group)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct thing thing = {.count = 0};
    struct waiter waiter = {.thing = &thing, .deadline = INFINITY};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_until_task, &waiter);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(waiter.rc, ANYC_ECANCELLED);
    ck_assert_int_eq(thing.abandoned, 1);
    ck_assert_int_eq(thing.count, 0);
}

/* The deadline of the scope and that of the wait are the same moment: the scope's counts. */
ANYC_TEST_WITH(test_wait__is_given_up_once_when_two_deadlines_meet, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct thing thing = {.count = 0};
    struct waiter waiters[2] = {{.thing = &thing, .deadline = 5}, {.thing = &thing, .deadline = 5}};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_until_task, &waiters[0]);
    spawn(&group, wait_until_task, &waiters[1]);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_cancel_scope_set_deadline(&waiters[0].scope, 5));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(waiters[0].rc, ANYC_ECANCELLED);
    ck_assert_int_eq(waiters[1].rc, ANYC_ETIMEDOUT);
    ck_assert(anyc_cancel_scope_cancel_called(&waiters[0].scope));
    ck_assert_int_eq(thing.abandoned, 2);
    ck_assert_int_eq(thing.count, 0);
}

/* A wake-up just before the deadline wins, though the task runs after it. */
ANYC_TEST_WITH(test_wait__woken_in_time_is_not_given_up, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct thing thing = {.count = 0};
    struct waiter waiter = {.thing = &thing, .deadline = 5};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_until_task, &waiter);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    thing_wake(&thing, 0);
    anyc__loop->virtual_ns = anyc__ns_from_seconds(6);
    (void)anyc__now(anyc__loop);
    anyc__expire(anyc__loop);
    anyc_cancel_scope_cancel(&waiter.scope, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(waiter.rc, 0);
    ck_assert_int_eq(thing.abandoned, 0);
}

static int wait_shielded_task(void *arg)
{
    struct waiter *waiter = arg;
    struct task_wait wait = {.rc = 0};

    waiter->rc = 1;
    waiter->thing->count++;
    anyc__list_push(&waiter->thing->waiters, &wait.link);
    waiter->rc = anyc__wait_shielded(&wait, &thing_wait, waiter->thing);
    return anyc_checkpoint();
}

ANYC_TEST(test_wait__shielded_is_not_given_up)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct thing thing = {.count = 0};
    struct waiter waiter = {.thing = &thing};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_shielded_task, &waiter);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_cancel_shielded_checkpoint());
    ck_assert_int_eq(waiter.rc, 1);
    thing_wake(&thing, 3);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(waiter.rc, 3);
    ck_assert_int_eq(thing.abandoned, 0);
}

struct remembered {
    anyc_task *task;
    uint64_t id;
};

static int remember_task(void *arg)
{
    struct remembered *remembered = arg;

    remembered->task = anyc__task();
    remembered->id = remembered->task->id;
    return anyc_checkpoint();
}

ANYC_TEST(test_wait__a_task_that_ended_is_told_from_the_one_that_follows_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct remembered first, second;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, remember_task, &first);
    ck_assert_ok(anyc_checkpoint());
    ck_assert(anyc__task_alive(first.task, first.id));
    ck_assert(!anyc__task_alive(first.task, first.id + 1));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert(!anyc__task_alive(first.task, first.id));
    spawn(&group, remember_task, &second);
    ck_assert_ok(anyc_checkpoint());
    ck_assert_ptr_eq(second.task, first.task);
    ck_assert(anyc__task_alive(second.task, second.id));
    ck_assert(!anyc__task_alive(first.task, first.id));
    ck_assert(!anyc__task_alive(NULL, 1));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

ANYC_TEST_PLAIN(test_wait__no_task_is_alive_outside_of_a_run)
{
    struct remembered remembered;

    ck_assert_ok(run_on_backend(remember_task, &remembered));
    ck_assert(!anyc__task_alive(remembered.task, remembered.id));
}
