/* SPDX-License-Identifier: MIT */
/*
 * send_file.c - files over byte streams of any kind.
 */
#include <anyc/send_file.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "net/send_file.h"
#include "threads/worker_pool.h"

struct send_file_open {
    struct worker_job job;
    const char *path;
    int fd;
    int64_t size;
};

struct send_file_read {
    struct worker_job job;
    const struct file_part *part;
    void *buf;
    size_t size;
};

static int send_file_open_in_thread(struct worker_job *job)
{
    struct send_file_open *opening = ANYC__CONTAINER(job, struct send_file_open, job);
    struct stat status;
    int fd = open(opening->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* nor wait for a FIFO */
    int error = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0)
        error = errno;
    else if (!S_ISREG(status.st_mode))
        error = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    if (error != 0) {
        anyc__descriptor_close(fd);
        return -error;
    }
    opening->fd = fd;
    opening->size = status.st_size;
    return 0;
}

static int send_file_open(anyc_task *task, struct send_file_open *opening)
{
    int rc;

    opening->job.fn = send_file_open_in_thread;
    opening->job.kind = WORKER_FILES;
    rc = anyc__worker_run(task, &opening->job);
    if (rc == 0 && opening->job.result < 0)
        rc = anyc__fail_errno(-opening->job.result, "opening %s", opening->path);
    return rc;
}

static int send_file_read_in_thread(struct worker_job *job)
{
    struct send_file_read *reading = ANYC__CONTAINER(job, struct send_file_read, job);
    ssize_t n;

    do {
        n = pread(reading->part->fd, reading->buf, reading->size, reading->part->offset);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : (int)n;
}

int anyc__send_file_fail(const struct file_part *part, int rc)
{
    return anyc__fail_errno(-rc, "reading %s", part->path != NULL ? part->path : "a file");
}

ssize_t anyc__send_file_read(anyc_task *task, const struct file_part *part, void *buf, size_t size)
{
    struct send_file_read reading = {
        .job = {.fn = send_file_read_in_thread, .kind = WORKER_FILES},
        .part = part,
        .buf = buf,
        .size = size,
    };
    int rc = anyc__worker_run(task, &reading.job);

    if (rc < 0)
        return rc;
    if (reading.job.result < 0)
        return anyc__send_file_fail(part, reading.job.result);
    return reading.job.result;
}

/* Through memory. */
static int send_file_copy(anyc_task *task, anyc_byte_stream *stream, struct file_part *part,
                          void *buf)
{
    ssize_t n = 1;
    int rc = 0;

    while (rc == 0 && n > 0 && part->left > 0) {
        size_t size = part->left < ANYC__SEND_FILE_PART ? (size_t)part->left : ANYC__SEND_FILE_PART;

        n = anyc__send_file_read(task, part, buf, size);
        if (n > 0)
            rc = anyc_send(stream, buf, (size_t)n);
        if (n > 0 && rc == 0) {
            part->offset += n;
            part->left -= n;
            part->sent += n;
        }
    }
    return n < 0 ? (int)n : rc;
}

static int send_file_indirect(anyc_task *task, anyc_byte_stream *stream, struct file_part *part)
{
    void *buf = anyc__alloc(ANYC__SEND_FILE_PART);
    int rc;

    if (buf == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = send_file_copy(task, stream, part, buf);
    anyc__free(buf);
    return rc;
}

static int send_file_part(anyc_task *task, anyc_byte_stream *stream, struct file_part *part)
{
    struct socket_stream *socket = anyc__socket_stream_cast(stream);
    int64_t total = part->left;
    int rc = -ENOTSUP;

    if (total <= 0)
        return anyc_send(stream, "", 0);
    if (socket != NULL)
        rc = anyc__send_file_direct(task, socket, part);
    if (rc == -ENOTSUP)
        rc = send_file_indirect(task, stream, part);
    if (rc == ANYC_ECANCELLED)
        return anyc__fail(rc, 0, "at least %lld of %lld bytes were sent", (long long)part->sent,
                          (long long)total);
    return rc;
}

int64_t anyc_send_file(anyc_byte_stream *stream, const char *path, int64_t offset, int64_t count)
{
    struct send_file_open opening = {.path = path, .fd = -1};
    struct file_part part;
    anyc_task *task;
    int rc;

    if (path == NULL || offset < 0 || count < -1)
        return anyc__fail(ANYC_EINVAL, 0, "send_file: no path, or a negative offset or count");
    rc = anyc__enter(&task);
    if (rc == 0)
        rc = send_file_open(task, &opening);
    if (rc < 0)
        return rc;
    part = (struct file_part){
        .path = path, .fd = opening.fd, .offset = offset, .left = opening.size - offset};
    if (count >= 0 && count < part.left)
        part.left = count;
    rc = send_file_part(task, stream, &part);
    anyc__descriptor_close(opening.fd);
    return rc < 0 ? rc : part.sent;
}

int64_t anyc_send_open_file(anyc_byte_stream *stream, int fd, int64_t *offset, int64_t count)
{
    struct file_part part;
    anyc_task *task;
    int rc;

    if (fd < 0 || offset == NULL || *offset < 0 || count < 0 || count > INT64_MAX - *offset)
        return anyc__fail(ANYC_EINVAL, 0, "send_open_file: no file, or a wrong offset or count");
    part = (struct file_part){.fd = fd, .offset = *offset, .left = count};
    rc = anyc__enter(&task);
    if (rc == 0)
        rc = send_file_part(task, stream, &part);
    *offset = part.offset;
    return rc < 0 ? rc : part.sent;
}
