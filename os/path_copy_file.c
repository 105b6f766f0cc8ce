/* SPDX-License-Identifier: MIT */
/*
 * path_copy_file.c - copies of single files.
 */
#include "os/path_copy.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "os/path_call.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define COPY_BUFFER ((size_t)64 * 1024)
#define COPY_AT_ONCE ((size_t)1 << 30) /* bytes asked of the kernel in one call */

static int copy_by_buffer(char **buffer, int from, int to)
{
    if (*buffer == NULL)
        *buffer = anyc__alloc(COPY_BUFFER);
    if (*buffer == NULL)
        return ANYC_ENOMEM;
    for (;;) {
        ssize_t got = read(from, *buffer, COPY_BUFFER);
        ssize_t done = 0;

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return anyc__path_errno((int)got);
        while (done < got) {
            ssize_t put = write(to, *buffer + done, (size_t)(got - done));

            if (put < 0 && errno != EINTR)
                return -errno;
            done += put > 0 ? put : 0;
        }
    }
}

/* In the kernel as far as it goes, which is nowhere for some kinds of files. */
static int copy_bytes(char **buffer, int from, int to)
{
    ssize_t done;

    do {
        done = copy_file_range(from, NULL, to, NULL, COPY_AT_ONCE, 0);
    } while (done > 0 || (done < 0 && errno == EINTR));
    if (done < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return -errno;
    return copy_by_buffer(buffer, from, to); /* the rest; mostly it sees the end only */
}

static int copy_metadata(int to, const struct stat *stat)
{
    struct timespec times[2] = {stat->st_atim, stat->st_mtim};
    int rc = anyc__path_errno(fchmod(to, stat->st_mode & 07777));

    return rc < 0 ? rc : anyc__path_errno(futimens(to, times));
}

/* What is written may be cut short only after it is known not to be the source. */
static int copy_opened(int from, int to, bool metadata, char **buffer)
{
    struct stat source;
    struct stat target;
    int rc = anyc__path_errno(fstat(from, &source));

    if (rc == 0)
        rc = anyc__path_errno(fstat(to, &target));
    if (rc == 0 && source.st_dev == target.st_dev && source.st_ino == target.st_ino)
        rc = ANYC_EINVAL;
    if (rc == 0 && S_ISREG(target.st_mode))
        rc = anyc__path_errno(ftruncate(to, 0));
    if (rc == 0)
        rc = copy_bytes(buffer, from, to);
    if (rc == 0 && metadata)
        rc = copy_metadata(to, &source);
    return rc;
}

int anyc__path_copy_file(const char *source, const char *target, bool metadata, char **buffer)
{
    int from = open(source, O_RDONLY | O_CLOEXEC);
    int rc = anyc__path_errno(from);
    int to = -1;

    if (rc == 0) {
        to = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        rc = anyc__path_errno(to);
    }
    if (rc == 0)
        rc = copy_opened(from, to, metadata, buffer);
    if (from >= 0)
        (void)close(from); /* only read from */
    if (to >= 0 && close(to) < 0 && rc == 0)
        rc = -errno;
    return rc;
}
