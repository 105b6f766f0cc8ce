/* SPDX-License-Identifier: MIT */
/*
 * test_signal_host.c - signal receivers on a loop of the host's, who gets the same signal by the means
 * of his loop's library.
 */
#include <anyc/loop.h>
#include <anyc/testing.h>

#include <pthread.h>
#include <string.h>

#include "core/loop.h"
#include "signal_host.h"
#include "signals.h"
#include "support/fork_child.h"
#include "support/tasks.h"

static const struct signal_host_type *host_type(void)
{
    bool uv = strcmp(anyc_testing_backend(), "libuv") == 0;

    return uv ? &signal_host_libuv : &signal_host_libevent;
}

static void host_start(struct signal_host *host)
{
    host_type()->start(host);
}

static void host_stop(struct signal_host *host)
{
    host_type()->stop(host);
}

static void host_wait(const struct signal_host *host, unsigned heard)
{
    while (host->heard < heard)
        ck_assert_ok(anyc_sleep(0.001));
    ck_assert_uint_eq(host->heard, heard);
}

/* Runs a task on a loop of a host's, which is its argument. */
static void host_run(anyc_task_fn task)
{
    const struct signal_host_type *type = host_type();
    struct signal_host *host;
    anyc_run_options options;

    if (type == NULL)
        ANYC_TEST_SKIP("there is no such host");
    host = type->open();
    options = (anyc_run_options){.backend = type->backend, .loop = type->loop(host)};
    ck_assert_ok(anyc_run_with(task, host, &options));
    type->close(host);
    forget_last_error();
}

static void *host_run_in_thread(void *task)
{
    host_run((anyc_task_fn)(uintptr_t)task);
    return NULL;
}

static void in_thread(void *(*fn)(void *arg), anyc_task_fn task)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, fn, (void *)(uintptr_t)task), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static void both_hear(const struct signal_host *host, anyc_signal_receiver *receiver)
{
    unsigned before = host->heard;

    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    host_wait(host, before + 1);
}

/* -- one loop -- */

static int host_has_a_child_handler(void *host)
{
    anyc_signal_receiver *receiver;

    (void)host;
    set_signal_action(SIGCHLD, own_handler);
    receiver = receive_signal(SIGCHLD);
    send_signal(SIGCHLD);
    expect_signal(receiver, SIGCHLD);
    ck_assert_int_eq(own_handler_calls, 1);
    ck_assert_ok(anyc_aclose(receiver));
    send_signal(SIGCHLD);
    ck_assert_int_eq(own_handler_calls, 2);
    return 0;
}

/* The rule for SIGCHLD holds on a host's loop as well. */
ANYC_TEST_PLAIN(test_signal_host__the_programs_handler_hears_of_children)
{
    host_run(host_has_a_child_handler);
}

static int host_is_first(void *host)
{
    anyc_signal_receiver *receiver;

    host_start(host);
    receiver = receive_signal(SIGUSR1);
    both_hear(host, receiver);
    host_stop(host);
    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    return anyc_aclose(receiver);
}

ANYC_TEST_PLAIN(test_signal_host__the_host_may_be_first_and_stop_first)
{
    host_run(host_is_first);
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
}

static int host_is_second(void *arg)
{
    struct signal_host *host = arg;
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);

    host_start(host);
    both_hear(host, receiver);
    ck_assert_ok(anyc_aclose(receiver));
    send_signal(SIGUSR1);
    host_wait(host, 2);
    receiver = receive_signal(SIGUSR1);
    both_hear(host, receiver);
    ck_assert_ok(anyc_aclose(receiver));
    host_stop(host);
    return 0;
}

/* libuv then goes by the default action. libevent brings back what it found, which was anyc's: that must
 * do what was done before anyc. */
ANYC_TEST_PLAIN(test_signal_host__the_host_may_be_second_and_stop_last)
{
    set_signal_action(SIGUSR1, own_handler);
    host_run(host_is_second);
    if (signal_action(SIGUSR1) == SIG_DFL)
        return;
    send_signal(SIGUSR1);
    ck_assert_int_eq(own_handler_calls, 1);
    ck_assert(signal_action(SIGUSR1) == own_handler);
}

static int host_has_a_handler(void *host)
{
    anyc_signal_receiver *receiver;

    (void)host;
    set_signal_action(SIGUSR1, own_handler);
    receiver = receive_signal(SIGUSR1);
    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    ck_assert_ok(anyc_aclose(receiver));
    ck_assert(signal_action(SIGUSR1) == own_handler);
    ck_assert_int_eq(own_handler_calls, 0);
    return 0;
}

ANYC_TEST_PLAIN(test_signal_host__brings_back_the_programs_handler)
{
    host_run(host_has_a_handler);
}

/* While the library is being asked, its handler is the only one for a moment: what it tells then counts. */
static int library_tells_first(void *host)
{
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);

    (void)host;
    anyc_backend_signal(anyc__loop, SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    return anyc_aclose(receiver);
}

ANYC_TEST_PLAIN(test_signal_host__what_only_the_library_has_heard_counts)
{
    host_run(library_tells_first);
}

/* -- several loops -- */

static int hear(void *arg)
{
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);

    (void)arg;
    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    return anyc_aclose(receiver);
}

static void *run_in_thread(void *task)
{
    ck_assert_ok(run_on_backend((anyc_task_fn)(uintptr_t)task, NULL));
    return NULL;
}

static int others_come_and_go(void *host)
{
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);

    in_thread(run_in_thread, hear);
    expect_signal(receiver, SIGUSR1);
    in_thread(host_run_in_thread, hear);
    expect_signal(receiver, SIGUSR1);
    host_start(host);
    both_hear(host, receiver);
    return anyc_aclose(receiver);
}

ANYC_TEST_PLAIN(test_signal_host__other_loops_do_not_disturb_it)
{
    host_run(others_come_and_go);
}

static int other_host_comes_and_goes(void *host)
{
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);

    host_start(host);
    in_thread(host_run_in_thread, host_is_first);
    expect_signal(receiver, SIGUSR1);
    host_wait(host, 2);
    both_hear(host, receiver);
    return anyc_aclose(receiver);
}

ANYC_TEST_PLAIN(test_signal_host__another_host_does_not_disturb_it)
{
    if (strcmp(anyc_testing_backend(), "libevent") == 0)
        ANYC_TEST_SKIP("libevent delivers signals to one base of a process");
    host_run(other_host_comes_and_goes);
}

static int hear_after_the_host(void *arg)
{
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);

    (void)arg;
    in_thread(host_run_in_thread, host_is_first);
    expect_signal(receiver, SIGUSR1);
    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    return anyc_aclose(receiver);
}

/* The receiver of the host's loop goes while one of another loop stays. */
ANYC_TEST_PLAIN(test_signal_host__another_loop_outlives_it)
{
    ck_assert_ok(run_on_backend(hear_after_the_host, NULL));
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
}

/* -- in a child of fork -- */

static void hear_on_a_hosts_loop(void)
{
    anyc_after_fork_child();
    host_run(hear);
}

static int fork_a_host(void *host)
{
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);

    host_start(host);
    in_child(hear_on_a_hosts_loop);
    both_hear(host, receiver);
    return anyc_aclose(receiver);
}

/* It knows the parent's handles there, and would tell them. */
ANYC_TEST_PLAIN(test_signal_host__in_a_child_the_library_is_not_asked)
{
    fork_child_needs_signals();
    host_run(fork_a_host);
}
