/* SPDX-License-Identifier: MIT */
/*
 * test_to_thread_cancel.c - calls of worker threads that are cancelled, and threads that are
 * abandoned. AnyIO: tests/test_to_thread.py.
 */
#include <check.h>

#include <anyc/capacity_limiter.h>
#include <anyc/error.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/testing.h>
#include <anyc/thread.h>

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "support/thread.h"

#define E1 (-4711)

static const anyc_to_thread_run_sync_options abandon = {.abandon_on_cancel = true};

static int post_gate(void *arg)
{
    sem_post(arg);
    return 0;
}

/* -- cancellation -- */

struct state_call {
    anyc_to_thread_run_sync_options options;
    atomic_int state;
};

static int set_state_2(void *arg)
{
    atomic_store((atomic_int *)arg, 2);
    return 0;
}

static int set_states(void *arg)
{
    struct state_call *call = arg;
    int rc;

    atomic_store(&call->state, 1);
    rc = anyc_to_thread_run_sync(set_state_2, &call->state, &call->options, NULL);
    if (rc == 0)
        atomic_store(&call->state, 3);
    return rc;
}

/* TT-001 */
ANYC_TEST(test_to_thread_cancel__starts_nothing_in_a_cancelled_scope)
{
    for (int variant = 0; variant < 2; variant++) {
        struct state_call call = {.options.abandon_on_cancel = variant == 1};
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        anyc_task_handle handle;
        int before = thread_count_before();

        anyc_task_group_enter(&group);
        anyc_task_group_create_task(&group, set_states, &call, NULL, &handle);
        anyc_task_group_cancel(&group, NULL);
        ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
        ck_assert_int_eq(atomic_load(&call.state), 1);
        ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_CANCELLED);
        ck_assert_int_eq(thread_count(), before);
    }
}

ANYC_TEST(test_to_thread_cancel__cancelled_while_waiting_for_a_token_runs_nothing)
{
    for (int variant = 0; variant < 2; variant++) {
        anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
        struct state_call call = {.options = {variant == 1, &limiter}};
        anyc_task_group group = ANYC_TASK_GROUP_INIT;

        ck_assert_int_eq(anyc_capacity_limiter_acquire(&limiter), 0);
        anyc_task_group_enter(&group);
        anyc_task_group_start_soon(&group, set_states, &call, NULL);
        ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
        anyc_task_group_cancel(&group, NULL);
        ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
        ck_assert_int_eq(atomic_load(&call.state), 1);
        ck_assert_int_eq(anyc_capacity_limiter_release(&limiter), 0);
        ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 0);
    }
}

ANYC_TEST(test_to_thread_cancel__cancelled_with_the_token_in_hand_runs_nothing)
{
    for (int variant = 0; variant < 2; variant++) {
        anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
        struct state_call call = {.options = {variant == 1, &limiter}};
        anyc_task_group group = ANYC_TASK_GROUP_INIT;

        ck_assert_int_eq(anyc_capacity_limiter_acquire(&limiter), 0);
        anyc_task_group_enter(&group);
        anyc_task_group_start_soon(&group, set_states, &call, NULL);
        ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
        ck_assert_int_eq(anyc_capacity_limiter_release(&limiter), 0);
        anyc_task_group_cancel(&group, NULL);
        ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
        ck_assert_int_eq(atomic_load(&call.state), 1);
        ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 0);
    }
}

struct race {
    anyc_to_thread_run_sync_options options;
    anyc_event asleep;
    anyc_event done;
    const char *_Atomic last;
};

static int race_thread(void *arg)
{
    struct race *race = arg;

    loop_event_set(&race->asleep);
    usleep(200000);
    race->last = "thread";
    loop_event_set(&race->done);
    return 0;
}

static int race_task(void *arg)
{
    struct race *race = arg;
    int rc = anyc_to_thread_run_sync(race_thread, race, &race->options, NULL);

    race->last = "task";
    return rc;
}

static const char *race_run(bool abandon_on_cancel)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct race race = {.options.abandon_on_cancel = abandon_on_cancel};

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, race_task, &race, NULL);
    ck_assert_int_eq(anyc_event_wait(&race.asleep), 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(anyc_event_wait(&race.done), 0);
    wait_for_tokens(anyc_current_default_thread_limiter());
    return race.last;
}

/* TT-004, abandon off and on */
ANYC_TEST(test_to_thread_cancel__waits_for_the_thread_unless_told_to_abandon_it)
{
    ck_assert_str_eq(race_run(false), "task");
    ck_assert_str_eq(race_run(true), "thread");
}

struct shielded {
    sem_t gate;
    int code;
    int call_rc;
    int next_rc;
};

static int wait_and_return_code(void *arg)
{
    struct shielded *shielded = arg;

    return gate_wait(&shielded->gate) ? shielded->code : E1;
}

static int call_wait_and_return_code(void *arg)
{
    struct shielded *shielded = arg;

    shielded->call_rc = anyc_to_thread_run_sync(wait_and_return_code, shielded, NULL, NULL);
    shielded->next_rc = anyc_checkpoint();
    return 0;
}

ANYC_TEST(test_to_thread_cancel__gives_a_cancelled_task_the_functions_own_code)
{
    static const int codes[] = {0, -4712};

    for (size_t i = 0; i < 2; i++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        struct shielded shielded = {.code = codes[i]};

        sem_init(&shielded.gate, 0, 0);
        anyc_task_group_enter(&group);
        anyc_task_group_start_soon(&group, call_wait_and_return_code, &shielded, NULL);
        ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
        anyc_task_group_cancel(&group, NULL);
        sem_post(&shielded.gate);
        ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
        ck_assert_int_eq(shielded.call_rc, codes[i]);
        ck_assert_int_eq(shielded.next_rc, ANYC_ECANCELLED);
        sem_destroy(&shielded.gate);
    }
}

/* -- abandoned threads -- */

struct abandoned {
    anyc_to_thread_run_sync_options options;
    sem_t gate;
    atomic_bool saw_gate;
    anyc_event ended;
    int rc;
};

static int abandoned_thread(void *arg)
{
    struct abandoned *abandoned = arg;

    abandoned->saw_gate = gate_wait(&abandoned->gate);
    loop_event_set(&abandoned->ended);
    return 0;
}

static int abandoned_task(void *arg)
{
    struct abandoned *abandoned = arg;

    abandoned->rc = anyc_to_thread_run_sync(abandoned_thread, abandoned, &abandoned->options, NULL);
    return abandoned->rc;
}

static void abandoned_init(struct abandoned *abandoned, anyc_capacity_limiter *limiter)
{
    *abandoned = (struct abandoned){.options = {true, limiter}};
    sem_init(&abandoned->gate, 0, 0);
}

/* Starts the call and cancels it once the thread is under way. */
static void abandoned_run(struct abandoned *abandoned)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, abandoned_task, abandoned, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(abandoned->rc, ANYC_ECANCELLED);
}

/* TT-005 */
ANYC_TEST(test_to_thread_cancel__lets_an_abandoned_thread_finish)
{
    struct abandoned abandoned;

    abandoned_init(&abandoned, NULL);
    abandoned_run(&abandoned);
    ck_assert(!abandoned.saw_gate);
    ck_assert_int_eq(anyc_to_thread_run_sync(post_gate, &abandoned.gate, NULL, NULL), 0);
    ck_assert_int_eq(anyc_event_wait(&abandoned.ended), 0);
    ck_assert(abandoned.saw_gate);
    wait_for_tokens(anyc_current_default_thread_limiter());
    sem_destroy(&abandoned.gate);
}

static int sleep_200_ms(void *arg)
{
    anyc_event *ended = arg;

    usleep(200000);
    loop_event_set(ended);
    return 0;
}

static int call_sleep_200_ms(void *arg)
{
    return anyc_to_thread_run_sync(sleep_200_ms, arg, &abandon, NULL);
}

/* TT-007: the event cannot have been set unless the group waited for the 0.2 s. */
ANYC_TEST(test_to_thread_cancel__abandons_when_its_handle_is_cancelled)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    anyc_event ended = ANYC_EVENT_INIT;

    anyc_task_group_enter(&group);
    anyc_task_group_create_task(&group, call_sleep_200_ms, &ended, NULL, &handle);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(anyc_task_handle_state(&handle), ANYC_TASK_CANCELLED);
    ck_assert(!anyc_event_is_set(&ended));
    ck_assert_int_eq(anyc_event_wait(&ended), 0);
    wait_for_tokens(anyc_current_default_thread_limiter());
}

ANYC_TEST(test_to_thread_cancel__keeps_the_token_until_an_abandoned_thread_has_ended)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    struct abandoned abandoned;

    abandoned_init(&abandoned, &limiter);
    abandoned_run(&abandoned);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 1);
    sem_post(&abandoned.gate);
    ck_assert_int_eq(anyc_capacity_limiter_acquire(&limiter), 0);
    ck_assert(abandoned.saw_gate);
    ck_assert_int_eq(anyc_capacity_limiter_release(&limiter), 0);
    sem_destroy(&abandoned.gate);
}

struct late {
    sem_t gate;
    sem_t ended;
};

static int late_thread(void *arg)
{
    struct late *late = arg;

    gate_wait(&late->gate);
    sem_post(&late->ended);
    return 0;
}

static int late_task(void *arg)
{
    return anyc_to_thread_run_sync(late_thread, arg, &abandon, NULL);
}

static int late_main(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, late_task, arg, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_task_group_cancel(&group, NULL);
    return anyc_task_group_exit(&group, 0);
}

ANYC_TEST_PLAIN(test_to_thread_cancel__ends_a_run_without_waiting_for_abandoned_threads)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};
    int before = thread_count_before();
    struct late late;

    sem_init(&late.gate, 0, 0);
    sem_init(&late.ended, 0, 0);
    ck_assert_int_eq(anyc_run_with(late_main, &late, &options), 0);
    ck_assert_int_eq(thread_count(), before + 1);
    sem_post(&late.gate);
    ck_assert(gate_wait(&late.ended));
    ck_assert(thread_count_falls_to(before));
    sem_destroy(&late.gate);
    sem_destroy(&late.ended);
}

static int flicker(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
    return 0;
}

static int call_flicker(void *arg)
{
    return anyc_to_thread_run_sync(flicker, arg, &abandon, NULL);
}

/* Cancellation and the end of the function come in every order. */
ANYC_TEST(test_to_thread_cancel__survives_being_cancelled_at_any_moment)
{
    static atomic_int count;
    struct timespec pause = {0};

    for (int i = 0; i < 300; i++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;

        anyc_task_group_enter(&group);
        for (int k = 0; k < 4; k++)
            anyc_task_group_start_soon(&group, call_flicker, &count, NULL);
        ck_assert_int_eq(anyc_checkpoint(), 0);
        pause.tv_nsec = i * 500L;
        nanosleep(&pause, NULL);
        if (i % 2 == 0)
            ck_assert_int_eq(anyc_checkpoint(), 0);
        anyc_task_group_cancel(&group, NULL);
        ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    }
    wait_for_tokens(anyc_current_default_thread_limiter());
}
