/* SPDX-License-Identifier: MIT */
/*
 * unix_bind.c - UNIX sockets that are bound to a name. AnyIO: setup_unix_local_socket.
 *
 * What stands at the path is looked at first, and only a socket is removed. The mode is set before
 * anybody can connect: a listener listens only after that.
 */
#include "net/unix_bind.h"

#include <errno.h>

#include <sys/stat.h>
#include <unistd.h>

#include "core/descriptor.h"
#include "core/error.h"
#include "core/list.h"
#include "net/address.h"
#include "net/socket.h"
#include "threads/worker_pool.h"

/* A bind in a worker thread; its result is 0 or -errno. */
struct bind_job {
    struct worker_job job;
    const struct unix_address *address;
    int fd;
    int mode;
};

/* Errors of stat(2) that say that nothing is there; bind(2) will tell what is wrong. */
static bool bind_nothing_there(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EBADF || error == ELOOP;
}

/* Remove a socket that was left behind. 0 or -errno. */
static int bind_clear_path(const char *path)
{
    struct stat found;

    if (stat(path, &found) < 0)
        return bind_nothing_there(errno) ? 0 : -errno;
    if (S_ISSOCK(found.st_mode) && unlink(path) < 0 && errno != ENOENT)
        return -errno;
    return 0;
}

static int bind_in_thread(struct worker_job *job)
{
    const struct bind_job *self = ANYC__CONTAINER(job, struct bind_job, job);
    const char *path = self->address->un.sun_path;
    int rc = bind_clear_path(path);

    if (rc == 0 &&
        bind(self->fd, (const struct sockaddr *)&self->address->un, self->address->len) < 0)
        rc = -errno;
    if (rc == 0 && self->mode != 0 && chmod(path, (mode_t)self->mode) < 0)
        rc = -errno;
    return rc;
}

static int bind_path(anyc_task *task, int fd, const struct unix_address *address, int mode)
{
    struct bind_job job = {.job = {.fn = bind_in_thread, .kind = WORKER_FILES},
                           .address = address,
                           .fd = fd,
                           .mode = mode};
    int rc = anyc__worker_run(task, &job.job);

    return rc < 0 ? rc : job.job.result;
}

static int bind_fail(int rc, const struct unix_address *address)
{
    char name[ANYC__ADDRESS_TEXT_SIZE];

    if (rc == ANYC_ECANCELLED || rc == ANYC_ENOMEM)
        return rc;
    anyc__address_format((const struct sockaddr *)&address->un, address->len, name, sizeof name);
    if (rc == -EADDRINUSE && !anyc__unix_address_is_abstract(address))
        return anyc__fail(rc, EADDRINUSE,
                          "cannot bind a socket to %s: something that is no socket stands there",
                          name);
    return anyc__fail_errno(-rc, "cannot bind a socket to %s", name);
}

int anyc__unix_bind_check(const struct unix_address *address, int mode)
{
    if (mode < 0 || mode > 07777)
        return anyc__fail(ANYC_EINVAL, 0, "%#o are no permissions of a file", (unsigned)mode);
    if (mode != 0 && anyc__unix_address_is_abstract(address))
        return anyc__fail(ANYC_EINVAL, 0, "an abstract name has no permissions, but %#o are asked",
                          (unsigned)mode);
    return 0;
}

int anyc__unix_bind(anyc_task *task, int type, const struct unix_address *address, int mode)
{
    int fd = anyc__socket_open(AF_UNIX, type);
    int rc = 0;

    if (fd < 0)
        return anyc__fail_errno(-fd, "cannot make a UNIX socket");
    if (!anyc__unix_address_is_abstract(address))
        rc = bind_path(task, fd, address, mode);
    else if (bind(fd, (const struct sockaddr *)&address->un, address->len) < 0)
        rc = -errno;
    if (rc < 0) {
        anyc__descriptor_close(fd);
        return bind_fail(rc, address);
    }
    return fd;
}
