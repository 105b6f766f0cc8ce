/* SPDX-License-Identifier: MIT */
/*
 * path_change.c - changes of the disk in one system call or a few. AnyIO: Path.mkdir, unlink,
 * rename ...
 */
#include <anyc/path.h>

#include <anyc/error.h>

#include "core/error.h"
#include "os/path_call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MKDIR_PARENTS = 1, MKDIR_EXIST_OK = 2 };

static int change(const anyc_path *path, const char *what, path_fn fn, const struct path_args *args)
{
    struct path_answer answer;

    return anyc__path_do(path, what, fn, args, &answer);
}

/* A change that a second path takes part in. */
static int change_two(const anyc_path *path, const char *what, path_fn fn, const char *other)
{
    if (other == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "path: no text");
    return change(path, what, fn, &(struct path_args){.other = other});
}

static int chmod_fn(const struct path_args *args, struct path_answer *answer)
{
    (void)answer;
    return anyc__path_errno(fchmodat(AT_FDCWD, args->text, args->mode, (int)args->flags));
}

int anyc_path_chmod(const anyc_path *path, mode_t mode, const anyc_path_follow_options *options)
{
    struct path_args args = {.mode = mode};

    if (options != NULL && options->no_follow)
        args.flags = AT_SYMLINK_NOFOLLOW;
    return change(path, "chmod", chmod_fn, &args);
}

int anyc_path_lchmod(const anyc_path *path, mode_t mode)
{
    return anyc_path_chmod(path, mode, &(anyc_path_follow_options){.no_follow = true});
}

/* Makes one of the parents, or finds it there. */
static int mkdir_parent(const char *text)
{
    struct stat found;
    int rc = anyc__path_errno(mkdir(text, 0777));

    return rc == -EEXIST && stat(text, &found) == 0 && S_ISDIR(found.st_mode) ? 0 : rc;
}

/* Makes the parents of a path: back to one that exists, then forward. The text is cut at each slash
 * in turn. */
static int mkdir_parents(char *text, size_t len)
{
    size_t at = len;
    int rc = -ENOENT;

    while (rc == -ENOENT) {
        while (at > 0 && text[at] != '/')
            at--;
        if (at == 0)
            break;
        text[at] = '\0';
        rc = mkdir_parent(text);
        if (rc == -ENOENT)
            continue;
        text[at] = '/';
    }
    if (rc == -ENOENT && at == 0)
        rc = 0;
    for (at++; rc == 0 && at < len; at++) {
        if (text[at] != '\0')
            continue;
        rc = mkdir_parent(text);
        text[at] = '/';
    }
    return rc;
}

static int mkdir_fn(const struct path_args *args, struct path_answer *answer)
{
    int rc = anyc__path_errno(mkdir(args->text, args->mode));

    if (rc == -ENOENT && (args->flags & MKDIR_PARENTS) != 0) {
        anyc_path *copy = NULL;

        rc = anyc__path_make(args->text, strlen(args->text), NULL, &copy);
        if (rc == 0)
            rc = mkdir_parents(copy->text, copy->len);
        anyc_path_destroy(copy);
        if (rc == 0)
            rc = anyc__path_errno(mkdir(args->text, args->mode));
    }
    if (rc < 0 && (args->flags & MKDIR_EXIST_OK) != 0 && stat(args->text, &answer->stat) == 0 &&
        S_ISDIR(answer->stat.st_mode))
        rc = 0;
    return rc;
}

int anyc_path_mkdir(const anyc_path *path, const anyc_path_mkdir_options *options)
{
    struct path_args args = {.mode = 0777};

    if (options != NULL) {
        if (options->mode != 0)
            args.mode = options->mode;
        args.flags =
            (options->parents ? MKDIR_PARENTS : 0u) | (options->exist_ok ? MKDIR_EXIST_OK : 0u);
    }
    return change(path, "mkdir", mkdir_fn, &args);
}

static int rmdir_fn(const struct path_args *args, struct path_answer *answer)
{
    (void)answer;
    return anyc__path_errno(rmdir(args->text));
}

int anyc_path_rmdir(const anyc_path *path)
{
    return change(path, "rmdir", rmdir_fn, &(struct path_args){.flags = 0});
}

/* Sets the times if that suffices; so a file without permission to write may be touched too. */
static int touch_fn(const struct path_args *args, struct path_answer *answer)
{
    int rc = -ENOENT;
    int fd;

    (void)answer;
    if ((args->flags & O_EXCL) == 0)
        rc = anyc__path_errno(utimensat(AT_FDCWD, args->text, NULL, 0));
    if (rc != -ENOENT)
        return rc;
    fd = open(args->text, O_WRONLY | O_CREAT | O_CLOEXEC | (int)args->flags, args->mode);
    if (fd < 0)
        return -errno;
    return anyc__path_errno(close(fd));
}

int anyc_path_touch(const anyc_path *path, const anyc_path_touch_options *options)
{
    struct path_args args = {.mode = 0666};

    if (options != NULL) {
        if (options->mode != 0)
            args.mode = options->mode;
        args.flags = options->must_be_new ? O_EXCL : 0;
    }
    return change(path, "touch", touch_fn, &args);
}

static int unlink_fn(const struct path_args *args, struct path_answer *answer)
{
    int rc = anyc__path_errno(unlink(args->text));

    (void)answer;
    return rc == -ENOENT && args->flags != 0 ? 0 : rc;
}

int anyc_path_unlink(const anyc_path *path, bool missing_ok)
{
    return change(path, "unlink", unlink_fn, &(struct path_args){.flags = missing_ok});
}

static int symlink_fn(const struct path_args *args, struct path_answer *answer)
{
    (void)answer;
    return anyc__path_errno(symlink(args->other, args->text));
}

int anyc_path_symlink_to(const anyc_path *path, const char *target)
{
    return change_two(path, "symlink", symlink_fn, target);
}

static int link_fn(const struct path_args *args, struct path_answer *answer)
{
    (void)answer;
    return anyc__path_errno(linkat(AT_FDCWD, args->other, AT_FDCWD, args->text, 0));
}

int anyc_path_hardlink_to(const anyc_path *path, const char *target)
{
    return change_two(path, "link", link_fn, target);
}

static int rename_fn(const struct path_args *args, struct path_answer *answer)
{
    (void)answer;
    return anyc__path_errno(rename(args->text, args->other));
}

int anyc_path_rename(const anyc_path *path, const char *target, anyc_path **out_path)
{
    anyc_path *renamed = NULL;
    int rc = anyc_path_create(target, path->limiter, &renamed); /* before, so that it cannot fail */

    if (rc == 0)
        rc = change_two(path, "rename", rename_fn, target);
    if (rc == 0 && out_path != NULL) {
        *out_path = renamed;
        renamed = NULL;
    }
    anyc_path_destroy(renamed);
    return rc;
}

int anyc_path_replace(const anyc_path *path, const char *target, anyc_path **out_path)
{
    return anyc_path_rename(path, target, out_path);
}
