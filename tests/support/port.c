/* SPDX-License-Identifier: MIT */
/*
 * port.c - free ports for tests. AnyIO: free_tcp_port, free_udp_port.
 *
 * The system gives a port to a socket that was bound to port 0 on all addresses; nothing listened
 * on it, so it is free again when the socket is closed.
 */
#include <anyc/testing.h>

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bind to port 0 of every IPv6 and, as one socket serves both, every IPv4 address. */
static int port_bind_both(int fd)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
    socklen_t len = sizeof any;
    int off = 0;

    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&any, len) < 0)
        return -errno;
    if (getsockname(fd, (struct sockaddr *)&any, &len) < 0)
        return -errno;
    return ntohs(any.sin6_port);
}

static int port_bind_ipv4(int fd)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    socklen_t len = sizeof any;

    if (bind(fd, (struct sockaddr *)&any, len) < 0)
        return -errno;
    if (getsockname(fd, (struct sockaddr *)&any, &len) < 0)
        return -errno;
    return ntohs(any.sin_port);
}

static int port_find(int family, int type)
{
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    int port;

    if (fd < 0)
        return -errno;
    port = family == AF_INET6 ? port_bind_both(fd) : port_bind_ipv4(fd);
    close(fd);
    return port;
}

static int port_free(int type)
{
    int port = port_find(AF_INET6, type);

    if (port < 0) /* a machine without IPv6 */
        port = port_find(AF_INET, type);
    return port;
}

int anyc_testing_free_tcp_port(void)
{
    return port_free(SOCK_STREAM);
}

int anyc_testing_free_udp_port(void)
{
    return port_free(SOCK_DGRAM);
}
