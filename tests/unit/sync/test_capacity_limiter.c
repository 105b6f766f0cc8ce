/* SPDX-License-Identifier: MIT */
/*
 * test_capacity_limiter.c - anyc_capacity_limiter. AnyIO: TestCapacityLimiter. What it shares with
 * locks and semaphores is tested in contract/sync/test_exclusive.c.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/capacity_limiter.h>
#include <anyc/error.h>
#include <anyc/event.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/testing.h>
#include <anyc/thread.h>

#include <math.h>

#include "support/fail_alloc.h"
#include "support/steps.h"

struct player {
    anyc_capacity_limiter *limiter;
    const void *borrower;
    anyc_event *event; /* held until it is set */
    anyc_event entered;
    struct steps *steps;
    char letter;
    int rc;
};

static anyc_capacity_limiter_stats statistics(const anyc_capacity_limiter *limiter)
{
    anyc_capacity_limiter_stats stats;

    anyc_capacity_limiter_statistics(limiter, &stats);
    return stats;
}

static int hold_once(void *arg)
{
    struct player *player = arg;

    player->rc = anyc_capacity_limiter_acquire(player->limiter);
    if (player->rc == 0)
        ck_assert_ok(anyc_capacity_limiter_release(player->limiter));
    return player->rc;
}

static int hold_until_event(void *arg)
{
    struct player *player = arg;

    player->rc = anyc_capacity_limiter_acquire(player->limiter);
    if (player->rc < 0)
        return player->rc;
    anyc_event_set(&player->entered);
    ck_assert_ok(anyc_event_wait(player->event));
    if (player->steps != NULL)
        steps_add(player->steps, player->letter);
    return anyc_capacity_limiter_release(player->limiter);
}

/* SY-043 */
ANYC_TEST_PLAIN(test_capacity_limiter__refuses_what_is_no_number_of_tokens)
{
    const double bad[] = {-1, -0.5, 0.5, 2.25, -INFINITY, NAN};
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(7);

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(anyc_capacity_limiter_init(&limiter, bad[i]), ANYC_EINVAL);
        ck_assert_int_eq(anyc_capacity_limiter_set_total_tokens(&limiter, bad[i]), ANYC_EINVAL);
        ck_assert_double_eq(anyc_capacity_limiter_total_tokens(&limiter), 7);
    }
    ck_assert_ok(anyc_capacity_limiter_init(&limiter, 1e300));
    ck_assert_double_eq(anyc_capacity_limiter_total_tokens(&limiter), 1e300);
}

/* SY-045 */
ANYC_TEST(test_capacity_limiter__counts_its_tokens)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(2);

    ck_assert_double_eq(anyc_capacity_limiter_total_tokens(&limiter), 2);
    ck_assert_double_eq(anyc_capacity_limiter_available_tokens(&limiter), 2);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 0);
    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter));
    ck_assert_double_eq(anyc_capacity_limiter_total_tokens(&limiter), 2);
    ck_assert_double_eq(anyc_capacity_limiter_available_tokens(&limiter), 1);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 1);
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    ck_assert_double_eq(anyc_capacity_limiter_available_tokens(&limiter), 2);
}

struct shared {
    anyc_capacity_limiter limiter;
    int value;
};

static int enter_five_times(void *arg)
{
    struct shared *shared = arg;

    for (int i = 0; i < 5; i++) {
        ck_assert_ok(anyc_capacity_limiter_acquire(&shared->limiter));
        ck_assert_int_eq(shared->value, 0);
        shared->value = 1;
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        shared->value = 0;
        ck_assert_ok(anyc_capacity_limiter_release(&shared->limiter));
    }
    return 0;
}

/* SY-046 */
ANYC_TEST(test_capacity_limiter__keeps_its_limit)
{
    struct shared shared = {.limiter = ANYC_CAPACITY_LIMITER_INIT(1)};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 3; i++)
        ck_assert_ok(anyc_task_group_start_soon(&group, enter_five_times, &shared, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&shared.limiter), 0);
}

/* SY-047 */
ANYC_TEST(test_capacity_limiter__refuses_a_borrower_that_holds_a_token)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    int me = 0;

    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter));
    ck_assert_int_eq(anyc_capacity_limiter_acquire(&limiter), ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "holds a token"));
    ck_assert_int_eq(anyc_capacity_limiter_acquire_nowait(&limiter), ANYC_ESTATE);
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    ck_assert_ok(anyc_capacity_limiter_acquire_on_behalf_of(&limiter, &me));
    ck_assert_int_eq(anyc_capacity_limiter_acquire_on_behalf_of(&limiter, &me), ANYC_ESTATE);
    ck_assert_int_eq(anyc_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &me), ANYC_ESTATE);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 1);
    ck_assert_ok(anyc_capacity_limiter_release_on_behalf_of(&limiter, &me));
}

ANYC_TEST(test_capacity_limiter__refuses_a_release_by_who_holds_no_token)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(2);
    int me = 0;

    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter));
    ck_assert_int_eq(anyc_capacity_limiter_release_on_behalf_of(&limiter, &me), ANYC_ESTATE);
    ck_assert_int_eq(anyc_capacity_limiter_release_on_behalf_of(&limiter, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_capacity_limiter_acquire_on_behalf_of(&limiter, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, NULL),
                     ANYC_EINVAL);
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    ck_assert_int_eq(anyc_capacity_limiter_release(&limiter), ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "holds no token"));
}

static int set_flag(void *arg)
{
    *(bool *)arg = true;
    return 0;
}

ANYC_TEST(test_capacity_limiter__acquire_lets_others_run)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, set_flag, &ran, NULL));
    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter));
    ck_assert(ran);
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

static int wait_then_acquire(void *arg)
{
    struct player *player = arg;

    ck_assert_ok(anyc_event_wait(&player[0].entered));
    ck_assert_ok(anyc_capacity_limiter_acquire(player->limiter));
    anyc_event_set(player->event);
    return anyc_capacity_limiter_release(player->limiter);
}

/* SY-049 */
ANYC_TEST(test_capacity_limiter__a_higher_total_lets_a_waiter_in)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    anyc_event event2 = ANYC_EVENT_INIT;
    struct player player = {.limiter = &limiter, .event = &event2};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, hold_until_event, &player, "W"));
    ck_assert_ok(anyc_task_group_start_soon(&group, wait_then_acquire, &player, "S"));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert(anyc_event_is_set(&player.entered));
    ck_assert(!anyc_event_is_set(&event2));
    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&limiter, 2));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(anyc_event_is_set(&event2));
}

/* SY-050 */
ANYC_TEST(test_capacity_limiter__the_one_for_threads_has_40_tokens)
{
    const anyc_capacity_limiter *limiter = anyc_current_default_thread_limiter();

    ck_assert_ptr_nonnull(limiter);
    ck_assert_double_eq(anyc_capacity_limiter_total_tokens(limiter), 40);
}

/* SY-051 */
ANYC_TEST(test_capacity_limiter__statistics_show_all)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    struct player player = {.limiter = &limiter};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_info me;

    ck_assert_ok(anyc_get_current_task(&me));
    ck_assert_double_eq(statistics(&limiter).total_tokens, 1);
    ck_assert_uint_eq(statistics(&limiter).borrowed_tokens, 0);
    ck_assert_uint_eq(statistics(&limiter).tasks_waiting, 0);
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter));
    ck_assert_uint_eq(statistics(&limiter).borrowed_tokens, 1);
    ck_assert_uint_eq(statistics(&limiter).borrowers[0].task_id, me.id);
    ck_assert_ptr_null(statistics(&limiter).borrowers[0].object);
    for (size_t i = 1; i <= 2; i++) {
        ck_assert_ok(anyc_task_group_start_soon(&group, hold_once, &player, NULL));
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        ck_assert_uint_eq(statistics(&limiter).tasks_waiting, i);
    }
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_eq(statistics(&limiter).borrowed_tokens, 0);
    ck_assert_uint_eq(statistics(&limiter).tasks_waiting, 0);
}

static int hold_over_a_checkpoint(void *arg)
{
    struct player *player = arg;
    int rc = anyc_capacity_limiter_acquire(player->limiter);

    if (rc < 0)
        return rc;
    rc = anyc_checkpoint();
    ck_assert_ok(anyc_capacity_limiter_release(player->limiter));
    player->rc = rc;
    return rc;
}

/* SY-052 */
ANYC_TEST_WITH(test_capacity_limiter__a_cancelled_holder_does_not_block_the_next,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    struct player players[2] = {{.limiter = &limiter, .rc = 1}, {.limiter = &limiter, .rc = 1}};
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
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 0);
}

static int signal_and_hold(void *arg, anyc_task_status *status)
{
    ck_assert_ok(anyc_task_status_started(status, NULL));
    return hold_until_event(arg);
}

/* SY-053 and SY-R09 */
ANYC_TEST(test_capacity_limiter__serves_waiters_as_they_came)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    anyc_event event = ANYC_EVENT_INIT;
    struct steps steps = {""};
    struct player players[3];
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (size_t i = 0; i < 3; i++) {
        players[i] = (struct player){
            .limiter = &limiter, .event = &event, .steps = &steps, .letter = (char)('0' + i)};
        ck_assert_ok(anyc_task_group_start(&group, signal_and_hold, &players[i], NULL, NULL));
    }
    anyc_event_set(&event);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_steps(&steps, "012");
}

/* SY-054 */
ANYC_TEST_WITH(test_capacity_limiter__a_higher_total_lets_late_comers_in,
               .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    anyc_event go_on = ANYC_EVENT_INIT;
    struct player players[3];
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (size_t i = 0; i < 3; i++)
        players[i] = (struct player){.limiter = &limiter, .event = &go_on};
    ck_assert_ok(anyc_task_group_start_soon(&group, hold_until_event, &players[0], NULL));
    ck_assert_ok(anyc_task_group_start_soon(&group, hold_until_event, &players[1], NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert(anyc_event_is_set(&players[0].entered));
    ck_assert(!anyc_event_is_set(&players[1].entered));
    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&limiter, 3));
    ck_assert_ok(anyc_task_group_start_soon(&group, hold_until_event, &players[2], NULL));
    ck_assert_ok(anyc_fail_after(&scope, 1, false));
    ck_assert_ok(anyc_event_wait(&players[1].entered));
    ck_assert_ok(anyc_event_wait(&players[2].entered));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    anyc_event_set(&go_on);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

static int acquire_and_release(void *arg)
{
    ck_assert_ok(anyc_capacity_limiter_acquire(arg));
    return anyc_capacity_limiter_release(arg);
}

/* SY-055 */
ANYC_TEST_PLAIN(test_capacity_limiter__is_made_before_a_run)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    const anyc_run_options options = {.backend = anyc_testing_backend()};
    int me = 0;

    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&limiter, 2));
    ck_assert_int_eq(anyc_capacity_limiter_set_total_tokens(&limiter, 1.5), ANYC_EINVAL);
    ck_assert_double_eq(anyc_capacity_limiter_total_tokens(&limiter), 2);
    ck_assert_double_eq(anyc_capacity_limiter_available_tokens(&limiter), 2);
    ck_assert_uint_eq(statistics(&limiter).borrowed_tokens, 0);
    ck_assert_uint_eq(statistics(&limiter).tasks_waiting, 0);
    ck_assert_int_eq(anyc_capacity_limiter_acquire(&limiter), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_capacity_limiter_acquire_nowait(&limiter), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_capacity_limiter_release(&limiter), ANYC_ENOLOOP);
    ck_assert_ok(anyc_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &me));
    ck_assert_ptr_eq(statistics(&limiter).borrowers[0].object, &me);
    ck_assert_ok(anyc_capacity_limiter_release_on_behalf_of(&limiter, &me));
    ck_assert_ok(anyc_run_with(acquire_and_release, &limiter, &options));
}

/* SY-056, SY-057 and SY-R07, outside a run */
static void take_zero_and_unlimited(void)
{
    const double unlimited[] = {INFINITY, HUGE_VAL, (double)HUGE_VALF, strtod("inf", NULL)};
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(0);

    ck_assert_double_eq(anyc_capacity_limiter_total_tokens(&limiter), 0);
    ck_assert_ok(anyc_capacity_limiter_init(&limiter, 1));
    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&limiter, 0));
    ck_assert_double_eq(anyc_capacity_limiter_total_tokens(&limiter), 0);
    ck_assert_int_eq(anyc_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &limiter),
                     ANYC_EWOULDBLOCK);
    for (size_t i = 0; i < sizeof unlimited / sizeof unlimited[0]; i++) {
        ck_assert_ok(anyc_capacity_limiter_init(&limiter, unlimited[i]));
        ck_assert(isinf(anyc_capacity_limiter_total_tokens(&limiter)));
        ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&limiter, 1));
        ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&limiter, unlimited[i]));
        ck_assert(isinf(anyc_capacity_limiter_total_tokens(&limiter)));
        ck_assert(isinf(anyc_capacity_limiter_available_tokens(&limiter)));
        ck_assert_ok(anyc_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &limiter));
        ck_assert(isinf(anyc_capacity_limiter_available_tokens(&limiter)));
    }
}

/* SY-056, SY-057 and SY-R07, outside a run */
ANYC_TEST_PLAIN(test_capacity_limiter__takes_zero_and_unlimited_outside_a_run)
{
    take_zero_and_unlimited();
}

/* SY-R07, in a run */
ANYC_TEST(test_capacity_limiter__takes_zero_and_unlimited_in_a_run)
{
    take_zero_and_unlimited();
}

static int take_nowait(void *arg)
{
    return anyc_capacity_limiter_acquire_nowait(arg);
}

/* SY-059 */
ANYC_TEST(test_capacity_limiter__acquire_nowait_does_not_wait)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    const anyc_task_error *errors;
    size_t count;

    ck_assert_ok(anyc_capacity_limiter_acquire_nowait(&limiter));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, take_nowait, &limiter, NULL));
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_EWOULDBLOCK);
    errors = anyc_task_group_errors(&group, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(errors[0].code, ANYC_EWOULDBLOCK);
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
}

static int take_on_behalf(void *arg)
{
    struct player *player = arg;

    player->rc = anyc_capacity_limiter_acquire_on_behalf_of(player->limiter, player->borrower);
    if (player->rc == 0 && player->steps != NULL)
        steps_add(player->steps, player->letter);
    return player->rc;
}

/* SY-061 and SY-R01 */
ANYC_TEST(test_capacity_limiter__a_released_token_belongs_to_the_waiter_at_once)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    int a, b, x;
    struct player player = {.limiter = &limiter, .borrower = &b, .rc = 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_capacity_limiter_acquire_on_behalf_of(&limiter, &a));
    ck_assert_ok(anyc_task_group_start_soon(&group, take_on_behalf, &player, NULL));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_uint_eq(statistics(&limiter).tasks_waiting, 1);
    ck_assert_ok(anyc_capacity_limiter_release_on_behalf_of(&limiter, &a));
    ck_assert_int_eq(anyc_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &x),
                     ANYC_EWOULDBLOCK);
    ck_assert_uint_eq(statistics(&limiter).borrowed_tokens, 1);
    ck_assert_double_eq(anyc_capacity_limiter_available_tokens(&limiter), 0);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(player.rc, 0);
    ck_assert_uint_eq(statistics(&limiter).borrowed_tokens, 1);
    ck_assert_ptr_eq(statistics(&limiter).borrowers[0].object, &b);
}

/* Tasks that wait for a limiter whose tokens the test holds on behalf of `held`. Static in each
 * test, as it is large. */
struct crowd {
    anyc_capacity_limiter limiter;
    char held[4];
    struct steps steps;
    struct player players[8];
    anyc_task_handle handles[8];
    anyc_task_group group;
};

static void crowd_open(struct crowd *crowd, double tokens)
{
    ck_assert_ok(anyc_capacity_limiter_init(&crowd->limiter, tokens));
    for (size_t i = 0; (double)i < tokens; i++)
        ck_assert_ok(
            anyc_capacity_limiter_acquire_on_behalf_of_nowait(&crowd->limiter, &crowd->held[i]));
    ck_assert_ok(anyc_task_group_enter(&crowd->group));
}

/* One waiter for each letter, on behalf of what the letter stands for. */
static void crowd_wait(struct crowd *crowd, const char *letters)
{
    static const char borrowers[256];

    for (size_t i = 0; letters[i] != '\0'; i++) {
        crowd->players[i] = (struct player){.limiter = &crowd->limiter,
                                            .borrower = &borrowers[(unsigned char)letters[i]],
                                            .steps = &crowd->steps,
                                            .letter = letters[i]};
        ck_assert_ok(anyc_task_group_create_task(&crowd->group, take_on_behalf, &crowd->players[i],
                                                 NULL, &crowd->handles[i]));
    }
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_uint_eq(statistics(&crowd->limiter).tasks_waiting, strlen(letters));
}

static void crowd_give_back(struct crowd *crowd, const void *borrower, const char *entered)
{
    ck_assert_ok(anyc_capacity_limiter_release_on_behalf_of(&crowd->limiter, borrower));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_steps(&crowd->steps, entered);
}

/* SY-R19 */
ANYC_TEST(test_capacity_limiter__two_tasks_wait_on_behalf_of_one_borrower)
{
    static struct crowd crowd;

    crowd_open(&crowd, 1);
    crowd_wait(&crowd, "bb");
    crowd_give_back(&crowd, &crowd.held[0], "b");
    ck_assert_uint_eq(statistics(&crowd.limiter).tasks_waiting, 1);
    crowd_give_back(&crowd, crowd.players[0].borrower, "bb");
    ck_assert_uint_eq(statistics(&crowd.limiter).borrowed_tokens, 1);
    crowd_give_back(&crowd, crowd.players[0].borrower, "bb");
    ck_assert_uint_eq(statistics(&crowd.limiter).borrowed_tokens, 0);
    ck_assert_ok(anyc_task_group_exit(&crowd.group, 0));
}

ANYC_TEST(test_capacity_limiter__lets_others_pass_one_whose_borrower_holds_a_token)
{
    static struct crowd crowd;
    char d;

    crowd_open(&crowd, 3);
    crowd_wait(&crowd, "bbbc");
    crowd_give_back(&crowd, &crowd.held[0], "b");
    crowd_give_back(&crowd, &crowd.held[1], "bc");
    crowd_give_back(&crowd, &crowd.held[2], "bc"); /* a free token that no waiter may take */
    ck_assert_uint_eq(statistics(&crowd.limiter).tasks_waiting, 2);
    ck_assert_double_eq(anyc_capacity_limiter_available_tokens(&crowd.limiter), 1);
    ck_assert_ok(anyc_capacity_limiter_acquire_on_behalf_of(&crowd.limiter, &d));
    crowd_give_back(&crowd, crowd.players[0].borrower, "bcb");
    crowd_give_back(&crowd, crowd.players[0].borrower, "bcbb");
    ck_assert_ok(anyc_task_group_exit(&crowd.group, 0));
}

/* SY-R11 */
ANYC_TEST(test_capacity_limiter__a_higher_total_lets_in_as_many_as_fit_now)
{
    static struct crowd crowd;

    crowd_open(&crowd, 2);
    crowd_wait(&crowd, "abcdef");
    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&crowd.limiter, 1));
    ck_assert_double_eq(anyc_capacity_limiter_available_tokens(&crowd.limiter), -1);
    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&crowd.limiter, 4));
    ck_assert_uint_eq(statistics(&crowd.limiter).borrowed_tokens, 4);
    ck_assert_uint_eq(statistics(&crowd.limiter).tasks_waiting, 4);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_steps(&crowd.steps, "ab");
    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&crowd.limiter, INFINITY));
    ck_assert_ok(anyc_task_group_exit(&crowd.group, 0));
    ck_assert_steps(&crowd.steps, "abcdef");
    ck_assert_uint_eq(statistics(&crowd.limiter).borrowed_tokens, 8);
}

ANYC_TEST(test_capacity_limiter__lowered_lets_nobody_in_until_enough_came_back)
{
    static struct crowd crowd;

    crowd_open(&crowd, 3);
    crowd_wait(&crowd, "ab");
    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&crowd.limiter, 1));
    ck_assert_double_eq(anyc_capacity_limiter_available_tokens(&crowd.limiter), -2);
    crowd_give_back(&crowd, &crowd.held[0], "");
    crowd_give_back(&crowd, &crowd.held[1], "");
    ck_assert_double_eq(anyc_capacity_limiter_available_tokens(&crowd.limiter), 0);
    crowd_give_back(&crowd, &crowd.held[2], "a");
    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&crowd.limiter, 0));
    crowd_give_back(&crowd, crowd.players[0].borrower, "a");
    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&crowd.limiter, 1));
    ck_assert_ok(anyc_task_group_exit(&crowd.group, 0));
    ck_assert_steps(&crowd.steps, "ab");
}

ANYC_TEST(test_capacity_limiter__a_cancelled_waiter_gets_no_token_of_a_higher_total)
{
    static struct crowd crowd;

    crowd_open(&crowd, 1);
    crowd_wait(&crowd, "abc");
    anyc_task_handle_cancel(&crowd.handles[1], NULL);
    ck_assert_uint_eq(statistics(&crowd.limiter).tasks_waiting, 2);
    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&crowd.limiter, 3));
    ck_assert_ok(anyc_task_group_exit(&crowd.group, 0));
    ck_assert_steps(&crowd.steps, "ac");
    ck_assert_uint_eq(statistics(&crowd.limiter).borrowed_tokens, 3);
}

ANYC_TEST(test_capacity_limiter__tells_tasks_and_objects_apart)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(2);
    anyc_task_info me;

    ck_assert_ok(anyc_get_current_task(&me));
    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter));
    ck_assert_ok(
        anyc_capacity_limiter_acquire_on_behalf_of(&limiter, (const void *)(uintptr_t)me.id));
    ck_assert_int_eq(anyc_capacity_limiter_acquire(&limiter), ANYC_ESTATE);
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    ck_assert_int_eq(anyc_capacity_limiter_release(&limiter), ANYC_ESTATE);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 1);
}

static int acquire_without_memory(void *arg)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(100);
    char borrowers[17];

    (void)arg;
    fail_alloc_arm(1);
    for (size_t i = 0; i < 8; i++)
        ck_assert_ok(anyc_capacity_limiter_acquire_on_behalf_of(&limiter, &borrowers[i]));
    ck_assert_int_eq(anyc_capacity_limiter_acquire_on_behalf_of(&limiter, &borrowers[8]),
                     ANYC_ENOMEM);
    fail_alloc_arm(1);
    ck_assert_int_eq(anyc_capacity_limiter_acquire(&limiter), ANYC_ENOMEM);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 8);
    fail_alloc_arm(2); /* one block is enough for 16 */
    for (size_t i = 8; i < 16; i++)
        ck_assert_ok(anyc_capacity_limiter_acquire_on_behalf_of(&limiter, &borrowers[i]));
    ck_assert_int_eq(anyc_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &borrowers[16]),
                     ANYC_ENOMEM);
    fail_alloc_arm(1);
    for (size_t i = 0; i < 16; i++)
        ck_assert_ok(anyc_capacity_limiter_release_on_behalf_of(&limiter, &borrowers[i]));
    for (size_t i = 0; i < 16; i++) /* warm: needs no memory any more */
        ck_assert_ok(anyc_capacity_limiter_acquire_on_behalf_of(&limiter, &borrowers[i]));
    ck_assert(!fail_alloc_disarm());
    anyc_capacity_limiter_deinit(&limiter);
    return 0;
}

ANYC_TEST_PLAIN(test_capacity_limiter__takes_no_token_without_memory)
{
    fail_alloc_install();
    ck_assert_ok(anyc_run(acquire_without_memory, anyc_testing_backend()));
    ck_assert_int_eq(fail_alloc_live(), 0);
}

static int raise_without_memory(void *arg)
{
    static struct crowd crowd;

    (void)arg;
    crowd_open(&crowd, 4);
    crowd_wait(&crowd, "abcdef");
    fail_alloc_arm(1);
    ck_assert_int_eq(anyc_capacity_limiter_set_total_tokens(&crowd.limiter, 10), ANYC_ENOMEM);
    fail_alloc_arm(1);
    ck_assert_double_eq(anyc_capacity_limiter_total_tokens(&crowd.limiter), 4);
    ck_assert_uint_eq(statistics(&crowd.limiter).tasks_waiting, 6);
    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(&crowd.limiter, 8));
    crowd_give_back(&crowd, &crowd.held[0], "abcde");
    crowd_give_back(&crowd, &crowd.held[1], "abcdef");
    ck_assert(!fail_alloc_disarm());
    ck_assert_ok(anyc_task_group_exit(&crowd.group, 0));
    anyc_capacity_limiter_deinit(&crowd.limiter);
    return 0;
}

ANYC_TEST_PLAIN(test_capacity_limiter__is_not_raised_without_memory)
{
    fail_alloc_install();
    ck_assert_ok(anyc_run(raise_without_memory, anyc_testing_backend()));
    ck_assert_int_eq(fail_alloc_live(), 0);
}

ANYC_TEST(test_capacity_limiter__deinit_makes_it_ready_for_another_init)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(100);
    char borrowers[100];

    for (size_t i = 0; i < 100; i++)
        ck_assert_ok(anyc_capacity_limiter_acquire_on_behalf_of_nowait(&limiter, &borrowers[i]));
    ck_assert_int_eq(anyc_capacity_limiter_acquire_nowait(&limiter), ANYC_EWOULDBLOCK);
    anyc_capacity_limiter_deinit(&limiter);
    anyc_capacity_limiter_deinit(&limiter);
    anyc_capacity_limiter_deinit(NULL);
    ck_assert_ok(anyc_capacity_limiter_init(&limiter, 1));
    ck_assert_ok(anyc_capacity_limiter_acquire_nowait(&limiter));
}
