/* SPDX-License-Identifier: MIT */
/*
 * datagram_take.c - take one datagram: recvmsg(2), which says everywhere when one was cut.
 */
#include "net/datagram_io.h"

#include <errno.h>

#include <sys/socket.h>

ssize_t anyc__datagram_take(int fd, anyc_datagram *datagram, bool named)
{
    struct msghdr message;
    struct iovec room;
    ssize_t n;

    anyc__datagram_message(&message, &room, datagram, named);
    do {
        n = recvmsg(fd, &message, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    anyc__datagram_taken(datagram, (size_t)n, (message.msg_flags & MSG_TRUNC) != 0, named,
                         message.msg_namelen);
    return 1;
}
