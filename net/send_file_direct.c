/* SPDX-License-Identifier: MIT */
/*
 * send_file_direct.c - files to sockets by sendfile(2), Linux's.
 *
 * It would wait for the disk in the loop's thread, so before that a read with RWF_NOWAIT asks whether
 * the first byte is cached and of each part its last one; if those of the next part are not, a worker
 * thread reads it first. Of a file system that does not know the flag (NFS, say) nobody can tell what
 * is cached: unless it is in memory, worker threads read the file, and the bytes are copied.
 */
#include "net/send_file.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "core/sigpipe.h"
#include "streams/descriptor_io.h"
#include "threads/worker_pool.h"

enum direct_look { DIRECT_CACHED, DIRECT_COLD, DIRECT_UNKNOWN };

struct direct_question {
    struct worker_job job;
    int fd;
};

enum { PARTS_AT_ONCE = 4 }; /* that one call may send: each call costs some others around it */

static size_t direct_size(const struct file_part *part)
{
    return part->left < ANYC__SEND_FILE_PART ? (size_t)part->left : ANYC__SEND_FILE_PART;
}

/* Is the byte cached that many bytes behind the part's beginning? */
static enum direct_look direct_look(const struct file_part *part, int64_t at)
{
    char byte;
    const struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    ssize_t n;

    if (part->in_memory)
        return DIRECT_CACHED;
    n = preadv2(part->fd, &iov, 1, (off_t)(part->offset + at), RWF_NOWAIT);
    if (n > 0)
        return DIRECT_CACHED;
    if (n < 0 && (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS))
        return DIRECT_UNKNOWN;
    return DIRECT_COLD; /* n == 0: the file ends before, who knows where */
}

/* How many of the next bytes can be sent without waiting for the disk. */
static size_t direct_cached_size(const struct file_part *part)
{
    int64_t size = 0;
    bool cached = true;

    for (int i = 0; i < PARTS_AT_ONCE && cached && size < part->left; i++) {
        int64_t next = size + ANYC__SEND_FILE_PART;

        if (next > part->left)
            next = part->left;
        cached = direct_look(part, next - 1) == DIRECT_CACHED;
        if (cached)
            size = next;
    }
    return (size_t)size;
}

static int direct_fetch(anyc_task *task, const struct file_part *part)
{
    void *buf = anyc__alloc(direct_size(part));
    ssize_t n;

    if (buf == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    n = anyc__send_file_read(task, part, buf, direct_size(part));
    anyc__free(buf);
    return n < 0 ? (int)n : 0;
}

/* 1: in memory. */
static int direct_ask_in_thread(struct worker_job *job)
{
    const struct direct_question *question = ANYC__CONTAINER(job, struct direct_question, job);
    struct statfs system;

    if (fstatfs(question->fd, &system) < 0)
        return 0;
    return system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC;
}

/* Which kind of file system is it, of which no read tells? */
static int direct_ask(anyc_task *task, struct file_part *part)
{
    struct direct_question question = {
        .job = {.fn = direct_ask_in_thread, .kind = WORKER_FILES},
        .fd = part->fd,
    };
    int rc = anyc__worker_run(task, &question.job);

    if (rc < 0)
        return rc;
    part->in_memory = question.job.result == 1;
    part->copied = !part->in_memory;
    return 0;
}

/* See that the next bytes can be sent without waiting for the disk: *out_size of them. */
static int direct_prepare(anyc_task *task, struct file_part *part, size_t *out_size)
{
    enum direct_look first = direct_look(part, 0);
    int rc = 0;

    *out_size = 0;
    if (first == DIRECT_UNKNOWN)
        rc = direct_ask(task, part);
    else if (first == DIRECT_CACHED)
        *out_size = direct_cached_size(part);
    if (rc < 0 || first == DIRECT_UNKNOWN || *out_size > 0)
        return rc;
    *out_size = direct_size(part);
    return direct_fetch(task, part);
}

static ssize_t direct_call(int socket, struct file_part *part, size_t size)
{
    struct sigpipe_block block;
    off_t offset = part->offset;
    ssize_t n;

    anyc__sigpipe_block(&block);
    n = sendfile(socket, part->fd, &offset, size);
    anyc__sigpipe_unblock(&block, n < 0 ? errno == EPIPE : (size_t)n < size);
    if (n < 0)
        return -errno;
    part->offset += n;
    part->left -= n;
    part->sent += n;
    if (n == 0)
        part->left = 0; /* the file has become shorter */
    return n;
}

/* What a failed call or wait comes to; 0: go on. */
static int direct_outcome(struct descriptor_stream *stream, struct file_part *part, int rc)
{
    if (rc == -EINTR || anyc__would_block(-rc))
        return 0;
    if (rc == -EINVAL || rc == -ENOSYS || rc == -EOPNOTSUPP) {
        part->copied = true;
        return 0;
    }
    if (rc == -EIO || rc == -ENOMEM || rc == -EOVERFLOW) /* of the file */
        return anyc__send_file_fail(part, rc);
    return anyc__descriptor_stream_fail(stream, rc);
}

static bool direct_is_closed(const struct descriptor_stream *stream)
{
    return stream->watch == NULL || stream->eof_sent;
}

static int direct_send(struct descriptor_stream *stream, struct file_part *part, size_t size)
{
    int rc;

    if (direct_is_closed(stream))
        return anyc__fail_plain(ANYC_ECLOSED);
    rc = (int)direct_call(stream->watch->fd, part, size);
    if (rc < 0 && anyc__would_block(-rc))
        rc = anyc__watch_wait(stream->watch, ANYC_WRITABLE);
    return rc < 0 ? direct_outcome(stream, part, rc) : 0;
}

/* Send bytes of the part that lie in memory. */
static int direct_send_copy(struct descriptor_stream *stream, struct file_part *part, char *buf,
                            size_t len)
{
    struct iovec rest = {.iov_base = buf, .iov_len = len};
    ssize_t n;

    while (rest.iov_len > 0) {
        if (direct_is_closed(stream))
            return anyc__fail_plain(ANYC_ECLOSED);
        n = anyc__backend_send(stream->watch, &rest, 1);
        if (n < 0)
            return anyc__descriptor_stream_fail(stream, (int)n);
        rest.iov_base = (char *)rest.iov_base + n;
        rest.iov_len -= (size_t)n;
        part->offset += n;
        part->left -= n;
        part->sent += n;
    }
    return 0;
}

static int direct_copy(anyc_task *task, struct descriptor_stream *stream, struct file_part *part)
{
    char *buf = anyc__alloc(direct_size(part));
    ssize_t n;

    if (buf == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    n = anyc__send_file_read(task, part, buf, direct_size(part));
    if (n == 0)
        part->left = 0; /* the file has become shorter */
    else if (n > 0)
        n = direct_send_copy(stream, part, buf, (size_t)n);
    anyc__free(buf);
    return n < 0 ? (int)n : 0;
}

static int direct_step(anyc_task *task, struct descriptor_stream *stream, struct file_part *part)
{
    size_t size = 0;
    int rc = anyc__enter(&task);

    if (rc == 0 && part->copied)
        return direct_copy(task, stream, part);
    if (rc == 0)
        rc = direct_prepare(task, part, &size);
    if (rc == 0 && size > 0)
        rc = direct_send(stream, part, size);
    return rc;
}

int anyc__send_file_direct(anyc_task *task, struct socket_stream *socket, struct file_part *part)
{
    struct descriptor_stream *stream = &socket->base;
    int rc = anyc__descriptor_stream_begin(stream, &stream->sending);

    if (rc < 0)
        return rc;
    while (rc == 0 && part->left > 0)
        rc = direct_step(task, stream, part);
    anyc__descriptor_stream_end(stream, &stream->sending);
    return rc;
}
