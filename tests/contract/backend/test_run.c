/* SPDX-License-Identifier: MIT */
/*
 * test_run.c - a backend in whole runs, with tasks.
 */
#include <anyc/backend.h>
#include <anyc/error.h>
#include <anyc/event.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "core/loop.h"
#include "core/watch.h"
#include "support/tasks.h"

#include <check.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLEEPERS 20
#define ROUNDS 200

static double monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Wakes at its place in the order, and not before its time. */
struct sleeper_in_order {
    anyc_event *begun;
    const double *begin;
    int place;
    int *passed; /* sleepers that have woken */
};

static int sleep_in_order(void *arg)
{
    struct sleeper_in_order *sleeper = arg;
    double deadline;

    ck_assert_ok(anyc_event_wait(sleeper->begun));
    deadline = *sleeper->begin + 0.05 + 0.0003 * sleeper->place;
    ck_assert_ok(anyc_sleep_until(deadline));
    ck_assert_double_ge(anyc_current_time(), deadline);
    ck_assert_int_eq(*sleeper->passed, sleeper->place);
    ++*sleeper->passed;
    return 0;
}

ANYC_TEST(test_run__tasks_sleep_in_the_order_of_their_deadlines_and_never_too_short)
{
    anyc_event begun = ANYC_EVENT_INIT;
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    double begin;
    int passed = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    for (int i = 0; i < SLEEPERS; i++) {
        struct sleeper_in_order sleeper = {&begun, &begin, i * 7 % SLEEPERS, &passed};

        ck_assert_ok(anyc_task_group_start_soon_copy(&group, sleep_in_order, &sleeper,
                                                     sizeof sleeper, NULL));
    }
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    begin = anyc_current_time();
    anyc_event_set(&begun);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_int_eq(passed, SLEEPERS);
}

/* By a clock that is not the loop's. */
ANYC_TEST(test_run__a_sleep_takes_its_time)
{
    for (int i = 1; i <= 10; i++) {
        double seconds = 0.00037 * i;
        double begin = monotonic();

        ck_assert_ok(anyc_sleep(seconds));
        ck_assert_double_ge(monotonic() - begin, seconds);
    }
}

static int count_turns(void *arg)
{
    unsigned *turns = arg;

    while (anyc_checkpoint() == 0)
        ++*turns;
    return ANYC_ECANCELLED;
}

ANYC_TEST(test_run__a_task_that_never_waits_keeps_no_other_from_waking)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    unsigned turns = 0;

    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, count_turns, &turns);
    ck_assert_ok(anyc_sleep(0.005));
    ck_assert_uint_gt(turns, 0);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
}

/* Two tasks throw a byte back and forth. */
struct echo {
    int fds[2];
    anyc_watch *watches[2];
    int rounds;
};

static void echo_open(struct echo *echo, int rounds)
{
    int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

    echo->rounds = rounds;
    ck_assert_int_eq(socketpair(AF_UNIX, type, 0, echo->fds), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_ok(anyc__watch_open(anyc__loop, echo->fds[i], &echo->watches[i]));
}

static void echo_close(struct echo *echo)
{
    for (int i = 0; i < 2; i++) {
        anyc__watch_close(echo->watches[i], ANYC_ECLOSED);
        close(echo->fds[i]);
    }
}

static int echo_receive(struct echo *echo, int side)
{
    int rc = anyc__watch_wait(echo->watches[side], ANYC_READABLE);
    char byte;

    if (rc == 0)
        ck_assert_int_eq(read(echo->fds[side], &byte, 1), 1);
    return rc;
}

static int echo_answer(void *arg)
{
    struct echo *echo = arg;
    int rc = 0;

    while (rc == 0) {
        rc = echo_receive(echo, 1);
        if (rc == 0)
            ck_assert_int_eq(write(echo->fds[1], "y", 1), 1);
    }
    return rc;
}

static void echo_ask(struct echo *echo)
{
    for (int i = 0; i < echo->rounds; i++) {
        ck_assert_int_eq(write(echo->fds[0], "x", 1), 1);
        ck_assert_ok(echo_receive(echo, 0));
    }
}

/* Both loops call the C library's epoll_ctl by its name, so this one counts for it. */
static atomic_uint epoll_ctl_calls;

struct epoll_event;
int epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);

int epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    atomic_fetch_add(&epoll_ctl_calls, 1);
    return (int)syscall(SYS_epoll_ctl, epoll_fd, operation, fd, event);
}

ANYC_TEST(test_run__an_echo_costs_no_epoll_ctl)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct echo echo;
    unsigned before;

    echo_open(&echo, ROUNDS);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, echo_answer, &echo);
    echo_ask(&echo);
    before = atomic_load(&epoll_ctl_calls);
    echo_ask(&echo);
    ck_assert_uint_eq(atomic_load(&epoll_ctl_calls), before);
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    echo_close(&echo);
}

static int sleep_and_echo(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    struct echo echo;

    (void)arg;
    echo_open(&echo, 20);
    ck_assert_ok(anyc_task_group_enter(&group));
    spawn(&group, echo_answer, &echo);
    echo_ask(&echo);
    ck_assert_ok(anyc_sleep(0.001));
    anyc_task_group_cancel(&group, NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    echo_close(&echo);
    return 0;
}

ANYC_TEST_PLAIN(test_run__several_may_follow_each_other)
{
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(run_on_backend(sleep_and_echo, NULL), 0);
}

static void *run_in_thread(void *arg)
{
    const char *const *backend = arg;

    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(anyc_run(sleep_and_echo, *backend), 0);
    return NULL;
}

/* Of this backend twice, and of every other one as well. */
ANYC_TEST_PLAIN(test_run__several_go_on_in_threads_at_once)
{
    const char *const *available = anyc_get_available_backends(NULL);
    const char *names[8] = {anyc_testing_backend()};
    pthread_t threads[8];
    int count = 1;

    for (size_t i = 0; available[i] != NULL && count < 8; i++)
        names[count++] = available[i];
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_in_thread, &names[i]), 0);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

/* Does this process hold a descriptor of this kind? */
static bool holds_descriptor(const char *kind)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    bool found = false;
    char target[64];
    ssize_t len;

    ck_assert_ptr_nonnull(dir);
    while (!found && (entry = readdir(dir)) != NULL) {
        len = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
        target[len < 0 ? 0 : len] = '\0';
        found = strstr(target, kind) != NULL;
    }
    closedir(dir);
    return found;
}

/* What the loop that runs is made of. */
struct makings {
    bool epoll;
    bool timerfd;
};

static int look_at_loop(void *arg)
{
    struct makings *makings = arg;

    makings->epoll = holds_descriptor("[eventpoll]");
    makings->timerfd = holds_descriptor("[timerfd]");
    return sleep_and_echo(NULL);
}

static int run_with_option(struct makings *makings, anyc_run_options options)
{
    options.backend = anyc_testing_backend();
    return anyc_run_with(look_at_loop, makings, &options);
}

/* TG-R29, the options of a backend: each reaches the loop, or is refused. */
ANYC_TEST_PLAIN(test_run__no_option_is_dropped)
{
    bool libevent = strcmp(anyc_testing_backend(), "libevent") == 0;
    struct makings makings = {0};

    ck_assert_int_eq(run_with_option(&makings, (anyc_run_options){.method = "no_such"}),
                     ANYC_EINVAL);
    ck_assert(!makings.epoll);
    ck_assert_int_eq(run_with_option(&makings, (anyc_run_options){.method = "epoll"}),
                     libevent ? 0 : ANYC_EINVAL);
    ck_assert(makings.epoll == libevent);
    ck_assert_int_eq(run_with_option(&makings, (anyc_run_options){.method = "poll"}),
                     libevent ? 0 : ANYC_EINVAL);
    ck_assert(!makings.epoll);
    ck_assert_int_eq(run_with_option(&makings, (anyc_run_options){.method = "select"}),
                     libevent ? 0 : ANYC_EINVAL);
    ck_assert(!makings.epoll && !makings.timerfd);
    ck_assert_int_eq(run_with_option(&makings, (anyc_run_options){.precise_timer = true}),
                     libevent ? 0 : ANYC_EINVAL);
    ck_assert(makings.timerfd == libevent);
    ck_assert_int_eq(run_with_option(&makings, (anyc_run_options){.use_io_uring = true}),
                     libevent ? ANYC_EINVAL : 0);
    forget_last_error();
}
