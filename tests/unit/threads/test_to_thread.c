/* SPDX-License-Identifier: MIT */
/*
 * test_to_thread.c - functions in worker threads. AnyIO: tests/test_to_thread.py.
 */
#include <check.h>

#include <anyc/capacity_limiter.h>
#include <anyc/error.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/testing.h>
#include <anyc/thread.h>

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "support/fail_alloc.h"
#include "support/thread.h"

#define E1 (-4711)

static const anyc_to_thread_run_sync_options abandon = {.abandon_on_cancel = true};

static int return_int(void *arg)
{
    return *(const int *)arg;
}

static int count_up(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
    return 0;
}

/* -- results -- */

ANYC_TEST(test_to_thread__gives_the_result_of_the_function)
{
    int seven = 7;
    int result = 0;

    ck_assert_int_eq(anyc_to_thread_run_sync(return_int, &seven, NULL, &result), 0);
    ck_assert_int_eq(result, 7);
    ck_assert_int_eq(anyc_to_thread_run_sync(return_int, &seven, &abandon, NULL), 0);
}

/* TT-002 */
ANYC_TEST(test_to_thread__gives_the_error_of_the_function)
{
    int code = E1;
    int result = 5;

    ck_assert_int_eq(anyc_to_thread_run_sync(return_int, &code, NULL, &result), E1);
    ck_assert_int_eq(result, 5);
    ck_assert_int_eq(anyc_last_error()->code, E1);
}

static int fail_with_words(void *arg)
{
    (void)arg;
    return anyc_run(NULL, "no-such-loop"); /* fails before it looks for the loop */
}

ANYC_TEST(test_to_thread__brings_the_message_of_the_error)
{
    for (int i = 0; i < 2; i++) {
        const anyc_to_thread_run_sync_options *options = i == 0 ? NULL : &abandon;

        ck_assert_int_eq(anyc_to_thread_run_sync(fail_with_words, NULL, options, NULL),
                         ANYC_EINVAL);
        ck_assert_str_eq(anyc_last_error()->message, "a run needs a function");
    }
}

static int fail_silently(void *arg)
{
    int *before = arg;

    *before = anyc_last_error()->code;
    return ANYC_EINVAL; /* a code of its own, of which it says no more */
}

static int swallow_failure(void *arg)
{
    ck_assert_int_eq(fail_with_words(arg), ANYC_EINVAL);
    return 0;
}

ANYC_TEST(test_to_thread__knows_nothing_of_the_failures_of_the_function_before)
{
    int before = -1;

    ck_assert_int_eq(anyc_to_thread_run_sync(swallow_failure, NULL, NULL, NULL), 0);
    ck_assert_int_eq(anyc_to_thread_run_sync(fail_silently, &before, NULL, NULL), ANYC_EINVAL);
    ck_assert_int_eq(before, 0);
    ck_assert_str_eq(anyc_last_error()->message, anyc_strerror(ANYC_EINVAL));
}

/* TT-R15 */
ANYC_TEST(test_to_thread__passes_on_every_code_as_it_is)
{
    int codes[] = {ANYC_ECANCELLED, ANYC_EBROKEN, ANYC_EOF,    ANYC_EWOULDBLOCK, ANYC_EDEADLOCK,
                   ANYC_ENOLOOP,    ANYC_ENOMEM,  ANYC_EINVAL, -EAGAIN,          -1};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        ck_assert_int_eq(anyc_to_thread_run_sync(return_int, &codes[i], NULL, NULL), codes[i]);
        ck_assert_int_eq(anyc_to_thread_run_sync(return_int, &codes[i], &abandon, NULL), codes[i]);
    }
    ck_assert_int_eq(anyc_checkpoint(), 0);
}

ANYC_TEST(test_to_thread__refuses_to_call_nothing)
{
    ck_assert_int_eq(anyc_to_thread_run_sync(NULL, NULL, NULL, NULL), ANYC_EINVAL);
}

ANYC_TEST_PLAIN(test_to_thread__needs_a_loop)
{
    atomic_int count = 0;

    ck_assert_int_eq(anyc_to_thread_run_sync(count_up, &count, NULL, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_to_thread_run_sync(count_up, &count, &abandon, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(count, 0);
    ck_assert_ptr_null(anyc_current_default_thread_limiter());
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ENOLOOP);
}

/* -- threads -- */

struct where {
    pthread_t thread;
    sigset_t blocked;
    int checkpoint;
};

static int look_around(void *arg)
{
    struct where *where = arg;

    where->thread = pthread_self();
    where->checkpoint = anyc_checkpoint();
    pthread_sigmask(SIG_SETMASK, NULL, &where->blocked);
    return 0;
}

ANYC_TEST(test_to_thread__runs_outside_of_the_loop_with_signals_blocked)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE, SIGALRM};
    struct where where = {0};

    ck_assert_int_eq(anyc_to_thread_run_sync(look_around, &where, NULL, NULL), 0);
    ck_assert(!pthread_equal(where.thread, pthread_self()));
    ck_assert_int_eq(where.checkpoint, ANYC_ENOLOOP);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        ck_assert(sigismember(&where.blocked, signals[i]));
    ck_assert(!sigismember(&where.blocked, SIGSEGV));
}

static int five_calls(void *arg)
{
    struct where first = {0};
    int *before = arg;

    ck_assert_int_eq(anyc_to_thread_run_sync(look_around, &first, NULL, NULL), 0);
    ck_assert(!pthread_equal(first.thread, pthread_self()));
    for (int i = 0; i < 4; i++) {
        struct where where = {0};

        ck_assert_int_eq(anyc_to_thread_run_sync(look_around, &where, NULL, NULL), 0);
        ck_assert(pthread_equal(where.thread, first.thread));
    }
    ck_assert_int_eq(thread_count(), *before + 1);
    return 0;
}

/* FT-009. The run joins the thread; the system may list it for a moment more. */
ANYC_TEST_PLAIN(test_to_thread__uses_an_idle_thread_again)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};
    int before = thread_count_before();

    ck_assert_int_eq(anyc_run_with(five_calls, &before, &options), 0);
    ck_assert(thread_count_falls_to(before));
}

static int tell_thread_name(void *arg)
{
    return pthread_getname_np(pthread_self(), arg, 16);
}

ANYC_TEST(test_to_thread__names_the_thread_for_one_call)
{
    anyc_to_thread_run_sync_options options = {.thread_name = "a name that is cut"};
    char name[16];

    for (int i = 0; i < 2; i++) {
        options.abandon_on_cancel = i == 1;
        ck_assert_int_eq(anyc_to_thread_run_sync(tell_thread_name, name, &options, NULL), 0);
        ck_assert_str_eq(name, "a name that is ");
        ck_assert_int_eq(anyc_to_thread_run_sync(tell_thread_name, name, NULL, NULL), 0);
        ck_assert_str_eq(name, "anyc-worker");
    }
}

static int post_gate(void *arg)
{
    sem_post(arg);
    return 0;
}

static int wait_at_gate(void *arg)
{
    return gate_wait(arg) ? 0 : E1;
}

static int call_wait_at_gate(void *arg)
{
    return anyc_to_thread_run_sync(wait_at_gate, arg, NULL, NULL);
}

ANYC_TEST(test_to_thread__lets_the_loop_go_on)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    sem_t gate;

    sem_init(&gate, 0, 0);
    anyc_task_group_enter(&group);
    anyc_task_group_start_soon(&group, call_wait_at_gate, &gate, NULL);
    ck_assert_int_eq(anyc_wait_all_tasks_blocked(), 0);
    ck_assert_int_eq(anyc_to_thread_run_sync(post_gate, &gate, NULL, NULL), 0);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    sem_destroy(&gate);
}

static int take_a_while(void *arg)
{
    (void)arg;
    usleep(20000);
    return 0;
}

ANYC_TEST_WITH(test_to_thread__lets_virtual_time_stand_still, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_cancel_scope scope;

    anyc_fail_after(&scope, 0.001, false);
    ck_assert_int_eq(anyc_to_thread_run_sync(take_a_while, NULL, &abandon, NULL), 0);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, 0), 0);
    ck_assert_double_eq(anyc_current_time(), 0);
}

/* -- limiters -- */

/* SY-050 */
ANYC_TEST(test_to_thread__has_a_default_limiter_of_40)
{
    anyc_capacity_limiter *limiter = anyc_current_default_thread_limiter();

    ck_assert_ptr_nonnull(limiter);
    ck_assert_double_eq(anyc_capacity_limiter_total_tokens(limiter), 40);
    ck_assert_ptr_eq(anyc_current_default_thread_limiter(), limiter);
}

struct crowd {
    pthread_mutex_t lock;
    int active;
    int most;
    int ended;
    int full; /* at so many active ones the event is set */
    anyc_event event;
    sem_t gate;
    anyc_to_thread_run_sync_options options;
};

static int crowd_member(void *arg)
{
    struct crowd *crowd = arg;
    bool came;

    pthread_mutex_lock(&crowd->lock);
    crowd->active++;
    if (crowd->active == crowd->full && crowd->most < crowd->full)
        loop_event_set(&crowd->event);
    if (crowd->active > crowd->most)
        crowd->most = crowd->active;
    pthread_mutex_unlock(&crowd->lock);
    came = gate_wait(&crowd->gate);
    sem_post(&crowd->gate); /* open for all */
    pthread_mutex_lock(&crowd->lock);
    crowd->active--;
    crowd->ended++;
    pthread_mutex_unlock(&crowd->lock);
    return came ? 0 : E1;
}

static int call_crowd_member(void *arg)
{
    struct crowd *crowd = arg;

    return anyc_to_thread_run_sync(crowd_member, crowd, &crowd->options, NULL);
}

static void crowd_run(struct crowd *crowd, anyc_capacity_limiter *limiter, int full, int tasks)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    *crowd = (struct crowd){.lock = PTHREAD_MUTEX_INITIALIZER, .full = full};
    crowd->options.limiter = limiter;
    sem_init(&crowd->gate, 0, 0);
    anyc_task_group_enter(&group);
    for (int i = 0; i < tasks; i++)
        anyc_task_group_start_soon(&group, call_crowd_member, crowd, NULL);
    ck_assert_int_eq(anyc_event_wait(&crowd->event), 0);
    pthread_mutex_lock(&crowd->lock);
    ck_assert_int_eq(crowd->active, full);
    pthread_mutex_unlock(&crowd->lock);
    if (limiter != NULL)
        ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(limiter), (size_t)full);
    sem_post(&crowd->gate);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), 0);
    sem_destroy(&crowd->gate);
}

/* TT-003 */
ANYC_TEST(test_to_thread__keeps_to_a_limiter_of_the_caller)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(3);
    struct crowd crowd;

    crowd_run(&crowd, &limiter, 3, 4);
    ck_assert_int_eq(crowd.most, 3);
    ck_assert_int_eq(crowd.active, 0);
    ck_assert_int_eq(crowd.ended, 4);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 0);
}

ANYC_TEST(test_to_thread__runs_40_functions_at_once)
{
    struct crowd crowd;

    crowd_run(&crowd, NULL, 40, 100);
    ck_assert_int_eq(crowd.most, 40);
    ck_assert_int_eq(crowd.ended, 100);
}

ANYC_TEST(test_to_thread__borrows_for_the_call_and_not_for_the_task)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(2);
    anyc_to_thread_run_sync_options options = {.limiter = &limiter};
    int seven = 7;

    ck_assert_int_eq(anyc_capacity_limiter_acquire(&limiter), 0);
    ck_assert_int_eq(anyc_to_thread_run_sync(return_int, &seven, &options, NULL), 0);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 1);
    ck_assert_int_eq(anyc_capacity_limiter_release(&limiter), 0);
}

/* -- what is left of a run -- */

static int use_a_thread_once(void *arg)
{
    int zero = 0;

    (void)arg;
    return anyc_to_thread_run_sync(return_int, &zero, NULL, NULL);
}

/* TT-013, TT-R13. The C library's own count of memory is taken from the tenth run on: until then
 * its caches of freed blocks fill up, and it counts those as used. */
ANYC_TEST_PLAIN(test_to_thread__leaves_nothing_of_a_run_behind)
{
    anyc_run_options options = {.backend = anyc_testing_backend()};
    size_t heap = 0;
    long blocks = -1;
    int threads = thread_count_before();
    int fds = 0;

    fail_alloc_install();
    for (int i = 1; i <= 100; i++) {
        ck_assert_int_eq(anyc_run_with(use_a_thread_once, NULL, &options), 0);
        if (i == 2) {
            blocks = fail_alloc_live();
            ck_assert(thread_count_falls_to(threads));
            fds = thread_fd_count();
        }
        if (i == 10)
            heap = mallinfo2().uordblks;
    }
    ck_assert_uint_eq(mallinfo2().uordblks, heap);
    ck_assert_int_eq(fail_alloc_live(), blocks);
    ck_assert(thread_count_falls_to(threads));
    ck_assert_int_eq(thread_fd_count(), fds);
}

/* -- out of memory -- */

struct scarce {
    const anyc_to_thread_run_sync_options *options;
    long n;
    bool failed;
    int rc;
    int calls; /* of the function before memory came back */
};

static int scarce_main(void *arg)
{
    struct scarce *scarce = arg;
    atomic_int count = 0;

    fail_alloc_arm(scarce->n);
    scarce->rc = anyc_to_thread_run_sync(count_up, &count, scarce->options, NULL);
    scarce->failed = fail_alloc_disarm();
    scarce->calls = count;
    return anyc_to_thread_run_sync(count_up, &count, scarce->options, NULL);
}

static void scarce_run(const anyc_to_thread_run_sync_options *options)
{
    anyc_run_options run = {.backend = anyc_testing_backend()};
    struct scarce scarce = {.options = options, .failed = true};

    for (scarce.n = 1; scarce.failed; scarce.n++) {
        ck_assert_int_eq(anyc_run_with(scarce_main, &scarce, &run), 0);
        ck_assert_int_eq(scarce.rc, scarce.failed ? ANYC_ENOMEM : 0);
        ck_assert_int_eq(scarce.calls, scarce.failed ? 0 : 1);
    }
    ck_assert_int_gt(scarce.n, 3);
}

ANYC_TEST_PLAIN(test_to_thread__answers_when_memory_runs_out)
{
    fail_alloc_install();
    scarce_run(NULL);
    scarce_run(&abandon);
    ck_assert_int_eq(fail_alloc_live(), 0);
}
