/* SPDX-License-Identifier: MIT */
/*
 * file_write.c - writing files, their size, and their position.
 */
#include "os/file.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "core/error.h"
#include "os/file_ahead.h"
#include "os/spooled_file.h"

static int write_pieces(struct file_call *call)
{
    FILE *stream = call->file->stream;
    int rc = anyc__file_turn(call->file, FILE_TURN_WRITE);

    if (rc == 0 && call->file->spool != NULL)
        rc = anyc__spool_reserve(call->file->spool, call->adds);
    for (int i = 0; rc == 0 && i < call->count; i++) {
        const struct iovec *piece = &call->pieces[i];

        if (piece->iov_len > 0 &&
            fwrite(piece->iov_base, 1, piece->iov_len, stream) != piece->iov_len)
            rc = anyc__file_errno();
    }
    return rc;
}

static bool write_is_at_hand(const struct file_call *call)
{
    return call->file->turn == FILE_TURN_WRITE && call->adds <= anyc__file_room(call->file->stream);
}

int anyc_file_writelines(anyc_file *file, const struct iovec *pieces, int count)
{
    struct file_call call = {.what = "writing",
                             .fn = write_pieces,
                             .at_hand = write_is_at_hand,
                             .pieces = pieces,
                             .count = count};

    if (count < 0)
        return anyc__fail(ANYC_EINVAL, 0, "writelines: a negative count");
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len > SSIZE_MAX - call.adds)
            return anyc__fail(ANYC_EINVAL, 0, "writelines: more than SSIZE_MAX bytes");
        call.adds += pieces[i].iov_len;
    }
    return anyc__file_call(file, &call);
}

ssize_t anyc_file_write(anyc_file *file, const void *buf, size_t len)
{
    const struct iovec piece = {.iov_base = (void *)buf, .iov_len = len};
    int rc = anyc_file_writelines(file, &piece, 1);

    return rc < 0 ? rc : (ssize_t)len;
}

/* The position, which writing has moved. */
static int position_get(struct file_call *call)
{
    errno = 0;
    call->offset = ftello(call->file->stream);
    return call->offset < 0 ? anyc__file_errno() : 0;
}

/* Whatever was done last, as when neither read nor written. */
static int position_settle(struct file_call *call)
{
    int rc = anyc__file_turn(call->file, FILE_TURN_NONE);

    if (rc == 0 && fflush(call->file->stream) != 0)
        rc = anyc__file_errno();
    return rc;
}

static int64_t position_answer(const struct file_call *call, int rc)
{
    return rc < 0 ? rc : call->offset;
}

static int truncate_at(struct file_call *call)
{
    struct file *file = call->file;
    int64_t size = call->offset;
    int rc = position_settle(call);

    if (rc == 0 && size < 0)
        rc = position_get(call);
    if (rc < 0)
        return rc;
    if (size < 0)
        size = call->offset;
    call->offset = size;
    if (file->spool != NULL)
        return anyc__spool_truncate(file->spool, (size_t)size);
    return ftruncate(fileno(file->stream), size) < 0 ? -errno : 0;
}

int64_t anyc_file_truncate(anyc_file *file, int64_t size)
{
    struct file_call call = {
        .what = "truncating", .fn = truncate_at, .offset = size, .reach = size};

    if (size < -1)
        return anyc__fail(ANYC_EINVAL, 0, "truncate: a negative size");
    return position_answer(&call, anyc__file_call(file, &call));
}

static int seek_to(struct file_call *call)
{
    int rc = anyc__file_turn(call->file, FILE_TURN_NONE);

    if (rc == 0 && fseeko(call->file->stream, call->offset, call->whence) < 0)
        rc = anyc__file_errno();
    return rc < 0 ? rc : position_get(call);
}

int64_t anyc_file_seek(anyc_file *file, int64_t offset, int whence)
{
    struct file_call call = {
        .what = "seeking in", .fn = seek_to, .offset = offset, .whence = whence};

    if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
        return anyc__fail(ANYC_EINVAL, 0, "seek: no such whence");
    return position_answer(&call, anyc__file_call(file, &call));
}

int64_t anyc_file_tell(anyc_file *file)
{
    struct file_call call = {.what = "telling the position in", .fn = position_get};

    return position_answer(&call, anyc__file_call(file, &call));
}

int anyc_file_flush(anyc_file *file)
{
    struct file_call call = {.what = "flushing", .fn = position_settle};

    return anyc__file_call(file, &call);
}
