/* SPDX-License-Identifier: MIT */
/*
 * path_stat.c - what kind of file is at a path, and whose. AnyIO: Path.stat, exists, is_dir ...
 */
#include <anyc/path.h>

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "os/path_call.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_ROOM 1024           /* bytes for an entry of users or groups at first */
#define NAMES_ROOM_MAX (1u << 24) /* a group with a million members has less */

static struct path_args stat_args(const anyc_path_follow_options *options)
{
    bool no_follow = options != NULL && options->no_follow;

    return (struct path_args){.flags = no_follow ? AT_SYMLINK_NOFOLLOW : 0};
}

static int stat_fn(const struct path_args *args, struct path_answer *answer)
{
    return anyc__path_errno(fstatat(AT_FDCWD, args->text, &answer->stat, (int)args->flags));
}

int anyc_path_stat(const anyc_path *path, const anyc_path_follow_options *options,
                   struct stat *out_stat)
{
    struct path_args args = stat_args(options);
    struct path_answer answer;
    int rc = anyc__path_ask(path, "stat", stat_fn, &args, &answer);

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
    int rc = stat_fn(args, answer);

    if (kind_is_absent(rc))
        return 0;
    answer->yes = rc == 0 && (args->mode == 0 || (answer->stat.st_mode & S_IFMT) == args->mode);
    return rc;
}

static int kind_ask(const anyc_path *path, mode_t kind, const anyc_path_follow_options *options)
{
    struct path_args args = stat_args(options);
    struct path_answer answer;
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
    int rc = stat_fn(args, answer);

    if (rc == 0)
        rc = anyc__path_errno(stat(args->other, &other));
    answer->yes =
        rc == 0 && answer->stat.st_dev == other.st_dev && answer->stat.st_ino == other.st_ino;
    return rc;
}

/* A mount point is a directory on another device than its parent, or the parent itself. */
static int mount_fn(const struct path_args *args, struct path_answer *answer)
{
    struct path_args link = {.text = args->text, .flags = AT_SYMLINK_NOFOLLOW};
    int rc = stat_fn(&link, answer);

    if (rc < 0 || !S_ISDIR(answer->stat.st_mode))
        return kind_is_absent(rc) ? 0 : rc;
    rc = same_fn(args, answer); /* the other one is its ".." */
    if (rc == 0 && !answer->yes) {
        struct stat parent;

        rc = anyc__path_errno(stat(args->other, &parent));
        answer->yes = rc == 0 && parent.st_dev != answer->stat.st_dev;
    }
    return rc;
}

int anyc_path_is_mount(const anyc_path *path)
{
    struct path_args args = {.text = NULL};
    struct path_answer answer;
    anyc_path *parent = NULL;
    int rc = anyc_path_joinpath(path, "..", &parent);

    if (rc < 0)
        return rc;
    args.other = anyc_path_str(parent);
    rc = anyc__path_ask(path, "stat", mount_fn, &args, &answer);
    anyc_path_destroy(parent);
    return rc < 0 ? rc : answer.yes;
}

int anyc_path_samefile(const anyc_path *path, const char *other)
{
    struct path_args args = {.other = other};
    struct path_answer answer;
    int rc;

    if (other == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "path: no text");
    rc = anyc__path_ask(path, "stat", same_fn, &args, &answer);
    return rc < 0 ? rc : answer.yes;
}

/* -- names of users and groups -- */

/* Looks up the owner of a file with so much room, or its group. */
typedef int (*names_fn)(const struct stat *stat, char *room, size_t size, const char **out_name);

static int names_user(const struct stat *stat, char *room, size_t size, const char **out_name)
{
    struct passwd entry;
    struct passwd *found = NULL;
    int rc = getpwuid_r(stat->st_uid, &entry, room, size, &found);

    *out_name = found == NULL ? NULL : found->pw_name;
    return rc;
}

static int names_group(const struct stat *stat, char *room, size_t size, const char **out_name)
{
    struct group entry;
    struct group *found = NULL;
    int rc = getgrgid_r(stat->st_gid, &entry, room, size, &found);

    *out_name = found == NULL ? NULL : found->gr_name;
    return rc;
}

/* Tries with more and more room. The name goes to the start of the answer's text. */
static int names_ask(const struct path_args *args, struct path_answer *answer, names_fn look_up)
{
    const char *name = NULL;
    char *room = NULL;
    size_t size = NAMES_ROOM;
    int rc = stat_fn(args, answer);

    if (rc < 0)
        return rc;
    do {
        anyc__free(room);
        room = anyc__alloc(size);
        if (room == NULL)
            return ANYC_ENOMEM;
        rc = -look_up(&answer->stat, room, size, &name);
        size *= 2;
    } while (rc == -ERANGE && size <= NAMES_ROOM_MAX);
    if (rc == 0 && name == NULL)
        rc = ANYC_ENOTFOUND;
    if (rc == 0)
        answer->text = anyc__strdup(name);
    if (rc == 0 && answer->text == NULL)
        rc = ANYC_ENOMEM;
    anyc__free(room);
    return rc;
}

static int owner_fn(const struct path_args *args, struct path_answer *answer)
{
    return names_ask(args, answer, names_user);
}

static int group_fn(const struct path_args *args, struct path_answer *answer)
{
    return names_ask(args, answer, names_group);
}

int anyc_path_owner(const anyc_path *path, const anyc_path_follow_options *options, char **out_name)
{
    struct path_args args = stat_args(options);
    struct path_answer answer;
    int rc = anyc__path_ask(path, "owner of", owner_fn, &args, &answer);

    if (rc == 0)
        *out_name = answer.text;
    return rc;
}

int anyc_path_group(const anyc_path *path, const anyc_path_follow_options *options, char **out_name)
{
    struct path_args args = stat_args(options);
    struct path_answer answer;
    int rc = anyc__path_ask(path, "group of", group_fn, &args, &answer);

    if (rc == 0)
        *out_name = answer.text;
    return rc;
}
