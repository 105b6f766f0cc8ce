/* SPDX-License-Identifier: MIT */
/*
 * socket.h - the descriptors behind streams and listeners: made, set up, asked. Nothing here
 * waits. Functions that answer an int answer 0 (a descriptor) or -errno, without a message: the
 * caller knows better what it was for.
 */
#ifndef ANYC_NET_SOCKET_H
#define ANYC_NET_SOCKET_H

#include <sys/socket.h>

#include <anyc/resource.h>
#include <anyc/socket.h>

/* A socket, non-blocking and close-on-exec. */
int anyc__socket_open(int family, int type);

/* Turn an option of type int on or off. */
int anyc__socket_set_option(int fd, int level, int option, int value);

/* Let a bound socket listen. backlog: 0: as many as may be, 65536; a larger one is cut to that. */
int anyc__socket_listen(int fd, int backlog);

/* The address in the form of the API. Answers 0. */
int anyc__socket_address(const struct sockaddr *address, socklen_t len, anyc_socket_address *out);

/* The `extra` slot of everything with a socket. fd: -1 after its end. peer: the address of the
 * other side, or NULL where there is none. */
int anyc__socket_extra(int fd, const struct sockaddr *peer, socklen_t peer_len,
                       const anyc_typed_attribute *attribute, void *out);

#endif
