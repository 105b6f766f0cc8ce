/* SPDX-License-Identifier: MIT */
/*
 * test_condition.c - anyc_condition. AnyIO: TestCondition.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/condition.h>
#include <anyc/error.h>
#include <anyc/event.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "support/steps.h"

struct player {
    anyc_condition *condition;
    struct steps *steps;
    anyc_event *event;
    char letter;
    int rc;
};

static anyc_condition_stats statistics(const anyc_condition *condition)
{
    anyc_condition_stats stats;

    anyc_condition_statistics(condition, &stats);
    return stats;
}

static int notify_everybody(void *arg)
{
    ck_assert_ok(anyc_condition_acquire(arg));
    ck_assert_ok(anyc_condition_notify_all(arg));
    return anyc_condition_release(arg);
}

/* Waits, and notes its letter once it holds the lock again. */
static int wait_once(void *arg)
{
    struct player *player = arg;

    ck_assert_ok(anyc_condition_acquire(player->condition));
    player->rc = anyc_condition_wait(player->condition);
    if (player->rc == 0)
        steps_add(player->steps, player->letter);
    ck_assert_ok(anyc_condition_release(player->condition));
    return player->rc;
}

/* SY-020 and SY-021: in C the scoped form is acquire and release, too. */
ANYC_TEST(test_condition__a_notified_task_holds_the_lock_again)
{
    anyc_condition condition = ANYC_CONDITION_INIT;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_condition_acquire(&condition));
    ck_assert(anyc_condition_locked(&condition));
    ck_assert_ok(anyc_task_group_start_soon(&group, notify_everybody, &condition, NULL));
    ck_assert_ok(anyc_condition_wait(&condition));
    ck_assert(anyc_condition_locked(&condition));
    ck_assert_ok(anyc_condition_release(&condition));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(!anyc_condition_locked(&condition));
}

/* SY-022 */
ANYC_TEST(test_condition__is_acquired_without_waiting_when_free)
{
    anyc_condition condition = ANYC_CONDITION_INIT;

    ck_assert_ok(anyc_condition_acquire_nowait(&condition));
    ck_assert(anyc_condition_locked(&condition));
    ck_assert_ok(anyc_condition_release(&condition));
}

static int fail_to_acquire_nowait(void *arg)
{
    ck_assert_int_eq(anyc_condition_acquire_nowait(arg), ANYC_EWOULDBLOCK);
    return 0;
}

/* SY-023 */
ANYC_TEST(test_condition__is_not_acquired_without_waiting_when_held)
{
    anyc_condition condition = ANYC_CONDITION_INIT;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_condition_acquire(&condition));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, fail_to_acquire_nowait, &condition, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_condition_release(&condition));
}

static int announce_and_wait(void *arg)
{
    struct player *player = arg;

    ck_assert_ok(anyc_condition_acquire(player->condition));
    anyc_event_set(player->event);
    player->rc = anyc_condition_wait(player->condition);
    if (player->rc == 0)
        steps_add(player->steps, player->letter);
    ck_assert_ok(anyc_condition_release(player->condition));
    return player->rc;
}

/* SY-024 */
ANYC_TEST(test_condition__a_cancelled_wait_leaves_with_the_lock)
{
    anyc_condition condition = ANYC_CONDITION_INIT;
    anyc_event event = ANYC_EVENT_INIT;
    struct steps steps = {""};
    struct player player = {&condition, &steps, &event, 'a', 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, announce_and_wait, &player, NULL));
    ck_assert_ok(anyc_event_wait(&event));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(player.rc, ANYC_ECANCELLED);
    ck_assert_steps(&steps, "");
    ck_assert(!anyc_condition_locked(&condition));
    ck_assert_uint_eq(statistics(&condition).tasks_waiting, 0);
}

/* SY-026 */
ANYC_TEST(test_condition__refuses_who_does_not_hold_it)
{
    anyc_condition condition = ANYC_CONDITION_INIT;

    ck_assert_int_eq(anyc_condition_wait(&condition), ANYC_ESTATE);
    ck_assert_int_eq(anyc_condition_wait_for(&condition, NULL, NULL), ANYC_ESTATE);
    ck_assert_int_eq(anyc_condition_notify(&condition, 1), ANYC_ESTATE);
    ck_assert_int_eq(anyc_condition_notify_all(&condition), ANYC_ESTATE);
    ck_assert_int_eq(anyc_condition_release(&condition), ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "nobody holds"));
    ck_assert(!anyc_condition_locked(&condition));
}

/* SY-027 */
ANYC_TEST(test_condition__statistics_count_the_waiters)
{
    anyc_condition condition = ANYC_CONDITION_INIT;
    struct steps steps = {""};
    struct player player = {&condition, &steps, NULL, 'a', 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert(!statistics(&condition).lock_statistics.locked);
    ck_assert_uint_eq(statistics(&condition).tasks_waiting, 0);
    ck_assert_ok(anyc_condition_acquire(&condition));
    ck_assert(statistics(&condition).lock_statistics.locked);
    ck_assert_uint_eq(statistics(&condition).tasks_waiting, 0);
    ck_assert_ok(anyc_condition_release(&condition));
    ck_assert_ok(anyc_task_group_enter(&group));
    for (size_t i = 1; i <= 2; i++) {
        ck_assert_ok(anyc_task_group_start_soon(&group, wait_once, &player, NULL));
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        ck_assert_uint_eq(statistics(&condition).tasks_waiting, i);
    }
    for (size_t i = 2; i > 0; i--) {
        ck_assert_ok(anyc_condition_acquire(&condition));
        ck_assert_ok(anyc_condition_notify(&condition, 1));
        ck_assert_ok(anyc_condition_release(&condition));
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        ck_assert_uint_eq(statistics(&condition).tasks_waiting, i - 1);
    }
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(!statistics(&condition).lock_statistics.locked);
    ck_assert_uint_eq(statistics(&condition).tasks_waiting, 0);
}

static int acquire_and_release(void *arg)
{
    ck_assert_ok(anyc_condition_acquire(arg));
    return anyc_condition_release(arg);
}

/* SY-028 */
ANYC_TEST_PLAIN(test_condition__is_made_before_a_run)
{
    anyc_condition condition = ANYC_CONDITION_INIT;
    const anyc_run_options options = {.backend = anyc_testing_backend()};

    ck_assert_uint_eq(statistics(&condition).tasks_waiting, 0);
    ck_assert_int_eq(anyc_condition_wait(&condition), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_condition_acquire(&condition), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_condition_acquire_nowait(&condition), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_condition_notify(&condition, 1), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_condition_release(&condition), ANYC_ENOLOOP);
    ck_assert_ok(anyc_run_with(acquire_and_release, &condition, &options));
    ck_assert(!anyc_condition_locked(&condition));
}

static int take_the_released_lock(void *arg)
{
    struct player *player = arg;

    ck_assert_ok(anyc_condition_acquire_nowait(player->condition));
    ck_assert_ok(anyc_condition_notify(player->condition, 5)); /* more than there are */
    ck_assert_uint_eq(statistics(player->condition).tasks_waiting, 0);
    ck_assert_uint_eq(statistics(player->condition).lock_statistics.tasks_waiting, 1);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    steps_add(player->steps, 'n'); /* the notified task did not run without the lock */
    return anyc_condition_release(player->condition);
}

/* SY-R17 */
ANYC_TEST(test_condition__wait_gives_the_lock_away_and_has_it_on_return)
{
    anyc_condition condition = ANYC_CONDITION_INIT;
    struct steps steps = {""};
    struct player player = {&condition, &steps, NULL, 'a', 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_condition_acquire(&condition));
    ck_assert_ok(anyc_task_group_start_soon(&group, take_the_released_lock, &player, NULL));
    ck_assert_ok(anyc_condition_wait(&condition));
    steps_add(&steps, 'w');
    ck_assert_ok(anyc_condition_release(&condition));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_steps(&steps, "nw");
}

/* Three tasks wait on a condition, and one that the test has the handles of. */
struct crowd {
    anyc_condition condition;
    struct steps steps;
    struct player players[3];
    anyc_task_handle handles[3];
    anyc_task_group group;
};

static void crowd_gather(struct crowd *crowd)
{
    *crowd = (struct crowd){.steps = {""}};
    ck_assert_ok(anyc_task_group_enter(&crowd->group));
    for (size_t i = 0; i < 3; i++) {
        crowd->players[i] =
            (struct player){&crowd->condition, &crowd->steps, NULL, (char)('a' + i), 1};
        ck_assert_ok(anyc_task_group_create_task(&crowd->group, wait_once, &crowd->players[i], NULL,
                                                 &crowd->handles[i]));
    }
    ck_assert_ok(anyc_wait_all_tasks_blocked());
}

ANYC_TEST(test_condition__notifies_those_who_waited_longest)
{
    struct crowd crowd;

    crowd_gather(&crowd);
    ck_assert_ok(anyc_condition_acquire(&crowd.condition));
    ck_assert_ok(anyc_condition_notify(&crowd.condition, 0));
    ck_assert_uint_eq(statistics(&crowd.condition).tasks_waiting, 3);
    ck_assert_ok(anyc_condition_notify(&crowd.condition, 2));
    ck_assert_uint_eq(statistics(&crowd.condition).tasks_waiting, 1);
    ck_assert_ok(anyc_condition_release(&crowd.condition));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_steps(&crowd.steps, "ab");
    ck_assert_ok(notify_everybody(&crowd.condition));
    ck_assert_ok(anyc_task_group_exit(&crowd.group, 0));
    ck_assert_steps(&crowd.steps, "abc");
}

static void cancel_then_notify_two(size_t position, const char *expected)
{
    struct crowd crowd;

    crowd_gather(&crowd);
    ck_assert_ok(anyc_condition_acquire(&crowd.condition));
    anyc_task_handle_cancel(&crowd.handles[position], NULL);
    ck_assert_uint_eq(statistics(&crowd.condition).tasks_waiting, 2);
    ck_assert_ok(anyc_condition_notify(&crowd.condition, 2));
    ck_assert_uint_eq(statistics(&crowd.condition).tasks_waiting, 0);
    ck_assert_ok(anyc_condition_release(&crowd.condition));
    ck_assert_ok(anyc_task_group_exit(&crowd.group, 0));
    ck_assert_steps(&crowd.steps, expected);
    ck_assert_int_eq(crowd.players[position].rc, ANYC_ECANCELLED);
    ck_assert(!anyc_condition_locked(&crowd.condition));
}

ANYC_TEST(test_condition__a_waiter_cancelled_first_takes_no_notification)
{
    cancel_then_notify_two(0, "bc");
    cancel_then_notify_two(1, "ac");
    cancel_then_notify_two(2, "ab");
}

static void notify_all_then_cancel(size_t position)
{
    struct crowd crowd;

    crowd_gather(&crowd);
    ck_assert_ok(anyc_condition_acquire(&crowd.condition));
    ck_assert_ok(anyc_condition_notify_all(&crowd.condition));
    anyc_task_handle_cancel(&crowd.handles[position], NULL);
    ck_assert_uint_eq(statistics(&crowd.condition).lock_statistics.tasks_waiting, 3);
    ck_assert_ok(anyc_condition_release(&crowd.condition));
    ck_assert_ok(anyc_task_group_exit(&crowd.group, 0));
    ck_assert_steps(&crowd.steps, "abc");
    ck_assert(!anyc_condition_locked(&crowd.condition));
}

ANYC_TEST(test_condition__a_notification_before_the_cancel_wins)
{
    for (size_t position = 0; position < 3; position++)
        notify_all_then_cancel(position);
}

ANYC_TEST(test_condition__a_cancelled_waiter_queues_for_the_lock_behind_a_shield)
{
    struct crowd crowd;

    crowd_gather(&crowd);
    ck_assert_ok(anyc_condition_acquire(&crowd.condition));
    anyc_task_group_cancel(&crowd.group, NULL);
    ck_assert_uint_eq(statistics(&crowd.condition).tasks_waiting, 0);
    ck_assert_ok(anyc_cancel_shielded_checkpoint());
    ck_assert_uint_eq(statistics(&crowd.condition).lock_statistics.tasks_waiting, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(crowd.players[i].rc, 1); /* not yet */
    ck_assert_ok(anyc_condition_release(&crowd.condition));
    ck_assert_ok(anyc_task_group_exit(&crowd.group, 0));
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(crowd.players[i].rc, ANYC_ECANCELLED);
    ck_assert(!anyc_condition_locked(&crowd.condition));
}

ANYC_TEST(test_condition__a_wait_in_a_cancelled_scope_keeps_the_lock)
{
    anyc_condition condition = ANYC_CONDITION_INIT;
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_condition_acquire(&condition));
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_condition_wait(&condition), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_condition_wait_for(&condition, NULL, NULL), ANYC_ECANCELLED);
    ck_assert(anyc_condition_locked(&condition));
    ck_assert_ok(anyc_condition_release(&condition));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
}

ANYC_TEST_WITH(test_condition__a_deadline_ends_the_wait, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_condition condition = ANYC_CONDITION_INIT;
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_condition_acquire(&condition));
    ck_assert_ok(anyc_fail_after(&scope, 5, false));
    ck_assert_int_eq(anyc_condition_wait(&condition), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED), ANYC_ETIMEDOUT);
    ck_assert_ok(anyc_condition_release(&condition));
}

ANYC_TEST(test_condition__shares_a_lock_that_it_is_given)
{
    anyc_lock lock = ANYC_LOCK_INIT;
    anyc_condition condition = ANYC_CONDITION_INIT_LOCK(&lock);
    anyc_condition other;

    anyc_condition_init(&other, &lock);
    ck_assert_ok(anyc_lock_acquire(&lock));
    ck_assert(anyc_condition_locked(&condition));
    ck_assert_int_eq(anyc_condition_acquire_nowait(&other), ANYC_ESTATE);
    ck_assert_ok(anyc_condition_notify_all(&condition));
    ck_assert_ok(anyc_condition_release(&other));
    ck_assert(!anyc_lock_locked(&lock));
}

struct counter {
    anyc_condition condition;
    int value;
    int wanted;
    int asked;
};

static int counter_reached(void *arg)
{
    struct counter *counter = arg;

    counter->asked++;
    if (counter->value < 0)
        return -E2BIG;
    return counter->value >= counter->wanted ? counter->value : 0;
}

static int count_up(void *arg)
{
    struct counter *counter = arg;

    for (int i = 0; i < 3; i++) {
        ck_assert_ok(anyc_condition_acquire(&counter->condition));
        counter->value++;
        ck_assert_ok(anyc_condition_notify_all(&counter->condition));
        ck_assert_ok(anyc_condition_release(&counter->condition));
        ck_assert_ok(anyc_wait_all_tasks_blocked());
    }
    return 0;
}

/* AnyIO: Condition.wait_for. */
ANYC_TEST(test_condition__wait_for_answers_what_the_predicate_does)
{
    struct counter counter = {.wanted = 3};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, count_up, &counter, NULL));
    ck_assert_ok(anyc_condition_acquire(&counter.condition));
    ck_assert_int_eq(anyc_condition_wait_for(&counter.condition, counter_reached, &counter), 3);
    ck_assert_int_ge(counter.asked, 3);
    ck_assert_int_eq(anyc_condition_wait_for(&counter.condition, counter_reached, &counter), 3);
    counter.value = -1;
    ck_assert_int_eq(anyc_condition_wait_for(&counter.condition, counter_reached, &counter),
                     -E2BIG);
    ck_assert_ok(anyc_condition_release(&counter.condition));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

ANYC_TEST_WITH(test_condition__wait_for_is_cancelled_with_the_lock_held,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    struct counter counter = {.wanted = 1};
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_condition_acquire(&counter.condition));
    ck_assert_ok(anyc_move_on_after(&scope, 1, false));
    ck_assert_int_eq(anyc_condition_wait_for(&counter.condition, counter_reached, &counter),
                     ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    ck_assert_int_eq(counter.asked, 1);
    ck_assert_ok(anyc_condition_release(&counter.condition));
}

static int notify_and_keep_the_lock(void *arg)
{
    ck_assert_ok(anyc_condition_acquire(arg));
    ck_assert_ok(anyc_condition_notify_all(arg));
    return anyc_sleep_forever();
}

static int deadlock(void *arg)
{
    anyc_condition condition = ANYC_CONDITION_INIT;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int *rc = arg;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, notify_and_keep_the_lock, &condition, NULL));
    ck_assert_ok(anyc_condition_acquire(&condition));
    *rc = anyc_condition_wait(&condition);
    return anyc_task_group_exit(&group, *rc);
}

/* A run that hangs is ended, through the shield in which the lock is taken back. */
ANYC_TEST_PLAIN(test_condition__a_deadlock_ends_the_wait_for_the_lock)
{
    int rc = 1;
    const anyc_run_options options = {.backend = anyc_testing_backend()};

    ck_assert_int_eq(anyc_run_with(deadlock, &rc, &options), ANYC_EDEADLOCK);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "\"notify_and_keep_the_lock\""));
}
