/* SPDX-License-Identifier: MIT */
/*
 * datagram_peer.c - plain POSIX datagram sockets for the other side of a socket under test.
 */
#include "datagram_peer.h"

#include <check.h>

#include <errno.h>
#include <string.h>

#include <netinet/in.h>
#include <sys/time.h>

static int datagram_peer_socket(int family)
{
    const struct timeval limit = {.tv_sec = 10};
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_msg(fd >= 0, "socket: %s", strerror(errno));
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    return fd;
}

int datagram_peer_udp(int family, int port)
{
    struct sockaddr_in inet = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 inet6 = {.sin6_family = AF_INET6,
                                 .sin6_port = htons((uint16_t)port),
                                 .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = datagram_peer_socket(family);
    int rc = family == AF_INET6 ? bind(fd, (struct sockaddr *)&inet6, sizeof inet6)
                                : bind(fd, (struct sockaddr *)&inet, sizeof inet);

    ck_assert_msg(rc == 0, "bind: %s", strerror(errno));
    return fd;
}

int datagram_peer_unix(const struct unix_place *place)
{
    int fd = datagram_peer_socket(AF_UNIX);
    struct sockaddr_un address;

    if (place != NULL) {
        socklen_t len = unix_peer_address(place, &address);

        ck_assert_msg(bind(fd, (struct sockaddr *)&address, len) == 0, "bind: %s", strerror(errno));
    }
    return fd;
}

struct datagram_name datagram_peer_name(int fd)
{
    struct datagram_name name = {.len = sizeof name.address};

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name.address, &name.len), 0);
    return name;
}

void datagram_peer_connect(int fd, const struct datagram_name *to)
{
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to->address, to->len), 0);
}

void datagram_peer_send(int fd, const void *data, size_t len, const struct datagram_name *to)
{
    const struct sockaddr *address = to == NULL ? NULL : (const struct sockaddr *)&to->address;
    ssize_t n = sendto(fd, data, len, MSG_NOSIGNAL, address, to == NULL ? 0 : to->len);

    ck_assert_msg(n == (ssize_t)len, "sendto: %s", strerror(errno));
}

size_t datagram_peer_receive(int fd, void *buf, size_t size, struct datagram_name *out_from)
{
    struct datagram_name from = {.len = sizeof from.address};
    ssize_t n = recvfrom(fd, buf, size, 0, (struct sockaddr *)&from.address, &from.len);

    ck_assert_msg(n >= 0, "recvfrom: %s", strerror(errno));
    if (out_from != NULL)
        *out_from = from;
    return (size_t)n;
}

void datagram_peer_check_empty(int fd)
{
    char byte;

    ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    ck_assert_int_eq(errno, EAGAIN);
}
