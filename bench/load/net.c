/* SPDX-License-Identifier: MIT */
/*
 * net.c - sockets and message bytes of the load generator.
 */
#include "load.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LOOPBACK_NET = 127, LANES = 250 };

static struct sockaddr_storage server_address;
static socklen_t server_address_len;
static uint8_t pattern[LOAD_PATTERN_PERIOD + LOAD_CHUNK_BYTES];

static bool use_path(const char *path)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&server_address;

    if (strlen(path) >= sizeof address->sun_path) {
        fprintf(stderr, "load: the path %s is too long\n", path);
        return false;
    }
    address->sun_family = AF_UNIX;
    strcpy(address->sun_path, path); /* NOLINT(clang-analyzer-security.insecureAPI.strcpy): fits */
    server_address_len = sizeof *address;
    return true;
}

bool load_net_init(const struct load_options *options)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *info = NULL;
    int rc;

    if (options->unix_path != NULL)
        return use_path(options->unix_path);
    rc = getaddrinfo(options->host, options->port, &hints, &info);
    if (rc != 0) {
        fprintf(stderr, "load: %s port %s: %s\n", options->host, options->port, gai_strerror(rc));
        return false;
    }
    memcpy(&server_address, info->ai_addr, info->ai_addrlen);
    server_address_len = info->ai_addrlen;
    freeaddrinfo(info);
    return true;
}

/* TCP: no delay, and the source 127.0.0.(1 + lane); the port is chosen by connect. */
static int prepare_tcp(int fd, unsigned lane)
{
    const struct sockaddr_in *server = (const struct sockaddr_in *)&server_address;
    struct sockaddr_in source = {.sin_family = AF_INET};
    int one = 1;

    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0)
        return -1;
    if (server->sin_family != AF_INET || ntohl(server->sin_addr.s_addr) >> 24 != LOOPBACK_NET)
        return 0;
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + lane % LANES);
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) != 0)
        return -1;
    return bind(fd, (const struct sockaddr *)&source, sizeof source);
}

/* `fd` if its connecting has begun; else it is closed, and the answer is -1. */
static int start_connecting(int fd)
{
    if (connect(fd, (struct sockaddr *)&server_address, server_address_len) == 0 ||
        errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

int load_net_connect(unsigned lane)
{
    int fd = socket(server_address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (server_address.ss_family != AF_UNIX && prepare_tcp(fd, lane) != 0) {
        close(fd);
        return -1;
    }
    return start_connecting(fd);
}

int load_net_datagram(void)
{
    int fd = socket(server_address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -1 : start_connecting(fd);
}

bool load_net_wait(int fd, short events, int timeout_ms)
{
    struct pollfd pollfd = {.fd = fd, .events = events};

    return poll(&pollfd, 1, timeout_ms) == 1;
}

void load_pattern_init(void)
{
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i % LOAD_PATTERN_PERIOD);
}

const uint8_t *load_pattern(uint64_t position)
{
    return pattern + position % LOAD_PATTERN_PERIOD;
}
