/* SPDX-License-Identifier: MIT */
/*
 * test_libuv_host.c - anyc as a guest on the host's uv_loop_t.
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
#include <uv.h>

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The host: a loop, and what its callbacks do to the tasks. */
struct host {
    uv_loop_t loop;
    uv_timer_t timer;
    unsigned ticks;
    anyc_event event;
};

static void host_open(struct host *host)
{
    if (strcmp(anyc_testing_backend(), "libuv") != 0)
        ANYC_TEST_SKIP("a libuv loop");
    memset(host, 0, sizeof *host);
    ck_assert_int_eq(uv_loop_init(&host->loop), 0);
    ck_assert_int_eq(uv_timer_init(&host->loop, &host->timer), 0);
    host->timer.data = host;
}

/* Fails if anything of anyc is left on the loop. */
static void host_close(struct host *host)
{
    uv_close((uv_handle_t *)&host->timer, NULL);
    ck_assert_int_eq(uv_run(&host->loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&host->loop), 0);
    forget_last_error();
}

static int host_run(struct host *host, anyc_task_fn task)
{
    anyc_run_options options = {.backend = "libuv", .loop = &host->loop};

    return anyc_run_with(task, host, &options);
}

static void on_tick(uv_timer_t *timer)
{
    struct host *host = timer->data;

    host->ticks++;
}

static void on_tick_set(uv_timer_t *timer)
{
    struct host *host = timer->data;

    anyc_event_set(&host->event);
}

static int wait_for_event(void *arg)
{
    struct host *host = arg;

    return anyc_event_wait(&host->event);
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

ANYC_TEST_PLAIN(test_libuv_host__its_timers_go_on_during_the_run_and_after)
{
    struct host host;

    host_open(&host);
    uv_timer_start(&host.timer, on_tick, 1, 1);
    ck_assert_int_eq(host_run(&host, sleep_three_ticks), 0);
    ck_assert_uint_ge(host.ticks, 3);
    host.ticks = 0;
    while (host.ticks < 3)
        uv_run(&host.loop, UV_RUN_ONCE);
    host_close(&host);
}

ANYC_TEST_PLAIN(test_libuv_host__can_be_run_on_again_and_again)
{
    struct host host;

    host_open(&host);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(host_run(&host, sleep_a_little), 0);
        ck_assert(!uv_loop_alive(&host.loop));
    }
    host_close(&host);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct host *host = poll->data;
    uv_os_fd_t fd;
    char byte;

    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(events, UV_READABLE);
    ck_assert_int_eq(uv_fileno((uv_handle_t *)poll, &fd), 0);
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    anyc_event_set(&host->event);
}

static int write_and_wait(void *arg)
{
    struct host *host = arg;
    int fd = *(int *)host->loop.data;

    ck_assert_int_eq(write(fd, "x", 1), 1);
    return anyc_event_wait(&host->event);
}

ANYC_TEST_PLAIN(test_libuv_host__its_descriptors_are_served_during_the_run)
{
    struct host host;
    uv_poll_t poll;
    int fds[2];

    host_open(&host);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    uv_poll_init(&host.loop, &poll, fds[0]);
    poll.data = &host;
    host.loop.data = &fds[1];
    uv_poll_start(&poll, UV_READABLE, on_readable);
    ck_assert_int_eq(host_run(&host, write_and_wait), 0);
    uv_close((uv_handle_t *)&poll, NULL);
    host_close(&host);
    close(fds[0]);
    close(fds[1]);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct host *host = prepare->data;

    if (++host->ticks == 3)
        anyc_event_set(&host->event);
}

static int poll_and_wait(void *arg)
{
    struct host *host = arg;

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(anyc_sleep(0.001), 0);
    return anyc_event_wait(&host->event);
}

/* Its handle runs after anyc's, just before the loop would sleep: the task must run first. */
ANYC_TEST_PLAIN(test_libuv_host__wakes_a_task_from_a_prepare_handle)
{
    struct host host;
    uv_prepare_t prepare;

    host_open(&host);
    uv_prepare_init(&host.loop, &prepare);
    prepare.data = &host;
    uv_prepare_start(&prepare, on_prepare);
    ck_assert_int_eq(host_run(&host, poll_and_wait), 0);
    uv_close((uv_handle_t *)&prepare, NULL);
    host_close(&host);
}

ANYC_TEST_PLAIN(test_libuv_host__what_it_has_alive_may_wake_a_task)
{
    struct host host;

    host_open(&host);
    uv_timer_start(&host.timer, on_tick_set, 10, 0);
    ck_assert_int_eq(host_run(&host, wait_for_event), 0);
    host_close(&host);
}

ANYC_TEST_PLAIN(test_libuv_host__a_run_is_deadlocked_when_it_has_nothing_alive)
{
    struct host host;

    host_open(&host);
    uv_timer_start(&host.timer, on_tick, 1, 0); /* once, and it wakes nobody */
    ck_assert_int_eq(host_run(&host, wait_for_event), ANYC_EDEADLOCK);
    ck_assert_uint_eq(host.ticks, 1);
    host_close(&host);
}

static void on_tick_stop(uv_timer_t *timer)
{
    struct host *host = timer->data;

    host->ticks++;
    uv_stop(&host->loop);
}

ANYC_TEST_PLAIN(test_libuv_host__its_stop_does_not_end_the_run)
{
    struct host host;

    host_open(&host);
    uv_timer_start(&host.timer, on_tick_stop, 0, 1);
    ck_assert_int_eq(host_run(&host, sleep_three_ticks), 0);
    host_close(&host);
}

static int count_up(void *arg)
{
    struct host *host = arg;

    host->ticks++;
    return 0;
}

ANYC_TEST_PLAIN(test_libuv_host__is_not_made_by_the_options)
{
    const anyc_run_options wrong[] = {
        {.use_io_uring = true}, {.method = "epoll"}, {.precise_timer = true}};
    struct host host;

    host_open(&host);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        anyc_run_options options = wrong[i];

        options.backend = "libuv";
        options.loop = &host.loop;
        ck_assert_int_eq(anyc_run_with(count_up, &host, &options), ANYC_EINVAL);
    }
    ck_assert_uint_eq(host.ticks, 0);
    host_close(&host);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct host *host = handle->data;

    (void)signum;
    host->ticks++;
    anyc_event_set(&host->event);
}

static int use_signal(void *arg)
{
    struct host *host = arg;

    ck_assert_int_eq(anyc__loop->backend->signal_start(anyc__loop, SIGUSR1), 0);
    ck_assert_int_eq(raise(SIGUSR1), 0);
    ck_assert_int_eq(anyc_event_wait(&host->event), 0);
    anyc__loop->backend->signal_stop(anyc__loop, SIGUSR1);
    return 0;
}

ANYC_TEST_PLAIN(test_libuv_host__keeps_its_signal_when_anyc_stops_listening)
{
    struct host host;
    uv_signal_t handle;

    host_open(&host);
    uv_signal_init(&host.loop, &handle);
    handle.data = &host;
    uv_signal_start(&handle, on_signal, SIGUSR1);
    ck_assert_int_eq(host_run(&host, use_signal), 0);
    ck_assert_uint_eq(host.ticks, 1);
    ck_assert_int_eq(raise(SIGUSR1), 0);
    while (host.ticks < 2)
        uv_run(&host.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&handle, NULL);
    host_close(&host);
}

static int outlive_the_hosts_signal(void *arg)
{
    struct host *host = arg;
    struct sigaction action;

    ck_assert_int_eq(anyc__loop->backend->signal_start(anyc__loop, SIGUSR1), 0);
    uv_signal_stop(host->loop.data);
    anyc__loop->backend->signal_stop(anyc__loop, SIGUSR1);
    ck_assert_int_eq(sigaction(SIGUSR1, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_DFL);
    return 0;
}

/* What the signal did before anyc came was libuv's, and is of no use without a handle. */
ANYC_TEST_PLAIN(test_libuv_host__its_signal_ends_when_it_stops_before_anyc)
{
    struct host host;
    uv_signal_t handle;

    host_open(&host);
    uv_signal_init(&host.loop, &handle);
    handle.data = &host;
    host.loop.data = &handle;
    uv_signal_start(&handle, on_signal, SIGUSR1);
    ck_assert_int_eq(host_run(&host, outlive_the_hosts_signal), 0);
    uv_close((uv_handle_t *)&handle, NULL);
    host_close(&host);
}
