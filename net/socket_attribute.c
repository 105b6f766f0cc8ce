/* SPDX-License-Identifier: MIT */
/*
 * socket_attribute.c - what can be asked of sockets. AnyIO: abc.SocketAttribute.
 *
 * The local side is asked of the kernel each time; the remote side is the one kept when the
 * connection was made, because after a reset the kernel has forgotten it.
 */
#include <anyc/socket.h>

#include "net/socket.h"

#include <stddef.h>
#include <string.h>

#include <sys/un.h>

#include "core/error.h"
#include "net/address.h"
#include "streams/stream.h"

ANYC_TYPED_ATTRIBUTE(ANYC_SOCKET_FAMILY, int);
ANYC_TYPED_ATTRIBUTE(ANYC_SOCKET_LOCAL_ADDRESS, anyc_socket_address);
ANYC_TYPED_ATTRIBUTE(ANYC_SOCKET_LOCAL_PORT, int);
ANYC_TYPED_ATTRIBUTE(ANYC_SOCKET_RAW_SOCKET, int);
ANYC_TYPED_ATTRIBUTE(ANYC_SOCKET_REMOTE_ADDRESS, anyc_socket_address);
ANYC_TYPED_ATTRIBUTE(ANYC_SOCKET_REMOTE_PORT, int);

_Static_assert(sizeof((struct sockaddr_un *)NULL)->sun_path <
                   sizeof((anyc_socket_address *)NULL)->host,
               "a UNIX name fits with a closing zero");
_Static_assert(sizeof((struct stream_peer *)NULL)->name >= ANYC__ADDRESS_TEXT_SIZE,
               "every address fits");

/* The name of a UNIX socket, byte for byte: a path ends at its zero, an abstract name (which begins
 * with one) where the length says. */
static void attribute_unix_name(const struct sockaddr *address, socklen_t len,
                                anyc_socket_address *out)
{
    const char *name = (const char *)address + offsetof(struct sockaddr_un, sun_path);
    size_t name_len = 0;

    if (len > offsetof(struct sockaddr_un, sun_path))
        name_len = len - offsetof(struct sockaddr_un, sun_path);
    if (name_len >= sizeof out->host)
        name_len = sizeof out->host - 1;
    if (name_len > 0 && name[0] != '\0')
        name_len = strnlen(name, name_len);
    memcpy(out->host, name, name_len);
    out->host_len = name_len;
}

int anyc__socket_address(const struct sockaddr *address, socklen_t len, anyc_socket_address *out)
{
    int port = anyc__address_port(address);

    memset(out, 0, sizeof *out);
    out->family = address->sa_family;
    if (address->sa_family == AF_UNIX) {
        attribute_unix_name(address, len, out);
        return 0;
    }
    anyc__address_host(address, len, out->host, sizeof out->host);
    out->host_len = strlen(out->host);
    out->port = port < 0 ? 0 : port;
    return 0;
}

static int attribute_port(const struct sockaddr *address, int *out)
{
    int port = anyc__address_port(address);

    if (port < 0)
        return anyc__fail_plain(ANYC_EATTRIBUTE);
    *out = port;
    return 0;
}

static int attribute_local(int fd, const anyc_typed_attribute *attribute, void *out)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr *address = (struct sockaddr *)&storage;
    socklen_t len = sizeof storage;

    if (fd < 0)
        return anyc__fail_plain(ANYC_ECLOSED);
    if (getsockname(fd, address, &len) < 0)
        return anyc__fail_errno(errno, "getsockname");
    if (attribute == &ANYC_SOCKET_LOCAL_ADDRESS)
        return anyc__socket_address(address, len, out);
    if (attribute == &ANYC_SOCKET_LOCAL_PORT)
        return attribute_port(address, out);
    *(int *)out = address->sa_family;
    return 0;
}

int anyc__socket_extra(int fd, const struct sockaddr *peer, socklen_t peer_len,
                       const anyc_typed_attribute *attribute, void *out)
{
    if (attribute == &ANYC_SOCKET_REMOTE_ADDRESS && peer != NULL)
        return anyc__socket_address(peer, peer_len, out);
    if (attribute == &ANYC_SOCKET_REMOTE_PORT && peer != NULL)
        return attribute_port(peer, out);
    if (attribute == &anyc__stream_peer && peer != NULL) {
        anyc__address_format(peer, peer_len, ((struct stream_peer *)out)->name,
                             sizeof((struct stream_peer *)out)->name);
        return 0;
    }
    if (attribute == &ANYC_SOCKET_LOCAL_ADDRESS || attribute == &ANYC_SOCKET_LOCAL_PORT ||
        attribute == &ANYC_SOCKET_FAMILY)
        return attribute_local(fd, attribute, out);
    if (attribute != &ANYC_SOCKET_RAW_SOCKET)
        return anyc__fail_plain(ANYC_EATTRIBUTE);
    if (fd < 0)
        return anyc__fail_plain(ANYC_ECLOSED);
    *(int *)out = fd;
    return 0;
}
