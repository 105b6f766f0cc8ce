/* SPDX-License-Identifier: MIT */
/*
 * echo.c - ping-pong over connections that stay open.
 *
 * Each busy connection has `pipeline` messages in flight; as soon as one has come back whole the
 * next is sent. Edge-triggered interest in both directions is registered once, so the generator
 * spends one recv and one send a message. Every byte is compared with the pattern.
 *
 * Invariants of a connection: received <= sent <= started * size, done <= started,
 * done * size <= received < (done + 1) * size, started - done <= pipeline.
 */
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OPEN_BATCH = 512,        /* connections opened before the server must have accepted them */
    OPEN_TIMEOUT_MS = 10000, /* for one connection or one first echo */
    WAIT_MS = 50,            /* longest sleep, so that the clock is looked at */
    CONNECTIONS_A_LANE = 20000,
};

struct conn {
    int fd; /* -1: failed */
    bool busy;
    unsigned shift; /* where in the pattern this connection's stream starts */
    uint64_t started;
    uint64_t done;
    uint64_t done_at_begin; /* `done` when the measured time began */
    uint64_t sent;          /* bytes */
    uint64_t received;
    int64_t *started_ns; /* ring of `pipeline` times, by message number */
};

struct echo {
    const struct load_options *options;
    struct load_result *result;
    int epoll_fd;
    unsigned alive; /* busy connections that have not failed */
    bool measuring;
    struct conn *conns;
    int64_t *times;  /* the connections' rings */
    uint8_t *buffer; /* LOAD_CHUNK_BYTES */
    struct epoll_event events[LOAD_EVENTS_PER_WAIT];
};

static void conn_fail(struct echo *echo, struct conn *conn)
{
    close(conn->fd);
    conn->fd = -1;
    echo->result->errors++;
    if (conn->busy)
        echo->alive--;
}

static void conn_start_message(const struct echo *echo, struct conn *conn, int64_t now)
{
    conn->started_ns[conn->started % echo->options->pipeline] = now;
    conn->started++;
}

/* Send until everything started is sent or the socket is full. False: the connection failed. */
static bool conn_send(const struct echo *echo, struct conn *conn)
{
    uint64_t end = conn->started * echo->options->size;

    while (conn->sent < end) {
        uint64_t left = end - conn->sent;
        size_t len = left < LOAD_CHUNK_BYTES ? (size_t)left : LOAD_CHUNK_BYTES;
        ssize_t rc = send(conn->fd, load_pattern(conn->sent + conn->shift), len, MSG_NOSIGNAL);

        if (rc < 0)
            return errno == EAGAIN || errno == EINTR;
        conn->sent += (uint64_t)rc;
    }
    return true;
}

static void conn_finish_messages(struct echo *echo, struct conn *conn)
{
    const struct load_options *options = echo->options;
    int64_t now = 0;

    while (conn->received >= (conn->done + 1) * options->size) {
        if (now == 0)
            now = now_ns();
        if (echo->measuring) {
            hist_add(&echo->result->latency,
                     now - conn->started_ns[conn->done % options->pipeline]);
            echo->result->messages++;
        }
        conn->done++;
        conn_start_message(echo, conn, now);
    }
}

/* Receive until the socket is empty. False: the connection failed or sent wrong bytes. */
static bool conn_receive(struct echo *echo, struct conn *conn)
{
    ssize_t rc;

    do {
        rc = recv(conn->fd, echo->buffer, LOAD_CHUNK_BYTES, 0);
        if (rc < 0)
            return errno == EAGAIN || errno == EINTR;
        if (rc == 0 || conn->received + (uint64_t)rc > conn->sent ||
            memcmp(echo->buffer, load_pattern(conn->received + conn->shift), (size_t)rc) != 0)
            return false;
        conn->received += (uint64_t)rc;
        conn_finish_messages(echo, conn);
    } while (rc == LOAD_CHUNK_BYTES);
    return true;
}

static void conn_handle(struct echo *echo, struct conn *conn, uint32_t events)
{
    bool ok = true;

    if (conn->fd < 0)
        return;
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0)
        ok = conn->busy && conn_receive(echo, conn);
    if (ok)
        ok = conn_send(echo, conn);
    if (!ok)
        conn_fail(echo, conn);
}

/* One byte there and back: then the server has accepted this connection and those before it. */
static bool conn_probe(const struct conn *conn)
{
    uint8_t byte = 'p';

    return send(conn->fd, &byte, 1, MSG_NOSIGNAL) == 1 &&
           load_net_wait(conn->fd, POLLIN, OPEN_TIMEOUT_MS) && recv(conn->fd, &byte, 1, 0) == 1 &&
           byte == 'p';
}

static bool conn_open(struct echo *echo, unsigned index)
{
    const struct load_options *options = echo->options;
    struct conn *conn = &echo->conns[index];
    uint64_t busy_before = (uint64_t)index * options->busy / options->connections;
    uint64_t busy_after = ((uint64_t)index + 1) * options->busy / options->connections;
    bool probe = (index + 1) % OPEN_BATCH == 0 || index + 1 == options->connections;

    conn->busy = busy_after > busy_before; /* spread evenly */
    conn->shift = index % LOAD_PATTERN_PERIOD;
    conn->started_ns = echo->times + busy_before * options->pipeline;
    conn->fd = load_net_connect(index / CONNECTIONS_A_LANE);
    if (conn->fd < 0 || !load_net_wait(conn->fd, POLLOUT, OPEN_TIMEOUT_MS) ||
        (probe && !conn_probe(conn))) {
        fprintf(stderr, "load: connection %u: %s\n", index, strerror(errno));
        return false;
    }
    if (conn->busy)
        echo->alive++;
    return true;
}

static bool echo_open(struct echo *echo)
{
    const struct load_options *options = echo->options;

    if (!sample_take(options->server_pid, true, &echo->result->before_open)) {
        fprintf(stderr, "load: no process %ld\n", (long)options->server_pid);
        return false;
    }
    for (unsigned i = 0; i < options->connections; i++) {
        if (!conn_open(echo, i))
            return false;
    }
    return sample_take(options->server_pid, true, &echo->result->after_open);
}

static bool echo_watch(struct echo *echo)
{
    for (unsigned i = 0; i < echo->options->connections; i++) {
        struct conn *conn = &echo->conns[i];
        struct epoll_event event = {.events = EPOLLIN | EPOLLET | EPOLLRDHUP, .data.ptr = conn};

        if (conn->busy)
            event.events |= EPOLLOUT;
        if (epoll_ctl(echo->epoll_fd, EPOLL_CTL_ADD, conn->fd, &event) != 0)
            return false;
    }
    return true;
}

static void echo_start(struct echo *echo)
{
    for (unsigned i = 0; i < echo->options->connections; i++) {
        struct conn *conn = &echo->conns[i];

        if (!conn->busy)
            continue;
        while (conn->started < echo->options->pipeline)
            conn_start_message(echo, conn, now_ns());
        if (!conn_send(echo, conn))
            conn_fail(echo, conn);
    }
}

static void echo_run_until(struct echo *echo, int64_t end_ns)
{
    while (echo->alive > 0 && now_ns() < end_ns) {
        int count = epoll_wait(echo->epoll_fd, echo->events, LOAD_EVENTS_PER_WAIT, WAIT_MS);

        for (int i = 0; i < count; i++)
            conn_handle(echo, echo->events[i].data.ptr, echo->events[i].events);
    }
}

static bool echo_measure(struct echo *echo)
{
    const struct load_options *options = echo->options;
    struct load_result *result = echo->result;
    bool ok;

    echo_start(echo);
    echo_run_until(echo, now_ns() + (int64_t)(options->warmup * 1e9));
    for (unsigned i = 0; i < options->connections; i++)
        echo->conns[i].done_at_begin = echo->conns[i].done;
    ok = sample_take(options->server_pid, false, &result->begin);
    echo->measuring = true;
    echo_run_until(echo, now_ns() + (int64_t)(options->seconds * 1e9));
    ok = sample_take(options->server_pid, false, &result->end) && ok;
    for (unsigned i = 0; i < options->connections; i++) {
        if (echo->conns[i].busy && echo->conns[i].done == echo->conns[i].done_at_begin)
            result->stalled++;
    }
    return ok;
}

static struct echo *echo_create(const struct load_options *options, struct load_result *result)
{
    struct echo *echo = calloc(1, sizeof *echo);

    if (echo == NULL)
        return NULL;
    echo->options = options;
    echo->result = result;
    echo->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    echo->conns = calloc(options->connections, sizeof *echo->conns);
    echo->times = calloc((size_t)options->busy * options->pipeline, sizeof *echo->times);
    echo->buffer = malloc(LOAD_CHUNK_BYTES);
    for (unsigned i = 0; i < options->connections && echo->conns != NULL; i++)
        echo->conns[i].fd = -1;
    return echo;
}

static void echo_destroy(struct echo *echo)
{
    for (unsigned i = 0; i < echo->options->connections && echo->conns != NULL; i++) {
        if (echo->conns[i].fd >= 0)
            close(echo->conns[i].fd);
    }
    if (echo->epoll_fd >= 0)
        close(echo->epoll_fd);
    free(echo->conns);
    free(echo->times);
    free(echo->buffer);
    free(echo);
}

bool load_echo_run(const struct load_options *options, struct load_result *result)
{
    struct echo *echo = echo_create(options, result);
    bool ok;

    if (echo == NULL)
        return false;
    ok = echo->epoll_fd >= 0 && echo->conns != NULL && echo->times != NULL && echo->buffer != NULL;
    ok = ok && echo_open(echo) && echo_watch(echo) && echo_measure(echo);
    echo_destroy(echo);
    return ok;
}
