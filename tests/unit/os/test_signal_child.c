/* SPDX-License-Identifier: MIT */
/*
 * test_signal_child.c - SIGCHLD, the one signal whose former handler is still called.
 */
#include <anyc/process.h>
#include <anyc/testing.h>

#include "child.h"
#include "signals.h"
#include "support/steps.h"

static volatile sig_atomic_t ends; /* that the program's handler has heard of */
static volatile sig_atomic_t others;

static void count_ends(int signum, siginfo_t *info, void *context)
{
    bool end = info->si_code == CLD_EXITED || info->si_code == CLD_KILLED;

    (void)signum;
    (void)context;
    if (end)
        ends++;
    else
        others++;
}

/* A handler that has asked for no more than ends (SA_NOCLDSTOP) hears of no more. */
ANYC_TEST(test_signal_child__a_handler_hears_of_no_more_than_it_asked_for)
{
    struct sigaction action = {.sa_sigaction = count_ends, .sa_flags = SA_SIGINFO | SA_NOCLDSTOP};
    anyc_signal_receiver *receiver;
    anyc_process *process;
    siginfo_t info;

    ck_assert_ok(sigaction(SIGCHLD, &action, NULL));
    receiver = receive_signal(SIGCHLD);
    process = child_open(CHILD("wait", "stop"), NULL);
    expect_signal(receiver, SIGCHLD); /* it has stopped */
    ck_assert_ok(waitid(P_PID, (id_t)anyc_process_pid(process), &info, WSTOPPED | WNOHANG));
    ck_assert_int_eq(info.si_code, CLD_STOPPED);
    ck_assert_int_eq(others, 0);
    ck_assert_ok(anyc_process_kill(process));
    ck_assert_int_eq(child_wait(process), -SIGKILL);
    expect_signal(receiver, SIGCHLD);
    ck_assert_int_eq(ends, 1);
    ck_assert_int_eq(others, 0);
    ck_assert_ok(anyc_aclose(process));
    ck_assert_ok(anyc_aclose(receiver));
}

/* Many programs, a receiver for their ends, and both in one loop: each end is seen, and the receiver
 * has heard of one at least. */
ANYC_TEST(test_signal_child__programs_and_a_receiver_share_it)
{
    anyc_signal_receiver *receiver = receive_signal(SIGCHLD);
    anyc_process *processes[8];

    for (int i = 0; i < 8; i++)
        processes[i] = child_open(CHILD("exit", "3"), NULL);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(child_wait(processes[i]), 3);
        ck_assert_ok(anyc_aclose(processes[i]));
    }
    expect_signal(receiver, SIGCHLD);
    ck_assert_ok(anyc_aclose(receiver));
    child_check_none();
}
