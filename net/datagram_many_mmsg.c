/* SPDX-License-Identifier: MIT */
/*
 * datagram_many_mmsg.c - several datagrams with one system call: recvmmsg(2), sendmmsg(2).
 *
 * The kernel's descriptions of them lie on the stack, so a call takes at most MANY_AT_ONCE: most
 * of what can be saved is saved by then. Larger batches take more calls.
 */
#include "net/datagram_io.h"

#include <errno.h>

#include <sys/socket.h>
#include <sys/uio.h>

#include "core/descriptor.h"

#define MANY_AT_ONCE 12

struct many {
    struct mmsghdr messages[MANY_AT_ONCE];
    struct iovec pieces[MANY_AT_ONCE];
};

_Static_assert(sizeof(struct many) <= 1024, "stacks are small");

static unsigned many_at_once(size_t count)
{
    return count < MANY_AT_ONCE ? (unsigned)count : MANY_AT_ONCE;
}

/* At most MANY_AT_ONCE: how many, or -errno. */
static int many_take(int fd, anyc_datagram *datagrams, unsigned count, bool named)
{
    struct many many;
    int n;

    for (unsigned i = 0; i < count; i++)
        anyc__datagram_message(&many.messages[i].msg_hdr, &many.pieces[i], &datagrams[i], named);
    do {
        n = recvmmsg(fd, many.messages, count, MSG_DONTWAIT, NULL);
    } while (n < 0 && errno == EINTR);
    for (int i = 0; i < n; i++) {
        const struct msghdr *message = &many.messages[i].msg_hdr;

        anyc__datagram_taken(&datagrams[i], many.messages[i].msg_len,
                             (message->msg_flags & MSG_TRUNC) != 0, named, message->msg_namelen);
    }
    return n < 0 ? -errno : n;
}

ssize_t anyc__datagram_take_many(int fd, anyc_datagram *datagrams, size_t count, bool named,
                                 int *out_late)
{
    size_t taken = 0;
    unsigned wanted = 0;
    int n = 0;

    do {
        wanted = many_at_once(count - taken);
        n = many_take(fd, datagrams + taken, wanted, named);
        taken += n > 0 ? (size_t)n : 0;
    } while (n == (int)wanted && taken < count);
    if (taken == 0)
        return n;
    if (n < 0 && !anyc__would_block(-n))
        *out_late = -n;
    return (ssize_t)taken;
}

/* At most MANY_AT_ONCE: how many, or -errno about the first. */
static int many_put(int fd, const anyc_datagram *datagrams, unsigned count, bool named)
{
    struct many many;
    int n;

    for (unsigned i = 0; i < count; i++) {
        struct msghdr *message = &many.messages[i].msg_hdr;

        many.pieces[i] = (struct iovec){.iov_base = datagrams[i].data, .iov_len = datagrams[i].len};
        *message = (struct msghdr){.msg_iov = &many.pieces[i], .msg_iovlen = 1};
        if (named && datagrams[i].address_len > 0) {
            message->msg_name = (void *)&datagrams[i].address;
            message->msg_namelen = datagrams[i].address_len;
        }
    }
    do {
        n = sendmmsg(fd, many.messages, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t anyc__datagram_put_many(int fd, const anyc_datagram *datagrams, size_t count, bool named)
{
    size_t put = 0;
    unsigned wanted = 0;
    int n = 0;

    do {
        wanted = many_at_once(count - put);
        n = many_put(fd, datagrams + put, wanted, named);
        put += n > 0 ? (size_t)n : 0;
    } while (n == (int)wanted && put < count);
    return put > 0 ? (ssize_t)put : n;
}
