/* SPDX-License-Identifier: MIT */
/*
 * test_storm.c - tasks that call threads, which call the loop, while four threads and a task of the
 * loop cancel them at random moments. No wake-up gets lost, no answer is mixed up, no token stays
 * away.
 *
 * The environment variable ANYC_TEST_STORM_SEED chooses another course of events.
 */
#include "hammer.h"

#include "support/tasks.h"

#include <anyc/capacity_limiter.h>
#include <anyc/thread.h>

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/thread.h"

#define THREADS 4
#define TASKS 8
#define TOKENS 3

struct storm_task {
    struct storm *storm;
    unsigned seed;
    anyc_cancel_scope *scope; /* around its call, or NULL; the loop's */
};

struct storm_thread {
    struct storm *storm;
    unsigned seed;
    struct side_thread side;
};

struct storm {
    anyc_capacity_limiter limiter;
    anyc_token *token;
    struct storm_task tasks[TASKS];
    struct storm_thread threads[THREADS];
    double end; /* of the storm, by hammer_now() */
    bool over;  /* the tasks have ended; the loop's */
    atomic_int begun;
    atomic_int ended;         /* functions in workers */
    struct storm_call *calls; /* all, to be freed at the end */
    int answered;
    int cancelled; /* of those */
};

/* One call of a worker, which may be abandoned. */
struct storm_call {
    struct storm_call *next;
    struct storm *storm;
    unsigned seed;
    int answer;
};

static unsigned draw(unsigned *seed, unsigned count)
{
    return (unsigned)rand_r(seed) % count;
}

static bool may_answer(int rc)
{
    return rc == 0 || rc == ANYC_ECANCELLED;
}

/* -- in the loop, for threads -- */

static int echo_sync(void *arg)
{
    return *(const int *)arg;
}

static int echo_task(void *arg)
{
    int rc = anyc_checkpoint();

    return rc < 0 ? rc : echo_sync(arg);
}

static int echo_thread_task(void *arg)
{
    int result = 0;
    int rc = anyc_to_thread_run_sync(echo_sync, arg, NULL, &result);

    return rc < 0 ? rc : result;
}

/* -- in workers -- */

static void storm_call_loop(struct storm_call *call, anyc_token *token)
{
    int wanted = (int)draw(&call->seed, 1000);
    int result = -1;
    int rc;

    switch (draw(&call->seed, 4)) {
    case 0:
        rc = anyc_from_thread_run(echo_task, &wanted, token, &result);
        break;
    case 1:
        rc = anyc_from_thread_run(echo_thread_task, &wanted, token, &result);
        break;
    case 2:
        rc = anyc_from_thread_run_sync(echo_sync, &wanted, token, &result);
        ck_assert_ok(rc);
        break;
    default:
        (void)sched_yield();
        return;
    }
    ck_assert(may_answer(rc));
    if (rc == 0)
        ck_assert_int_eq(result, wanted);
}

static int storm_thread_fn(void *arg)
{
    struct storm_call *call = arg;
    struct storm *storm = call->storm;

    atomic_fetch_add(&storm->begun, 1);
    storm_call_loop(call, NULL);
    ck_assert(may_answer(anyc_from_thread_check_cancelled()));
    storm_call_loop(call, NULL);
    atomic_fetch_add(&storm->ended, 1);
    return call->answer;
}

/* -- the tasks -- */

static int storm_call(struct storm_task *task)
{
    anyc_to_thread_run_sync_options options = {
        .abandon_on_cancel = draw(&task->seed, 2) == 0,
        .limiter = draw(&task->seed, 2) == 0 ? &task->storm->limiter : NULL,
    };
    struct storm_call *call = malloc(sizeof *call);
    int result = -1;
    int rc;

    ck_assert_ptr_nonnull(call);
    *call = (struct storm_call){.next = task->storm->calls,
                                .storm = task->storm,
                                .seed = draw(&task->seed, RAND_MAX),
                                .answer = (int)draw(&task->seed, 1000)};
    task->storm->calls = call;
    rc = anyc_to_thread_run_sync(storm_thread_fn, call, &options, &result);
    ck_assert(may_answer(rc));
    if (rc == 0)
        ck_assert_int_eq(result, call->answer);
    return rc;
}

/* Not before there were both kinds of answers, however slow the machine is. */
static bool storm_has_had_it(const struct storm *storm)
{
    return hammer_now() >= storm->end && storm->cancelled > 0 && storm->answered > storm->cancelled;
}

static int storm_task_main(void *arg)
{
    struct storm_task *task = arg;
    struct storm *storm = task->storm;

    while (!storm_has_had_it(storm)) {
        anyc_cancel_scope scope;
        int rc;

        ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
        task->scope = &scope;
        rc = storm_call(task);
        task->scope = NULL;
        storm->answered++;
        storm->cancelled += rc < 0;
        ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
        ck_assert_uint_le(anyc_capacity_limiter_borrowed_tokens(&storm->limiter), TOKENS);
    }
    return 0;
}

/* -- who cancels -- */

static int cancel_one(void *arg)
{
    struct storm_task *task = arg;

    if (task->scope != NULL)
        anyc_cancel_scope_cancel(task->scope, NULL);
    return 0;
}

static int storm_canceller(void *arg)
{
    struct storm *storm = arg;
    unsigned seed = storm->tasks[0].seed;

    while (!storm->over) {
        (void)cancel_one(&storm->tasks[draw(&seed, TASKS)]);
        ck_assert_ok(anyc_sleep(draw(&seed, 200) * 1e-6));
    }
    return 0;
}

static int storm_foreign_thread(void *arg)
{
    struct storm_thread *thread = arg;
    struct storm *storm = thread->storm;
    struct storm_call call = {.storm = storm, .seed = thread->seed};

    while (hammer_now() < storm->end) {
        struct storm_task *task = &storm->tasks[draw(&call.seed, TASKS)];

        storm_call_loop(&call, storm->token);
        ck_assert_ok(anyc_from_thread_run_sync(cancel_one, task, storm->token, NULL));
        usleep(draw(&call.seed, 200));
    }
    return 0;
}

/* -- all together -- */

static unsigned storm_seed(void)
{
    const char *text = getenv("ANYC_TEST_STORM_SEED");

    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 1;
}

static void storm_init(struct storm *storm)
{
    unsigned seed = storm_seed();

    *storm = (struct storm){.end = hammer_end()};
    ck_assert_ok(anyc_capacity_limiter_init(&storm->limiter, TOKENS));
    ck_assert_ok(anyc_current_token(&storm->token));
    for (unsigned i = 0; i < TASKS; i++)
        storm->tasks[i] = (struct storm_task){.storm = storm, .seed = seed * 100 + i};
    for (unsigned i = 0; i < THREADS; i++)
        storm->threads[i] = (struct storm_thread){.storm = storm, .seed = seed * 100 + TASKS + i};
}

static void storm_deinit(struct storm *storm)
{
    while (storm->calls != NULL) {
        struct storm_call *call = storm->calls;

        storm->calls = call->next;
        free(call);
    }
    anyc_token_release(storm->token);
    anyc_capacity_limiter_deinit(&storm->limiter);
}

static void storm_break_loose(struct storm *storm)
{
    anyc_task_group tasks = ANYC_TASK_GROUP_INIT;
    anyc_task_group canceller = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&canceller));
    spawn(&canceller, storm_canceller, storm);
    ck_assert_ok(anyc_task_group_enter(&tasks));
    for (int i = 0; i < THREADS; i++)
        side_thread_start(&storm->threads[i].side, storm_foreign_thread, &storm->threads[i]);
    for (int i = 0; i < TASKS; i++)
        spawn(&tasks, storm_task_main, &storm->tasks[i]);
    ck_assert_ok(anyc_task_group_exit(&tasks, 0));
    for (int i = 0; i < THREADS; i++)
        ck_assert_ok(side_thread_await(&storm->threads[i].side));
    storm->over = true;
    ck_assert_ok(anyc_task_group_exit(&canceller, 0));
}

ANYC_TEST_WITH(test_storm__loses_no_wake_up_and_no_token, .timeout = 120)
{
    static struct storm storm;

    storm_init(&storm);
    storm_break_loose(&storm);
    wait_for_tokens(&storm.limiter);
    wait_for_tokens(anyc_current_default_thread_limiter());
    ck_assert_int_eq(storm.begun, storm.ended);
    storm_deinit(&storm);
}
