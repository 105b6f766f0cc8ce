/* SPDX-License-Identifier: MIT */
/*
 * datagram.c - ping-pong by UDP: each client has a socket and one datagram on its way.
 *
 * A datagram begins with its number, so that an answer that comes twice is told from the one that
 * is waited for; the rest is the pattern. What has not come back after a while is sent again and
 * counted as an error: the kernel may drop datagrams, also on loopback.
 */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const int64_t patience_ns = 200000000; /* then it counts as lost */
enum { WAIT_MS = 50, DATAGRAM_MAX = 65507 };

struct client {
    int fd;
    uint64_t number; /* of the datagram that is on its way */
    int64_t started_ns;
    int64_t sent_ns; /* the last time that it was sent */
};

struct datagrams {
    const struct load_options *options;
    struct load_result *result;
    int epoll_fd;
    bool measuring;
    struct client *clients;
    uint8_t buffer[DATAGRAM_MAX + 1];
    struct epoll_event events[LOAD_EVENTS_PER_WAIT];
};

/* A datagram that the socket does not take is as good as lost: it is sent again later. */
static bool client_send(struct datagrams *load, struct client *client, int64_t now)
{
    size_t size = load->options->size;

    client->sent_ns = now;
    memcpy(load->buffer, &client->number, sizeof client->number);
    memcpy(load->buffer + sizeof client->number, load_pattern(client->number),
           size - sizeof client->number);
    return send(client->fd, load->buffer, size, 0) == (ssize_t)size || errno == EAGAIN ||
           errno == ENOBUFS;
}

static bool client_start(struct datagrams *load, struct client *client, int64_t now)
{
    client->number++;
    client->started_ns = now;
    return client_send(load, client, now);
}

/* False: the server is gone, or it sent other bytes than it got. */
static bool client_receive(struct datagrams *load, struct client *client)
{
    ssize_t got = recv(client->fd, load->buffer, sizeof load->buffer, 0);
    uint64_t number;
    int64_t now;

    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if ((size_t)got != load->options->size)
        return false;
    memcpy(&number, load->buffer, sizeof number);
    if (number != client->number)
        return number < client->number;
    if (memcmp(load->buffer + sizeof number, load_pattern(number), (size_t)got - sizeof number) !=
        0)
        return false;
    now = now_ns();
    if (load->measuring) {
        hist_add(&load->result->latency, now - client->started_ns);
        load->result->messages++;
    }
    return client_start(load, client, now);
}

static bool resend_lost(struct datagrams *load, int64_t now)
{
    bool ok = true;

    for (unsigned i = 0; ok && i < load->options->connections; i++) {
        struct client *client = &load->clients[i];

        if (now - client->sent_ns > patience_ns) {
            load->result->errors++;
            ok = client_send(load, client, now);
        }
    }
    return ok;
}

static bool run_until(struct datagrams *load, int64_t end_ns)
{
    int64_t now = now_ns();
    int64_t next_look_ns = now + patience_ns;
    bool ok = true;

    while (ok && now < end_ns) {
        int count = epoll_wait(load->epoll_fd, load->events, LOAD_EVENTS_PER_WAIT, WAIT_MS);

        for (int i = 0; ok && i < count; i++)
            ok = client_receive(load, load->events[i].data.ptr);
        now = now_ns();
        if (ok && now >= next_look_ns) {
            next_look_ns = now + patience_ns;
            ok = resend_lost(load, now);
        }
    }
    if (!ok)
        fprintf(stderr, "load: a wrong answer, or none: %s\n", strerror(errno));
    return ok;
}

static bool clients_open(struct datagrams *load)
{
    for (unsigned i = 0; i < load->options->connections; i++) {
        struct client *client = &load->clients[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

        client->fd = load_net_datagram();
        if (client->fd < 0 || epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0 ||
            !client_start(load, client, now_ns())) {
            perror("load: udp");
            return false;
        }
    }
    return true;
}

static bool measure(struct datagrams *load)
{
    const struct load_options *options = load->options;
    struct load_result *result = load->result;

    if (!sample_take(options->server_pid, true, &result->before_open)) {
        fprintf(stderr, "load: no process %ld\n", (long)options->server_pid);
        return false;
    }
    if (!clients_open(load) || !run_until(load, now_ns() + (int64_t)(options->warmup * 1e9)))
        return false;
    result->errors = 0;
    if (!sample_take(options->server_pid, false, &result->begin))
        return false;
    load->measuring = true;
    return run_until(load, now_ns() + (int64_t)(options->seconds * 1e9)) &&
           sample_take(options->server_pid, false, &result->end) &&
           sample_take(options->server_pid, true, &result->after_open);
}

static void datagrams_destroy(struct datagrams *load)
{
    for (unsigned i = 0; i < load->options->connections && load->clients != NULL; i++) {
        if (load->clients[i].fd >= 0)
            close(load->clients[i].fd);
    }
    if (load->epoll_fd >= 0)
        close(load->epoll_fd);
    free(load->clients);
    free(load);
}

bool load_datagram_run(const struct load_options *options, struct load_result *result)
{
    struct datagrams *load = calloc(1, sizeof *load);
    bool ok;

    if (load == NULL)
        return false;
    load->options = options;
    load->result = result;
    load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    load->clients = calloc(options->connections, sizeof *load->clients);
    for (unsigned i = 0; i < options->connections && load->clients != NULL; i++)
        load->clients[i].fd = -1;
    ok = options->size >= sizeof load->clients->number && options->size <= DATAGRAM_MAX &&
         load->epoll_fd >= 0 && load->clients != NULL && measure(load);
    datagrams_destroy(load);
    return ok;
}
