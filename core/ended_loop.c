/* SPDX-License-Identifier: MIT */
/*
 * ended_loop.c - a loop that never runs: see ended_loop.h.
 */
#include "core/ended_loop.h"

#include <anyc/backend.h>
#include <anyc/error.h>

static ssize_t ended_receive(anyc_watch *watch, void *buf, size_t max_bytes)
{
    (void)watch;
    (void)buf;
    (void)max_bytes;
    return ANYC_ECLOSED;
}

static ssize_t ended_send(anyc_watch *watch, const struct iovec *pieces, int count)
{
    (void)watch;
    (void)pieces;
    (void)count;
    return ANYC_ECLOSED;
}

static int ended_accept(anyc_watch *watch, struct sockaddr *peer, socklen_t *peer_len)
{
    (void)watch;
    (void)peer;
    (void)peer_len;
    return ANYC_ECLOSED;
}

/* Only what is called for a watch that was closed; nobody keeps one whose connect is under way. */
static const anyc_backend ended_backend = {
    .name = "none: the run has ended",
    .receive = ended_receive,
    .send = ended_send,
    .accept = ended_accept,
};

anyc_loop anyc__ended_loop = {.backend = &ended_backend};
