/* SPDX-License-Identifier: MIT */
/*
 * test_deadlock.c - runs in which every task waits and nothing can wake one (WHITEBOX, for waits
 * that no cancellation ends).
 */
#include "support/tasks.h"

#include <anyc/event.h>
#include <anyc/lock.h>

#include "core/task.h"

#include <string.h>

/* A message of the run's failure holds this. */
static void check_message(const char *text)
{
    ck_assert_int_eq(anyc_last_error()->code, ANYC_EDEADLOCK);
    ck_assert_msg(strstr(anyc_last_error()->message, text) != NULL, "\"%s\" is not in \"%s\"", text,
                  anyc_last_error()->message);
}

static int wait_for_nothing(void *arg)
{
    anyc_event event = ANYC_EVENT_INIT;

    *(int *)arg = anyc_event_wait(&event);
    return 0;
}

ANYC_TEST_PLAIN(test_deadlock__ends_the_run_and_tells_who_waits)
{
    int rc = 1;

    ck_assert_int_eq(run_on_backend(wait_for_nothing, &rc), ANYC_EDEADLOCK);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    check_message("1 task waits and nothing can wake it");
    check_message("task 1 \"wait_for_nothing\" (");
    check_message("test_deadlock.c:");
    check_message("waits for event");
    forget_last_error();
}

struct locks {
    anyc_lock first;
    anyc_lock second;
    int ended;
};

static int take(struct locks *locks, anyc_lock *own, anyc_lock *other)
{
    int rc = anyc_lock_acquire(own);

    if (rc < 0)
        return rc;
    rc = anyc_wait_all_tasks_blocked();
    if (rc == 0)
        rc = anyc_lock_acquire(other);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_lock_release(own));
    locks->ended++;
    return rc;
}

static int take_forward_task(void *arg)
{
    struct locks *locks = arg;

    return take(locks, &locks->first, &locks->second);
}

static int take_backward_task(void *arg)
{
    struct locks *locks = arg;

    return take(locks, &locks->second, &locks->first);
}

static int embrace(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, take_forward_task, arg);
    spawn(&group, take_backward_task, arg);
    return anyc_task_group_exit(&group, 0);
}

ANYC_TEST_PLAIN(test_deadlock__tells_who_holds_what)
{
    struct locks locks = {0};

    ck_assert_int_eq(run_on_backend(embrace, &locks), ANYC_EDEADLOCK);
    ck_assert_int_eq(locks.ended, 2);
    check_message("3 tasks wait and nothing can wake any");
    check_message("\"embrace\"");
    check_message("waits for task group to end");
    check_message("held by task 2 \"take_forward_task\"");
    check_message("held by task 3 \"take_backward_task\"");
    forget_last_error();
}

static int wait_in_shield(void *arg)
{
    anyc_cancel_scope shield;

    ck_assert_ok(anyc_move_on_after(&shield, INFINITY, true));
    *(int *)arg = anyc_sleep_forever();
    return anyc_cancel_scope_exit(&shield, *(int *)arg);
}

ANYC_TEST_PLAIN(test_deadlock__reaches_into_shields)
{
    int rc = 1;

    ck_assert_int_eq(run_on_backend(wait_in_shield, &rc), ANYC_EDEADLOCK);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    forget_last_error();
}

static const struct wait_type stubborn_wait = {"godot", NULL, NULL};

/* Waits for nothing, and no cancellation ends that. */
static int stubborn_wait_for(int *out_rc)
{
    struct task_wait wait = {.rc = 0};

    *out_rc = anyc__wait_shielded(&wait, &stubborn_wait, NULL);
    return *out_rc;
}

static int stubborn_task(void *arg)
{
    return stubborn_wait_for(arg);
}

static int wait_for_the_stubborn(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, stubborn_task, arg);
    return anyc_task_group_exit(&group, 0);
}

ANYC_TEST_PLAIN(test_deadlock__ends_waits_that_no_cancellation_ends)
{
    int rc = 1;

    ck_assert_int_eq(run_on_backend(wait_for_the_stubborn, &rc), ANYC_EDEADLOCK);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    check_message("waits for godot");
    forget_last_error();
}

/* It gets an older control block than the host of the group that waits for it. */
static int host_of_the_stubborn_task(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    spawn(&group, stubborn_task, arg);
    rc = anyc_task_group_exit(&group, 0);
    return rc;
}

static int leave_a_block_behind(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, note_task, &ran);
    spawn(&group, host_of_the_stubborn_task, arg);
    return anyc_task_group_exit(&group, 0);
}

ANYC_TEST_PLAIN(test_deadlock__ends_children_before_and_after_their_hosts)
{
    int rc = 1;

    ck_assert_int_eq(run_on_backend(leave_a_block_behind, &rc), ANYC_EDEADLOCK);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    forget_last_error();
}

struct start {
    int child_rc;
    int start_rc;
    bool child_ended;
    bool ended_before; /* when the start returned */
};

static int stubborn_start_task(void *arg, anyc_task_status *status)
{
    struct start *start = arg;

    (void)status;
    (void)stubborn_wait_for(&start->child_rc);
    for (int i = 0; i < 5; i++)
        ck_assert_ok(anyc_cancel_shielded_checkpoint());
    start->child_ended = true;
    return start->child_rc;
}

static int start_the_stubborn(void *arg)
{
    struct start *start = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    start->start_rc = anyc_task_group_start(&group, stubborn_start_task, start, NULL, NULL);
    start->ended_before = start->child_ended;
    return anyc_task_group_exit(&group, start->start_rc);
}

ANYC_TEST_PLAIN(test_deadlock__lets_a_start_wait_for_its_task_to_the_end)
{
    struct start start = {.child_rc = 1, .start_rc = 1};

    ck_assert_int_eq(run_on_backend(start_the_stubborn, &start), ANYC_EDEADLOCK);
    ck_assert_int_eq(start.child_rc, ANYC_ECANCELLED);
    ck_assert_int_eq(start.start_rc, ANYC_ECANCELLED);
    ck_assert(start.ended_before);
    forget_last_error();
}

static int wait_on_the_virtual_clock(void *arg)
{
    ck_assert_ok(anyc_sleep(1e9));
    return wait_for_nothing(arg);
}

ANYC_TEST_PLAIN(test_deadlock__is_none_while_a_deadline_is_to_come)
{
    anyc_run_options options = {
        .backend = anyc_testing_backend(),
        .clock = ANYC_CLOCK_VIRTUAL,
    };
    int rc = 1;

    ck_assert_int_eq(anyc_run_with(wait_on_the_virtual_clock, &rc, &options), ANYC_EDEADLOCK);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    forget_last_error();
}

static int wait_for_a_timeout(void *arg)
{
    anyc_event event = ANYC_EVENT_INIT;
    anyc_cancel_scope scope;

    (void)arg;
    ck_assert_ok(anyc_fail_after(&scope, 0.01, false));
    return anyc_cancel_scope_exit(&scope, anyc_event_wait(&event));
}

ANYC_TEST_PLAIN(test_deadlock__is_none_while_a_scope_has_a_deadline)
{
    ck_assert_int_eq(run_on_backend(wait_for_a_timeout, NULL), ANYC_ETIMEDOUT);
    forget_last_error();
}

static int clean_up_when_ending(void *arg)
{
    anyc_event event = ANYC_EVENT_INIT;

    ck_assert_int_eq(anyc_event_wait(&event), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_shielded_checkpoint());
    ck_assert_ptr_nonnull(strstr(anyc_cancel_reason(), "deadlock"));
    *(bool *)arg = true;
    return E1;
}

ANYC_TEST_PLAIN(test_deadlock__lets_tasks_clean_up)
{
    bool cleaned = false;

    ck_assert_int_eq(run_on_backend(clean_up_when_ending, &cleaned), ANYC_EDEADLOCK);
    ck_assert(cleaned);
    check_message("waits for event");
    forget_last_error();
}
