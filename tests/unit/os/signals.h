/* SPDX-License-Identifier: MIT */
/*
 * signals.h - short forms for the tests of signals.
 */
#ifndef ANYC_TESTS_UNIT_OS_SIGNALS_H
#define ANYC_TESTS_UNIT_OS_SIGNALS_H

#include <check.h>

#include <anyc/error.h>
#include <anyc/signal.h>

#include <signal.h>
#include <unistd.h>

/* A receiver for one number. */
static inline anyc_signal_receiver *receive_signal(int signum)
{
    anyc_signal_receiver *receiver;

    ck_assert_int_eq(anyc_open_signal_receiver(&signum, 1, &receiver), 0);
    return receiver;
}

/* A receiver for two. */
static inline anyc_signal_receiver *receive_signals(int first, int second)
{
    const int signals[] = {first, second};
    anyc_signal_receiver *receiver;

    ck_assert_int_eq(anyc_open_signal_receiver(signals, 2, &receiver), 0);
    return receiver;
}

/* To the process. Where one thread takes signals, it has been caught when this returns. */
static inline void send_signal(int signum)
{
    ck_assert_int_eq(kill(getpid(), signum), 0);
}

static inline void expect_signal(anyc_signal_receiver *receiver, int signum)
{
    ck_assert_int_eq(anyc_signal_receiver_next(receiver), signum);
}

/* What a signal does: SIG_DFL, SIG_IGN or a handler. */
static inline void (*signal_action(int signum))(int)
{
    struct sigaction action;

    ck_assert_int_eq(sigaction(signum, NULL, &action), 0);
    return action.sa_handler;
}

/* A handler of the program's. */
static volatile sig_atomic_t own_handler_calls;

static inline void own_handler(int signum)
{
    (void)signum;
    own_handler_calls++;
}

static inline void set_signal_action(int signum, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    ck_assert_int_eq(sigaction(signum, &action, NULL), 0);
}

#endif
