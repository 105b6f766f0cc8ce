/* SPDX-License-Identifier: MIT */
/*
 * test_task_group_misuse.c - groups and scopes that are left in the wrong order, by the wrong task,
 * or not at all.
 */
#include "support/crash.h"
#include "support/tasks.h"

#include <anyc/log.h>

#include <signal.h>
#include <string.h>

struct pair {
    anyc_cancel_scope *scope;
    anyc_task_group *group;
    int scope_rc;
    int group_rc;
};

static int leave_both_task(void *arg)
{
    struct pair *pair = arg;

    pair->scope_rc = anyc_cancel_scope_exit(pair->scope, 0);
    pair->group_rc = anyc_task_group_exit(pair->group, 0);
    return 0;
}

ANYC_TEST(test_task_group_misuse__a_group_stays_entered_when_another_task_leaves_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    struct pair pair = {.scope = &scope, .group = &group};
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    spawn(&group, leave_both_task, &pair);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(pair.scope_rc, ANYC_ESTATE);
    ck_assert_int_eq(pair.group_rc, ANYC_ESTATE);
    spawn(&group, note_task, &ran);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(ran);
}

ANYC_TEST(test_task_group_misuse__the_wrong_order_changes_nothing)
{
    anyc_cancel_scope outer, inner;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool ran = false;

    ck_assert_ok(anyc_cancel_scope_enter(&outer, NULL));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_cancel_scope_enter(&inner, NULL));
    ck_assert_int_eq(anyc_cancel_scope_exit(&outer, E1), ANYC_ESTATE);
    ck_assert_int_eq(anyc_task_group_exit(&group, E1), ANYC_ESTATE);
    check_no_failure(&group);
    anyc_cancel_scope_cancel(&outer, NULL);
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    spawn(&group, note_task, &ran);
    ck_assert_int_eq(anyc_cancel_scope_exit(&inner, ANYC_ECANCELLED), ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_task_group_exit(&group, ANYC_ECANCELLED), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&outer, ANYC_ECANCELLED));
    ck_assert(ran);
    ck_assert_ok(anyc_checkpoint());
}

ANYC_TEST(test_task_group_misuse__a_groups_scope_cannot_be_left_by_hand)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope *scope = anyc_task_group_cancel_scope(&group);

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_int_eq(anyc_cancel_scope_exit(scope, 0), ANYC_ESTATE);
    ck_assert_int_eq(anyc_cancel_scope_enter(scope, NULL), ANYC_ESTATE);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_ESTATE);
}

struct log {
    int lines;
    int code;
    char text[128];
};

static void log_line(int code, const char *message, void *arg)
{
    struct log *log = arg;

    log->lines++;
    log->code = code;
    strncpy(log->text, message, sizeof log->text - 1);
}

static int leave_scope_open_task(void *arg)
{
    ck_assert_ok(anyc_move_on_after(arg, 10, false));
    return 0;
}

static int use_abandoned_scope(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;

    (void)arg;
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, leave_scope_open_task, &scope);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc_cancel_scope_set_deadline(&scope, 0), ANYC_ESTATE);
    ck_assert_int_eq(anyc_cancel_scope_set_shield(&scope, true), ANYC_ESTATE);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, 0), ANYC_ESTATE);
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    return anyc_task_group_exit(&group, 0);
}

ANYC_TEST_PLAIN(test_task_group_misuse__a_scope_left_open_is_logged_and_harmless)
{
    struct log log = {0};

    anyc_set_log_handler(log_line, &log);
    ck_assert_ok(run_on_backend(use_abandoned_scope, NULL));
    anyc_set_log_handler(NULL, NULL);
    ck_assert_int_eq(log.lines, 1);
    ck_assert_int_eq(log.code, ANYC_ESTATE);
    ck_assert_ptr_nonnull(strstr(log.text, "leave_scope_open_task"));
}

static int leave_main_open(void *arg)
{
    return anyc_cancel_scope_enter(arg, NULL);
}

static int forget_scope_task(void *arg)
{
    anyc_cancel_scope outer, inner;

    ck_assert_ok(anyc_move_on_after(&outer, 10, false));
    ck_assert_ok(anyc_cancel_scope_enter(arg != NULL ? arg : &inner, NULL));
    return 0;
}

static int forget_both(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, forget_scope_task, arg, "forgetful"));
    return anyc_task_group_exit(&group, 0);
}

static void run_forgetting_both(void)
{
    (void)run_on_backend(forget_both, NULL);
}

static void run_forgetting_the_outer(void)
{
    anyc_cancel_scope inner;

    (void)run_on_backend(forget_both, &inner);
}

/* The memory of a scope on the stack of the task is gone. */
ANYC_TEST_PLAIN(test_task_group_misuse__a_scope_left_open_on_the_stack_ends_the_program)
{
    struct crash crash;

    crash_watch(&crash, run_forgetting_both);
    ck_assert_int_eq(crash.signal, SIGABRT);
    ck_assert_ptr_nonnull(strstr(crash.text, "\"forgetful\""));
    ck_assert_ptr_nonnull(strstr(crash.text, "anyc_cancel_scope_exit"));
    crash_watch(&crash, run_forgetting_the_outer);
    ck_assert_int_eq(crash.signal, SIGABRT);
    ck_assert_ptr_nonnull(strstr(crash.text, "\"forgetful\""));
}

ANYC_TEST_PLAIN(test_task_group_misuse__the_main_task_may_leave_a_scope_open)
{
    anyc_cancel_scope scope;
    struct log log = {0};

    anyc_set_log_handler(log_line, &log);
    ck_assert_ok(run_on_backend(leave_main_open, &scope));
    anyc_set_log_handler(NULL, NULL);
    ck_assert_int_eq(log.lines, 1);
    anyc_cancel_scope_cancel(&scope, NULL);
}

struct left_open {
    anyc_task_group group;
    anyc_task_handle handle;
    int code;
};

static int leave_failed_group_open_task(void *arg)
{
    struct left_open *left_open = arg;
    anyc_task_group *group = &left_open->group;

    ck_assert_ok(anyc_task_group_enter(group));
    ck_assert_ok(anyc_task_group_create_task(group, code_task, &left_open->code, "with a name",
                                             &left_open->handle));
    ck_assert_ok(anyc_cancel_shielded_checkpoint());
    ck_assert_ok(anyc_cancel_shielded_checkpoint());
    return 0;
}

/* The harness sees whether the list of failures or the handle's name stays behind. */
ANYC_TEST(test_task_group_misuse__a_group_left_open_without_children_keeps_nothing)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct left_open left_open = {.code = E1};
    bool ran = false;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, leave_failed_group_open_task, &left_open);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    check_no_failure(&left_open.group);
    ck_assert_int_eq(anyc_task_handle_state(&left_open.handle), ANYC_TASK_FAILED);
    ck_assert_int_eq(anyc_task_group_start_soon(&left_open.group, note_task, &ran, NULL),
                     ANYC_ESTATE);
    ck_assert_int_eq(anyc_task_group_exit(&left_open.group, 0), ANYC_ESTATE);
}

static int leave_children_task(void *arg)
{
    ck_assert_ok(anyc_task_group_enter(arg));
    return anyc_task_group_start_soon(arg, forever_task, NULL, NULL);
}

static int leave_children_behind(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_group left_open = ANYC_TASK_GROUP_INIT;

    (void)arg;
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, leave_children_task, &left_open);
    return anyc_task_group_exit(&group, 0);
}

static void run_leaving_children_behind(void)
{
    (void)run_on_backend(leave_children_behind, NULL);
}

ANYC_TEST_PLAIN(test_task_group_misuse__a_group_left_open_with_children_ends_the_program)
{
    struct crash crash;

    crash_watch(&crash, run_leaving_children_behind);
    ck_assert_int_eq(crash.signal, SIGABRT);
    ck_assert_ptr_nonnull(strstr(crash.text, "leave_children_task"));
    ck_assert_ptr_nonnull(strstr(crash.text, "anyc_task_group_exit"));
}
