/* SPDX-License-Identifier: MIT */
/*
 * test_nested.c - calls from worker threads into the loop and on into worker threads: they never wait
 * for each other's tokens or threads.
 */
#include "support/tasks.h"

#include <anyc/capacity_limiter.h>
#include <anyc/event.h>
#include <anyc/portal.h>
#include <anyc/thread.h>

#include <pthread.h>
#include <stdatomic.h>

#include "support/thread.h"
#include "support/threads_refused.h"
#include "support/valgrind.h"

/* Calls that go on to threads and back so many times. */
struct descent {
    anyc_to_thread_run_sync_options options;
    int depth;
    atomic_int reached; /* the bottom */
    atomic_int active;  /* functions in threads that do not wait for the loop */
    atomic_int most;
};

struct step {
    struct descent *descent;
    int depth;
};

static int step_task(void *arg);

static void step_active(struct descent *descent)
{
    int active = atomic_fetch_add(&descent->active, 1) + 1;
    int most = atomic_load(&descent->most);

    while (active > most && !atomic_compare_exchange_weak(&descent->most, &most, active))
        continue;
    usleep(200);
    atomic_fetch_sub(&descent->active, 1);
}

static int step_thread(void *arg)
{
    struct step *step = arg;
    struct step next = {step->descent, step->depth - 1};

    step_active(step->descent);
    if (step->depth == 0) {
        atomic_fetch_add(&step->descent->reached, 1);
        return 0;
    }
    return anyc_from_thread_run(step_task, &next, NULL, NULL);
}

static int step_task(void *arg)
{
    struct step *step = arg;

    return anyc_to_thread_run_sync(step_thread, step, &step->descent->options, NULL);
}

static int descent_task(void *arg)
{
    struct descent *descent = arg;
    struct step step = {descent, descent->depth};

    return step_task(&step);
}

/* So many tasks at the same time. */
static void descend(struct descent *descent, int tasks)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    for (int i = 0; i < tasks; i++)
        spawn(&group, descent_task, descent);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(descent->reached, tasks);
}

ANYC_TEST(test_nested__calls_do_not_exhaust_the_default_limiter)
{
    for (int i = 0; i < 2; i++) {
        struct descent descent = {.options.abandon_on_cancel = i == 1, .depth = 2};

        descend(&descent, 100);
        ck_assert_int_le(descent.most, 40);
        ck_assert_uint_eq(
            anyc_capacity_limiter_borrowed_tokens(anyc_current_default_thread_limiter()), 0);
    }
}

ANYC_TEST(test_nested__calls_go_100_deep)
{
    struct descent descent = {.depth = 100};

    descend(&descent, 2);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(anyc_current_default_thread_limiter()),
                      0);
}

ANYC_TEST(test_nested__calls_share_one_token)
{
    for (int i = 0; i < 2; i++) {
        anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
        struct descent descent = {.options = {.abandon_on_cancel = i == 1, .limiter = &limiter},
                                  .depth = 5};

        descend(&descent, 3);
        ck_assert_int_eq(descent.most, 1);
        ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 0);
    }
}

/* -- tasks that the function in the loop starts -- */

static int children_in_loop(void *arg)
{
    struct step *step = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    for (int i = 0; i < 10; i++)
        spawn(&group, step_task, step);
    return anyc_task_group_exit(&group, 0);
}

static int children_thread(void *arg)
{
    return anyc_from_thread_run(children_in_loop, arg, NULL, NULL);
}

ANYC_TEST(test_nested__children_take_turns_with_the_token)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    struct descent descent = {.options.limiter = &limiter};
    struct step step = {&descent, 1};

    ck_assert_ok(anyc_to_thread_run_sync(children_thread, &step, &descent.options, NULL));
    ck_assert_int_eq(descent.reached, 10);
    ck_assert_int_eq(descent.most, 1);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 0);
}

struct queue {
    anyc_to_thread_run_sync_options options;
    sem_t gate;
    anyc_event busy; /* the first one has the token */
    int waited;      /* what the second one's call answered */
    atomic_bool ran; /* its function */
};

static int queue_first_thread(void *arg)
{
    struct queue *queue = arg;

    loop_event_set(&queue->busy);
    return gate_wait(&queue->gate) ? 0 : E1;
}

static int queue_first(void *arg)
{
    struct queue *queue = arg;

    return anyc_to_thread_run_sync(queue_first_thread, queue, &queue->options, NULL);
}

static int queue_second_thread(void *arg)
{
    atomic_store((atomic_bool *)arg, true);
    return 0;
}

static int queue_second(void *arg)
{
    struct queue *queue = arg;

    queue->waited =
        anyc_to_thread_run_sync(queue_second_thread, &queue->ran, &queue->options, NULL);
    return queue->waited;
}

/* The second one waits for the token, is cancelled, and the token goes back all the same. */
static int queue_in_loop(void *arg)
{
    struct queue *queue = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_handle handle;

    anyc_task_group_enter(&group);
    spawn(&group, queue_first, queue);
    ck_assert_ok(anyc_event_wait(&queue->busy));
    ck_assert_ok(anyc_task_group_create_task(&group, queue_second, queue, NULL, &handle));
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_handle_cancel(&handle, NULL);
    ck_assert_int_eq(anyc_task_handle_wait(&handle, NULL), ANYC_ETASKCANCELLED);
    sem_post(&queue->gate);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    return anyc_to_thread_run_sync(queue_second_thread, &queue->ran, &queue->options, NULL);
}

static int queue_thread(void *arg)
{
    return anyc_from_thread_run(queue_in_loop, arg, NULL, NULL);
}

ANYC_TEST(test_nested__a_child_that_waits_for_the_token_can_be_cancelled)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    struct queue queue = {.options.limiter = &limiter};

    sem_init(&queue.gate, 0, 0);
    ck_assert_ok(anyc_to_thread_run_sync(queue_thread, &queue, &queue.options, NULL));
    ck_assert_int_eq(queue.waited, ANYC_ECANCELLED);
    ck_assert(queue.ran); /* by the last call */
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 0);
    sem_destroy(&queue.gate);
}

/* -- an abandoned borrower -- */

struct heir {
    anyc_to_thread_run_sync_options options;
    anyc_event begun;
    sem_t gate;
};

static int heir_thread(void *arg)
{
    struct heir *heir = arg;

    loop_event_set(&heir->begun);
    return gate_wait(&heir->gate) ? 0 : E1;
}

static int heir_task(void *arg)
{
    struct heir *heir = arg;

    return anyc_to_thread_run_sync(heir_thread, heir, &heir->options, NULL);
}

/* Leaves once the thread has begun and is abandoned. */
static int heir_in_loop(void *arg)
{
    struct heir *heir = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    spawn(&group, heir_task, heir);
    ck_assert_ok(anyc_event_wait(&heir->begun));
    anyc_task_group_cancel(&group, NULL);
    return anyc_task_group_exit(&group, 0);
}

static int heir_outer_thread(void *arg)
{
    return anyc_from_thread_run(heir_in_loop, arg, NULL, NULL);
}

/* The call that lent its token ends first: the abandoned thread keeps it until it ends. */
ANYC_TEST(test_nested__an_abandoned_borrower_keeps_the_token)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    anyc_to_thread_run_sync_options outer = {.limiter = &limiter};
    struct heir heir = {.options = {.abandon_on_cancel = true, .limiter = &limiter}};

    sem_init(&heir.gate, 0, 0);
    ck_assert_ok(anyc_to_thread_run_sync(heir_outer_thread, &heir, &outer, NULL));
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 1);
    ck_assert_int_eq(anyc_capacity_limiter_acquire_nowait(&limiter), ANYC_EWOULDBLOCK);
    sem_post(&heir.gate);
    ck_assert_ok(anyc_capacity_limiter_acquire(&limiter));
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 0);
    sem_destroy(&heir.gate);
}

static int heir_deep_in_loop(void *arg)
{
    struct heir *heir = arg;
    anyc_to_thread_run_sync_options shielded = {.limiter = heir->options.limiter};
    int rc = anyc_to_thread_run_sync(heir_outer_thread, heir, &shielded, NULL);

    sem_post(&heir->gate); /* the heir has inherited from the one in the middle: see the test */
    return rc;
}

static int heir_deep_thread(void *arg)
{
    return anyc_from_thread_run(heir_deep_in_loop, arg, NULL, NULL);
}

/* The same with one more between: the borrower owes the token to the outermost then. */
ANYC_TEST(test_nested__an_abandoned_borrower_gives_back_to_the_next_one_out)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    anyc_to_thread_run_sync_options outer = {.limiter = &limiter};
    struct heir heir = {.options = {.abandon_on_cancel = true, .limiter = &limiter}};

    sem_init(&heir.gate, 0, 0);
    ck_assert_ok(anyc_to_thread_run_sync(heir_deep_thread, &heir, &outer, NULL));
    wait_for_tokens(&limiter);
    ck_assert_ok(anyc_capacity_limiter_acquire_nowait(&limiter));
    ck_assert_ok(anyc_capacity_limiter_release(&limiter));
    sem_destroy(&heir.gate);
}

/* -- through a portal -- */

struct through {
    struct step step;
    anyc_blocking_portal *portal;
};

static int through_thread(void *arg)
{
    struct through *through = arg;

    return anyc_blocking_portal_call(through->portal, step_task, &through->step, NULL);
}

ANYC_TEST(test_nested__calls_through_a_portal_share_the_token)
{
    anyc_capacity_limiter limiter = ANYC_CAPACITY_LIMITER_INIT(1);
    struct descent descent = {.options.limiter = &limiter};
    struct through through = {.step = {&descent, 2}};

    ck_assert_ok(anyc_blocking_portal_enter(&through.portal));
    ck_assert_ok(anyc_to_thread_run_sync(through_thread, &through, &descent.options, NULL));
    ck_assert_int_eq(descent.reached, 1);
    ck_assert_ok(anyc_aclose(through.portal));
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(&limiter), 0);
}

/* -- no more threads -- */

static int refused_in_loop(void *arg)
{
    int rc;

    refuse_threads(true);
    rc = step_task(arg);
    refuse_threads(false);
    return rc;
}

static int refused_thread(void *arg)
{
    return anyc_from_thread_run(refused_in_loop, arg, NULL, NULL);
}

/* All workers might wait for such calls: they do not wait for a worker. */
ANYC_TEST(test_nested__answers_when_no_thread_can_be_had)
{
    struct descent descent = {.depth = 0};
    struct step step = {&descent, 0};

    skip_on_valgrind("pthread_create() answers EINVAL, not EAGAIN");
    ck_assert_int_eq(anyc_to_thread_run_sync(refused_thread, &step, NULL, NULL), -EAGAIN);
    ck_assert_int_eq(descent.reached, 0);
    ck_assert_uint_eq(anyc_capacity_limiter_borrowed_tokens(anyc_current_default_thread_limiter()),
                      0);
}
