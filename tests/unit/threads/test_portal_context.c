/* SPDX-License-Identifier: MIT */
/*
 * test_portal_context.c - pairs of functions that a portal holds open for a thread.
 * AnyIO: tests/test_from_thread.py, TestBlockingPortal, the tests of async context managers.
 */
#include "own_portal.h"

#include <anyc/thread.h>

#include "support/fail_alloc.h"
#include "support/thread.h"

struct pair {
    uint64_t enter_task; /* ids */
    uint64_t exit_task;
    int enter_rc;
    int exit_rc; /* what exit answers; 0: what it was given */
    int given;   /* to exit */
    int exits;
};

static uint64_t own_task_id(void)
{
    anyc_task_info info;

    ck_assert_ok(anyc_get_current_task(&info));
    return info.id;
}

static int pair_enter(void *arg)
{
    struct pair *pair = arg;

    pair->enter_task = own_task_id();
    ck_assert_ok(anyc_checkpoint());
    return pair->enter_rc;
}

static int pair_exit(void *arg, int rc)
{
    struct pair *pair = arg;

    pair->exit_task = own_task_id();
    pair->given = rc;
    pair->exits++;
    return pair->exit_rc != 0 ? pair->exit_rc : rc;
}

/* FT-035 */
ANYC_TEST_PLAIN(test_portal_context__both_functions_run_in_one_task)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct pair pair = {.enter_rc = 42, .given = 1};
    anyc_blocking_portal_context *context;
    int result = 0;

    ck_assert_ok(
        anyc_blocking_portal_wrap_context(portal, pair_enter, pair_exit, &pair, &result, &context));
    ck_assert_int_eq(result, 42);
    own_portal_settle(portal);
    ck_assert_int_eq(pair.exits, 0);
    ck_assert_ok(anyc_blocking_portal_context_exit(context, 0));
    ck_assert_int_eq(pair.exits, 1);
    ck_assert_int_eq(pair.given, 0);
    ck_assert_uint_eq(pair.enter_task, pair.exit_task);
    ck_assert_ok(anyc_aclose(portal));
}

/* FT-036 */
ANYC_TEST_PLAIN(test_portal_context__exit_is_given_the_error_and_passes_it_on)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct pair pair = {.enter_rc = 0};
    anyc_blocking_portal_context *context;

    ck_assert_ok(
        anyc_blocking_portal_wrap_context(portal, pair_enter, pair_exit, &pair, NULL, &context));
    ck_assert_int_eq(anyc_blocking_portal_context_exit(context, E1), E1);
    ck_assert_int_eq(pair.given, E1);
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

ANYC_TEST_PLAIN(test_portal_context__exit_may_swallow_or_replace_the_error)
{
    static const int answers[] = {7, E2};
    anyc_blocking_portal *portal = own_portal_start();

    for (size_t i = 0; i < 2; i++) {
        struct pair pair = {.exit_rc = answers[i]};
        anyc_blocking_portal_context *context;

        ck_assert_ok(anyc_blocking_portal_wrap_context(portal, pair_enter, pair_exit, &pair, NULL,
                                                       &context));
        ck_assert_int_eq(anyc_blocking_portal_context_exit(context, E1), answers[i]);
    }
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

ANYC_TEST_PLAIN(test_portal_context__there_is_none_when_enter_fails)
{
    static const int codes[] = {E1, ANYC_ECANCELLED, ANYC_ENOTSTARTED};
    anyc_blocking_portal *portal = own_portal_start();

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct pair pair = {.enter_rc = codes[i]};
        anyc_blocking_portal_context *context = NULL;

        ck_assert_int_eq(
            anyc_blocking_portal_wrap_context(portal, pair_enter, pair_exit, &pair, NULL, &context),
            codes[i]);
        ck_assert_ptr_null(context);
        ck_assert_int_eq(pair.exits, 0);
    }
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

/* -- what only one task can enter and leave -- */

struct held_group {
    anyc_task_group group;
    anyc_event fail; /* the child is to fail */
    int given;
    size_t errors;
    int error;
};

static int failing_child(void *arg)
{
    struct held_group *held = arg;

    ck_assert_ok(anyc_event_wait(&held->fail));
    return E1;
}

static int group_enter(void *arg)
{
    struct held_group *held = arg;

    ck_assert_ok(anyc_task_group_enter(&held->group));
    return anyc_task_group_start_soon(&held->group, failing_child, held, NULL);
}

static int group_exit(void *arg, int rc)
{
    struct held_group *held = arg;
    const anyc_task_error *errors;

    held->given = rc;
    rc = anyc_task_group_exit(&held->group, rc);
    errors = anyc_task_group_errors(&held->group, &held->errors);
    held->error = errors[0].code;
    return rc;
}

static void check_failing_group(int block_rc)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct held_group held = {.group = ANYC_TASK_GROUP_INIT};
    anyc_blocking_portal_context *context;

    ck_assert_ok(
        anyc_blocking_portal_wrap_context(portal, group_enter, group_exit, &held, NULL, &context));
    own_portal_set(portal, &held.fail);
    own_portal_settle(
        portal); /* the child has failed, and the task that holds the pair runs exit */
    ck_assert_int_eq(anyc_blocking_portal_context_exit(context, block_rc), E1);
    ck_assert_int_eq(held.given, ANYC_ECANCELLED);
    ck_assert_uint_eq(held.errors, 1);
    ck_assert_int_eq(held.error, E1);
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

/* FT-038, TT-R09 */
ANYC_TEST_PLAIN(test_portal_context__exit_is_run_although_its_task_was_cancelled)
{
    check_failing_group(0);
}

/* The group's error says why the task was cancelled; the block's comes from that. */
ANYC_TEST_PLAIN(test_portal_context__an_error_of_exit_wins_over_that_of_the_block)
{
    check_failing_group(E2);
}

static int scope_enter(void *arg)
{
    return anyc_fail_after(arg, 0, false);
}

static int scope_exit(void *arg, int rc)
{
    return anyc_cancel_scope_exit(arg, rc);
}

ANYC_TEST_PLAIN(test_portal_context__a_deadline_inside_is_told)
{
    anyc_blocking_portal *portal = own_portal_start();
    anyc_blocking_portal_context *context;
    anyc_cancel_scope scope;

    ck_assert_ok(
        anyc_blocking_portal_wrap_context(portal, scope_enter, scope_exit, &scope, NULL, &context));
    ck_assert_int_eq(anyc_blocking_portal_context_exit(context, 0), ANYC_ETIMEDOUT);
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

/* Exit was run because the portal was stopped, and answered no error of its own. */
static int swallow_exit(void *arg, int rc)
{
    (void)arg;
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    return 0;
}

ANYC_TEST_PLAIN(test_portal_context__the_error_of_the_block_stays_when_exit_has_not_seen_it)
{
    static const int codes[] = {0, 3, E1};
    anyc_blocking_portal *portal = own_portal_start();
    anyc_blocking_portal_context *contexts[3];
    struct pair pair = {.enter_rc = 0};

    for (size_t i = 0; i < 3; i++)
        ck_assert_ok(anyc_blocking_portal_wrap_context(portal, pair_enter, swallow_exit, &pair,
                                                       NULL, &contexts[i]));
    ck_assert_ok(anyc_blocking_portal_stop(portal, true));
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(anyc_blocking_portal_context_exit(contexts[i], codes[i]), codes[i]);
    ck_assert_ok(anyc_aclose(portal));
}

/* The portal takes no calls any more, but its exit waits for the pair. */
ANYC_TEST_PLAIN(test_portal_context__can_be_left_after_the_portals_stop)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct pair pair = {.given = 1};
    anyc_blocking_portal_context *context;

    ck_assert_ok(
        anyc_blocking_portal_wrap_context(portal, pair_enter, pair_exit, &pair, NULL, &context));
    ck_assert_ok(anyc_blocking_portal_stop(portal, false));
    ck_assert_ok(anyc_blocking_portal_context_exit(context, 0));
    ck_assert_int_eq(pair.given, 0);
    ck_assert_ok(anyc_aclose(portal));
}

ANYC_TEST_PLAIN(test_portal_context__can_be_left_after_the_run_has_ended)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct pair pair = {.given = 1};
    anyc_blocking_portal_context *context;

    ck_assert_ok(
        anyc_blocking_portal_wrap_context(portal, pair_enter, pair_exit, &pair, NULL, &context));
    anyc_aclose_forcefully(portal);
    ck_assert_int_eq(pair.given, ANYC_ECANCELLED);
    ck_assert_int_eq(anyc_blocking_portal_context_exit(context, 0), ANYC_ECANCELLED);
    forget_last_error();
}

static int leave_here(void *arg)
{
    return anyc_blocking_portal_context_exit(arg, 0);
}

ANYC_TEST_PLAIN(test_portal_context__cannot_be_left_in_the_loops_own_thread)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct pair pair = {.given = 1};
    anyc_blocking_portal_context *context;

    ck_assert_ok(
        anyc_blocking_portal_wrap_context(portal, pair_enter, pair_exit, &pair, NULL, &context));
    ck_assert_int_eq(anyc_blocking_portal_call(portal, leave_here, context, NULL), ANYC_ESTATE);
    ck_assert_ok(anyc_blocking_portal_context_exit(context, 0));
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

/* -- out of memory -- */

ANYC_TEST_PLAIN(test_portal_context__answers_when_memory_runs_out)
{
    bool failed = true;
    long n;

    fail_alloc_install();
    for (n = 1; failed; n++) {
        anyc_blocking_portal *portal = own_portal_start();
        struct pair pair = {.given = 1};
        anyc_blocking_portal_context *context = NULL;
        int rc;

        fail_alloc_arm(n);
        rc =
            anyc_blocking_portal_wrap_context(portal, pair_enter, pair_exit, &pair, NULL, &context);
        failed = fail_alloc_disarm();
        ck_assert_int_eq(rc, failed ? ANYC_ENOMEM : 0);
        if (rc == 0)
            ck_assert_ok(anyc_blocking_portal_context_exit(context, 0));
        ck_assert_int_eq(pair.exits, rc == 0);
        ck_assert_ok(anyc_aclose(portal));
    }
    ck_assert_int_gt(n, 3);
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
}
