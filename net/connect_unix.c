/* SPDX-License-Identifier: MIT */
/*
 * connect_unix.c - from a path or an abstract name to a connection. AnyIO: connect_unix.
 *
 * A listener with a full queue answers EAGAIN, and then the socket polls as writable at once: there
 * is nothing to wait for, so the connect is tried again after pauses.
 */
#include <anyc/unix_socket.h>

#include <errno.h>

#include "core/descriptor.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/task.h"
#include "net/address.h"
#include "net/pause.h"
#include "net/socket.h"
#include "net/socket_io.h"
#include "net/socket_stream.h"
#include "net/unix_address.h"

static int connect_unix_fail(int rc, const struct unix_address *address)
{
    char name[ANYC__ADDRESS_TEXT_SIZE];

    if (rc == ANYC_ECANCELLED)
        return rc;
    anyc__address_format((const struct sockaddr *)&address->un, address->len, name, sizeof name);
    return anyc__fail_errno(-rc, "cannot connect to %s", name);
}

/* 0, or with a message ANYC_ECANCELLED or -errno. */
static int connect_unix_try(anyc_watch *watch, const struct unix_address *address)
{
    const struct sockaddr *to = (const struct sockaddr *)&address->un;
    struct growing_pause pause = {0};
    int rc = anyc__backend_connect(watch, to, address->len);

    while (rc == -EAGAIN) {
        rc = anyc__growing_pause(&pause);
        if (rc == 0)
            rc = anyc__backend_connect(watch, to, address->len);
    }
    return rc < 0 ? connect_unix_fail(rc, address) : 0;
}

/* The peer's name is what the listener calls itself, which may differ from how it was reached. */
static int connect_unix_wrap(anyc_watch *watch, const struct unix_address *address,
                             anyc_byte_stream **out_stream)
{
    struct unix_address peer;

    peer.len = sizeof peer.un;
    if (getpeername(watch->fd, (struct sockaddr *)&peer.un, &peer.len) < 0)
        peer = *address;
    return anyc__socket_stream_create(watch, (const struct sockaddr *)&peer.un, peer.len,
                                      out_stream);
}

static int connect_unix_open(anyc_loop *loop, const struct unix_address *address,
                             anyc_byte_stream **out_stream)
{
    anyc_watch *watch = NULL;
    int fd = anyc__socket_open(AF_UNIX, SOCK_STREAM);
    int rc = 0;

    if (fd < 0)
        return anyc__fail_errno(-fd, "cannot make a UNIX socket");
    rc = anyc__watch_open(loop, fd, &watch);
    if (rc == 0)
        rc = connect_unix_try(watch, address);
    if (rc == 0)
        rc = connect_unix_wrap(watch, address, out_stream);
    if (rc == 0) {
        watch = NULL; /* the stream owns them now */
        fd = -1;
    }
    if (watch != NULL)
        anyc__watch_close(watch, ANYC_ECLOSED);
    anyc__descriptor_close(fd);
    return rc;
}

int anyc_connect_unix(const char *path, const anyc_connect_unix_options *options,
                      anyc_byte_stream **out_stream)
{
    struct unix_address address;
    anyc_task *task;
    int rc = anyc__unix_address_make(path, options == NULL ? 0 : options->path_len, &address);

    if (rc == 0)
        rc = anyc__enter(&task);
    return rc < 0 ? rc : connect_unix_open(anyc__loop, &address, out_stream);
}
