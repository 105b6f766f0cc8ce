/* SPDX-License-Identifier: MIT */
/*
 * test_signal_threads.c - signal receivers in several loops, of any backend.
 */
#include <anyc/loop.h>
#include <anyc/testing.h>
#include <anyc/thread.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "signals.h"
#include "support/tasks.h"

#define THREADS 4

/* A loop in a thread of its own. */
struct other_loop {
    const char *backend;
    unsigned rounds;
    pthread_t thread;
    sem_t open;
    sem_t received;
    sem_t go_on; /* posted: close, and open again */
};

static int other_loop_task(void *arg)
{
    struct other_loop *other = arg;

    for (unsigned i = 0; i < other->rounds; i++) {
        anyc_signal_receiver *receiver = receive_signals(SIGUSR1, SIGUSR2);

        sem_post(&other->open);
        expect_signal(receiver, SIGUSR1);
        sem_post(&other->received);
        while (sem_wait(&other->go_on) != 0)
            continue;
        ck_assert_ok(anyc_aclose(receiver));
    }
    return 0;
}

static void *other_loop_main(void *arg)
{
    struct other_loop *other = arg;

    ck_assert_ok(
        anyc_run_with(other_loop_task, other, &(anyc_run_options){.backend = other->backend}));
    return NULL;
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        continue;
}

/* Returns when its receiver is open. */
static void other_loop_start(struct other_loop *other, const char *backend, unsigned rounds)
{
    other->backend = backend;
    other->rounds = rounds;
    sem_init(&other->open, 0, 0);
    sem_init(&other->received, 0, 0);
    sem_init(&other->go_on, 0, 0);
    ck_assert_int_eq(pthread_create(&other->thread, NULL, other_loop_main, other), 0);
    wait_for(&other->open);
}

static void other_loop_join(struct other_loop *other)
{
    ck_assert_int_eq(pthread_join(other->thread, NULL), 0);
    sem_destroy(&other->open);
    sem_destroy(&other->received);
    sem_destroy(&other->go_on);
}

/* The nth backend here, beginning again after the last. */
static const char *nth_backend(size_t n)
{
    size_t count = 0;
    const char *const *names = anyc_get_available_backends(&count);

    return names[n % count];
}

ANYC_TEST_PLAIN(test_signal_threads__each_loop_gets_the_signal)
{
    struct other_loop others[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        other_loop_start(&others[i], anyc_testing_backend(), 1);
    send_signal(SIGUSR1);
    for (size_t i = 0; i < THREADS; i++)
        wait_for(&others[i].received);
    for (size_t i = 0; i < THREADS; i++) {
        sem_post(&others[i].go_on);
        other_loop_join(&others[i]);
    }
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
    ck_assert(signal_action(SIGUSR2) == SIG_DFL);
}

/* In whichever order they end, those that are left go on receiving. */
static void check_rounds(const char *const *backends)
{
    struct other_loop others[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        other_loop_start(&others[i], backends[i], 1 + (unsigned)(i * 2 % THREADS));
    for (int round = 0; round < THREADS; round++) {
        bool sent = false;

        for (size_t i = 0; i < THREADS; i++) {
            if (others[i].rounds == 0)
                continue;
            if (!sent)
                send_signal(SIGUSR1);
            sent = true;
            wait_for(&others[i].received);
        }
        for (size_t i = 0; i < THREADS; i++) {
            if (others[i].rounds == 0)
                continue;
            sem_post(&others[i].go_on);
            if ((unsigned)round + 1 < others[i].rounds) {
                wait_for(&others[i].open);
            } else {
                other_loop_join(&others[i]);
                others[i].rounds = 0;
            }
        }
    }
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
}

ANYC_TEST_PLAIN(test_signal_threads__those_that_are_left_go_on)
{
    const char *backend = anyc_testing_backend();
    const char *const backends[THREADS] = {backend, backend, backend, backend};

    check_rounds(backends);
}

ANYC_TEST_PLAIN(test_signal_threads__backends_do_not_disturb_each_other)
{
    const char *const backends[THREADS] = {nth_backend(0), nth_backend(1), nth_backend(1),
                                           nth_backend(0)};

    check_rounds(backends);
}

/* -- a flood -- */

#define FLOOD_ROUNDS 200

static atomic_bool flood_over;
static atomic_uint flood_left; /* loops that still receive */

static int flood_task(void *arg)
{
    (void)arg;
    for (int i = 0; i < FLOOD_ROUNDS; i++) {
        anyc_signal_receiver *receiver = receive_signals(SIGUSR2, SIGUSR1);

        ck_assert_int_gt(anyc_signal_receiver_next(receiver), 0);
        ck_assert_ok(anyc_aclose(receiver));
    }
    return 0;
}

static void *flood_main(void *arg)
{
    ck_assert_ok(anyc_run_with(flood_task, NULL, &(anyc_run_options){.backend = arg}));
    if (atomic_fetch_sub(&flood_left, 1) == 1)
        atomic_store(&flood_over, true);
    return NULL;
}

static int flood_send(void *arg)
{
    (void)arg;
    while (!atomic_load(&flood_over)) {
        send_signal(SIGUSR1);
        send_signal(SIGUSR2);
    }
    return 0;
}

/* Keeps the signals from doing what they did before. */
static int flood_keeper(void *arg)
{
    anyc_signal_receiver *receiver = receive_signals(SIGUSR1, SIGUSR2);
    pthread_t *threads = arg;

    atomic_store(&flood_left, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, flood_main, (void *)(uintptr_t)nth_backend(i)), 0);
    ck_assert_ok(anyc_to_thread_run_sync(flood_send, NULL, NULL, NULL));
    ck_assert_int_gt(anyc_signal_receiver_next(receiver), 0);
    return anyc_aclose(receiver);
}

ANYC_TEST_PLAIN(test_signal_threads__receivers_come_and_go_in_a_flood)
{
    pthread_t threads[THREADS];

    ck_assert_ok(run_on_backend(flood_keeper, threads));
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
}
