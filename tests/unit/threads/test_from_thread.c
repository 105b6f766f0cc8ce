/* SPDX-License-Identifier: MIT */
/*
 * test_from_thread.c - calls from worker threads into the loop. AnyIO: tests/test_from_thread.py,
 * TestRunAsyncFromThread and TestRunSyncFromThread.
 */
#include "support/tasks.h"

#include <anyc/capacity_limiter.h>
#include <anyc/thread.h>

#include <pthread.h>

#include "support/fail_alloc.h"
#include "support/thread.h"

static const anyc_to_thread_run_sync_options abandon = {.abandon_on_cancel = true};

/* Calls that wait for their thread, and calls that may abandon it. */
static const anyc_to_thread_run_sync_options *const kinds[] = {NULL, &abandon};

/* -- results -- */

struct sum {
    int a;
    int b;
    pthread_t thread; /* that added them up */
    int checkpoint;   /* what one answered there */
    int rc;           /* of the call into the loop */
    int result;
};

static int sum_up(void *arg)
{
    struct sum *sum = arg;

    sum->thread = pthread_self();
    sum->checkpoint = anyc_checkpoint();
    return sum->a + sum->b;
}

static int sum_in_task(void *arg)
{
    struct sum *sum = arg;

    sum->rc = anyc_from_thread_run(sum_up, sum, NULL, &sum->result);
    return 0;
}

static int sum_in_loop(void *arg)
{
    struct sum *sum = arg;

    sum->rc = anyc_from_thread_run_sync(sum_up, sum, NULL, &sum->result);
    return 0;
}

/* FT-006 */
ANYC_TEST(test_from_thread__runs_a_task_function_in_the_loop)
{
    for (int i = 0; i < 2; i++) {
        struct sum sum = {.a = 1, .b = 2};

        ck_assert_ok(anyc_to_thread_run_sync(sum_in_task, &sum, kinds[i], NULL));
        ck_assert_ok(sum.rc);
        ck_assert_int_eq(sum.result, 3);
        ck_assert(pthread_equal(sum.thread, pthread_self()));
        ck_assert_ok(sum.checkpoint);
    }
}

ANYC_TEST(test_from_thread__calls_a_plain_function_outside_of_tasks)
{
    for (int i = 0; i < 2; i++) {
        struct sum sum = {.a = 1, .b = 2};

        ck_assert_ok(anyc_to_thread_run_sync(sum_in_loop, &sum, kinds[i], NULL));
        ck_assert_ok(sum.rc);
        ck_assert_int_eq(sum.result, 3);
        ck_assert(pthread_equal(sum.thread, pthread_self()));
        ck_assert_int_eq(sum.checkpoint, ANYC_ENOLOOP);
    }
}

static int run_code(void *arg)
{
    return anyc_from_thread_run(code_task, arg, NULL, NULL);
}

static int run_code_sync(void *arg)
{
    return anyc_from_thread_run_sync(code_task, arg, NULL, NULL);
}

/* FT-010 */
ANYC_TEST(test_from_thread__brings_the_error_to_the_worker_and_on_to_the_task)
{
    int codes[] = {E1, ANYC_ECANCELLED, ANYC_ERUNFINISHED, ANYC_ENOMEM, -1};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        for (int k = 0; k < 2; k++) {
            ck_assert_int_eq(anyc_to_thread_run_sync(run_code, &codes[i], kinds[k], NULL),
                             codes[i]);
            ck_assert_int_eq(anyc_to_thread_run_sync(run_code_sync, &codes[i], kinds[k], NULL),
                             codes[i]);
        }
    }
    ck_assert_ok(anyc_checkpoint());
}

static int fail_with_words(void *arg)
{
    anyc_capacity_limiter limiter;

    (void)arg;
    return anyc_capacity_limiter_init(&limiter, 1.5);
}

static int check_words(void)
{
    ck_assert_str_eq(anyc_last_error()->message, "capacity limiter: 1.5 is not a number of tokens");
    return ANYC_EINVAL;
}

static int run_fail_with_words(void *arg)
{
    (void)arg;
    ck_assert_int_eq(anyc_from_thread_run_sync(fail_with_words, NULL, NULL, NULL), ANYC_EINVAL);
    (void)check_words();
    ck_assert_int_eq(anyc_from_thread_check_cancelled(), 0);
    ck_assert_int_eq(anyc_from_thread_run(fail_with_words, NULL, NULL, NULL), ANYC_EINVAL);
    return check_words();
}

ANYC_TEST(test_from_thread__brings_the_message_of_the_error)
{
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(anyc_to_thread_run_sync(run_fail_with_words, NULL, kinds[i], NULL),
                         ANYC_EINVAL);
        (void)check_words();
    }
}

static int sleep_0_task(void *arg)
{
    (void)arg;
    return anyc_sleep(0);
}

static int run_sleep_0(void *arg)
{
    (void)arg;
    return anyc_from_thread_run(sleep_0_task, NULL, NULL, NULL);
}

/* FT-012 */
ANYC_TEST(test_from_thread__runs_anycs_own_functions)
{
    ck_assert_ok(anyc_to_thread_run_sync(run_sleep_0, NULL, NULL, NULL));
    ck_assert_ok(anyc_to_thread_run_sync(run_sleep_0, NULL, &abandon, NULL));
}

static int store_backend(void *arg)
{
    *(const char **)arg = anyc_current_backend();
    return 0;
}

static int run_store_backend(void *arg)
{
    return anyc_from_thread_run_sync(store_backend, arg, NULL, NULL);
}

/* FT-019 */
ANYC_TEST(test_from_thread__knows_the_loops_backend)
{
    const char *backend = NULL;

    ck_assert_ok(anyc_to_thread_run_sync(run_store_backend, &backend, NULL, NULL));
    ck_assert_str_eq(backend, anyc_testing_backend());
}

/* -- misuse -- */

static int call_nothing(void *arg)
{
    (void)arg;
    ck_assert_int_eq(anyc_from_thread_run(NULL, NULL, NULL, NULL), ANYC_EINVAL);
    ck_assert_int_eq(anyc_from_thread_run_sync(NULL, NULL, NULL, NULL), ANYC_EINVAL);
    return 0;
}

ANYC_TEST(test_from_thread__refuses_to_call_nothing)
{
    ck_assert_ok(anyc_to_thread_run_sync(call_nothing, NULL, NULL, NULL));
}

static int call_without_token(void *arg)
{
    ck_assert_int_eq(anyc_from_thread_run(note_task, arg, NULL, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_from_thread_run_sync(note_task, arg, NULL, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_from_thread_check_cancelled(), ANYC_ENOLOOP);
    return 0;
}

/* FT-003, FT-013, FT-017: in a thread of the program's own, outside of a run, and in the loop. */
ANYC_TEST_PLAIN(test_from_thread__needs_a_worker_or_a_token)
{
    struct side_thread side;
    bool called = false;

    (void)call_without_token(&called);
    side_thread_start(&side, call_without_token, &called);
    ck_assert_ok(side_thread_join(&side));
    ck_assert_ok(run_on_backend(call_without_token, &called));
    ck_assert(!called);
}

/* -- out of memory -- */

struct scarce {
    const anyc_to_thread_run_sync_options *options;
    long n;
    bool failed;
    bool called;
    int rc;
};

static int scarce_thread(void *arg)
{
    struct scarce *scarce = arg;

    fail_alloc_arm(scarce->n);
    scarce->rc = anyc_from_thread_run(note_task, &scarce->called, NULL, NULL);
    scarce->failed = fail_alloc_disarm();
    return anyc_from_thread_run(sleep_0_task, NULL, NULL, NULL);
}

static int scarce_main(void *arg)
{
    struct scarce *scarce = arg;

    return anyc_to_thread_run_sync(scarce_thread, scarce, scarce->options, NULL);
}

ANYC_TEST_PLAIN(test_from_thread__answers_when_memory_runs_out)
{
    fail_alloc_install();
    for (int i = 0; i < 2; i++) {
        struct scarce scarce = {.options = kinds[i], .failed = true};

        for (scarce.n = 1; scarce.failed; scarce.n++) {
            scarce.called = false;
            ck_assert_ok(run_on_backend(scarce_main, &scarce));
            ck_assert_int_eq(scarce.rc, scarce.failed ? ANYC_ENOMEM : 0);
            ck_assert(scarce.called == !scarce.failed);
        }
        if (kinds[i] == NULL)
            ck_assert_int_eq(scarce.n, 2); /* such a call needs no memory */
    }
    ck_assert_int_eq(fail_alloc_live(), 0);
}
