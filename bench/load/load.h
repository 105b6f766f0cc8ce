/* SPDX-License-Identifier: MIT */
/*
 * load.h - the parts of the load generator: options, results, sockets, the modes.
 *
 * Read main.c first, then echo.c (ping-pong over open connections), connect.c (connections a
 * second), datagram.c (ping-pong by UDP) and get.c (files by HTTP).
 */
#ifndef ANYC_BENCH_LOAD_H
#define ANYC_BENCH_LOAD_H

#include "hist.h"
#include "sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOAD_PATTERN_PERIOD = 251, /* prime, so that a lost or doubled block is noticed */
    LOAD_CHUNK_BYTES = 262144, /* most that one send or recv moves */
    LOAD_EVENTS_PER_WAIT = 512,
    LOAD_PIPELINE_MAX = 1024,
};

enum load_mode {
    LOAD_ECHO,
    LOAD_CONNECT,
    LOAD_DATAGRAM,
    LOAD_GET,
    LOAD_MODES,
};

struct load_options {
    enum load_mode mode;
    const char *host; /* numeric address */
    const char *port;
    const char *unix_path; /* instead of host and port */
    unsigned connections;  /* datagram mode: clients, a socket each */
    unsigned busy;         /* how many of them send */
    unsigned pipeline;     /* messages in flight on each */
    unsigned in_flight;    /* connect mode: connections at once */
    const char *get;       /* get mode: target of the requests */
    size_t size;           /* bytes of a message, or of the file */
    double seconds;
    double warmup;
    pid_t server_pid; /* 0: not told */
};

/*
 * `opened` is what the server used before and after the connections were opened, `begin` and
 * `end` enclose the measured time; all counts are of the measured time.
 */
struct load_result {
    uint64_t messages; /* in connect mode: connections */
    uint64_t errors;   /* in datagram mode: datagrams sent again */
    uint64_t stalled;  /* busy connections that finished no message */
    struct sample before_open;
    struct sample after_open;
    struct sample begin;
    struct sample end;
    struct hist latency;
};

/* Resolve the server's address once. False after a message. */
bool load_net_init(const struct load_options *options);

/*
 * A non-blocking socket, connecting, TCP_NODELAY. Sources are spread over 127.0.0.x, `lane` says
 * which, because one address has too few ports for many connections. -1 with errno on failure.
 */
int load_net_connect(unsigned lane);

/* A non-blocking UDP socket connected to the server; -1 with errno on failure. */
int load_net_datagram(void);

/* Wait up to `timeout_ms` for poll events on one descriptor. */
bool load_net_wait(int fd, short events, int timeout_ms);

/* Bytes that belong at position `position` of a connection's stream; LOAD_CHUNK_BYTES readable. */
const uint8_t *load_pattern(uint64_t position);
void load_pattern_init(void);

/* Run one mode. False after a message when nothing could be measured. */
bool load_echo_run(const struct load_options *options, struct load_result *result);
bool load_connect_run(const struct load_options *options, struct load_result *result);
bool load_datagram_run(const struct load_options *options, struct load_result *result);
bool load_get_run(const struct load_options *options, struct load_result *result);

#endif
