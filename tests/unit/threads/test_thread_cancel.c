/* SPDX-License-Identifier: MIT */
/*
 * test_thread_cancel.c - threads that pthread_cancel() ends while they call a loop. What lies on
 * their stacks, and what the loop waits for, must not go away with them: the call comes to its end
 * first.
 */
#include "own_portal.h"

#include <anyc/thread.h>

#include <pthread.h>

struct doomed {
    anyc_blocking_portal *portal;
    anyc_token *token; /* of its run */
    int (*act)(struct doomed *doomed);
    int rc; /* of that */
    int called;
};

static int count_call(void *arg)
{
    int *called = arg;

    return ++*called;
}

static int count_call_late(void *arg)
{
    int rc = anyc_checkpoint();

    return rc < 0 ? rc : count_call(arg);
}

static int act_run(struct doomed *doomed)
{
    return anyc_from_thread_run(count_call_late, &doomed->called, doomed->token, NULL);
}

static int act_run_sync(struct doomed *doomed)
{
    return anyc_from_thread_run_sync(count_call, &doomed->called, doomed->token, NULL);
}

static int act_call(struct doomed *doomed)
{
    return anyc_blocking_portal_call(doomed->portal, count_call_late, &doomed->called, NULL);
}

static int act_future(struct doomed *doomed)
{
    anyc_thread_future *future;
    int rc = anyc_blocking_portal_start_task_soon(doomed->portal, count_call, &doomed->called, NULL,
                                                  &future);

    if (rc < 0)
        return rc;
    (void)anyc_thread_future_cancel(future); /* it may have ended */
    rc = anyc_thread_future_wait(future, INFINITY);
    anyc_thread_future_unref(future);
    return rc;
}

static int act_stop(struct doomed *doomed)
{
    return anyc_blocking_portal_stop(doomed->portal, false);
}

/* The cancellation is there before the call begins. */
static void *doomed_thread(void *arg)
{
    struct doomed *doomed = arg;

    (void)pthread_cancel(pthread_self());
    doomed->rc = doomed->act(doomed);
    pthread_testcancel();
    return NULL;
}

static int doomed_token_task(void *arg)
{
    return anyc_current_token(arg);
}

ANYC_TEST_PLAIN(test_thread_cancel__a_call_comes_to_its_end_first)
{
    static int (*const acts[])(struct doomed * doomed) = {act_run, act_run_sync, act_call,
                                                          act_future, act_stop};
    struct doomed doomed = {.portal = own_portal_start()};

    ck_assert_ok(anyc_blocking_portal_call(doomed.portal, doomed_token_task, &doomed.token, NULL));
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        pthread_t thread;
        void *result = NULL;

        doomed.act = acts[i];
        doomed.rc = 1;
        ck_assert_int_eq(pthread_create(&thread, NULL, doomed_thread, &doomed), 0);
        ck_assert_int_eq(pthread_join(thread, &result), 0);
        ck_assert_ptr_eq(result, PTHREAD_CANCELED);
        ck_assert_ok(doomed.rc);
    }
    ck_assert_int_eq(doomed.called, 4);
    ck_assert_ok(anyc_aclose(doomed.portal));
    anyc_token_release(doomed.token);
}

/* The thread of a portal is the library's, as those of workers. */
static int cancel_own_thread(void *arg)
{
    ck_assert_int_eq(pthread_cancel(pthread_self()), 0);
    pthread_testcancel();
    return count_call_late(arg);
}

ANYC_TEST_PLAIN(test_thread_cancel__has_no_effect_on_the_thread_of_a_portal)
{
    anyc_blocking_portal *portal = own_portal_start();
    int called = 0;

    ck_assert_ok(anyc_blocking_portal_call(portal, cancel_own_thread, &called, NULL));
    ck_assert_ok(anyc_blocking_portal_call(portal, count_call_late, &called, NULL));
    ck_assert_int_eq(called, 2);
    ck_assert_ok(anyc_aclose(portal));
}
