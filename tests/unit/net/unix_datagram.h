/* SPDX-License-Identifier: MIT */
/*
 * unix_datagram.h - UNIX datagram sockets of anyc for tests.
 */
#ifndef ANYC_TESTS_UNIT_NET_UNIX_DATAGRAM_H
#define ANYC_TESTS_UNIT_NET_UNIX_DATAGRAM_H

#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <sys/stat.h>
#include <unistd.h>

#include "support/datagram_peer.h"
#include "support/peer.h"
#include "support/tasks.h"
#include "support/unix_peer.h"

typedef anyc_create_unix_datagram_socket_options unix_options;
typedef anyc_create_connected_unix_datagram_socket_options unix_connect_options;

static inline anyc_unix_datagram_socket *unix_open_with(const unix_options *options)
{
    anyc_unix_datagram_socket *socket;

    ck_assert_ok(anyc_create_unix_datagram_socket(options, &socket));
    return socket;
}

static inline anyc_unix_datagram_socket *unix_open(const struct unix_place *place)
{
    return unix_open_with(&(unix_options){.local_path = place->name, .local_path_len = place->len});
}

/* own: NULL: no name. */
static inline anyc_connected_unix_datagram_socket *unix_connect(const struct unix_place *to,
                                                                const struct unix_place *own)
{
    unix_connect_options options = {.remote_path_len = to->len};
    anyc_connected_unix_datagram_socket *socket;

    if (own != NULL) {
        options.local_path = own->name;
        options.local_path_len = own->len;
    }
    ck_assert_ok(anyc_create_connected_unix_datagram_socket(to->name, &options, &socket));
    return socket;
}

/* The address is that name, byte for byte. */
static inline void unix_check_name(const anyc_socket_address *address, const char *name, size_t len)
{
    ck_assert_int_eq(address->family, AF_UNIX);
    ck_assert_int_eq(address->port, 0);
    ck_assert_uint_eq(address->host_len, len);
    if (len > 0)
        ck_assert_mem_eq(address->host, name, len);
}

/* The next datagram is this, from a socket of that name. */
static inline void unix_check_receives(anyc_unix_datagram_socket *socket, const char *text,
                                       const struct unix_place *from)
{
    char buf[64] = "";
    anyc_datagram datagram = {.data = buf, .size = sizeof buf};
    anyc_socket_address address;

    ck_assert_ok(anyc_unix_datagram_socket_receive(socket, &datagram));
    ck_assert_uint_eq(datagram.len, strlen(text));
    ck_assert_str_eq(buf, text);
    ck_assert_ok(anyc_datagram_get_address(&datagram, &address));
    unix_check_name(&address, from->name, from->len);
}

static inline void unix_reverse(char *buf, size_t len)
{
    for (size_t i = 0; i < len / 2; i++) {
        char byte = buf[i];

        buf[i] = buf[len - 1 - i];
        buf[len - 1 - i] = byte;
    }
}

static inline int unix_send_to(anyc_unix_datagram_socket *socket, const char *text,
                               const struct unix_place *to)
{
    return anyc_unix_datagram_socket_sendto(socket, text, strlen(text), to->name, to->len);
}

/* Send to a raw socket until its queue is full; answers how many went in. */
static inline size_t unix_fill(const struct unix_place *to)
{
    struct sockaddr_un address;
    socklen_t len = unix_peer_address(to, &address);
    int fd = datagram_peer_unix(NULL);
    size_t count = 0;

    while (sendto(fd, "fill", 4, MSG_DONTWAIT, (struct sockaddr *)&address, len) == 4)
        count++;
    ck_assert_int_eq(errno, EAGAIN);
    close(fd);
    return count;
}

/* The attributes that no UNIX socket has. */
static inline void unix_check_no_port(anyc_resource *x)
{
    int port = 0;

    ck_assert_int_eq((anyc_extra)(x, &ANYC_SOCKET_LOCAL_PORT, sizeof port, &port), ANYC_EATTRIBUTE);
    ck_assert_int_eq((anyc_extra)(x, &ANYC_SOCKET_REMOTE_PORT, sizeof port, &port),
                     ANYC_EATTRIBUTE);
}

#endif
