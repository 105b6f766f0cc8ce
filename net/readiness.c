/* SPDX-License-Identifier: MIT */
/*
 * readiness.c - wait for any descriptor. AnyIO: wait_readable, wait_writable, notify_closing.
 *
 * The watch of a descriptor is opened for the wait and goes with the last who waits, so that
 * nothing is known of a descriptor that nobody waits for: it may be closed then. Where a stream
 * of this loop has a watch on it, that one is shared.
 */
#include <anyc/socket.h>

#include "core/error.h"
#include "core/loop.h"
#include "core/task.h"
#include "core/watch.h"

int anyc_wait_fd(int fd, unsigned events, unsigned *out_ready)
{
    anyc_watch *watch = NULL;
    anyc_task *task;
    int rc = 0;

    if (events == 0 || (events & ~(ANYC_READABLE | ANYC_WRITABLE)) != 0)
        rc = anyc__fail(ANYC_EINVAL, 0, "no such events to wait for: %#x", events);
    if (rc == 0)
        rc = anyc__enter(&task);
    if (rc == 0)
        rc = anyc__watch_borrow(task->loop, fd, &watch);
    if (rc < 0)
        return rc;
    rc = anyc__watch_wait_any(watch, events, out_ready);
    anyc__watch_return(watch);
    return rc == ANYC_ECLOSED ? anyc__fail_plain(rc) : rc;
}

int anyc_wait_readable(int fd)
{
    unsigned ready;

    return anyc_wait_fd(fd, ANYC_READABLE, &ready);
}

int anyc_wait_writable(int fd)
{
    unsigned ready;

    return anyc_wait_fd(fd, ANYC_WRITABLE, &ready);
}

void anyc_notify_closing(int fd)
{
    anyc_watch *watch = anyc__loop == NULL ? NULL : anyc__watch_find(anyc__loop, fd);

    /* The descriptor of a stream is closed by the stream. */
    if (watch != NULL && watch->borrowed)
        anyc__watch_close(watch, ANYC_ECLOSED);
}
