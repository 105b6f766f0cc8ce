/* SPDX-License-Identifier: MIT */
/*
 * unix_datagram_socket.c - UNIX datagram sockets, connected or not. AnyIO:
 * create_unix_datagram_socket, create_connected_unix_datagram_socket.
 */
#include <anyc/unix_datagram_socket.h>

#include <errno.h>
#include <string.h>

#include "core/descriptor.h"
#include "core/error.h"
#include "core/list.h"
#include "core/task.h"
#include "net/address.h"
#include "net/datagram.h"
#include "net/socket.h"
#include "net/unix_bind.h"

/* A name of its own, or none. */
struct unix_local {
    struct unix_address address; /* len 0: none */
    int mode;
};

static struct datagram_socket *unix_of(anyc_unix_datagram_socket *socket)
{
    return ANYC__CONTAINER(socket, struct datagram_socket, unix_datagram);
}

static struct datagram_socket *connected_unix_of(anyc_connected_unix_datagram_socket *socket)
{
    return ANYC__CONTAINER(socket, struct datagram_socket, connected_unix_datagram);
}

static int unix_local_make(const char *path, size_t path_len, int mode,
                           struct unix_local *out_local)
{
    int rc;

    *out_local = (struct unix_local){.mode = mode};
    if (path == NULL)
        return mode == 0 ? 0
                         : anyc__fail(ANYC_EINVAL, 0, "a mode was given, but no path to have it");
    rc = anyc__unix_address_make(path, path_len, &out_local->address);
    return rc < 0 ? rc : anyc__unix_bind_check(&out_local->address, mode);
}

/* A socket with that name: a descriptor or an error. */
static int unix_open(anyc_task *task, const struct unix_local *local)
{
    int fd;

    if (local->address.len > 0)
        return anyc__unix_bind(task, SOCK_DGRAM, &local->address, local->mode);
    fd = anyc__socket_open(AF_UNIX, SOCK_DGRAM);
    return fd < 0 ? anyc__fail_errno(-fd, "cannot make a UNIX socket") : fd;
}

static int unix_connect(int fd, const struct unix_address *remote)
{
    const struct sockaddr *address = (const struct sockaddr *)&remote->un;
    char name[ANYC__ADDRESS_TEXT_SIZE];

    if (connect(fd, address, remote->len) == 0)
        return 0;
    anyc__address_format(address, remote->len, name, sizeof name);
    return anyc__fail_errno(errno, "cannot connect a UNIX datagram socket to %s", name);
}

/* -- not connected -- */

int anyc_create_unix_datagram_socket(const anyc_create_unix_datagram_socket_options *options,
                                     anyc_unix_datagram_socket **out_socket)
{
    static const anyc_create_unix_datagram_socket_options defaults;
    struct datagram_socket *socket = NULL;
    struct unix_local local;
    anyc_task *task;
    int fd = -1;
    int rc;

    if (options == NULL)
        options = &defaults;
    rc = unix_local_make(options->local_path, options->local_path_len, options->local_mode, &local);
    if (rc == 0)
        rc = anyc__enter(&task);
    if (rc == 0)
        rc = fd = unix_open(task, &local);
    if (rc >= 0)
        rc = anyc__datagram_create(task->loop, fd, DATAGRAM_UNIX, AF_UNIX, NULL, 0, &socket);
    if (rc < 0) {
        anyc__descriptor_close(fd);
        return rc;
    }
    *out_socket = &socket->unix_datagram;
    return 0;
}

int anyc_unix_datagram_socket_from_fd(int fd, anyc_unix_datagram_socket **out_socket)
{
    struct datagram_socket *socket = NULL;
    int rc = anyc__datagram_adopt(fd, DATAGRAM_UNIX, &socket);

    if (rc == 0)
        *out_socket = &socket->unix_datagram;
    return rc;
}

int anyc_unix_datagram_socket_receive(anyc_unix_datagram_socket *socket, anyc_datagram *datagram)
{
    return anyc__datagram_receive(unix_of(socket), datagram);
}

int anyc_unix_datagram_socket_send(anyc_unix_datagram_socket *socket, const anyc_datagram *datagram)
{
    return anyc__datagram_send(unix_of(socket), datagram);
}

int anyc_unix_datagram_socket_sendto(anyc_unix_datagram_socket *socket, const void *data,
                                     size_t len, const char *path, size_t path_len)
{
    anyc_datagram datagram = {.data = (void *)data, .len = len};
    struct unix_address address;
    int rc = anyc__unix_address_make(path, path_len, &address);

    if (rc < 0)
        return rc;
    memcpy(&datagram.address, &address.un, sizeof address.un);
    datagram.address_len = address.len;
    return anyc__datagram_send(unix_of(socket), &datagram);
}

/* -- connected -- */

int anyc_create_connected_unix_datagram_socket(
    const char *remote_path, const anyc_create_connected_unix_datagram_socket_options *options,
    anyc_connected_unix_datagram_socket **out_socket)
{
    static const anyc_create_connected_unix_datagram_socket_options defaults;
    struct datagram_socket *socket = NULL;
    struct unix_address remote;
    struct unix_local local;
    anyc_task *task;
    int fd = -1;
    int rc;

    if (options == NULL)
        options = &defaults;
    rc = anyc__unix_address_make(remote_path, options->remote_path_len, &remote);
    if (rc == 0)
        rc = unix_local_make(options->local_path, options->local_path_len, options->local_mode,
                             &local);
    if (rc == 0)
        rc = anyc__enter(&task);
    if (rc == 0)
        rc = fd = unix_open(task, &local);
    if (rc >= 0)
        rc = unix_connect(fd, &remote);
    if (rc >= 0)
        rc = anyc__datagram_create_connected(task->loop, fd, DATAGRAM_CONNECTED_UNIX, AF_UNIX,
                                             &socket);
    if (rc < 0) {
        anyc__descriptor_close(fd);
        return rc;
    }
    *out_socket = &socket->connected_unix_datagram;
    return 0;
}

int anyc_connected_unix_datagram_socket_from_fd(int fd,
                                                anyc_connected_unix_datagram_socket **out_socket)
{
    struct datagram_socket *socket = NULL;
    int rc = anyc__datagram_adopt(fd, DATAGRAM_CONNECTED_UNIX, &socket);

    if (rc == 0)
        *out_socket = &socket->connected_unix_datagram;
    return rc;
}

ssize_t anyc_connected_unix_datagram_socket_receive(anyc_connected_unix_datagram_socket *socket,
                                                    void *buf, size_t size, bool *out_truncated)
{
    return anyc__datagram_receive_bytes(connected_unix_of(socket), buf, size, out_truncated);
}

int anyc_connected_unix_datagram_socket_send(anyc_connected_unix_datagram_socket *socket,
                                             const void *data, size_t len)
{
    return anyc__datagram_send_bytes(connected_unix_of(socket), data, len);
}
