/* SPDX-License-Identifier: MIT */
/*
 * file_epoll.c - the raw file server on plain epoll and sendfile(2): what one writes by hand when
 * nothing but speed counts. It answers GET /NAME with a file of --root DIR.
 *
 * A connection is put into epoll once, edge-triggered for both directions, so that a request costs
 * a recv, the open, fstat and close of its file, a send of the head, which MSG_MORE lets travel with
 * the first data, and the sendfiles that the socket's buffer asks for. With --keep the file of the
 * request before is kept open, and nobody looks whether it is still the one of that name.
 */
#include "peer_epoll.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_MAX = 8192, NAME_MAX_BYTES = 256, ANSWER_MAX = 256 };

struct conn {
    struct peer_conn link; /* first, so that the ring's pointers are those of connections */
    int file_fd;           /* -1: nothing is being sent */
    off_t offset;
    off_t left; /* of the file */
    size_t answer_sent;
    size_t answer_len;
    size_t len; /* of what is in `in` */
    char answer[ANSWER_MAX];
    char in[HEAD_MAX];
};

struct server {
    struct peer_epoll loop;
    struct peer_conn ring;
    int root_fd;
    bool keep;
    int kept_fd; /* of the last file; -1: none */
    off_t kept_size;
    char kept_name[NAME_MAX_BYTES];
};

static int server_open(const struct server *server, const char *name, off_t *out_size)
{
    int fd = openat(server->root_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    struct stat status;

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return -1;
    }
    *out_size = status.st_size;
    return fd;
}

/* The file of a name, or -1. */
static int server_file(struct server *server, const char *name, off_t *out_size)
{
    if (!server->keep)
        return server_open(server, name, out_size);
    if (server->kept_fd < 0 || strcmp(name, server->kept_name) != 0) {
        if (server->kept_fd >= 0)
            close(server->kept_fd);
        server->kept_fd = server_open(server, name, &server->kept_size);
        memcpy(server->kept_name, name, strlen(name) + 1);
    }
    *out_size = server->kept_size;
    return server->kept_fd;
}

/* False: the request is none, and the connection is to be closed. */
static bool conn_answer(struct server *server, struct conn *conn, char *head)
{
    char *name = head + sizeof "GET /" - 1;
    char *end;

    if (strncmp(head, "GET /", sizeof "GET /" - 1) != 0)
        return false;
    end = strchr(name, ' ');
    if (end == NULL || end - name >= NAME_MAX_BYTES)
        return false;
    *end = '\0';
    if (strchr(name, '/') != NULL || strcmp(name, "..") == 0)
        return false;
    conn->offset = 0;
    conn->file_fd = server_file(server, name, &conn->left);
    if (conn->file_fd < 0)
        return false;
    conn->answer_sent = 0;
    conn->answer_len = (size_t)snprintf(
        conn->answer, sizeof conn->answer,
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %lld\r\n\r\n",
        (long long)conn->left);
    return true;
}

static void conn_end_file(const struct server *server, struct conn *conn)
{
    if (!server->keep && conn->file_fd >= 0)
        close(conn->file_fd);
    conn->file_fd = -1;
}

/* PEER_WANT_READ: all of it was sent. */
static enum peer_want conn_send(const struct server *server, struct conn *conn)
{
    while (conn->answer_sent < conn->answer_len || conn->left > 0) {
        bool head = conn->answer_sent < conn->answer_len;
        ssize_t n = head
                        ? send(conn->link.fd, conn->answer + conn->answer_sent,
                               conn->answer_len - conn->answer_sent,
                               MSG_NOSIGNAL | (conn->left > 0 ? MSG_MORE : 0))
                        : sendfile(conn->link.fd, conn->file_fd, &conn->offset, (size_t)conn->left);

        if (n < 0 && errno == EAGAIN)
            return PEER_WANT_WRITE;
        if (n <= 0)
            return PEER_WANT_CLOSE;
        if (head)
            conn->answer_sent += (size_t)n;
        else
            conn->left -= n;
    }
    conn_end_file(server, conn);
    return PEER_WANT_READ;
}

/* Answers the whole requests that have arrived, as far as the socket takes it. */
static enum peer_want conn_answer_all(struct server *server, struct conn *conn)
{
    enum peer_want want = PEER_WANT_READ;
    size_t used = 0;
    char *blank;

    while (want == PEER_WANT_READ &&
           (blank = memmem(conn->in + used, conn->len - used, "\r\n\r\n", 4)) != NULL) {
        want =
            conn_answer(server, conn, conn->in + used) ? conn_send(server, conn) : PEER_WANT_CLOSE;
        used = (size_t)(blank + 4 - conn->in);
    }
    conn->len -= used;
    memmove(conn->in, conn->in + used, conn->len);
    return want;
}

static enum peer_want conn_step(struct server *server, struct conn *conn)
{
    enum peer_want want = PEER_WANT_READ;
    ssize_t got = HEAD_MAX;

    if (conn->file_fd >= 0)
        want = conn_send(server, conn);
    if (want == PEER_WANT_READ && conn->len > 0)
        want = conn_answer_all(server, conn);
    while (want == PEER_WANT_READ && got > 0) {
        size_t room = HEAD_MAX - 1 - conn->len;

        got = recv(conn->link.fd, conn->in + conn->len, room, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return PEER_WANT_CLOSE;
        if (got > 0) {
            conn->len += (size_t)got;
            want = conn_answer_all(server, conn);
        }
        if (got > 0 && (size_t)got < room)
            got = 0; /* that was all; the next edge comes with more */
    }
    return want;
}

static void conn_destroy(const struct server *server, struct conn *conn)
{
    conn_end_file(server, conn);
    peer_conn_close(&conn->link);
    free(conn);
}

static void server_on_event(struct peer_epoll *loop, void *data, uint32_t events)
{
    struct server *server = (struct server *)loop;
    struct conn *conn = data;

    (void)events; /* an error shows when the socket is used */
    if (conn_step(server, conn) == PEER_WANT_CLOSE)
        conn_destroy(server, conn);
}

static void server_on_listener(struct peer_epoll *loop)
{
    struct server *server = (struct server *)loop;
    int fd;

    while ((fd = peer_accept(loop->listen_fd)) != -1) {
        struct conn *conn = fd < 0 ? NULL : malloc(sizeof *conn);

        if (conn == NULL) {
            if (fd >= 0)
                close(fd);
            continue;
        }
        conn->file_fd = -1;
        conn->len = 0;
        conn->left = 0;
        peer_conn_init(&conn->link, fd, &server->ring);
        if (peer_epoll_watch(loop, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLET, conn) != 0)
            conn_destroy(server, conn);
    }
}

static void server_close(struct server *server)
{
    struct peer_conn *link = server->ring.next;

    while (link != &server->ring) {
        struct peer_conn *next = link->next;

        conn_destroy(server, (struct conn *)link);
        link = next;
    }
    if (server->kept_fd >= 0)
        close(server->kept_fd);
    close(server->root_fd);
    peer_epoll_close(&server->loop);
}

int main(int argc, char **argv)
{
    struct peer_options options;
    struct server *server;
    int rc;

    if (!peer_options_parse(argc, argv, "--keep", &options) || options.root == NULL)
        return 2;
    peer_process_init();
    server = calloc(1, sizeof *server);
    if (server == NULL)
        return 1;
    server->loop.on_listener = server_on_listener;
    server->loop.on_event = server_on_event;
    server->keep = options.variant;
    server->kept_fd = -1;
    server->root_fd = open(options.root, O_PATH | O_CLOEXEC | O_DIRECTORY);
    if (server->root_fd < 0)
        perror(options.root);
    peer_ring_init(&server->ring);
    rc = server->root_fd < 0 ? -1 : peer_epoll_open(&server->loop, &options);
    if (rc == 0)
        peer_epoll_run(&server->loop);
    server_close(server);
    free(server);
    return rc == 0 ? 0 : 1;
}
