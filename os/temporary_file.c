/* SPDX-License-Identifier: MIT */
/*
 * temporary_file.c - temporary files on disk, and names for files and directories. AnyIO:
 * anyio._core._tempfile.
 */
#include <anyc/temporary_file.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/error.h"
#include "os/file.h"
#include "os/temporary_name.h"

/* What is asked of a worker thread. */
struct temporary_job {
    struct worker_job job;
    struct temporary_name name;
    int flags; /* of open(2), for the stream of a file */
    int fd;
    FILE *stream;
    struct text_buffer path;
};

static struct temporary_job *temporary_job_of(struct worker_job *job)
{
    return ANYC__CONTAINER(job, struct temporary_job, job);
}

static int temporary_find_dir(struct worker_job *job)
{
    struct temporary_job *temporary = temporary_job_of(job);

    return anyc__temporary_name_dir(&temporary->name, &temporary->path);
}

static int temporary_make_directory(struct worker_job *job)
{
    struct temporary_job *temporary = temporary_job_of(job);

    return anyc__temporary_name_directory(&temporary->name, &temporary->path);
}

static int temporary_make_file(struct worker_job *job)
{
    struct temporary_job *temporary = temporary_job_of(job);

    temporary->fd = anyc__temporary_name_file(&temporary->name, &temporary->path);
    return temporary->fd < 0 ? temporary->fd : 0;
}

static int temporary_open_unnamed(struct worker_job *job)
{
    struct temporary_job *temporary = temporary_job_of(job);
    int fd = anyc__temporary_name_none(&temporary->name);

    return fd < 0 ? fd : anyc__file_fdopen(fd, temporary->flags, &temporary->stream);
}

static int temporary_open_named(struct worker_job *job)
{
    struct temporary_job *temporary = temporary_job_of(job);
    int rc = temporary_make_file(job);

    if (rc < 0)
        return rc;
    rc = anyc__file_fdopen(temporary->fd, temporary->flags, &temporary->stream);
    if (rc < 0) {
        (void)unlink(temporary->path.data); /* it has just been made */
        anyc__text_deinit(&temporary->path);
    }
    return rc;
}

/* A file by one of the two functions above. */
static int temporary_open(const anyc_temporary_file_options *options,
                          int (*open_it)(struct worker_job *job), anyc_file **out_file)
{
    static const anyc_temporary_file_options defaults;
    struct temporary_job job = {.job = {.fn = open_it, .kind = WORKER_FILES}};
    struct file *file;
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    options = options != NULL ? options : &defaults;
    job.job.limiter = options->limiter;
    job.flags = anyc__file_mode(options->mode != NULL ? options->mode : "w+");
    if (job.flags < 0)
        return anyc__fail(ANYC_EINVAL, 0, "temporary file: no such mode");
    file = anyc__file_create(options->limiter);
    if (file == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = anyc__temporary_name_init(&job.name, options->suffix, options->prefix, options->dir);
    if (rc == 0)
        rc = anyc__file_run(task, &job.job, "opening", "a temporary file");
    anyc__temporary_name_deinit(&job.name);
    if (rc < 0) {
        anyc__file_destroy(file);
        return rc;
    }
    file->stream = job.stream;
    file->path = job.path.data;
    file->unlink_path = file->path != NULL && !options->keep;
    *out_file = &file->file;
    return 0;
}

int anyc_temporary_file(const anyc_temporary_file_options *options, anyc_file **out_file)
{
    return temporary_open(options, temporary_open_unnamed, out_file);
}

int anyc_named_temporary_file(const anyc_named_temporary_file_options *options,
                              anyc_file **out_file)
{
    return temporary_open(options, temporary_open_named, out_file);
}

/* Something with a path; `what` and `path` are for messages. */
static int temporary_make(const anyc_mkstemp_options *options, int (*make)(struct worker_job *job),
                          const char *what, const char *path, int *out_fd, anyc_bytes *out_path)
{
    static const anyc_mkstemp_options defaults;
    struct temporary_job job = {.job = {.fn = make, .kind = WORKER_FILES}};
    anyc_task *task;
    int rc = anyc__enter(&task);

    if (rc < 0)
        return rc;
    options = options != NULL ? options : &defaults;
    rc = anyc__temporary_name_init(&job.name, options->suffix, options->prefix, options->dir);
    if (rc < 0)
        return rc;
    rc = anyc__file_run(task, &job.job, what, path);
    anyc__temporary_name_deinit(&job.name);
    if (rc < 0)
        return rc;
    if (out_fd != NULL)
        *out_fd = job.fd;
    *out_path = (anyc_bytes){job.path.data, job.path.len};
    return 0;
}

int anyc_mkstemp(const anyc_mkstemp_options *options, int *out_fd, anyc_bytes *out_path)
{
    return temporary_make(options, temporary_make_file, "making", "a temporary file", out_fd,
                          out_path);
}

int anyc_mkdtemp(const anyc_mkdtemp_options *options, anyc_bytes *out_path)
{
    return temporary_make(options, temporary_make_directory, "making", "a temporary directory",
                          NULL, out_path);
}

int anyc_gettempdir(anyc_bytes *out_path)
{
    return temporary_make(NULL, temporary_find_dir, "looking for",
                          "the directory for temporary files", NULL, out_path);
}
