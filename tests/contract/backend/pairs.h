/* SPDX-License-Identifier: MIT */
/*
 * pairs.h - two descriptors that are connected, for the tests of watches. Every call must succeed.
 */
#ifndef ANYC_TESTS_CONTRACT_BACKEND_PAIRS_H
#define ANYC_TESTS_CONTRACT_BACKEND_PAIRS_H

#include <check.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connected stream sockets, non-blocking. */
static inline void pair_sockets(int fds[2])
{
    int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

    ck_assert_int_eq(socketpair(AF_UNIX, type, 0, fds), 0);
}

/* A pipe, non-blocking: read from [0], write to [1]. */
static inline void pair_pipe(int fds[2])
{
    ck_assert_int_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
}

static inline void pair_put(int fd)
{
    ck_assert_int_eq(write(fd, "x", 1), 1);
}

static inline void pair_take(int fd)
{
    char byte;

    ck_assert_int_eq(read(fd, &byte, 1), 1);
}

/* Writes until there is no room; answers how many bytes that took. */
static inline size_t pair_fill(int fd)
{
    static const char block[65536];
    size_t sum = 0;
    ssize_t count;

    while ((count = write(fd, block, sizeof block)) > 0)
        sum += (size_t)count;
    ck_assert_int_eq(errno, EAGAIN);
    return sum;
}

static inline void pair_drain(int fd, size_t size)
{
    static char block[65536];
    ssize_t count;

    while (size > 0) {
        count = read(fd, block, sizeof block);
        ck_assert_int_gt(count, 0);
        size -= (size_t)count;
    }
}

static inline void pair_close(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

#endif
