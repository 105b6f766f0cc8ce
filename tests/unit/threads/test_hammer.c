/* SPDX-License-Identifier: MIT */
/*
 * test_hammer.c - eight threads at once use tokens, portals and futures in every way, while portals
 * and runs end beneath them.
 */
#include "hammer.h"
#include "own_portal.h"

#include <anyc/thread.h>

#include <stdatomic.h>
#include <stdlib.h>

#include "support/thread.h"

#define THREADS 8
#define ERA_SECONDS 0.05 /* a portal lasts for so long, or until every thread has used it */

struct era {
    anyc_blocking_portal *portal;
    anyc_token *token; /* of its run */
    atomic_int called; /* functions */
};

struct hammer {
    struct era *era;
    struct side_thread side;
    unsigned seed;
    atomic_int worked; /* calls that were taken */
};

/* The portal or the run may be over; everything else is a failure. */
static bool taken(int rc)
{
    ck_assert_msg(rc == 0 || rc == ANYC_ESTATE || rc == ANYC_ERUNFINISHED || rc == ANYC_ECANCELLED,
                  "%s", anyc_error_name(rc));
    return rc == 0 || rc == ANYC_ECANCELLED;
}

/* -- functions in the loop, and in its workers -- */

static int count_sync(void *arg)
{
    struct era *era = arg;

    atomic_fetch_add(&era->called, 1);
    return 0;
}

static int count_task(void *arg)
{
    (void)count_sync(arg);
    return anyc_checkpoint();
}

static int worker_thread(void *arg)
{
    struct era *era = arg;
    int rc = anyc_from_thread_check_cancelled();

    if (rc == 0)
        rc = anyc_from_thread_run(count_task, era, NULL, NULL);
    return rc < 0 ? rc : anyc_from_thread_run_sync(count_sync, era, NULL, NULL);
}

static int worker_task(void *arg)
{
    return anyc_to_thread_run_sync(worker_thread, arg, NULL, NULL);
}

static int abandoning_task(void *arg)
{
    anyc_to_thread_run_sync_options abandon = {.abandon_on_cancel = true};
    anyc_cancel_scope scope;

    anyc_move_on_after(&scope, 0.0001, false);
    return anyc_cancel_scope_exit(&scope,
                                  anyc_to_thread_run_sync(worker_thread, arg, &abandon, NULL));
}

static int started_task(void *arg, anyc_task_status *status)
{
    ck_assert_ok(anyc_task_status_started(status, arg));
    return count_task(arg);
}

static int context_exit(void *arg, int rc)
{
    (void)count_sync(arg);
    return rc;
}

/* -- what a thread does -- */

typedef bool (*hammer_fn)(struct hammer *hammer);

static anyc_task_fn hammer_task(struct hammer *hammer)
{
    static const anyc_task_fn tasks[] = {count_sync, count_task, worker_task, abandoning_task};

    return tasks[(unsigned)rand_r(&hammer->seed) % 4];
}

static bool hammer_call(struct hammer *hammer)
{
    return taken(
        anyc_blocking_portal_call(hammer->era->portal, hammer_task(hammer), hammer->era, NULL));
}

static bool hammer_token(struct hammer *hammer)
{
    struct era *era = hammer->era;

    if (rand_r(&hammer->seed) % 2 == 0)
        return taken(anyc_from_thread_run_sync(count_sync, era, era->token, NULL));
    return taken(anyc_from_thread_run(hammer_task(hammer), era, era->token, NULL));
}

static void hammer_done(anyc_thread_future *future, void *arg)
{
    ck_assert(anyc_thread_future_done(future));
    sem_post(arg);
}

/* Waits a little, cancels or does not, waits for the end. */
static void hammer_future(struct hammer *hammer, anyc_thread_future *future)
{
    int rc = anyc_thread_future_wait(future, (double)(rand_r(&hammer->seed) % 100) * 1e-6);
    sem_t done;

    sem_init(&done, 0, 0);
    ck_assert(rc == 0 || rc == ANYC_ETIMEDOUT);
    if (rand_r(&hammer->seed) % 2 == 0)
        (void)anyc_thread_future_cancel(future); /* it may have ended */
    ck_assert_ok(anyc_thread_future_add_done_callback(future, hammer_done, &done));
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_int_ne(anyc_thread_future_result(future, NULL), ANYC_EPENDING);
    ck_assert(gate_wait(&done)); /* the callbacks come after the wake */
    sem_destroy(&done);
}

static bool hammer_start_soon(struct hammer *hammer)
{
    anyc_thread_future *future = NULL;
    bool wanted = rand_r(&hammer->seed) % 4 != 0;
    int rc = anyc_blocking_portal_start_task_soon(hammer->era->portal, hammer_task(hammer),
                                                  hammer->era, "hammer", wanted ? &future : NULL);

    if (future != NULL)
        hammer_future(hammer, future);
    anyc_thread_future_unref(future);
    return taken(rc);
}

static bool hammer_start(struct hammer *hammer)
{
    anyc_thread_future *future = NULL;
    int rc = anyc_blocking_portal_start_task(hammer->era->portal, started_task, hammer->era, NULL,
                                             NULL, &future);

    if (future != NULL)
        hammer_future(hammer, future);
    anyc_thread_future_unref(future);
    return taken(rc);
}

static bool hammer_context(struct hammer *hammer)
{
    anyc_blocking_portal_context *context;
    int rc = anyc_blocking_portal_wrap_context(hammer->era->portal, count_sync, context_exit,
                                               hammer->era, NULL, &context);

    if (rc == 0)
        rc = anyc_blocking_portal_context_exit(context, 0);
    return taken(rc);
}

static int hammer_thread(void *arg)
{
    static const hammer_fn blows[] = {hammer_call,  hammer_token, hammer_start_soon,
                                      hammer_start, hammer_token, hammer_context};
    struct hammer *hammer = arg;

    while (blows[(unsigned)rand_r(&hammer->seed) % 6](hammer))
        atomic_fetch_add(&hammer->worked, 1);
    return 0;
}

/* -- the eras -- */

static int era_token_task(void *arg)
{
    return anyc_current_token(arg);
}

static void era_run(unsigned number)
{
    struct era era = {.portal = own_portal_start()};
    struct hammer hammers[THREADS];

    ck_assert_ok(anyc_blocking_portal_call(era.portal, era_token_task, &era.token, NULL));
    for (unsigned i = 0; i < THREADS; i++) {
        hammers[i].era = &era;
        hammers[i].seed = number * THREADS + i;
        atomic_init(&hammers[i].worked, 0);
        side_thread_start(&hammers[i].side, hammer_thread, &hammers[i]);
    }
    usleep((useconds_t)(ERA_SECONDS * 1e6));
    for (unsigned i = 0; i < THREADS; i++) {
        while (atomic_load(&hammers[i].worked) == 0)
            usleep(1000);
    }
    ck_assert_int_eq(anyc_blocking_portal_exit(era.portal, number % 2 == 0 ? 0 : E1),
                     number % 2 == 0 ? 0 : E1);
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_ok(side_thread_join(&hammers[i].side));
    ck_assert_int_gt(era.called, 0);
    ck_assert_ok(anyc_aclose(era.portal));
    anyc_token_release(era.token);
}

ANYC_TEST_WITH(test_hammer__survives_eight_threads, .plain = true, .timeout = 120)
{
    double end = hammer_end();
    int before = thread_count_before();
    unsigned number = 0;

    do
        era_run(number++);
    while (hammer_now() < end);
    ck_assert(thread_count_falls_to(before));
    forget_last_error();
}
