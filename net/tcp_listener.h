/* SPDX-License-Identifier: MIT */
/*
 * tcp_listener.h - what tests may change about how TCP listeners are made.
 */
#ifndef ANYC_NET_TCP_LISTENER_H
#define ANYC_NET_TCP_LISTENER_H

#include <stdbool.h>

#include <sys/socket.h>

/* Tests replace them, outside a run. */
struct tcp_listener_hooks {
    int (*bind)(int fd, const struct sockaddr *address, socklen_t len); /* bind(2) */
    bool no_dual_stack; /* as if no socket could serve IPv4 and IPv6 */
};

extern struct tcp_listener_hooks anyc__tcp_listener_hooks;

#endif
