/* SPDX-License-Identifier: MIT */
/*
 * echo_event.c - echo server on plain libevent: persistent read events and direct system calls;
 * with --bufferevent the library's buffered sockets instead.
 *
 * Events are placed inside the connection (event_assign) and the base takes no locks: both are
 * what a careful author does by hand. In the bufferevent form the input's chain is moved to the
 * output, so no byte is copied by this program. With --udp it answers datagrams instead.
 */
#include "peer.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A peer that sends without receiving is not read from while this much waits to be sent. */
enum { OUTPUT_LIMIT_BYTES = 4 * PEER_BUFFER_BYTES };

struct server {
    struct event_base *base;
    struct event accept_event;
    struct event term_event;
    bool buffered;
    int listen_fd;
    struct peer_conn ring; /* connections of the plain form */
    uint8_t buf[PEER_BUFFER_BYTES];
};

/* The ring's node comes first, so that a node is its connection. */
struct conn {
    struct peer_conn peer;
    struct server *server;
    struct bufferevent *bev; /* the buffered form only; it then owns the descriptor */
    struct event read_event; /* the plain form only */
    struct event write_event;
};

static void conn_free(struct conn *conn)
{
    if (conn->bev != NULL) {
        bufferevent_free(conn->bev); /* closes the descriptor once no callback is running */
        conn->peer.fd = -1;
    } else {
        event_del(&conn->read_event);
        event_del(&conn->write_event);
    }
    peer_conn_close(&conn->peer);
    free(conn);
}

static void conn_on_readable(evutil_socket_t fd, short events, void *arg)
{
    struct conn *conn = arg;
    enum peer_want want = peer_conn_on_readable(&conn->peer, conn->server->buf);

    (void)fd;
    (void)events;
    if (want == PEER_WANT_WRITE &&
        (event_del(&conn->read_event) != 0 || event_add(&conn->write_event, NULL) != 0))
        want = PEER_WANT_CLOSE;
    if (want == PEER_WANT_CLOSE)
        conn_free(conn);
}

static void conn_on_writable(evutil_socket_t fd, short events, void *arg)
{
    struct conn *conn = arg;
    enum peer_want want = peer_conn_on_writable(&conn->peer);

    (void)fd;
    (void)events;
    if (want == PEER_WANT_READ &&
        (event_del(&conn->write_event) != 0 || event_add(&conn->read_event, NULL) != 0))
        want = PEER_WANT_CLOSE;
    if (want == PEER_WANT_CLOSE)
        conn_free(conn);
}

static void bev_on_readable(struct bufferevent *bev, void *arg)
{
    struct evbuffer *output = bufferevent_get_output(bev);

    if (evbuffer_add_buffer(output, bufferevent_get_input(bev)) != 0)
        conn_free(arg);
    else if (evbuffer_get_length(output) > OUTPUT_LIMIT_BYTES)
        bufferevent_disable(bev, EV_READ);
}

/* The output ran empty. */
static void bev_on_drained(struct bufferevent *bev, void *arg)
{
    (void)arg;
    if ((bufferevent_get_enabled(bev) & EV_READ) == 0)
        bufferevent_enable(bev, EV_READ);
}

static void bev_on_end(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        conn_free(arg);
}

static int conn_start_buffered(struct conn *conn)
{
    conn->bev = bufferevent_socket_new(conn->server->base, conn->peer.fd, BEV_OPT_CLOSE_ON_FREE);
    if (conn->bev == NULL)
        return -1;
    bufferevent_setcb(conn->bev, bev_on_readable, bev_on_drained, bev_on_end, conn);
    bufferevent_set_max_single_read(conn->bev, PEER_BUFFER_BYTES);
    bufferevent_set_max_single_write(conn->bev, PEER_BUFFER_BYTES);
    return bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
}

static int conn_start(struct conn *conn)
{
    struct event_base *base = conn->server->base;
    int fd = conn->peer.fd;

    if (conn->server->buffered)
        return conn_start_buffered(conn);
    event_assign(&conn->read_event, base, fd, EV_READ | EV_PERSIST, conn_on_readable, conn);
    event_assign(&conn->write_event, base, fd, EV_WRITE | EV_PERSIST, conn_on_writable, conn);
    return event_add(&conn->read_event, NULL);
}

static void server_on_accept(evutil_socket_t listen_fd, short events, void *arg)
{
    struct server *server = arg;
    struct conn *conn;
    int fd;

    (void)events;
    while ((fd = peer_accept(listen_fd)) != -1) {
        if (fd < 0)
            continue;
        conn = calloc(1, sizeof *conn);
        if (conn == NULL) {
            close(fd);
            continue;
        }
        peer_conn_init(&conn->peer, fd, &server->ring);
        conn->server = server;
        if (conn_start(conn) != 0)
            conn_free(conn);
    }
}

static void server_on_datagrams(evutil_socket_t fd, short events, void *arg)
{
    struct server *server = arg;

    (void)events;
    peer_datagrams_on_readable(fd, server->buf);
}

static void server_on_term(evutil_socket_t signum, short events, void *arg)
{
    struct server *server = arg;

    (void)signum;
    (void)events;
    event_base_loopbreak(server->base);
}

static struct event_base *base_open(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config == NULL)
        return NULL;
    if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static void server_drop_all(struct server *server)
{
    struct peer_conn *node = server->ring.next;

    while (node != &server->ring) {
        struct peer_conn *next = node->next;

        conn_free((struct conn *)node);
        node = next;
    }
}

static int server_run(struct server *server, const struct peer_options *options)
{
    int rc = -1;

    peer_ring_init(&server->ring);
    server->buffered = options->variant;
    server->base = base_open();
    if (server->base == NULL)
        return -1;
    server->listen_fd = peer_listen(options);
    if (server->listen_fd >= 0) {
        event_assign(&server->accept_event, server->base, server->listen_fd, EV_READ | EV_PERSIST,
                     options->udp ? server_on_datagrams : server_on_accept, server);
        evsignal_assign(&server->term_event, server->base, SIGTERM, server_on_term, server);
        if (event_add(&server->accept_event, NULL) == 0 &&
            event_add(&server->term_event, NULL) == 0)
            rc = event_base_dispatch(server->base);
        server_drop_all(server);
        event_del(&server->accept_event);
        event_del(&server->term_event);
        close(server->listen_fd);
    }
    event_base_free(server->base);
    return rc;
}

int main(int argc, char **argv)
{
    struct peer_options options;
    struct server *server;
    int rc;

    if (!peer_options_parse(argc, argv, "--bufferevent", &options))
        return 2;
    peer_process_init();
    server = calloc(1, sizeof *server);
    if (server == NULL)
        return 1;
    rc = server_run(server, &options);
    free(server);
    libevent_global_shutdown();
    return rc == 0 ? 0 : 1;
}
