/* SPDX-License-Identifier: MIT */
/*
 * test_portal_task.c - tasks that are started through a portal. AnyIO: tests/test_from_thread.py,
 * TestBlockingPortal, the tests of start_task and start_task_soon.
 */
#include "own_portal.h"

#include <anyc/thread.h>

#include "support/fail_alloc.h"
#include "support/thread.h"

/* -- start_task_soon -- */

struct two_events {
    anyc_event first;
    anyc_event second;
};

static int wait_and_set(void *arg)
{
    struct two_events *events = arg;
    int rc = anyc_event_wait(&events->first);

    anyc_event_set(&events->second);
    return rc < 0 ? rc : 42;
}

/* FT-029 */
ANYC_TEST_PLAIN(test_portal_task__gives_its_result_to_the_future)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct two_events events = {.first = ANYC_EVENT_INIT};
    anyc_thread_future *future;
    int result = 0;

    ck_assert_ok(
        anyc_blocking_portal_start_task_soon(portal, wait_and_set, &events, NULL, &future));
    ck_assert_int_eq(anyc_thread_future_result(future, &result), ANYC_EPENDING);
    own_portal_set(portal, &events.first);
    own_portal_wait(portal, &events.second);
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_ok(anyc_thread_future_result(future, &result));
    ck_assert_int_eq(result, 42);
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

static int nap_task(void *arg)
{
    return anyc_sleep(*(const double *)arg);
}

/* FT-031 */
ANYC_TEST_PLAIN(test_portal_task__is_cancelled_with_its_future)
{
    anyc_blocking_portal *portal = own_portal_start();
    double seconds = 15; /* the test would be killed */
    anyc_thread_future *future;

    ck_assert_ok(anyc_blocking_portal_start_task_soon(portal, nap_task, &seconds, NULL, &future));
    own_portal_settle(portal);
    ck_assert(anyc_thread_future_cancel(future));
    ck_assert_ok(anyc_aclose(portal));
    ck_assert_int_eq(anyc_thread_future_status(future), ANYC_FUTURE_CANCELLED);
    ck_assert_int_eq(anyc_thread_future_result(future, NULL), ANYC_EFUTURECANCELLED);
    anyc_thread_future_unref(future);
    forget_last_error();
}

struct napper {
    bool cancelled;
    sem_t ended;
};

static int napper_task(void *arg)
{
    struct napper *napper = arg;
    int rc = anyc_sleep(10);

    napper->cancelled = rc == ANYC_ECANCELLED;
    sem_post(&napper->ended);
    return rc;
}

/* FT-032 */
ANYC_TEST_PLAIN(test_portal_task__runs_up_to_its_first_wait_when_cancelled_at_once)
{
    anyc_blocking_portal *portal = own_portal_start();

    for (int i = 0; i < 50; i++) {
        struct napper napper = {.cancelled = false};
        anyc_thread_future *future;

        sem_init(&napper.ended, 0, 0);
        ck_assert_ok(
            anyc_blocking_portal_start_task_soon(portal, napper_task, &napper, NULL, &future));
        ck_assert(anyc_thread_future_cancel(future));
        ck_assert(gate_wait(&napper.ended));
        ck_assert(napper.cancelled);
        ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
        anyc_thread_future_unref(future);
        sem_destroy(&napper.ended);
    }
    ck_assert_ok(anyc_aclose(portal));
}

static int stop_task(void *arg)
{
    return anyc_blocking_portal_stop(arg, false);
}

/* FT-033, TT-R01 */
ANYC_TEST_PLAIN(test_portal_task__can_be_cancelled_after_the_portals_stop)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct napper napper = {.cancelled = false};
    anyc_thread_future *future;

    sem_init(&napper.ended, 0, 0);
    ck_assert_ok(anyc_blocking_portal_start_task_soon(portal, napper_task, &napper, NULL, &future));
    own_portal_settle(portal);
    ck_assert_ok(anyc_blocking_portal_call(portal, stop_task, portal, NULL));
    ck_assert(anyc_thread_future_cancel(future));
    ck_assert(gate_wait(&napper.ended));
    ck_assert(napper.cancelled);
    ck_assert_ok(anyc_aclose(portal));
    anyc_thread_future_unref(future);
    sem_destroy(&napper.ended);
}

static int tell_name(void *arg)
{
    anyc_task_info info;
    int rc = anyc_get_current_task(&info);

    (void)snprintf(arg, 32, "%s", info.name);
    return rc;
}

static int tell_name_started(void *arg, anyc_task_status *status)
{
    int rc = tell_name(arg);

    return rc < 0 ? rc : anyc_task_status_started(status, NULL);
}

/* FT-034; and the name of the function without one. */
ANYC_TEST_PLAIN(test_portal_task__has_the_name_that_was_given)
{
    anyc_blocking_portal *portal = own_portal_start();
    anyc_thread_future *future;
    char name[32] = "";

    ck_assert_ok(
        anyc_blocking_portal_start_task_soon(portal, tell_name, name, "testname", &future));
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_str_eq(name, "testname");
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_blocking_portal_start_task_soon(portal, tell_name, name, NULL, &future));
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_str_eq(name, "tell_name");
    anyc_thread_future_unref(future);
    ck_assert_ok(
        anyc_blocking_portal_start_task(portal, tell_name_started, name, "other", NULL, NULL));
    ck_assert_str_eq(name, "other");
    ck_assert_ok(
        anyc_blocking_portal_start_task(portal, tell_name_started, name, NULL, NULL, NULL));
    ck_assert_str_eq(name, "tell_name_started");
    ck_assert_ok(anyc_aclose(portal));
}

ANYC_TEST_PLAIN(test_portal_task__may_have_no_future)
{
    anyc_blocking_portal *portal = own_portal_start();
    bool called = false;

    ck_assert_ok(anyc_blocking_portal_start_task_soon(portal, note_task, &called, NULL, NULL));
    ck_assert_ok(anyc_aclose(portal)); /* waits for it */
    ck_assert(called);
}

static int waiting_thread(void *arg)
{
    return anyc_thread_future_wait(arg, 5);
}

/* A portal in the running loop, a task that sleeps for ever, and a thread that waits for it. */
static int endless_thread(void *arg)
{
    anyc_blocking_portal *portal = arg;
    anyc_thread_future *future;
    struct side_thread side;
    int rc;

    ck_assert_ok(anyc_blocking_portal_start_task_soon(portal, forever_task, NULL, NULL, &future));
    side_thread_start(&side, waiting_thread, future);
    own_portal_settle(portal);
    ck_assert_ok(anyc_blocking_portal_stop(portal, true)); /* ends the host's wait too */
    ck_assert_ok(anyc_thread_future_wait(future, 5));
    ck_assert_ok(side_thread_join(&side));
    rc = anyc_thread_future_result(future, NULL);
    anyc_thread_future_unref(future);
    return rc;
}

/* FT-047, TT-R07: both threads that wait are woken. */
ANYC_TEST(test_portal_task__ends_when_the_portal_cancels_what_remains)
{
    anyc_blocking_portal *portal;
    int rc;

    ck_assert_ok(anyc_blocking_portal_enter(&portal));
    rc = anyc_to_thread_run_sync(endless_thread, portal, NULL, NULL);
    ck_assert_int_eq(rc, ANYC_EFUTURECANCELLED);
    ck_assert_ok(anyc_blocking_portal_exit(portal, 0));
    ck_assert_ok(anyc_aclose(portal));
}

/* -- start_task -- */

struct starter {
    const char *value; /* to signal; NULL: no signal */
    int rc;
    anyc_event *go; /* to wait for after the signal, or NULL */
};

static int starter_task(void *arg, anyc_task_status *status)
{
    struct starter *starter = arg;

    if (starter->value != NULL)
        ck_assert_ok(anyc_task_status_started(status, (void *)starter->value));
    if (starter->go != NULL)
        ck_assert_ok(anyc_event_wait(starter->go));
    return starter->rc;
}

/* FT-040 */
ANYC_TEST_PLAIN(test_portal_task__hands_out_the_start_value)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct starter starter = {.value = "foo"};
    anyc_thread_future *future;
    void *value = NULL;

    ck_assert_ok(
        anyc_blocking_portal_start_task(portal, starter_task, &starter, NULL, &value, &future));
    ck_assert_str_eq(value, "foo");
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_ok(anyc_thread_future_result(future, NULL));
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_aclose(portal));
}

ANYC_TEST_PLAIN(test_portal_task__goes_on_after_the_start_value)
{
    anyc_blocking_portal *portal = own_portal_start();
    anyc_event go = ANYC_EVENT_INIT;
    struct starter starter = {.value = "foo", .go = &go, .rc = 5};
    anyc_thread_future *future;
    int result = 0;

    ck_assert_ok(
        anyc_blocking_portal_start_task(portal, starter_task, &starter, NULL, NULL, &future));
    own_portal_settle(portal);
    ck_assert(!anyc_thread_future_done(future));
    own_portal_set(portal, &go);
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_ok(anyc_thread_future_result(future, &result));
    ck_assert_int_eq(result, 5);
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_aclose(portal));
}

/* FT-042 */
ANYC_TEST_PLAIN(test_portal_task__an_error_after_the_start_is_the_futures)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct starter starter = {.value = "2", .rc = E1};
    anyc_thread_future *future;
    void *value = NULL;

    ck_assert_ok(
        anyc_blocking_portal_start_task(portal, starter_task, &starter, NULL, &value, &future));
    ck_assert_str_eq(value, "2");
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    ck_assert_int_eq(anyc_thread_future_result(future, NULL), E1);
    anyc_thread_future_unref(future);
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

/* FT-043 */
ANYC_TEST_PLAIN(test_portal_task__an_end_without_a_signal_is_told)
{
    anyc_blocking_portal *portal = own_portal_start();
    struct starter starter = {.rc = 0};
    anyc_thread_future *future = NULL;

    ck_assert_int_eq(
        anyc_blocking_portal_start_task(portal, starter_task, &starter, "silent", NULL, &future),
        ANYC_ENOTSTARTED);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, "silent"));
    ck_assert_ptr_null(future);
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

ANYC_TEST_PLAIN(test_portal_task__an_error_before_the_start_is_the_starters)
{
    static const int codes[] = {E1, ANYC_ECANCELLED, ANYC_ENOTSTARTED};
    anyc_blocking_portal *portal = own_portal_start();

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct starter starter = {.rc = codes[i]};
        anyc_thread_future *future = NULL;

        ck_assert_int_eq(
            anyc_blocking_portal_start_task(portal, starter_task, &starter, NULL, NULL, &future),
            codes[i]);
        ck_assert_ptr_null(future);
    }
    ck_assert_ok(anyc_aclose(portal));
    forget_last_error();
}

struct slow {
    anyc_blocking_portal *portal;
    sem_t begun;
};

static int slow_task(void *arg, anyc_task_status *status)
{
    struct slow *slow = arg;
    int rc;

    sem_post(&slow->begun);
    rc = anyc_sleep_forever();
    return rc < 0 ? rc : anyc_task_status_started(status, NULL);
}

static int slow_thread(void *arg)
{
    struct slow *slow = arg;

    return anyc_blocking_portal_start_task(slow->portal, slow_task, slow, NULL, NULL, NULL);
}

/* The portal is shut down while a thread waits for a task to start. */
ANYC_TEST_PLAIN(test_portal_task__a_start_can_be_cancelled)
{
    struct slow slow = {.portal = own_portal_start()};
    struct side_thread side;

    sem_init(&slow.begun, 0, 0);
    side_thread_start(&side, slow_thread, &slow);
    ck_assert(gate_wait(&slow.begun));
    ck_assert_int_eq(anyc_blocking_portal_exit(slow.portal, E1), E1);
    ck_assert_int_eq(side_thread_join(&side), ANYC_ECANCELLED);
    ck_assert_ok(anyc_aclose(slow.portal));
    sem_destroy(&slow.begun);
    forget_last_error();
}

/* -- out of memory -- */

struct scarce {
    anyc_blocking_portal *portal;
    bool called;
};

/* What an attempt came to, whether the start or the future says it. */
static int scarce_soon(struct scarce *scarce)
{
    anyc_thread_future *future = NULL;
    int rc = anyc_blocking_portal_start_task_soon(scarce->portal, note_task, &scarce->called,
                                                  "a name", &future);

    if (rc < 0)
        return rc;
    ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    rc = anyc_thread_future_result(future, NULL);
    anyc_thread_future_unref(future);
    return rc;
}

static int scarce_start(struct scarce *scarce)
{
    struct starter starter = {.value = ""};
    anyc_thread_future *future = NULL;
    int rc = anyc_blocking_portal_start_task(scarce->portal, starter_task, &starter, "a name", NULL,
                                             &future);

    scarce->called = rc == 0;
    if (rc == 0)
        ck_assert_ok(anyc_thread_future_wait(future, INFINITY));
    anyc_thread_future_unref(future);
    return rc;
}

static void scarce_run(int (*attempt)(struct scarce *scarce))
{
    bool failed = true;
    long n;

    for (n = 1; failed; n++) {
        struct scarce scarce = {.portal = own_portal_start()};
        int rc;

        fail_alloc_arm(n);
        rc = attempt(&scarce);
        failed = fail_alloc_disarm();
        ck_assert_int_eq(rc, failed ? ANYC_ENOMEM : 0);
        ck_assert(scarce.called == !failed);
        ck_assert_ok(anyc_aclose(scarce.portal));
    }
    ck_assert_int_gt(n, 3);
}

ANYC_TEST_PLAIN(test_portal_task__answers_when_memory_runs_out)
{
    fail_alloc_install();
    scarce_run(scarce_soon);
    scarce_run(scarce_start);
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
}
