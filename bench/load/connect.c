/* SPDX-License-Identifier: MIT */
/*
 * connect.c - connections a second: connect, one echo, close, `in_flight` of them at once.
 *
 * The latency of a connection runs from connect to the whole echo. Each connection takes the next
 * of 250 source addresses, because closed ones keep their port for a while (TIME_WAIT).
 */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const int64_t slot_timeout_ns = 5000000000;
static const int64_t check_interval_ns = 1000000000;
enum { WAIT_MS = 50, ERRORS_MAX = 1000 };

/* One connection at a time lives in a slot. */
struct slot {
    int fd; /* -1: none */
    int64_t started_ns;
    size_t sent;
    size_t received;
};

struct rate {
    const struct load_options *options;
    struct load_result *result;
    int epoll_fd;
    unsigned lane; /* of the next connection */
    bool measuring;
    struct slot *slots;
    uint8_t *buffer; /* LOAD_CHUNK_BYTES */
    struct epoll_event events[LOAD_EVENTS_PER_WAIT];
};

/* False: the connection failed. A socket that is not connected yet answers EAGAIN or ENOTCONN. */
static bool slot_send(const struct rate *rate, struct slot *slot)
{
    while (slot->sent < rate->options->size) {
        size_t left = rate->options->size - slot->sent;
        size_t len = left < LOAD_CHUNK_BYTES ? left : LOAD_CHUNK_BYTES;
        ssize_t rc = send(slot->fd, load_pattern(slot->sent), len, MSG_NOSIGNAL);

        if (rc < 0)
            return errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
        slot->sent += (size_t)rc;
    }
    return true;
}

static bool slot_receive(struct rate *rate, struct slot *slot)
{
    ssize_t rc = 1;

    while (rc > 0 && slot->received < rate->options->size) {
        rc = recv(slot->fd, rate->buffer, LOAD_CHUNK_BYTES, 0);
        if (rc < 0)
            return errno == EAGAIN || errno == EINTR;
        if (rc == 0 || slot->received + (size_t)rc > slot->sent ||
            memcmp(rate->buffer, load_pattern(slot->received), (size_t)rc) != 0)
            return false;
        slot->received += (size_t)rc;
    }
    return true;
}

/* Open the slot's next connection and send at once: on loopback it is established by then. */
static bool slot_open(struct rate *rate, struct slot *slot)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = slot};

    *slot = (struct slot){.started_ns = now_ns()};
    slot->fd = load_net_connect(rate->lane++);
    return slot->fd >= 0 && slot_send(rate, slot) &&
           epoll_ctl(rate->epoll_fd, EPOLL_CTL_ADD, slot->fd, &event) == 0;
}

/* After a failure the slot stays empty until the next look at all slots. */
static void slot_fail(struct rate *rate, struct slot *slot)
{
    if (slot->fd >= 0)
        close(slot->fd);
    slot->fd = -1;
    rate->result->errors++;
}

static void slot_restart(struct rate *rate, struct slot *slot)
{
    if (!slot_open(rate, slot))
        slot_fail(rate, slot);
}

static void slot_handle(struct rate *rate, struct slot *slot)
{
    if (slot->fd < 0)
        return;
    if (!slot_send(rate, slot) || !slot_receive(rate, slot)) {
        slot_fail(rate, slot);
        return;
    }
    if (slot->received < rate->options->size)
        return;
    if (rate->measuring) {
        hist_add(&rate->result->latency, now_ns() - slot->started_ns);
        rate->result->messages++;
    }
    close(slot->fd);
    slot_restart(rate, slot);
}

/* Give up connections that hang, and fill empty slots. */
static void rate_check_slots(struct rate *rate, int64_t now)
{
    for (unsigned i = 0; i < rate->options->in_flight; i++) {
        struct slot *slot = &rate->slots[i];

        if (slot->fd >= 0 && now - slot->started_ns > slot_timeout_ns)
            slot_fail(rate, slot);
        if (slot->fd < 0)
            slot_restart(rate, slot);
    }
}

static void rate_run_until(struct rate *rate, int64_t end_ns)
{
    int64_t next_check_ns = 0;
    int64_t now = now_ns();

    while (now < end_ns && rate->result->errors < ERRORS_MAX) {
        int count;

        if (now >= next_check_ns) {
            rate_check_slots(rate, now);
            next_check_ns = now + check_interval_ns;
        }
        count = epoll_wait(rate->epoll_fd, rate->events, LOAD_EVENTS_PER_WAIT, WAIT_MS);
        for (int i = 0; i < count; i++)
            slot_handle(rate, rate->events[i].data.ptr);
        now = now_ns();
    }
}

static bool rate_measure(struct rate *rate)
{
    const struct load_options *options = rate->options;
    struct load_result *result = rate->result;

    if (!sample_take(options->server_pid, true, &result->before_open)) {
        fprintf(stderr, "load: no process %ld\n", (long)options->server_pid);
        return false;
    }
    rate_run_until(rate, now_ns() + (int64_t)(options->warmup * 1e9));
    if (!sample_take(options->server_pid, false, &result->begin))
        return false;
    rate->measuring = true;
    rate_run_until(rate, now_ns() + (int64_t)(options->seconds * 1e9));
    return sample_take(options->server_pid, false, &result->end) &&
           sample_take(options->server_pid, true, &result->after_open);
}

static void rate_destroy(struct rate *rate)
{
    for (unsigned i = 0; i < rate->options->in_flight && rate->slots != NULL; i++) {
        if (rate->slots[i].fd >= 0)
            close(rate->slots[i].fd);
    }
    if (rate->epoll_fd >= 0)
        close(rate->epoll_fd);
    free(rate->slots);
    free(rate->buffer);
    free(rate);
}

bool load_connect_run(const struct load_options *options, struct load_result *result)
{
    struct rate *rate = calloc(1, sizeof *rate);
    bool ok;

    if (rate == NULL)
        return false;
    rate->options = options;
    rate->result = result;
    rate->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    rate->slots = calloc(options->in_flight, sizeof *rate->slots);
    rate->buffer = malloc(LOAD_CHUNK_BYTES);
    for (unsigned i = 0; i < options->in_flight && rate->slots != NULL; i++)
        rate->slots[i].fd = -1;
    ok = rate->epoll_fd >= 0 && rate->slots != NULL && rate->buffer != NULL && rate_measure(rate);
    rate_destroy(rate);
    return ok;
}
