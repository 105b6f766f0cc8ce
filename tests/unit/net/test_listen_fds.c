/* SPDX-License-Identifier: MIT */
/*
 * test_listen_fds.c - sockets handed over by a service manager, as sd_listen_fds(3) has it.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "support/fail_alloc.h"

enum { FIRST = 3, GIVEN = 2 };

/* What a call answered. Nothing may be asserted before the descriptors are put back: Check has one
 * of its own among them. */
struct outcome {
    int rc;
    anyc_listen_fd_list list;
    int flags[GIVEN];
    bool failed; /* an allocation did */
    bool unset;  /* the variables are gone */
};

static void set_variable(const char *name, const char *value)
{
    if (value != NULL)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

/* This process's number as text. */
static const char *own_pid(void)
{
    static char text[16];

    snprintf(text, sizeof text, "%d", (int)getpid());
    return text;
}

/* Put a descriptor of a file at 3 + i; answers what was there, at a higher number, or -1. */
static int give(int i)
{
    int saved = fcntl(FIRST + i, F_DUPFD_CLOEXEC, 20);
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (file != FIRST + i) {
        dup2(file, FIRST + i);
        close(file);
    }
    fcntl(FIRST + i, F_SETFD, 0);
    return saved;
}

static void take_back(int i, int saved)
{
    close(FIRST + i);
    if (saved >= 0) {
        dup2(saved, FIRST + i);
        fcntl(FIRST + i, F_SETFD, FD_CLOEXEC);
        close(saved);
    }
}

/* Call with open descriptors at 3 and 4. n: the allocation that fails, or 0. */
static struct outcome call_with_fds(const anyc_listen_fds_options *options, long n)
{
    struct outcome outcome = {.list = {.count = 77}};
    int saved[GIVEN];

    for (int i = 0; i < GIVEN; i++)
        saved[i] = give(i);
    if (n > 0)
        fail_alloc_arm(n);
    outcome.rc = anyc_listen_fds(options, &outcome.list);
    outcome.failed = n > 0 && fail_alloc_disarm();
    outcome.unset = getenv("LISTEN_PID") == NULL && getenv("LISTEN_FDS") == NULL &&
                    getenv("LISTEN_FDNAMES") == NULL;
    for (int i = 0; i < GIVEN; i++) {
        outcome.flags[i] = fcntl(FIRST + i, F_GETFD);
        take_back(i, saved[i]);
    }
    return outcome;
}

static struct outcome call_with(const char *pid, const char *fds, const char *names)
{
    set_variable("LISTEN_PID", pid);
    set_variable("LISTEN_FDS", fds);
    set_variable("LISTEN_FDNAMES", names);
    return call_with_fds(NULL, 0);
}

static void check_none(struct outcome outcome)
{
    ck_assert_int_eq(outcome.rc, 0);
    ck_assert_uint_eq(outcome.list.count, 0);
    ck_assert_ptr_null(outcome.list.items);
    ck_assert_int_eq(outcome.flags[0], 0);
    anyc_free_listen_fds(&outcome.list);
}

static void check_refused(struct outcome outcome, const char *why)
{
    ck_assert_int_eq(outcome.rc, ANYC_EINVAL);
    ck_assert_msg(strstr(anyc_last_error()->message, why) != NULL, "%s",
                  anyc_last_error()->message);
    ck_assert_uint_eq(outcome.list.count, 77);
}

ANYC_TEST_PLAIN(test_listen_fds__gives_descriptors_with_their_names)
{
    struct outcome outcome = call_with(own_pid(), "2", "http:");

    ck_assert_int_eq(outcome.rc, 2);
    ck_assert_uint_eq(outcome.list.count, 2);
    ck_assert_int_eq(outcome.list.items[0].fd, 3);
    ck_assert_str_eq(outcome.list.items[0].name, "http");
    ck_assert_int_eq(outcome.list.items[1].fd, 4);
    ck_assert_str_eq(outcome.list.items[1].name, "");
    ck_assert_int_eq(outcome.flags[0], FD_CLOEXEC);
    ck_assert_int_eq(outcome.flags[1], FD_CLOEXEC);
    ck_assert(!outcome.unset);
    anyc_free_listen_fds(&outcome.list);
    ck_assert_uint_eq(outcome.list.count, 0);
    anyc_free_listen_fds(&outcome.list);
}

ANYC_TEST_PLAIN(test_listen_fds__descriptors_without_names_are_unknown)
{
    struct outcome outcome = call_with(own_pid(), "1", NULL);

    ck_assert_int_eq(outcome.rc, 1);
    ck_assert_str_eq(outcome.list.items[0].name, "unknown");
    ck_assert_int_eq(outcome.flags[0], FD_CLOEXEC);
    ck_assert_int_eq(outcome.flags[1], 0); /* not one of them */
    anyc_free_listen_fds(&outcome.list);
}

ANYC_TEST_PLAIN(test_listen_fds__there_may_be_none)
{
    check_none(call_with(NULL, NULL, NULL));
    check_none(call_with(NULL, "1", NULL));
    check_none(call_with(own_pid(), NULL, NULL));
    check_none(call_with(own_pid(), "0", NULL));
}

/* As after a fork, or when a parent was meant. */
ANYC_TEST_PLAIN(test_listen_fds__those_of_another_process_are_left_alone)
{
    check_none(call_with("1", "2", "a:b"));
}

ANYC_TEST_PLAIN(test_listen_fds__refuses_variables_of_another_form)
{
    check_refused(call_with("me", "1", NULL), "LISTEN_PID");
    check_refused(call_with("", "1", NULL), "LISTEN_PID");
    check_refused(call_with(own_pid(), "many", NULL), "LISTEN_FDS");
    check_refused(call_with(own_pid(), "-1", NULL), "LISTEN_FDS");
    check_refused(call_with(own_pid(), "1x", NULL), "LISTEN_FDS");
    check_refused(call_with(own_pid(), "99999999999999999999", NULL), "LISTEN_FDS");
    check_refused(call_with(own_pid(), "2147483647", NULL), "LISTEN_FDS");
    check_refused(call_with(own_pid(), "2", "one"), "LISTEN_FDNAMES");
    check_refused(call_with(own_pid(), "2", "a:b:c"), "LISTEN_FDNAMES");
}

/* All are looked at before any is changed. */
ANYC_TEST_PLAIN(test_listen_fds__refuses_descriptors_that_are_not_open)
{
    struct outcome outcome = call_with(own_pid(), "2000000", NULL);

    ck_assert_int_eq(outcome.rc, -EBADF);
    ck_assert_int_eq(outcome.flags[0], 0);
}

ANYC_TEST_PLAIN(test_listen_fds__removes_the_variables_if_asked_to)
{
    const anyc_listen_fds_options options = {.unset_environment = true};
    struct outcome outcome;

    set_variable("LISTEN_PID", own_pid());
    set_variable("LISTEN_FDS", "2");
    set_variable("LISTEN_FDNAMES", "a:b");
    outcome = call_with_fds(&options, 0);
    ck_assert_int_eq(outcome.rc, 2);
    ck_assert_str_eq(outcome.list.items[1].name, "b");
    ck_assert(outcome.unset);
    anyc_free_listen_fds(&outcome.list);
    set_variable("LISTEN_PID", "x");
    set_variable("LISTEN_FDS", "y");
    outcome = call_with_fds(&options, 0);
    check_refused(outcome, "LISTEN_PID");
    ck_assert(outcome.unset);
}

ANYC_TEST_PLAIN(test_listen_fds__survives_without_memory)
{
    struct outcome outcome;

    fail_alloc_install();
    set_variable("LISTEN_PID", own_pid());
    set_variable("LISTEN_FDS", "2");
    outcome = call_with_fds(NULL, 1);
    ck_assert(outcome.failed);
    ck_assert_int_eq(outcome.rc, ANYC_ENOMEM);
    ck_assert_uint_eq(outcome.list.count, 77);
}
