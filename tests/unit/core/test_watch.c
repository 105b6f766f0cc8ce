/* SPDX-License-Identifier: MIT */
/*
 * test_watch.c - waiting for descriptors (WHITEBOX).
 */
#include <anyc/event.h>

#include "support/fail_alloc.h"
#include "support/tasks.h"

#include "core/loop.h"
#include "core/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two connected sockets; the first is watched. */
struct wires {
    int fds[2];
    anyc_watch *watch;
};

static void wires_open(struct wires *wires)
{
    ck_assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, wires->fds));
    ck_assert_ok(anyc__watch_open(anyc__loop, wires->fds[0], &wires->watch));
}

static void wires_close(struct wires *wires)
{
    anyc__watch_close(wires->watch, ANYC_ECLOSED);
    close(wires->fds[0]);
    close(wires->fds[1]);
}

static void put(const struct wires *wires)
{
    ck_assert_int_eq(write(wires->fds[1], "x", 1), 1);
}

static void take(const struct wires *wires)
{
    char byte;

    ck_assert_int_eq(read(wires->fds[0], &byte, 1), 1);
}

/* Writes until there is no room. */
static void fill(const struct wires *wires)
{
    static const char zeros[4096];

    while (write(wires->fds[0], zeros, sizeof zeros) > 0)
        continue;
    ck_assert_int_eq(errno, EAGAIN);
}

static void drain(const struct wires *wires)
{
    char bytes[1024];

    while (read(wires->fds[1], bytes, sizeof bytes) > 0)
        continue;
}

struct waiter {
    struct wires *wires;
    unsigned event;
    anyc_cancel_scope scope;
    int rc;
};

static int wait_task(void *arg)
{
    struct waiter *waiter = arg;

    waiter->rc = 1;
    ck_assert_ok(anyc_cancel_scope_enter(&waiter->scope, NULL));
    waiter->rc = anyc__watch_wait(waiter->wires->watch, waiter->event);
    return anyc_cancel_scope_exit(&waiter->scope, 0);
}

ANYC_TEST(test_watch__wakes_a_reader_when_data_arrives)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct wires wires;
    struct waiter reader = {.wires = &wires, .event = ANYC_READABLE};

    wires_open(&wires);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_task, &reader);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(reader.rc, 1);
    ck_assert(anyc__watch_busy(wires.watch, ANYC_READABLE));
    ck_assert_uint_eq(anyc__loop->watch_waits, 1);
    put(&wires);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(reader.rc, 0);
    ck_assert_uint_eq(anyc__loop->watch_waits, 0);
    take(&wires);
    wires_close(&wires);
}

ANYC_TEST(test_watch__wakes_a_writer_when_there_is_room)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct wires wires;
    struct waiter writer = {.wires = &wires, .event = ANYC_WRITABLE};

    wires_open(&wires);
    ck_assert_ok(anyc__watch_wait(wires.watch, ANYC_WRITABLE));
    fill(&wires);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_task, &writer);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(writer.rc, 1);
    drain(&wires);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(writer.rc, 0);
    wires_close(&wires);
}

ANYC_TEST(test_watch__serves_a_reader_and_a_writer_and_nobody_else)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct wires wires;
    struct waiter reader = {.wires = &wires, .event = ANYC_READABLE};
    struct waiter writer = {.wires = &wires, .event = ANYC_WRITABLE};

    wires_open(&wires);
    fill(&wires);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_task, &reader);
    spawn(&group, wait_task, &writer);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(anyc__watch_wait(wires.watch, ANYC_READABLE), ANYC_EBUSY);
    ck_assert_int_eq(anyc__watch_wait(wires.watch, ANYC_WRITABLE), ANYC_EBUSY);
    put(&wires);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(reader.rc, 0);
    ck_assert_int_eq(writer.rc, 1);
    drain(&wires);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(writer.rc, 0);
    wires_close(&wires);
}

ANYC_TEST(test_watch__wakes_all_when_closed)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct wires wires;
    struct waiter reader = {.wires = &wires, .event = ANYC_READABLE};
    struct waiter writer = {.wires = &wires, .event = ANYC_WRITABLE};

    wires_open(&wires);
    fill(&wires);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_task, &reader);
    spawn(&group, wait_task, &writer);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    wires_close(&wires);
    ck_assert_ptr_null(anyc__watch_find(anyc__loop, wires.fds[0]));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(reader.rc, ANYC_ECLOSED);
    ck_assert_int_eq(writer.rc, ANYC_ECLOSED);
    ck_assert_uint_eq(anyc__loop->watch_waits, 0);
}

ANYC_TEST(test_watch__can_be_opened_again_at_once)
{
    struct wires wires;

    wires_open(&wires);
    for (int i = 0; i < 10; i++) {
        anyc__watch_close(wires.watch, ANYC_ECLOSED);
        ck_assert_ok(anyc__watch_open(anyc__loop, wires.fds[0], &wires.watch));
        put(&wires);
        ck_assert_ok(anyc__watch_wait(wires.watch, ANYC_READABLE));
        take(&wires);
    }
    wires_close(&wires);
}

ANYC_TEST(test_watch__forgets_a_cancelled_waiter)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct wires wires;
    struct waiter reader = {.wires = &wires, .event = ANYC_READABLE};
    struct waiter writer = {.wires = &wires, .event = ANYC_WRITABLE};

    wires_open(&wires);
    fill(&wires);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_task, &reader);
    spawn(&group, wait_task, &writer);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_cancel_scope_cancel(&reader.scope, NULL);
    anyc_cancel_scope_cancel(&writer.scope, NULL);
    ck_assert(!anyc__watch_busy(wires.watch, ANYC_READABLE));
    ck_assert(!anyc__watch_busy(wires.watch, ANYC_WRITABLE));
    ck_assert_uint_eq(anyc__loop->watch_waits, 0);
    put(&wires); /* what is still armed may fire: it hits nobody */
    drain(&wires);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(reader.rc, ANYC_ECANCELLED);
    ck_assert_int_eq(writer.rc, ANYC_ECANCELLED);
    ck_assert_ok(anyc_sleep(0.001));
    ck_assert_uint_eq(wires.watch->armed, 0);
    ck_assert_ok(anyc__watch_wait(wires.watch, ANYC_READABLE));
    ck_assert_ok(anyc__watch_wait(wires.watch, ANYC_WRITABLE));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    wires_close(&wires);
}

ANYC_TEST(test_watch__waits_again_after_a_cancelled_wait)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct wires wires;
    struct waiter reader = {.wires = &wires, .event = ANYC_READABLE};

    wires_open(&wires);
    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < 3; i++) {
        spawn(&group, wait_task, &reader);
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        anyc_cancel_scope_cancel(&reader.scope, NULL);
        ck_assert_ok(anyc_wait_all_tasks_blocked());
        ck_assert_int_eq(reader.rc, ANYC_ECANCELLED);
    }
    spawn(&group, wait_task, &reader);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    put(&wires);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(reader.rc, 0);
    wires_close(&wires);
}

ANYC_TEST(test_watch__does_not_wait_in_a_cancelled_scope)
{
    anyc_cancel_scope scope;
    struct wires wires;

    wires_open(&wires);
    ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
    anyc_cancel_scope_cancel(&scope, NULL);
    ck_assert_int_eq(anyc__watch_wait(wires.watch, ANYC_READABLE), ANYC_ECANCELLED);
    ck_assert(!anyc__watch_busy(wires.watch, ANYC_READABLE));
    ck_assert_uint_eq(anyc__loop->watch_waits, 0);
    ck_assert_ok(anyc_cancel_scope_exit(&scope, 0));
    put(&wires);
    ck_assert_ok(anyc__watch_wait(wires.watch, ANYC_READABLE));
    wires_close(&wires);
}

ANYC_TEST(test_watch__wakes_both_when_the_peer_hangs_up)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct wires wires;
    struct waiter reader = {.wires = &wires, .event = ANYC_READABLE};
    struct waiter writer = {.wires = &wires, .event = ANYC_WRITABLE};

    wires_open(&wires);
    fill(&wires);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_task, &reader);
    spawn(&group, wait_task, &writer);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    close(wires.fds[1]);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(reader.rc, 0);
    ck_assert_int_eq(writer.rc, 0);
    anyc__watch_close(wires.watch, ANYC_ECLOSED);
    close(wires.fds[0]);
}

/* Woken, but closed before it runs. */
ANYC_TEST(test_watch__tells_a_reader_that_was_woken_too_late)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct wires wires;
    struct waiter reader = {.wires = &wires, .event = ANYC_READABLE};

    wires_open(&wires);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_task, &reader);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_backend_watch_ready(wires.watch, ANYC_READABLE);
    wires_close(&wires);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(reader.rc, ANYC_ECLOSED);
}

ANYC_TEST(test_watch__stays_armed_while_its_reader_is_about_to_run)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct wires wires;
    struct waiter reader = {.wires = &wires, .event = ANYC_READABLE};

    wires_open(&wires);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_task, &reader);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    anyc_backend_watch_ready(wires.watch, ANYC_READABLE);
    anyc_backend_watch_ready(wires.watch, ANYC_READABLE);
    ck_assert_uint_eq(wires.watch->armed, ANYC_READABLE);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(reader.rc, 0);
    anyc_backend_watch_ready(wires.watch, ANYC_READABLE);
    ck_assert_uint_eq(wires.watch->armed, 0);
    ck_assert_ok(anyc__watch_wait(wires.watch, ANYC_READABLE));
    wires_close(&wires);
}

ANYC_TEST(test_watch__serves_one_task_that_waits_for_both)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct wires wires;
    struct waiter reader = {.wires = &wires, .event = ANYC_READABLE};
    unsigned ready = 0;

    wires_open(&wires);
    ck_assert_ok(anyc__watch_wait_any(wires.watch, ANYC_READABLE | ANYC_WRITABLE, &ready));
    ck_assert_uint_eq(ready, ANYC_WRITABLE);
    fill(&wires);
    put(&wires);
    ck_assert_ok(anyc__watch_wait_any(wires.watch, ANYC_READABLE | ANYC_WRITABLE, &ready));
    ck_assert_uint_eq(ready, ANYC_READABLE);
    take(&wires);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, wait_task, &reader);
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_int_eq(anyc__watch_wait_any(wires.watch, ANYC_READABLE | ANYC_WRITABLE, &ready),
                     ANYC_EBUSY);
    put(&wires);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    wires_close(&wires);
}

ANYC_TEST(test_watch__is_one_for_each_descriptor)
{
    struct wires wires;
    anyc_watch *other = NULL;

    wires_open(&wires);
    ck_assert_ptr_eq(anyc__watch_find(anyc__loop, wires.fds[0]), wires.watch);
    ck_assert_ptr_null(anyc__watch_find(anyc__loop, wires.fds[1]));
    ck_assert_ptr_null(anyc__watch_find(anyc__loop, -1));
    ck_assert_ptr_null(anyc__watch_find(anyc__loop, 1 << 20));
    ck_assert_int_eq(anyc__watch_open(anyc__loop, wires.fds[0], &other), ANYC_EBUSY);
    ck_assert_ptr_null(other);
    wires_close(&wires);
}

ANYC_TEST(test_watch__refuses_what_cannot_be_polled)
{
    anyc_watch *watch = NULL;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int closed = dup(file);

    close(closed);
    ck_assert_int_eq(anyc__watch_open(anyc__loop, -1, &watch), -EBADF);
    ck_assert_int_eq(anyc__watch_open(anyc__loop, closed, &watch), -EBADF);
    ck_assert_int_eq(anyc__watch_open(anyc__loop, file, &watch), -EPERM);
    ck_assert_ptr_null(watch);
    ck_assert_ptr_null(anyc__watch_find(anyc__loop, file));
    ck_assert_uint_eq(anyc__loop->open_watches, 0);
    close(file);
}

ANYC_TEST(test_watch__borrowed_goes_with_its_last_user)
{
    anyc_watch *first, *second;
    int fds[2];

    ck_assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
    ck_assert_ok(anyc__watch_borrow(anyc__loop, fds[0], &first));
    ck_assert_ok(anyc__watch_borrow(anyc__loop, fds[0], &second));
    ck_assert_ptr_eq(first, second);
    ck_assert_ok(anyc__watch_wait(first, ANYC_WRITABLE));
    anyc__watch_return(first);
    ck_assert_ptr_eq(anyc__watch_find(anyc__loop, fds[0]), second);
    anyc__watch_return(second);
    ck_assert_ptr_null(anyc__watch_find(anyc__loop, fds[0]));
    close(fds[0]);
    close(fds[1]);
}

ANYC_TEST(test_watch__of_somebody_else_outlives_a_loan)
{
    struct wires wires;
    anyc_watch *borrowed;

    wires_open(&wires);
    ck_assert_ok(anyc__watch_borrow(anyc__loop, wires.fds[0], &borrowed));
    ck_assert_ptr_eq(borrowed, wires.watch);
    anyc__watch_return(borrowed);
    ck_assert_ptr_eq(anyc__watch_find(anyc__loop, wires.fds[0]), wires.watch);
    wires_close(&wires);
}

struct left_open {
    int fds[2];
    anyc_watch *watches[2];
};

static int leave_watches_open(void *arg)
{
    struct left_open *left = arg;

    for (int i = 0; i < 2; i++)
        ck_assert_ok(anyc__watch_open(anyc__loop, left->fds[i], &left->watches[i]));
    return anyc__watch_wait(left->watches[1], ANYC_WRITABLE);
}

static int wait_for_watches(void *arg)
{
    struct left_open *left = arg;

    ck_assert_int_eq(anyc__watch_wait(left->watches[0], ANYC_READABLE), ANYC_ECLOSED);
    ck_assert_int_eq(anyc__watch_wait(left->watches[1], ANYC_WRITABLE), ANYC_ECLOSED);
    anyc__watch_close(left->watches[0], ANYC_ECLOSED);
    return 0;
}

/* The harness sees whether a watch or the loop's own descriptor stays behind. */
ANYC_TEST_PLAIN(test_watch__left_open_stays_for_its_owner)
{
    struct left_open left;

    ck_assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, left.fds));
    ck_assert_ok(run_on_backend(leave_watches_open, &left));
    ck_assert_ok(run_on_backend(wait_for_watches, &left));
    anyc__watch_close(left.watches[1], ANYC_ECLOSED);
    close(left.fds[0]);
    close(left.fds[1]);
}

static int watch_with_little_memory(void *arg)
{
    int *fds = arg;
    anyc_watch *watch = NULL;
    int rc;

    for (long n = 1; watch == NULL; n++) {
        fail_alloc_arm(n);
        rc = anyc__watch_open(anyc__loop, fds[0], &watch);
        ck_assert_int_eq(rc, fail_alloc_disarm() ? ANYC_ENOMEM : 0);
        ck_assert_uint_eq(anyc__loop->open_watches, rc == 0);
    }
    anyc__watch_close(watch, ANYC_ECLOSED);
    fail_alloc_arm(1);
    ck_assert_int_eq(anyc__watch_borrow(anyc__loop, fds[1], &watch), ANYC_ENOMEM);
    (void)fail_alloc_disarm();
    return 0;
}

ANYC_TEST_PLAIN(test_watch__needs_memory)
{
    int fds[2];

    fail_alloc_install();
    ck_assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
    ck_assert_ok(run_on_backend(watch_with_little_memory, fds));
    ck_assert_int_eq(fail_alloc_live(), 0);
    close(fds[0]);
    close(fds[1]);
}

#define PAIRS 200

/* Descriptors with high numbers, many at once. */
ANYC_TEST(test_watch__serves_many_descriptors)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct wires *wires = calloc(PAIRS, sizeof *wires);
    struct waiter *waiters = calloc(PAIRS, sizeof *waiters);

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < PAIRS; i++) {
        wires_open(&wires[i]);
        waiters[i] = (struct waiter){.wires = &wires[i], .event = ANYC_READABLE};
        spawn(&group, wait_task, &waiters[i]);
    }
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_uint_eq(anyc__loop->watch_waits, PAIRS);
    for (int i = 0; i < PAIRS; i++)
        put(&wires[i]);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    for (int i = 0; i < PAIRS; i++) {
        ck_assert_int_eq(waiters[i].rc, 0);
        wires_close(&wires[i]);
    }
    free(waiters);
    free(wires);
}

/* A call in place of a task that waits, and what it does. */
struct called {
    struct watch_call call;
    struct wires *wires;
    anyc_event event;
    int count;
    bool closes;
};

static void note_call(struct watch_call *call)
{
    struct called *called = ANYC__CONTAINER(call, struct called, call);

    called->count++;
    ck_assert_ptr_null(anyc__task());
    if (called->closes)
        wires_close(called->wires);
    else
        take(called->wires);
    anyc_event_set(&called->event);
}

/* Whenever it is readable, until the call itself closes it. */
ANYC_TEST(test_watch__calls_instead_of_waking)
{
    struct wires wires;
    struct called called = {.call = {note_call}, .wires = &wires, .event = ANYC_EVENT_INIT};

    anyc__loop_hold(anyc__loop); /* a task waits for the event only */
    wires_open(&wires);
    ck_assert_ok(anyc__watch_call(wires.watch, &called.call));
    for (int i = 1; i <= 3; i++) {
        called.event = (anyc_event)ANYC_EVENT_INIT;
        called.closes = i == 3;
        put(&wires);
        ck_assert_ok(anyc_event_wait(&called.event));
        ck_assert_int_eq(called.count, i);
    }
    ck_assert_ptr_null(anyc__watch_find(anyc__loop, wires.fds[0]));
    anyc__loop_release(anyc__loop);
}
