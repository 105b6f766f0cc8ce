/* SPDX-License-Identifier: MIT */
/*
 * test_two_runs.c - threads between two loops: workers of one that call the other, a loop within a
 * worker, two portals into one loop.
 */
#include "own_portal.h"

#include <anyc/capacity_limiter.h>
#include <anyc/thread.h>

#include <pthread.h>

#include "support/thread.h"

static int tell_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return 0;
}

/* -- a worker of one run calls the other run, and that calls back -- */

struct bridge {
    anyc_blocking_portal *portal; /* of the other run */
    anyc_token *token;            /* of this one */
    pthread_t home;
    pthread_t seen;
};

/* In a worker of the other run. */
static int bridge_back_thread(void *arg)
{
    struct bridge *bridge = arg;

    return anyc_from_thread_run(tell_thread, &bridge->seen, bridge->token, NULL);
}

static int bridge_far_task(void *arg)
{
    struct bridge *bridge = arg;
    pthread_t here;

    ck_assert_int_eq(anyc_from_thread_run(tell_thread, &here, NULL, NULL), ANYC_ENOLOOP);
    ck_assert_int_eq(anyc_from_thread_check_cancelled(), ANYC_ENOLOOP);
    ck_assert(!pthread_equal(pthread_self(), bridge->home));
    return anyc_to_thread_run_sync(bridge_back_thread, bridge, NULL, NULL);
}

static int bridge_thread(void *arg)
{
    struct bridge *bridge = arg;

    return anyc_blocking_portal_call(bridge->portal, bridge_far_task, bridge, NULL);
}

ANYC_TEST(test_two_runs__calls_go_to_and_fro)
{
    struct bridge bridge = {.portal = own_portal_start(), .home = pthread_self()};

    ck_assert_ok(anyc_current_token(&bridge.token));
    ck_assert_ok(anyc_to_thread_run_sync(bridge_thread, &bridge, NULL, NULL));
    ck_assert(pthread_equal(bridge.seen, bridge.home));
    ck_assert_ok(anyc_aclose(bridge.portal));
    anyc_token_release(bridge.token);
}

struct crossing {
    anyc_blocking_portal *portal;
    anyc_event event; /* of the other run */
    anyc_event begun; /* of this one */
    int checked;
};

static int crossing_thread(void *arg)
{
    struct crossing *crossing = arg;
    int rc;

    loop_event_set(&crossing->begun);
    rc = anyc_blocking_portal_call(crossing->portal, own_portal_wait_task, &crossing->event, NULL);
    crossing->checked = anyc_from_thread_check_cancelled();
    return rc;
}

static int crossing_task(void *arg)
{
    int rc = anyc_to_thread_run_sync(crossing_thread, arg, NULL, NULL);

    ck_assert_ok(rc);
    return anyc_checkpoint();
}

/* The other run goes on until it has answered. */
ANYC_TEST(test_two_runs__a_cancellation_stays_in_its_run)
{
    struct crossing crossing = {
        .portal = own_portal_start(), .event = ANYC_EVENT_INIT, .begun = ANYC_EVENT_INIT};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, crossing_task, &crossing);
    ck_assert_ok(anyc_event_wait(&crossing.begun));
    anyc_task_group_cancel(&group, NULL);
    own_portal_set(crossing.portal, &crossing.event);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(crossing.checked, ANYC_ECANCELLED);
    ck_assert_ok(anyc_aclose(crossing.portal));
}

/* -- a loop within a worker -- */

static anyc_run_var variable = ANYC_RUN_VAR_INIT("variable");

static int see_variable(void *arg)
{
    void *value = NULL;
    int rc = anyc_run_var_get(&variable, &value);

    ck_assert_ptr_eq(value, rc == 0 ? arg : NULL);
    return rc;
}

static int inner_main(void *arg)
{
    int inner;

    ck_assert_int_eq(see_variable(arg), ANYC_ENOTFOUND);
    ck_assert_ok(anyc_run_var_set(&variable, &inner, NULL));
    ck_assert_ok(anyc_from_thread_run(see_variable, arg, NULL, NULL)); /* in the outer run */
    ck_assert_ok(see_variable(&inner));
    ck_assert_int_eq(anyc_to_thread_run_sync(see_variable, arg, NULL, NULL), ANYC_ENOLOOP);
    return 7;
}

static int inner_thread(void *arg)
{
    return run_on_backend(inner_main, arg);
}

ANYC_TEST(test_two_runs__a_worker_may_run_a_loop_of_its_own)
{
    int result = 0;
    int outer;

    ck_assert_ok(anyc_run_var_set(&variable, &outer, NULL));
    ck_assert_ok(anyc_to_thread_run_sync(inner_thread, &outer, NULL, &result));
    ck_assert_int_eq(result, 7);
    ck_assert_ok(see_variable(&outer));
}

/* -- a variable of two runs at the same time -- */

static int set_variable(void *arg)
{
    return anyc_run_var_set(&variable, arg, arg);
}

static int reset_variable(void *arg)
{
    return anyc_run_var_reset(&variable, arg);
}

/* Each run takes its own token only. The value is the address of the run's token. */
ANYC_TEST_PLAIN(test_two_runs__have_values_of_their_own_at_the_same_time)
{
    anyc_blocking_portal *portals[2] = {own_portal_start(), own_portal_start()};
    anyc_run_var_token tokens[2];

    for (int i = 0; i < 2; i++)
        ck_assert_ok(anyc_blocking_portal_call(portals[i], set_variable, &tokens[i], NULL));
    for (int i = 0; i < 2; i++) {
        ck_assert_ok(anyc_blocking_portal_call(portals[i], see_variable, &tokens[i], NULL));
        ck_assert_int_eq(
            anyc_blocking_portal_call(portals[i], reset_variable, &tokens[1 - i], NULL),
            ANYC_ESTATE);
        ck_assert_ok(anyc_blocking_portal_call(portals[i], see_variable, &tokens[i], NULL));
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_ok(anyc_blocking_portal_call(portals[i], reset_variable, &tokens[i], NULL));
        ck_assert_int_eq(anyc_blocking_portal_call(portals[i], see_variable, NULL, NULL),
                         ANYC_ENOTFOUND);
        ck_assert_ok(anyc_aclose(portals[i]));
    }
    forget_last_error();
}

/* -- two portals into one loop -- */

static int pair_thread(void *arg)
{
    anyc_blocking_portal **portals = arg;
    pthread_t first, second;

    ck_assert_ok(anyc_blocking_portal_call(portals[0], tell_thread, &first, NULL));
    ck_assert_ok(anyc_blocking_portal_call(portals[1], tell_thread, &second, NULL));
    ck_assert(pthread_equal(first, second));
    ck_assert_ok(anyc_blocking_portal_stop(portals[1], true));
    ck_assert_int_eq(anyc_blocking_portal_call(portals[1], tell_thread, &second, NULL),
                     ANYC_ESTATE);
    return anyc_blocking_portal_call(portals[0], tell_thread, &first, NULL);
}

ANYC_TEST(test_two_runs__a_loop_may_have_two_portals)
{
    anyc_blocking_portal *portals[2];

    ck_assert_ok(anyc_blocking_portal_enter(&portals[0]));
    ck_assert_ok(anyc_blocking_portal_enter(&portals[1]));
    ck_assert_ok(anyc_to_thread_run_sync(pair_thread, portals, NULL, NULL));
    ck_assert_int_eq(anyc_blocking_portal_exit(portals[0], 0), ANYC_ESTATE); /* in order */
    ck_assert_int_eq(anyc_blocking_portal_exit(portals[1], anyc_checkpoint()), 0);
    ck_assert_ok(anyc_blocking_portal_exit(portals[0], 0));
    ck_assert_ok(anyc_aclose(portals[1]));
    ck_assert_ok(anyc_aclose(portals[0]));
}
