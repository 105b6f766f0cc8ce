/* SPDX-License-Identifier: MIT */
/*
 * micro_st.c - measures of bench/micro with State Threads (its threads are tasks of one thread).
 *
 * A measure is missing where State Threads has no such thing: streams, semaphores, timeouts around
 * code. Letting others run is st_usleep(0), which always asks the kernel for events; there is no
 * other way. The stacks have no guards.
 */
#include <stdio.h>
#include <stdlib.h>

#include <st.h>

#include "micro_st.h"

enum {
    YIELDS_BEFORE = 2, /* until all threads have started */
    WARM_REPEATS = 3,
};
static const double sleep_max_us = 0.5e6;
static const st_utime_t an_hour_us = 3600 * UINT64_C(1000000);

/* Threads that start, count themselves and wait. */
struct crowd {
    const struct bench *bench;
    st_thread_t *threads; /* owned */
    size_t count;         /* that have been created */
    size_t ready;
    bool released;
    st_cond_t release; /* owned */
};

typedef void *(*thread_fn)(void *arg);

static void *crowd_wait(void *arg)
{
    struct crowd *crowd = arg;

    crowd->ready++;
    while (!crowd->released)
        st_cond_wait(crowd->release);
    return NULL;
}

static void *crowd_sleep(void *arg)
{
    struct crowd *crowd = arg;

    crowd->ready++;
    st_usleep(an_hour_us);
    return NULL;
}

static void *crowd_sleep_forever(void *arg)
{
    struct crowd *crowd = arg;

    crowd->ready++;
    st_usleep(ST_UTIME_NO_TIMEOUT);
    return NULL;
}

static int crowd_init(struct crowd *crowd, const struct bench *bench)
{
    *crowd = (struct crowd){.bench = bench, .release = st_cond_new()};
    crowd->threads = calloc(bench->count, sizeof(st_thread_t));
    return crowd->threads == NULL || crowd->release == NULL ? -1 : 0;
}

static int crowd_add(struct crowd *crowd, thread_fn fn, void *arg)
{
    st_thread_t thread = st_thread_create(fn, arg, 1, (int)crowd->bench->stack_size);

    if (thread == NULL)
        return -1;
    crowd->threads[crowd->count++] = thread;
    return 0;
}

/* Start all threads of a crowd and let them run until they wait. */
static int crowd_start(struct crowd *crowd, thread_fn fn)
{
    int rc = 0;

    for (size_t i = 0; i < crowd->bench->count && rc == 0; i++)
        rc = crowd_add(crowd, fn, crowd);
    while (rc == 0 && crowd->ready < crowd->count)
        st_usleep(0);
    return rc;
}

static void crowd_release(struct crowd *crowd)
{
    crowd->released = true;
    st_cond_broadcast(crowd->release);
}

static void crowd_interrupt(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++)
        st_thread_interrupt(crowd->threads[i]);
}

static void crowd_join(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++)
        st_thread_join(crowd->threads[i], NULL);
    crowd->count = 0;
}

static void crowd_deinit(struct crowd *crowd)
{
    crowd_join(crowd);
    if (crowd->release != NULL)
        st_cond_destroy(crowd->release);
    free(crowd->threads);
}

/* The time of one crowd, from its first thread's creation or from `end` on, until all have ended. */
static int crowd_measure(struct bench *bench, thread_fn fn, void (*end)(struct crowd *),
                         bool from_creation)
{
    struct crowd crowd;
    int rc = crowd_init(&crowd, bench);

    if (rc == 0 && from_creation)
        bench_start(bench);
    if (rc == 0)
        rc = crowd_start(&crowd, fn);
    if (rc == 0) {
        if (!from_creation)
            bench_start(bench);
        end(&crowd);
        crowd_join(&crowd);
        bench_stop(bench);
    }
    bench->ops = (double)bench->count;
    crowd_deinit(&crowd);
    return rc;
}

/* The argument of a yielding thread. */
struct yielder {
    struct bench *bench;
    bool first; /* it measures the time */
};

static void *yielder_run(void *arg)
{
    const struct yielder *yielder = arg;

    for (uint64_t i = 0; i < YIELDS_BEFORE; i++)
        st_usleep(0);
    if (yielder->first)
        bench_start(yielder->bench);
    for (uint64_t i = 0; i < yielder->bench->rounds; i++)
        st_usleep(0);
    if (yielder->first)
        bench_stop(yielder->bench);
    return NULL;
}

static int bench_yield(struct bench *bench)
{
    struct yielder first = {bench, true};
    struct yielder other = {bench, false};
    struct crowd crowd;
    int rc = crowd_init(&crowd, bench);

    for (size_t i = 0; i < bench->count && rc == 0; i++)
        rc = crowd_add(&crowd, yielder_run, i == 0 ? &first : &other);
    crowd_deinit(&crowd);
    bench->ops = (double)bench->count * (double)bench->rounds;
    return rc;
}

static void *do_nothing(void *arg)
{
    return arg;
}

static int bench_spawn_join(struct bench *bench)
{
    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds; i++) {
        st_thread_t thread = st_thread_create(do_nothing, NULL, 1, (int)bench->stack_size);

        if (thread == NULL || st_thread_join(thread, NULL) < 0)
            return -1;
    }
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    return 0;
}

/* All threads live at once: each waits until the last has started. */
static int bench_spawn_cold(struct bench *bench)
{
    return crowd_measure(bench, crowd_wait, crowd_release, true);
}

/* The mean of three after a first. */
static int bench_spawn_warm(struct bench *bench)
{
    int rc = bench_spawn_cold(bench);

    bench->total = 0;
    for (int i = 0; i < WARM_REPEATS && rc == 0; i++)
        rc = bench_spawn_cold(bench);
    bench->ops = WARM_REPEATS * (double)bench->count;
    return rc;
}

static int bench_lock_free(struct bench *bench)
{
    st_mutex_t lock = st_mutex_new();
    int rc = lock == NULL ? -1 : 0;

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++) {
        rc = st_mutex_lock(lock);
        if (rc == 0)
            rc = st_mutex_unlock(lock);
    }
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    if (lock != NULL)
        st_mutex_destroy(lock);
    return rc;
}

struct contest {
    st_mutex_t lock;
    uint64_t rounds;
    bool once; /* a holder lets others run the first time only */
};

static void *contest_take_part(void *arg)
{
    const struct contest *contest = arg;

    for (uint64_t i = 0; i < contest->rounds; i++) {
        st_mutex_lock(contest->lock);
        if (i == 0 || !contest->once)
            st_usleep(0);
        st_mutex_unlock(contest->lock);
    }
    return NULL;
}

static int contest_run(struct bench *bench, bool once)
{
    struct contest contest = {st_mutex_new(), bench->rounds, once};
    struct crowd crowd;
    int rc = crowd_init(&crowd, bench);

    bench_start(bench);
    if (contest.lock == NULL)
        rc = -1;
    for (size_t i = 0; i < bench->count && rc == 0; i++)
        rc = crowd_add(&crowd, contest_take_part, &contest);
    crowd_join(&crowd);
    bench_stop(bench);
    bench->ops = (double)bench->count * (double)bench->rounds;
    crowd_deinit(&crowd);
    if (contest.lock != NULL)
        st_mutex_destroy(contest.lock);
    return rc;
}

/* Each holder lets the others run, so that they queue up. */
static int bench_lock_contended(struct bench *bench)
{
    return contest_run(bench, false);
}

/* An unlocked mutex belongs to the first waiter, so once they have queued up every thread waits. */
static int bench_lock_handover(struct bench *bench)
{
    return contest_run(bench, true);
}

/* Two threads that wake each other in turn. */
struct ping_pong {
    uint64_t rounds;
    bool ping_is_set;
    bool pong_is_set;
    st_cond_t ping;
    st_cond_t pong;
};

static void signal_set(bool *is_set, st_cond_t cond)
{
    *is_set = true;
    st_cond_signal(cond);
}

static void signal_wait(bool *is_set, st_cond_t cond)
{
    while (!*is_set)
        st_cond_wait(cond);
    *is_set = false;
}

static void *ping_pong_answer(void *arg)
{
    struct ping_pong *game = arg;

    for (uint64_t i = 0; i < game->rounds; i++) {
        signal_wait(&game->ping_is_set, game->ping);
        signal_set(&game->pong_is_set, game->pong);
    }
    return NULL;
}

static int bench_event_wake(struct bench *bench)
{
    struct ping_pong game = {.rounds = bench->rounds, .ping = st_cond_new(), .pong = st_cond_new()};
    st_thread_t answering;

    bench_start(bench);
    answering = st_thread_create(ping_pong_answer, &game, 1, (int)bench->stack_size);

    if (answering == NULL || game.ping == NULL || game.pong == NULL)
        return -1; /* this program then ends */
    for (uint64_t i = 0; i < game.rounds; i++) {
        signal_set(&game.ping_is_set, game.ping);
        signal_wait(&game.pong_is_set, game.pong);
    }
    st_thread_join(answering, NULL);
    bench_stop(bench);
    bench->ops = 2.0 * (double)bench->rounds;
    st_cond_destroy(game.ping);
    st_cond_destroy(game.pong);
    return 0;
}

/* From the broadcast to the end of the last of `count` waiters. */
static int bench_event_wake_all(struct bench *bench)
{
    int rc = 0;

    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++)
        rc = crowd_measure(bench, crowd_wait, crowd_release, false);
    bench->ops = (double)bench->count * (double)bench->rounds;
    return rc;
}

struct sleeper {
    struct crowd *crowd;
    st_utime_t us;
};

static void *sleeper_run(void *arg)
{
    const struct sleeper *sleeper = arg;

    crowd_wait(sleeper->crowd);
    st_usleep(sleeper->us);
    return NULL;
}

/* From the moment all threads begin to sleep, 0 to 0.5 s each, until the last has ended. */
static int bench_sleep(struct bench *bench)
{
    struct sleeper *sleepers = calloc(bench->count, sizeof sleepers[0]);
    uint64_t state = RANDOM_START;
    struct crowd crowd;
    int rc = crowd_init(&crowd, bench);

    if (sleepers == NULL)
        rc = -1;
    for (size_t i = 0; i < bench->count && rc == 0; i++) {
        sleepers[i] = (struct sleeper){&crowd, (st_utime_t)(random_next(&state) * sleep_max_us)};
        rc = crowd_add(&crowd, sleeper_run, &sleepers[i]);
    }
    while (crowd.ready < crowd.count)
        st_usleep(0);
    bench_start(bench);
    crowd_release(&crowd);
    crowd_join(&crowd);
    bench_stop(bench);
    bench->ops = (double)bench->count;
    crowd_deinit(&crowd);
    free(sleepers);
    return rc;
}

/* From the first interruption to the end of the last thread. */
static int bench_cancel(struct bench *bench)
{
    return crowd_measure(bench, crowd_sleep_forever, crowd_interrupt, false);
}

/* Created, asleep with a deadline each, all interrupted. */
static int bench_million(struct bench *bench)
{
    return crowd_measure(bench, crowd_sleep, crowd_interrupt, true);
}

static int fall_asleep(struct bench *bench)
{
    struct crowd crowd = {.bench = bench};
    double before = memory_bytes();

    for (size_t i = 0; i < bench->count; i++) {
        if (st_thread_create(crowd_sleep, &crowd, 0, (int)bench->stack_size) == NULL)
            return -1;
    }
    while (crowd.ready < bench->count)
        st_usleep(0);
    bench->total = memory_bytes() - before;
    return 0;
}

/* Threads that nobody joins, in a process that ends while they sleep. */
static int bench_task_memory(struct bench *bench)
{
    int rc = measure_in_children(bench, fall_asleep);

    bench->ops = (double)bench->count;
    return rc;
}

/* What needs a library that has not been started comes first. */
static const struct measure measures[] = {
    {"run_empty", "run_empty", 1, "ns", 0, false, true, bench_run_empty},
    {"run_first", "run_first", 1, "ns", 0, false, true, bench_run_first},
    {"yield", "yield_1", 1, "ns", 0, false, false, bench_yield},
    {"yield", "yield_2", 2, "ns", 0, false, false, bench_yield},
    {"yield", "yield_1000", 1000, "ns", 0, false, false, bench_yield},
    {"yield", "yield_100000", 100000, "ns", 0, false, false, bench_yield},
    {"spawn_join", "spawn_join", 1, "ns", 0, false, false, bench_spawn_join},
    {"spawn_cold", "spawn_cold", 100000, "ns", 0, true, false, bench_spawn_cold},
    {"spawn_warm", "spawn_warm", 100000, "ns", 0, true, false, bench_spawn_warm},
    {"lock_free", "lock_free", 1, "ns", 0, false, false, bench_lock_free},
    {"lock_contended", "lock_contended", 10, "ns", 0, false, false, bench_lock_contended},
    {"lock_handover", "lock_handover", 10, "ns", 0, false, false, bench_lock_handover},
    {"event_wake", "event_wake", 2, "ns", 0, false, false, bench_event_wake},
    {"event_wake_all", "event_wake_all", 1000, "ns", 0, false, false, bench_event_wake_all},
    {"sleep", "sleep", 100000, "cpu ns", 0, true, false, bench_sleep},
    {"cancel", "cancel", 100000, "ns", 0, true, false, bench_cancel},
    {"million", "million", 1000000, "ns", 0, true, false, bench_million},
    {"task_memory", "task_memory_100k", 100000, "bytes", 0, true, false, bench_task_memory},
    {"task_memory", "task_memory_100k_64k", 100000, "bytes", 64, true, false, bench_task_memory},
    {"task_memory", "task_memory_1m", 1000000, "bytes", 0, true, false, bench_task_memory},
    {"task_memory", "task_memory_1m_64k", 1000000, "bytes", 64, true, false, bench_task_memory},
};

static int micro_take(const struct measure *measure, struct bench *bench)
{
    int rc = 0;

    if (!measure->outside)
        rc = library_start();
    if (rc == 0)
        rc = measure_take(measure, bench);
    if (rc < 0)
        perror(measure->name);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct program program = {"micro_st", measures,
                                           sizeof measures / sizeof measures[0], false, micro_take};

    return program_main(&program, argc, argv);
}
