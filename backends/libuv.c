/* SPDX-License-Identifier: MIT */
/*
 * libuv.c - anyc on libuv.
 *
 * uv_run drives everything. A prepare handle, which runs in each iteration just before the loop
 * looks for events, gives the turn to the tasks; an idle handle is active while the loop must not
 * sleep. The deadline is handed to the one timer only when the loop is about to sleep, so a busy
 * loop never touches it.
 *
 * Of anyc's handles only the prepare handle is referenced: it keeps uv_run going, and without it
 * uv_loop_alive tells whether the host has something alive.
 *
 * anyc's allocator is not handed to libuv: uv_replace_allocator is for the whole process and must
 * come before any use of libuv in it, which an adapter cannot know. A program that wants it calls
 * uv_replace_allocator itself, first thing in main.
 */
#include "backends/libuv.h"

#include <anyc/error.h>

#include "backends/descriptors.h"
#include "backends/turns.h"

#include <errno.h>
#include <fcntl.h>

#define LIBUV_NS_PER_MS 1000000
#define LIBUV_DISARMED INT64_MAX

struct libuv_watch {
    anyc_watch watch;
    uv_poll_t poll;
};

static struct libuv_watch *libuv_watch_of(anyc_watch *watch)
{
    return (struct libuv_watch *)watch; /* its first member */
}

/* -- run -- */

static void libuv_on_timer(uv_timer_t *timer)
{
    struct libuv_loop *state = timer->data;

    state->armed_ns = LIBUV_DISARMED; /* the turn that follows looks at the clock */
    if (state->deadline_ns <= (int64_t)uv_hrtime())
        state->deadline_ns = LIBUV_DISARMED;
}

static void libuv_on_idle(uv_idle_t *idle)
{
    (void)idle; /* being active is all it does */
}

static void libuv_on_wake(uv_async_t *async)
{
    (void)async; /* the turn that follows looks at what was posted */
}

/* Sets the timer to the deadline, unless it is set to it. libuv counts whole milliseconds and rounds
 * its clock down, so the timer may go off a part of one early; then it is set once more. */
static void libuv_arm_timer(struct libuv_loop *state)
{
    int64_t now_ns;
    uint64_t delay_ms = 0;

    if (state->deadline_ns != LIBUV_DISARMED)
        uv_update_time(state->native); /* tasks took time; libuv sleeps from its last look on */
    if (state->armed_ns == state->deadline_ns)
        return;
    state->armed_ns = state->deadline_ns;
    if (state->deadline_ns == LIBUV_DISARMED) {
        uv_timer_stop(&state->timer);
        return;
    }
    now_ns = (int64_t)uv_hrtime();
    if (state->deadline_ns > now_ns)
        delay_ms = (uint64_t)(state->deadline_ns - now_ns - 1) / LIBUV_NS_PER_MS + 1;
    uv_timer_start(&state->timer, libuv_on_timer, delay_ms, 0);
}

static void libuv_turn(struct libuv_loop *state)
{
    anyc_turn turn = anyc_backend_turn(state->loop);

    state->events = 0;
    if (turn == ANYC_TURN_READY) {
        uv_idle_start(&state->idle, libuv_on_idle);
        return;
    }
    uv_idle_stop(&state->idle);
    if (turn == ANYC_TURN_DONE) {
        state->done = true;
        uv_stop(state->native);
    } else {
        libuv_arm_timer(state);
    }
}

/* Once in each iteration, just before the loop looks for events. */
static void libuv_on_prepare(uv_prepare_t *prepare)
{
    libuv_turn(prepare->data);
}

/* A fresh loop, or the host's. */
static int libuv_open_native(struct libuv_loop *state, const anyc_run_options *options)
{
    int rc;

    if (options->method != NULL || options->precise_timer)
        return ANYC_EINVAL;
    if (options->loop != NULL) {
        state->native = options->loop;
        return options->use_io_uring ? ANYC_EINVAL : 0; /* how it is made is the host's choice */
    }
    rc = anyc__descriptors_check();
    if (rc == 0)
        rc = uv_loop_init(&state->own);
    if (rc < 0)
        return rc;
    state->native = &state->own;
#if UV_VERSION_HEX >= 0x013100 /* 1.49.0 */
    if (options->use_io_uring)
        (void)uv_loop_configure(&state->own, UV_LOOP_USE_IO_URING_SQPOLL); /* a wish, no demand */
#endif
    return 0;
}

static int libuv_open(anyc_loop *loop, const anyc_run_options *options)
{
    struct libuv_loop *state = anyc_backend_state(loop);
    int rc = libuv_open_native(state, options);

    if (rc < 0)
        return rc;
    rc = uv_async_init(state->native, &state->async, libuv_on_wake); /* the others cannot fail */
    if (rc < 0) {
        if (state->native == &state->own)
            uv_loop_close(&state->own);
        return rc;
    }
    uv_prepare_init(state->native, &state->prepare);
    uv_idle_init(state->native, &state->idle);
    uv_timer_init(state->native, &state->timer);
    state->open_handles = 4;
    state->prepare.data = state;
    state->idle.data = state;
    state->timer.data = state;
    state->async.data = state;
    uv_unref((uv_handle_t *)&state->async);
    uv_unref((uv_handle_t *)&state->idle);
    uv_unref((uv_handle_t *)&state->timer);
    state->loop = loop;
    state->deadline_ns = LIBUV_DISARMED;
    state->armed_ns = LIBUV_DISARMED;
    return 0;
}

static int libuv_run(anyc_loop *loop)
{
    struct libuv_loop *state = anyc_backend_state(loop);

    uv_prepare_start(&state->prepare, libuv_on_prepare);
    while (!state->done)
        uv_run(state->native, UV_RUN_DEFAULT); /* a host's uv_stop does not end anyc's run */
    return 0;
}

static void libuv_on_closed(uv_handle_t *handle)
{
    struct libuv_loop *state = handle->data;

    state->open_handles--;
}

static void libuv_close(anyc_loop *loop)
{
    struct libuv_loop *state = anyc_backend_state(loop);

    uv_close((uv_handle_t *)&state->prepare, libuv_on_closed);
    uv_close((uv_handle_t *)&state->idle, libuv_on_closed);
    uv_close((uv_handle_t *)&state->timer, libuv_on_closed);
    uv_close((uv_handle_t *)&state->async, libuv_on_closed);
    while (state->open_handles > 0)
        uv_run(state->native, UV_RUN_NOWAIT);
    if (state->native == &state->own)
        uv_loop_close(&state->own); /* nobody else has put handles on it, so it succeeds */
}

static bool libuv_alive(anyc_loop *loop)
{
    struct libuv_loop *state = anyc_backend_state(loop);
    int alive;

    if (state->native == &state->own)
        return false;
    uv_unref((uv_handle_t *)&state->prepare);
    alive = uv_loop_alive(state->native);
    uv_ref((uv_handle_t *)&state->prepare);
    return alive != 0;
}

/* -- clock and sleep, task groups, any thread -- */

static int64_t libuv_current_time(anyc_loop *loop)
{
    (void)loop;
    return (int64_t)uv_hrtime();
}

static void libuv_sleep_until(anyc_loop *loop, int64_t deadline_ns)
{
    struct libuv_loop *state = anyc_backend_state(loop);

    state->deadline_ns = deadline_ns; /* for the timer when the next turn is over */
}

static void libuv_task_ready(anyc_loop *loop)
{
    struct libuv_loop *state = anyc_backend_state(loop);

    /* A callback that the loop calls after the turn, but before it sleeps, may have called. */
    uv_idle_start(&state->idle, libuv_on_idle);
}

static void libuv_wake(anyc_loop *loop)
{
    struct libuv_loop *state = anyc_backend_state(loop);
    int saved_errno = errno; /* a signal handler may be calling */

    uv_async_send(&state->async);
    errno = saved_errno;
}

/* -- descriptors -- */

/* libuv takes up to 1,024 events from the kernel at a time, and as long as it gets that many it asks
 * again (48 times) before it goes on to the prepare handles. Descriptors whose tasks have not run by
 * then are reported again and again (measured with 10,000 busy connections: 1.6 times the CPU time a
 * message). So tasks get a turn between, too, while what the callbacks touched is still in the
 * cache. */
static void libuv_on_poll(uv_poll_t *poll, int status, int events)
{
    struct libuv_watch *watch = poll->data;
    struct libuv_loop *state = anyc_backend_state(watch->watch.loop);
    unsigned ready = 0;

    if (status < 0) { /* libuv has stopped the handle */
        watch->watch.armed = 0;
        ready = ANYC_READABLE | ANYC_WRITABLE;
    }
    if (events & UV_READABLE)
        ready |= ANYC_READABLE;
    if (events & UV_WRITABLE)
        ready |= ANYC_WRITABLE;
    anyc_backend_watch_ready(&watch->watch, ready);
    if (++state->events >= ANYC__EVENTS_A_TURN && !state->done)
        libuv_turn(state); /* the watch may be gone after it */
}

static void libuv_on_watch_closed(uv_handle_t *handle)
{
    struct libuv_watch *watch = handle->data;
    struct libuv_loop *state = anyc_backend_state(watch->watch.loop);

    state->open_handles--;
    anyc_backend_watch_closed(&watch->watch);
}

static int libuv_watch_open(anyc_watch *base)
{
    struct libuv_watch *watch = libuv_watch_of(base);
    struct libuv_loop *state = anyc_backend_state(base->loop);
    int flags = fcntl(base->fd, F_GETFL);
    int rc;

    if (flags < 0)
        return -errno;
    rc = uv_poll_init(state->native, &watch->poll, base->fd);
    if (rc < 0)
        return rc;
    if ((flags & O_NONBLOCK) == 0) /* libuv has set it, on a foreign descriptor */
        fcntl(base->fd, F_SETFL, flags);
    watch->poll.data = watch;
    uv_unref((uv_handle_t *)&watch->poll);
    state->open_handles++;
    return 0;
}

static int libuv_watch_start(anyc_watch *base, unsigned events)
{
    struct libuv_watch *watch = libuv_watch_of(base);
    int native = 0;
    int rc;

    if (events & ANYC_READABLE)
        native |= UV_READABLE;
    if (events & ANYC_WRITABLE)
        native |= UV_WRITABLE;
    rc = uv_poll_start(&watch->poll, native, libuv_on_poll);
    if (rc == 0)
        base->armed = (uint8_t)events;
    return rc;
}

static void libuv_watch_stop(anyc_watch *base)
{
    uv_poll_stop(&libuv_watch_of(base)->poll);
    base->armed = 0;
}

static void libuv_watch_close(anyc_watch *base)
{
    base->armed = 0;
    uv_close((uv_handle_t *)&libuv_watch_of(base)->poll, libuv_on_watch_closed);
}

extern ANYC_API const anyc_backend anyc_backend_libuv;

const anyc_backend anyc_backend_libuv = {
    .version = ANYC_BACKEND_VERSION,
    .name = "libuv",
    .features = ANYC_BACKEND_ADOPTS_LOOP,
    .loop_size = sizeof(struct libuv_loop),
    .watch_size = sizeof(struct libuv_watch),
    .open = libuv_open,
    .run = libuv_run,
    .close = libuv_close,
    .alive = libuv_alive,
    .current_time = libuv_current_time,
    .sleep_until = libuv_sleep_until,
    .task_ready = libuv_task_ready,
    .scope_wake = anyc_backend_default_scope_wake,
    .wake = libuv_wake,
    .watch_open = libuv_watch_open,
    .watch_start = libuv_watch_start,
    .watch_stop = libuv_watch_stop,
    .watch_close = libuv_watch_close,
    .signal_start = anyc__libuv_signal_start,
    .signal_stop = anyc__libuv_signal_stop,
    .receive = anyc_backend_default_receive,
    .send = anyc_backend_default_send,
    .accept = anyc_backend_default_accept,
    .connect = anyc_backend_default_connect,
};

/* Makes linking or loading this library enough. It is refused if another copy was there first. */
__attribute__((constructor)) static void libuv_register(void)
{
    (void)anyc_register_backend(&anyc_backend_libuv);
}
