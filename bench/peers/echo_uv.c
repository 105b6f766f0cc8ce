/* SPDX-License-Identifier: MIT */
/*
 * echo_uv.c - echo server on plain libuv: uv_read_start and uv_write; with --try-write
 * uv_try_write first and uv_write for what it leaves over.
 *
 * uv_write keeps the caller's bytes until its callback, so they cannot stay in the buffer that
 * all connections read into. Small messages are copied into a request from a free list; a large
 * one keeps the buffer it was read into, and the next read gets another from a second list.
 */
#include "peer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    SMALL_BYTES = 1024,                         /* a message up to this size is copied */
    OUTPUT_LIMIT_BYTES = 4 * PEER_BUFFER_BYTES, /* above it the connection is not read from */
};

/* A write request with its bytes. `uv.data` is the connection while it is being written. */
struct write_block {
    uv_write_t uv;
    struct write_block *next_free;
    bool large;
    char bytes[]; /* SMALL_BYTES or PEER_BUFFER_BYTES */
};

/* A TCP or UNIX socket of libuv. */
union socket {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct server {
    uv_loop_t loop;
    union socket listener;
    uv_signal_t term;
    bool unix_socket;
    bool try_write;
    struct write_block *reading; /* the large block that the next read fills */
    struct write_block *free_small;
    struct write_block *free_large;
};

struct conn {
    union socket socket; /* its loop's data is the server */
    bool paused;         /* reading is stopped until the output is sent */
};

static struct server *server_of(const uv_handle_t *handle)
{
    return handle->loop->data;
}

static struct write_block *block_get(struct server *server, bool large)
{
    struct write_block **list = large ? &server->free_large : &server->free_small;
    struct write_block *block = *list;

    if (block != NULL) {
        *list = block->next_free;
        return block;
    }
    block = malloc(sizeof *block + (large ? PEER_BUFFER_BYTES : SMALL_BYTES));
    if (block != NULL)
        block->large = large;
    return block;
}

static void block_put(struct server *server, struct write_block *block)
{
    struct write_block **list = block->large ? &server->free_large : &server->free_small;

    block->next_free = *list;
    *list = block;
}

static void blocks_free(struct write_block *block)
{
    while (block != NULL) {
        struct write_block *next = block->next_free;

        free(block);
        block = next;
    }
}

static void conn_on_closed(uv_handle_t *handle)
{
    free(handle); /* the handle is the connection's first member */
}

static void conn_close(struct conn *conn)
{
    if (!uv_is_closing(&conn->socket.handle))
        uv_close(&conn->socket.handle, conn_on_closed);
}

static void conn_on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf);

static void conn_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out_buf)
{
    struct server *server = server_of(handle);

    (void)suggested;
    if (server->reading == NULL)
        server->reading = block_get(server, true);
    *out_buf = server->reading == NULL ? uv_buf_init(NULL, 0)
                                       : uv_buf_init(server->reading->bytes, PEER_BUFFER_BYTES);
}

static void conn_on_written(uv_write_t *request, int status)
{
    struct write_block *block = (struct write_block *)request; /* first member */
    struct conn *conn = request->data;

    block_put(server_of(&conn->socket.handle), block);
    if (status == UV_ECANCELED)
        return;
    if (status < 0) {
        conn_close(conn);
    } else if (conn->paused && uv_stream_get_write_queue_size(&conn->socket.stream) == 0) {
        conn->paused = false;
        if (uv_read_start(&conn->socket.stream, conn_on_alloc, conn_on_read) != 0)
            conn_close(conn);
    }
}

/* Write `len` bytes of the block just read, from `start` on. */
static int conn_write(struct conn *conn, size_t start, size_t len)
{
    struct server *server = server_of(&conn->socket.handle);
    struct write_block *block = server->reading;
    uv_buf_t buf;
    int rc;

    if (len <= SMALL_BYTES) {
        block = block_get(server, false);
        if (block == NULL)
            return UV_ENOMEM;
        memcpy(block->bytes, server->reading->bytes + start, len);
        start = 0;
    } else {
        server->reading = NULL; /* the write owns it now */
    }
    block->uv.data = conn;
    buf = uv_buf_init(block->bytes + start, (unsigned)len);
    rc = uv_write(&block->uv, &conn->socket.stream, &buf, 1, conn_on_written);
    if (rc != 0)
        block_put(server, block);
    return rc;
}

/* The bytes written at once; 0 when the queue is not empty or the socket takes none. */
static int conn_try_write(struct conn *conn, const uv_buf_t *buf, size_t len)
{
    uv_buf_t out = uv_buf_init(buf->base, (unsigned)len);
    int sent = uv_try_write(&conn->socket.stream, &out, 1);

    return sent == UV_EAGAIN ? 0 : sent;
}

static void conn_on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct conn *conn = (struct conn *)stream; /* first member */
    int sent = 0;
    int rc = 0;

    if (got <= 0) {
        if (got < 0)
            conn_close(conn);
        return;
    }
    if (server_of((uv_handle_t *)stream)->try_write)
        sent = conn_try_write(conn, buf, (size_t)got);
    if (sent < 0)
        rc = sent;
    else if (sent < got)
        rc = conn_write(conn, (size_t)sent, (size_t)(got - sent));
    if (rc != 0) {
        conn_close(conn);
    } else if (uv_stream_get_write_queue_size(stream) > OUTPUT_LIMIT_BYTES) {
        conn->paused = true;
        uv_read_stop(stream);
    }
}

static int socket_init(uv_loop_t *loop, union socket *socket)
{
    const struct server *server = loop->data;

    return server->unix_socket ? uv_pipe_init(loop, &socket->pipe, 0)
                               : uv_tcp_init(loop, &socket->tcp);
}

static void server_on_connection(uv_stream_t *listener, int status)
{
    struct conn *conn;

    if (status != 0)
        return;
    conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return;
    if (socket_init(listener->loop, &conn->socket) != 0) {
        free(conn);
        return;
    }
    if (uv_accept(listener, &conn->socket.stream) != 0 ||
        (listener->type == UV_TCP && uv_tcp_nodelay(&conn->socket.tcp, 1) != 0) ||
        uv_read_start(&conn->socket.stream, conn_on_alloc, conn_on_read) != 0)
        conn_close(conn);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    const struct server *server = arg;
    bool own = handle == &server->listener.handle || handle == (const uv_handle_t *)&server->term;

    if (!uv_is_closing(handle))
        uv_close(handle, own ? NULL : conn_on_closed);
}

static void server_on_term(uv_signal_t *handle, int signum)
{
    (void)signum;
    uv_walk(handle->loop, close_handle, handle->loop->data);
}

static int server_start(struct server *server, int listen_fd)
{
    int rc = server->unix_socket ? uv_pipe_open(&server->listener.pipe, listen_fd)
                                 : uv_tcp_open(&server->listener.tcp, listen_fd);

    if (rc == 0)
        rc = uv_listen(&server->listener.stream, SOMAXCONN, server_on_connection);
    if (rc == 0)
        rc = uv_signal_start(&server->term, server_on_term, SIGTERM);
    return rc;
}

static int server_run(struct server *server, int listen_fd)
{
    int rc = uv_loop_init(&server->loop);

    if (rc != 0)
        return rc;
    server->loop.data = server;
    rc = socket_init(&server->loop, &server->listener);
    if (rc == 0)
        rc = uv_signal_init(&server->loop, &server->term);
    if (rc == 0)
        rc = server_start(server, listen_fd);
    if (rc != 0)
        uv_walk(&server->loop, close_handle, server);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    uv_loop_close(&server->loop);
    return rc;
}

int main(int argc, char **argv)
{
    struct peer_options options;
    struct server *server;
    int listen_fd;
    int rc;

    if (!peer_options_parse(argc, argv, "--try-write", &options))
        return 2;
    peer_process_init();
    listen_fd = peer_listen(&options);
    if (listen_fd < 0)
        return 1;
    server = calloc(1, sizeof *server);
    if (server == NULL)
        return 1;
    server->try_write = options.variant;
    server->unix_socket = options.unix_path != NULL;
    rc = server_run(server, listen_fd);
    if (rc != 0)
        fprintf(stderr, "libuv: %s\n", uv_strerror(rc));
    blocks_free(server->free_small);
    blocks_free(server->free_large);
    free(server->reading);
    free(server);
    return rc == 0 ? 0 : 1;
}
