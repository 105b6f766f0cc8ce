/* SPDX-License-Identifier: MIT */
/*
 * test_worker_end.c - functions that do not return to their worker: they end the thread, or the
 * process.
 */
#include "support/tasks.h"

#include <anyc/thread.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/crash.h"
#include "support/thread.h"

static const anyc_to_thread_run_sync_options abandon = {.abandon_on_cancel = true};

static int seven(void *arg)
{
    (void)arg;
    return 7;
}

static int end_thread(void *arg)
{
    (void)arg;
    pthread_exit(NULL);
}

ANYC_TEST(test_worker_end__a_function_that_ends_its_thread_is_a_failure)
{
    for (int i = 0; i < 4; i++) {
        const anyc_to_thread_run_sync_options *options = i % 2 == 0 ? NULL : &abandon;
        int result = 0;

        ck_assert_int_eq(anyc_to_thread_run_sync(end_thread, NULL, options, NULL), ANYC_EWORKER);
        ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "pthread_exit()"));
        ck_assert_ok(anyc_to_thread_run_sync(seven, NULL, options, &result));
        ck_assert_int_eq(result, 7);
    }
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(anyc_current_default_thread_limiter()),
                      0);
}

static int end_thread_task(void *arg)
{
    *(int *)arg = anyc_to_thread_run_sync(end_thread, NULL, NULL, NULL);
    return 0;
}

/* The first token comes back, and the next one in the queue is served by a new thread. */
ANYC_TEST(test_worker_end__calls_that_wait_for_the_token_go_on)
{
    anyc_capacity_limiter *limiter = anyc_current_default_thread_limiter();
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int codes[5] = {0};

    ck_assert_ok(anyc_capacity_limiter_set_total_tokens(limiter, 1));
    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 5; i++)
        spawn(&group, end_thread_task, &codes[i]);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(codes[i], ANYC_EWORKER);
}

/* -- abandoned -- */

struct late {
    anyc_event begun;
    sem_t go_on;
};

static int end_thread_late(void *arg)
{
    struct late *late = arg;

    loop_event_set(&late->begun);
    (void)gate_wait(&late->go_on);
    pthread_exit(NULL);
}

static int late_task(void *arg)
{
    return anyc_to_thread_run_sync(end_thread_late, arg, &abandon, NULL);
}

/* Leaves a thread behind that is about to end itself. */
static int late_main(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct late *late = arg;

    late->begun = (anyc_event)ANYC_EVENT_INIT;
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, late_task, late);
    ck_assert_ok(anyc_event_wait(&late->begun));
    anyc_task_group_cancel(&group, NULL);
    return anyc_task_group_exit(&group, 0);
}

ANYC_TEST(test_worker_end__an_abandoned_function_may_end_its_thread)
{
    struct late late;

    sem_init(&late.go_on, 0, 0);
    ck_assert_ok(late_main(&late));
    sem_post(&late.go_on);
    wait_for_tokens(anyc_current_default_thread_limiter());
    sem_destroy(&late.go_on);
}

ANYC_TEST_PLAIN(test_worker_end__an_abandoned_function_may_end_its_thread_after_the_run)
{
    int before = thread_count_before();
    struct late late;

    sem_init(&late.go_on, 0, 0);
    ck_assert_ok(run_on_backend(late_main, &late));
    ck_assert_int_eq(thread_count(), before + 1);
    sem_post(&late.go_on);
    ck_assert(thread_count_falls_to(before));
    sem_destroy(&late.go_on);
    forget_last_error();
}

/* -- no cancellation of threads -- */

static int cancel_thread(void *arg)
{
    ck_assert_int_eq(pthread_cancel(pthread_self()), 0);
    pthread_testcancel();
    return seven(arg);
}

ANYC_TEST(test_worker_end__pthread_cancel_has_no_effect_on_a_worker)
{
    for (int i = 0; i < 3; i++) {
        int result = 0;

        ck_assert_ok(anyc_to_thread_run_sync(cancel_thread, NULL, NULL, &result));
        ck_assert_int_eq(result, 7);
    }
}

/* -- the end of the process -- */

static int end_process(void *arg)
{
    (void)arg;
    exit(7);
}

static int end_process_main(void *arg)
{
    return anyc_to_thread_run_sync(end_process, arg, NULL, NULL);
}

static void end_process_in_worker(void)
{
    (void)run_on_backend(end_process_main, NULL); /* never returns */
}

ANYC_TEST_PLAIN(test_worker_end__a_function_may_end_the_process)
{
    struct crash crash;

    crash_watch(&crash, end_process_in_worker);
    ck_assert_int_eq(crash.signal, 0);
    ck_assert_int_eq(crash.status, 7);
}
