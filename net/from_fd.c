/* SPDX-License-Identifier: MIT */
/*
 * from_fd.c - streams and listeners of sockets that somebody else made. AnyIO: from_socket.
 */
#include <anyc/from_fd.h>

#include "core/loop.h"
#include "core/task.h"
#include "net/adopt.h"
#include "net/socket_listener.h"
#include "net/socket_stream.h"

static int from_fd_stream(int fd, int family, anyc_byte_stream **out_stream)
{
    const struct adopt_rule rule = {SOCK_STREAM, family, ADOPT_CONNECTED};
    struct adoption adoption = {.fd = -1};
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc == 0)
        rc = anyc__adopt(fd, &rule, &adoption);
    if (rc < 0)
        return rc;
    rc = anyc__socket_stream_open(anyc__loop, fd, (const struct sockaddr *)&adoption.peer,
                                  adoption.peer_len, out_stream);
    if (rc < 0)
        anyc__adopt_undo(&adoption);
    return rc;
}

int anyc_socket_stream_from_fd(int fd, anyc_byte_stream **out_stream)
{
    return from_fd_stream(fd, AF_UNSPEC, out_stream);
}

int anyc_unix_socket_stream_from_fd(int fd, anyc_byte_stream **out_stream)
{
    return from_fd_stream(fd, AF_UNIX, out_stream);
}

int anyc_socket_listener_from_fd(int fd, anyc_listener **out_listener)
{
    const struct adopt_rule rule = {SOCK_STREAM, AF_UNSPEC, ADOPT_LISTENING};
    struct adoption adoption = {.fd = -1};
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc == 0)
        rc = anyc__adopt(fd, &rule, &adoption);
    if (rc < 0)
        return rc;
    rc = anyc__socket_listener_create(anyc__loop, fd, out_listener);
    if (rc < 0)
        anyc__adopt_undo(&adoption);
    return rc;
}
