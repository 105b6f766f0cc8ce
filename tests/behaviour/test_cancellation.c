/* SPDX-License-Identifier: MIT */
/*
 * test_cancellation.c - cancellation of whole trees of groups and tasks.
 * AnyIO: test_taskgroups.py.
 */
#include "support/tasks.h"

struct host {
    struct sleeper child;
    int body;    /* what the host's own sleep answered */
    int exit_rc; /* what its group's exit answered */
    bool after;  /* code after the group ran */
};

static int host_task(void *arg)
{
    struct host *host = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, sleeper_task, &host->child);
    host->body = anyc_sleep(1);
    host->exit_rc = anyc_task_group_exit(&group, host->body);
    host->after = host->exit_rc == 0;
    return host->exit_rc;
}

/* TG-075 */
ANYC_TEST_WITH(test_cancellation__passes_through_the_group_of_a_child, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct host host = {.child.seconds = 10};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, host_task, &host);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(host.child.slept, ANYC_ECANCELLED);
    ck_assert_int_eq(host.body, ANYC_ECANCELLED);
    ck_assert_int_eq(host.exit_rc, ANYC_ECANCELLED);
    ck_assert(!host.after);
    ck_assert_double_eq(anyc_current_time(), 0);
}

/* A tree of tasks, each of which hosts a group of `width` more, `depth` levels down. */
struct tree {
    int width;
    int depth;
    int *ended;
    int *cancelled;
};

static int tree_task(void *arg)
{
    struct tree tree = *(struct tree *)arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; tree.depth > 0 && i < tree.width; i++) {
        struct tree below = {tree.width, tree.depth - 1, tree.ended, tree.cancelled};

        ck_assert_ok(
            anyc_task_group_start_soon_copy(&group, tree_task, &below, sizeof below, NULL));
    }
    rc = anyc_task_group_exit(&group, anyc_sleep(1 + tree.depth));
    ++*tree.ended;
    *tree.cancelled += rc == ANYC_ECANCELLED;
    return rc;
}

ANYC_TEST_WITH(test_cancellation__reaches_every_task_of_a_tree, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int ended = 0;
    int cancelled = 0;
    struct tree tree = {6, 4, &ended, &cancelled};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, tree_task, &tree);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(ended, 1 + 6 + 36 + 216 + 1296);
    ck_assert_int_eq(cancelled, ended);
    ck_assert_double_eq(anyc_current_time(), 0);
}

ANYC_TEST_WITH(test_cancellation__by_a_deadline_spares_what_has_ended, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int ended = 0;
    int cancelled = 0;
    struct tree tree = {6, 4, &ended, &cancelled};

    ck_assert_ok(anyc_fail_after(&scope, 2.5, false));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, tree_task, &tree);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, anyc_task_group_exit(&group, 0)),
                     ANYC_ETIMEDOUT);
    ck_assert_int_eq(ended, 1 + 6 + 36 + 216 + 1296);
    ck_assert_int_eq(cancelled, 1 + 6 + 36);
    ck_assert_double_eq(anyc_current_time(), 2.5);
}

/* Scopes, groups, handles, starts, shields, deadlines and failures in random order: the run must
 * neither hang nor crash, and every task must end. */
struct chaos {
    unsigned random;
    int depth;
    int *begun;
    int *ended;
};

static unsigned chaos_random(struct chaos *chaos, unsigned below)
{
    chaos->random = chaos->random * 1103515245U + 12345U;
    return (chaos->random >> 16) % below;
}

static int chaos_step(struct chaos *chaos, anyc_cancel_scope *scope)
{
    switch (chaos_random(chaos, 6)) {
    case 0:
        return anyc_sleep(chaos_random(chaos, 100) / 50.0);
    case 1:
        anyc_cancel_scope_cancel(scope, NULL);
        return 0;
    case 2:
        return anyc_cancel_scope_set_shield(scope, chaos_random(chaos, 2) == 0);
    case 3:
        return anyc_cancel_scope_set_deadline(scope,
                                              anyc_current_time() + chaos_random(chaos, 10) / 5.0);
    case 4:
        return chaos_random(chaos, 8) == 0 ? E1 : anyc_checkpoint();
    default:
        return anyc_cancel_shielded_checkpoint();
    }
}

static int chaos_task(void *arg);

/* Signals at a random moment, or never. */
static int chaos_start_task(void *arg, anyc_task_status *status)
{
    struct chaos *chaos = arg;
    int rc = chaos_random(chaos, 3) == 0 ? anyc_sleep(chaos_random(chaos, 4) / 4.0) : 0;

    if (rc == 0 && chaos_random(chaos, 6) > 0)
        ck_assert_ok(anyc_task_status_started(status, NULL));
    return rc == 0 ? chaos_task(arg) : rc;
}

static int chaos_spawn(struct chaos *chaos, anyc_task_group *group, struct chaos *below,
                       anyc_task_handle *handle)
{
    int rc;

    *below =
        (struct chaos){chaos_random(chaos, 1U << 15), chaos->depth - 1, chaos->begun, chaos->ended};
    switch (chaos_random(chaos, 4)) {
    case 0:
        ck_assert_ok(anyc_task_group_create_task(group, chaos_task, below, "with a name", handle));
        if (chaos_random(chaos, 2) == 0)
            anyc_task_handle_cancel(handle, "chaos");
        return 0;
    case 1:
        rc = anyc_task_group_start_task(group, chaos_start_task, below, "started", NULL, handle);
        break;
    case 2:
        rc = anyc_task_group_start(group, chaos_start_task, below, NULL, NULL);
        break;
    default:
        return anyc_task_group_start_soon(group, chaos_task, below, NULL);
    }
    return rc == ANYC_ENOTSTARTED || rc == ANYC_ETASKCANCELLED ? 0 : rc;
}

static int chaos_task(void *arg)
{
    struct chaos *chaos = arg;
    struct chaos below[4];
    anyc_task_handle handles[4];
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    int rc = 0;

    ++*chaos->begun;
    ck_assert_ok(anyc_fail_after(&scope, chaos_random(chaos, 30) / 10.0, false));
    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 4 && rc == 0; i++) {
        if (chaos->depth > 0)
            rc = chaos_spawn(chaos, &group, &below[i], &handles[i]);
        if (rc == 0)
            rc = chaos_step(chaos, anyc_task_group_cancel_scope(&group));
    }
    rc = anyc_cancel_scope_exit(&scope, anyc_task_group_exit(&group, rc));
    ++*chaos->ended;
    return rc == ANYC_ETIMEDOUT ? 0 : rc;
}

ANYC_TEST_WITH(test_cancellation__ends_every_task_of_random_trees, .clock = ANYC_CLOCK_VIRTUAL)
{
    for (unsigned seed = 1; seed <= 200; seed++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;
        int begun = 0;
        int ended = 0;
        struct chaos chaos = {seed * 7919U, 4, &begun, &ended};
        int rc;

        ck_assert_ok(anyc_task_group_enter(&group));
        spawn(&group, chaos_task, &chaos);
        rc = anyc_task_group_exit(&group, 0);
        ck_assert(rc == 0 || rc == E1);
        ck_assert_int_ge(begun, 1);
        ck_assert_int_eq(begun, ended);
        ck_assert_ok(anyc_checkpoint());
    }
}
