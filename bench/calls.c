/* SPDX-License-Identifier: MIT */
/*
 * calls.c - counts the system calls of a server while it serves: preloaded into its process, so
 * that it runs at full speed. Under strace a server falls behind and behaves otherwise.
 *
 * The counters lie in the file that the environment variable BENCH_CALLS names, mapped shared, as
 * native 64-bit numbers in the order of enum call; run.py reads it. They are not atomic: the
 * servers measured have one thread that makes these calls.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

/* programs.py has the names in the same order. */
enum call {
    CALL_EPOLL_WAIT,
    CALL_EPOLL_CTL,
    CALL_READ,  /* read, readv, recv, recvmsg */
    CALL_WRITE, /* write, writev, send, sendmsg */
    CALL_IOCTL,
    CALL_TIMER,
    CALL_COUNT,
};

static uint64_t unmapped[CALL_COUNT]; /* counted into when there is no file */
static uint64_t *counts = unmapped;

__attribute__((constructor)) static void counters_map(void)
{
    const char *path = getenv("BENCH_CALLS");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *memory;

    if (fd < 0)
        return;
    memory = mmap(NULL, sizeof unmapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory != MAP_FAILED)
        counts = memory;
    close(fd);
}

/* The C library's function of this name, looked up at the first call. */
static void *next_function(void **slot, const char *name)
{
    if (*slot == NULL)
        *slot = dlsym(RTLD_NEXT, name);
    return *slot;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): libc's names are reserved */

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
    static void *next;
    int (*fn)(int, struct epoll_event *, int, int);

    *(void **)&fn = next_function(&next, "epoll_wait");
    counts[CALL_EPOLL_WAIT]++;
    return fn(fd, events, max, timeout_ms);
}

int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout_ms, const sigset_t *mask)
{
    static void *next;
    int (*fn)(int, struct epoll_event *, int, int, const sigset_t *);

    *(void **)&fn = next_function(&next, "epoll_pwait");
    counts[CALL_EPOLL_WAIT]++;
    return fn(fd, events, max, timeout_ms, mask);
}

int epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event)
{
    static void *next;
    int (*fn)(int, int, int, struct epoll_event *);

    *(void **)&fn = next_function(&next, "epoll_ctl");
    counts[CALL_EPOLL_CTL]++;
    return fn(epoll_fd, op, fd, event);
}

ssize_t read(int fd, void *buf, size_t len)
{
    static void *next;
    ssize_t (*fn)(int, void *, size_t);

    *(void **)&fn = next_function(&next, "read");
    counts[CALL_READ]++;
    return fn(fd, buf, len);
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
    static void *next;
    ssize_t (*fn)(int, const struct iovec *, int);

    *(void **)&fn = next_function(&next, "readv");
    counts[CALL_READ]++;
    return fn(fd, parts, count);
}

ssize_t recv(int fd, void *buf, size_t len, int flags)
{
    static void *next;
    ssize_t (*fn)(int, void *, size_t, int);

    *(void **)&fn = next_function(&next, "recv");
    counts[CALL_READ]++;
    return fn(fd, buf, len, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    static void *next;
    ssize_t (*fn)(int, struct msghdr *, int);

    *(void **)&fn = next_function(&next, "recvmsg");
    counts[CALL_READ]++;
    return fn(fd, message, flags);
}

ssize_t write(int fd, const void *buf, size_t len)
{
    static void *next;
    ssize_t (*fn)(int, const void *, size_t);

    *(void **)&fn = next_function(&next, "write");
    counts[CALL_WRITE]++;
    return fn(fd, buf, len);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    static void *next;
    ssize_t (*fn)(int, const struct iovec *, int);

    *(void **)&fn = next_function(&next, "writev");
    counts[CALL_WRITE]++;
    return fn(fd, parts, count);
}

ssize_t send(int fd, const void *buf, size_t len, int flags)
{
    static void *next;
    ssize_t (*fn)(int, const void *, size_t, int);

    *(void **)&fn = next_function(&next, "send");
    counts[CALL_WRITE]++;
    return fn(fd, buf, len, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    static void *next;
    ssize_t (*fn)(int, const struct msghdr *, int);

    *(void **)&fn = next_function(&next, "sendmsg");
    counts[CALL_WRITE]++;
    return fn(fd, message, flags);
}

int ioctl(int fd, unsigned long request, ...)
{
    static void *next;
    int (*fn)(int, unsigned long, void *);
    void *argument;
    va_list list;

    va_start(list, request);
    argument = va_arg(list, void *);
    va_end(list);
    *(void **)&fn = next_function(&next, "ioctl");
    counts[CALL_IOCTL]++;
    return fn(fd, request, argument);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    static void *next;
    int (*fn)(int, int, const struct itimerspec *, struct itimerspec *);

    *(void **)&fn = next_function(&next, "timerfd_settime");
    counts[CALL_TIMER]++;
    return fn(fd, flags, value, old);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
