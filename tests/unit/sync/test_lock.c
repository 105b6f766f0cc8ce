/* SPDX-License-Identifier: MIT */
/*
 * test_lock.c - anyc_lock. AnyIO: TestLock. What it shares with semaphores and limiters is tested
 * in contract/sync/test_exclusive.c.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/event.h>
#include <anyc/lock.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "support/steps.h"

struct player {
    anyc_lock *lock;
    struct steps *steps;
    anyc_event *event;
    int rc;
};

static anyc_lock_stats statistics(const anyc_lock *lock)
{
    anyc_lock_stats stats;

    anyc_lock_statistics(lock, &stats);
    return stats;
}

static int play_second(void *arg)
{
    struct player *player = arg;

    ck_assert(anyc_lock_locked(player->lock));
    ck_assert_ok(anyc_lock_acquire(player->lock));
    steps_add(player->steps, '2');
    return anyc_lock_release(player->lock);
}

/* SY-001 and SY-002: in C the scoped form is acquire and release, too. */
ANYC_TEST(test_lock__lets_in_one_after_the_other)
{
    anyc_lock lock = ANYC_LOCK_INIT;
    struct steps steps = {""};
    struct player player = {.lock = &lock, .steps = &steps};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_lock_acquire(&lock));
    ck_assert_ok(anyc_task_group_start_soon(&group, play_second, &player, NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    steps_add(&steps, '1');
    ck_assert_ok(anyc_lock_release(&lock));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_steps(&steps, "12");
    ck_assert(!anyc_lock_locked(&lock));
}

static int set_flag(void *arg)
{
    *(bool *)arg = true;
    return 0;
}

/* Does acquiring the free lock let another task run? */
static bool acquire_yields(anyc_lock *lock)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool ran = false;
    bool yielded;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, set_flag, &ran, NULL));
    ck_assert_ok(anyc_lock_acquire(lock));
    yielded = ran;
    ck_assert_ok(anyc_lock_release(lock));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    return yielded;
}

/* SY-003 */
ANYC_TEST(test_lock__fast_acquire_does_not_let_others_run)
{
    anyc_lock lock = ANYC_LOCK_INIT_FAST;
    anyc_lock other;

    anyc_lock_init(&other, &(anyc_lock_options){.fast_acquire = true});
    ck_assert(!acquire_yields(&lock));
    ck_assert(!acquire_yields(&other));
}

ANYC_TEST(test_lock__acquire_lets_others_run_otherwise)
{
    anyc_lock lock = ANYC_LOCK_INIT;
    anyc_lock other;

    anyc_lock_init(&other, NULL);
    ck_assert(acquire_yields(&lock));
    ck_assert(acquire_yields(&other));
}

/* SY-006, SY-007 and SY-R05 */
ANYC_TEST(test_lock__refuses_its_owner)
{
    for (int fast = 0; fast < 2; fast++) {
        anyc_lock lock;

        anyc_lock_init(&lock, &(anyc_lock_options){.fast_acquire = fast == 1});
        ck_assert_ok(anyc_lock_acquire(&lock));
        ck_assert_int_eq(anyc_lock_acquire(&lock), ANYC_ESTATE);
        ck_assert_int_eq(anyc_lock_acquire_nowait(&lock), ANYC_ESTATE);
        ck_assert(anyc_lock_locked(&lock));
        ck_assert_uint_eq(statistics(&lock).tasks_waiting, 0);
        ck_assert_ok(anyc_lock_release(&lock));

        ck_assert_ok(anyc_lock_acquire_nowait(&lock));
        ck_assert_int_eq(anyc_lock_acquire_nowait(&lock), ANYC_ESTATE);
        ck_assert_int_eq(anyc_lock_acquire(&lock), ANYC_ESTATE);
        ck_assert_ok(anyc_lock_release(&lock));
        ck_assert(!anyc_lock_locked(&lock));
    }
}

static int hold_once(void *arg)
{
    struct player *player = arg;

    player->rc = anyc_lock_acquire(player->lock);
    if (player->rc == 0)
        ck_assert_ok(anyc_lock_release(player->lock));
    return player->rc;
}

/* SY-009 */
ANYC_TEST(test_lock__statistics_count_the_waiters)
{
    anyc_lock lock = ANYC_LOCK_INIT;
    struct player player = {.lock = &lock};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert(!statistics(&lock).locked);
    ck_assert_uint_eq(statistics(&lock).owner_id, 0);
    ck_assert_ptr_null(statistics(&lock).owner_name);
    ck_assert_uint_eq(statistics(&lock).tasks_waiting, 0);
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_lock_acquire(&lock));
    ck_assert(statistics(&lock).locked);
    ck_assert_uint_eq(statistics(&lock).tasks_waiting, 0);
    for (size_t i = 1; i <= 2; i++) {
        ck_assert_ok(anyc_task_group_start_soon(&group, hold_once, &player, NULL));
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        ck_assert(statistics(&lock).locked);
        ck_assert_uint_eq(statistics(&lock).tasks_waiting, i);
    }
    ck_assert_ok(anyc_lock_release(&lock));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(!statistics(&lock).locked);
    ck_assert_uint_eq(statistics(&lock).tasks_waiting, 0);
}

/* SY-011 */
ANYC_TEST(test_lock__is_handed_over_before_a_cancel_that_follows_the_release)
{
    anyc_lock lock = ANYC_LOCK_INIT;
    struct player player = {.lock = &lock, .rc = 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_lock_acquire(&lock));
    ck_assert_ok(anyc_task_group_create_task(&group, hold_once, &player, "task1", &handle));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_lock_release(&lock));
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert_str_eq(statistics(&lock).owner_name, "task1");
    ck_assert_uint_eq(statistics(&lock).owner_id, handle.id);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(player.rc, 0); /* what came first wins */
    ck_assert_ok(anyc_lock_acquire_nowait(&lock));
    ck_assert_uint_eq(statistics(&lock).tasks_waiting, 0);
    ck_assert_ok(anyc_lock_release(&lock));
}

/* SY-012 */
ANYC_TEST_WITH(test_lock__is_not_handed_to_a_waiter_cancelled_before_the_release,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_lock lock = ANYC_LOCK_INIT;
    struct player player = {.lock = &lock, .rc = 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_lock_acquire(&lock));
    ck_assert_ok(anyc_task_group_create_task(&group, hold_once, &player, NULL, &handle));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert_ok(anyc_lock_release(&lock));
    ck_assert_uint_eq(statistics(&lock).tasks_waiting, 0);
    ck_assert_ok(anyc_fail_after(&scope, 3, false));
    ck_assert_ok(anyc_lock_acquire(&lock));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_ok(anyc_lock_release(&lock));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(player.rc, ANYC_ECANCELLED);
}

static int hold_until_event(void *arg)
{
    struct player *player = arg;

    ck_assert_ok(anyc_lock_acquire(player->lock));
    ck_assert_str_eq(statistics(player->lock).owner_name, "task1");
    ck_assert_ok(anyc_event_wait(player->event));
    ck_assert_ok(anyc_lock_release(player->lock));
    ck_assert_str_eq(statistics(player->lock).owner_name, "task2");
    return 0;
}

/* SY-014 */
ANYC_TEST(test_lock__shows_the_next_owner_right_after_the_release)
{
    anyc_lock lock = ANYC_LOCK_INIT;
    anyc_event event = ANYC_EVENT_INIT;
    struct player player1 = {.lock = &lock, .event = &event};
    struct player player2 = {.lock = &lock, .rc = 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, hold_until_event, &player1, "task1"));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_task_group_start_soon(&group, hold_once, &player2, "task2"));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_event_set(&event);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(player2.rc, 0);
}

static int release_what_another_holds(void *arg)
{
    ck_assert_int_eq(anyc_lock_release(arg), ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "\"thief\""));
    ck_assert_ptr_nonnull(
        strstr(anyc_last_error()->message, "test_lock__is_released_by_its_owner_only"));
    return 0;
}

ANYC_TEST(test_lock__is_released_by_its_owner_only)
{
    anyc_lock lock = ANYC_LOCK_INIT;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_int_eq(anyc_lock_release(&lock), ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "nobody"));
    ck_assert_ok(anyc_lock_acquire(&lock));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, release_what_another_holds, &lock, "thief"));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(anyc_lock_locked(&lock));
    ck_assert_ok(anyc_lock_release(&lock));
}

static int keep(void *arg)
{
    return anyc_lock_acquire_nowait(arg);
}

static int meet_a_lock_kept_by_an_ended_task(void *arg)
{
    ck_assert_int_eq(anyc_lock_acquire_nowait(arg), ANYC_EWOULDBLOCK);
    ck_assert_int_eq(anyc_lock_release(arg), ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "has ended"));
    return 0;
}

/* The second task gets the first one's control block. */
ANYC_TEST(test_lock__stays_with_a_task_that_has_ended)
{
    anyc_lock lock = ANYC_LOCK_INIT;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, keep, &lock, NULL, &handle));
    ck_assert_ok(anyc_task_handle_wait(&handle, NULL));
    ck_assert(statistics(&lock).locked);
    ck_assert_uint_eq(statistics(&lock).owner_id, handle.id);
    ck_assert_ptr_null(statistics(&lock).owner_name);
    ck_assert_ok(
        anyc_task_group_start_soon(&group, meet_a_lock_kept_by_an_ended_task, &lock, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

ANYC_TEST_PLAIN(test_lock__answers_outside_a_run)
{
    anyc_lock lock = ANYC_LOCK_INIT;

    ck_assert_int_eq(anyc_lock_acquire(&lock), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_lock_acquire_nowait(&lock), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_lock_release(&lock), ANYC_ENOLOOP);
    ck_assert(!anyc_lock_locked(&lock));
    ck_assert_uint_eq(statistics(&lock).tasks_waiting, 0);
}

static int deadlock(void *arg)
{
    anyc_lock lock = ANYC_LOCK_INIT;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct player player = {.lock = &lock};
    int rc;

    (void)arg;
    ck_assert_ok(anyc_lock_acquire(&lock));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, hold_once, &player, "victim"));
    rc = anyc_task_group_exit(&group, 0); /* with the lock held */
    ck_assert_int_eq(player.rc, ANYC_ECANCELLED);
    ck_assert_uint_eq(statistics(&lock).tasks_waiting, 0);
    return rc;
}

ANYC_TEST_PLAIN(test_lock__a_deadlock_names_its_owner)
{
    ck_assert_int_eq(anyc_run(deadlock, anyc_testing_backend()), ANYC_EDEADLOCK);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "waits for lock"));
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "\"deadlock\""));
}
