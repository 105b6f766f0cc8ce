/* SPDX-License-Identifier: MIT */
/*
 * steady.c - a clock that does not depend on the machine: preloaded into micro while its
 * instructions are counted.
 *
 * Each look at the clock takes a microsecond, and a wait for events that finds none makes it jump to
 * the end of the wait. So what a loop does by time, it does at the same place in every run, however
 * slow the machine is and whatever else it does.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>

enum { LOOK_NS = 1000 };
static const int64_t second_ns = 1000000000;

static int64_t now_ns = second_ns; /* micro's loop has one thread */

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): libc's names are reserved */

int clock_gettime(clockid_t id, struct timespec *out)
{
    (void)id;
    now_ns += LOOK_NS;
    out->tv_sec = now_ns / second_ns;
    out->tv_nsec = now_ns % second_ns;
    return 0;
}

/* Both epoll_wait and epoll_pwait end here; an endless wait is a real one. */
int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout_ms, const sigset_t *mask)
{
    static int (*next)(int, struct epoll_event *, int, int, const sigset_t *);
    int count;

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "epoll_pwait");
    count = next(fd, events, max, timeout_ms < 0 ? timeout_ms : 0, mask);
    if (count == 0)
        now_ns += (int64_t)timeout_ms * 1000000;
    return count;
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
    return epoll_pwait(fd, events, max, timeout_ms, NULL);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
