/* SPDX-License-Identifier: MIT */
/*
 * socket_listener.c - a listener over one listening socket. AnyIO: abc.SocketListener.
 *
 * A task that accepts holds the memory, so that the listener may be closed and freed meanwhile.
 * Invariants: watch == NULL iff closed; life.users == accepting.
 */
#include "net/socket_listener.h"

#include <anyc/socket.h>

#include <errno.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "core/task.h"
#include "core/watch.h"
#include "net/socket.h"
#include "net/socket_io.h"
#include "net/socket_stream.h"
#include "streams/stream.h"

struct socket_listener {
    union {
        anyc_resource resource;
        anyc_listener listener;
    };
    anyc_watch *watch; /* NULL: closed */
    struct stream_life life;
    bool accepting; /* a task is in accept */
};

static int socket_listener_fail(const struct socket_listener *listener, int rc)
{
    if (rc == ANYC_ECANCELLED)
        return rc;
    if (listener->watch == NULL || rc == ANYC_ECLOSED)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (rc == ANYC_EBUSY) /* somebody waits for the raw descriptor */
        return anyc__fail_plain(rc);
    return anyc__fail_errno(-rc, "cannot accept a connection");
}

static int socket_listener_take(struct socket_listener *listener, anyc_byte_stream **out_stream)
{
    struct sockaddr_storage storage;
    struct sockaddr *peer = (struct sockaddr *)&storage;
    socklen_t peer_len = sizeof storage;
    anyc_loop *loop;
    int rc;
    int fd;

    if (listener->watch == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    loop = listener->watch->loop;
    fd = anyc__backend_accept(listener->watch, peer, &peer_len);
    if (fd < 0)
        return socket_listener_fail(listener, fd);
    rc = anyc__socket_stream_open(loop, fd, peer, peer_len, out_stream);
    if (rc < 0)
        anyc__descriptor_close(fd);
    return rc;
}

static int socket_listener_accept(anyc_listener *base, anyc_byte_stream **out_stream)
{
    struct socket_listener *listener = ANYC__CONTAINER(base, struct socket_listener, listener);
    anyc_task *task;
    int rc;

    if (listener->accepting)
        return anyc__fail_plain(ANYC_EBUSY);
    listener->accepting = true;
    anyc__stream_hold(&listener->life);
    rc = anyc__enter(&task);
    if (rc == 0)
        rc = socket_listener_take(listener, out_stream);
    listener->accepting = false;
    if (anyc__stream_release(&listener->life))
        anyc__free(listener);
    return rc;
}

static int socket_listener_close(anyc_resource *resource, bool forcefully)
{
    struct socket_listener *listener = ANYC__CONTAINER(resource, struct socket_listener, resource);
    anyc_watch *watch = listener->watch;
    int fd;

    (void)forcefully;
    if (watch == NULL)
        return 0;
    listener->watch = NULL;
    fd = watch->fd;
    anyc__watch_close(watch, ANYC_ECLOSED);
    anyc__descriptor_close(fd);
    return 0;
}

static void socket_listener_destroy(anyc_resource *resource)
{
    struct socket_listener *listener = ANYC__CONTAINER(resource, struct socket_listener, resource);

    anyc_listener_deinit(&listener->listener);
    if (anyc__stream_destroy(&listener->life))
        anyc__free(listener);
}

static int socket_listener_extra(anyc_resource *resource, const anyc_typed_attribute *attribute,
                                 void *out)
{
    struct socket_listener *listener = ANYC__CONTAINER(resource, struct socket_listener, resource);

    return anyc__socket_extra(listener->watch == NULL ? -1 : listener->watch->fd, NULL, 0,
                              attribute, out);
}

static const anyc_listener_ops socket_listener_ops = {
    .resource =
        {
            .type = "socket listener",
            .close = socket_listener_close,
            .destroy = socket_listener_destroy,
            .extra = socket_listener_extra,
        },
    .accept = socket_listener_accept,
    .serve = anyc_listener_serve_by_accept,
};

int anyc__socket_listener_create(anyc_loop *loop, int fd, anyc_listener **out_listener)
{
    struct socket_listener *listener = anyc__zalloc(sizeof *listener);
    int rc;

    if (listener == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = anyc_listener_init(&listener->listener, &socket_listener_ops);
    if (rc == 0)
        rc = anyc__watch_open(loop, fd, &listener->watch);
    if (rc < 0) {
        anyc__free(listener);
        return rc;
    }
    *out_listener = &listener->listener;
    return 0;
}

int anyc_socket_listener_accept(anyc_listener *listener, anyc_byte_stream **out_stream)
{
    return anyc_listener_accept(listener, out_stream);
}
