/* SPDX-License-Identifier: MIT */
/*
 * test_semaphore.c - anyc_semaphore. AnyIO: TestSemaphore. What it shares with locks and limiters
 * is tested in contract/sync/test_exclusive.c.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/semaphore.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "support/steps.h"

struct player {
    anyc_semaphore *semaphore;
    int rc;
};

static size_t waiting(const anyc_semaphore *semaphore)
{
    anyc_semaphore_stats stats;

    anyc_semaphore_statistics(semaphore, &stats);
    return stats.tasks_waiting;
}

static int hold_and_look(void *arg)
{
    ck_assert_ok(anyc_semaphore_acquire(arg));
    ck_assert_uint_le(anyc_semaphore_value(arg), 1);
    return anyc_semaphore_release(arg);
}

/* SY-030 and SY-031: in C the scoped form is acquire and release, too. */
ANYC_TEST(test_semaphore__lets_in_as_many_as_there_are_slots)
{
    anyc_semaphore semaphore = ANYC_SEMAPHORE_INIT(2);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, hold_and_look, &semaphore, NULL));
    ck_assert_ok(anyc_task_group_start_soon(&group, hold_and_look, &semaphore, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 2);
}

static int set_flag(void *arg)
{
    *(bool *)arg = true;
    return 0;
}

/* SY-032 */
ANYC_TEST(test_semaphore__fast_acquire_does_not_let_others_run)
{
    for (int fast = 0; fast < 2; fast++) {
        anyc_semaphore semaphore;
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        bool ran = false;

        ck_assert_ok(anyc_semaphore_init(&semaphore, 1,
                                         &(anyc_semaphore_options){.fast_acquire = fast == 1}));
        ck_assert_ok(anyc_task_group_enter(&group));
        ck_assert_ok(anyc_task_group_start_soon(&group, set_flag, &ran, NULL));
        ck_assert_ok(anyc_semaphore_acquire(&semaphore));
        ck_assert_int_eq(ran, fast == 0);
        ck_assert_ok(anyc_semaphore_release(&semaphore));
        ck_assert_ok(anyc_task_group_exit(&group, 0));
    }
}

/* SY-033 */
ANYC_TEST(test_semaphore__acquire_nowait_takes_what_is_free)
{
    anyc_semaphore semaphore = ANYC_SEMAPHORE_INIT(1);

    ck_assert_ok(anyc_semaphore_acquire_nowait(&semaphore));
    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 0);
    ck_assert_int_eq(anyc_semaphore_acquire_nowait(&semaphore), ANYC_EWOULDBLOCK);
    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 0);
}

static int signal_and_acquire(void *arg, anyc_task_status *status)
{
    struct player *player = arg;

    ck_assert_ok(anyc_task_status_started(status, NULL));
    player->rc = anyc_semaphore_acquire(player->semaphore);
    return player->rc;
}

/* SY-034 */
ANYC_TEST(test_semaphore__a_cancelled_waiter_never_gets_a_slot)
{
    for (int release_first = 0; release_first < 2; release_first++) {
        anyc_semaphore semaphore = ANYC_SEMAPHORE_INIT(1);
        struct player player = {&semaphore, 1};
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        anyc_cancel_scope shield;

        ck_assert_ok(anyc_task_group_enter(&group));
        ck_assert_ok(anyc_semaphore_acquire(&semaphore));
        ck_assert_ok(anyc_task_group_start(&group, signal_and_acquire, &player, NULL, NULL));
        anyc_task_group_cancel(&group, NULL);
        ck_assert_ok(
            anyc_cancel_scope_enter(&shield, &(anyc_cancel_scope_options){.shield = true}));
        if (release_first)
            ck_assert_ok(anyc_semaphore_release(&semaphore));
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        if (!release_first)
            ck_assert_ok(anyc_semaphore_release(&semaphore));
        ck_assert_ok(anyc_cancel_scope_exit(&shield, 0));
        ck_assert_ok(anyc_task_group_exit(&group, 0));
        ck_assert_int_eq(player.rc, ANYC_ECANCELLED);
        ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 1);
    }
}

/* SY-035 */
ANYC_TEST(test_semaphore__shows_its_maximum)
{
    anyc_semaphore with = ANYC_SEMAPHORE_INIT_MAX(0, 2);
    anyc_semaphore without = ANYC_SEMAPHORE_INIT(0);
    anyc_semaphore made;

    ck_assert_uint_eq(anyc_semaphore_max_value(&with), 2);
    ck_assert_uint_eq(anyc_semaphore_max_value(&without), 0);
    ck_assert_ok(anyc_semaphore_init(&made, 0, &(anyc_semaphore_options){.max_value = 2}));
    ck_assert_uint_eq(anyc_semaphore_max_value(&made), 2);
    ck_assert_ok(anyc_semaphore_init(&made, 0, NULL));
    ck_assert_uint_eq(anyc_semaphore_max_value(&made), 0);
}

/* SY-036 */
ANYC_TEST(test_semaphore__is_not_released_beyond_its_maximum)
{
    anyc_semaphore semaphore = ANYC_SEMAPHORE_INIT_MAX(1, 2);

    ck_assert_ok(anyc_semaphore_release(&semaphore));
    ck_assert_int_eq(anyc_semaphore_release(&semaphore), ANYC_EINVAL);
    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 2);
}

static int hold_once(void *arg)
{
    struct player *player = arg;

    player->rc = anyc_semaphore_acquire(player->semaphore);
    if (player->rc == 0)
        ck_assert_ok(anyc_semaphore_release(player->semaphore));
    return player->rc;
}

static int acquire_and_keep(void *arg)
{
    struct player *player = arg;

    player->rc = anyc_semaphore_acquire(player->semaphore);
    return player->rc;
}

ANYC_TEST(test_semaphore__a_release_that_feeds_a_waiter_does_not_count_against_the_maximum)
{
    anyc_semaphore semaphore = ANYC_SEMAPHORE_INIT_MAX(0, 1);
    struct player players[2] = {{&semaphore, 1}, {&semaphore, 1}};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, acquire_and_keep, &players[0], NULL));
    ck_assert_ok(anyc_task_group_start_soon(&group, acquire_and_keep, &players[1], NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_semaphore_release(&semaphore));
    ck_assert_ok(anyc_semaphore_release(&semaphore));
    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 0);
    ck_assert_ok(anyc_semaphore_release(&semaphore));
    ck_assert_int_eq(anyc_semaphore_release(&semaphore), ANYC_EINVAL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

/* SY-037 */
ANYC_TEST(test_semaphore__statistics_count_the_waiters)
{
    anyc_semaphore semaphore = ANYC_SEMAPHORE_INIT(1);
    struct player player = {&semaphore, 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_uint_eq(waiting(&semaphore), 0);
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_semaphore_acquire(&semaphore));
    ck_assert_uint_eq(waiting(&semaphore), 0);
    for (size_t i = 1; i <= 2; i++) {
        ck_assert_ok(anyc_task_group_start_soon(&group, hold_once, &player, NULL));
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        ck_assert_uint_eq(waiting(&semaphore), i);
    }
    ck_assert_ok(anyc_semaphore_release(&semaphore));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_eq(waiting(&semaphore), 0);
}

/* SY-038 */
ANYC_TEST(test_semaphore__a_released_slot_belongs_to_the_waiter_at_once)
{
    anyc_semaphore semaphore = ANYC_SEMAPHORE_INIT(1);
    struct player player = {&semaphore, 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_semaphore_acquire(&semaphore));
    ck_assert_ok(anyc_task_group_start_soon(&group, hold_once, &player, NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_semaphore_release(&semaphore));
    ck_assert_int_eq(anyc_semaphore_acquire_nowait(&semaphore), ANYC_EWOULDBLOCK);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(player.rc, 0);
    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 1);
}

static int hold_over_a_checkpoint(void *arg)
{
    struct player *player = arg;
    int rc = anyc_semaphore_acquire(player->semaphore);

    if (rc < 0)
        return rc;
    rc = anyc_checkpoint();
    ck_assert_ok(anyc_semaphore_release(player->semaphore));
    player->rc = rc;
    return rc;
}

/* SY-039 */
ANYC_TEST_WITH(test_semaphore__a_cancelled_holder_does_not_block_the_next,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_semaphore semaphore = ANYC_SEMAPHORE_INIT(1);
    struct player players[2] = {{&semaphore, 1}, {&semaphore, 1}};
    anyc_task_handle handles[2];
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (size_t i = 0; i < 2; i++)
        ck_assert_ok(anyc_task_group_create_task(&group, hold_over_a_checkpoint, &players[i], NULL,
                                                 &handles[i]));
    ck_assert_ok(anyc_checkpoint());
    anyc_task_handle_cancel(&handles[0], NULL);
    ck_assert_ok(anyc_fail_after(&scope, 1, false));
    ck_assert_ok(anyc_task_handle_wait(&handles[1], NULL));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(players[1].rc, 0);
    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 1);
}

/* SY-040 */
ANYC_TEST(test_semaphore__is_handed_over_before_a_cancel_that_follows_the_release)
{
    anyc_semaphore semaphore = ANYC_SEMAPHORE_INIT_MAX(0, 1);
    struct player player = {&semaphore, 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, hold_once, &player, NULL, &handle));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_semaphore_release(&semaphore));
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 0);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(player.rc, 0); /* what came first wins */
    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 1);
    ck_assert_uint_eq(waiting(&semaphore), 0);
    ck_assert_ok(anyc_semaphore_acquire_nowait(&semaphore));
}

/* SY-042 */
ANYC_TEST_PLAIN(test_semaphore__is_made_before_a_run)
{
    anyc_semaphore semaphore = ANYC_SEMAPHORE_INIT_MAX(1, 3);
    const anyc_run_options options = {.backend = anyc_testing_backend()};

    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 1);
    ck_assert_uint_eq(anyc_semaphore_max_value(&semaphore), 3);
    ck_assert_uint_eq(waiting(&semaphore), 0);
    ck_assert_int_eq(anyc_semaphore_acquire(&semaphore), ANYC_ENOLOOP);
    ck_assert_ok(anyc_run_with(hold_and_look, &semaphore, &options));
    ck_assert_ok(anyc_semaphore_acquire_nowait(&semaphore));
    ck_assert_ok(anyc_semaphore_release(&semaphore));
    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 1);
}

ANYC_TEST_PLAIN(test_semaphore__refuses_a_maximum_below_its_value)
{
    anyc_semaphore semaphore = ANYC_SEMAPHORE_INIT(7);

    ck_assert_int_eq(anyc_semaphore_init(&semaphore, 2, &(anyc_semaphore_options){.max_value = 1}),
                     ANYC_EINVAL);
    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), 7);
    ck_assert_ok(anyc_semaphore_init(&semaphore, 2, &(anyc_semaphore_options){.max_value = 2}));
}

ANYC_TEST_PLAIN(test_semaphore__does_not_overflow)
{
    anyc_semaphore semaphore = ANYC_SEMAPHORE_INIT(SIZE_MAX);

    ck_assert_int_eq(anyc_semaphore_release(&semaphore), ANYC_EINVAL);
    ck_assert_uint_eq(anyc_semaphore_value(&semaphore), SIZE_MAX);
}
