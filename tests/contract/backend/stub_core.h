/* SPDX-License-Identifier: MIT */
/*
 * stub_core.h - stands where anyc's core does, with one task, which is the test: so an adapter is
 * tested by itself, slot by slot.
 *
 *     ANYC_TEST_TABLE(test_table_x__wakes)
 *     {
 *         loop->backend->wake(loop);
 *         stub_idle(loop); // sleeps until the next turn
 *     }
 *
 * The body runs inside the turns of a fresh loop of the backend that the test is for. When it
 * returns, the run ends and the loop is closed.
 */
#ifndef ANYC_TESTS_CONTRACT_BACKEND_STUB_CORE_H
#define ANYC_TESTS_CONTRACT_BACKEND_STUB_CORE_H

#include <anyc/backend.h>
#include <anyc/testing.h>

#define STUB_MS INT64_C(1000000) /* in ns */

/* Called in place of waking a task: a descriptor was reported. */
typedef void (*stub_ready_fn)(anyc_watch *watch, void *arg);

struct anyc_loop {
    const anyc_backend *backend;
    struct stub_task *task;
    bool in_turn;
    unsigned turns;        /* begun */
    unsigned signals[128]; /* reported, by number */
    unsigned open_watches;
};

/* What was reported of a watch. */
struct stub_seen {
    unsigned count;
    unsigned events;     /* all of them together */
    stub_ready_fn ready; /* or NULL */
    void *arg;
};

/* Runs `body` as the task of a loop; the code that the open answered. NULL: no options. */
int stub_try_run(const anyc_run_options *options, void (*body)(anyc_loop *loop));

/* Opens a loop and closes it without a run. */
int stub_open_and_close(const anyc_run_options *options);

#define ANYC_TEST_TABLE(test)                                 \
    static void test##_body(anyc_loop *loop);                 \
    ANYC_TEST_PLAIN(test)                                     \
    {                                                         \
        ck_assert_int_eq(stub_try_run(NULL, test##_body), 0); \
    }                                                         \
    static void test##_body(anyc_loop *loop)

/* End the turn; returns in the next one. The loop sleeps before that, or only looks for events. */
void stub_idle(anyc_loop *loop);
void stub_poll(anyc_loop *loop);

/* Sleep until something more is reported of a watch; answers what was, and forgets it. */
unsigned stub_wait(anyc_loop *loop, struct stub_seen *seen);

/* Look for events a few times. */
void stub_settle(anyc_loop *loop);

/* A watch whose reports go to `seen`; or the code that watch_open answered. */
int stub_try_watch(anyc_loop *loop, int fd, struct stub_seen *seen, anyc_watch **out_watch);
anyc_watch *stub_watch(anyc_loop *loop, int fd, struct stub_seen *seen);

/* The slots of a watch, as core calls them. */
void stub_watch_start(anyc_watch *watch, unsigned events);
void stub_watch_stop(anyc_watch *watch);
void stub_watch_close(anyc_watch *watch);

/* Collect what is printed to the standard error, and check that it was nothing. */
int stub_stderr_begin(void);
void stub_stderr_end(int before);

#endif
