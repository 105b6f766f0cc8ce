/* SPDX-License-Identifier: MIT */
/*
 * tasks.h - small task functions, and short forms, that the tests of core share.
 */
#ifndef ANYC_TESTS_SUPPORT_TASKS_H
#define ANYC_TESTS_SUPPORT_TASKS_H

#include <check.h>

#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "support/steps.h"

#include <math.h>

/* Two failures that nothing in anyc answers by itself. */
enum { E1 = -5001, E2 = -5002 };

/* anyc_task_group_start_soon, which must succeed. */
#define spawn(group, fn, arg) ck_assert_ok(anyc_task_group_start_soon((group), fn, (arg), NULL))

/* A run of its own on the backend of a plain test. */
#define run_on_backend(fn, arg) \
    anyc_run_with(fn, (arg), &(anyc_run_options){.backend = anyc_testing_backend()})

/* In plain tests: the message of the thread's last failure counts as left behind. */
static inline void forget_last_error(void)
{
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ENOLOOP);
}

/* The group's list of failures has one entry, and this is its code. */
static inline void check_one_failure(const anyc_task_group *group, int code)
{
    size_t count = 0;
    const anyc_task_error *errors = anyc_task_group_errors(group, &count);

    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(errors[0].code, code);
}

/* The list has two entries, these, in any order. */
static inline void check_two_failures(const anyc_task_group *group, int code, int other)
{
    size_t count = 0;
    const anyc_task_error *errors = anyc_task_group_errors(group, &count);

    ck_assert_uint_eq(count, 2);
    if (errors[0].code != code)
        ck_assert_int_eq(errors[0].code, other);
    ck_assert_int_eq(errors[0].code + errors[1].code, code + other);
}

/* The list is empty. */
static inline void check_no_failure(const anyc_task_group *group)
{
    size_t count = 1;

    ck_assert_ptr_null(anyc_task_group_errors(group, &count));
    ck_assert_uint_eq(count, 0);
}

/* What sleeper_task is told, and tells. */
struct sleeper {
    double seconds;
    int rc;    /* 0: the task answers what the sleep did; else always this */
    bool done; /* the sleep was not interrupted */
    int slept; /* what the sleep answered; 1: it has not ended */
};

static inline int sleeper_task(void *arg)
{
    struct sleeper *sleeper = arg;

    sleeper->slept = 1;
    sleeper->slept = anyc_sleep(sleeper->seconds);
    sleeper->done = sleeper->slept == 0;
    return sleeper->rc < 0 ? sleeper->rc : sleeper->slept;
}

static inline int note_task(void *arg)
{
    *(bool *)arg = true;
    return 0;
}

/* Answers the code that its argument points to. */
static inline int code_task(void *arg)
{
    return *(const int *)arg;
}

static inline int forever_task(void *arg)
{
    (void)arg;
    return anyc_sleep_forever();
}

/* Waits until all others are blocked, then cancels the scope that its argument points to. */
static inline int killer_task(void *arg)
{
    int rc = anyc_wait_all_tasks_blocked();

    anyc_cancel_scope_cancel(arg, NULL);
    return rc;
}

#endif
