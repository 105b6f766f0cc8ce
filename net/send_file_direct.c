/* SPDX-License-Identifier: MIT */
/*
 * send_file_direct.c - files to sockets by sendfile(2), Linux's.
 *
 * It would wait for the disk in the loop's thread, so before each part a read with RWF_NOWAIT asks
 * whether its last byte is cached; if not, a worker thread reads the part first. A file system that
 * does not know the flag is taken to be in memory.
 */
#include "net/send_file.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "core/sigpipe.h"

static size_t direct_size(const struct file_part *part)
{
    return part->left < ANYC__SEND_FILE_PART ? (size_t)part->left : ANYC__SEND_FILE_PART;
}

static bool direct_is_cached(const struct file_part *part)
{
    char byte;
    const struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    off_t last = part->offset + (off_t)direct_size(part) - 1;

    return preadv2(part->fd, &iov, 1, last, RWF_NOWAIT) >= 0 || errno != EAGAIN;
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

static ssize_t direct_call(int socket, struct file_part *part)
{
    struct sigpipe_block block;
    off_t offset = part->offset;
    ssize_t n;

    anyc__sigpipe_block(&block);
    n = sendfile(socket, part->fd, &offset, direct_size(part));
    anyc__sigpipe_unblock(&block, n < 0 && errno == EPIPE);
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
static int direct_outcome(struct descriptor_stream *stream, int rc)
{
    if (rc == -EINTR || anyc__would_block(-rc))
        return 0;
    if (rc == -EINVAL || rc == -ENOSYS || rc == -EOPNOTSUPP)
        return -ENOTSUP;
    if (rc == -EIO || rc == -EOVERFLOW) /* of the file */
        return anyc__fail_errno(-rc, "reading a file to be sent");
    return anyc__descriptor_stream_fail(stream, rc);
}

static int direct_step(anyc_task *task, struct descriptor_stream *stream, struct file_part *part)
{
    int rc = anyc__enter(&task);

    if (rc == 0 && !direct_is_cached(part))
        rc = direct_fetch(task, part);
    if (rc < 0)
        return rc;
    if (stream->watch == NULL || stream->eof_sent)
        return anyc__fail_plain(ANYC_ECLOSED);
    rc = (int)direct_call(stream->watch->fd, part);
    if (rc < 0 && anyc__would_block(-rc)) {
        rc = anyc__watch_wait(stream->watch, ANYC_WRITABLE);
    }
    return rc < 0 ? direct_outcome(stream, rc) : 0;
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
