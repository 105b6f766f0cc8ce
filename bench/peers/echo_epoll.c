/* SPDX-License-Identifier: MIT */
/*
 * echo_epoll.c - echo server on plain epoll, level-triggered: the yardstick of the echo suite.
 *
 * Read interest stays armed as long as a connection has nothing left over, so a message costs one
 * recv, one send and a share of an epoll_wait. All connections read into one buffer. With --udp it
 * answers datagrams instead.
 */
#include "peer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EVENTS_PER_WAIT = 1024 };

struct server {
    int epoll_fd;
    int listen_fd; /* or the UDP socket */
    int signal_fd;
    bool udp;
    bool stop;
    struct peer_conn ring;
    struct epoll_event events[EVENTS_PER_WAIT];
    uint8_t buf[PEER_BUFFER_BYTES];
};

static int server_watch(const struct server *server, int op, int fd, uint32_t events, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};

    return epoll_ctl(server->epoll_fd, op, fd, &event);
}

static void server_accept(struct server *server)
{
    struct peer_conn *conn;
    int fd;

    while ((fd = peer_accept(server->listen_fd)) != -1) {
        if (fd < 0)
            continue;
        conn = malloc(sizeof *conn);
        if (conn == NULL) {
            close(fd);
            continue;
        }
        peer_conn_init(conn, fd, &server->ring);
        if (server_watch(server, EPOLL_CTL_ADD, fd, EPOLLIN, conn) != 0) {
            peer_conn_close(conn);
            free(conn);
        }
    }
}

static void server_handle(struct server *server, struct peer_conn *conn, uint32_t events)
{
    bool writing = conn->rest != NULL;
    enum peer_want want;

    if (writing && (events & EPOLLOUT) != 0)
        want = peer_conn_on_writable(conn);
    else if (!writing)
        want = peer_conn_on_readable(conn, server->buf);
    else
        want = PEER_WANT_CLOSE; /* EPOLLERR or EPOLLHUP alone */
    if (want != PEER_WANT_CLOSE && writing != (want == PEER_WANT_WRITE)) {
        uint32_t interest = want == PEER_WANT_WRITE ? EPOLLOUT : EPOLLIN;

        if (server_watch(server, EPOLL_CTL_MOD, conn->fd, interest, conn) != 0)
            want = PEER_WANT_CLOSE;
    }
    if (want == PEER_WANT_CLOSE) {
        peer_conn_close(conn);
        free(conn);
    }
}

static void server_dispatch(struct server *server, const struct epoll_event *event)
{
    if (event->data.ptr == &server->listen_fd && server->udp)
        peer_datagrams_on_readable(server->listen_fd, server->buf);
    else if (event->data.ptr == &server->listen_fd)
        server_accept(server);
    else if (event->data.ptr == &server->signal_fd)
        server->stop = true;
    else
        server_handle(server, event->data.ptr, event->events);
}

static void server_run(struct server *server)
{
    while (!server->stop) {
        int count = epoll_wait(server->epoll_fd, server->events, EVENTS_PER_WAIT, -1);

        for (int i = 0; i < count; i++)
            server_dispatch(server, &server->events[i]);
    }
}

static int signals_open(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int server_open(struct server *server, const struct peer_options *options)
{
    peer_ring_init(&server->ring);
    server->udp = options->udp;
    server->listen_fd = -1;
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->signal_fd = signals_open();
    if (server->epoll_fd < 0 || server->signal_fd < 0 ||
        server_watch(server, EPOLL_CTL_ADD, server->signal_fd, EPOLLIN, &server->signal_fd) != 0) {
        perror("epoll");
        return -1;
    }
    server->listen_fd = peer_listen(options);
    if (server->listen_fd < 0)
        return -1;
    return server_watch(server, EPOLL_CTL_ADD, server->listen_fd, EPOLLIN, &server->listen_fd);
}

static void server_close(struct server *server)
{
    struct peer_conn *conn = server->ring.next;

    while (conn != &server->ring) {
        struct peer_conn *next = conn->next;

        peer_conn_close(conn);
        free(conn);
        conn = next;
    }
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    if (server->signal_fd >= 0)
        close(server->signal_fd);
    if (server->epoll_fd >= 0)
        close(server->epoll_fd);
}

int main(int argc, char **argv)
{
    struct peer_options options;
    struct server *server;
    int rc;

    if (!peer_options_parse(argc, argv, NULL, &options))
        return 2;
    peer_process_init();
    server = calloc(1, sizeof *server);
    if (server == NULL)
        return 1;
    rc = server_open(server, &options);
    if (rc == 0)
        server_run(server);
    server_close(server);
    free(server);
    return rc == 0 ? 0 : 1;
}
