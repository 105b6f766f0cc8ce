/* SPDX-License-Identifier: MIT */
/*
 * peer.c - plain POSIX sockets for the other side of a connection under test.
 */
#include "peer.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <check.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#define PEER_SECONDS 10

/* Any address of the two families. */
union peer_address {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
};

static socklen_t peer_address_make(union peer_address *address, const char *host, int port)
{
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, host, &address->inet.sin_addr) == 1) {
        address->inet.sin_family = AF_INET;
        address->inet.sin_port = htons((uint16_t)port);
        return sizeof address->inet;
    }
    ck_assert_int_eq(inet_pton(AF_INET6, host, &address->inet6.sin6_addr), 1);
    address->inet6.sin6_family = AF_INET6;
    address->inet6.sin6_port = htons((uint16_t)port);
    return sizeof address->inet6;
}

int peer_socket(int family)
{
    const struct timeval limit = {.tv_sec = PEER_SECONDS};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_msg(fd >= 0, "socket: %s", strerror(errno));
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    return fd;
}

const char *peer_loopback(int family)
{
    return family == AF_INET6 ? "::1" : "127.0.0.1";
}

bool peer_has_family(int family)
{
    union peer_address address;
    socklen_t len = peer_address_make(&address, peer_loopback(family), 0);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, &address.any, len) == 0;

    if (fd >= 0)
        close(fd);
    return has;
}

void peer_for_each_family(void (*body)(int family))
{
    body(AF_INET);
    if (peer_has_family(AF_INET6))
        body(AF_INET6);
}

static int peer_listen_with(const char *host, int port, int backlog)
{
    union peer_address address;
    socklen_t len = peer_address_make(&address, host == NULL ? "::" : host, port);
    int v6_only = host != NULL;
    int fd = peer_socket(address.any.sa_family);

    if (address.any.sa_family == AF_INET6)
        ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only), 0);
    ck_assert_msg(bind(fd, &address.any, len) == 0, "bind: %s", strerror(errno));
    ck_assert_int_eq(listen(fd, backlog), 0);
    return fd;
}

int peer_listen_on(const char *host)
{
    return peer_listen_with(host, 0, 128);
}

int peer_listen_at(const char *host, int port)
{
    return peer_listen_with(host, port, 128);
}

int peer_listen_full(const char *host, int *out_filler)
{
    union peer_address address;
    int fd = peer_listen_with(host, 0, 0);
    socklen_t len = peer_address_make(&address, host, peer_port(fd));

    *out_filler = peer_socket(address.any.sa_family);
    ck_assert_int_eq(connect(*out_filler, &address.any, len), 0);
    return fd;
}

int peer_listen(int family)
{
    return peer_listen_on(peer_loopback(family));
}

int peer_port(int fd)
{
    union peer_address address;
    socklen_t len = sizeof address;

    ck_assert_int_eq(getsockname(fd, &address.any, &len), 0);
    return ntohs(address.any.sa_family == AF_INET6 ? address.inet6.sin6_port
                                                   : address.inet.sin_port);
}

int peer_accept(int listener)
{
    const struct timeval limit = {.tv_sec = PEER_SECONDS};
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    ck_assert_msg(fd >= 0, "accept: %s", strerror(errno));
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    return fd;
}

void peer_drain(int listener)
{
    struct pollfd wanted = {.fd = listener, .events = POLLIN};

    while (poll(&wanted, 1, 0) == 1)
        close(peer_accept(listener));
}

int peer_connect(int family, int port)
{
    union peer_address address;
    socklen_t len = peer_address_make(&address, peer_loopback(family), port);
    int fd = peer_socket(family);

    ck_assert_msg(connect(fd, &address.any, len) == 0, "connect: %s", strerror(errno));
    return fd;
}

bool peer_send(int fd, const void *data, size_t len)
{
    const char *bytes = data;
    ssize_t n = 1;

    while (len > 0 && n > 0) {
        n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return len == 0;
}

void peer_fill(int fd)
{
    static const char block[4096];
    struct pollfd wanted = {.fd = fd, .events = POLLOUT};
    int quiet = 0;

    while (quiet < 5) {
        if (send(fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
            quiet = 0;
        } else {
            ck_assert_int_eq(errno, EAGAIN);
            quiet++;
            ck_assert_int_ge(poll(&wanted, 1, 3), 0);
        }
    }
}

size_t peer_receive(int fd, void *buf, size_t len)
{
    char *bytes = buf;
    size_t received = 0;
    ssize_t n = 1;

    while (received < len && n > 0) {
        n = recv(fd, bytes + received, len - received, 0);
        ck_assert_msg(n >= 0, "recv: %s", strerror(errno));
        received += (size_t)n;
    }
    return received;
}

void peer_wait_readable(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};

    ck_assert_int_eq(poll(&wanted, 1, PEER_SECONDS * 1000), 1);
}

void peer_reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(fd);
}

int peer_count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void *peer_main(void *arg)
{
    struct peer_thread *peer = arg;

    peer->body(peer);
    return NULL;
}

void peer_start(struct peer_thread *peer, void (*body)(struct peer_thread *peer), int fd)
{
    peer->body = body;
    peer->fd = fd;
    ck_assert_int_eq(pthread_create(&peer->thread, NULL, peer_main, peer), 0);
}

void peer_join(struct peer_thread *peer)
{
    ck_assert_int_eq(pthread_join(peer->thread, NULL), 0);
}
