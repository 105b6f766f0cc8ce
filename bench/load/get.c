/* SPDX-License-Identifier: MIT */
/*
 * get.c - HTTP: each connection asks for a file again and again, as soon as it has all of it.
 *
 * The head must say 200 and `size` as the length. The content is counted and dropped inside the
 * kernel (MSG_TRUNC of tcp(7)): to copy it would take this program longer than a server with
 * sendfile(2), and the load would be measured instead of the server. The latency is that of a whole
 * answer.
 */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_MAX = 4096, WAIT_MS = 50, CONNECT_MS = 5000, DROP_BYTES = 1 << 30 };

struct getter {
    int fd;
    int64_t started_ns;
    size_t left;     /* of the content; 0: the head is awaited */
    size_t head_len; /* of what is in `head` */
    char head[HEAD_MAX];
};

struct gets {
    const struct load_options *options;
    struct load_result *result;
    int epoll_fd;
    bool measuring;
    size_t request_len;
    char request[1024];
    struct getter *getters;
    struct epoll_event events[LOAD_EVENTS_PER_WAIT];
};

static bool getter_ask(const struct gets *gets, struct getter *getter)
{
    getter->started_ns = now_ns();
    getter->head_len = 0;
    getter->left = 0;
    return send(getter->fd, gets->request, gets->request_len, MSG_NOSIGNAL) ==
           (ssize_t)gets->request_len;
}

static bool getter_open(const struct gets *gets, struct getter *getter, unsigned lane)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = getter};

    getter->fd = load_net_connect(lane);
    return getter->fd >= 0 && load_net_wait(getter->fd, EPOLLOUT, CONNECT_MS) &&
           getter_ask(gets, getter) &&
           epoll_ctl(gets->epoll_fd, EPOLL_CTL_ADD, getter->fd, &event) == 0;
}

/* After the head, whose end the server may send together with content: that stays in the socket. */
static bool getter_read_head(const struct gets *gets, struct getter *getter)
{
    ssize_t got = recv(getter->fd, getter->head, HEAD_MAX - 1, MSG_PEEK);
    const char *blank;
    const char *length;

    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    getter->head[got] = '\0';
    blank = strstr(getter->head, "\r\n\r\n");
    if (blank == NULL)
        return got < HEAD_MAX - 1;
    length = strcasestr(getter->head, "\r\nContent-Length: ");
    if (strncmp(getter->head, "HTTP/1.1 200 ", 13) != 0 || length == NULL || length > blank ||
        strtoul(length + 18, NULL, 10) != gets->options->size)
        return false;
    getter->left = gets->options->size;
    getter->head_len = (size_t)(blank + 4 - getter->head);
    return recv(getter->fd, NULL, getter->head_len, MSG_TRUNC) == (ssize_t)getter->head_len;
}

static bool getter_drop_content(struct gets *gets, struct getter *getter)
{
    ssize_t got = recv(getter->fd, NULL, DROP_BYTES, MSG_TRUNC);

    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    if ((size_t)got > getter->left)
        return false;
    getter->left -= (size_t)got;
    if (getter->left > 0)
        return true;
    if (gets->measuring) {
        hist_add(&gets->result->latency, now_ns() - getter->started_ns);
        gets->result->messages++;
    }
    return getter_ask(gets, getter);
}

/* False: this server is not to be measured. */
static bool getter_handle(struct gets *gets, struct getter *getter)
{
    return (getter->left > 0 || getter_read_head(gets, getter)) &&
           (getter->left == 0 || getter_drop_content(gets, getter));
}

static bool gets_run_for(struct gets *gets, double seconds)
{
    int64_t end_ns = now_ns() + (int64_t)(seconds * 1e9);

    while (now_ns() < end_ns) {
        int count = epoll_wait(gets->epoll_fd, gets->events, LOAD_EVENTS_PER_WAIT, WAIT_MS);

        for (int i = 0; i < count; i++) {
            if (!getter_handle(gets, gets->events[i].data.ptr)) {
                fprintf(stderr, "load: not the answer that was asked for\n");
                return false;
            }
        }
    }
    return true;
}

static bool gets_measure(struct gets *gets)
{
    const struct load_options *options = gets->options;
    struct load_result *result = gets->result;

    if (!sample_take(options->server_pid, true, &result->before_open))
        return false;
    for (unsigned i = 0; i < options->connections; i++) {
        if (!getter_open(gets, &gets->getters[i], i)) {
            perror("load: connect");
            return false;
        }
    }
    if (!gets_run_for(gets, options->warmup) ||
        !sample_take(options->server_pid, false, &result->begin))
        return false;
    gets->measuring = true;
    return gets_run_for(gets, options->seconds) &&
           sample_take(options->server_pid, false, &result->end) &&
           sample_take(options->server_pid, true, &result->after_open);
}

bool load_get_run(const struct load_options *options, struct load_result *result)
{
    struct gets *gets = calloc(1, sizeof *gets);
    bool ok;

    if (gets == NULL)
        return false;
    gets->options = options;
    gets->result = result;
    gets->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    gets->getters = calloc(options->connections, sizeof *gets->getters);
    gets->request_len = (size_t)snprintf(gets->request, sizeof gets->request,
                                         "GET %s HTTP/1.1\r\nHost: load\r\n\r\n", options->get);
    for (unsigned i = 0; i < options->connections && gets->getters != NULL; i++)
        gets->getters[i].fd = -1;
    ok = gets->epoll_fd >= 0 && gets->getters != NULL && gets->request_len < sizeof gets->request &&
         gets_measure(gets);
    for (unsigned i = 0; i < options->connections && gets->getters != NULL; i++) {
        if (gets->getters[i].fd >= 0)
            close(gets->getters[i].fd);
    }
    if (gets->epoll_fd >= 0)
        close(gets->epoll_fd);
    free(gets->getters);
    free(gets);
    return ok;
}
