/* SPDX-License-Identifier: MIT */
/*
 * micro_pthread.c - what calls between threads cost at least: one thread hands a job to another and
 * waits until that has handed it back, by a mutex and a condition variable for each of them, which
 * is signalled without the lock: so who wakes finds it free.
 *
 *   micro_pthread [--rounds N] [MEASURE ...]
 *
 * It has the measures of bench/micro/threads.c, which are all the same here. In handover_locked the
 * signal is given with the lock held, as it is mostly written: who wakes may find it taken.
 */
#include <pthread.h>
#include <stdio.h>

#include "../micro/measure.h"

enum turn { TURN_CALLER, TURN_WORKER, TURN_END };

struct handover {
    bool locked; /* signal with the lock held */
    pthread_mutex_t lock;
    pthread_cond_t to_worker;
    pthread_cond_t to_caller;
    enum turn turn;
};

/* Changes the turn, which is the other thread's then. */
static void handover_pass(struct handover *handover, enum turn turn, pthread_cond_t *to)
{
    pthread_mutex_lock(&handover->lock);
    handover->turn = turn;
    if (handover->locked)
        pthread_cond_signal(to);
    pthread_mutex_unlock(&handover->lock);
    if (!handover->locked)
        pthread_cond_signal(to);
}

static void *worker_main(void *arg)
{
    struct handover *handover = arg;

    enum turn turn = TURN_WORKER;

    while (turn != TURN_END) {
        pthread_mutex_lock(&handover->lock);
        while (handover->turn == TURN_CALLER)
            pthread_cond_wait(&handover->to_worker, &handover->lock);
        turn = handover->turn;
        pthread_mutex_unlock(&handover->lock);
        handover_pass(handover, TURN_CALLER, &handover->to_caller);
    }
    return NULL;
}

static void handover_give(struct handover *handover, enum turn turn)
{
    handover_pass(handover, turn, &handover->to_worker);
    pthread_mutex_lock(&handover->lock);
    while (handover->turn != TURN_CALLER)
        pthread_cond_wait(&handover->to_caller, &handover->lock);
    pthread_mutex_unlock(&handover->lock);
}

static int handovers(struct bench *bench, bool locked)
{
    struct handover handover = {.locked = locked,
                                .lock = PTHREAD_MUTEX_INITIALIZER,
                                .to_worker = PTHREAD_COND_INITIALIZER,
                                .to_caller = PTHREAD_COND_INITIALIZER};
    pthread_t worker;
    int rc = pthread_create(&worker, NULL, worker_main, &handover);

    if (rc != 0)
        return -rc;
    handover_give(&handover, TURN_WORKER); /* it has started */
    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds; i++)
        handover_give(&handover, TURN_WORKER);
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    handover_give(&handover, TURN_END);
    pthread_join(worker, NULL);
    return 0;
}

static int bench_handover(struct bench *bench)
{
    return handovers(bench, false);
}

static int bench_handover_locked(struct bench *bench)
{
    return handovers(bench, true);
}

static const struct measure measures[] = {
    {"to_thread", "to_thread", 1, "ns", 0, false, true, bench_handover},
    {"from_thread", "from_thread", 1, "ns", 0, false, true, bench_handover},
    {"from_thread_sync", "from_thread_sync", 1, "ns", 0, false, true, bench_handover},
    {"portal_call", "portal_call", 1, "ns", 0, false, true, bench_handover},
    {"handover_locked", "handover_locked", 1, "ns", 0, false, true, bench_handover_locked},
};

static int micro_take(const struct measure *measure, struct bench *bench)
{
    int rc = measure_take(measure, bench);

    if (rc < 0)
        fprintf(stderr, "%s: no thread\n", measure->name);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct program program = {"micro_pthread", measures,
                                           sizeof measures / sizeof measures[0], false, micro_take};

    return program_main(&program, argc, argv);
}
