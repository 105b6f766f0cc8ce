/* SPDX-License-Identifier: MIT */
/*
 * datagram_io.h - take datagrams from a socket and put them into it, one or many at once. Nothing
 * here waits or sets an error: all answer -EAGAIN when they would have to wait.
 *
 * `named`: the datagrams have addresses. On a connected socket they have none.
 */
#ifndef ANYC_NET_DATAGRAM_IO_H
#define ANYC_NET_DATAGRAM_IO_H

#include <sys/types.h>

#include <anyc/datagram.h>

/* Take one: 1, or -errno, and then `datagram` is unchanged. In datagram_take_linux.c, or
 * datagram_take.c on other systems. */
ssize_t anyc__datagram_take(int fd, anyc_datagram *datagram, bool named);

/* Put one: 1 or -errno. */
ssize_t anyc__datagram_put(int fd, const anyc_datagram *datagram, bool named);

/* Take those that are there, `count` at most: how many, 1..count, or -errno. *out_late: an errno
 * that turned up behind those taken, and of which the system will not speak again; else unchanged.
 * In datagram_many_mmsg.c, or datagram_many_loop.c where the system has no such calls. */
ssize_t anyc__datagram_take_many(int fd, anyc_datagram *datagrams, size_t count, bool named,
                                 int *out_late);

/* Put as many as there is room for: how many, 1..count, or -errno, about the first. */
ssize_t anyc__datagram_put_many(int fd, const anyc_datagram *datagrams, size_t count, bool named);

/* For the functions above: what the system is to fill, and what it then said of one. */
void anyc__datagram_message(struct msghdr *message, struct iovec *room, anyc_datagram *datagram,
                            bool named);
void anyc__datagram_taken(anyc_datagram *datagram, size_t len, bool truncated, bool named,
                          socklen_t address_len);

#endif
