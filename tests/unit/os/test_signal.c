/* SPDX-License-Identifier: MIT */
/*
 * test_signal.c - signal receivers in one loop. AnyIO: tests/test_signals.py.
 */
#include <anyc/cancel.h>
#include <anyc/event.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/process.h>
#include <anyc/task.h>
#include <anyc/testing.h>
#include <anyc/thread.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "signals.h"
#include "support/fail_alloc.h"
#include "support/tasks.h"
#include "support/valgrind.h"

static int send_in_thread(void *arg)
{
    send_signal(*(const int *)arg);
    return 0;
}

static void send_from_thread(int signum)
{
    ck_assert_ok(anyc_to_thread_run_sync(send_in_thread, &signum, NULL, NULL));
}

/* SG-001 */
ANYC_TEST(test_signal__receives_what_a_thread_sends)
{
    anyc_signal_receiver *receiver = receive_signals(SIGUSR1, SIGUSR2);
    anyc_cancel_scope scope;

    send_from_thread(SIGUSR1);
    send_from_thread(SIGUSR2);
    ck_assert_ok(anyc_fail_after(&scope, 1, false));
    expect_signal(receiver, SIGUSR1);
    expect_signal(receiver, SIGUSR2);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    ck_assert_ok(anyc_aclose(receiver));
}

/* What a consumer is to receive from, and what it met. */
struct consumer {
    anyc_signal_receiver *receiver; /* NULL: it opens one itself */
    int last;                       /* what `next` answered last; 1: nothing yet */
    unsigned received;
};

static int consume(void *arg)
{
    struct consumer *consumer = arg;
    anyc_signal_receiver *receiver = consumer->receiver;

    if (receiver == NULL)
        receiver = receive_signals(SIGUSR1, SIGUSR2);
    do {
        consumer->last = anyc_signal_receiver_next(receiver);
        consumer->received += consumer->last > 0;
    } while (consumer->last > 0);
    if (consumer->receiver == NULL)
        ck_assert_ok(anyc_aclose(receiver));
    return consumer->last;
}

/* SG-002, TT-R17: cancelled before the task has run. */
ANYC_TEST(test_signal__opened_in_a_cancelled_group_ends_at_the_first_receive)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct consumer consumer = {.last = 1};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, consume, &consumer);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(consumer.last, ANYC_ECANCELLED);
    ck_assert_uint_eq(consumer.received, 0);
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
}

/* SG-003 */
ANYC_TEST(test_signal__can_be_closed_after_its_consumer_was_cancelled)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct consumer consumer = {.receiver = receive_signals(SIGUSR1, SIGUSR2), .last = 1};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, consume, &consumer);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(consumer.last, ANYC_ECANCELLED);
    ck_assert_ok(anyc_aclose(consumer.receiver));
}

/* TT-R17 */
ANYC_TEST(test_signal__opened_in_a_cancelled_scope_does_not_hang_and_can_be_opened_anew)
{
    anyc_signal_receiver *receiver;
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    receiver = receive_signal(SIGUSR1);
    send_signal(SIGUSR1);
    rc = anyc_signal_receiver_next(receiver);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_aclose(receiver));
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    receiver = receive_signal(SIGUSR1);
    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    ck_assert_ok(anyc_aclose(receiver));
}

/* -- what is kept -- */

ANYC_TEST(test_signal__gives_the_order_of_arrival)
{
    const int signals[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
    const int order[] = {SIGUSR2, SIGTERM, SIGHUP, SIGINT, SIGUSR1};
    anyc_signal_receiver *receiver;

    ck_assert_ok(anyc_open_signal_receiver(signals, 5, &receiver));
    for (size_t i = 0; i < 5; i++)
        send_signal(order[i]);
    for (size_t i = 0; i < 5; i++)
        expect_signal(receiver, order[i]);
    ck_assert_ok(anyc_aclose(receiver));
}

/* AnyIO's backends differ: 1 to 3. */
ANYC_TEST(test_signal__counts_one_that_comes_again_before_it_is_received_once)
{
    anyc_signal_receiver *receiver = receive_signals(SIGUSR1, SIGUSR2);

    for (int i = 0; i < 3; i++)
        send_signal(SIGUSR1);
    send_signal(SIGUSR2);
    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    expect_signal(receiver, SIGUSR2);
    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    ck_assert_ok(anyc_aclose(receiver));
}

ANYC_TEST(test_signal__keeps_what_comes_between_two_receives)
{
    anyc_signal_receiver *receiver = receive_signals(SIGUSR1, SIGUSR2);

    for (int i = 0; i < 100; i++) {
        send_signal(i % 2 == 0 ? SIGUSR1 : SIGUSR2);
        ck_assert_ok(anyc_checkpoint());
        expect_signal(receiver, i % 2 == 0 ? SIGUSR1 : SIGUSR2);
    }
    ck_assert_ok(anyc_aclose(receiver));
}

ANYC_TEST(test_signal__a_cancelled_receive_takes_nothing)
{
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_move_on_after(&scope, 0.001, false));
    rc = anyc_signal_receiver_next(receiver);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    send_signal(SIGUSR1);
    ck_assert_int_eq(anyc_signal_receiver_next(receiver), ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    expect_signal(receiver, SIGUSR1);
    ck_assert_ok(anyc_aclose(receiver));
}

/* -- several receivers -- */

ANYC_TEST(test_signal__reaches_each_receiver)
{
    anyc_signal_receiver *first = receive_signal(SIGUSR1);
    anyc_signal_receiver *second = receive_signals(SIGUSR2, SIGUSR1);
    anyc_signal_receiver *third = receive_signal(SIGUSR2);

    send_signal(SIGUSR1);
    expect_signal(first, SIGUSR1);
    expect_signal(second, SIGUSR1);
    ck_assert_ok(anyc_aclose(first));
    send_signal(SIGUSR2);
    send_signal(SIGUSR1);
    expect_signal(second, SIGUSR2);
    expect_signal(second, SIGUSR1);
    expect_signal(third, SIGUSR2);
    ck_assert_ok(anyc_aclose(second));
    ck_assert_ok(anyc_aclose(third));
}

ANYC_TEST(test_signal__wakes_every_task_that_waits_for_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct consumer consumers[3] = {{.last = 1}, {.last = 1}, {.last = 1}};

    ck_assert_ok(anyc_task_group_enter(&group));
    for (size_t i = 0; i < 3; i++)
        spawn(&group, consume, &consumers[i]);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    send_from_thread(SIGUSR2);
    while (consumers[0].received + consumers[1].received + consumers[2].received < 3)
        ck_assert_ok(anyc_sleep(0.001));
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(consumers[i].received, 1);
}

ANYC_TEST(test_signal__named_twice_counts_once)
{
    anyc_signal_receiver *receiver = receive_signals(SIGUSR1, SIGUSR1);

    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    ck_assert_ok(anyc_aclose(receiver));
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
}

ANYC_TEST(test_signal__may_be_one_of_real_time)
{
    const int last = RUNNING_ON_VALGRIND ? SIGRTMAX - 1 : SIGRTMAX; /* it keeps that to itself */
    anyc_signal_receiver *receiver = receive_signals(SIGRTMIN, last);

    send_signal(last);
    send_signal(SIGRTMIN);
    expect_signal(receiver, last);
    expect_signal(receiver, SIGRTMIN);
    ck_assert_ok(anyc_aclose(receiver));
}

/* -- what the signal did before -- */

ANYC_TEST(test_signal__does_after_the_last_receiver_what_it_did_before)
{
    anyc_signal_receiver *first;
    anyc_signal_receiver *second;

    set_signal_action(SIGUSR1, own_handler);
    first = receive_signal(SIGUSR1);
    second = receive_signal(SIGUSR1);
    ck_assert_ok(anyc_aclose(first));
    send_signal(SIGUSR1);
    expect_signal(second, SIGUSR1);
    ck_assert_int_eq(own_handler_calls, 0);
    ck_assert_ok(anyc_aclose(second));
    send_signal(SIGUSR1);
    ck_assert_int_eq(own_handler_calls, 1);
}

/* As for a program that nohup started. */
ANYC_TEST(test_signal__is_ignored_again_if_it_was)
{
    anyc_signal_receiver *receiver;

    set_signal_action(SIGHUP, SIG_IGN);
    for (int i = 0; i < 3; i++) {
        receiver = receive_signal(SIGHUP);
        send_signal(SIGHUP);
        expect_signal(receiver, SIGHUP);
        ck_assert_ok(anyc_aclose(receiver));
        send_signal(SIGHUP);
    }
    ck_assert(signal_action(SIGHUP) == SIG_IGN);
}

static int leave_open(void *arg)
{
    anyc_signal_receiver **receiver = arg;

    *receiver = receive_signals(SIGUSR1, SIGUSR2);
    send_signal(SIGUSR2);
    return 0;
}

ANYC_TEST_PLAIN(test_signal__the_end_of_the_run_ends_receivers_that_are_left_open)
{
    anyc_signal_receiver *receiver;

    set_signal_action(SIGUSR1, own_handler);
    ck_assert_ok(run_on_backend(leave_open, &receiver));
    ck_assert(signal_action(SIGUSR1) == own_handler);
    ck_assert(signal_action(SIGUSR2) == SIG_DFL);
    ck_assert_ok(anyc_aclose(receiver));
}

/* A program that takes a signal over while a receiver is open keeps it. */
ANYC_TEST(test_signal__leaves_alone_what_the_program_has_set_meanwhile)
{
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);

    set_signal_action(SIGUSR1, own_handler);
    ck_assert_ok(anyc_aclose(receiver));
    ck_assert(signal_action(SIGUSR1) == own_handler);
    receiver = receive_signal(SIGUSR1);
    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    ck_assert_ok(anyc_aclose(receiver));
    ck_assert(signal_action(SIGUSR1) == own_handler);
    ck_assert_int_eq(own_handler_calls, 0);
}

/* Other libraries wait for their processes by a handler. */
ANYC_TEST(test_signal__of_the_end_of_a_process_also_reaches_the_handler_that_was_there)
{
    anyc_signal_receiver *receiver;

    set_signal_action(SIGCHLD, own_handler);
    receiver = receive_signal(SIGCHLD);
    send_signal(SIGCHLD);
    expect_signal(receiver, SIGCHLD);
    ck_assert_int_eq(own_handler_calls, 1);
    ck_assert_ok(anyc_aclose(receiver));
    ck_assert(signal_action(SIGCHLD) == own_handler);
}

/* Neither takes anything from the other. */
ANYC_TEST(test_signal__of_the_end_of_a_process_disturbs_no_wait_for_it)
{
    anyc_signal_receiver *receiver = receive_signal(SIGCHLD);
    const char *const argv[] = {"sh", "-c", "exit 3", NULL};
    anyc_process *process;
    int code;

    for (int i = 0; i < 3; i++) {
        ck_assert_ok(anyc_open_process(argv, NULL, &process));
        ck_assert_ok(anyc_process_wait(process, &code));
        ck_assert_int_eq(code, 3);
        expect_signal(receiver, SIGCHLD);
        ck_assert_ok(anyc_aclose(process));
    }
    ck_assert_ok(anyc_aclose(receiver));
}

ANYC_TEST(test_signal__leaves_errno_of_who_it_interrupts)
{
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);

    errno = ENOTTY;
    (void)raise(SIGUSR1);
    ck_assert_int_eq(errno, ENOTTY);
    ck_assert_ok(anyc_aclose(receiver));
}

/* -- refusals -- */

ANYC_TEST(test_signal__refuses_what_cannot_be_received)
{
    const int numbers[] = {SIGKILL, SIGSTOP, 0,      -1,     NSIG, 1000,
                           SIGSEGV, SIGBUS,  SIGFPE, SIGILL, 32};
    anyc_signal_receiver *receiver = NULL;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const int signals[] = {SIGUSR1, numbers[i]};
        char number[16];

        ck_assert_int_eq(anyc_open_signal_receiver(signals, 2, &receiver), ANYC_EINVAL);
        (void)snprintf(number, sizeof number, " %d ", numbers[i]);
        ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, number));
        ck_assert(signal_action(SIGUSR1) == SIG_DFL);
    }
    ck_assert_int_eq(anyc_open_signal_receiver(numbers, 0, &receiver), ANYC_EINVAL);
    ck_assert_ptr_null(receiver);
}

ANYC_TEST_PLAIN(test_signal__needs_a_loop)
{
    const int signum = SIGUSR1;
    anyc_signal_receiver *receiver;

    ck_assert_int_eq(anyc_open_signal_receiver(&signum, 1, &receiver), ANYC_ENOLOOP);
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
}

ANYC_TEST(test_signal__refuses_a_second_task_that_waits)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct consumer consumer = {.receiver = receive_signal(SIGUSR1), .last = 1};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, consume, &consumer);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(anyc_signal_receiver_next(consumer.receiver), ANYC_EBUSY);
    send_signal(SIGUSR1);
    while (consumer.received == 0)
        ck_assert_ok(anyc_sleep(0.001));
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(consumer.last, ANYC_ECANCELLED);
    ck_assert_ok(anyc_aclose(consumer.receiver));
}

/* -- closing -- */

ANYC_TEST(test_signal__closing_ends_the_wait_in_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct consumer consumer = {.receiver = receive_signal(SIGUSR1), .last = 1};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, consume, &consumer);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_ok(anyc_aclose(consumer.receiver));
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_ECLOSED);
    ck_assert_int_eq(consumer.last, ANYC_ECLOSED);
}

ANYC_TEST(test_signal__closed_ones_answer_so)
{
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);

    send_signal(SIGUSR1);
    ck_assert_ok(anyc_close(receiver));
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
    ck_assert_int_eq(anyc_signal_receiver_next(receiver), ANYC_ECLOSED);
    ck_assert_int_eq(anyc_last_error()->code, ANYC_ECLOSED);
    ck_assert_ok(anyc_close(receiver));
    ck_assert_ok(anyc_aclose(receiver));
}

/* What was caught but not told yet goes with it, and does not come to the next. */
ANYC_TEST(test_signal__closing_with_one_on_its_way_loses_that_one)
{
    anyc_signal_receiver *receiver;
    anyc_cancel_scope scope;
    int rc;

    for (int i = 0; i < 10; i++) {
        receiver = receive_signal(SIGUSR1);
        send_signal(SIGUSR1);
        ck_assert_ok(anyc_aclose(receiver));
    }
    receiver = receive_signal(SIGUSR1);
    ck_assert_ok(anyc_move_on_after(&scope, 0.002, false));
    rc = anyc_signal_receiver_next(receiver);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    ck_assert_ok(anyc_aclose(receiver));
}

struct closer {
    anyc_signal_receiver *receiver;
    int rc;
};

/* More calls than a task may make before others get their turn. */
static int receive_often(void *arg)
{
    struct closer *closer = arg;

    do {
        send_signal(SIGUSR1);
        closer->rc = anyc_signal_receiver_next(closer->receiver);
    } while (closer->rc > 0);
    return 0;
}

static int close_it(void *arg)
{
    struct closer *closer = arg;

    return anyc_aclose(closer->receiver);
}

ANYC_TEST(test_signal__may_be_freed_while_a_task_is_about_to_receive)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct closer closer = {.receiver = receive_signal(SIGUSR1)};

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, receive_often, &closer);
    spawn(&group, close_it, &closer);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(closer.rc, ANYC_ECLOSED);
}

/* -- the run -- */

static int wait_for_usr1(void *arg)
{
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);

    (void)arg;
    expect_signal(receiver, SIGUSR1);
    return anyc_aclose(receiver);
}

static void *send_late(void *arg)
{
    (void)arg;
    usleep(20000);
    send_signal(SIGUSR1);
    return NULL;
}

/* Nothing else can wake it. */
ANYC_TEST_PLAIN(test_signal__waiting_for_one_is_no_deadlock)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, send_late, NULL), 0);
    ck_assert_ok(run_on_backend(wait_for_usr1, NULL));
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static int wait_for_event_with_receiver(void *arg)
{
    anyc_event event = {0};
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);
    int rc;

    (void)arg;
    rc = anyc_event_wait(&event);
    (void)anyc_aclose(receiver);
    return rc;
}

/* A receiver in which nobody waits wakes nobody. */
ANYC_TEST_PLAIN(test_signal__an_idle_receiver_hides_no_deadlock)
{
    ck_assert_int_eq(run_on_backend(wait_for_event_with_receiver, NULL), ANYC_EDEADLOCK);
    forget_last_error();
}

ANYC_TEST_WITH(test_signal__the_virtual_clock_goes_on, .clock = ANYC_CLOCK_VIRTUAL)
{
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_move_on_after(&scope, 1000, false));
    rc = anyc_signal_receiver_next(receiver);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    ck_assert_double_eq(anyc_current_time(), 1000);
    ck_assert_ok(anyc_aclose(receiver));
}

/* -- out of memory -- */

static int open_with_little_memory(void *arg)
{
    anyc_signal_receiver *receiver = NULL;
    const int signals[] = {SIGUSR1, SIGUSR2, SIGHUP};
    long *n = arg;
    int rc;

    fail_alloc_arm(*n);
    rc = anyc_open_signal_receiver(signals, 3, &receiver);
    if (!fail_alloc_disarm()) {
        ck_assert_ok(rc);
        *n = -1;
        return anyc_aclose(receiver);
    }
    ck_assert_int_eq(rc, ANYC_ENOMEM);
    ck_assert_ptr_null(receiver);
    for (size_t i = 0; i < 3; i++)
        ck_assert(signal_action(signals[i]) == SIG_DFL);
    ck_assert_ok(anyc_open_signal_receiver(signals, 3, &receiver));
    send_signal(SIGHUP);
    expect_signal(receiver, SIGHUP);
    return anyc_aclose(receiver);
}

ANYC_TEST_PLAIN(test_signal__without_memory_nothing_is_open)
{
    long failed = 0;

    fail_alloc_install();
    for (long n = 1; n > 0;) {
        ck_assert_ok(run_on_backend(open_with_little_memory, &n));
        if (n > 0)
            failed = n++;
    }
    ck_assert_int_ge(failed, 4);
    forget_last_error();
    ck_assert_int_eq(fail_alloc_live(), 0);
}
