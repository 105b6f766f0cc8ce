/* SPDX-License-Identifier: MIT */
/*
 * test_alloc.c - the embedder's allocator, and what happens when the nth allocation fails: for
 * n = 1, 2, 3 ... until none fails any more. Nothing leaks, and what was there goes on.
 */
#include "support/fail_alloc.h"
#include "support/tasks.h"

#include <anyc/instrument.h>

#include <string.h>

static int no_task(void *arg)
{
    (void)arg;
    return 0;
}

ANYC_TEST_PLAIN(test_alloc__needs_all_three_functions)
{
    anyc_allocator allocator = {fail_alloc_alloc, fail_alloc_realloc, fail_alloc_free, NULL};

    allocator.alloc = NULL;
    ck_assert_int_eq(anyc_set_allocator(&allocator), ANYC_EINVAL);
    allocator.alloc = fail_alloc_alloc;
    allocator.realloc = NULL;
    ck_assert_int_eq(anyc_set_allocator(&allocator), ANYC_EINVAL);
    allocator.realloc = fail_alloc_realloc;
    allocator.free = NULL;
    ck_assert_int_eq(anyc_set_allocator(&allocator), ANYC_EINVAL);
    ck_assert_ok(run_on_backend(no_task, NULL));
}

ANYC_TEST_PLAIN(test_alloc__failing_at_the_start_of_a_run_answers_enomem)
{
    anyc_run_options options = {.backend = anyc_testing_backend(), .name = "main"};
    int failures = 0;
    bool failed = true;

    fail_alloc_install();
    for (long n = 1; failed; n++) {
        int rc;

        fail_alloc_arm(n);
        rc = anyc_run_with(no_task, NULL, &options);
        failed = fail_alloc_disarm();
        ck_assert_msg(rc == 0 || (failed && rc == ANYC_ENOMEM), "n = %ld: %s", n,
                      anyc_error_name(rc));
        failures += failed;
        forget_last_error();
        ck_assert_int_eq(fail_alloc_live(), 0);
    }
    ck_assert_int_ge(failures, 3);
}

/* Run one function again and again, with the nth allocation failing in its middle. */
struct round {
    long n;
    bool failed;
};

static void check_rounds(anyc_task_fn fn, int least_failures)
{
    struct round round = {0, true};
    int failures = 0;

    fail_alloc_install();
    while (round.failed) {
        round.n++;
        ck_assert_ok(run_on_backend(fn, &round));
        failures += round.failed;
        ck_assert_int_eq(fail_alloc_live(), 0);
    }
    ck_assert_int_ge(failures, least_failures);
}

static int started_task(void *arg, anyc_task_status *status)
{
    (void)arg;
    return anyc_task_status_started(status, NULL);
}

static int spawn_with_little_memory(void *arg)
{
    struct round *round = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handles[2];
    bool ran[20] = {false};
    bool *copied = &ran[18];
    int rcs[20];

    ck_assert_ok(anyc_task_group_enter(&group));
    fail_alloc_arm(round->n);
    for (int i = 0; i < 17; i++)
        rcs[i] = anyc_task_group_start_soon(&group, note_task, &ran[i], i == 0 ? "name" : NULL);
    rcs[17] = anyc_task_group_create_task(&group, note_task, &ran[17], "name", &handles[0]);
    rcs[18] = anyc_task_group_start_soon_copy(&group, note_task, copied, sizeof *copied, "name");
    rcs[19] = anyc_task_group_start_task(&group, started_task, NULL, "name", NULL, &handles[1]);
    round->failed = fail_alloc_disarm();
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    for (int i = 0; i < 20; i++)
        ck_assert(rcs[i] == 0 || (round->failed && rcs[i] == ANYC_ENOMEM));
    for (int i = 0; i < 18; i++)
        ck_assert_int_eq(ran[i], rcs[i] == 0);
    return 0;
}

ANYC_TEST_PLAIN(test_alloc__failing_at_a_spawn_answers_enomem)
{
    check_rounds(spawn_with_little_memory, 5);
}

static int create_task_with_little_memory(void *arg)
{
    struct round *round = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle, untouched;
    bool ran = false;
    int rc;

    memset(&untouched, 0x5a, sizeof untouched);
    handle = untouched;
    ck_assert_ok(anyc_task_group_enter(&group));
    fail_alloc_arm(round->n);
    rc = anyc_task_group_create_task(&group, note_task, &ran, "name", &handle);
    round->failed = fail_alloc_disarm();
    ck_assert_int_eq(rc, round->failed ? ANYC_ENOMEM : 0);
    if (rc < 0)
        ck_assert_mem_eq(&handle, &untouched, sizeof handle);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(ran, rc == 0);
    return 0;
}

ANYC_TEST_PLAIN(test_alloc__failing_at_a_spawn_leaves_the_handle_as_it_was)
{
    check_rounds(create_task_with_little_memory, 2);
}

static int misuse_task(void *arg)
{
    anyc_cancel_scope scope = {0};

    (void)arg;
    return anyc_cancel_scope_exit(&scope, 0);
}

static int fail_inside_task(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int code = E1;

    (void)arg;
    ck_assert_ok(anyc_task_group_enter(&group));
    if (anyc_task_group_start_soon(&group, code_task, &code, NULL) < 0)
        return anyc_task_group_exit(&group, E1);
    return anyc_task_group_exit(&group, 0);
}

/* The code of the first failure is never lost, entries may be. */
static int fail_with_little_memory(void *arg)
{
    struct round *round = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    size_t count;
    int rc;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 5; i++) {
        spawn(&group, fail_inside_task, NULL);
        spawn(&group, misuse_task, NULL);
    }
    fail_alloc_arm(round->n);
    rc = anyc_task_group_exit(&group, 0);
    round->failed = fail_alloc_disarm();
    ck_assert_int_eq(rc, ANYC_ESTATE); /* before the tasks that wait for theirs */
    (void)anyc_task_group_errors(&group, &count);
    if (round->failed)
        ck_assert_uint_le(count, 10);
    else
        ck_assert_uint_eq(count, 10);
    ck_assert_int_eq(anyc_last_error()->code, rc);
    ck_assert_uint_gt(strlen(anyc_last_error()->message), 0);
    return 0;
}

ANYC_TEST_PLAIN(test_alloc__failing_keeps_the_code_of_a_groups_failure)
{
    check_rounds(fail_with_little_memory, 10);
}

static int use_the_rest_with_little_memory(void *arg)
{
    static const anyc_instrument instrument;
    struct round *round = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_cancel_scope scope;
    int rcs[2];

    fail_alloc_arm(round->n);
    ck_assert_ok(anyc_task_group_enter(&group));
    rcs[0] = anyc_add_instrument(&instrument, NULL);
    rcs[1] = anyc_task_group_set_stack_size(&group, 1 << 20);
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, "reason");
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ECANCELLED);
    ck_assert_ptr_nonnull(anyc_cancel_reason());
    ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    round->failed = fail_alloc_disarm();
    for (int i = 0; i < 2; i++)
        ck_assert(rcs[i] == 0 || (round->failed && rcs[i] == ANYC_ENOMEM));
    return anyc_task_group_exit(&group, 0);
}

ANYC_TEST_PLAIN(test_alloc__failing_elsewhere_answers_enomem_or_does_without)
{
    check_rounds(use_the_rest_with_little_memory, 3);
}

static int deadlock_with_little_memory(void *arg)
{
    struct round *round = arg;

    fail_alloc_arm(round->n);
    ck_assert_int_eq(anyc_sleep_forever(), ANYC_ECANCELLED);
    round->failed = fail_alloc_disarm();
    return 0;
}

ANYC_TEST_PLAIN(test_alloc__failing_in_a_deadlock_still_ends_the_run)
{
    struct round round = {0, true};

    fail_alloc_install();
    while (round.failed) {
        round.n++;
        ck_assert_int_eq(run_on_backend(deadlock_with_little_memory, &round), ANYC_EDEADLOCK);
        ck_assert_int_eq(anyc_last_error()->code, ANYC_EDEADLOCK);
        forget_last_error();
        ck_assert_int_eq(fail_alloc_live(), 0);
    }
    ck_assert_int_ge(round.n, 2);
}
