/* SPDX-License-Identifier: MIT */
/*
 * libevent.c - anyc on libevent.
 *
 * A turn for the tasks, then one round of event_base_loop, which does not sleep if tasks are ready,
 * and so on. The event that wakes the loop is always there, so the base is never empty, and every
 * callback by which a task may become ready ends a round: the next turn comes before the next sleep.
 * Events are never activated by hand: a base that is kept busy so would not poll any more.
 *
 * A watch has one persistent event for each direction: starting or stopping one of them costs one
 * epoll_ctl, whereas a common event would have to be deleted and added again.
 *
 * anyc's allocator is not handed to libevent: event_set_mem_functions is for the whole process and
 * must come before any use of libevent in it, which an adapter cannot know. A program that wants it
 * calls event_set_mem_functions itself, first thing in main.
 */
#include "backends/libevent.h"

#include <anyc/error.h>

#include "backends/descriptors.h"
#include "backends/turns.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIBEVENT_DISARMED INT64_MAX
#define LIBEVENT_NS_PER_US 1000
#define LIBEVENT_US_PER_S 1000000
#define LIBEVENT_NS_PER_S 1000000000

struct libevent_watch {
    anyc_watch watch;
    struct event read;
    struct event write;
};

static pthread_mutex_t libevent_methods_lock = PTHREAD_MUTEX_INITIALIZER;

/* Adds an event; -errno if libevent or the system refuses. */
int anyc__libevent_add(struct libevent_loop *state, struct event *event)
{
    errno = 0;
    if (event_add(event, NULL) < 0)
        return errno == 0 ? -ENOMEM : -errno;
    state->added++;
    return 0;
}

void anyc__libevent_del(struct libevent_loop *state, struct event *event)
{
    event_del(event);
    state->added--;
}

/* -- run -- */

/* Leaves the base no other mechanism than the one named; false if this libevent does not have it. */
static bool libevent_use_method(struct event_config *config, const char *method)
{
    const char **names;
    bool found = false;

    pthread_mutex_lock(&libevent_methods_lock); /* the list is freed when it is made anew */
    names = event_get_supported_methods();
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        if (strcmp(names[i], method) == 0)
            found = true;
        else
            event_config_avoid_method(config, names[i]);
    }
    pthread_mutex_unlock(&libevent_methods_lock);
    return found;
}

static int libevent_new_base(struct libevent_loop *state, const anyc_run_options *options)
{
    struct event_config *config = event_config_new();
    int flags = EVENT_BASE_FLAG_NOLOCK; /* other threads only write to wake_fds */
    int rc;

    if (config == NULL)
        return -ENOMEM;
    if (options->precise_timer)
        flags |= EVENT_BASE_FLAG_PRECISE_TIMER;
    if (options->method != NULL)
        flags |= EVENT_BASE_FLAG_IGNORE_ENV;
    event_config_set_flag(config, flags);
    rc = ANYC_EINVAL;
    if (options->method == NULL || libevent_use_method(config, options->method)) {
        errno = 0;
        state->base = event_base_new_with_config(config);
        rc = state->base != NULL ? 0 : errno == 0 ? -ENOMEM : -errno;
    }
    event_config_free(config);
    return rc;
}

/* A fresh base, or the host's. */
static int libevent_open_base(struct libevent_loop *state, const anyc_run_options *options)
{
    int rc;

    if (options->use_io_uring)
        return ANYC_EINVAL;
    if (options->loop != NULL) {
        state->adopted = true;
        state->base = options->loop;
        /* how it is made is the host's choice */
        return options->method != NULL || options->precise_timer ? ANYC_EINVAL : 0;
    }
    rc = anyc__descriptors_check();
    return rc < 0 ? rc : libevent_new_base(state, options);
}

static int64_t libevent_current_time(anyc_loop *loop)
{
    struct timespec now;

    (void)loop;
    clock_gettime(CLOCK_MONOTONIC, &now); /* libevent's, or what its coarser one follows */
    return (int64_t)now.tv_sec * LIBEVENT_NS_PER_S + now.tv_nsec;
}

static void libevent_on_wake(evutil_socket_t fd, short what, void *arg)
{
    uint64_t drained[8];
    ssize_t count = read(fd, drained, sizeof drained); /* if that leaves some, it fires again */

    (void)count;
    (void)what;
    (void)arg; /* the turn that follows looks at what was posted */
}

/* The same when every write is reported once: nothing need be read. */
static void libevent_on_wake_edge(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

/* A counter that is never read tells of each write, if the base reports edges: that saves a system
 * call for each wake. A pipe would become full. */
static void libevent_assign_wake(struct libevent_loop *state)
{
    bool edges = state->wake_fds[0] == state->wake_fds[1] &&
                 (event_base_get_features(state->base) & EV_FEATURE_ET) != 0;

    event_assign(&state->wake, state->base, state->wake_fds[0],
                 edges ? EV_READ | EV_PERSIST | EV_ET : EV_READ | EV_PERSIST,
                 edges ? libevent_on_wake_edge : libevent_on_wake, NULL);
}

static void libevent_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct libevent_loop *state = arg;

    (void)fd;
    (void)what;
    state->armed_ns = LIBEVENT_DISARMED; /* the turn that follows looks at the clock */
    state->added--;
    if (state->deadline_ns <= libevent_current_time(NULL)) /* not if a coarser clock was early */
        state->deadline_ns = LIBEVENT_DISARMED;
}

static void libevent_free(struct libevent_loop *state)
{
    if (state->wake_fds[1] != state->wake_fds[0])
        close(state->wake_fds[1]);
    close(state->wake_fds[0]);
    if (!state->adopted)
        event_base_free(state->base);
}

static int libevent_open(anyc_loop *loop, const anyc_run_options *options)
{
    struct libevent_loop *state = anyc_backend_state(loop);
    int rc = libevent_open_base(state, options);

    if (rc < 0)
        return rc;
    rc = anyc__libevent_open_wake(state->wake_fds);
    if (rc < 0) {
        if (!state->adopted)
            event_base_free(state->base);
        return rc;
    }
    libevent_assign_wake(state);
    event_assign(&state->timer, state->base, -1, 0, libevent_on_timer, state);
    state->deadline_ns = LIBEVENT_DISARMED;
    state->armed_ns = LIBEVENT_DISARMED;
    rc = anyc__libevent_add(state, &state->wake);
    if (rc < 0)
        libevent_free(state);
    return rc;
}

/* Sets the timer to the deadline, unless it is set to it. Answers false if the loop may not sleep. */
static bool libevent_arm_timer(struct libevent_loop *state)
{
    struct timeval delay;
    int64_t now_ns;
    int64_t us;

    if (state->armed_ns == state->deadline_ns)
        return true;
    if (state->armed_ns != LIBEVENT_DISARMED)
        anyc__libevent_del(state, &state->timer);
    state->armed_ns = LIBEVENT_DISARMED;
    if (state->deadline_ns == LIBEVENT_DISARMED)
        return true;
    now_ns = libevent_current_time(NULL);
    if (state->deadline_ns <= now_ns) {
        state->deadline_ns = LIBEVENT_DISARMED; /* the next turn is the one that was asked for */
        return false;
    }
    us = (state->deadline_ns - now_ns - 1) / LIBEVENT_NS_PER_US + 1;
    delay.tv_sec = (time_t)(us / LIBEVENT_US_PER_S);
    delay.tv_usec = (suseconds_t)(us % LIBEVENT_US_PER_S);
    if (event_add(&state->timer, &delay) < 0)
        return false; /* out of memory: rather look again and again than sleep for ever */
    state->added++;
    state->armed_ns = state->deadline_ns;
    return true;
}

static anyc_turn libevent_turn(struct libevent_loop *state, anyc_loop *loop)
{
    anyc_turn turn = state->done ? ANYC_TURN_DONE : anyc_backend_turn(loop);

    state->events = 0;
    state->done = turn == ANYC_TURN_DONE;
    return turn;
}

static int libevent_run(anyc_loop *loop)
{
    struct libevent_loop *state = anyc_backend_state(loop);
    int flags;

    for (;;) {
        anyc_turn turn = libevent_turn(state, loop);

        if (turn == ANYC_TURN_DONE)
            return 0;
        flags = EVLOOP_ONCE;
        if (turn == ANYC_TURN_READY || !libevent_arm_timer(state))
            flags |= EVLOOP_NONBLOCK;
        errno = 0;
        if (event_base_loop(state->base, flags) < 0)
            return errno == 0 ? -EBUSY : -errno; /* without errno: the host's base runs already */
    }
}

static void libevent_close(anyc_loop *loop)
{
    struct libevent_loop *state = anyc_backend_state(loop);

    anyc__libevent_del(state, &state->wake);
    if (state->armed_ns != LIBEVENT_DISARMED)
        anyc__libevent_del(state, &state->timer);
    event_debug_unassign(&state->wake);
    event_debug_unassign(&state->timer);
    libevent_free(state);
}

static bool libevent_alive(anyc_loop *loop)
{
    struct libevent_loop *state = anyc_backend_state(loop);

    return state->adopted &&
           event_base_get_num_events(state->base, EVENT_BASE_COUNT_ADDED) > state->added;
}

/* -- sleep, task groups, any thread -- */

static void libevent_sleep_until(anyc_loop *loop, int64_t deadline_ns)
{
    struct libevent_loop *state = anyc_backend_state(loop);

    state->deadline_ns = deadline_ns; /* for the timer when the next turn is over */
}

static void libevent_task_ready(anyc_loop *loop)
{
    (void)loop; /* it is a callback that calls this, and a callback ends the round: see above */
}

static void libevent_wake(anyc_loop *loop)
{
    struct libevent_loop *state = anyc_backend_state(loop);
    const uint64_t one = 1;
    int saved_errno = errno; /* a signal handler may be calling */
    ssize_t count = write(state->wake_fds[1], &one, sizeof one);

    (void)count; /* full: the loop is about to wake anyhow */
    errno = saved_errno;
}

/* -- descriptors -- */

static struct libevent_watch *libevent_watch_of(anyc_watch *watch)
{
    return (struct libevent_watch *)watch; /* its first member */
}

/* libevent takes up to 4,096 events from the kernel: tasks get a turn between, while what the
 * callbacks touched is still in the cache. The turn before the loop sleeps does the rest. */
static void libevent_on_ready(anyc_watch *watch, unsigned events)
{
    anyc_loop *loop = watch->loop;
    struct libevent_loop *state = anyc_backend_state(loop);

    anyc_backend_watch_ready(watch, events);
    state->events++;
    if (state->events >= ANYC__EVENTS_A_TURN)
        (void)libevent_turn(state, loop); /* the watch may be gone after it */
}

static void libevent_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct libevent_watch *watch = arg;

    (void)fd;
    (void)what;
    libevent_on_ready(&watch->watch, ANYC_READABLE);
}

static void libevent_on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct libevent_watch *watch = arg;

    (void)fd;
    (void)what;
    libevent_on_ready(&watch->watch, ANYC_WRITABLE);
}

static int libevent_watch_open(anyc_watch *base)
{
    struct libevent_watch *watch = libevent_watch_of(base);
    struct libevent_loop *state = anyc_backend_state(base->loop);
    int rc = anyc__libevent_check_fd(base->fd);

    if (rc < 0)
        return rc;
    event_assign(&watch->read, state->base, base->fd, EV_READ | EV_PERSIST, libevent_on_readable,
                 watch);
    event_assign(&watch->write, state->base, base->fd, EV_WRITE | EV_PERSIST, libevent_on_writable,
                 watch);
    return 0;
}

/* Takes from what is reported now whatever is not in `events`. */
static void libevent_watch_reduce(struct libevent_watch *watch, unsigned events)
{
    struct libevent_loop *state = anyc_backend_state(watch->watch.loop);

    if (watch->watch.armed & ~events & ANYC_READABLE)
        anyc__libevent_del(state, &watch->read);
    if (watch->watch.armed & ~events & ANYC_WRITABLE)
        anyc__libevent_del(state, &watch->write);
    watch->watch.armed &= (uint8_t)events;
}

static int libevent_watch_start(anyc_watch *base, unsigned events)
{
    struct libevent_watch *watch = libevent_watch_of(base);
    struct libevent_loop *state = anyc_backend_state(base->loop);
    unsigned former = base->armed;
    unsigned added = events & ~former;
    int rc = 0;

    if (added & ANYC_READABLE)
        rc = anyc__libevent_add(state, &watch->read);
    if (rc == 0)
        base->armed |= (uint8_t)(added & ANYC_READABLE);
    if (rc == 0 && (added & ANYC_WRITABLE))
        rc = anyc__libevent_add(state, &watch->write);
    if (rc == 0)
        base->armed |= (uint8_t)(added & ANYC_WRITABLE);
    libevent_watch_reduce(watch, rc == 0 ? events : former);
    return rc;
}

static void libevent_watch_stop(anyc_watch *base)
{
    libevent_watch_reduce(libevent_watch_of(base), 0);
}

static void libevent_watch_close(anyc_watch *base)
{
    struct libevent_watch *watch = libevent_watch_of(base);

    libevent_watch_reduce(watch, 0);
    event_debug_unassign(&watch->read);
    event_debug_unassign(&watch->write);
    anyc_backend_watch_closed(base);
}

extern ANYC_API const anyc_backend anyc_backend_libevent;

const anyc_backend anyc_backend_libevent = {
    .version = ANYC_BACKEND_VERSION,
    .name = "libevent",
    .features = ANYC_BACKEND_ADOPTS_LOOP,
    .loop_size = sizeof(struct libevent_loop),
    .watch_size = sizeof(struct libevent_watch),
    .open = libevent_open,
    .run = libevent_run,
    .close = libevent_close,
    .alive = libevent_alive,
    .current_time = libevent_current_time,
    .sleep_until = libevent_sleep_until,
    .task_ready = libevent_task_ready,
    .scope_wake = anyc_backend_default_scope_wake,
    .wake = libevent_wake,
    .watch_open = libevent_watch_open,
    .watch_start = libevent_watch_start,
    .watch_stop = libevent_watch_stop,
    .watch_close = libevent_watch_close,
    .signal_start = anyc__libevent_signal_start,
    .signal_stop = anyc__libevent_signal_stop,
    .receive = anyc_backend_default_receive,
    .send = anyc_backend_default_send,
    .accept = anyc_backend_default_accept,
    .connect = anyc_backend_default_connect,
};

/* Makes linking or loading this library enough. It is refused if another copy was there first. */
__attribute__((constructor)) static void libevent_register(void)
{
    (void)anyc_register_backend(&anyc_backend_libevent);
}
