/* SPDX-License-Identifier: MIT */
/*
 * libuv_signal.c - the signals of the libuv adapter: one handle for each number and loop.
 */
#include "backends/libuv.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

struct libuv_signal {
    uv_signal_t handle;
    struct libuv_loop *state;
    struct libuv_signal *next; /* in state->signals */
};

/* What a signal did before anyc's first handle for it. libuv does not bring that back by itself;
 * a program run by nohup, or one with a handler of its own, would be killed afterwards. */
struct libuv_disposition {
    unsigned users; /* handles of anyc, of all loops */
    bool foreign;   /* `former` is not libuv's own handler */
    struct sigaction former;
};

static pthread_mutex_t libuv_signal_lock = PTHREAD_MUTEX_INITIALIZER;
static struct libuv_disposition libuv_dispositions[NSIG]; /* guarded by the lock */

static void libuv_on_signal(uv_signal_t *handle, int signum)
{
    struct libuv_signal *signal = handle->data;

    anyc_backend_signal(signal->state->loop, signum);
}

static void libuv_on_signal_closed(uv_handle_t *handle)
{
    struct libuv_signal *signal = handle->data;

    signal->state->open_handles--;
    anyc_backend_realloc(signal, 0);
}

/* Starts the handle, and remembers what the signal did before anyc had a handle for it. */
static int libuv_signal_take(struct libuv_signal *signal, int signum)
{
    struct libuv_disposition *disposition = &libuv_dispositions[signum];
    struct sigaction before = {0};
    struct sigaction after = {0};
    int rc;

    pthread_mutex_lock(&libuv_signal_lock);
    sigaction(signum, NULL, &before); /* of a number that libuv refuses too it tells nothing */
    rc = uv_signal_start(&signal->handle, libuv_on_signal, signum);
    if (rc == 0 && disposition->users++ == 0) {
        sigaction(signum, NULL, &after);
        disposition->former = before;
        disposition->foreign = before.sa_handler != after.sa_handler;
    }
    pthread_mutex_unlock(&libuv_signal_lock);
    return rc;
}

/* Stops the handle, and brings back what the signal did before, unless a handle of the host still
 * uses it: libuv sets the default action when the last one stops. */
static void libuv_signal_give_back(struct libuv_signal *signal, int signum)
{
    struct libuv_disposition *disposition = &libuv_dispositions[signum];
    struct sigaction now = {0};

    pthread_mutex_lock(&libuv_signal_lock);
    uv_signal_stop(&signal->handle);
    sigaction(signum, NULL, &now);
    if (--disposition->users == 0 && disposition->foreign && now.sa_handler == SIG_DFL)
        sigaction(signum, &disposition->former, NULL);
    pthread_mutex_unlock(&libuv_signal_lock);
}

int anyc__libuv_signal_start(anyc_loop *loop, int signum)
{
    struct libuv_loop *state = anyc_backend_state(loop);
    struct libuv_signal *signal;
    int rc;

    if (signum <= 0 || signum >= NSIG)
        return -EINVAL;
    signal = anyc_backend_realloc(NULL, sizeof *signal);
    if (signal == NULL)
        return -ENOMEM;
    rc = uv_signal_init(state->native, &signal->handle);
    if (rc < 0) {
        anyc_backend_realloc(signal, 0);
        return rc;
    }
    uv_unref((uv_handle_t *)&signal->handle);
    signal->handle.data = signal;
    signal->state = state;
    state->open_handles++;
    rc = libuv_signal_take(signal, signum);
    if (rc < 0) {
        uv_close((uv_handle_t *)&signal->handle, libuv_on_signal_closed);
        return rc;
    }
    signal->next = state->signals;
    state->signals = signal;
    return 0;
}

void anyc__libuv_signal_stop(anyc_loop *loop, int signum)
{
    struct libuv_loop *state = anyc_backend_state(loop);
    struct libuv_signal **link = &state->signals;
    struct libuv_signal *signal;

    while (*link != NULL && (*link)->handle.signum != signum)
        link = &(*link)->next;
    signal = *link;
    if (signal == NULL)
        return;
    *link = signal->next;
    libuv_signal_give_back(signal, signum);
    uv_close((uv_handle_t *)&signal->handle, libuv_on_signal_closed);
}
