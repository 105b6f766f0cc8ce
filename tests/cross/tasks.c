/* SPDX-License-Identifier: MIT */
/*
 * tasks.c - tasks on a processor that is only emulated: a small loop without descriptors, and what
 * depends on the processor (the switch of stacks, the cycle counter) in all kinds of code.
 */
#include <anyc/anyc.h>
#include <anyc/backend.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* -- a loop that only sleeps -- */

struct sleep_loop {
    int64_t deadline_ns;
};

static const int64_t second_ns = 1000000000;

static int64_t loop_time(anyc_loop *loop)
{
    struct timespec now;

    (void)loop;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * second_ns + now.tv_nsec;
}

static int loop_open(anyc_loop *loop, const anyc_run_options *options)
{
    struct sleep_loop *self = anyc_backend_state(loop);

    (void)options;
    self->deadline_ns = INT64_MAX;
    return 0;
}

static int loop_run(anyc_loop *loop)
{
    const struct sleep_loop *self = anyc_backend_state(loop);
    anyc_turn turn;

    while ((turn = anyc_backend_turn(loop)) != ANYC_TURN_DONE) {
        int64_t left_ns = self->deadline_ns - loop_time(loop);
        struct timespec pause = {left_ns / second_ns, left_ns % second_ns};

        if (turn == ANYC_TURN_IDLE && left_ns > 0 && left_ns < second_ns)
            nanosleep(&pause, NULL);
    }
    return 0;
}

static void loop_sleep_until(anyc_loop *loop, int64_t deadline_ns)
{
    struct sleep_loop *self = anyc_backend_state(loop);

    self->deadline_ns = deadline_ns;
}

static bool loop_alive(anyc_loop *loop)
{
    (void)loop;
    return false;
}

static void loop_nothing(anyc_loop *loop)
{
    (void)loop;
}

static int watch_refuse(anyc_watch *watch)
{
    (void)watch;
    return -ENOSYS;
}

static int watch_start(anyc_watch *watch, unsigned events)
{
    (void)watch;
    (void)events;
    return -ENOSYS;
}

static void watch_nothing(anyc_watch *watch)
{
    (void)watch;
}

static int signal_start(anyc_loop *loop, int signum)
{
    (void)loop;
    (void)signum;
    return -ENOSYS;
}

static void signal_stop(anyc_loop *loop, int signum)
{
    (void)loop;
    (void)signum;
}

static ssize_t watch_receive(anyc_watch *watch, void *buf, size_t max_bytes)
{
    (void)buf;
    (void)max_bytes;
    return watch_refuse(watch);
}

static ssize_t watch_send(anyc_watch *watch, const struct iovec *pieces, int count)
{
    (void)pieces;
    (void)count;
    return watch_refuse(watch);
}

static int watch_accept(anyc_watch *watch, struct sockaddr *peer, socklen_t *peer_len)
{
    (void)peer;
    (void)peer_len;
    return watch_refuse(watch);
}

static int watch_connect(anyc_watch *watch, const struct sockaddr *address, socklen_t address_len)
{
    (void)address;
    (void)address_len;
    return watch_refuse(watch);
}

static const anyc_backend sleep_backend = {
    .version = ANYC_BACKEND_VERSION,
    .name = "sleep",
    .loop_size = sizeof(struct sleep_loop),
    .watch_size = sizeof(anyc_watch),
    .open = loop_open,
    .run = loop_run,
    .close = loop_nothing,
    .alive = loop_alive,
    .current_time = loop_time,
    .sleep_until = loop_sleep_until,
    .task_ready = loop_nothing,
    .scope_wake = anyc_backend_default_scope_wake,
    .wake = loop_nothing,
    .watch_open = watch_refuse,
    .watch_start = watch_start,
    .watch_stop = watch_nothing,
    .watch_close = watch_nothing,
    .signal_start = signal_start,
    .signal_stop = signal_stop,
    .receive = watch_receive,
    .send = watch_send,
    .accept = watch_accept,
    .connect = watch_connect,
};

/* -- tasks -- */

enum { SLEEPERS = 2000, ITEMS = 10000, LOCK_ROUNDS = 100 };

struct scene {
    anyc_memory_send_stream *send;
    anyc_memory_receive_stream *receive;
    anyc_lock lock;
    double sum; /* of products that stay in floating-point registers across switches */
    long received;
    int slept;
};

struct sleeper {
    struct scene *scene;
    int number;
};

static int sleep_often(void *arg)
{
    const struct sleeper *sleeper = arg;
    double product = 1.0 + sleeper->number;
    int rc = 0;

    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = anyc_sleep(0.0001 * (sleeper->number % 50));
        product *= 2.0;
    }
    sleeper->scene->sum += product;
    sleeper->scene->slept += rc == 0;
    return rc;
}

static int receive_all(void *arg)
{
    struct scene *scene = arg;
    long item;

    while (anyc_memory_receive_stream_receive(scene->receive, &item) == 0)
        scene->received += item;
    return 0;
}

static int send_all(void *arg)
{
    struct scene *scene = arg;
    int rc = 0;

    for (long i = 0; i < ITEMS && rc == 0; i++)
        rc = anyc_memory_send_stream_send(scene->send, &i);
    anyc_memory_send_stream_close(scene->send);
    return rc;
}

static int lock_often(void *arg)
{
    struct scene *scene = arg;
    int rc = 0;

    for (int i = 0; i < LOCK_ROUNDS && rc == 0; i++) {
        rc = anyc_lock_acquire(&scene->lock);
        if (rc == 0)
            rc = anyc_checkpoint();
        if (rc == 0)
            rc = anyc_lock_release(&scene->lock);
    }
    return rc;
}

static int play(struct scene *scene)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc = anyc_task_group_enter(&group);

    for (int i = 0; i < SLEEPERS && rc == 0; i++) {
        struct sleeper sleeper = {scene, i};

        rc = anyc_task_group_start_soon_copy(&group, sleep_often, &sleeper, sizeof sleeper, NULL);
    }
    if (rc == 0)
        rc = anyc_task_group_start_soon(&group, receive_all, scene, NULL);
    if (rc == 0)
        rc = anyc_task_group_start_soon(&group, send_all, scene, NULL);
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = anyc_task_group_start_soon(&group, lock_often, scene, NULL);
    return anyc_task_group_exit(&group, rc);
}

/* 0 if all came out as it must. */
static int main_task(void *arg)
{
    struct scene *scene = arg;
    anyc_cancel_scope scope;
    int rc;

    anyc_lock_init(&scene->lock, NULL);
    rc = anyc_create_memory_object_stream(0, sizeof(long), &scene->send, &scene->receive);
    if (rc < 0)
        return rc;
    rc = play(scene);
    anyc_aclose(scene->send);
    anyc_aclose(scene->receive);
    if (rc < 0)
        return rc;
    if (anyc_fail_after(&scope, 0.01, false) < 0 ||
        anyc_cancel_scope_exit(&scope, anyc_sleep_forever()) != ANYC_ETIMEDOUT)
        return ANYC_ESTATE;
    return 0;
}

int main(void)
{
    struct scene scene;
    int rc = anyc_register_backend(&sleep_backend);

    for (int i = 0; i < 3 && rc == 0; i++) {
        memset(&scene, 0, sizeof scene);
        rc = anyc_run_with(main_task, &scene, &(anyc_run_options){.backend = "sleep"});
    }
    printf("%s; slept %d, received %ld, sum %.0f\n", rc < 0 ? anyc_error_name(rc) : "ok",
           scene.slept, scene.received, scene.sum);
    return rc == 0 && scene.slept == SLEEPERS && scene.received == (long)ITEMS * (ITEMS - 1) / 2 &&
                   scene.sum == 8.0 * SLEEPERS * (SLEEPERS + 1) / 2
               ? 0
               : 1;
}
