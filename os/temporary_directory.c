/* SPDX-License-Identifier: MIT */
/*
 * temporary_directory.c - a directory that goes when it is closed. AnyIO: TemporaryDirectory.
 *
 * Removing it twice at once does no harm: each finds gone what the other has removed.
 */
#include <anyc/temporary_file.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/file.h"
#include "os/remove_tree.h"

struct temporary_directory {
    anyc_temporary_dir dir;
    char *path;
    struct stream_life life;
    bool ignore_errors;
    bool keep;
    bool closed;
};

struct directory_removal {
    struct worker_job job;
    const char *path;
};

static struct temporary_directory *directory_of(const anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct temporary_directory, dir.resource);
}

static void directory_free(struct temporary_directory *directory)
{
    anyc__free(directory->path);
    anyc__free(directory);
}

static void directory_release(struct temporary_directory *directory)
{
    if (anyc__stream_release(&directory->life))
        directory_free(directory);
}

static int directory_remove_in_thread(struct worker_job *job)
{
    return anyc__remove_tree(ANYC__CONTAINER(job, struct directory_removal, job)->path);
}

/* Sets *out_rc to what became of it; answers < 0, told, if it was not tried. */
static int directory_remove(anyc_task *task, const struct temporary_directory *directory,
                            int *out_rc)
{
    struct directory_removal removal = {
        .job = {.fn = directory_remove_in_thread, .kind = WORKER_FILES}, .path = directory->path};
    int rc = anyc__worker_run(task, &removal.job);

    if (rc == 0)
        *out_rc = removal.job.result;
    return rc;
}

/* The answer to the user. */
static int directory_tell(const struct temporary_directory *directory, int rc)
{
    if (rc == 0 || directory->ignore_errors)
        return 0;
    return anyc__file_fail(rc, "removing", directory->path);
}

/* Whatever is cancelled; without a thread, here. Answers what became of it. */
static int directory_remove_shielded(anyc_task *task, const struct temporary_directory *directory)
{
    anyc_cancel_scope shield;
    int result = 0;
    int rc = anyc_cancel_scope_enter(&shield, &(anyc_cancel_scope_options){.shield = true});

    if (rc == 0)
        rc = anyc_cancel_scope_exit(&shield, directory_remove(task, directory, &result));
    return rc < 0 ? anyc__remove_tree(directory->path) : result;
}

static int directory_close(anyc_resource *resource, bool forcefully)
{
    struct temporary_directory *directory = directory_of(resource);
    anyc_task *task = forcefully ? NULL : anyc__task();
    int rc;

    if (directory->closed)
        return 0;
    directory->closed = true;
    if (directory->keep)
        return 0;
    anyc__stream_hold(&directory->life);
    rc = task != NULL ? directory_remove_shielded(task, directory)
                      : anyc__remove_tree(directory->path);
    rc = directory_tell(directory, rc);
    directory_release(directory);
    return rc;
}

static void directory_destroy(anyc_resource *resource)
{
    struct temporary_directory *directory = directory_of(resource);

    if (anyc__stream_destroy(&directory->life))
        directory_free(directory);
}

static const anyc_resource_ops directory_ops = {
    .type = "temporary directory",
    .close = directory_close,
    .destroy = directory_destroy,
    .extra = anyc_no_attributes,
};

int anyc_temporary_directory(const anyc_temporary_directory_options *options,
                             anyc_temporary_dir **out_dir)
{
    static const anyc_temporary_directory_options defaults;
    struct temporary_directory *directory = anyc__zalloc(sizeof *directory);
    anyc_mkdtemp_options name;
    anyc_bytes path;
    int rc;

    if (directory == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    options = options != NULL ? options : &defaults;
    name = (anyc_mkdtemp_options){options->suffix, options->prefix, options->dir};
    rc = anyc_mkdtemp(&name, &path);
    if (rc < 0) {
        anyc__free(directory);
        return rc;
    }
    directory->dir.resource.ops = &directory_ops;
    directory->path = path.data;
    directory->ignore_errors = options->ignore_cleanup_errors;
    directory->keep = options->keep;
    *out_dir = &directory->dir;
    return 0;
}

const char *anyc_temporary_dir_path(const anyc_temporary_dir *dir)
{
    return directory_of(&dir->resource)->path;
}

int anyc_temporary_dir_cleanup(anyc_temporary_dir *dir)
{
    struct temporary_directory *directory = directory_of(&dir->resource);
    anyc_task *task;
    int result = 0;
    int rc;

    anyc__stream_hold(&directory->life);
    rc = anyc__enter(&task);
    if (rc == 0)
        rc = directory_remove(task, directory, &result);
    if (rc == 0)
        rc = directory_tell(directory, result);
    directory_release(directory);
    return rc;
}
