/* SPDX-License-Identifier: MIT */
/*
 * test_worker_pool.c - the pool itself: idle workers, no more threads to be had, runs in several
 * threads, and the token by which threads find out that a run has ended.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/testing.h>
#include <anyc/thread.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/loop.h"
#include "support/fail_alloc.h"
#include "support/thread.h"
#include "support/threads_refused.h"
#include "support/valgrind.h"
#include "threads/run_token.h"
#include "threads/worker_pool.h"

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* So many functions in threads at the same time. */
struct meeting {
    pthread_barrier_t barrier;
    anyc_task_group group;
};

static int meeting_thread(void *arg)
{
    struct meeting *meeting = arg;

    pthread_barrier_wait(&meeting->barrier);
    return 0;
}

static int meeting_task(void *arg)
{
    return anyc_to_thread_run_sync(meeting_thread, arg, NULL, NULL);
}

static void meet(unsigned count)
{
    struct meeting meeting = {.group = ANYC_TASK_GROUP_INIT};

    pthread_barrier_init(&meeting.barrier, NULL, count);
    anyc_task_group_enter(&meeting.group);
    for (unsigned i = 0; i < count; i++)
        anyc_task_group_start_soon(&meeting.group, meeting_task, &meeting, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&meeting.group, 0), 0);
    pthread_barrier_destroy(&meeting.barrier);
}

static int idle_main(void *arg)
{
    int *threads = arg;

    for (unsigned i = 1; i <= 3; i++) {
        meet(i);
        meet(5);
        while (thread_count() > *threads + 1)
            ck_assert_int_eq(anyc_sleep(0.001), 0);
    }
    return 0;
}

ANYC_TEST_PLAIN(test_worker_pool__lets_idle_workers_go)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};
    int threads = thread_count_before();

    anyc__worker_idle_ns = 1000000;
    ck_assert_int_eq(anyc_run_with(idle_main, &threads, &options), 0);
}

static int only_main(void *arg)
{
    int *threads = arg;

    meet(1);
    ck_assert_int_eq(anyc_sleep(0.02), 0);
    ck_assert_int_eq(thread_count(), *threads + 1);
    meet(3); /* it was the first of them */
    return 0;
}

ANYC_TEST_PLAIN(test_worker_pool__keeps_the_only_worker)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};
    int threads = thread_count_before();

    anyc__worker_idle_ns = 1000000;
    ck_assert_int_eq(anyc_run_with(only_main, &threads, &options), 0);
    ck_assert(thread_count_falls_to(threads));
}

/* The first worker is through before the others. */
struct relay {
    pthread_barrier_t barrier;
    sem_t first_ended;
};

static int relay_first_thread(void *arg)
{
    pthread_barrier_wait(&((struct relay *)arg)->barrier);
    return 0;
}

static int relay_first_task(void *arg)
{
    struct relay *relay = arg;

    ck_assert_int_eq(anyc_to_thread_run_sync(relay_first_thread, relay, NULL, NULL), 0);
    for (int i = 0; i < 5; i++)
        sem_post(&relay->first_ended);
    return 0;
}

static int relay_thread(void *arg)
{
    struct relay *relay = arg;

    pthread_barrier_wait(&relay->barrier);
    ck_assert(gate_wait(&relay->first_ended));
    return 0;
}

static int relay_task(void *arg)
{
    return anyc_to_thread_run_sync(relay_thread, arg, NULL, NULL);
}

static void relay_run(void)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct relay relay;

    pthread_barrier_init(&relay.barrier, NULL, 6);
    sem_init(&relay.first_ended, 0, 0);
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, relay_first_task, &relay, NULL);
    for (int i = 0; i < 5; i++)
        anyc_task_group_start_soon(&group, relay_task, &relay, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    sem_destroy(&relay.first_ended);
    pthread_barrier_destroy(&relay.barrier);
}

static int keep_main(void *arg)
{
    int *threads = arg;
    long before;

    meet(6);
    while (thread_count() > *threads + 1)
        ck_assert_int_eq(anyc_sleep(0.001), 0);
    meet(1); /* its worker stays, and is the only one */
    before = fail_alloc_live();
    relay_run();
    while (fail_alloc_live() > before + 1)
        meet(1); /* always the same of the others */
    return 0;
}

/* Also those that became idle after the one that stays, and so stand behind it. */
ANYC_TEST_PLAIN(test_worker_pool__frees_workers_that_have_left)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};
    int threads = thread_count_before();

    anyc__worker_idle_ns = 10000000;
    fail_alloc_install();
    ck_assert_int_eq(anyc_run_with(keep_main, &threads, &options), 0);
}

/* Workers leave while jobs are being given to them. */
static int hurry_main(void *arg)
{
    (void)arg;
    for (int i = 0; i < 500; i++) {
        meet(2);
        if (i % 3 == 0)
            usleep(20);
    }
    return 0;
}

ANYC_TEST_PLAIN(test_worker_pool__gives_no_job_to_a_worker_that_leaves)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};

    anyc__worker_idle_ns = 20000;
    ck_assert_int_eq(anyc_run_with(hurry_main, NULL, &options), 0);
}

/* -- no more threads to be had -- */

/* Valgrind answers EINVAL to the mapping of the stack, where the system says ENOMEM; that is what
 * pthread_create() answers then, and not EAGAIN. */
ANYC_TEST(test_worker_pool__answers_when_no_thread_can_be_had)
{
    anyc_to_thread_run_sync_options abandon = {.abandon_on_cancel = true};

    skip_on_valgrind("pthread_create() answers EINVAL, not EAGAIN");
    refuse_threads(true);
    ck_assert_int_eq(anyc_to_thread_run_sync(nothing, NULL, NULL, NULL), -EAGAIN);
    ck_assert_int_eq(anyc_to_thread_run_sync(nothing, NULL, &abandon, NULL), -EAGAIN);
    refuse_threads(false);
    ck_assert_int_eq(anyc_to_thread_run_sync(nothing, NULL, NULL, NULL), 0);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(anyc_current_default_thread_limiter()),
                      0);
}

struct queue {
    sem_t gate;
    atomic_int ended;
};

static int queue_thread(void *arg)
{
    struct queue *queue = arg;

    gate_wait(&queue->gate);
    atomic_fetch_add(&queue->ended, 1);
    return 0;
}

static int queue_task(void *arg)
{
    return anyc_to_thread_run_sync(queue_thread, arg, NULL, NULL);
}

ANYC_TEST(test_worker_pool__lets_calls_wait_for_a_free_worker)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int threads = thread_count_before();
    struct queue queue = {0};

    sem_init(&queue.gate, 0, 0);
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, queue_task, &queue, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    refuse_threads(true);
    for (int i = 0; i < 9; i++)
        anyc_task_group_start_soon(&group, queue_task, &queue, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(thread_count(), threads + 1);
    for (int i = 0; i < 10; i++)
        sem_post(&queue.gate);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    ck_assert_int_eq(queue.ended, 10);
    refuse_threads(false);
    sem_destroy(&queue.gate);
}

ANYC_TEST(test_worker_pool__cancels_calls_that_wait_for_a_free_worker)
{
    anyc_task_group outer = ANYC_TASK_GROUP_INIT;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct queue queue = {0};

    sem_init(&queue.gate, 0, 0);
    anyc_task_group_enter(&outer);
    anyc_task_group_start_soon(&outer, queue_task, &queue, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    refuse_threads(true);
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, queue_task, &queue, NULL);
    anyc_task_group_start_soon(&group, queue_task, &queue, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    refuse_threads(false);
    sem_post(&queue.gate);
    ck_assert_int_eq(anyc_task_group_exit(&outer, 0), 0);
    ck_assert_int_eq(queue.ended, 1);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(anyc_current_default_thread_limiter()),
                      0);
    sem_destroy(&queue.gate);
}

struct late_cancel {
    anyc_task_group group;
    anyc_token *token;
};

static int cancel_group(void *arg)
{
    anyc_task_group_cancel(arg, NULL);
    return 0;
}

static int late_cancel_thread(void *arg)
{
    struct late_cancel *late = arg;

    return anyc_from_thread_run_sync(cancel_group, &late->group, late->token, NULL);
}

/* The loop stands still until one more call has been posted to it. */
static struct post *posted_after(struct post *last)
{
    while (atomic_load(&anyc__loop->posts.head) == last)
        usleep(100);
    return atomic_load(&anyc__loop->posts.head);
}

/* The worker becomes free, and before the task takes it, comes the cancellation. */
ANYC_TEST(test_worker_pool__cancels_a_call_that_could_have_the_worker_now)
{
    struct late_cancel late = {.group = ANYC_TASK_GROUP_INIT};
    anyc_task_group outer = ANYC_TASK_GROUP_INIT;
    struct queue queue = {0};
    struct side_thread side;
    struct post *last;

    sem_init(&queue.gate, 0, 0);
    ck_assert_int_eq(anyc_current_token(&late.token), 0);
    anyc_task_group_enter(&outer);
    anyc_task_group_start_soon(&outer, queue_task, &queue, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    refuse_threads(true);
    anyc_task_group_enter(&late.group);
    anyc_task_group_start_soon(&late.group, queue_task, &queue, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    refuse_threads(false);
    sem_post(&queue.gate);
    sem_post(&queue.gate); /* for a second function, which must not be called */
    last = posted_after(NULL);
    side_thread_start(&side, late_cancel_thread, &late);
    (void)posted_after(last);
    ck_assert_int_eq(anyc_task_group_exit(&late.group, 0), 0);
    ck_assert_int_eq(anyc_task_group_exit(&outer, 0), 0);
    ck_assert_int_eq(side_thread_join(&side), 0);
    ck_assert_int_eq(queue.ended, 1);
    anyc_token_release(late.token);
    sem_destroy(&queue.gate);
}

/* -- the kinds of jobs -- */

ANYC_TEST(test_worker_pool__keeps_a_limiter_for_each_kind)
{
    anyc_capacity_limiter *limiters[WORKER_KINDS];

    for (int i = 0; i < WORKER_KINDS; i++)
        ck_assert_int_eq(anyc__worker_limiter(anyc__loop, (enum worker_kind)i, &limiters[i]), 0);
    ck_assert_ptr_eq(limiters[WORKER_CALLS], anyc_current_default_thread_limiter());
    ck_assert_ptr_ne(limiters[WORKER_LOOKUPS], limiters[WORKER_CALLS]);
    ck_assert_ptr_ne(limiters[WORKER_FILES], limiters[WORKER_CALLS]);
    ck_assert_ptr_ne(limiters[WORKER_FILES], limiters[WORKER_LOOKUPS]);
}

/* -- many at once -- */

static int many_thread(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
    return 0;
}

static int many_task(void *arg)
{
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(anyc_to_thread_run_sync(many_thread, arg, NULL, NULL), 0);
    return 0;
}

static int many_main(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    for (int i = 0; i < 100; i++)
        anyc_task_group_start_soon(&group, many_task, arg, NULL);
    return anyc_task_group_exit(&group, 0);
}

static void *many_run(void *arg)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};

    ck_assert_int_eq(anyc_run_with(many_main, arg, &options), 0);
    return NULL;
}

ANYC_TEST_PLAIN(test_worker_pool__serves_many_calls_of_several_runs)
{
    pthread_t threads[3];
    atomic_int count = 0;

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, many_run, &count), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(count, 6000);
}

/* -- the token of a run -- */

ANYC_TEST(test_worker_pool__tells_by_a_token_that_the_run_has_ended)
{
    anyc_token *token = anyc__run_token_create(anyc__loop);

    ck_assert_ptr_nonnull(token);
    anyc__run_token_ref(token);
    ck_assert(anyc__run_token_is_here(token));
    ck_assert_ptr_eq(anyc__run_token_enter(token), anyc__loop);
    anyc__run_token_leave(token);
    anyc__run_token_end(token);
    anyc__run_token_unref(token);
    ck_assert_ptr_null(anyc__run_token_enter(token));
    ck_assert(!anyc__run_token_is_here(token));
    anyc__run_token_unref(token);
}
