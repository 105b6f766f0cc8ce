/* SPDX-License-Identifier: MIT */
/*
 * path_stat.c - what kind of file is at a path. AnyIO: Path.stat, exists, is_dir ...
 */
#include <anyc/path.h>

#include <anyc/error.h>

#include "core/error.h"
#include "os/path_call.h"

#include <errno.h>
#include <fcntl.h>

struct path_args anyc__path_stat_args(const anyc_path_follow_options *options)
{
    bool no_follow = options != NULL && options->no_follow;

    return (struct path_args){.flags = no_follow ? AT_SYMLINK_NOFOLLOW : 0};
}

int anyc__path_stat(const struct path_args *args, struct path_answer *answer)
{
    return anyc__path_errno(fstatat(AT_FDCWD, args->text, &answer->stat, (int)args->flags));
}

int anyc_path_stat(const anyc_path *path, const anyc_path_follow_options *options,
                   struct stat *out_stat)
{
    struct path_args args = anyc__path_stat_args(options);
    struct path_answer answer = {.text = NULL};
    int rc = anyc__path_ask(path, "stat", anyc__path_stat, &args, &answer);

    if (rc == 0)
        *out_stat = answer.stat;
    return rc;
}

int anyc_path_lstat(const anyc_path *path, struct stat *out_stat)
{
    return anyc_path_stat(path, &(anyc_path_follow_options){.no_follow = true}, out_stat);
}

/* -- yes or no -- */

/* Does the error say that there is no such file? */
static bool kind_is_absent(int rc)
{
    return rc == -ENOENT || rc == -ENOTDIR || rc == -ELOOP || rc == -EBADF;
}

/* Is it a file of the wanted kind (args->mode; 0: any)? */
static int kind_fn(const struct path_args *args, struct path_answer *answer)
{
    int rc = anyc__path_stat(args, answer);

    if (kind_is_absent(rc))
        return 0;
    answer->yes = rc == 0 && (args->mode == 0 || (answer->stat.st_mode & S_IFMT) == args->mode);
    return rc;
}

static int kind_ask(const anyc_path *path, mode_t kind, const anyc_path_follow_options *options)
{
    struct path_args args = anyc__path_stat_args(options);
    struct path_answer answer = {.text = NULL};
    int rc;

    args.mode = kind;
    rc = anyc__path_ask(path, "stat", kind_fn, &args, &answer);
    return rc < 0 ? rc : answer.yes;
}

int anyc_path_exists(const anyc_path *path, const anyc_path_follow_options *options)
{
    return kind_ask(path, 0, options);
}

int anyc_path_is_dir(const anyc_path *path, const anyc_path_follow_options *options)
{
    return kind_ask(path, S_IFDIR, options);
}

int anyc_path_is_file(const anyc_path *path, const anyc_path_follow_options *options)
{
    return kind_ask(path, S_IFREG, options);
}

int anyc_path_is_symlink(const anyc_path *path)
{
    return kind_ask(path, S_IFLNK, &(anyc_path_follow_options){.no_follow = true});
}

int anyc_path_is_block_device(const anyc_path *path)
{
    return kind_ask(path, S_IFBLK, NULL);
}

int anyc_path_is_char_device(const anyc_path *path)
{
    return kind_ask(path, S_IFCHR, NULL);
}

int anyc_path_is_fifo(const anyc_path *path)
{
    return kind_ask(path, S_IFIFO, NULL);
}

int anyc_path_is_socket(const anyc_path *path)
{
    return kind_ask(path, S_IFSOCK, NULL);
}

static int same_fn(const struct path_args *args, struct path_answer *answer)
{
    struct stat other;
    int rc = anyc__path_stat(args, answer);

    if (rc == 0)
        rc = anyc__path_errno(stat(args->other, &other));
    answer->yes =
        rc == 0 && answer->stat.st_dev == other.st_dev && answer->stat.st_ino == other.st_ino;
    return rc;
}

/* A mount point is on another device than the directory that it is in, or is that directory. Of a
 * directory that is its "..", of anything else its parent; links are no mount points. */
static int mount_fn(const struct path_args *args, struct path_answer *answer)
{
    struct path_args link = {.text = args->text, .flags = AT_SYMLINK_NOFOLLOW};
    struct stat parent;
    int rc = anyc__path_stat(&link, answer);

    if (rc < 0 || S_ISLNK(answer->stat.st_mode))
        return kind_is_absent(rc) ? 0 : rc;
    rc = anyc__path_errno(stat(S_ISDIR(answer->stat.st_mode) ? args->other : args->third, &parent));
    answer->yes =
        rc == 0 && (parent.st_dev != answer->stat.st_dev || parent.st_ino == answer->stat.st_ino);
    return rc;
}

int anyc_path_is_mount(const anyc_path *path)
{
    struct path_args args = {.text = NULL};
    struct path_answer answer = {.text = NULL};
    anyc_path *above = NULL;
    anyc_path *parent = NULL;
    int rc = anyc_path_joinpath(path, "..", &above);

    if (rc == 0)
        rc = anyc_path_parent(path, &parent);
    if (rc == 0) {
        args.other = anyc_path_str(above);
        args.third = anyc_path_str(parent);
        rc = anyc__path_ask(path, "stat", mount_fn, &args, &answer);
    }
    anyc_path_destroy(above);
    anyc_path_destroy(parent);
    return rc < 0 ? rc : answer.yes;
}

int anyc_path_samefile(const anyc_path *path, const char *other)
{
    struct path_args args = {.text = NULL};
    struct path_answer answer = {.text = NULL};
    anyc_path *second = NULL; /* in normal form, as the first one is */
    int rc = anyc_path_create(other, NULL, &second);

    if (rc < 0)
        return rc;
    args.other = anyc_path_str(second);
    rc = anyc__path_ask(path, "stat", same_fn, &args, &answer);
    anyc_path_destroy(second);
    return rc < 0 ? rc : answer.yes;
}
