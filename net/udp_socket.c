/* SPDX-License-Identifier: MIT */
/*
 * udp_socket.c - UDP sockets, connected or not. AnyIO: create_udp_socket,
 * create_connected_udp_socket.
 */
#include <anyc/udp_socket.h>

#include <errno.h>

#include <netinet/in.h>

#include "core/descriptor.h"
#include "core/error.h"
#include "core/list.h"
#include "core/task.h"
#include "net/address.h"
#include "net/datagram.h"
#include "net/resolver.h"
#include "net/socket.h"

#define UDP_PORT_MAX 65535

struct udp_address {
    struct sockaddr_storage storage;
    socklen_t len; /* 0: none */
};

static struct datagram_socket *udp_of(anyc_udp_socket *socket)
{
    return ANYC__CONTAINER(socket, struct datagram_socket, udp);
}

static struct datagram_socket *connected_udp_of(anyc_connected_udp_socket *socket)
{
    return ANYC__CONTAINER(socket, struct datagram_socket, connected_udp);
}

/* -- arguments -- */

static int udp_check_local(int family, int local_port)
{
    if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6)
        return anyc__fail(ANYC_EINVAL, 0, "address family %d is not one of IP", family);
    if (local_port < 0 || local_port > UDP_PORT_MAX)
        return anyc__fail(ANYC_EINVAL, 0, "local port %d is not within 0..%d", local_port,
                          UDP_PORT_MAX);
    return 0;
}

static int udp_check_remote(const char *host, int port)
{
    if (host == NULL || *host == '\0')
        return anyc__fail(ANYC_EINVAL, 0, "no host to send to");
    if (port < 1 || port > UDP_PORT_MAX)
        return anyc__fail(ANYC_EINVAL, 0, "port %d is not within 1..%d", port, UDP_PORT_MAX);
    return 0;
}

/* -- addresses -- */

static void udp_wildcard(int family, int port, struct udp_address *out_address)
{
    (void)anyc__address_parse(family == AF_INET6 ? "::" : "0.0.0.0", port, &out_address->storage,
                              &out_address->len);
}

/* The first address of a host. A literal one is not looked up, but must be of the family. */
static int udp_find(const char *host, int port, int family, int flags,
                    struct udp_address *out_address)
{
    anyc_addrinfo_list found = {0};
    int rc;

    if (anyc__address_parse(host, port, &out_address->storage, &out_address->len)) {
        if (family != AF_UNSPEC && family != out_address->storage.ss_family)
            return anyc__fail(-EAFNOSUPPORT, EAFNOSUPPORT, "%s is of another address family", host);
        return 0;
    }
    rc = anyc__resolve(host, port, family, SOCK_DGRAM, flags, &found);
    if (rc == 0 && found.count == 0)
        rc = anyc__resolver_fail(EAI_NONAME, 0, host);
    if (rc == 0) {
        out_address->storage = found.items[0].address;
        out_address->len = found.items[0].address_len;
    }
    anyc_freeaddrinfo(&found);
    return rc;
}

/* -- sockets -- */

/* What bind(2) or connect(2) is to do. */
struct udp_plan {
    struct udp_address local;  /* len 0: do not bind */
    struct udp_address remote; /* len 0: do not connect */
    bool reuse_port;
    bool ipv6_only;
};

static int udp_fail(int error, const char *verb, const struct udp_address *address)
{
    char text[ANYC__ADDRESS_TEXT_SIZE];

    anyc__address_format((const struct sockaddr *)&address->storage, address->len, text,
                         sizeof text);
    return anyc__fail_errno(error, "cannot %s a UDP socket to %s", verb, text);
}

static int udp_set_options(int fd, int family, const struct udp_plan *plan)
{
    int rc = 0;

    if (plan->ipv6_only && family == AF_INET6)
        rc = anyc__socket_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (rc == 0 && plan->reuse_port)
        rc = anyc__socket_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    return rc < 0 ? anyc__fail_errno(-rc, "cannot set up a UDP socket") : 0;
}

static int udp_bind_and_connect(int fd, const struct udp_plan *plan)
{
    const struct udp_address *local = &plan->local;
    const struct udp_address *remote = &plan->remote;

    if (local->len > 0 && bind(fd, (const struct sockaddr *)&local->storage, local->len) < 0)
        return udp_fail(errno, "bind", local);
    if (remote->len > 0 && connect(fd, (const struct sockaddr *)&remote->storage, remote->len) < 0)
        return udp_fail(errno, "connect", remote);
    return 0;
}

static int udp_create(anyc_task *task, const struct udp_plan *plan,
                      struct datagram_socket **out_socket)
{
    bool connected = plan->remote.len > 0;
    int family = (connected ? &plan->remote : &plan->local)->storage.ss_family;
    int fd = anyc__socket_open(family, SOCK_DGRAM);
    int rc;

    if (fd < 0)
        return anyc__fail_errno(-fd, "cannot make a UDP socket");
    rc = udp_set_options(fd, family, plan);
    if (rc == 0)
        rc = udp_bind_and_connect(fd, plan);
    if (rc == 0 && connected)
        rc = anyc__datagram_create_connected(task->loop, fd, DATAGRAM_CONNECTED_UDP, family,
                                             out_socket);
    else if (rc == 0)
        rc = anyc__datagram_create(task->loop, fd, DATAGRAM_UDP, family, NULL, 0, out_socket);
    if (rc < 0)
        anyc__descriptor_close(fd);
    return rc;
}

/* -- not connected -- */

int anyc_create_udp_socket(const anyc_create_udp_socket_options *options,
                           anyc_udp_socket **out_socket)
{
    static const anyc_create_udp_socket_options none;
    struct udp_plan plan = {.local.len = 0};
    struct datagram_socket *socket = NULL;
    anyc_task *task;
    int rc;

    if (options == NULL)
        options = &none;
    if (options->family == AF_UNSPEC && options->local_host == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "a UDP socket needs a family or a local host");
    rc = udp_check_local(options->family, options->local_port);
    if (rc == 0)
        rc = anyc__enter(&task);
    if (rc == 0 && options->local_host != NULL)
        rc = udp_find(options->local_host, options->local_port, options->family, AI_PASSIVE,
                      &plan.local);
    if (rc < 0)
        return rc;
    if (options->local_host == NULL)
        udp_wildcard(options->family, options->local_port, &plan.local);
    plan.reuse_port = options->reuse_port;
    plan.ipv6_only = options->ipv6_only;
    rc = udp_create(task, &plan, &socket);
    if (rc == 0)
        *out_socket = &socket->udp;
    return rc;
}

int anyc_udp_socket_from_fd(int fd, anyc_udp_socket **out_socket)
{
    struct datagram_socket *socket = NULL;
    int rc = anyc__datagram_adopt(fd, DATAGRAM_UDP, &socket);

    if (rc == 0)
        *out_socket = &socket->udp;
    return rc;
}

int anyc_udp_socket_receive(anyc_udp_socket *socket, anyc_datagram *datagram)
{
    return anyc__datagram_receive(udp_of(socket), datagram);
}

ssize_t anyc_udp_socket_receive_many(anyc_udp_socket *socket, anyc_datagram *datagrams,
                                     size_t count)
{
    return anyc__datagram_receive_many(udp_of(socket), datagrams, count);
}

int anyc_udp_socket_send(anyc_udp_socket *socket, const anyc_datagram *datagram)
{
    return anyc__datagram_send(udp_of(socket), datagram);
}

ssize_t anyc_udp_socket_send_many(anyc_udp_socket *socket, const anyc_datagram *datagrams,
                                  size_t count)
{
    return anyc__datagram_send_many(udp_of(socket), datagrams, count);
}

int anyc_udp_socket_sendto(anyc_udp_socket *socket, const void *data, size_t len, const char *host,
                           int port)
{
    struct datagram_socket *self = udp_of(socket);
    anyc_datagram datagram = {.data = (void *)data, .len = len};
    struct udp_address address;
    int rc = udp_check_remote(host, port);

    if (rc == 0)
        rc = anyc__datagram_begin_send(self);
    if (rc < 0)
        return rc;
    rc = udp_find(host, port, self->family, 0, &address);
    if (rc == 0) {
        datagram.address = address.storage;
        datagram.address_len = address.len;
        rc = anyc__datagram_write(self, &datagram);
    }
    anyc__datagram_end_send(self);
    return rc;
}

/* -- connected -- */

/* Find where to bind to and what to connect to. */
static int udp_plan_connected(struct udp_plan *plan, const char *host, int port,
                              const anyc_create_connected_udp_socket_options *options)
{
    int family = options->family;
    int rc = 0;

    if (options->local_host != NULL) {
        rc = udp_find(options->local_host, options->local_port, family, AI_PASSIVE, &plan->local);
        family = plan->local.storage.ss_family;
    }
    if (rc == 0)
        rc = udp_find(host, port, family, 0, &plan->remote);
    if (rc == 0 && options->local_host == NULL && options->local_port != 0)
        udp_wildcard(plan->remote.storage.ss_family, options->local_port, &plan->local);
    return rc;
}

int anyc_create_connected_udp_socket(const char *host, int port,
                                     const anyc_create_connected_udp_socket_options *options,
                                     anyc_connected_udp_socket **out_socket)
{
    static const anyc_create_connected_udp_socket_options defaults;
    struct udp_plan plan = {.local.len = 0};
    struct datagram_socket *socket = NULL;
    anyc_task *task;
    int rc;

    if (options == NULL)
        options = &defaults;
    plan.reuse_port = options->reuse_port;
    rc = udp_check_remote(host, port);
    if (rc == 0)
        rc = udp_check_local(options->family, options->local_port);
    if (rc == 0)
        rc = anyc__enter(&task);
    if (rc == 0)
        rc = udp_plan_connected(&plan, host, port, options);
    if (rc == 0)
        rc = udp_create(task, &plan, &socket);
    if (rc == 0)
        *out_socket = &socket->connected_udp;
    return rc;
}

int anyc_connected_udp_socket_from_fd(int fd, anyc_connected_udp_socket **out_socket)
{
    struct datagram_socket *socket = NULL;
    int rc = anyc__datagram_adopt(fd, DATAGRAM_CONNECTED_UDP, &socket);

    if (rc == 0)
        *out_socket = &socket->connected_udp;
    return rc;
}

ssize_t anyc_connected_udp_socket_receive(anyc_connected_udp_socket *socket, void *buf, size_t size,
                                          bool *out_truncated)
{
    return anyc__datagram_receive_bytes(connected_udp_of(socket), buf, size, out_truncated);
}

ssize_t anyc_connected_udp_socket_receive_many(anyc_connected_udp_socket *socket,
                                               anyc_datagram *datagrams, size_t count)
{
    return anyc__datagram_receive_many(connected_udp_of(socket), datagrams, count);
}

int anyc_connected_udp_socket_send(anyc_connected_udp_socket *socket, const void *data, size_t len)
{
    return anyc__datagram_send_bytes(connected_udp_of(socket), data, len);
}

ssize_t anyc_connected_udp_socket_send_many(anyc_connected_udp_socket *socket,
                                            const anyc_datagram *datagrams, size_t count)
{
    return anyc__datagram_send_many(connected_udp_of(socket), datagrams, count);
}
