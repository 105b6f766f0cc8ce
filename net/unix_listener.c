/* SPDX-License-Identifier: MIT */
/*
 * unix_listener.c - listen on a path or an abstract name. AnyIO: create_unix_listener.
 */
#include <anyc/unix_socket.h>

#include "core/descriptor.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/task.h"
#include "net/address.h"
#include "net/socket.h"
#include "net/socket_listener.h"
#include "net/unix_bind.h"

static int unix_listener_check(const char *path, const anyc_create_unix_listener_options *options,
                               struct unix_address *out_address)
{
    int rc = anyc__unix_address_make(path, options->path_len, out_address);

    if (rc == 0)
        rc = anyc__unix_bind_check(out_address, options->mode);
    if (rc == 0 && options->backlog < 0)
        rc = anyc__fail(ANYC_EINVAL, 0, "the backlog is negative");
    return rc;
}

static int unix_listener_listen(int fd, const struct unix_address *address, int backlog)
{
    char name[ANYC__ADDRESS_TEXT_SIZE];
    int rc = anyc__socket_listen(fd, backlog);

    if (rc == 0)
        return 0;
    anyc__address_format((const struct sockaddr *)&address->un, address->len, name, sizeof name);
    return anyc__fail_errno(-rc, "cannot listen on %s", name);
}

int anyc_create_unix_listener(const char *path, const anyc_create_unix_listener_options *options,
                              anyc_listener **out_listener)
{
    static const anyc_create_unix_listener_options defaults;
    struct unix_address address;
    anyc_task *task = NULL;
    int fd;
    int rc;

    if (options == NULL)
        options = &defaults;
    rc = unix_listener_check(path, options, &address);
    if (rc == 0)
        rc = anyc__enter(&task);
    if (rc < 0)
        return rc;
    fd = anyc__unix_bind(task, SOCK_STREAM, &address, options->mode);
    if (fd < 0)
        return fd;
    rc = unix_listener_listen(fd, &address, options->backlog);
    if (rc == 0)
        rc = anyc__socket_listener_create(anyc__loop, fd, out_listener);
    if (rc < 0)
        anyc__descriptor_close(fd);
    return rc;
}
