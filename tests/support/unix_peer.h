/* SPDX-License-Identifier: MIT */
/*
 * unix_peer.h - plain POSIX sockets of AF_UNIX for the other side of a connection under test, the
 * names they have, and files to be passed as descriptors. The rest as in peer.h, whose functions
 * take these sockets too.
 */
#ifndef ANYC_TESTS_SUPPORT_UNIX_PEER_H
#define ANYC_TESTS_SUPPORT_UNIX_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/socket.h>
#include <sys/un.h>

/* A name for a UNIX socket. */
struct unix_place {
    char folder[64]; /* a temporary one that holds the path; "" for an abstract name */
    char name[sizeof((struct sockaddr_un *)NULL)->sun_path]; /* a path ends with a zero byte */
    size_t len;                                              /* bytes of the name */
};

/* A name that nobody has: a path, or an abstract one with a zero byte in the middle. */
struct unix_place unix_place_make(bool abstract);

/* Remove what is at the path, and its folder. */
void unix_place_remove(const struct unix_place *place);

static inline bool unix_place_is_abstract(const struct unix_place *place)
{
    return place->name[0] == '\0';
}

/* Call a test's body for a path and for an abstract name. */
void unix_for_each_place(void (*body)(const struct unix_place *place));

/* The place as the system wants it; answers the length. */
socklen_t unix_peer_address(const struct unix_place *place, struct sockaddr_un *out_address);

/* A listener. */
int unix_peer_listen(const struct unix_place *place);

/* One that answers no connect for now, because nobody takes the one that fills its queue. */
int unix_peer_listen_full(const struct unix_place *place, int *out_filler);

/* A connection to a listener. */
int unix_peer_connect(const struct unix_place *place);

/* A descriptor of a file that holds this text, at its beginning. */
int unix_peer_file(const char *text);

/* The rest of a file's text. Closes it. */
void unix_peer_read_file(int fd, char *out_text, size_t size);

/* Send text with descriptors. */
void unix_peer_send_fds(int fd, const char *text, const int *fds, size_t count);

/* Receive at most max_bytes with at most max_fds descriptors; answers the bytes. */
size_t unix_peer_receive_fds(int fd, char *buf, size_t max_bytes, int *fds, size_t max_fds,
                             size_t *out_count);

#endif
