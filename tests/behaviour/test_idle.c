/* SPDX-License-Identifier: MIT */
/*
 * test_idle.c - waiting costs nothing: no wait polls, whatever is cancelled or shielded.
 * AnyIO: test_taskgroups.py.
 *
 * The real clock is used, as the loop's turns and the CPU time are what is measured.
 */
#include "support/tasks.h"

#include <anyc/event.h>
#include <anyc/instrument.h>

#include <time.h>

static void count_poll(double timeout, void *arg)
{
    (void)timeout;
    ++*(int *)arg;
}

static const anyc_instrument poll_counter = {.before_poll = count_poll};

/* Of this process, in seconds. */
static double cpu_time(void)
{
    struct timespec now;

    ck_assert_ok(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now));
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int sleep_shielded_task(void *arg)
{
    anyc_cancel_scope shield;
    int rc;

    ck_assert_ok(anyc_move_on_after(&shield, INFINITY, true));
    rc = sleeper_task(arg);
    return anyc_cancel_scope_exit(&shield, rc);
}

static int host_sleeper_task(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, sleep_shielded_task, arg);
    return anyc_task_group_exit(&group, 0);
}

/* TG-017, TG-R03 */
ANYC_TEST(test_idle__a_cancelled_group_does_not_poll_for_a_shielded_grandchild)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct sleeper sleeper = {.seconds = 0.5};
    double begin = anyc_current_time();
    double cpu;
    int polls = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, host_sleeper_task, &sleeper);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_add_instrument(&poll_counter, &polls));
    anyc_task_group_cancel(&group, NULL);
    cpu = cpu_time();
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_double_lt(cpu_time() - cpu, 0.1);
    ck_assert_int_lt(polls, 10);
    ck_assert(sleeper.done);
    ck_assert_double_ge(anyc_current_time() - begin, 0.5);
}

static int leave_scope_open_task(void *arg)
{
    return anyc_cancel_scope_enter(arg, NULL);
}

/* TG-018, TG-R01 */
ANYC_TEST(test_idle__a_scope_of_an_ended_task_is_not_cancelled_again_and_again)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    int polls = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, leave_scope_open_task, &scope);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&scope, NULL);
    for (int i = 0; i < 5; i++)
        ck_assert_ok(anyc_checkpoint());
    ck_assert_ok(anyc_add_instrument(&poll_counter, &polls));
    ck_assert_ok(anyc_sleep(0.1));
    ck_assert_int_lt(polls, 10);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

static int leave_group_open_task(void *arg)
{
    return anyc_task_group_enter(arg);
}

/* TG-R01 */
ANYC_TEST(test_idle__a_group_of_an_ended_task_is_not_cancelled_again_and_again)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_group left_open = ANYC_TASK_GROUP_INIT;
    int polls = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, leave_group_open_task, &left_open);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&left_open, NULL);
    ck_assert_ok(anyc_add_instrument(&poll_counter, &polls));
    ck_assert_ok(anyc_sleep(0.1));
    ck_assert_int_lt(polls, 10);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

struct setter {
    anyc_event event;
    bool waited; /* the child, in its shield, got it */
};

static int set_later_task(void *arg)
{
    int rc = anyc_sleep(0.2);

    anyc_event_set(arg);
    return rc;
}

static int wait_shielded_task(void *arg)
{
    struct setter *setter = arg;
    anyc_cancel_scope shield;

    ck_assert_ok(anyc_move_on_after(&shield, INFINITY, true));
    ck_assert_ok(anyc_sleep(0.2));
    ck_assert_ok(anyc_event_wait(&setter->event));
    setter->waited = true;
    return anyc_cancel_scope_exit(&shield, 0);
}

/* TG-079, TG-R03 */
ANYC_TEST(test_idle__waiting_for_a_shielded_child_takes_no_cpu_time)
{
    anyc_task_group outer = ANYC_TASK_GROUP_INIT;
    anyc_task_group inner = ANYC_TASK_GROUP_INIT;
    struct setter setter = {0};
    double cpu;

    ck_assert_ok(anyc_task_group_enter(&outer));
    spawn(&outer, set_later_task, &setter.event);
    ck_assert_ok(anyc_task_group_enter(&inner));
    spawn(&inner, wait_shielded_task, &setter);
    anyc_task_group_cancel(&inner, NULL);
    cpu = cpu_time();
    ck_assert_ok(anyc_task_group_exit(&inner, 0));
    ck_assert_double_lt(cpu_time() - cpu, 0.2);
    ck_assert(setter.waited);
    ck_assert_ok(anyc_task_group_exit(&outer, 0));
}

ANYC_TEST(test_idle__a_sleeping_loop_does_not_turn)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    int polls = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 10; i++)
        spawn(&group, forever_task, NULL);
    ck_assert_ok(anyc_move_on_after(&scope, 1000, false));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_add_instrument(&poll_counter, &polls));
    ck_assert_ok(anyc_sleep(0.2));
    ck_assert_int_lt(polls, 10);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}
