/* SPDX-License-Identifier: MIT */
/*
 * spooled_file.c - temporary files that stay in memory as long as they are small. AnyIO:
 * SpooledTemporaryFile.
 *
 * In memory too the file has a stdio stream, over functions of its own, so that every call works as
 * on disk. Invariants: len <= room; the stream has no buffer, so that `position` is its position.
 */
#include "os/spooled_file.h"

#include <anyc/temporary_file.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/file.h"
#include "os/temporary_name.h"

struct spool {
    char *data;
    size_t len;
    size_t room;
    size_t position; /* may be behind the end */
    size_t max_size;
    struct temporary_name name; /* of the file on disk */
};

/* Room for a size, and zeros up to it behind the end. */
static int spool_make_room(struct spool *spool, size_t size)
{
    size_t room = spool->room < 64 ? 64 : spool->room;
    char *data;

    if (size > SIZE_MAX / 4)
        return ANYC_ENOMEM;
    while (room < size)
        room *= 2;
    if (room > spool->room) {
        data = anyc__realloc_array(spool->data, room, 1);
        if (data == NULL)
            return ANYC_ENOMEM;
        spool->data = data;
        spool->room = room;
    }
    if (size > spool->len)
        memset(spool->data + spool->len, 0, size - spool->len);
    return 0;
}

bool anyc__spool_is_too_small(const struct spool *spool, size_t adds, int64_t reach)
{
    size_t max = spool->max_size;
    uint64_t size = reach < 0 ? spool->position : (uint64_t)reach;

    if (size > max)
        return true;
    return adds > 0 && (spool->position > max || adds > max - spool->position);
}

size_t anyc__spool_ahead(const struct spool *spool, const char **out_data)
{
    if (spool->position >= spool->len)
        return 0;
    *out_data = spool->data + spool->position;
    return spool->len - spool->position;
}

int anyc__spool_reserve(struct spool *spool, size_t adds)
{
    return adds == 0 ? 0 : spool_make_room(spool, spool->position + adds);
}

int anyc__spool_truncate(struct spool *spool, size_t size)
{
    int rc = spool_make_room(spool, size);

    if (rc == 0)
        spool->len = size;
    return rc;
}

/* -- what stdio calls -- */

static ssize_t spool_read(void *cookie, char *buf, size_t size)
{
    struct spool *spool = cookie;
    const char *data;
    size_t left = anyc__spool_ahead(spool, &data);
    size_t n = size < left ? size : left;

    if (n > 0)
        memcpy(buf, data, n);
    spool->position += n;
    return (ssize_t)n;
}

/* There is room: see anyc__spool_reserve. Who writes to the stream by himself has none. */
static ssize_t spool_write(void *cookie, const char *buf, size_t size)
{
    struct spool *spool = cookie;

    if (spool_make_room(spool, spool->position + size) < 0) {
        errno = ENOMEM;
        return 0;
    }
    memcpy(spool->data + spool->position, buf, size);
    spool->position += size;
    if (spool->len < spool->position)
        spool->len = spool->position;
    return (ssize_t)size;
}

static int spool_seek(void *cookie, off64_t *offset, int whence)
{
    struct spool *spool = cookie;
    int64_t from = 0;

    if (whence == SEEK_CUR)
        from = (int64_t)spool->position;
    else if (whence == SEEK_END)
        from = (int64_t)spool->len;
    if (*offset < -from || *offset > INT64_MAX - from) {
        errno = EINVAL;
        return -1;
    }
    spool->position = (size_t)(from + *offset);
    *offset += from;
    return 0;
}

static FILE *spool_stream(struct spool *spool)
{
    const cookie_io_functions_t functions = {
        .read = spool_read, .write = spool_write, .seek = spool_seek};
    FILE *stream = fopencookie(spool, "w+", functions);

    if (stream != NULL)
        (void)setvbuf(stream, NULL, _IONBF, 0); /* it cannot fail */
    return stream;
}

/* -- to disk -- */

static int spool_copy(const struct spool *spool, FILE *stream)
{
    if (spool->len > 0 && fwrite(spool->data, 1, spool->len, stream) != spool->len)
        return anyc__file_errno();
    if (fflush(stream) != 0 || fseeko(stream, (off_t)spool->position, SEEK_SET) != 0)
        return anyc__file_errno();
    return 0;
}

int anyc__spool_roll(struct file *file)
{
    struct spool *spool = file->spool;
    FILE *stream = NULL;
    int fd = anyc__temporary_name_none(&spool->name);
    int rc = fd < 0 ? fd : anyc__file_fdopen(fd, O_RDWR, &stream);

    if (rc < 0)
        return rc;
    rc = spool_copy(spool, stream);
    if (rc < 0) {
        (void)fclose(stream); /* the copy is given up */
        return rc;
    }
    (void)fclose(file->stream); /* memory only, which is freed next */
    file->stream = stream;
    file->turn = FILE_TURN_NONE;
    file->spool = NULL;
    anyc__spool_destroy(spool);
    return 0;
}

void anyc__spool_destroy(struct spool *spool)
{
    anyc__temporary_name_deinit(&spool->name);
    anyc__free(spool->data);
    anyc__free(spool);
}

static int spool_create(const anyc_temporary_file_options *options, struct spool **out_spool)
{
    struct spool *spool = anyc__zalloc(sizeof *spool);
    int rc;

    if (spool == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = anyc__temporary_name_init(&spool->name, options->suffix, options->prefix, options->dir);
    if (rc < 0) {
        anyc__free(spool);
        return rc;
    }
    spool->name.suffix = ""; /* the file on disk has no name, and those given are borrowed */
    spool->name.prefix = "tmp";
    spool->max_size = options->max_size;
    *out_spool = spool;
    return 0;
}

int anyc_spooled_temporary_file(const anyc_spooled_temporary_file_options *options,
                                anyc_file **out_file)
{
    static const anyc_spooled_temporary_file_options defaults;
    struct file *file;
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    options = options != NULL ? options : &defaults;
    if (options->mode != NULL && anyc__file_mode(options->mode) != anyc__file_mode("w+"))
        return anyc__fail(ANYC_EINVAL, 0, "spooled_temporary_file: a mode other than w+");
    file = anyc__file_create(options->limiter);
    if (file == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = spool_create(options, &file->spool);
    if (rc == 0) {
        file->stream = spool_stream(file->spool);
        if (file->stream == NULL)
            rc = anyc__fail_plain(ANYC_ENOMEM);
    }
    if (rc < 0)
        anyc__file_destroy(file);
    else
        *out_file = &file->file;
    return rc;
}

static int spool_nothing_more(struct file_call *call)
{
    (void)call;
    return 0;
}

int anyc_spooled_temporary_file_rollover(anyc_file *file)
{
    struct file_call call = {.what = "putting on disk", .fn = spool_nothing_more, .roll = true};

    return anyc__file_call(file, &call);
}

bool anyc_spooled_temporary_file_rolled(const anyc_file *file)
{
    return anyc__file_of(file)->rolled;
}
