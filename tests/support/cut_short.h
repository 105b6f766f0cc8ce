/* SPDX-License-Identifier: MIT */
/*
 * cut_short.h - cancel a call after so many turns of the loop, for n = 0, 1, 2 ... until it gets
 * through:
 *
 *     for (turns = 0; cut_short(fn, arg, turns) == ANYC_ECANCELLED; turns++)
 *         ...
 */
#ifndef ANYC_TESTS_SUPPORT_CUT_SHORT_H
#define ANYC_TESTS_SUPPORT_CUT_SHORT_H

#include <check.h>

#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>

/* A call in a scope that is cancelled after so many turns of the loop. */
struct cut_short {
    anyc_task_fn fn;
    void *arg;
    unsigned turns;
    anyc_cancel_scope scope;
    bool done;
    int rc;
};

static inline int cut_short_cancel(void *arg)
{
    struct cut_short *cut = arg;
    int rc = 0;

    for (unsigned i = 0; i < cut->turns && !cut->done && rc == 0; i++)
        rc = anyc_checkpoint();
    if (!cut->done)
        anyc_cancel_scope_cancel(&cut->scope, NULL);
    return rc;
}

/* Answers what fn did. */
static inline int cut_short(anyc_task_fn fn, void *arg, unsigned turns)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct cut_short cut = {.fn = fn, .arg = arg, .turns = turns};
    int rc;

    ck_assert_int_eq(anyc_task_group_enter(&group), 0);
    ck_assert_int_eq(anyc_cancel_scope_enter(&cut.scope, NULL), 0);
    ck_assert_int_eq(anyc_task_group_start_soon(&group, cut_short_cancel, &cut, NULL), 0);
    rc = fn(arg);
    cut.done = true;
    ck_assert_int_eq(anyc_cancel_scope_exit(&cut.scope, rc), rc == ANYC_ECANCELLED ? 0 : rc);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    return rc;
}

#endif
