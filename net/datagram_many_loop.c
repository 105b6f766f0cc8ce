/* SPDX-License-Identifier: MIT */
/*
 * datagram_many_loop.c - several datagrams one by one, for systems without recvmmsg and sendmmsg.
 */
#include "net/datagram_io.h"

#include "core/descriptor.h"

ssize_t anyc__datagram_take_many(int fd, anyc_datagram *datagrams, size_t count, bool named,
                                 int *out_late)
{
    size_t taken = 0;
    ssize_t n = 1;

    while (n > 0 && taken < count) {
        n = anyc__datagram_take(fd, &datagrams[taken], named);
        taken += n > 0;
    }
    if (taken == 0)
        return n;
    if (n < 0 && !anyc__would_block((int)-n))
        *out_late = (int)-n;
    return (ssize_t)taken;
}

ssize_t anyc__datagram_put_many(int fd, const anyc_datagram *datagrams, size_t count, bool named)
{
    size_t put = 0;
    ssize_t n = 1;

    while (n > 0 && put < count) {
        n = anyc__datagram_put(fd, &datagrams[put], named);
        put += n > 0;
    }
    return put > 0 ? (ssize_t)put : n;
}
