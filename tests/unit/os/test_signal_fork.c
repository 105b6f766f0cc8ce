/* SPDX-License-Identifier: MIT */
/*
 * test_signal_fork.c - signals in a child of fork: they do what they did before the parent's receivers,
 * and never reach the parent.
 */
#include <anyc/cancel.h>
#include <anyc/loop.h>
#include <anyc/testing.h>

#include <sched.h>
#include <stddef.h>

#include "signals.h"
#include "support/fork_child.h"
#include "support/tasks.h"

static anyc_signal_receiver *its_receiver;

/* Nothing has come to the parent; what is sent to it does. */
static void check_parent(void)
{
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_move_on_after(&scope, 0.002, false));
    rc = anyc_signal_receiver_next(its_receiver);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
    send_signal(SIGUSR1);
    expect_signal(its_receiver, SIGUSR1);
}

static void signal_runs_the_handler(void)
{
    ck_assert(signal_action(SIGUSR1) == own_handler);
    send_signal(SIGUSR1);
    ck_assert_int_eq(own_handler_calls, 1);
}

ANYC_TEST(test_signal_fork__the_child_does_what_was_done_before)
{
    fork_child_needs_signals();
    set_signal_action(SIGUSR1, own_handler);
    its_receiver = receive_signals(SIGUSR1, SIGUSR2);
    in_child(signal_runs_the_handler);
    check_parent();
    ck_assert_int_eq(own_handler_calls, 0);
    ck_assert_ok(anyc_aclose(its_receiver));
}

static void die_of_usr1(void)
{
    send_signal(SIGUSR1);
}

ANYC_TEST(test_signal_fork__the_child_dies_of_what_is_not_for_its_parent)
{
    struct crash crash;

    its_receiver = receive_signal(SIGUSR1);
    crash_watch(&crash, die_of_usr1);
    ck_assert_int_eq(crash.signal, SIGUSR1);
    check_parent();
    ck_assert_ok(anyc_aclose(its_receiver));
}

static void close_its_receiver(void)
{
    ck_assert_forked(anyc_signal_receiver_next(its_receiver));
    ck_assert_ok(anyc_aclose(its_receiver));
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
}

ANYC_TEST(test_signal_fork__closing_it_in_the_child_leaves_it_to_the_parent)
{
    its_receiver = receive_signal(SIGUSR1);
    in_child(close_its_receiver);
    check_parent();
    ck_assert_ok(anyc_aclose(its_receiver));
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
}

static int receive_one(void *arg)
{
    anyc_signal_receiver *receiver = receive_signals(SIGUSR2, SIGUSR1);

    (void)arg;
    send_signal(SIGUSR1);
    send_signal(SIGUSR2);
    expect_signal(receiver, SIGUSR1);
    expect_signal(receiver, SIGUSR2);
    return anyc_aclose(receiver);
}

static void receive_afresh(void)
{
    anyc_after_fork_child();
    ck_assert_ok(run_on_backend(receive_one, NULL));
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
}

ANYC_TEST(test_signal_fork__a_fresh_run_receives_its_own)
{
    fork_child_needs_signals();
    its_receiver = receive_signal(SIGUSR1);
    in_child(receive_afresh);
    check_parent();
    ck_assert_ok(anyc_aclose(its_receiver));
}

/* One that came just before the child was made: the parent's, which has it only once. */
ANYC_TEST(test_signal_fork__one_on_its_way_stays_the_parents)
{
    fork_child_needs_signals();
    its_receiver = receive_signal(SIGUSR1);
    send_signal(SIGUSR1);
    in_child(receive_afresh);
    expect_signal(its_receiver, SIGUSR1);
    check_parent();
    ck_assert_ok(anyc_aclose(its_receiver));
}

static int send_to_oneself(void *arg)
{
    (void)arg;
    return kill(getpid(), SIGUSR1);
}

/* A child that shares its parent's memory, as those do that are about to execute a program, is not told
 * of by pthread_atfork(3). */
ANYC_TEST(test_signal_fork__a_child_in_the_same_memory_does_not_disturb_the_parent)
{
    static _Alignas(max_align_t) char stack[65536];
    int status;
    pid_t pid;

    fork_child_needs_signals();
    its_receiver = receive_signal(SIGUSR1);
    pid = clone(send_to_oneself, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGUSR1);
    check_parent();
    ck_assert_ok(anyc_aclose(its_receiver));
}
