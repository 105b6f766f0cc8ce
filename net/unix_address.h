/* SPDX-License-Identifier: MIT */
/*
 * unix_address.h - the names of UNIX sockets, stream and datagram (unix(7)).
 *
 *     struct unix_address address;
 *     int rc = anyc__unix_address_make(path, options->path_len, &address);
 *
 *     if (rc == 0)
 *         connect(fd, (const struct sockaddr *)&address.un, address.len);
 *
 * To bind to one, with everything that belongs to it: net/unix_bind.h. The text of one for a
 * message: anyc__address_format (net/address.h).
 */
#ifndef ANYC_NET_UNIX_ADDRESS_H
#define ANYC_NET_UNIX_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/socket.h>
#include <sys/un.h>

/* `len` is what the system wants: for a path with its closing zero, for an abstract name to its
 * last byte. */
struct unix_address {
    struct sockaddr_un un;
    socklen_t len;
};

/* Make the address of a path, or of an abstract name, which begins with a zero byte and may hold
 * more of them. path_len: bytes; 0: up to the first zero byte. Answers 0; or, with a message,
 * ANYC_EINVAL (no path, an empty one, a zero byte within a path) or -ENAMETOOLONG. */
int anyc__unix_address_make(const char *path, size_t path_len, struct unix_address *out_address);

/* Is it a name that is not in the file system? */
static inline bool anyc__unix_address_is_abstract(const struct unix_address *address)
{
    return address->len > offsetof(struct sockaddr_un, sun_path) && address->un.sun_path[0] == '\0';
}

#endif
