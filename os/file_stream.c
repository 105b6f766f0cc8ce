/* SPDX-License-Identifier: MIT */
/*
 * file_stream.c - files as byte streams. AnyIO: streams.file.
 *
 * The file does the work and keeps order among tasks; a stream only has another code for failures. It
 * lives until its last call is over, and so does the file.
 */
#include <anyc/file_stream.h>

#include <errno.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/file.h"
#include "streams/stream.h"

struct file_stream {
    anyc_byte_stream stream;
    anyc_file *file;
    struct stream_life life;
};

ANYC_TYPED_ATTRIBUTE(ANYC_FILE_FILE, anyc_file *);
ANYC_TYPED_ATTRIBUTE(ANYC_FILE_PATH, const char *);
ANYC_TYPED_ATTRIBUTE(ANYC_FILE_FILENO, int);

static struct file_stream *file_stream_of(const anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct file_stream, stream.resource);
}

static void file_stream_free(struct file_stream *stream)
{
    anyc_aclose_forcefully(stream->file);
    anyc__free(stream);
}

/* The end of a call, and what it answers: the system's failures are ANYC_EBROKEN. */
static int64_t file_stream_end(struct file_stream *stream, int64_t result)
{
    int error = result < 0 ? anyc__errno_of((int)result) : 0;

    if (error != 0 && error != ENOMEM && error != EINVAL && error != EAGAIN)
        result = anyc__fail(ANYC_EBROKEN, error, "%s", anyc_last_error()->message);
    if (anyc__stream_release(&stream->life))
        file_stream_free(stream);
    return result;
}

static struct file_stream *file_stream_begin(anyc_byte_stream *base)
{
    struct file_stream *stream = file_stream_of(&base->resource);

    anyc__stream_hold(&stream->life);
    return stream;
}

/* As much as there is room for, but without waiting for more where a file may make it wait. */
static int file_stream_read(struct file_call *call)
{
    struct stat status;
    int fd = fileno(call->file->stream);
    bool waits = !anyc__file_is_ahead(call) && fd >= 0 && fstat(fd, &status) == 0 &&
                 !S_ISREG(status.st_mode);

    return anyc__file_fread(call->file, call->buf, call->size, waits, &call->done);
}

static ssize_t file_stream_receive(anyc_byte_stream *base, void *buf, size_t max_bytes)
{
    struct file_stream *stream = file_stream_begin(base);
    struct file_call call = {.what = "reading",
                             .fn = file_stream_read,
                             .at_hand = anyc__file_is_ahead,
                             .buf = buf,
                             .size = max_bytes};
    int64_t n = anyc__file_call(stream->file, &call);

    if (n == 0)
        n = call.done > 0 ? (int64_t)call.done : anyc__fail_plain(ANYC_EOF);
    return (ssize_t)file_stream_end(stream, n);
}

static int file_stream_sendv(anyc_byte_stream *base, const struct iovec *pieces, int count)
{
    struct file_stream *stream = file_stream_begin(base);

    return (int)file_stream_end(stream, anyc_file_writelines(stream->file, pieces, count));
}

static int file_stream_send(anyc_byte_stream *base, const void *buf, size_t len)
{
    const struct iovec piece = {.iov_base = (void *)buf, .iov_len = len};

    return file_stream_sendv(base, &piece, 1);
}

/* A call is done or not begun, so all of it is some. */
static ssize_t file_stream_send_some(anyc_byte_stream *base, const void *buf, size_t len)
{
    int rc = file_stream_send(base, buf, len);

    return rc < 0 ? rc : (ssize_t)len;
}

static int file_stream_close(anyc_resource *resource, bool forcefully)
{
    struct file_stream *stream = file_stream_of(resource);

    anyc__stream_hold(&stream->life);
    return (int)file_stream_end(stream,
                                anyc__stream_close_inner(&stream->file->resource, forcefully));
}

static void file_stream_destroy(anyc_resource *resource)
{
    struct file_stream *stream = file_stream_of(resource);

    if (anyc__stream_destroy(&stream->life))
        file_stream_free(stream);
}

static int file_stream_extra_fileno(const anyc_file *file, int *out_fd)
{
    FILE *wrapped = anyc_file_wrapped(file);
    int fd;

    if (wrapped == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    fd = fileno(wrapped);
    if (fd < 0)
        return ANYC_EATTRIBUTE;
    *out_fd = fd;
    return 0;
}

static int file_stream_extra(anyc_resource *resource, const anyc_typed_attribute *attribute,
                             void *out)
{
    anyc_file *file = file_stream_of(resource)->file;

    if (attribute == &ANYC_FILE_FILENO)
        return file_stream_extra_fileno(file, out);
    if (attribute == &ANYC_FILE_FILE) {
        *(anyc_file **)out = file;
        return 0;
    }
    if (attribute == &ANYC_FILE_PATH && anyc_file_path(file) != NULL) {
        *(const char **)out = anyc_file_path(file);
        return 0;
    }
    return ANYC_EATTRIBUTE;
}

static const anyc_byte_stream_ops file_read_stream_ops = {
    .resource =
        {
            .type = "file read stream",
            .close = file_stream_close,
            .destroy = file_stream_destroy,
            .extra = file_stream_extra,
        },
    .receive = file_stream_receive,
    .send = anyc_no_send,
    .sendv = anyc_no_sendv,
    .send_some = anyc_no_send_some,
    .send_eof = anyc_no_send_eof,
};

static const anyc_byte_stream_ops file_write_stream_ops = {
    .resource =
        {
            .type = "file write stream",
            .close = file_stream_close,
            .destroy = file_stream_destroy,
            .extra = file_stream_extra,
        },
    .receive = anyc_no_receive,
    .send = file_stream_send,
    .sendv = file_stream_sendv,
    .send_some = file_stream_send_some,
    .send_eof = anyc_no_send_eof,
};

static int file_stream_create(anyc_file *file, const anyc_byte_stream_ops *ops,
                              anyc_byte_stream **out_stream)
{
    struct file_stream *stream = anyc__zalloc(sizeof *stream);

    if (stream == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    stream->stream = (anyc_byte_stream){{&ops->resource}, ops};
    stream->file = file;
    *out_stream = &stream->stream;
    return 0;
}

static int file_stream_open(const char *path, const char *mode, const anyc_byte_stream_ops *ops,
                            anyc_byte_stream **out_stream)
{
    anyc_file *file;
    int rc = anyc_open_file(path, mode, NULL, &file);

    if (rc < 0)
        return rc;
    rc = file_stream_create(file, ops, out_stream);
    if (rc < 0) {
        (void)anyc_aclose(file); /* nothing was written */
        (void)anyc__fail_plain(rc);
    }
    return rc;
}

int anyc_file_read_stream_from_path(const char *path, anyc_byte_stream **out_stream)
{
    return file_stream_open(path, "r", &file_read_stream_ops, out_stream);
}

int anyc_file_write_stream_from_path(const char *path,
                                     const anyc_file_write_stream_options *options,
                                     anyc_byte_stream **out_stream)
{
    const char *mode = options != NULL && options->append ? "a" : "w";

    return file_stream_open(path, mode, &file_write_stream_ops, out_stream);
}

int anyc_file_read_stream_create(anyc_file *file, anyc_byte_stream **out_stream)
{
    return file_stream_create(file, &file_read_stream_ops, out_stream);
}

int anyc_file_write_stream_create(anyc_file *file, anyc_byte_stream **out_stream)
{
    return file_stream_create(file, &file_write_stream_ops, out_stream);
}

static bool file_stream_is(const anyc_byte_stream *stream)
{
    return stream->ops == &file_read_stream_ops || stream->ops == &file_write_stream_ops;
}

int64_t anyc_file_stream_seek(anyc_byte_stream *base, int64_t offset, int whence)
{
    struct file_stream *stream;

    if (!file_stream_is(base))
        return anyc__fail(ANYC_EINVAL, 0, "%s: not a file stream", base->resource.ops->type);
    stream = file_stream_begin(base);
    return file_stream_end(stream, anyc_file_seek(stream->file, offset, whence));
}

int64_t anyc_file_stream_tell(anyc_byte_stream *base)
{
    struct file_stream *stream;

    if (!file_stream_is(base))
        return anyc__fail(ANYC_EINVAL, 0, "%s: not a file stream", base->resource.ops->type);
    stream = file_stream_begin(base);
    return file_stream_end(stream, anyc_file_tell(stream->file));
}
