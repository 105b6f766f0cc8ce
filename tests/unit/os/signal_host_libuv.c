/* SPDX-License-Identifier: MIT */
/*
 * signal_host_libuv.c - a host with a uv_loop_t and a uv_signal_t.
 */
#include "signal_host.h"

#include <check.h>
#include <uv.h>

#include <signal.h>
#include <stdlib.h>

struct uv_host {
    struct signal_host host;
    uv_loop_t loop;
    uv_signal_t handle;
};

static void uv_host_on_signal(uv_signal_t *handle, int signum)
{
    struct uv_host *self = handle->data;

    self->host.heard += signum == SIGUSR1;
}

static struct signal_host *uv_host_open(void)
{
    struct uv_host *self = calloc(1, sizeof *self);

    ck_assert_ptr_nonnull(self);
    ck_assert_int_eq(uv_loop_init(&self->loop), 0);
    ck_assert_int_eq(uv_signal_init(&self->loop, &self->handle), 0);
    self->handle.data = self;
    return &self->host;
}

static void *uv_host_loop(struct signal_host *host)
{
    return &((struct uv_host *)host)->loop;
}

static void uv_host_start(struct signal_host *host)
{
    struct uv_host *self = (struct uv_host *)host;

    ck_assert_int_eq(uv_signal_start(&self->handle, uv_host_on_signal, SIGUSR1), 0);
}

static void uv_host_stop(struct signal_host *host)
{
    uv_signal_stop(&((struct uv_host *)host)->handle);
}

static void uv_host_close(struct signal_host *host)
{
    struct uv_host *self = (struct uv_host *)host;

    uv_close((uv_handle_t *)&self->handle, NULL);
    ck_assert_int_eq(uv_run(&self->loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&self->loop), 0);
    free(self);
}

const struct signal_host_type signal_host_libuv = {
    .backend = "libuv",
    .open = uv_host_open,
    .loop = uv_host_loop,
    .start = uv_host_start,
    .stop = uv_host_stop,
    .close = uv_host_close,
};
