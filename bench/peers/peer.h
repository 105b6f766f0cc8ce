/* SPDX-License-Identifier: MIT */
/*
 * peer.h - what the raw servers in this folder share: options, the listening socket and the echo
 * of one connection, or of datagrams, over plain system calls.
 *
 * The echo step knows no loop: it reads and writes once and says which readiness to wait for.
 * Read peer.c, then echo_epoll.c with its loop, peer_epoll.c.
 */
#ifndef ANYC_BENCH_PEER_H
#define ANYC_BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PEER_BUFFER_BYTES = 65536,
    PEER_DATAGRAMS = 32, /* answered in a row; libuv reads as many */
};

struct peer_options {
    const char *host;      /* numeric address */
    uint16_t port;         /* 0: the system chooses */
    const char *unix_path; /* listen there instead; the file must not exist */
    const char *tls_chain; /* --tls: the files of the certificate and of its key; only tls_epoll */
    const char *tls_key;
    const char *root; /* --root: folder of the files to serve; only file_epoll */
    bool udp;         /* datagrams instead of connections */
    bool variant;     /* the program's second way of working was asked for */
};

/* What a connection waits for after a step. */
enum peer_want {
    PEER_WANT_READ,  /* nothing left to send */
    PEER_WANT_WRITE, /* bytes are left over: read no more until they are sent */
    PEER_WANT_CLOSE, /* end of data, or the connection failed */
};

/* Invariant: rest == NULL iff rest_len == 0; rest_start < rest_len otherwise. */
struct peer_conn {
    int fd;
    uint8_t *rest;     /* owned: what the last write did not take */
    size_t rest_start; /* first byte of it still to be sent */
    size_t rest_len;
    struct peer_conn *next; /* ring of all open connections */
    struct peer_conn *prev;
};

/* Read the command line; `variant_flag` is the program's own flag or NULL. False: usage printed. */
bool peer_options_parse(int argc, char **argv, const char *variant_flag, struct peer_options *out);

/* Raise the descriptor limit to the hard limit and ignore SIGPIPE. */
void peer_process_init(void);

/*
 * A non-blocking socket that listens, or with `udp` is bound, announced as "listening on
 * HOST:PORT" or "listening on PATH"; -1 after a message.
 */
int peer_listen(const struct peer_options *options);

/*
 * Accept one connection: non-blocking, close-on-exec, TCP_NODELAY. -1 when none is waiting.
 * Out of descriptors: the connection is taken and dropped, so that a level-triggered loop does
 * not spin, and -2 answers "call again".
 */
int peer_accept(int listen_fd);

/* Link a connection for `fd` into the ring; peer_conn_close unlinks it and frees what it holds. */
void peer_conn_init(struct peer_conn *conn, int fd, struct peer_conn *ring);
void peer_conn_close(struct peer_conn *conn);
void peer_ring_init(struct peer_conn *ring);

/* One read into `buf` (PEER_BUFFER_BYTES, shared by all connections) and one write of it. */
enum peer_want peer_conn_on_readable(struct peer_conn *conn, uint8_t *buf);

/* Send what is left over. */
enum peer_want peer_conn_on_writable(struct peer_conn *conn);

/* Keep what the socket did not take, until it is writable. Out of memory ends the connection. */
enum peer_want peer_conn_keep_rest(struct peer_conn *conn, const uint8_t *data, size_t len);

/* The socket took so many more bytes of what was kept. */
enum peer_want peer_conn_rest_sent(struct peer_conn *conn, size_t sent);

/* Send back the datagrams that wait, up to PEER_DATAGRAMS of them. `buf` as above. */
void peer_datagrams_on_readable(int fd, uint8_t *buf);

#endif
