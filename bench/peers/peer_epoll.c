/* SPDX-License-Identifier: MIT */
/*
 * peer_epoll.c - the loop of the servers on plain epoll.
 */
#include "peer_epoll.h"

#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

int peer_epoll_watch(const struct peer_epoll *loop, int op, int fd, uint32_t events, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};

    return epoll_ctl(loop->epoll_fd, op, fd, &event);
}

static void dispatch(struct peer_epoll *loop, const struct epoll_event *event)
{
    if (event->data.ptr == &loop->listen_fd)
        loop->on_listener(loop);
    else if (event->data.ptr == &loop->signal_fd)
        loop->stop = true;
    else
        loop->on_event(loop, event->data.ptr, event->events);
}

void peer_epoll_run(struct peer_epoll *loop)
{
    while (!loop->stop) {
        int count = epoll_wait(loop->epoll_fd, loop->events, PEER_EVENTS_PER_WAIT, -1);

        for (int i = 0; i < count; i++)
            dispatch(loop, &loop->events[i]);
    }
}

static int signals_open(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int peer_epoll_open(struct peer_epoll *loop, const struct peer_options *options)
{
    loop->listen_fd = -1;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->signal_fd = signals_open();
    if (loop->epoll_fd < 0 || loop->signal_fd < 0 ||
        peer_epoll_watch(loop, EPOLL_CTL_ADD, loop->signal_fd, EPOLLIN, &loop->signal_fd) != 0) {
        perror("epoll");
        return -1;
    }
    loop->listen_fd = peer_listen(options);
    if (loop->listen_fd < 0)
        return -1;
    return peer_epoll_watch(loop, EPOLL_CTL_ADD, loop->listen_fd, EPOLLIN, &loop->listen_fd);
}

void peer_epoll_close(struct peer_epoll *loop)
{
    if (loop->listen_fd >= 0)
        close(loop->listen_fd);
    if (loop->signal_fd >= 0)
        close(loop->signal_fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
}
