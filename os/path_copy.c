/* SPDX-License-Identifier: MIT */
/*
 * path_copy.c - copies of files and of whole trees, and moves. AnyIO: Path.copy, copy_into, move,
 * move_into (4.8).
 *
 * A tree is copied by a list of its directories, found and copied in one pass; removing it after a
 * move to another file system goes through the same list from its end.
 */
#include <anyc/path.h>

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/path_call.h"
#include "os/path_copy.h"
#include "os/text_buffer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { COPY_NO_FOLLOW = 1, COPY_METADATA = 2, COPY_MOVE = 4 };

/* A directory of the tree, in the order of their discovery. */
struct copy_dir {
    struct copy_dir *next;
    struct copy_dir *prev;
    mode_t mode;
    struct timespec times[2];
    anyc_path *source;
    anyc_path *target;
};

struct copy {
    unsigned flags;
    struct copy_dir *first;
    struct copy_dir *last;
    char *buffer; /* of anyc__path_copy_file */
};

static bool copy_has(const struct copy *copy, unsigned flag)
{
    return (copy->flags & flag) != 0;
}

static int copy_link(const struct copy *copy, const char *source, const char *target,
                     const struct stat *stat)
{
    struct timespec times[2] = {stat->st_atim, stat->st_mtim};
    struct text_buffer text = {0};
    int rc = anyc__path_read_link(source, &text);

    if (rc == 0)
        rc = anyc__path_errno(symlink(text.data, target));
    if (rc == 0 && copy_has(copy, COPY_METADATA))
        rc = anyc__path_errno(utimensat(AT_FDCWD, target, times, AT_SYMLINK_NOFOLLOW));
    anyc__text_deinit(&text);
    return rc;
}

/* -- the list of directories -- */

static void copy_dir_destroy(struct copy_dir *dir)
{
    anyc_path_destroy(dir->source);
    anyc_path_destroy(dir->target);
    anyc__free(dir);
}

/* Makes the target's directory and notes it. Takes both paths. */
static int copy_add_dir(struct copy *copy, anyc_path *source, anyc_path *target,
                        const struct stat *stat)
{
    struct copy_dir *dir = anyc__zalloc(sizeof *dir);
    int rc = dir == NULL ? ANYC_ENOMEM : anyc__path_errno(mkdir(target->text, 0777));

    if (rc < 0) {
        anyc__free(dir);
        anyc_path_destroy(source);
        anyc_path_destroy(target);
        return rc;
    }
    dir->source = source;
    dir->target = target;
    dir->mode = stat->st_mode & 07777;
    dir->times[0] = stat->st_atim;
    dir->times[1] = stat->st_mtim;
    dir->prev = copy->last;
    if (copy->last != NULL)
        copy->last->next = dir;
    else
        copy->first = dir;
    copy->last = dir;
    return 0;
}

/* Copies what is at a path; a directory is noted only. Takes both paths. */
static int copy_one(struct copy *copy, anyc_path *source, anyc_path *target)
{
    int flags = copy_has(copy, COPY_NO_FOLLOW) ? AT_SYMLINK_NOFOLLOW : 0;
    struct stat stat;
    int rc = anyc__path_errno(fstatat(AT_FDCWD, source->text, &stat, flags));

    if (rc == 0 && S_ISDIR(stat.st_mode))
        return copy_add_dir(copy, source, target, &stat);
    if (rc == 0 && S_ISLNK(stat.st_mode))
        rc = copy_link(copy, source->text, target->text, &stat);
    else if (rc == 0 && S_ISFIFO(stat.st_mode))
        rc = anyc__path_errno(mkfifo(target->text, stat.st_mode & 07777));
    else if (rc == 0)
        rc = anyc__path_copy_file(source->text, target->text, copy_has(copy, COPY_METADATA),
                                  &copy->buffer);
    anyc_path_destroy(source);
    anyc_path_destroy(target);
    return rc;
}

/* Calls `each` for the entries of a directory. */
static int copy_list(const char *path, int (*each)(void *arg, const char *name), void *arg)
{
    DIR *listing = opendir(path);
    const struct dirent *entry;
    int rc = 0;

    if (listing == NULL)
        return -errno;
    while (rc == 0) {
        errno = 0;
        entry = readdir(listing);
        if (entry == NULL) {
            rc = -errno;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = each(arg, entry->d_name);
    }
    (void)closedir(listing); /* only read from */
    return rc;
}

struct copy_entry {
    struct copy *copy;
    const struct copy_dir *dir;
};

static int copy_entry(void *arg, const char *name)
{
    struct copy_entry *where = arg;
    anyc_path *source = NULL;
    anyc_path *target = NULL;
    int rc = anyc_path_joinpath(where->dir->source, name, &source);

    if (rc == 0)
        rc = anyc_path_joinpath(where->dir->target, name, &target);
    if (rc == 0)
        return copy_one(where->copy, source, target);
    anyc_path_destroy(source);
    return rc;
}

/* Permissions and times, once nothing more will be made in there. */
static int copy_finish_dirs(const struct copy *copy)
{
    int rc = 0;

    for (struct copy_dir *dir = copy->last; rc == 0 && dir != NULL; dir = dir->prev) {
        rc = anyc__path_errno(chmod(dir->target->text, dir->mode));
        if (rc == 0)
            rc = anyc__path_errno(utimensat(AT_FDCWD, dir->target->text, dir->times, 0));
    }
    return rc;
}

static int copy_tree(struct copy *copy, const char *source_text, const char *target_text)
{
    anyc_path *source = NULL;
    anyc_path *target = NULL;
    int rc = anyc_path_create(source_text, NULL, &source);

    if (rc == 0)
        rc = anyc_path_create(target_text, NULL, &target);
    if (rc == 0)
        rc = copy_one(copy, source, target);
    else
        anyc_path_destroy(source);
    for (struct copy_dir *dir = copy->first; rc == 0 && dir != NULL; dir = dir->next) {
        struct copy_entry where = {copy, dir};

        rc = copy_list(dir->source->text, copy_entry, &where);
    }
    if (rc == 0 && copy_has(copy, COPY_METADATA))
        rc = copy_finish_dirs(copy);
    return rc;
}

/* -- removing the source of a move -- */

static int remove_entry(void *arg, const char *name)
{
    const struct copy_dir *dir = arg;
    anyc_path *path = NULL;
    int rc = anyc_path_joinpath(dir->source, name, &path);

    if (rc == 0)
        rc = anyc__path_errno(unlink(path->text));
    anyc_path_destroy(path);
    return rc;
}

static int copy_remove_source(const struct copy *copy, const char *source)
{
    int rc = 0;

    if (copy->first == NULL)
        return anyc__path_errno(unlink(source));
    for (struct copy_dir *dir = copy->last; rc == 0 && dir != NULL; dir = dir->prev) {
        rc = copy_list(dir->source->text, remove_entry, dir);
        if (rc == 0)
            rc = anyc__path_errno(rmdir(dir->source->text));
    }
    return rc;
}

/* -- the calls -- */

static bool copy_is_same(const struct stat *one, const struct stat *two)
{
    return one->st_dev == two->st_dev && one->st_ino == two->st_ino;
}

/* A failure of a call that looks for the source: what is not there, or may not be looked at, is not
 * it. */
static int copy_look(int result)
{
    int rc = anyc__path_errno(result);

    return anyc__path_passes_over(rc) ? 0 : rc;
}

/* 1: the open directory, or one above it, is the source; else 0. Closes it. */
static int copy_climb(int fd, const struct stat *source)
{
    struct stat here = {.st_ino = 0};
    struct stat below;
    int found = 0;
    int rc = fstat(fd, &here);

    while (rc == 0 && found == 0) {
        int above;

        if (copy_is_same(&here, source)) {
            found = 1;
            break;
        }
        above = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (above < 0) {
            rc = above;
            break;
        }
        (void)close(fd); /* nothing was written */
        fd = above;
        below = here;
        rc = fstat(fd, &here);
        if (rc == 0 && copy_is_same(&here, &below))
            break; /* the root */
    }
    rc = copy_look(rc);
    (void)close(fd); /* likewise */
    return rc < 0 ? rc : found;
}

/* 1: the target would be the source or lie in it, wherever links lead; else 0, or a failure. The target need
 * not exist: then the directory counts where it will be made. */
static int copy_is_inside(const char *target, const struct stat *source)
{
    int fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
    anyc_path *path = NULL;
    anyc_path *parent = NULL;
    int rc = copy_look(fd);

    if (fd < 0 && rc == 0) {
        rc = anyc_path_create(target, NULL, &path);
        if (rc == 0)
            rc = anyc_path_parent(path, &parent);
        if (rc == 0) {
            fd = open(parent->text, O_PATH | O_DIRECTORY | O_CLOEXEC);
            rc = copy_look(fd);
        }
        anyc_path_destroy(path);
        anyc_path_destroy(parent);
    }
    return fd < 0 ? rc : copy_climb(fd, source);
}

static int copy_fn(const struct path_args *args, struct path_answer *answer)
{
    struct copy copy = {.flags = args->flags};
    int follow = (args->flags & COPY_NO_FOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
    int rc = anyc__path_errno(fstatat(AT_FDCWD, args->text, &answer->stat, follow));

    if (rc == 0 && S_ISDIR(answer->stat.st_mode)) {
        rc = copy_is_inside(args->other, &answer->stat);
        rc = rc > 0 ? ANYC_EINVAL : rc;
    }
    if (rc == 0)
        rc = copy_tree(&copy, args->text, args->other);
    if (rc == 0 && (args->flags & COPY_MOVE) != 0)
        rc = copy_remove_source(&copy, args->text);
    while (copy.first != NULL) {
        struct copy_dir *dir = copy.first;

        copy.first = dir->next;
        copy_dir_destroy(dir);
    }
    anyc__free(copy.buffer);
    return rc;
}

/* Two names of one file would both stay: rename(2) does nothing then. */
static int move_fn(const struct path_args *args, struct path_answer *answer)
{
    struct stat target = {.st_ino = 0};
    int rc;

    answer->stat = (struct stat){.st_ino = 0};
    rc = copy_look(stat(args->text, &answer->stat));
    if (rc == 0)
        rc = copy_look(stat(args->other, &target));
    if (rc < 0)
        return rc;
    if (target.st_ino != 0 && copy_is_same(&answer->stat, &target))
        return ANYC_EINVAL;
    rc = anyc__path_errno(rename(args->text, args->other));
    if (rc == -EXDEV)
        return copy_fn(args, answer);
    return rc == -EINVAL ? ANYC_EINVAL : rc;
}

/* The target is made a path first, so that nothing can fail after the change. */
static int copy_to(const anyc_path *path, const char *what, path_fn fn, unsigned flags,
                   anyc_path *target, anyc_path **out_path)
{
    struct path_args args = {.other = target->text, .flags = flags};
    struct path_answer answer;
    int rc = anyc__path_do(path, what, fn, &args, &answer);

    if (rc == 0 && out_path != NULL)
        *out_path = target;
    else
        anyc_path_destroy(target);
    return rc;
}

/* Where the path would be in a directory. */
static int copy_place(const anyc_path *path, const char *directory, anyc_path **out_path)
{
    const char *name = anyc_path_name(path);

    if (directory == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "path: no text");
    if (*name == '\0')
        return anyc__fail(ANYC_EINVAL, 0, "path %s has no name", path->text);
    return anyc__path_join(directory, strlen(directory), name, strlen(name), path->limiter,
                           out_path);
}

static unsigned copy_flags(const anyc_path_copy_options *options)
{
    if (options == NULL)
        return 0;
    return (options->no_follow ? COPY_NO_FOLLOW : 0u) |
           (options->preserve_metadata ? COPY_METADATA : 0u);
}

int anyc_path_copy(const anyc_path *path, const char *target, const anyc_path_copy_options *options,
                   anyc_path **out_path)
{
    anyc_path *place = NULL;
    int rc = anyc_path_create(target, path->limiter, &place);

    return rc < 0 ? rc : copy_to(path, "copying", copy_fn, copy_flags(options), place, out_path);
}

int anyc_path_copy_into(const anyc_path *path, const char *directory,
                        const anyc_path_copy_options *options, anyc_path **out_path)
{
    anyc_path *place = NULL;
    int rc = copy_place(path, directory, &place);

    return rc < 0 ? rc : copy_to(path, "copying", copy_fn, copy_flags(options), place, out_path);
}

#define MOVE_FLAGS (COPY_NO_FOLLOW | COPY_METADATA | COPY_MOVE)

int anyc_path_move(const anyc_path *path, const char *target, anyc_path **out_path)
{
    anyc_path *place = NULL;
    int rc = anyc_path_create(target, path->limiter, &place);

    return rc < 0 ? rc : copy_to(path, "moving", move_fn, MOVE_FLAGS, place, out_path);
}

int anyc_path_move_into(const anyc_path *path, const char *directory, anyc_path **out_path)
{
    anyc_path *place = NULL;
    int rc = copy_place(path, directory, &place);

    return rc < 0 ? rc : copy_to(path, "moving", move_fn, MOVE_FLAGS, place, out_path);
}
