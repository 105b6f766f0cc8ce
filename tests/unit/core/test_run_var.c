/* SPDX-License-Identifier: MIT */
/*
 * test_run_var.c - variables with one value for each run. AnyIO: TestRunVar.
 */
#include "support/tasks.h"

#include "support/fail_alloc.h"

#include <string.h>

static int number_of(void *value)
{
    return (int)(intptr_t)value;
}

static void *value_of(int number)
{
    return (void *)(intptr_t)number;
}

static anyc_run_var counter = ANYC_RUN_VAR_INIT("counter");

static int see_and_raise_task(void *arg)
{
    void *value;

    ck_assert_ok(anyc_run_var_get(&counter, &value));
    ck_assert_int_eq(number_of(value), *(int *)arg);
    return anyc_run_var_set(&counter, value_of(number_of(value) + 1), NULL);
}

static int use_counter(void *arg)
{
    int something;
    void *value = &something;

    (void)arg;
    ck_assert_int_eq(anyc_run_var_get(&counter, &value), ANYC_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "counter"));
    ck_assert_ptr_eq(value, &something);
    for (int i = 0; i <= 1; i++) {
        anyc_task_group group = ANYC_TASK_GROUP_INIT;

        ck_assert_ok(anyc_run_var_set(&counter, value_of(i), NULL));
        ck_assert_ok(anyc_task_group_enter(&group));
        spawn(&group, see_and_raise_task, &i);
        ck_assert_ok(anyc_task_group_exit(&group, 0));
        ck_assert_ok(anyc_run_var_get(&counter, &value));
        ck_assert_int_eq(number_of(value), i + 1);
    }
    return 0;
}

/* LL-004 */
ANYC_TEST_PLAIN(test_run_var__has_one_value_for_all_tasks_of_a_run)
{
    ck_assert_ok(run_on_backend(use_counter, NULL));
    ck_assert_ok(run_on_backend(use_counter, NULL));
}

/* LL-005 */
ANYC_TEST(test_run_var__cannot_be_reset_with_the_token_of_another)
{
    anyc_run_var first = ANYC_RUN_VAR_INIT("first");
    anyc_run_var second = ANYC_RUN_VAR_INIT("second");
    anyc_run_var_token token;
    void *value;

    ck_assert_ok(anyc_run_var_set(&second, value_of(2), NULL));
    ck_assert_ok(anyc_run_var_set(&first, value_of(1), &token));
    ck_assert_int_eq(anyc_run_var_reset(&second, &token), ANYC_ESTATE);
    ck_assert_ok(anyc_run_var_get(&first, &value));
    ck_assert_int_eq(number_of(value), 1);
    ck_assert_ok(anyc_run_var_get(&second, &value));
    ck_assert_int_eq(number_of(value), 2);
    ck_assert_ok(anyc_run_var_reset(&first, &token));
    ck_assert_int_eq(anyc_run_var_get(&first, &value), ANYC_ENOTFOUND);
}

/* LL-006 */
ANYC_TEST(test_run_var__cannot_be_reset_twice_with_one_token)
{
    anyc_run_var variable = ANYC_RUN_VAR_INIT("variable");
    anyc_run_var_token token;
    void *value;

    ck_assert_ok(anyc_run_var_set(&variable, value_of(1), &token));
    ck_assert_ok(anyc_run_var_reset(&variable, &token));
    ck_assert_ok(anyc_run_var_set(&variable, value_of(2), NULL));
    ck_assert_int_eq(anyc_run_var_reset(&variable, &token), ANYC_ESTATE);
    ck_assert_ok(anyc_run_var_get(&variable, &value));
    ck_assert_int_eq(number_of(value), 2);
}

/* LL-008 */
ANYC_TEST(test_run_var__brings_back_what_blocks_replaced)
{
    anyc_run_var variable = ANYC_RUN_VAR_INIT_DEFAULT("variable", (void *)3);
    anyc_run_var_token outer, inner;
    void *value;

    ck_assert_ok(anyc_run_var_set(&variable, value_of(4), &outer));
    ck_assert_ok(anyc_run_var_set(&variable, value_of(5), &inner));
    ck_assert_ok(anyc_run_var_get(&variable, &value));
    ck_assert_int_eq(number_of(value), 5);
    ck_assert_ok(anyc_run_var_reset(&variable, &inner));
    ck_assert_ok(anyc_run_var_get(&variable, &value));
    ck_assert_int_eq(number_of(value), 4);
    ck_assert_ok(anyc_run_var_reset(&variable, &outer));
    ck_assert_ok(anyc_run_var_get(&variable, &value));
    ck_assert_int_eq(number_of(value), 3);
}

static anyc_run_var_token kept_token;

static int keep_token(void *arg)
{
    return anyc_run_var_set(&counter, arg, &kept_token);
}

static int use_kept_token(void *arg)
{
    void *value;

    (void)arg;
    ck_assert_int_eq(anyc_run_var_reset(&counter, &kept_token), ANYC_ESTATE);
    ck_assert_ok(anyc_run_var_set(&counter, value_of(2), NULL));
    ck_assert_int_eq(anyc_run_var_reset(&counter, &kept_token), ANYC_ESTATE);
    ck_assert_ok(anyc_run_var_get(&counter, &value));
    ck_assert_int_eq(number_of(value), 2);
    return 0;
}

ANYC_TEST_PLAIN(test_run_var__cannot_be_reset_with_a_token_of_another_run)
{
    ck_assert_ok(run_on_backend(keep_token, NULL));
    ck_assert_ok(run_on_backend(use_kept_token, NULL));
}

ANYC_TEST(test_run_var__holds_its_own_value_among_1000)
{
    anyc_run_var *variables = calloc(1000, sizeof *variables);
    void *value;

    for (int i = 0; i < 1000; i++)
        ck_assert_ok(anyc_run_var_set(&variables[i], value_of(i), NULL));
    for (int i = 0; i < 1000; i++) {
        ck_assert_ok(anyc_run_var_get(&variables[i], &value));
        ck_assert_int_eq(number_of(value), i);
    }
    free(variables);
}

/* Six variables fill the first table: a seventh needs memory, what is there does not. */
static int use_without_memory(void *arg)
{
    anyc_run_var variables[7] = {{0}};
    anyc_run_var_token token;
    void *value;

    (void)arg;
    for (int i = 0; i < 6; i++)
        ck_assert_ok(anyc_run_var_set(&variables[i], value_of(i), &token));
    fail_alloc_arm(1);
    ck_assert_int_eq(anyc_run_var_set(&variables[6], NULL, NULL), ANYC_ENOMEM);
    fail_alloc_arm(1);
    ck_assert_ok(anyc_run_var_set(&variables[0], value_of(9), NULL));
    ck_assert_ok(anyc_run_var_reset(&variables[5], &token));
    ck_assert(!fail_alloc_disarm());
    ck_assert_int_eq(anyc_run_var_get(&variables[5], &value), ANYC_ENOTFOUND);
    ck_assert_int_eq(anyc_run_var_get(&variables[6], &value), ANYC_ENOTFOUND);
    ck_assert_ok(anyc_run_var_get(&variables[0], &value));
    ck_assert_int_eq(number_of(value), 9);
    return 0;
}

ANYC_TEST_PLAIN(test_run_var__needs_memory_for_new_variables_only)
{
    fail_alloc_install();
    ck_assert_ok(run_on_backend(use_without_memory, NULL));
    ck_assert_int_eq(fail_alloc_live(), 0);
}
