/* SPDX-License-Identifier: MIT */
/*
 * test_overflow.c - a task that overflows its stack, and faults that are no overflow.
 */
#include "support/crash.h"
#include "support/tasks.h"
#include "support/valgrind.h"

#include <signal.h>
#include <string.h>

#define OWN_HANDLER 55 /* exit code */

static void own_handler(int signum)
{
    (void)signum;
    _exit(OWN_HANDLER);
}

/* A program's own handler, there before anyc runs for the first time. */
__attribute__((constructor)) static void install_own_handler(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = own_handler;
    (void)sigaction(SIGSEGV, &action, NULL);
}

static int recurse(int depth, volatile char *outer)
{
    volatile char frame[512];

    frame[0] = outer[0];
    if (depth == 0)
        return frame[0];
    return recurse(depth - 1, frame) + frame[0];
}

static int recurse_task(void *arg)
{
    volatile char first[1] = {0};

    (void)arg;
    return recurse(1 << 30, first);
}

static int overflow_child(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    (void)arg;
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_set_stack_size(&group, 65536));
    ck_assert_ok(anyc_task_group_start_soon(&group, recurse_task, NULL, "the deep one"));
    return anyc_task_group_exit(&group, 0);
}

static void run_overflow_child(void)
{
    (void)run_on_backend(overflow_child, NULL);
}

static void run_overflow_main(void)
{
    (void)run_on_backend(recurse_task, NULL);
}

ANYC_TEST_PLAIN(test_overflow__ends_the_program_and_names_the_task)
{
    struct crash crash;

    crash_watch(&crash, run_overflow_child);
    ck_assert_int_eq(crash.signal, SIGSEGV);
    ck_assert_ptr_nonnull(strstr(crash.text, "anyc: task 2 \"the deep one\" ("));
    ck_assert_ptr_nonnull(strstr(crash.text, "test_overflow.c:"));
    ck_assert_ptr_nonnull(strstr(crash.text, "overflowed its stack of 61440 bytes"));
}

ANYC_TEST_PLAIN(test_overflow__names_the_main_task)
{
    struct crash crash;

    crash_watch(&crash, run_overflow_main);
    ck_assert_int_eq(crash.signal, SIGSEGV);
    ck_assert_ptr_nonnull(strstr(crash.text, "anyc: task 1 \"recurse_task\" ("));
}

/* Valgrind counts the fault as an error, and uses an alternate stack that was turned off. */
static const char a_fault_is_an_error[] = "a fault is an error to Valgrind";

static volatile char *volatile nowhere = (volatile char *)64;

static int fault_task(void *arg)
{
    (void)arg;
    *nowhere = 1;
    return 0;
}

static void run_fault(void)
{
    (void)run_on_backend(fault_task, NULL);
}

ANYC_TEST_PLAIN(test_overflow__leaves_other_faults_to_the_programs_own_handler)
{
    struct crash crash;

    skip_on_valgrind(a_fault_is_an_error);
    crash_watch(&crash, run_fault);
    ck_assert_int_eq(crash.status, OWN_HANDLER);
    ck_assert_str_eq(crash.text, "");
}

static void fault_after_a_run(void)
{
    bool ran = false;

    ck_assert_ok(run_on_backend(note_task, &ran));
    *nowhere = 1;
}

ANYC_TEST_PLAIN(test_overflow__leaves_faults_after_the_run_to_it_too)
{
    struct crash crash;

    skip_on_valgrind(a_fault_is_an_error);
    crash_watch(&crash, fault_after_a_run);
    ck_assert_int_eq(crash.status, OWN_HANDLER);
}

static int check_alternate_stack(void *arg)
{
    stack_t stack;

    (void)arg;
    ck_assert_ok(sigaltstack(NULL, &stack));
    ck_assert_int_eq(stack.ss_flags & SS_DISABLE, 0);
    return 0;
}

/* The thread's alternate stack is as it was before the run. */
ANYC_TEST_PLAIN(test_overflow__puts_the_alternate_stack_back)
{
    stack_t before, after;

    ck_assert_ok(sigaltstack(NULL, &before));
    ck_assert_ok(run_on_backend(check_alternate_stack, NULL));
    ck_assert_ok(sigaltstack(NULL, &after));
    ck_assert_int_eq(after.ss_flags, before.ss_flags);
    if ((before.ss_flags & SS_DISABLE) == 0)
        ck_assert_ptr_eq(after.ss_sp, before.ss_sp);
}
