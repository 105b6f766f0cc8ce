/* SPDX-License-Identifier: MIT */
/*
 * datagram_address.c - the address of a datagram as people write it.
 */
#include <anyc/datagram.h>

#include <errno.h>
#include <string.h>

#include "core/error.h"
#include "net/address.h"
#include "net/socket.h"
#include "net/unix_address.h"

int anyc_datagram_get_address(const anyc_datagram *datagram, anyc_socket_address *out_address)
{
    if (datagram->address_len < sizeof(sa_family_t))
        return anyc__fail(ANYC_EATTRIBUTE, 0, "the datagram has no address");
    return anyc__socket_address((const struct sockaddr *)&datagram->address, datagram->address_len,
                                out_address);
}

static int datagram_set_unix(anyc_datagram *datagram, const anyc_socket_address *address)
{
    struct unix_address made;
    int rc = anyc__unix_address_make(address->host, address->host_len, &made);

    if (rc < 0)
        return rc;
    memcpy(&datagram->address, &made.un, sizeof made.un);
    datagram->address_len = made.len;
    return 0;
}

static int datagram_set_ip(anyc_datagram *datagram, const anyc_socket_address *address)
{
    struct sockaddr_storage storage;
    socklen_t len;

    if (address->port < 1 || address->port > 65535)
        return anyc__fail(ANYC_EINVAL, 0, "port %d is not within 1..65535", address->port);
    if (!anyc__address_parse(address->host, address->port, &storage, &len) ||
        storage.ss_family != address->family)
        return anyc__fail(ANYC_EINVAL, 0, "%s is no literal address of IPv%d", address->host,
                          address->family == AF_INET ? 4 : 6);
    datagram->address = storage;
    datagram->address_len = len;
    return 0;
}

int anyc_datagram_set_address(anyc_datagram *datagram, const anyc_socket_address *address)
{
    if (address->family == AF_UNIX)
        return datagram_set_unix(datagram, address);
    if (address->family == AF_INET || address->family == AF_INET6)
        return datagram_set_ip(datagram, address);
    return anyc__fail(-EAFNOSUPPORT, EAFNOSUPPORT, "datagrams are not sent to address family %d",
                      address->family);
}
