/* SPDX-License-Identifier: MIT */
/*
 * echo_epoll.c - echo server on plain epoll, level-triggered: the yardstick of the echo suite.
 *
 * Read interest stays armed as long as a connection has nothing left over, so a message costs one
 * recv, one send and a share of an epoll_wait. All connections read into one buffer. With --udp it
 * answers datagrams instead.
 */
#include "peer_epoll.h"

#include <stdlib.h>
#include <unistd.h>

struct server {
    struct peer_epoll loop;
    bool udp;
    struct peer_conn ring;
    uint8_t buf[PEER_BUFFER_BYTES];
};

static void server_accept(struct server *server)
{
    struct peer_conn *conn;
    int fd;

    while ((fd = peer_accept(server->loop.listen_fd)) != -1) {
        if (fd < 0)
            continue;
        conn = malloc(sizeof *conn);
        if (conn == NULL) {
            close(fd);
            continue;
        }
        peer_conn_init(conn, fd, &server->ring);
        if (peer_epoll_watch(&server->loop, EPOLL_CTL_ADD, fd, EPOLLIN, conn) != 0) {
            peer_conn_close(conn);
            free(conn);
        }
    }
}

static void server_on_listener(struct peer_epoll *loop)
{
    struct server *server = (struct server *)loop;

    if (server->udp)
        peer_datagrams_on_readable(loop->listen_fd, server->buf);
    else
        server_accept(server);
}

static void server_on_event(struct peer_epoll *loop, void *data, uint32_t events)
{
    struct server *server = (struct server *)loop;
    struct peer_conn *conn = data;
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

        if (peer_epoll_watch(loop, EPOLL_CTL_MOD, conn->fd, interest, conn) != 0)
            want = PEER_WANT_CLOSE;
    }
    if (want == PEER_WANT_CLOSE) {
        peer_conn_close(conn);
        free(conn);
    }
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
    peer_epoll_close(&server->loop);
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
    server->loop.on_listener = server_on_listener;
    server->loop.on_event = server_on_event;
    server->udp = options.udp;
    peer_ring_init(&server->ring);
    rc = peer_epoll_open(&server->loop, &options);
    if (rc == 0)
        peer_epoll_run(&server->loop);
    server_close(server);
    free(server);
    return rc == 0 ? 0 : 1;
}
