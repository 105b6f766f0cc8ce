/* SPDX-License-Identifier: MIT */
/*
 * udp_uv.c - sends back datagrams with plain libuv: uv_udp_recv_start and uv_udp_try_send, which
 * sends at once. What the socket does not take is lost, as any datagram may be.
 */
#include "peer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

struct server {
    uv_loop_t loop;
    uv_udp_t udp;
    uv_signal_t term;
    char buf[PEER_BUFFER_BYTES];
};

static void server_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out_buf)
{
    struct server *server = handle->loop->data;

    (void)suggested;
    *out_buf = uv_buf_init(server->buf, sizeof server->buf);
}

static void server_on_datagram(uv_udp_t *udp, ssize_t got, const uv_buf_t *buf,
                               const struct sockaddr *from, unsigned flags)
{
    uv_buf_t out;

    (void)flags;
    if (got < 0 || from == NULL) /* an error, or no more to be read */
        return;
    out = uv_buf_init(buf->base, (unsigned)got);
    (void)uv_udp_try_send(udp, &out, 1, from);
}

static void server_on_term(uv_signal_t *handle, int signum)
{
    struct server *server = handle->loop->data;

    (void)signum;
    uv_close((uv_handle_t *)&server->udp, NULL);
    uv_close((uv_handle_t *)&server->term, NULL);
}

static int server_run(struct server *server, int fd)
{
    int rc = uv_loop_init(&server->loop);

    if (rc != 0)
        return rc;
    server->loop.data = server;
    rc = uv_udp_init(&server->loop, &server->udp);
    if (rc == 0)
        rc = uv_udp_open(&server->udp, fd);
    if (rc == 0)
        rc = uv_udp_recv_start(&server->udp, server_on_alloc, server_on_datagram);
    if (rc == 0)
        rc = uv_signal_init(&server->loop, &server->term);
    if (rc == 0)
        rc = uv_signal_start(&server->term, server_on_term, SIGTERM);
    if (rc == 0)
        rc = uv_run(&server->loop, UV_RUN_DEFAULT);
    uv_loop_close(&server->loop);
    return rc;
}

int main(int argc, char **argv)
{
    struct peer_options options;
    struct server *server;
    int fd;
    int rc;

    if (!peer_options_parse(argc, argv, NULL, &options))
        return 2;
    options.udp = true;
    fd = peer_listen(&options);
    if (fd < 0)
        return 1;
    server = calloc(1, sizeof *server);
    if (server == NULL)
        return 1;
    rc = server_run(server, fd);
    if (rc != 0)
        fprintf(stderr, "libuv: %s\n", uv_strerror(rc));
    free(server);
    return rc == 0 ? 0 : 1;
}
