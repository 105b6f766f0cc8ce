/* SPDX-License-Identifier: MIT */
/*
 * datagram_io.c - put a datagram into a socket, and what the ways of taking one share.
 */
#include "net/datagram_io.h"

#include <errno.h>

#include <sys/uio.h>

void anyc__datagram_message(struct msghdr *message, struct iovec *room, anyc_datagram *datagram,
                            bool named)
{
    *room = (struct iovec){.iov_base = datagram->data, .iov_len = datagram->size};
    *message = (struct msghdr){.msg_iov = room, .msg_iovlen = 1};
    if (named) {
        message->msg_name = &datagram->address;
        message->msg_namelen = sizeof datagram->address;
    }
}

void anyc__datagram_taken(anyc_datagram *datagram, size_t len, bool truncated, bool named,
                          socklen_t address_len)
{
    datagram->len = len;
    datagram->truncated = truncated;
    datagram->address_len = named ? address_len : 0;
    if (named && address_len < sizeof(sa_family_t)) {
        /* a UNIX socket without a name: Linux writes nothing at all */
        datagram->address.ss_family = AF_UNIX;
        datagram->address_len = sizeof(sa_family_t);
    }
}

ssize_t anyc__datagram_put(int fd, const anyc_datagram *datagram, bool named)
{
    const struct sockaddr *address = NULL;
    socklen_t address_len = 0;
    ssize_t n;

    if (named && datagram->address_len > 0) {
        address = (const struct sockaddr *)&datagram->address;
        address_len = datagram->address_len;
    }
    do {
        n = sendto(fd, datagram->data, datagram->len, MSG_NOSIGNAL | MSG_DONTWAIT, address,
                   address_len);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 1;
}
