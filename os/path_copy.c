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

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COPY_BUFFER ((size_t)64 * 1024)
#define COPY_AT_ONCE ((size_t)1 << 30) /* bytes asked of the kernel in one call */

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
    char *buffer; /* or NULL until it is needed */
};

/* -- one file -- */

static int copy_by_buffer(struct copy *copy, int from, int to)
{
    if (copy->buffer == NULL)
        copy->buffer = anyc__alloc(COPY_BUFFER);
    if (copy->buffer == NULL)
        return ANYC_ENOMEM;
    for (;;) {
        ssize_t got = read(from, copy->buffer, COPY_BUFFER);
        ssize_t done = 0;

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return anyc__path_errno((int)got);
        while (done < got) {
            ssize_t put = write(to, copy->buffer + done, (size_t)(got - done));

            if (put < 0 && errno != EINTR)
                return -errno;
            done += put > 0 ? put : 0;
        }
    }
}

/* In the kernel as far as it goes, which is nowhere for some kinds of files. */
static int copy_bytes(struct copy *copy, int from, int to)
{
    ssize_t done;

    do {
        done = copy_file_range(from, NULL, to, NULL, COPY_AT_ONCE, 0);
    } while (done > 0 || (done < 0 && errno == EINTR));
    if (done < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return -errno;
    return copy_by_buffer(copy, from, to); /* the rest; mostly it sees the end only */
}

static int copy_metadata(int to, const struct stat *stat)
{
    struct timespec times[2] = {stat->st_atim, stat->st_mtim};
    int rc = anyc__path_errno(fchmod(to, stat->st_mode & 07777));

    return rc < 0 ? rc : anyc__path_errno(futimens(to, times));
}

/* What is written may be cut short only after it is known not to be the source. */
static int copy_opened(struct copy *copy, int from, int to)
{
    struct stat source;
    struct stat target;
    int rc = anyc__path_errno(fstat(from, &source));

    if (rc == 0)
        rc = anyc__path_errno(fstat(to, &target));
    if (rc == 0 && source.st_dev == target.st_dev && source.st_ino == target.st_ino)
        rc = ANYC_EINVAL;
    if (rc == 0 && S_ISREG(target.st_mode))
        rc = anyc__path_errno(ftruncate(to, 0));
    if (rc == 0)
        rc = copy_bytes(copy, from, to);
    if (rc == 0 && (copy->flags & COPY_METADATA) != 0)
        rc = copy_metadata(to, &source);
    return rc;
}

static int copy_file(struct copy *copy, const char *source, const char *target)
{
    int from = open(source, O_RDONLY | O_CLOEXEC);
    int rc = anyc__path_errno(from);
    int to = -1;

    if (rc == 0) {
        to = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        rc = anyc__path_errno(to);
    }
    if (rc == 0)
        rc = copy_opened(copy, from, to);
    if (from >= 0)
        (void)close(from); /* only read from */
    if (to >= 0 && close(to) < 0 && rc == 0)
        rc = -errno;
    return rc;
}

static int copy_link(const char *source, const char *target)
{
    char text[512]; /* most links are short */
    char *room = text;
    size_t size = sizeof text;
    ssize_t len = readlink(source, room, size);
    int rc;

    while (len >= 0 && (size_t)len >= size) {
        if (room != text)
            anyc__free(room);
        size *= 2;
        room = anyc__alloc(size);
        if (room == NULL)
            return ANYC_ENOMEM;
        len = readlink(source, room, size);
    }
    rc = anyc__path_errno((int)len);
    if (rc == 0) {
        room[len] = '\0';
        rc = anyc__path_errno(symlink(room, target));
    }
    if (room != text)
        anyc__free(room);
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
    int flags = (copy->flags & COPY_NO_FOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
    struct stat stat;
    int rc = anyc__path_errno(fstatat(AT_FDCWD, source->text, &stat, flags));

    if (rc == 0 && S_ISDIR(stat.st_mode))
        return copy_add_dir(copy, source, target, &stat);
    if (rc == 0 && S_ISLNK(stat.st_mode))
        rc = copy_link(source->text, target->text);
    else if (rc == 0 && S_ISFIFO(stat.st_mode))
        rc = anyc__path_errno(mkfifo(target->text, stat.st_mode & 07777));
    else if (rc == 0)
        rc = copy_file(copy, source->text, target->text);
    anyc_path_destroy(source);
    anyc_path_destroy(target);
    return rc;
}

/* Calls `each` for the entries of a directory. */
static int copy_list(const char *path, int (*each)(void *arg, const char *name), void *arg)
{
    DIR *listing = opendir(path);
    const struct dirent *entry;
    int rc = listing == NULL ? -errno : 0;

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
    if (listing != NULL)
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
    if (rc == 0 && (copy->flags & COPY_METADATA) != 0)
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

/* Does one of the directories above `text`, or it itself, have this identity? */
static int copy_is_inside(const char *text, const struct stat *source)
{
    anyc_path *path = NULL;
    int rc = anyc_path_create(text, NULL, &path);

    while (rc == 0) {
        struct stat stat;
        size_t len = path->len;

        if (fstatat(AT_FDCWD, path->text, &stat, 0) == 0 && stat.st_dev == source->st_dev &&
            stat.st_ino == source->st_ino) {
            rc = 1;
            break;
        }
        while (len > 0 && path->text[len - 1] != '/')
            len--;
        if (len <= anyc__path_root_len(path->text))
            break;
        path->len = len - 1;
        path->text[len - 1] = '\0';
    }
    anyc_path_destroy(path);
    return rc;
}

static int copy_fn(const struct path_args *args, struct path_answer *answer)
{
    struct copy copy = {.flags = args->flags};
    int follow = (args->flags & COPY_NO_FOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
    int rc = anyc__path_errno(fstatat(AT_FDCWD, args->text, &answer->stat, follow));

    if (rc == 0 && S_ISDIR(answer->stat.st_mode) && copy_is_inside(args->other, &answer->stat) != 0)
        rc = ANYC_EINVAL;
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

static int move_fn(const struct path_args *args, struct path_answer *answer)
{
    int rc = anyc__path_errno(rename(args->text, args->other));

    return rc == -EXDEV ? copy_fn(args, answer) : rc;
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
