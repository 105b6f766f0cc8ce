/* SPDX-License-Identifier: MIT */
/*
 * test_lowlevel.c - checkpoints, and who runs at them. AnyIO: test_lowlevel.py.
 */
#include "support/tasks.h"

struct turns {
    anyc_task_group *group;
    bool cancel;
    bool finished;
    int rc; /* what the call under test answered */
    bool other_ran;
    bool finished_then; /* as the other task saw it */
};

static int other_task(void *arg)
{
    struct turns *turns = arg;

    turns->other_ran = true;
    turns->finished_then = turns->finished;
    return 0;
}

static int check_if_cancelled_task(void *arg)
{
    struct turns *turns = arg;

    spawn(turns->group, other_task, turns);
    if (turns->cancel)
        anyc_task_group_cancel(turns->group, NULL);
    turns->rc = anyc_checkpoint_if_cancelled();
    turns->finished = turns->rc == 0;
    return turns->rc;
}

/* LL-001 */
ANYC_TEST(test_lowlevel__checkpoint_if_cancelled_lets_nobody_run_before)
{
    for (int cancel = 0; cancel <= 1; cancel++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        struct turns turns = {.group = &group, .cancel = cancel == 1};

        ck_assert_ok(anyc_task_group_enter(&group));
        spawn(&group, check_if_cancelled_task, &turns);
        ck_assert_ok(anyc_task_group_exit(&group, 0));
        ck_assert(turns.other_ran);
        ck_assert_int_eq(turns.rc, cancel ? ANYC_ECANCELLED : 0);
        ck_assert_int_eq(turns.finished_then, !cancel);
    }
}

static int shielded_checkpoint_task(void *arg)
{
    struct turns *turns = arg;

    turns->rc = anyc_cancel_shielded_checkpoint();
    turns->finished = turns->rc == 0;
    return turns->rc;
}

static int checkpoint_task(void *arg)
{
    struct turns *turns = arg;

    turns->rc = anyc_checkpoint();
    turns->finished = turns->rc == 0;
    return turns->rc;
}

static struct turns take_turns(anyc_task_fn fn, bool cancel)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct turns turns = {.group = &group};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, fn, &turns);
    spawn(&group, other_task, &turns);
    if (cancel)
        anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(turns.other_ran);
    return turns;
}

/* LL-002 */
ANYC_TEST(test_lowlevel__shielded_checkpoint_lets_others_run_and_meets_no_cancellation)
{
    for (int cancel = 0; cancel <= 1; cancel++) {
        struct turns turns = take_turns(shielded_checkpoint_task, cancel == 1);

        ck_assert_int_eq(turns.rc, 0);
        ck_assert(turns.finished);
        ck_assert(!turns.finished_then);
    }
}

/* LL-003 */
ANYC_TEST(test_lowlevel__checkpoint_lets_others_run_and_meets_a_cancellation)
{
    for (int cancel = 0; cancel <= 1; cancel++) {
        struct turns turns = take_turns(checkpoint_task, cancel == 1);

        ck_assert_int_eq(turns.rc, cancel ? ANYC_ECANCELLED : 0);
        ck_assert_int_eq(turns.finished, !cancel);
        ck_assert(!turns.finished_then);
    }
}

static int cancel_scope_task(void *arg)
{
    anyc_cancel_scope_cancel(arg, NULL);
    return 0;
}

ANYC_TEST(test_lowlevel__checkpoint_meets_a_cancellation_that_came_while_others_ran)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    spawn(&group, cancel_scope_task, &scope);
    rc = anyc_checkpoint();
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

static int step_task(void *arg)
{
    struct steps *steps = ((void **)arg)[0];
    const char *letter = ((void **)arg)[1];

    for (int i = 0; i < 3; i++) {
        steps_add(steps, *letter);
        ck_assert_ok(anyc_checkpoint());
    }
    return 0;
}

ANYC_TEST(test_lowlevel__tasks_take_turns_in_the_order_of_their_spawn)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct steps steps = {""};
    char letters[] = "abc";
    void *args[3][2];

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 3; i++) {
        args[i][0] = &steps;
        args[i][1] = &letters[i];
        spawn(&group, step_task, args[i]);
    }
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_steps(&steps, "abcabcabc");
}

/* EL-002 */
ANYC_TEST_WITH(test_lowlevel__sleep_until_the_past_is_a_checkpoint, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, note_task, &ran);
    ck_assert_ok(anyc_sleep_until(anyc_current_time() - 500));
    ck_assert(ran);
    ck_assert_ok(anyc_sleep_until(-INFINITY));
    ck_assert_ok(anyc_sleep(-1));
    ck_assert_double_eq(anyc_current_time(), 0);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_sleep_until(-500), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_sleep(-1), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
}

ANYC_TEST(test_lowlevel__sleep_needs_a_number)
{
    ck_assert_int_eq(anyc_sleep(NAN), ANYC_EINVAL);
    ck_assert_int_eq(anyc_sleep_until(NAN), ANYC_EINVAL);
}

struct ready {
    bool stop;
    long calls;
};

/* Calls a function that never has to wait. */
static int busy_task(void *arg)
{
    struct ready *ready = arg;
    anyc_cancel_scope scope;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;
    bool ran = false;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_create_task(&group, note_task, &ran, NULL, &handle));
    for (ready->calls = 0; !ready->stop && ready->calls < 1000000; ready->calls++)
        ck_assert_ok(anyc_task_handle_wait(&handle, NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    return anyc_cancel_scope_exit(&scope, 0);
}

/* Fairness by budget: calls that need not wait let others run now and then. */
ANYC_TEST(test_lowlevel__calls_that_need_not_wait_let_others_run)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct ready ready = {0};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, busy_task, &ready);
    ck_assert_ok(anyc_checkpoint());
    ck_assert_ok(anyc_checkpoint());
    ck_assert_ok(anyc_checkpoint());
    ready.stop = true;
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_lt(ready.calls, 1000);
}
