/* SPDX-License-Identifier: MIT */
/*
 * sync.c - measures of what tasks share: events, locks, semaphores, memory streams.
 *
 * Locks and the semaphore are made with fast_acquire, as those of the peers never let others run;
 * lock_free_yield is the default kind.
 */
#include "micro.h"

#include <stdbool.h>

#include <anyc/error.h>
#include <anyc/event.h>
#include <anyc/lock.h>
#include <anyc/lowlevel.h>
#include <anyc/memory_stream.h>
#include <anyc/semaphore.h>
#include <anyc/task.h>

enum { SEMAPHORE_SLOTS = 10 };

/* Two tasks that wake each other in turn; an event is made anew by whoever waited for it. */
struct ping_pong {
    uint64_t rounds;
    anyc_event ping;
    anyc_event pong;
};

static int ping_pong_answer(void *arg)
{
    struct ping_pong *game = arg;
    int rc = 0;

    for (uint64_t i = 0; i < game->rounds && rc == 0; i++) {
        rc = anyc_event_wait(&game->ping);
        game->ping = (anyc_event)ANYC_EVENT_INIT;
        anyc_event_set(&game->pong);
    }
    return rc;
}

static int ping_pong_ask(void *arg)
{
    struct ping_pong *game = arg;
    int rc = 0;

    for (uint64_t i = 0; i < game->rounds && rc == 0; i++) {
        anyc_event_set(&game->ping);
        rc = anyc_event_wait(&game->pong);
        game->pong = (anyc_event)ANYC_EVENT_INIT;
    }
    return rc;
}

int bench_event_wake(struct bench *bench)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct ping_pong game = {.rounds = bench->rounds};
    int rc = anyc_task_group_enter(&group);

    bench_start(bench);
    if (rc == 0)
        rc = anyc_task_group_start_soon(&group, ping_pong_answer, &game, NULL);
    if (rc == 0)
        rc = ping_pong_ask(&game);
    rc = anyc_task_group_exit(&group, rc);
    bench_stop(bench);
    bench->ops = 2.0 * (double)bench->rounds;
    return rc;
}

struct audience {
    size_t ready;
    anyc_event event;
};

static int audience_wait(void *arg)
{
    struct audience *audience = arg;

    audience->ready++;
    return anyc_event_wait(&audience->event);
}

/* From the set to the end of the last of `count` waiters. */
static int wake_audience(struct bench *bench)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct audience audience = {0};
    int rc = anyc_task_group_enter(&group);

    for (size_t i = 0; i < bench->count && rc == 0; i++)
        rc = anyc_task_group_start_soon(&group, audience_wait, &audience, NULL);
    while (rc == 0 && audience.ready < bench->count)
        rc = anyc_checkpoint();
    bench_start(bench);
    anyc_event_set(&audience.event);
    rc = anyc_task_group_exit(&group, rc);
    bench_stop(bench);
    return rc;
}

int bench_event_wake_all(struct bench *bench)
{
    int rc = 0;

    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++)
        rc = wake_audience(bench);
    bench->ops = (double)bench->count * (double)bench->rounds;
    return rc;
}

/* When a task that holds a lock lets others run. */
enum inside { NEVER_INSIDE, FIRST_TIME_INSIDE, ALWAYS_INSIDE };

static int lock_rounds(anyc_lock *lock, uint64_t rounds, enum inside inside)
{
    int rc = 0;

    for (uint64_t i = 0; i < rounds && rc == 0; i++) {
        rc = anyc_lock_acquire(lock);
        if (rc == 0 && (inside == ALWAYS_INSIDE || (inside == FIRST_TIME_INSIDE && i == 0)))
            rc = anyc_checkpoint();
        if (rc == 0)
            rc = anyc_lock_release(lock);
    }
    return rc;
}

static int lock_alone(struct bench *bench, bool fast)
{
    const anyc_lock_options options = {.fast_acquire = fast};
    anyc_lock lock;
    int rc;

    anyc_lock_init(&lock, &options);
    bench_start(bench);
    rc = lock_rounds(&lock, bench->rounds, NEVER_INSIDE);
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    return rc;
}

int bench_lock_free(struct bench *bench)
{
    return lock_alone(bench, true);
}

int bench_lock_free_yield(struct bench *bench)
{
    return lock_alone(bench, false);
}

struct contest {
    anyc_lock lock;
    uint64_t rounds;
    enum inside inside;
};

static int contest_take_part(void *arg)
{
    struct contest *contest = arg;

    return lock_rounds(&contest->lock, contest->rounds, contest->inside);
}

static int contest_run(struct bench *bench, enum inside inside)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct contest contest = {ANYC_LOCK_INIT_FAST, bench->rounds, inside};
    int rc = anyc_task_group_enter(&group);

    bench_start(bench);
    for (size_t i = 0; i < bench->count && rc == 0; i++)
        rc = anyc_task_group_start_soon(&group, contest_take_part, &contest, NULL);
    rc = anyc_task_group_exit(&group, rc);
    bench_stop(bench);
    bench->ops = (double)bench->count * (double)bench->rounds;
    return rc;
}

/* Each holder lets the others run, so that they queue up. */
int bench_lock_contended(struct bench *bench)
{
    return contest_run(bench, ALWAYS_INSIDE);
}

/* Each release hands the lock over, so that once they have queued up every task waits each time. */
int bench_lock_handover(struct bench *bench)
{
    return contest_run(bench, FIRST_TIME_INSIDE);
}

int bench_semaphore(struct bench *bench)
{
    const anyc_semaphore_options options = {.fast_acquire = true};
    anyc_semaphore semaphore;
    int rc = anyc_semaphore_init(&semaphore, SEMAPHORE_SLOTS, &options);

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds && rc == 0; i++) {
        rc = anyc_semaphore_acquire(&semaphore);
        if (rc == 0)
            rc = anyc_semaphore_release(&semaphore);
    }
    bench_stop(bench);
    bench->ops = (double)bench->rounds;
    return rc;
}

struct pipeline {
    anyc_memory_send_stream *send;
    anyc_memory_receive_stream *receive;
    uint64_t items;
};

static int pipeline_produce(void *arg)
{
    struct pipeline *line = arg;
    int rc = 0;

    for (uint64_t i = 0; i < line->items && rc == 0; i++)
        rc = anyc_memory_send_stream_send(line->send, &i);
    anyc_memory_send_stream_close(line->send);
    return rc;
}

/* The number of items received in order, then the end; a negative code if it is another end. */
static int pipeline_consume(struct pipeline *line)
{
    uint64_t received = 0;
    uint64_t item;
    int rc;

    while ((rc = anyc_memory_receive_stream_receive(line->receive, &item)) == 0) {
        if (item != received++)
            return ANYC_ESTATE;
    }
    return rc == ANYC_EOF && received == line->items ? 0 : rc;
}

int bench_memory_stream(struct bench *bench)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct pipeline line = {.items = bench->rounds};
    int rc;

    bench_start(bench);
    rc = anyc_create_memory_object_stream(bench->count, sizeof line.items, &line.send,
                                          &line.receive);
    if (rc < 0)
        return rc;
    rc = anyc_task_group_enter(&group);
    if (rc == 0)
        rc = anyc_task_group_start_soon(&group, pipeline_produce, &line, NULL);
    if (rc == 0)
        rc = pipeline_consume(&line);
    rc = anyc_task_group_exit(&group, rc);
    bench_stop(bench);
    anyc_aclose(line.send);
    anyc_aclose(line.receive);
    bench->ops = (double)bench->rounds;
    return rc;
}
