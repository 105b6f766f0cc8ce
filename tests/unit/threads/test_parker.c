/* SPDX-License-Identifier: MIT */
/*
 * test_parker.c - how threads wait for each other (WHITEBOX).
 */
#include <check.h>

#include <anyc/testing.h>

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "support/thread.h"
#include "threads/parker.h"

#define ROUNDS 20000

struct pair {
    struct parker to;
    struct parker back;
    int count; /* changed by both in turn */
};

static int answer(void *arg)
{
    struct pair *pair = arg;

    for (int i = 0; i < ROUNDS; i++) {
        anyc__park(&pair->to);
        pair->count++;
        anyc__unpark(&pair->back);
    }
    return 0;
}

ANYC_TEST_PLAIN(test_parker__hands_over_to_and_fro)
{
    struct side_thread side;
    struct pair pair = {.count = 0};

    anyc__parker_init(&pair.to);
    anyc__parker_init(&pair.back);
    side_thread_start(&side, answer, &pair);
    for (int i = 0; i < ROUNDS; i++) {
        pair.count++;
        anyc__unpark(&pair.to);
        anyc__park(&pair.back);
    }
    ck_assert_int_eq(side_thread_join(&side), 0);
    ck_assert_int_eq(pair.count, 2 * ROUNDS);
    anyc__parker_deinit(&pair.to);
    anyc__parker_deinit(&pair.back);
}

ANYC_TEST_PLAIN(test_parker__does_not_wait_when_the_post_was_first)
{
    struct parker parker;

    anyc__parker_init(&parker);
    anyc__unpark(&parker);
    anyc__park(&parker);
    anyc__unpark(&parker);
    ck_assert(anyc__park_for(&parker, 0));
    ck_assert(!anyc__park_for(&parker, 0));
    ck_assert(!anyc__park_for(&parker, 1));
    anyc__parker_deinit(&parker);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void on_signal(int signum)
{
    (void)signum;
}

static int interrupt(void *arg)
{
    for (int i = 0; i < 5; i++) {
        usleep(2000);
        pthread_kill(*(pthread_t *)arg, SIGUSR1);
    }
    return 0;
}

/* Signals do not shorten the wait. */
ANYC_TEST_PLAIN(test_parker__gives_up_in_time)
{
    struct sigaction action = {.sa_handler = on_signal};
    pthread_t self = pthread_self();
    double begin = seconds_now();
    struct side_thread side;
    struct parker parker;

    sigaction(SIGUSR1, &action, NULL);
    anyc__parker_init(&parker);
    side_thread_start(&side, interrupt, &self);
    ck_assert(!anyc__park_for(&parker, 30000000));
    ck_assert_double_ge(seconds_now() - begin, 0.03);
    ck_assert_int_eq(side_thread_join(&side), 0);
    anyc__parker_deinit(&parker);
}

static int post_later(void *arg)
{
    usleep(1000);
    anyc__unpark(arg);
    return 0;
}

ANYC_TEST_PLAIN(test_parker__wakes_from_a_wait_that_might_take_for_ever)
{
    static const int64_t waits[] = {INT64_MAX, INT64_MAX / 2, INT64_C(3600000000000)};

    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        struct side_thread side;
        struct parker parker;

        anyc__parker_init(&parker);
        side_thread_start(&side, post_later, &parker);
        ck_assert(anyc__park_for(&parker, waits[i]));
        ck_assert_int_eq(side_thread_join(&side), 0);
        anyc__parker_deinit(&parker);
    }
}
