/* SPDX-License-Identifier: MIT */
/*
 * test_signal_source.c - how signals come to loops: a library that refuses, and actions that somebody
 * else brings back.
 */
#include <anyc/loop.h>
#include <anyc/testing.h>

#include "core/loop.h"
#include "os/signal_source.h"
#include "signals.h"
#include "support/tasks.h"

#include <errno.h>

/* A table for the running loop that refuses signals. */
static anyc_backend refusing;
static int refusal;
static unsigned starts;

static int refuse(anyc_loop *loop, int signum)
{
    (void)loop;
    (void)signum;
    starts++;
    return refusal;
}

/* Makes the running loop one of the host's whose library answers that; gives its own table back. */
static const anyc_backend *host_refuses(int rc)
{
    const anyc_backend *kept = anyc__loop->backend;

    refusing = *kept;
    refusing.signal_start = refuse;
    refusal = rc;
    anyc__loop->backend = &refusing;
    anyc__loop->adopted = true;
    return kept;
}

static void host_is_gone(const anyc_backend *kept)
{
    anyc__loop->backend = kept;
    anyc__loop->adopted = false;
}

ANYC_TEST(test_signal_source__tells_what_the_library_of_the_host_refused)
{
    const anyc_backend *kept = host_refuses(-EMFILE);
    const int signals[] = {SIGUSR1, SIGUSR2};
    anyc_signal_receiver *receiver = NULL;

    ck_assert_int_eq(anyc_open_signal_receiver(signals, 2, &receiver), -EMFILE);
    ck_assert_int_eq(anyc_last_error()->os_error, EMFILE);
    ck_assert_ptr_null(receiver);
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
    host_is_gone(kept);
    receiver = receive_signal(SIGUSR1);
    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    ck_assert_ok(anyc_aclose(receiver));
}

ANYC_TEST(test_signal_source__does_without_a_library_that_serves_another_loop)
{
    const anyc_backend *kept = host_refuses(-EBUSY);
    anyc_signal_receiver *receiver = receive_signal(SIGUSR1);

    ck_assert_uint_eq(starts, 1);
    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    ck_assert_ok(anyc_aclose(receiver));
    host_is_gone(kept);
    ck_assert(signal_action(SIGUSR1) == SIG_DFL);
}

ANYC_TEST(test_signal_source__asks_no_library_on_a_loop_of_its_own)
{
    const anyc_backend *kept = host_refuses(-EMFILE);
    anyc_signal_receiver *receiver;

    anyc__loop->adopted = false;
    receiver = receive_signal(SIGUSR1);
    ck_assert_uint_eq(starts, 0);
    ck_assert_ok(anyc_aclose(receiver));
    host_is_gone(kept);
}

/* As libevent does for a host that began to use the signal while a receiver was open. */
ANYC_TEST(test_signal_source__its_handler_brought_back_does_what_was_done_before)
{
    anyc_signal_receiver *receiver;
    struct sigaction anycs;

    set_signal_action(SIGUSR1, own_handler);
    receiver = receive_signal(SIGUSR1);
    ck_assert_int_eq(sigaction(SIGUSR1, NULL, &anycs), 0);
    ck_assert_ok(anyc_aclose(receiver));
    ck_assert_int_eq(sigaction(SIGUSR1, &anycs, NULL), 0);
    send_signal(SIGUSR1);
    ck_assert_int_eq(own_handler_calls, 1);
    ck_assert(signal_action(SIGUSR1) == own_handler);
    ck_assert_int_eq(sigaction(SIGUSR1, &anycs, NULL), 0);
    receiver = receive_signal(SIGUSR1);
    send_signal(SIGUSR1);
    expect_signal(receiver, SIGUSR1);
    ck_assert_ok(anyc_aclose(receiver));
    ck_assert(signal_action(SIGUSR1) == own_handler);
    ck_assert_int_eq(own_handler_calls, 1);
}
