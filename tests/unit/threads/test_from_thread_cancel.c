/* SPDX-License-Identifier: MIT */
/*
 * test_from_thread_cancel.c - calls from worker threads into the loop: whose scopes they are in, how
 * a worker learns of a cancellation, and the end of the run. AnyIO: tests/test_from_thread.py.
 */
#include "support/tasks.h"

#include <anyc/event.h>
#include <anyc/thread.h>

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "support/crash.h"
#include "support/thread.h"

static const anyc_to_thread_run_sync_options abandon = {.abandon_on_cancel = true};

static int sleep_0_task(void *arg)
{
    (void)arg;
    return anyc_sleep(0);
}

/* -- whose scopes -- */

struct told {
    anyc_task_group group;
    const anyc_to_thread_run_sync_options *options;
    anyc_event started; /* set by the function in the loop */
    anyc_event release;
    bool called;
    int in_loop; /* what the function in the loop got */
    int rc;      /* what the worker got */
};

static int told_in_loop(void *arg)
{
    struct told *told = arg;

    anyc_event_set(&told->started);
    told->in_loop = anyc_event_wait(&told->release);
    return told->in_loop;
}

static int told_in_thread(void *arg)
{
    struct told *told = arg;

    told->rc = anyc_from_thread_run(told_in_loop, told, NULL, NULL);
    return told->rc;
}

static int told_task(void *arg)
{
    struct told *told = arg;

    return anyc_to_thread_run_sync(told_in_thread, told, told->options, NULL);
}

ANYC_TEST(test_from_thread_cancel__runs_within_the_scopes_of_the_task)
{
    struct told told = {.group = ANYC_TASK_GROUP_INIT};

    anyc_task_group_enter(&told.group);
    spawn(&told.group, told_task, &told);
    ck_assert_ok(anyc_event_wait(&told.started));
    anyc_task_group_cancel(&told.group, NULL);
    ck_assert_ok(anyc_task_group_exit(&told.group, 0));
    ck_assert_int_eq(told.in_loop, ANYC_ECANCELLED);
    ck_assert_int_eq(told.rc, ANYC_ECANCELLED);
}

/* A cancellation from before reaches it at its first checkpoint. */
static int told_late_thread(void *arg)
{
    struct told *told = arg;

    while (anyc_from_thread_check_cancelled() == 0)
        continue;
    ck_assert_ok(anyc_from_thread_run_sync(note_task, &told->called, NULL, NULL));
    return told_in_thread(told);
}

static int told_late_task(void *arg)
{
    return anyc_to_thread_run_sync(told_late_thread, arg, NULL, NULL);
}

ANYC_TEST(test_from_thread_cancel__calls_plain_functions_for_a_cancelled_task_too)
{
    struct told told = {.group = ANYC_TASK_GROUP_INIT};

    anyc_task_group_enter(&told.group);
    spawn(&told.group, told_late_task, &told);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&told.group, NULL);
    ck_assert_ok(anyc_task_group_exit(&told.group, 0));
    ck_assert(told.called);
    ck_assert(anyc_event_is_set(&told.started)); /* it runs up to its first checkpoint */
    ck_assert_int_eq(told.in_loop, ANYC_ECANCELLED);
}

struct bomb {
    anyc_cancel_scope scope;
    anyc_event go;
    anyc_event completed;
};

static int bomb_in_loop(void *arg)
{
    struct bomb *bomb = arg;
    anyc_cancel_scope scope;
    int rc;

    anyc_cancel_scope_cancel(&bomb->scope, NULL);
    anyc_fail_after(&scope, 3.0, false);
    rc = anyc_cancel_scope_exit(&scope, anyc_event_wait(&bomb->go));
    if (rc == 0)
        anyc_event_set(&bomb->completed);
    return rc;
}

static int bomb_in_thread(void *arg)
{
    return anyc_from_thread_run(bomb_in_loop, arg, NULL, NULL);
}

/* FT-005 */
ANYC_TEST(test_from_thread_cancel__runs_outside_of_the_scopes_of_a_task_that_may_leave)
{
    struct bomb bomb = {.go = ANYC_EVENT_INIT};
    anyc_cancel_scope scope;
    int rc;

    anyc_cancel_scope_enter(&bomb.scope, NULL);
    rc = anyc_to_thread_run_sync(bomb_in_thread, &bomb, &abandon, NULL);
    ck_assert_ok(anyc_cancel_scope_exit(&bomb.scope, rc));
    ck_assert(anyc_cancel_scope_cancelled_caught(&bomb.scope));
    anyc_event_set(&bomb.go);
    anyc_fail_after(&scope, 3.0, false);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, anyc_event_wait(&bomb.completed)));
    wait_for_tokens(anyc_current_default_thread_limiter());
}

ANYC_TEST(test_from_thread_cancel__lets_the_scope_of_the_call_be_cancelled_from_there)
{
    struct bomb bomb = {.go = ANYC_EVENT_INIT};
    int rc;

    anyc_cancel_scope_enter(&bomb.scope, NULL);
    rc = anyc_to_thread_run_sync(bomb_in_thread, &bomb, NULL, NULL);
    ck_assert_int_eq(rc, ANYC_ECANCELLED); /* the function's own, that of its wait */
    ck_assert_ok(anyc_cancel_scope_exit(&bomb.scope, rc));
    ck_assert(!anyc_event_is_set(&bomb.completed));
}

static int leave_a_scope_open(void *arg)
{
    anyc_cancel_scope scope;

    (void)arg;
    return anyc_cancel_scope_enter(&scope, NULL);
}

static int leave_a_scope_open_thread(void *arg)
{
    return anyc_from_thread_run(leave_a_scope_open, arg, NULL, NULL);
}

static int leave_a_scope_open_main(void *arg)
{
    return anyc_to_thread_run_sync(leave_a_scope_open_thread, arg, NULL, NULL);
}

static void leave_a_scope_open_run(void)
{
    (void)run_on_backend(leave_a_scope_open_main, NULL);
}

/* It lies in a frame of the task that goes on to wait for the worker. */
ANYC_TEST_PLAIN(test_from_thread_cancel__ends_the_program_when_a_scope_is_left_open)
{
    struct crash crash;

    crash_watch(&crash, leave_a_scope_open_run);
    ck_assert_int_eq(crash.signal, SIGABRT);
    ck_assert_ptr_nonnull(strstr(crash.text, "returned without leaving a cancel scope"));
}

/* -- check_cancelled -- */

struct checked {
    anyc_to_thread_run_sync_options options;
    sem_t gate;
    bool started;
    bool finished;
    int checked; /* what check_cancelled answered */
    int rc;      /* of the call */
    anyc_event ended;
};

static int checked_thread(void *arg)
{
    struct checked *checked = arg;

    checked->started = true;
    ck_assert(gate_wait(&checked->gate));
    checked->checked = anyc_from_thread_check_cancelled();
    checked->finished = checked->checked == 0;
    loop_event_set(&checked->ended);
    return checked->checked;
}

static int checked_task(void *arg)
{
    struct checked *checked = arg;

    checked->rc = anyc_to_thread_run_sync(checked_thread, checked, &checked->options, NULL);
    return checked->rc;
}

static int checked_canceller(void *arg)
{
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(arg, NULL);
    return 0;
}

/* FT-001, TT-R05 */
ANYC_TEST(test_from_thread_cancel__tells_a_worker_of_the_cancellation)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct checked checked = {.checked = 1};

    sem_init(&checked.gate, 0, 0);
    anyc_task_group_enter(&group);
    spawn(&group, checked_task, &checked);
    spawn(&group, checked_canceller, anyc_task_group_cancel_scope(&group));
    ck_assert_int_eq(anyc_sleep_forever(), ANYC_ECANCELLED);
    sem_post(&checked.gate);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert(checked.started);
    ck_assert(!checked.finished);
    ck_assert_int_eq(checked.rc, ANYC_ECANCELLED);
    sem_destroy(&checked.gate);
}

/* FT-002 */
ANYC_TEST(test_from_thread_cancel__tells_an_abandoned_worker_of_the_cancellation)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct checked checked = {.options.abandon_on_cancel = true, .checked = 1};

    sem_init(&checked.gate, 0, 0);
    anyc_task_group_enter(&group);
    spawn(&group, checked_task, &checked);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    sem_post(&checked.gate);
    ck_assert_ok(anyc_event_wait(&checked.ended));
    ck_assert_int_eq(checked.checked, ANYC_ECANCELLED);
    wait_for_tokens(anyc_current_default_thread_limiter());
    sem_destroy(&checked.gate);
}

ANYC_TEST(test_from_thread_cancel__tells_a_worker_that_there_is_no_cancellation)
{
    for (int i = 0; i < 2; i++) {
        struct checked checked = {.options.abandon_on_cancel = i == 1};

        sem_init(&checked.gate, 0, 1);
        ck_assert_ok(checked_task(&checked));
        ck_assert(checked.finished);
        sem_destroy(&checked.gate);
    }
}

struct shielded {
    anyc_cancel_scope outer;
    anyc_cancel_scope inner;
    sem_t asked;
    sem_t answered;
    int checked[3];
};

static int shielded_thread(void *arg)
{
    struct shielded *shielded = arg;

    for (int i = 0; i < 3; i++) {
        ck_assert(gate_wait(&shielded->asked));
        shielded->checked[i] = anyc_from_thread_check_cancelled();
        sem_post(&shielded->answered);
    }
    return 0;
}

static int shielded_task(void *arg)
{
    struct shielded *shielded = arg;
    int rc;

    anyc_cancel_scope_enter(&shielded->outer, NULL);
    anyc_move_on_after(&shielded->inner, INFINITY, true);
    rc = anyc_to_thread_run_sync(shielded_thread, shielded, NULL, NULL);
    rc = anyc_cancel_scope_exit(&shielded->inner, rc);
    return anyc_cancel_scope_exit(&shielded->outer, rc);
}

static void shielded_ask(struct shielded *shielded)
{
    sem_post(&shielded->asked);
    ck_assert(gate_wait(&shielded->answered));
}

/* The scopes count as they are at that moment, with the shields of the user. */
ANYC_TEST(test_from_thread_cancel__sees_the_users_shields)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct shielded shielded = {.checked = {1, 1, 1}};

    sem_init(&shielded.asked, 0, 0);
    sem_init(&shielded.answered, 0, 0);
    anyc_task_group_enter(&group);
    spawn(&group, shielded_task, &shielded);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&shielded.outer, NULL);
    shielded_ask(&shielded);
    ck_assert_ok(anyc_cancel_scope_set_shield(&shielded.inner, false));
    shielded_ask(&shielded);
    ck_assert_ok(anyc_cancel_scope_set_shield(&shielded.inner, true));
    shielded_ask(&shielded);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(shielded.checked[0], 0);
    ck_assert_int_eq(shielded.checked[1], ANYC_ECANCELLED);
    ck_assert_int_eq(shielded.checked[2], 0);
    sem_destroy(&shielded.asked);
    sem_destroy(&shielded.answered);
}

static int wait_for_the_deadline(void *arg)
{
    int rc = 0;

    (void)arg;
    while (rc == 0)
        rc = anyc_from_thread_check_cancelled();
    return rc;
}

ANYC_TEST(test_from_thread_cancel__sees_a_deadline_pass)
{
    anyc_cancel_scope scope;
    int rc;

    anyc_fail_after(&scope, 0.01, false);
    rc = anyc_to_thread_run_sync(wait_for_the_deadline, NULL, NULL, NULL);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_ETIMEDOUT);
}

/* -- the end of the run -- */

struct orphan {
    atomic_bool started;
    atomic_bool run_over;
    sem_t asked;
    sem_t ended;
    int in_loop; /* what its wait in the loop answered */
    int checked;
    int after[2]; /* what calls after the run answered */
};

static int orphan_in_loop(void *arg)
{
    struct orphan *orphan = arg;

    atomic_store(&orphan->started, true);
    orphan->in_loop = anyc_sleep_forever();
    return orphan->in_loop;
}

static int orphan_thread(void *arg)
{
    struct orphan *orphan = arg;

    ck_assert_int_eq(anyc_from_thread_run(orphan_in_loop, orphan, NULL, NULL), ANYC_ECANCELLED);
    ck_assert(gate_wait(&orphan->asked));
    orphan->checked = anyc_from_thread_check_cancelled();
    orphan->after[0] = anyc_from_thread_run(sleep_0_task, NULL, NULL, NULL);
    orphan->after[1] = anyc_from_thread_run_sync(sleep_0_task, NULL, NULL, NULL);
    sem_post(&orphan->ended);
    return 0;
}

static int orphan_task(void *arg)
{
    return anyc_to_thread_run_sync(orphan_thread, arg, &abandon, NULL);
}

static int orphan_main(void *arg)
{
    struct orphan *orphan = arg;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    spawn(&group, orphan_task, orphan);
    while (!atomic_load(&orphan->started))
        ck_assert_ok(anyc_sleep(0.001));
    anyc_task_group_cancel(&group, NULL);
    return anyc_task_group_exit(&group, 0);
}

/* TT-R19: the end of the run cancels what the abandoned thread had called, waits for that, and not
 * for the thread. */
ANYC_TEST_PLAIN(test_from_thread_cancel__finds_the_run_gone)
{
    struct orphan orphan = {.in_loop = 1};
    int before = thread_count_before();

    sem_init(&orphan.asked, 0, 0);
    sem_init(&orphan.ended, 0, 0);
    ck_assert_ok(run_on_backend(orphan_main, &orphan));
    ck_assert_int_eq(orphan.in_loop, ANYC_ECANCELLED);
    sem_post(&orphan.asked);
    ck_assert(gate_wait(&orphan.ended));
    ck_assert_int_eq(orphan.checked, ANYC_ECANCELLED);
    ck_assert_int_eq(orphan.after[0], ANYC_ERUNFINISHED);
    ck_assert_int_eq(orphan.after[1], ANYC_ERUNFINISHED);
    ck_assert(thread_count_falls_to(before));
    sem_destroy(&orphan.asked);
    sem_destroy(&orphan.ended);
}

static int chatter_thread(void *arg)
{
    int rc = 0;

    while (rc != ANYC_ERUNFINISHED) {
        rc = anyc_from_thread_run_sync(sleep_0_task, NULL, NULL, NULL);
        if (rc == ANYC_ENOLOOP) /* it is a plain function there, which may not sleep */
            rc = anyc_from_thread_run(sleep_0_task, NULL, NULL, NULL);
    }
    sem_post(arg);
    return 0;
}

static int chatter_task(void *arg)
{
    return anyc_to_thread_run_sync(chatter_thread, arg, &abandon, NULL);
}

static int chatter_main(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    anyc_task_group_enter(&group);
    for (int i = 0; i < 4; i++)
        spawn(&group, chatter_task, arg);
    ck_assert_ok(anyc_sleep(0.002));
    anyc_task_group_cancel(&group, NULL);
    return anyc_task_group_exit(&group, 0);
}

/* Abandoned threads call into the loop as the run ends. */
ANYC_TEST_PLAIN(test_from_thread_cancel__survives_the_end_of_the_run_at_any_moment)
{
    int before = thread_count_before();
    sem_t ended;

    sem_init(&ended, 0, 0);
    for (int i = 0; i < 20; i++) {
        ck_assert_ok(run_on_backend(chatter_main, &ended));
        for (int k = 0; k < 4; k++)
            ck_assert(gate_wait(&ended));
    }
    ck_assert(thread_count_falls_to(before));
    sem_destroy(&ended);
}
