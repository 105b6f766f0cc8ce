/* SPDX-License-Identifier: MIT */
/*
 * test_table_run.c - the slots of a backend's table that run it: turns, the clock, waking.
 */
#include "stub_core.h"

#include "pairs.h"

#include <anyc/error.h>

#include <check.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define LONG_AGO (-INT64_C(500000) * STUB_MS)

static int64_t now(anyc_loop *loop)
{
    return loop->backend->current_time(loop);
}

static void sleep_until(anyc_loop *loop, int64_t deadline_ns)
{
    loop->backend->sleep_until(loop, deadline_ns);
}

/* A thread that wakes the loop after a while. */
struct waker {
    anyc_loop *loop;
    pthread_t thread;
    int64_t delay_ns;
    atomic_bool woke;
};

static void *waker_main(void *arg)
{
    struct waker *waker = arg;
    struct timespec delay = {0, (long)waker->delay_ns};

    nanosleep(&delay, NULL);
    atomic_store(&waker->woke, true);
    waker->loop->backend->wake(waker->loop);
    return NULL;
}

static void waker_start(struct waker *waker, anyc_loop *loop, int64_t delay_ns)
{
    waker->loop = loop;
    waker->delay_ns = delay_ns;
    atomic_init(&waker->woke, false);
    ck_assert_int_eq(pthread_create(&waker->thread, NULL, waker_main, waker), 0);
}

/* Sleeps until the waker came; answers how many turns there were. */
static unsigned waker_wait(struct waker *waker)
{
    unsigned turns = waker->loop->turns;

    while (!atomic_load(&waker->woke))
        stub_idle(waker->loop);
    ck_assert_int_eq(pthread_join(waker->thread, NULL), 0);
    return waker->loop->turns - turns;
}

ANYC_TEST_TABLE(test_table_run__ends_with_the_turn_that_is_done)
{
    loop->backend->wake(loop); /* something is still to be seen, but no turn comes for it */
    ck_assert_uint_eq(loop->turns, 1);
}

ANYC_TEST_TABLE(test_table_run__looks_for_events_without_sleeping_while_tasks_are_ready)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    pair_pipe(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, ANYC_READABLE);
    stub_settle(loop); /* with nothing to see, it comes back all the same */
    ck_assert_uint_eq(seen.count, 0);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    stub_settle(loop);
    ck_assert_uint_gt(seen.count, 0);
    stub_watch_close(watch);
    close(fds[0]);
    close(fds[1]);
}

ANYC_TEST_TABLE(test_table_run__its_clock_never_goes_back)
{
    int64_t before = now(loop);

    for (int i = 0; i < 1000; i++) {
        int64_t after = now(loop);

        ck_assert_int_ge(after, before);
        before = after;
    }
}

ANYC_TEST_TABLE(test_table_run__sleeps_until_the_deadline_and_not_shorter)
{
    for (int i = 1; i <= 10; i++) {
        int64_t deadline_ns = now(loop) + i * STUB_MS + i * 77777;
        unsigned turns = loop->turns;

        sleep_until(loop, deadline_ns);
        while (now(loop) < deadline_ns)
            stub_idle(loop);
        ck_assert_uint_le(loop->turns - turns, 5); /* it did not turn round and round */
    }
}

ANYC_TEST_TABLE(test_table_run__replaces_a_deadline_by_an_earlier_one)
{
    int64_t deadline_ns = now(loop) + STUB_MS;

    sleep_until(loop, deadline_ns + 3600000 * STUB_MS);
    stub_poll(loop);
    sleep_until(loop, deadline_ns);
    while (now(loop) < deadline_ns)
        stub_idle(loop); /* not for an hour */
}

ANYC_TEST_TABLE(test_table_run__replaces_a_deadline_by_a_later_one)
{
    int64_t deadline_ns = now(loop) + 20 * STUB_MS;

    sleep_until(loop, deadline_ns - 19 * STUB_MS);
    stub_poll(loop);
    sleep_until(loop, deadline_ns);
    stub_idle(loop);
    ck_assert_int_ge(now(loop), deadline_ns - STUB_MS * 10); /* a coarse clock may be early */
    while (now(loop) < deadline_ns)
        stub_idle(loop);
}

ANYC_TEST_TABLE(test_table_run__forgets_a_deadline_that_is_taken_back)
{
    struct waker waker;

    sleep_until(loop, now(loop) + STUB_MS);
    stub_poll(loop);
    sleep_until(loop, INT64_MAX);
    waker_start(&waker, loop, 20 * STUB_MS);
    ck_assert_uint_le(waker_wait(&waker), 1);
}

ANYC_TEST_TABLE(test_table_run__takes_a_deadline_in_the_past_as_now)
{
    sleep_until(loop, LONG_AGO);
    stub_idle(loop);
    sleep_until(loop, INT64_MIN + 1);
    stub_idle(loop);
    sleep_until(loop, 0);
    stub_idle(loop);
}

ANYC_TEST_TABLE(test_table_run__sleeps_on_after_a_deadline_that_has_passed)
{
    int64_t deadline_ns = now(loop) + STUB_MS;
    struct waker waker;

    sleep_until(loop, deadline_ns);
    while (now(loop) < deadline_ns)
        stub_idle(loop);
    waker_start(&waker, loop, 20 * STUB_MS);
    ck_assert_uint_le(waker_wait(&waker), 3); /* it does not turn round and round */
}

/* Sleeps for a moment more at the end of a turn that took long. Answers how late the loop was. */
static int64_t lateness_after_long_turn(anyc_loop *loop)
{
    int64_t deadline_ns = now(loop) + 101 * STUB_MS;
    struct timespec busy = {0, 100 * STUB_MS};

    sleep_until(loop, deadline_ns);
    loop->backend->wake(loop);
    stub_idle(loop); /* now the native timer is set */
    nanosleep(&busy, NULL);
    while (now(loop) < deadline_ns)
        stub_idle(loop);
    return now(loop) - deadline_ns;
}

ANYC_TEST_TABLE(test_table_run__counts_the_time_that_a_turn_took)
{
    int attempts = 0;

    while (lateness_after_long_turn(loop) > 80 * STUB_MS) /* the machine may have been busy */
        ck_assert_int_lt(++attempts, 5);
}

ANYC_TEST_TABLE(test_table_run__is_woken_by_another_thread)
{
    struct waker waker;

    waker_start(&waker, loop, STUB_MS);
    ck_assert_uint_le(waker_wait(&waker), 1);
}

ANYC_TEST_TABLE(test_table_run__is_woken_by_what_came_before_it_slept)
{
    loop->backend->wake(loop);
    stub_idle(loop);
    loop->backend->wake(loop);
    loop->backend->wake(loop);
    stub_idle(loop);
}

static atomic_uint posted;

static void *poster_main(void *arg)
{
    anyc_loop *loop = arg;

    for (unsigned i = 0; i < 20000; i++) {
        atomic_fetch_add(&posted, 1);
        loop->backend->wake(loop);
    }
    return NULL;
}

ANYC_TEST_TABLE(test_table_run__misses_no_wake_of_several_threads)
{
    pthread_t threads[3];

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, poster_main, loop), 0);
    while (atomic_load(&posted) < 60000)
        stub_idle(loop); /* each post is followed by a wake, so this comes to an end */
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

static anyc_loop *handled_loop;

static void wake_handler(int signum)
{
    (void)signum;
    handled_loop->backend->wake(handled_loop);
}

static void *interrupter_main(void *arg)
{
    pthread_t *target = arg;
    struct timespec delay = {0, STUB_MS};

    nanosleep(&delay, NULL);
    pthread_kill(*target, SIGUSR2);
    return NULL;
}

ANYC_TEST_TABLE(test_table_run__is_woken_by_a_signal_handler)
{
    struct sigaction action = {.sa_handler = wake_handler, .sa_flags = SA_RESTART};
    pthread_t self = pthread_self();
    pthread_t thread;

    handled_loop = loop;
    ck_assert_int_eq(sigaction(SIGUSR2, &action, NULL), 0);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, interrupter_main, &self), 0);
        stub_idle(loop);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        stub_settle(loop);
    }
}

/* More of them than a pipe or a counter holds must neither block nor fail. */
ANYC_TEST_TABLE(test_table_run__can_be_woken_any_number_of_times_without_touching_errno)
{
    errno = EXDEV;
    for (int i = 0; i < 100000; i++)
        loop->backend->wake(loop);
    ck_assert_int_eq(errno, EXDEV);
    stub_idle(loop);
}

static void ask_for_turn(anyc_watch *watch, void *arg)
{
    unsigned *asked_in = arg;

    *asked_in = watch->loop->turns;
    watch->loop->backend->task_ready(watch->loop);
    watch->loop->backend->task_ready(watch->loop);
    watch->loop->backend->watch_stop(watch);
}

ANYC_TEST_TABLE(test_table_run__gives_a_turn_to_a_task_that_a_callback_made_ready)
{
    unsigned asked_in = 0;
    struct stub_seen seen = {.ready = ask_for_turn, .arg = &asked_in};
    anyc_watch *watch;
    int fds[2];

    pair_sockets(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, ANYC_WRITABLE);
    while (asked_in == 0)
        stub_idle(loop);
    ck_assert_uint_eq(loop->turns, asked_in + 1);
    stub_watch_close(watch);
    close(fds[0]);
    close(fds[1]);
}

ANYC_TEST_TABLE(test_table_run__a_fresh_loop_has_nothing_of_the_host)
{
    struct stub_seen seen = {0};
    anyc_watch *watch;
    int fds[2];

    pair_sockets(fds);
    watch = stub_watch(loop, fds[0], &seen);
    stub_watch_start(watch, ANYC_READABLE);
    sleep_until(loop, now(loop) + 3600000 * STUB_MS);
    ck_assert(!loop->backend->alive(loop));
    stub_settle(loop);
    ck_assert(!loop->backend->alive(loop));
    stub_watch_close(watch);
    ck_assert(!loop->backend->alive(loop));
    close(fds[0]);
    close(fds[1]);
}

static void body_of_nothing(anyc_loop *loop)
{
    (void)loop;
}

static void *run_loops(void *arg)
{
    (void)arg;
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(stub_try_run(NULL, body_of_nothing), 0);
    return NULL;
}

ANYC_TEST_PLAIN(test_table_run__can_be_repeated_and_leaves_nothing_open)
{
    run_loops(NULL);
}

ANYC_TEST_PLAIN(test_table_run__goes_on_in_several_threads_at_once)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_loops, NULL), 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

/* Closing a loop that never ran: core does that when the main task cannot be made. */
ANYC_TEST_PLAIN(test_table_run__can_be_closed_before_it_ran)
{
    ck_assert_int_eq(stub_open_and_close(NULL), 0);
}

ANYC_TEST_PLAIN(test_table_run__refuses_to_open_without_descriptors)
{
    struct rlimit limit;
    struct rlimit tight;
    int lowest = dup(0);

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    close(lowest);
    for (int spare = 0; spare < 6; spare++) {
        tight = (struct rlimit){(rlim_t)(lowest + spare), limit.rlim_max};
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
        ck_assert_int_eq(stub_open_and_close(NULL), -EMFILE);
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(stub_open_and_close(NULL), 0);
}

ANYC_TEST_PLAIN(test_table_run__refuses_an_option_that_it_does_not_know)
{
    const anyc_run_options unknown_method = {.method = "no_such_method"};
    const anyc_run_options precise = {.precise_timer = true};
    const anyc_run_options io_uring = {.use_io_uring = true};
    int rc;

    ck_assert_int_eq(stub_open_and_close(&unknown_method), ANYC_EINVAL);
    rc = stub_open_and_close(&precise);
    ck_assert(rc == 0 || rc == ANYC_EINVAL);
    rc = stub_open_and_close(&io_uring);
    ck_assert(rc == 0 || rc == ANYC_EINVAL);
}
