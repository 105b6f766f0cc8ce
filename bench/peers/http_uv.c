/* SPDX-License-Identifier: MIT */
/*
 * http_uv.c - the raw HTTP responder on plain libuv: what one writes by hand when nothing but
 * speed counts. It answers GET / with the bytes of examples/http_server.
 *
 * Each connection has a buffer for what has come of the next request. The head is searched for its
 * end, the request line compared, the headers searched for "Connection: close" alone; pipelined
 * requests are answered with one uv_try_write, and uv_write takes what the socket leaves over.
 */
#include "peer.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

enum {
    HEAD_MAX = 8192,
    BATCH = 32, /* requests answered by one write */
};

static const char hello[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n"
    "Hello, World!";
static const char missing[] = "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
                              "Content-Length: 10\r\n\r\nNot found\n";

struct server {
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_signal_t term;
};

struct conn {
    uv_tcp_t tcp;
    uv_write_t write;
    bool writing; /* `rest` is on its way: nothing is read meanwhile */
    bool last;    /* close after what is being written */
    char *rest;   /* owned */
    size_t len;   /* of what is in `in` */
    char in[HEAD_MAX];
};

static void conn_on_closed(uv_handle_t *handle)
{
    struct conn *conn = (struct conn *)handle; /* first member */

    free(conn->rest);
    free(conn);
}

static void conn_close(struct conn *conn)
{
    if (!uv_is_closing((uv_handle_t *)&conn->tcp))
        uv_close((uv_handle_t *)&conn->tcp, conn_on_closed);
}

static void conn_on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf);

static void conn_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out_buf)
{
    struct conn *conn = (struct conn *)handle;

    (void)suggested;
    *out_buf = uv_buf_init(conn->in + conn->len, (unsigned)(HEAD_MAX - conn->len));
}

/* Does a header line say that this is the last request? `line` follows the request line. */
static bool says_close(const char *line, const char *end)
{
    const char *next;

    while (line < end) {
        if (strncasecmp(line, "Connection: close", 17) == 0)
            return true;
        next = memchr(line, '\n', (size_t)(end - line));
        line = next == NULL ? end : next + 1;
    }
    return false;
}

/* The answer to the request at `head`, whose blank line is at `end`; {NULL, 0} if it is none. */
static uv_buf_t answer(struct conn *conn, const char *head, const char *end)
{
    const char *eol = memchr(head, '\n', (size_t)(end + 2 - head));
    size_t len = (size_t)(eol - head);

    if (len < 15 || memcmp(head, "GET /", 5) != 0 || memcmp(eol - 10, " HTTP/1.", 8) != 0)
        return uv_buf_init(NULL, 0);
    conn->last = eol[-2] == '0' || says_close(eol + 1, end + 2);
    if (head[5] == ' ')
        return uv_buf_init((char *)hello, sizeof hello - 1);
    return uv_buf_init((char *)missing, sizeof missing - 1);
}

static void conn_answer(struct conn *conn);

static void conn_on_written(uv_write_t *request, int status)
{
    struct conn *conn = request->data;

    free(conn->rest);
    conn->rest = NULL;
    conn->writing = false;
    if (status < 0 || conn->last ||
        uv_read_start((uv_stream_t *)&conn->tcp, conn_on_alloc, conn_on_read) != 0)
        conn_close(conn);
    else
        conn_answer(conn); /* more may have come before */
}

/* Keep what uv_try_write left over, `len` bytes after the first `sent`, and write it later. */
static int conn_write_rest(struct conn *conn, const uv_buf_t *out, size_t count, size_t sent,
                           size_t len)
{
    size_t filled = 0;
    uv_buf_t buf;

    conn->rest = malloc(len);
    if (conn->rest == NULL)
        return UV_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        size_t skip = sent < out[i].len ? sent : out[i].len;

        memcpy(conn->rest + filled, out[i].base + skip, out[i].len - skip);
        filled += out[i].len - skip;
        sent -= skip;
    }
    buf = uv_buf_init(conn->rest, (unsigned)len);
    conn->write.data = conn;
    conn->writing = true;
    uv_read_stop((uv_stream_t *)&conn->tcp);
    return uv_write(&conn->write, (uv_stream_t *)&conn->tcp, &buf, 1, conn_on_written);
}

static int conn_write(struct conn *conn, const uv_buf_t *out, size_t count)
{
    size_t total = 0;
    int sent = uv_try_write((uv_stream_t *)&conn->tcp, out, (unsigned)count);

    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0)
        return sent;
    for (size_t i = 0; i < count; i++)
        total += out[i].len;
    if ((size_t)sent < total)
        return conn_write_rest(conn, out, count, (size_t)sent, total - (size_t)sent);
    return 0;
}

/* Put the answers to all whole requests into `out`, at most BATCH; how many, or an error. */
static int conn_collect(struct conn *conn, uv_buf_t *out)
{
    size_t used = 0;
    int count = 0;
    int rc = 0;

    while (rc == 0 && count < BATCH && !conn->last) {
        const char *head = conn->in + used;
        const char *blank = memmem(head, conn->len - used, "\r\n\r\n", 4);

        if (blank == NULL)
            break;
        out[count] = answer(conn, head, blank);
        if (out[count].base == NULL)
            rc = UV_EINVAL;
        else
            count++;
        used += (size_t)(blank + 4 - head);
    }
    conn->len -= used;
    memmove(conn->in, conn->in + used, conn->len);
    return rc < 0 ? rc : count;
}

static void conn_answer(struct conn *conn)
{
    uv_buf_t out[BATCH];
    int count = BATCH;
    int rc = 0;

    while (rc == 0 && count == BATCH && !conn->writing) {
        count = conn_collect(conn, out);
        rc = count > 0 ? conn_write(conn, out, (size_t)count) : count;
    }
    if (rc < 0 || (!conn->writing && (conn->last || conn->len == HEAD_MAX)))
        conn_close(conn);
}

static void conn_on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct conn *conn = (struct conn *)stream;

    (void)buf;
    if (got < 0) {
        conn_close(conn);
    } else if (got > 0) {
        conn->len += (size_t)got;
        conn_answer(conn);
    }
}

static void server_on_connection(uv_stream_t *listener, int status)
{
    struct conn *conn;

    if (status != 0)
        return;
    conn = malloc(sizeof *conn);
    if (conn == NULL)
        return;
    memset(conn, 0, offsetof(struct conn, in));
    if (uv_tcp_init(listener->loop, &conn->tcp) != 0) {
        free(conn);
        return;
    }
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) != 0 || uv_tcp_nodelay(&conn->tcp, 1) != 0 ||
        uv_read_start((uv_stream_t *)&conn->tcp, conn_on_alloc, conn_on_read) != 0)
        conn_close(conn);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    const struct server *server = arg;
    bool own = handle == (const uv_handle_t *)&server->listener ||
               handle == (const uv_handle_t *)&server->term;

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
    int rc = uv_tcp_open(&server->listener, listen_fd);

    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&server->listener, SOMAXCONN, server_on_connection);
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
    rc = uv_tcp_init(&server->loop, &server->listener);
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
    struct server server;
    int listen_fd;
    int rc;

    if (!peer_options_parse(argc, argv, NULL, &options))
        return 2;
    peer_process_init();
    listen_fd = peer_listen(&options);
    if (listen_fd < 0)
        return 1;
    rc = server_run(&server, listen_fd);
    if (rc != 0)
        fprintf(stderr, "libuv: %s\n", uv_strerror(rc));
    return rc == 0 ? 0 : 1;
}
