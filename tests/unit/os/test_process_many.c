/* SPDX-License-Identifier: MIT */
/*
 * test_process_many.c - many short programs, 64 at a time, a third of them cancelled at random
 * moments. ANYC_TEST_PROCESSES: how many in all; 300 unless it says otherwise.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <stdio.h>

#include "child.h"
#include "support/tasks.h"

#define AT_ONCE 64
#define FEW 300
#define OUTPUT 2000 /* bytes on each output */
#define LATEST_MS 200

struct many {
    long left;
    long cancelled;
    long completed;
    uint32_t random;
};

/* A number below `end`; the same sequence in each run. */
static uint32_t many_random(struct many *many, uint32_t end)
{
    many->random = many->random * 1664525 + 1013904223;
    return (many->random >> 8) % end;
}

static void check_output(anyc_completed_process *completed)
{
    ck_assert_int_eq(completed->returncode, 0);
    ck_assert_uint_eq(completed->std_out_len, OUTPUT);
    ck_assert_uint_eq(completed->std_err_len, OUTPUT);
    for (int i = 0; i < OUTPUT; i++)
        ck_assert(completed->std_out[i] == 'x' && completed->std_err[i] == 'x');
}

/* One program; every third may be cancelled from its start to a little after its end. */
static void run_one(struct many *many, bool cancel)
{
    double delay = cancel ? (double)many_random(many, LATEST_MS) * 1e-3 : INFINITY;
    anyc_completed_process completed;
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_move_on_after(&scope, delay, false));
    rc = anyc_run_process(CHILD("bytes", "2000"), NULL, &completed);
    if (rc == 0)
        check_output(&completed);
    else
        ck_assert_msg(rc == ANYC_ECANCELLED && cancel, "%s", anyc_last_error()->message);
    many->completed += rc == 0;
    many->cancelled += rc < 0;
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    anyc_free_completed_process(&completed);
}

static int run_some(void *arg)
{
    struct many *many = arg;

    while (many->left > 0)
        run_one(many, many->left-- % 3 == 0);
    return 0;
}

/* No zombie, no descriptor (the harness looks), no lost output. */
ANYC_TEST_WITH(test_process_many__leave_nothing_behind, .timeout = 180)
{
    const char *count = getenv("ANYC_TEST_PROCESSES");
    long all = count != NULL ? atol(count) : FEW;
    struct many many = {.left = all, .random = 1};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < AT_ONCE; i++)
        spawn(&group, run_some, &many);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(many.completed + many.cancelled, all);
    ck_assert_int_gt(many.cancelled, 0);
    ck_assert_int_gt(many.completed, all / 2);
    child_check_none();
    printf("%ld programs, %ld of them cancelled\n", all, many.cancelled);
}
