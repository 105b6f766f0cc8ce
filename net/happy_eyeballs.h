/* SPDX-License-Identifier: MIT */
/*
 * happy_eyeballs.h - connect to whichever address of a host answers first (RFC 6555, RFC 8305).
 */
#ifndef ANYC_NET_HAPPY_EYEBALLS_H
#define ANYC_NET_HAPPY_EYEBALLS_H

#include <anyc/dns.h>
#include <anyc/stream.h>

/* Where to connect to. */
struct connect_target {
    const char *host;               /* for messages */
    int port;                       /* the same */
    const anyc_addrinfo *addresses; /* at least one, in the order of the look-up */
    size_t count;
    const struct sockaddr *local; /* to bind to, or NULL */
    socklen_t local_len;
    double delay; /* seconds until the next attempt starts, see socket.h */
};

/* Answers 0 or as anyc_connect_tcp does after the look-up. A checkpoint of the calling task, which
 * has just been through anyc__enter. */
int anyc__happy_eyeballs(const struct connect_target *target, anyc_byte_stream **out_stream);

#endif
