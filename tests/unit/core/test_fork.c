/* SPDX-License-Identifier: MIT */
/*
 * test_fork.c - forking in a run: the child is told, starts afresh or ends, and the parent goes on.
 */
#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include "support/fork_child.h"
#include "support/peer.h"
#include "support/tasks.h"

static int add_one(void *arg)
{
    ++*(int *)arg;
    return 0;
}

/* A run of the child's own. */
static void check_fresh_run(const char *backend)
{
    int count = 0;

    ck_assert_ok(anyc_run_with(add_one, &count, &(anyc_run_options){.backend = backend}));
    ck_assert_int_eq(count, 1);
}

/* -- what the child is told -- */

/* Of the parent's run. */
static anyc_task_group *its_group;
static anyc_cancel_scope its_scope;
static anyc_lock its_lock;
static anyc_byte_stream *its_stream;
static anyc_listener *its_listener;

static void calls_answer_that(void)
{
    static anyc_event event;
    const int signum = SIGUSR1;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_signal_receiver *receiver;
    anyc_byte_stream *stream;
    anyc_task_info info;
    anyc_token *token;
    char byte = 0;

    ck_assert_forked(anyc_checkpoint());
    ck_assert_forked(anyc_checkpoint_if_cancelled());
    ck_assert_forked(anyc_sleep(0.001));
    ck_assert_forked(anyc_sleep_forever());
    ck_assert_forked(anyc_event_wait(&event));
    ck_assert_forked(anyc_lock_acquire(&its_lock));
    ck_assert_forked(anyc_lock_release(&its_lock));
    ck_assert_forked(anyc_task_group_enter(&group));
    ck_assert_forked(anyc_task_group_start_soon(its_group, forever_task, NULL, NULL));
    ck_assert_forked(anyc_task_group_exit(its_group, 0));
    ck_assert_forked(anyc_cancel_scope_exit(&its_scope, 0));
    ck_assert_forked(anyc_receive(its_stream, &byte, 1));
    ck_assert_forked(anyc_send(its_stream, &byte, 1));
    ck_assert_forked(anyc_listener_accept(its_listener, &stream));
    ck_assert_forked(anyc_connect_tcp("127.0.0.1", 1, NULL, &stream));
    ck_assert_forked(anyc_wait_readable(0));
    ck_assert_forked(anyc_open_signal_receiver(&signum, 1, &receiver));
    ck_assert_forked(anyc_to_thread_run_sync(add_one, &byte, NULL, NULL));
    ck_assert_forked(anyc_current_token(&token));
    ck_assert_forked(anyc_get_current_task(&info));
    ck_assert_forked(anyc_wait_all_tasks_blocked());
    ck_assert_forked(anyc_run(forever_task, NULL));
    ck_assert_ptr_null(anyc_current_backend());
    ck_assert(isnan(anyc_current_time()));
}

/* A stream over one end of a pair; the other end. */
static int stream_open(anyc_byte_stream **out_stream)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert_ok(anyc_unix_socket_stream_from_fd(fds[0], out_stream));
    return fds[1];
}

/* What its_... stand for, while `body` runs. */
static void with_a_run_under_way(void (*body)(void))
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int peer = stream_open(&its_stream);

    its_group = &group;
    ck_assert_ok(anyc_socket_listener_from_fd(peer_listen(AF_INET), &its_listener));
    ck_assert_ok(anyc_lock_acquire(&its_lock));
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, forever_task, NULL);
    ck_assert_ok(anyc_cancel_scope_enter(&its_scope, NULL));
    body();
    ck_assert_ok(anyc_cancel_scope_exit(&its_scope, 0));
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_lock_release(&its_lock));
    ck_assert_ok(anyc_aclose(its_listener));
    ck_assert_ok(anyc_aclose(its_stream));
    close(peer);
}

static void fork_and_call(void)
{
    in_child(calls_answer_that);
}

ANYC_TEST(test_fork__in_the_child_calls_answer_what_to_do)
{
    with_a_run_under_way(fork_and_call);
}

/* What touches memory only does no harm. */
static void touch_memory(void)
{
    anyc_cancel_scope_cancel(&its_scope, NULL);
    anyc_task_group_cancel(its_group, NULL);
    ck_assert(!anyc_has_pending_cancellation());
    ck_assert_int_eq(anyc_aclose(its_listener), 0);
    ck_assert_int_eq(anyc_aclose(its_stream), 0);
    ck_assert_forked(anyc_checkpoint());
}

static void fork_and_touch(void)
{
    in_child(touch_memory);
    ck_assert(!anyc_has_pending_cancellation());
}

ANYC_TEST(test_fork__what_the_child_cancels_and_closes_is_its_own_copy)
{
    with_a_run_under_way(fork_and_touch);
}

/* -- the child starts afresh -- */

static void start_afresh(void)
{
    size_t count;
    const char *const *names = anyc_get_available_backends(&count);

    ck_assert_forked(anyc_run(forever_task, NULL));
    anyc_after_fork_child();
    ck_assert_int_eq(anyc_checkpoint(), ANYC_ENOLOOP);
    for (size_t i = 0; i < count; i++)
        check_fresh_run(names[i]);
}

static void fork_and_start_afresh(void)
{
    in_child(start_afresh);
}

ANYC_TEST(test_fork__the_child_runs_after_it_let_go)
{
    with_a_run_under_way(fork_and_start_afresh);
}

static int add_one_in_thread(void *arg)
{
    return anyc_to_thread_run_sync(add_one, arg, NULL, NULL);
}

/* Everything that a run has: descriptors, deadlines, threads, tasks. */
static int live(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_byte_stream *stream;
    int peer = stream_open(&stream);
    char text[4];
    int count = 0;

    (void)arg;
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, fork_child_is_able() ? add_one_in_thread : add_one, &count);
    ck_assert_ok(anyc_sleep(0.001));
    ck_assert_int_eq(write(peer, "abc", 3), 3);
    ck_assert_int_eq(anyc_receive(stream, text, sizeof text), 3);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(count, 1);
    close(peer);
    return anyc_aclose(stream);
}

static void live_afresh(void)
{
    anyc_after_fork_child();
    ck_assert_ok(anyc_run(live, anyc_testing_backend()));
}

static int live_and_fork(void *arg)
{
    ck_assert_ok(live(arg));
    in_child(live_afresh);
    return live(arg);
}

static void live_and_fork_afresh(void)
{
    anyc_after_fork_child();
    ck_assert_ok(anyc_run(live_and_fork, anyc_testing_backend()));
}

ANYC_TEST(test_fork__a_fresh_run_may_fork_too)
{
    ck_assert_ok(live(NULL));
    in_child(live_and_fork_afresh);
    ck_assert_ok(live(NULL));
}

ANYC_TEST(test_fork__letting_go_does_nothing_in_the_parent)
{
    anyc_after_fork_child();
    ck_assert_ok(live(NULL));
}

/* A server that forks before it runs needs nothing of all this. */
ANYC_TEST_PLAIN(test_fork__before_any_run_is_none_of_its_business)
{
    in_child(live_afresh);
    ck_assert_ok(run_on_backend(live, NULL));
    in_child(live_afresh);
}

/* -- the parent goes on -- */

#define READERS 8

struct reader {
    anyc_byte_stream *stream;
    int peer;
    int received;
};

static struct reader readers[READERS];

static int read_on(void *arg)
{
    struct reader *reader = arg;
    char text[8];
    ssize_t got = anyc_receive(reader->stream, text, sizeof text);

    for (; got > 0; got = anyc_receive(reader->stream, text, sizeof text))
        reader->received += (int)got;
    return (int)got;
}

static void write_to_each(int expected)
{
    for (size_t i = 0; i < READERS; i++)
        ck_assert_int_eq(write(readers[i].peer, "x", 1), 1);
    for (size_t i = 0; i < READERS; i++) {
        while (readers[i].received < expected)
            ck_assert_ok(anyc_sleep(0.0005));
    }
}

static void close_streams(void)
{
    for (size_t i = 0; i < READERS; i++)
        ck_assert_ok(anyc_aclose(readers[i].stream));
}

/* Half of them, by the descriptor's number in a loop of its own. */
static int watch_and_close(void *arg)
{
    for (size_t i = 0; i < READERS; i += 2) {
        anyc_byte_stream *stream;
        int fd = dup(readers[i].peer);
        char text[8];
        anyc_cancel_scope scope;
        int rc;

        ck_assert_ok(anyc_unix_socket_stream_from_fd(fd, &stream));
        ck_assert_ok(anyc_move_on_after(&scope, 0.0005, false));
        rc = (int)anyc_receive(stream, text, sizeof text);
        ck_assert_int_eq(rc, ANYC_ECANCELLED);
        ck_assert_ok(anyc_cancel_scope_exit(&scope, rc));
        ck_assert_ok(anyc_aclose(stream));
    }
    (void)arg;
    return 0;
}

static void watch_afresh(void)
{
    for (size_t i = 1; i < READERS; i += 2)
        ck_assert_ok(anyc_aclose(readers[i].stream));
    anyc_after_fork_child();
    ck_assert_ok(anyc_run(watch_and_close, anyc_testing_backend()));
    for (size_t i = 0; i < READERS; i += 2)
        ck_assert_ok(anyc_aclose(readers[i].stream));
}

/* They are armed before and after. */
ANYC_TEST(test_fork__the_parents_descriptors_stay_watched)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (size_t i = 0; i < READERS; i++) {
        readers[i].peer = stream_open(&readers[i].stream);
        spawn(&group, read_on, &readers[i]);
    }
    write_to_each(1);
    in_child(close_streams);
    write_to_each(2);
    in_child(watch_afresh);
    write_to_each(3);
    for (size_t i = 0; i < READERS; i++)
        close(readers[i].peer);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_EOF);
    for (size_t i = 0; i < READERS; i++)
        ck_assert_ok(anyc_aclose(readers[i].stream));
}

/* -- what must not happen -- */

static int return_in_child(void *arg)
{
    fork_stray_begin(arg);
    return 0;
}

ANYC_TEST_PLAIN(test_fork__a_task_that_returns_in_the_child_ends_it)
{
    struct fork_stray stray;

    ck_assert_ok(run_on_backend(return_in_child, &stray));
    fork_stray_is_ended(&stray);
}

ANYC_TEST(test_fork__one_of_several_tasks_that_returns_in_the_child_ends_it)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct fork_stray stray;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, return_in_child, &stray);
    spawn(&group, live, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    fork_stray_is_ended(&stray);
}

static void fork_before_poll(double timeout, void *arg)
{
    struct fork_stray *stray = arg;

    (void)timeout;
    if (stray->errors < 0)
        fork_stray_begin(stray);
}

/* A callback of the loop that returns in the child, not a task. */
ANYC_TEST(test_fork__going_back_to_the_loop_in_the_child_ends_it)
{
    const anyc_instrument instrument = {.before_poll = fork_before_poll};
    struct fork_stray stray = {.errors = -1};

    ck_assert_ok(anyc_add_instrument(&instrument, &stray));
    ck_assert_ok(anyc_sleep(0.001));
    ck_assert_ok(anyc_remove_instrument(&instrument));
    fork_stray_is_ended(&stray);
}
