/* SPDX-License-Identifier: MIT */
/*
 * test_table_signal.c - the slots of a backend's table for signals.
 */
#include "stub_core.h"

#include <check.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void signal_start(anyc_loop *loop, int signum)
{
    ck_assert_int_eq(loop->backend->signal_start(loop, signum), 0);
}

static void signal_stop(anyc_loop *loop, int signum)
{
    loop->backend->signal_stop(loop, signum);
}

/* Sends the signal, and sleeps until it is reported. */
static void send_and_wait(anyc_loop *loop, int signum)
{
    unsigned before = loop->signals[signum];

    ck_assert_int_eq(kill(getpid(), signum), 0);
    while (loop->signals[signum] == before)
        stub_idle(loop);
}

static void *late_killer_main(void *arg)
{
    struct timespec delay = {0, STUB_MS};

    (void)arg;
    nanosleep(&delay, NULL);
    kill(getpid(), SIGUSR1);
    return NULL;
}

ANYC_TEST_TABLE(test_table_signal__wakes_the_loop)
{
    pthread_t thread;

    signal_start(loop, SIGUSR1);
    ck_assert_int_eq(pthread_create(&thread, NULL, late_killer_main, NULL), 0);
    while (loop->signals[SIGUSR1] == 0)
        stub_idle(loop);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    signal_stop(loop, SIGUSR1);
}

ANYC_TEST_TABLE(test_table_signal__reports_several_that_come_together_at_least_once)
{
    signal_start(loop, SIGUSR1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(raise(SIGUSR1), 0);
    while (loop->signals[SIGUSR1] == 0)
        stub_idle(loop);
    stub_settle(loop);
    ck_assert_uint_le(loop->signals[SIGUSR1], 3);
    signal_stop(loop, SIGUSR1);
}

ANYC_TEST_TABLE(test_table_signal__tells_numbers_apart)
{
    signal_start(loop, SIGUSR1);
    signal_start(loop, SIGUSR2);
    signal_start(loop, SIGTERM);
    send_and_wait(loop, SIGUSR2);
    signal_stop(loop, SIGUSR2);
    send_and_wait(loop, SIGTERM);
    signal_stop(loop, SIGTERM);
    send_and_wait(loop, SIGUSR1);
    signal_stop(loop, SIGUSR1);
    ck_assert_uint_eq(loop->signals[SIGUSR1], 1);
    ck_assert_uint_eq(loop->signals[SIGUSR2], 1);
    ck_assert_uint_eq(loop->signals[SIGTERM], 1);
}

ANYC_TEST_TABLE(test_table_signal__can_be_started_again)
{
    for (int i = 0; i < 20; i++) {
        signal_start(loop, SIGUSR1);
        send_and_wait(loop, SIGUSR1);
        signal_stop(loop, SIGUSR1);
    }
}

/* The loop must come to its end with a signal that was caught, but not reported yet. */
ANYC_TEST_TABLE(test_table_signal__can_be_stopped_with_one_on_its_way)
{
    signal_start(loop, SIGUSR1);
    ck_assert_int_eq(raise(SIGUSR1), 0);
    signal_stop(loop, SIGUSR1);
    stub_settle(loop);
    ck_assert_uint_eq(loop->signals[SIGUSR1], 0);
    signal_start(loop, SIGUSR1);
    ck_assert_int_eq(raise(SIGUSR1), 0);
    signal_stop(loop, SIGUSR1);
}

static volatile sig_atomic_t own_handler_calls;

static void own_handler(int signum)
{
    (void)signum;
    own_handler_calls++;
}

ANYC_TEST_TABLE(test_table_signal__brings_the_programs_handler_back)
{
    struct sigaction action = {.sa_handler = own_handler};

    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    for (int i = 0; i < 3; i++) {
        signal_start(loop, SIGUSR1);
        send_and_wait(loop, SIGUSR1);
        signal_stop(loop, SIGUSR1);
    }
    ck_assert_int_eq(own_handler_calls, 0);
    ck_assert_int_eq(raise(SIGUSR1), 0);
    ck_assert_int_eq(own_handler_calls, 1);
}

/* As for a program that nohup started. */
ANYC_TEST_TABLE(test_table_signal__ignores_again_what_was_ignored)
{
    struct sigaction action = {.sa_handler = SIG_IGN};

    ck_assert_int_eq(sigaction(SIGHUP, &action, NULL), 0);
    signal_start(loop, SIGHUP);
    send_and_wait(loop, SIGHUP);
    signal_stop(loop, SIGHUP);
    ck_assert_int_eq(raise(SIGHUP), 0);
    ck_assert_int_eq(sigaction(SIGHUP, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_IGN);
}

ANYC_TEST_TABLE(test_table_signal__refuses_what_cannot_be_caught_and_prints_nothing)
{
    int before = stub_stderr_begin();
    const int numbers[] = {-1, 0, SIGKILL, SIGSTOP, 1000};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        ck_assert_int_eq(loop->backend->signal_start(loop, numbers[i]), -EINVAL);
    stub_stderr_end(before);
    signal_start(loop, SIGUSR1); /* and it still works */
    send_and_wait(loop, SIGUSR1);
    signal_stop(loop, SIGUSR1);
}

static int second_answer;

static void body_of_second(anyc_loop *loop)
{
    second_answer = loop->backend->signal_start(loop, SIGUSR1);
    if (second_answer < 0)
        return;
    send_and_wait(loop, SIGUSR1);
    signal_stop(loop, SIGUSR1);
}

static void *second_main(void *arg)
{
    (void)arg;
    ck_assert_int_eq(stub_try_run(NULL, body_of_second), 0);
    return NULL;
}

/* Some loops can receive signals only once in a process: they say so. */
ANYC_TEST_TABLE(test_table_signal__reaches_every_loop_or_refuses_the_second)
{
    pthread_t thread;

    signal_start(loop, SIGUSR1);
    ck_assert_int_eq(pthread_create(&thread, NULL, second_main, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(second_answer == 0 || second_answer == -EBUSY);
    send_and_wait(loop, SIGUSR1);
    signal_stop(loop, SIGUSR1);
    ck_assert_int_eq(pthread_create(&thread, NULL, second_main, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(second_answer, 0);
}
