/* SPDX-License-Identifier: MIT */
/*
 * peer.c - options, listening socket and plain echo of the raw servers.
 */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PEER_BACKLOG = 4096 };

static bool parse_port(const char *text, uint16_t *out)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value > UINT16_MAX)
        return false;
    *out = (uint16_t)value;
    return true;
}

bool peer_options_parse(int argc, char **argv, const char *variant_flag, struct peer_options *out)
{
    struct peer_options options = {.host = "127.0.0.1"};
    bool ok = true;

    for (int i = 1; i < argc && ok; i++) {
        if (strcmp(argv[i], "--host") == 0 && i + 1 < argc)
            options.host = argv[++i];
        else if (strcmp(argv[i], "--port") == 0 && i + 1 < argc)
            ok = parse_port(argv[++i], &options.port);
        else if (strcmp(argv[i], "--unix") == 0 && i + 1 < argc)
            options.unix_path = argv[++i];
        else if (strcmp(argv[i], "--tls") == 0 && i + 2 < argc) {
            options.tls_chain = argv[++i];
            options.tls_key = argv[++i];
        } else if (strcmp(argv[i], "--root") == 0 && i + 1 < argc)
            options.root = argv[++i];
        else if (strcmp(argv[i], "--udp") == 0)
            options.udp = true;
        else if (variant_flag != NULL && strcmp(argv[i], variant_flag) == 0)
            options.variant = true;
        else
            ok = false;
    }
    if (!ok) {
        fprintf(
            stderr,
            "usage: %s [--host H] [--port P] [--unix PATH] [--udp] [--tls CERT KEY] [--root DIR]",
            argv[0]);
        if (variant_flag != NULL)
            fprintf(stderr, " [%s]", variant_flag);
        fputc('\n', stderr);
        return false;
    }
    *out = options;
    return true;
}

void peer_process_init(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            perror("setrlimit");
    }
    signal(SIGPIPE, SIG_IGN);
}

static void announce(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    char host[INET6_ADDRSTRLEN];
    char port[8];

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
        getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    printf(address.ss_family == AF_INET6 ? "listening on [%s]:%s\n" : "listening on %s:%s\n", host,
           port);
    fflush(stdout);
}

/* Bound, and listening unless it is a datagram socket; -1 with errno. */
static int listen_on(int type, const struct sockaddr *address, socklen_t len)
{
    int one = 1;
    int fd = socket(address->sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, address, len) != 0 || (type == SOCK_STREAM && listen(fd, PEER_BACKLOG) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int listen_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = -1;

    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
    } else {
        memcpy(address.sun_path, path, strlen(path));
        fd = listen_on(SOCK_STREAM, (const struct sockaddr *)&address, sizeof address);
    }
    if (fd < 0) {
        fprintf(stderr, "cannot listen on %s: %s\n", path, strerror(errno));
        return -1;
    }
    printf("listening on %s\n", path);
    fflush(stdout);
    return fd;
}

static int listen_inet(const struct peer_options *options)
{
    struct addrinfo hints = {.ai_socktype = options->udp ? SOCK_DGRAM : SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *info = NULL;
    char port[8];
    int fd;
    int rc;

    snprintf(port, sizeof port, "%u", (unsigned)options->port);
    rc = getaddrinfo(options->host, port, &hints, &info);
    if (rc != 0) {
        fprintf(stderr, "%s: %s\n", options->host, gai_strerror(rc));
        return -1;
    }
    fd = listen_on(info->ai_socktype, info->ai_addr, info->ai_addrlen);
    if (fd < 0)
        fprintf(stderr, "cannot listen on %s port %s: %s\n", options->host, port, strerror(errno));
    else
        announce(fd);
    freeaddrinfo(info);
    return fd;
}

int peer_listen(const struct peer_options *options)
{
    return options->unix_path != NULL ? listen_unix(options->unix_path) : listen_inet(options);
}

/* Free the descriptor kept in reserve, take the connection with it, drop it. */
static int accept_and_drop(int listen_fd, int *reserve_fd)
{
    int fd;

    if (*reserve_fd < 0)
        return -1;
    close(*reserve_fd);
    fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    *reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? -2 : -1;
}

int peer_accept(int listen_fd)
{
    static int reserve_fd = -1;
    int one = 1;
    int fd;

    if (reserve_fd < 0)
        reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        return accept_and_drop(listen_fd, &reserve_fd);
    if (fd < 0)
        return errno == ECONNABORTED || errno == EINTR ? -2 : -1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 && errno != EOPNOTSUPP)
        perror("TCP_NODELAY"); /* UNIX sockets have no such option */
    return fd;
}

void peer_ring_init(struct peer_conn *ring)
{
    *ring = (struct peer_conn){.fd = -1, .next = ring, .prev = ring};
}

void peer_conn_init(struct peer_conn *conn, int fd, struct peer_conn *ring)
{
    *conn = (struct peer_conn){.fd = fd, .next = ring->next, .prev = ring};
    ring->next->prev = conn;
    ring->next = conn;
}

void peer_conn_close(struct peer_conn *conn)
{
    conn->next->prev = conn->prev;
    conn->prev->next = conn->next;
    free(conn->rest);
    if (conn->fd >= 0)
        close(conn->fd);
}

enum peer_want peer_conn_keep_rest(struct peer_conn *conn, const uint8_t *data, size_t len)
{
    conn->rest = malloc(len);
    if (conn->rest == NULL)
        return PEER_WANT_CLOSE;
    memcpy(conn->rest, data, len);
    conn->rest_start = 0;
    conn->rest_len = len;
    return PEER_WANT_WRITE;
}

enum peer_want peer_conn_rest_sent(struct peer_conn *conn, size_t sent)
{
    conn->rest_start += sent;
    if (conn->rest_start < conn->rest_len)
        return PEER_WANT_WRITE;
    free(conn->rest);
    conn->rest = NULL;
    conn->rest_start = 0;
    conn->rest_len = 0;
    return PEER_WANT_READ;
}

enum peer_want peer_conn_on_readable(struct peer_conn *conn, uint8_t *buf)
{
    ssize_t got = recv(conn->fd, buf, PEER_BUFFER_BYTES, 0);
    ssize_t sent;

    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? PEER_WANT_READ : PEER_WANT_CLOSE;
    if (got == 0)
        return PEER_WANT_CLOSE;
    sent = send(conn->fd, buf, (size_t)got, MSG_NOSIGNAL);
    if (sent == got)
        return PEER_WANT_READ;
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR)
            return PEER_WANT_CLOSE;
        sent = 0;
    }
    return peer_conn_keep_rest(conn, buf + sent, (size_t)(got - sent));
}

enum peer_want peer_conn_on_writable(struct peer_conn *conn)
{
    ssize_t sent = send(conn->fd, conn->rest + conn->rest_start, conn->rest_len - conn->rest_start,
                        MSG_NOSIGNAL);

    if (sent < 0)
        return errno == EAGAIN || errno == EINTR ? PEER_WANT_WRITE : PEER_WANT_CLOSE;
    return peer_conn_rest_sent(conn, (size_t)sent);
}

void peer_datagrams_on_readable(int fd, uint8_t *buf)
{
    struct sockaddr_storage from;
    socklen_t len;
    ssize_t got = 0;

    for (int i = 0; i < PEER_DATAGRAMS && got >= 0; i++) {
        len = sizeof from;
        got = recvfrom(fd, buf, PEER_BUFFER_BYTES, 0, (struct sockaddr *)&from, &len);
        /* An answer for which there is no room is lost, as any datagram may be. */
        if (got >= 0)
            (void)sendto(fd, buf, (size_t)got, 0, (const struct sockaddr *)&from, len);
    }
}
