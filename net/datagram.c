/* SPDX-License-Identifier: MIT */
/*
 * datagram.c - what is behind the four kinds of datagram sockets. AnyIO: abc.UDPSocket,
 * ConnectedUDPSocket, UNIXDatagramSocket, ConnectedUNIXDatagramSocket.
 *
 * The system call first, a wait when it would block, and again. No wait follows once a datagram was
 * taken, so a cancellation loses none.
 */
#include "net/datagram.h"

#include <errno.h>
#include <string.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/task.h"
#include "net/address.h"
#include "net/adopt.h"
#include "net/datagram_io.h"
#include "net/pause.h"
#include "net/socket.h"

static const struct wait_type datagram_pause_wait = {"room in the receiver's queue", NULL, NULL};

static const struct sockaddr *datagram_peer(const struct datagram_socket *socket)
{
    return socket->peer_len > 0 ? (const struct sockaddr *)(const void *)socket->peer : NULL;
}

/* -- guards -- */

static int datagram_begin(struct datagram_socket *socket, bool *at_work)
{
    return anyc__stream_begin(&socket->life, at_work, socket);
}

static void datagram_end(struct datagram_socket *socket, bool *at_work)
{
    anyc__stream_end(&socket->life, at_work, socket);
}

/* -- errors -- */

/* Does the error say that this datagram cannot be sent, or that the machine is short of something?
 * All others say that the receiver cannot be reached. */
static bool datagram_is_refused(int error)
{
    switch (error) {
    case EMSGSIZE:
    case EINVAL:
    case EFAULT:
    case EAFNOSUPPORT:
    case EDESTADDRREQ:
    case EISCONN:
    case EPROTOTYPE:
    case EACCES:
    case EPERM:
    case ENOMEM:
    case ENOBUFS:
        return true;
    default:
        return false;
    }
}

/* A system call failed. `what`: what it was about, or NULL for the peer. */
static int datagram_fail(const struct datagram_socket *socket, int error, const anyc_datagram *what)
{
    char text[ANYC__ADDRESS_TEXT_SIZE] = "";
    const struct sockaddr *address = datagram_peer(socket);
    socklen_t len = socket->peer_len;
    int code = datagram_is_refused(error) ? -error : ANYC_EBROKEN;

    if (address == NULL && what != NULL && what->address_len > 0) {
        address = (const struct sockaddr *)&what->address;
        len = what->address_len;
    }
    /* an unconnected UNIX socket without an address to send to */
    if (error == ENOTCONN && address == NULL)
        code = -error;
    if (address != NULL)
        anyc__address_format(address, len, text, sizeof text);
    if (what != NULL)
        return anyc__fail(code, error, "cannot send %zu bytes to %s: %s", what->len,
                          address == NULL ? "nobody" : text, anyc_strerror(-error));
    return anyc__fail(code, error, "cannot receive%s%s: %s", address == NULL ? "" : " from ", text,
                      anyc_strerror(-error));
}

/* A wait ended with rc < 0. */
static int datagram_wait_failed(const struct datagram_socket *socket, int rc)
{
    if (rc == ANYC_ECANCELLED)
        return rc;
    if (socket->watch == NULL || rc == ANYC_ECLOSED)
        return anyc__fail_plain(ANYC_ECLOSED);
    return rc; /* somebody waits for the raw descriptor, or the loop cannot; the message is there */
}

/* -- receiving -- */

static ssize_t datagram_take(struct datagram_socket *socket, anyc_datagram *datagrams, size_t count)
{
    bool named = socket->peer_len == 0;
    int fd = socket->watch->fd;
    ssize_t n;

    if (count == 1)
        return anyc__datagram_take(fd, datagrams, named);
    n = anyc__datagram_take_many(fd, datagrams, count, named, &socket->late_error);
    socket->watch->drained = n > 0 && (size_t)n < count;
    return n;
}

static ssize_t datagram_read(struct datagram_socket *socket, anyc_datagram *datagrams, size_t count)
{
    int error = socket->late_error;
    ssize_t n = -EAGAIN;
    int rc = 0;

    if (socket->watch == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    socket->late_error = 0;
    if (error != 0)
        return datagram_fail(socket, error, NULL);
    if (!socket->watch->drained)
        n = datagram_take(socket, datagrams, count);
    while (rc == 0 && n < 0 && anyc__would_block((int)-n)) {
        rc = anyc__watch_wait(socket->watch, ANYC_READABLE);
        if (rc == 0)
            n = datagram_take(socket, datagrams, count);
    }
    if (rc < 0)
        return datagram_wait_failed(socket, rc);
    return n < 0 ? datagram_fail(socket, (int)-n, NULL) : n;
}

ssize_t anyc__datagram_receive_many(struct datagram_socket *socket, anyc_datagram *datagrams,
                                    size_t count)
{
    bool room = count > 0;
    ssize_t n;

    for (size_t i = 0; i < count && room; i++)
        room = datagrams[i].size > 0;
    if (!room)
        return anyc__fail(ANYC_EINVAL, 0, "there is no room to receive a datagram");
    n = datagram_begin(socket, &socket->receiving);
    if (n < 0)
        return n;
    n = datagram_read(socket, datagrams, count);
    datagram_end(socket, &socket->receiving);
    return n;
}

int anyc__datagram_receive(struct datagram_socket *socket, anyc_datagram *datagram)
{
    ssize_t n = anyc__datagram_receive_many(socket, datagram, 1);

    return n < 0 ? (int)n : 0;
}

ssize_t anyc__datagram_receive_bytes(struct datagram_socket *socket, void *buf, size_t size,
                                     bool *out_truncated)
{
    anyc_datagram datagram; /* the address, which is large, is not used */
    ssize_t n;

    datagram.data = buf;
    datagram.size = size;
    datagram.len = 0;
    datagram.truncated = false;
    n = anyc__datagram_receive_many(socket, &datagram, 1);
    if (n < 0)
        return n;
    if (out_truncated != NULL)
        *out_truncated = datagram.truncated;
    return (ssize_t)datagram.len;
}

/* -- sending -- */

/* Wait for a while, or until the socket is closed. */
static int datagram_pause(struct datagram_socket *socket, double seconds)
{
    struct task_wait wait = {.rc = 0};
    int rc;

    anyc__list_push(&socket->pausing, &wait.link);
    rc = anyc__wait_until(&wait, &datagram_pause_wait, socket,
                          anyc__deadline_after(anyc__loop, seconds));
    if (rc == ANYC_ETIMEDOUT)
        rc = 0;
    return socket->watch == NULL && rc == 0 ? ANYC_ECLOSED : rc;
}

/* There was no room. A UNIX socket that is not connected counts as writable also while the queue of
 * the receiver is full: when it was writable, and there is no room `again`, it pauses first, longer
 * each time. */
static int datagram_wait_for_room(struct datagram_socket *socket, struct growing_pause *pause,
                                  bool again)
{
    int rc = 0;

    if (again && socket->kind == DATAGRAM_UNIX)
        rc = datagram_pause(socket, anyc__growing_pause_next(pause));
    return rc < 0 ? rc : anyc__watch_wait(socket->watch, ANYC_WRITABLE);
}

static ssize_t datagram_put(const struct datagram_socket *socket, const anyc_datagram *datagrams,
                            size_t count)
{
    bool named = socket->peer_len == 0;

    if (count == 1)
        return anyc__datagram_put(socket->watch->fd, datagrams, named);
    return anyc__datagram_put_many(socket->watch->fd, datagrams, count, named);
}

static ssize_t datagram_write(struct datagram_socket *socket, const anyc_datagram *datagrams,
                              size_t count)
{
    struct growing_pause pause = {0};
    bool again = false;
    ssize_t n;
    int rc = 0;

    if (socket->watch == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (count == 0)
        return 0;
    n = datagram_put(socket, datagrams, count);
    while (rc == 0 && n < 0 && anyc__would_block((int)-n)) {
        rc = datagram_wait_for_room(socket, &pause, again);
        if (rc == 0)
            n = datagram_put(socket, datagrams, count);
        again = true;
    }
    if (rc < 0)
        return datagram_wait_failed(socket, rc);
    return n < 0 ? datagram_fail(socket, (int)-n, datagrams) : n;
}

int anyc__datagram_begin_send(struct datagram_socket *socket)
{
    return datagram_begin(socket, &socket->sending);
}

int anyc__datagram_write(struct datagram_socket *socket, const anyc_datagram *datagram)
{
    ssize_t n = datagram_write(socket, datagram, 1);

    return n < 0 ? (int)n : 0;
}

void anyc__datagram_end_send(struct datagram_socket *socket)
{
    datagram_end(socket, &socket->sending);
}

ssize_t anyc__datagram_send_many(struct datagram_socket *socket, const anyc_datagram *datagrams,
                                 size_t count)
{
    ssize_t n = datagram_begin(socket, &socket->sending);

    if (n < 0)
        return n;
    n = datagram_write(socket, datagrams, count);
    datagram_end(socket, &socket->sending);
    return n;
}

int anyc__datagram_send(struct datagram_socket *socket, const anyc_datagram *datagram)
{
    ssize_t n = anyc__datagram_send_many(socket, datagram, 1);

    return n < 0 ? (int)n : 0;
}

int anyc__datagram_send_bytes(struct datagram_socket *socket, const void *data, size_t len)
{
    anyc_datagram datagram; /* the address, which is large, is not used */

    datagram.data = (void *)data;
    datagram.len = len;
    datagram.address_len = 0;
    return anyc__datagram_send(socket, &datagram);
}

/* -- the object -- */

static struct datagram_socket *datagram_of(anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct datagram_socket, resource);
}

static int datagram_close(anyc_resource *resource, bool forcefully)
{
    struct datagram_socket *socket = datagram_of(resource);
    anyc_watch *watch = socket->watch;
    anyc_list *node = anyc__list_first(&socket->pausing);
    int fd;

    (void)forcefully; /* what the kernel holds goes out by itself */
    if (watch == NULL)
        return 0;
    socket->watch = NULL;
    fd = watch->fd;
    anyc__watch_close(watch, ANYC_ECLOSED);
    if (node != NULL)
        anyc__wake(ANYC__CONTAINER(node, struct task_wait, link), ANYC_ECLOSED);
    anyc__descriptor_close(fd);
    return 0;
}

static void datagram_destroy(anyc_resource *resource)
{
    struct datagram_socket *socket = datagram_of(resource);

    if (anyc__stream_destroy(&socket->life))
        anyc__free(socket);
}

static int datagram_extra(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out)
{
    struct datagram_socket *socket = datagram_of(resource);
    int fd = socket->watch == NULL ? -1 : socket->watch->fd;

    return anyc__socket_extra(fd, datagram_peer(socket), socket->peer_len, attribute, out);
}

#define DATAGRAM_OPS(name)                                                    \
    {                                                                         \
        .type = (name), .close = datagram_close, .destroy = datagram_destroy, \
        .extra = datagram_extra                                               \
    }

static const anyc_resource_ops datagram_ops[] = {
    [DATAGRAM_UDP] = DATAGRAM_OPS("UDP socket"),
    [DATAGRAM_CONNECTED_UDP] = DATAGRAM_OPS("connected UDP socket"),
    [DATAGRAM_UNIX] = DATAGRAM_OPS("UNIX datagram socket"),
    [DATAGRAM_CONNECTED_UNIX] = DATAGRAM_OPS("connected UNIX datagram socket"),
};

int anyc__datagram_create(anyc_loop *loop, int fd, enum datagram_kind kind, int family,
                          const struct sockaddr *peer, socklen_t peer_len,
                          struct datagram_socket **out_socket)
{
    struct datagram_socket *socket = anyc__zalloc(sizeof *socket + peer_len);
    int rc;

    if (socket == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = anyc__watch_open(loop, fd, &socket->watch);
    if (rc < 0) {
        anyc__free(socket);
        return rc;
    }
    socket->resource.ops = &datagram_ops[kind];
    socket->kind = kind;
    socket->family = family;
    socket->peer_len = peer_len;
    if (peer_len > 0)
        memcpy(socket->peer, peer, peer_len);
    *out_socket = socket;
    return 0;
}

int anyc__datagram_create_connected(anyc_loop *loop, int fd, enum datagram_kind kind, int family,
                                    struct datagram_socket **out_socket)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;

    if (getpeername(fd, (struct sockaddr *)&peer, &len) < 0)
        return anyc__fail_errno(errno, "the peer of a %s", datagram_ops[kind].type);
    return anyc__datagram_create(loop, fd, kind, family, (const struct sockaddr *)&peer, len,
                                 out_socket);
}

static int datagram_check_family(enum datagram_kind kind, const struct adoption *adoption)
{
    bool ip = adoption->family == AF_INET || adoption->family == AF_INET6;

    if (ip || kind == DATAGRAM_UNIX || kind == DATAGRAM_CONNECTED_UNIX)
        return 0;
    return anyc__fail(ANYC_EINVAL, 0, "the socket of descriptor %d is not of IP", adoption->fd);
}

int anyc__datagram_adopt(int fd, enum datagram_kind kind, struct datagram_socket **out_socket)
{
    static const struct adopt_rule rules[] = {
        [DATAGRAM_UDP] = {SOCK_DGRAM, AF_UNSPEC, ADOPT_BOUND},
        [DATAGRAM_CONNECTED_UDP] = {SOCK_DGRAM, AF_UNSPEC, ADOPT_CONNECTED},
        [DATAGRAM_UNIX] = {SOCK_DGRAM, AF_UNIX, ADOPT_ANY},
        [DATAGRAM_CONNECTED_UNIX] = {SOCK_DGRAM, AF_UNIX, ADOPT_CONNECTED},
    };
    struct adoption adoption = {.fd = fd};
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc == 0)
        rc = anyc__adopt(fd, &rules[kind], &adoption);
    if (rc < 0)
        return rc;
    rc = datagram_check_family(kind, &adoption);
    if (rc == 0)
        rc = anyc__datagram_create(task->loop, fd, kind, adoption.family,
                                   (const struct sockaddr *)&adoption.peer, adoption.peer_len,
                                   out_socket);
    if (rc < 0)
        anyc__adopt_undo(&adoption);
    return rc;
}
