/* SPDX-License-Identifier: MIT */
/*
 * test_libevent_host.c - anyc as a guest on the host's event_base.
 */
#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/event.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/testing.h>

#include "core/loop.h"
#include "support/tasks.h"

#include <check.h>
#include <event2/event.h>

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The host: a base with one event, and what its callbacks do to the tasks. */
struct host {
    struct event_base *base;
    struct event *event;
    unsigned ticks;
    int fd;
    anyc_event done;
};

static void host_open(struct host *host)
{
    if (strcmp(anyc_testing_backend(), "libevent") != 0)
        ANYC_TEST_SKIP("a libevent base");
    memset(host, 0, sizeof *host);
    host->base = event_base_new();
    ck_assert_ptr_nonnull(host->base);
}

/* Adds the host's event: a descriptor, a signal, or -1 for a timer that goes off each millisecond. */
static void host_add(struct host *host, int fd, int what, event_callback_fn callback)
{
    const struct timeval interval = {0, 1000};

    host->event = event_new(host->base, fd, (short)(what | EV_PERSIST), callback, host);
    ck_assert_ptr_nonnull(host->event);
    ck_assert_int_eq(event_add(host->event, fd < 0 ? &interval : NULL), 0);
}

static int added(const struct host *host)
{
    return event_base_get_num_events(host->base, EVENT_BASE_COUNT_ADDED);
}

/* Fails if anything of anyc is left on the base. */
static void host_close(struct host *host)
{
    if (host->event != NULL)
        event_free(host->event);
    ck_assert_int_eq(added(host), 0);
    event_base_free(host->base);
    forget_last_error();
}

static int host_run(struct host *host, anyc_task_fn task)
{
    anyc_run_options options = {.backend = "libevent", .loop = host->base};
    int before = added(host);
    int rc = anyc_run_with(task, host, &options);

    ck_assert_int_le(added(host), before);
    return rc;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct host *host = arg;

    (void)fd;
    (void)what;
    host->ticks++;
}

static int wait_until_done(void *arg)
{
    struct host *host = arg;

    return anyc_event_wait(&host->done);
}

static int sleep_a_little(void *arg)
{
    (void)arg;
    return anyc_sleep(0.01);
}

static int sleep_three_ticks(void *arg)
{
    struct host *host = arg;
    unsigned end = host->ticks + 3;

    while (host->ticks < end)
        ck_assert_int_eq(anyc_sleep(0.0005), 0);
    return 0;
}

ANYC_TEST_PLAIN(test_libevent_host__its_timers_go_on_during_the_run_and_after)
{
    struct host host;

    host_open(&host);
    host_add(&host, -1, 0, on_tick);
    ck_assert_int_eq(host_run(&host, sleep_three_ticks), 0);
    host.ticks = 0;
    while (host.ticks < 3)
        ck_assert_int_eq(event_base_loop(host.base, EVLOOP_ONCE), 0);
    host_close(&host);
}

ANYC_TEST_PLAIN(test_libevent_host__can_be_run_on_again_and_again)
{
    struct host host;

    host_open(&host);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(host_run(&host, sleep_a_little), 0);
        ck_assert_int_eq(added(&host), 0);
    }
    host_close(&host);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct host *host = arg;
    char byte;

    ck_assert_int_eq(what, EV_READ);
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    anyc_event_set(&host->done);
}

static int write_and_wait(void *arg)
{
    struct host *host = arg;

    ck_assert_int_eq(write(host->fd, "x", 1), 1);
    return anyc_event_wait(&host->done);
}

ANYC_TEST_PLAIN(test_libevent_host__its_descriptors_are_served_during_the_run)
{
    struct host host;
    int fds[2];

    host_open(&host);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    host.fd = fds[1];
    host_add(&host, fds[0], EV_READ, on_readable);
    ck_assert_int_eq(host_run(&host, write_and_wait), 0);
    host_close(&host);
    close(fds[0]);
    close(fds[1]);
}

static void on_third_tick(evutil_socket_t fd, short what, void *arg)
{
    struct host *host = arg;

    (void)fd;
    (void)what;
    if (++host->ticks == 3)
        anyc_event_set(&host->done);
}

ANYC_TEST_PLAIN(test_libevent_host__what_it_has_alive_may_wake_a_task)
{
    struct host host;

    host_open(&host);
    host_add(&host, -1, 0, on_third_tick);
    ck_assert_int_eq(host_run(&host, wait_until_done), 0);
    host_close(&host);
}

static void on_last_tick(evutil_socket_t fd, short what, void *arg)
{
    struct host *host = arg;

    (void)fd;
    (void)what;
    if (++host->ticks == 3)
        event_del(host->event);
}

ANYC_TEST_PLAIN(test_libevent_host__a_run_is_deadlocked_when_it_has_nothing_alive)
{
    struct host host;

    host_open(&host);
    host_add(&host, -1, 0, on_last_tick);
    ck_assert_int_eq(host_run(&host, wait_until_done), ANYC_EDEADLOCK);
    ck_assert_uint_eq(host.ticks, 3);
    host_close(&host);
}

static void on_tick_break(evutil_socket_t fd, short what, void *arg)
{
    struct host *host = arg;

    (void)fd;
    (void)what;
    host->ticks++;
    if (host->ticks % 2 == 0)
        event_base_loopbreak(host->base);
    else
        event_base_loopexit(host->base, NULL);
}

ANYC_TEST_PLAIN(test_libevent_host__its_break_does_not_end_the_run)
{
    struct host host;

    host_open(&host);
    host_add(&host, -1, 0, on_tick_break);
    ck_assert_int_eq(host_run(&host, sleep_three_ticks), 0);
    host_close(&host);
}

/* The host's events may have priorities: anyc's are in the middle. */
ANYC_TEST_PLAIN(test_libevent_host__may_have_priorities)
{
    struct host host;

    host_open(&host);
    ck_assert_int_eq(event_base_priority_init(host.base, 3), 0);
    host_add(&host, -1, 0, on_tick);
    ck_assert_int_eq(host_run(&host, sleep_three_ticks), 0);
    host_close(&host);
}

static int count_up(void *arg)
{
    struct host *host = arg;

    host->ticks++;
    return 0;
}

ANYC_TEST_PLAIN(test_libevent_host__is_not_made_by_the_options)
{
    const anyc_run_options wrong[] = {
        {.use_io_uring = true}, {.method = "epoll"}, {.precise_timer = true}};
    struct host host;

    host_open(&host);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        anyc_run_options options = wrong[i];

        options.backend = "libevent";
        options.loop = host.base;
        ck_assert_int_eq(anyc_run_with(count_up, &host, &options), ANYC_EINVAL);
    }
    ck_assert_uint_eq(host.ticks, 0);
    host_close(&host);
}

static void on_signal(evutil_socket_t signum, short what, void *arg)
{
    struct host *host = arg;

    (void)what;
    ck_assert_int_eq(signum, SIGUSR1);
    host->ticks++;
    anyc_event_set(&host->done);
}

static int use_signal(void *arg)
{
    struct host *host = arg;

    ck_assert_int_eq(anyc__loop->backend->signal_start(anyc__loop, SIGUSR1), 0);
    ck_assert_int_eq(raise(SIGUSR1), 0);
    ck_assert_int_eq(anyc_event_wait(&host->done), 0);
    anyc__loop->backend->signal_stop(anyc__loop, SIGUSR1);
    return 0;
}

ANYC_TEST_PLAIN(test_libevent_host__keeps_its_signal_when_anyc_stops_listening)
{
    struct host host;

    host_open(&host);
    host_add(&host, SIGUSR1, EV_SIGNAL, on_signal);
    ck_assert_int_eq(host_run(&host, use_signal), 0);
    ck_assert_uint_eq(host.ticks, 1);
    ck_assert_int_eq(raise(SIGUSR1), 0);
    while (host.ticks < 2)
        ck_assert_int_eq(event_base_loop(host.base, EVLOOP_ONCE), 0);
    host_close(&host);
}
