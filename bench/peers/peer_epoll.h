/* SPDX-License-Identifier: MIT */
/*
 * peer_epoll.h - what the servers on plain epoll share: an instance of epoll, level-triggered, the
 * listening socket, and the signals that end the server.
 */
#ifndef ANYC_BENCH_PEER_EPOLL_H
#define ANYC_BENCH_PEER_EPOLL_H

#include "peer.h"

#include <sys/epoll.h>

enum { PEER_EVENTS_PER_WAIT = 1024 };

/* The first field of a server, which sets the two functions before it opens it. */
struct peer_epoll {
    int epoll_fd;
    int listen_fd; /* or the UDP socket */
    int signal_fd;
    bool stop;
    void (*on_listener)(struct peer_epoll *loop); /* the listening socket is readable */
    void (*on_event)(struct peer_epoll *loop, void *data, uint32_t events);
    struct epoll_event events[PEER_EVENTS_PER_WAIT];
};

/* Listen and announce it. -1 after a message. Either way peer_epoll_close() ends it. */
int peer_epoll_open(struct peer_epoll *loop, const struct peer_options *options);
void peer_epoll_close(struct peer_epoll *loop);

/* epoll_ctl(2); `data` is handed to on_event. */
int peer_epoll_watch(const struct peer_epoll *loop, int op, int fd, uint32_t events, void *data);

/* Serve until SIGTERM or SIGINT. */
void peer_epoll_run(struct peer_epoll *loop);

#endif
