/* SPDX-License-Identifier: MIT */
/*
 * peer.h - plain POSIX sockets for the other side of a connection under test.
 *
 * They block, for 10 seconds at most, so that a test that goes wrong fails instead of hanging.
 * Whatever the system refuses fails the test at once. What must block while the loop runs goes
 * into a thread.
 */
#ifndef ANYC_TESTS_SUPPORT_PEER_H
#define ANYC_TESTS_SUPPORT_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <pthread.h>
#include <sys/socket.h>

/* A thread that plays the peer. */
struct peer_thread {
    pthread_t thread;
    void (*body)(struct peer_thread *peer);
    int fd;           /* what the body works on; it closes it itself */
    const void *data; /* what the body sends, or NULL */
    size_t len;
};

/* "127.0.0.1" or "::1". */
const char *peer_loopback(int family);

/* Does this machine have the family's loopback address? */
bool peer_has_family(int family);

/* Call a test's body for AF_INET, and for AF_INET6 where there is one. */
void peer_for_each_family(void (*body)(int family));

/* A blocking stream socket of a family, close-on-exec. */
int peer_socket(int family);

/* A listener on a literal address and a free port; NULL: the wildcard of both families. */
int peer_listen_on(const char *host);

/* The same on a given port. */
int peer_listen_at(const char *host, int port);

/* A listener that answers no connect, because nobody takes the one that fills its queue. */
int peer_listen_full(const char *host, int *out_filler);

/* The same on the family's loopback address. */
int peer_listen(int family);

/* The port that a socket is bound to. */
int peer_port(int fd);

/* The next connection of a listener. */
int peer_accept(int listener);

/* Throw away the connections that wait to be taken. */
void peer_drain(int listener);

/* A connection to the family's loopback address. */
int peer_connect(int family, int port);

/* Send all of it; false if the other side has gone. */
bool peer_send(int fd, const void *data, size_t len);

/* Send until nothing fits, not even some time later: data may still be on its way. */
void peer_fill(int fd);

/* Read until `len` bytes or the end of input; answers how many there were. */
size_t peer_receive(int fd, void *buf, size_t len);

/* Wait until something can be read, or a connection taken. */
void peer_wait_readable(int fd);

/* Close with a reset (SO_LINGER on, time 0). */
void peer_reset(int fd);

/* How many descriptors this process has open. */
int peer_count_fds(void);

/* Run a body in a thread. */
void peer_start(struct peer_thread *peer, void (*body)(struct peer_thread *peer), int fd);

/* Wait for its end. */
void peer_join(struct peer_thread *peer);

#endif
