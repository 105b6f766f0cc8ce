/* SPDX-License-Identifier: MIT */
/*
 * remove_tree.c - a directory and all that is in it, however deep, with three descriptors.
 *
 * It goes down by openat(2) without following links, and up by "..", and stops when that is not the
 * directory it came from: then somebody has moved things about. Each level has the list of what was
 * in its directory, so nothing is looked at twice. Invariants: fd is the directory of the last
 * level; depth == 0 iff there is none.
 */
#include "os/remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/descriptor.h"
#include "os/text_buffer.h"

struct level {
    struct text_buffer names; /* each with its '\0' */
    size_t current;           /* the name at hand */
    size_t next;
    dev_t device;
    ino_t inode;
};

struct removal {
    int fd;
    int rc; /* the first failure */
    struct level *levels;
    size_t depth;
    size_t room;
};

static void removal_note(struct removal *removal, int error)
{
    if (removal->rc == 0 && error != 0 && error != ENOENT) /* what is gone is gone */
        removal->rc = -error;
}

static int level_read(struct level *level, int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry;
    int error = dir == NULL ? errno : 0;

    if (dir == NULL) {
        anyc__descriptor_close(copy);
        return error;
    }
    errno = 0;
    for (entry = readdir(dir); entry != NULL && error == 0; entry = readdir(dir)) {
        const char *name = entry->d_name;

        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
            !anyc__text_append(&level->names, name, strlen(name) + 1))
            error = ENOMEM;
        errno = 0;
    }
    if (error == 0)
        error = errno;
    closedir(dir);
    return error;
}

static struct level *removal_last(const struct removal *removal)
{
    return &removal->levels[removal->depth - 1];
}

/* A new level for this directory, whose descriptor it takes: 0 or an errno. */
static int removal_push(struct removal *removal, int fd, const struct stat *status)
{
    struct level *levels = removal->levels;
    struct level level = {.device = status->st_dev, .inode = status->st_ino};
    int error;

    if (removal->depth == removal->room) {
        levels = anyc__realloc_array(levels, removal->room * 2 + 8, sizeof *levels);
        if (levels == NULL)
            return ENOMEM;
        removal->levels = levels;
        removal->room = removal->room * 2 + 8;
    }
    error = level_read(&level, fd);
    if (error != 0) {
        anyc__text_deinit(&level.names);
        return error;
    }
    levels[removal->depth++] = level;
    anyc__descriptor_close(removal->fd);
    removal->fd = fd;
    return 0;
}

static int removal_open(int at, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(at, name, flags);

    if (fd >= 0 || errno != EACCES)
        return fd;
    if (fchmodat(at, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
        return openat(at, name, flags); /* it is ours, but without permissions */
    errno = EACCES;
    return -1;
}

static void removal_enter(struct removal *removal, int at, const char *name)
{
    struct stat status = {.st_mode = 0};
    int fd = removal_open(at, name);
    int error = 0;

    if (fd < 0 || fstat(fd, &status) < 0)
        error = errno;
    if (error == 0 && (status.st_mode & 0700) != 0700)
        (void)fchmod(fd, 0700); /* if it fails, so will what comes */
    if (error == 0)
        error = removal_push(removal, fd, &status);
    if (error == ENOTDIR && at != AT_FDCWD)
        error = EPERM; /* a file that may not be removed */
    if (error != 0)
        anyc__descriptor_close(fd);
    removal_note(removal, error);
}

/* Up again; false if that is somewhere else. */
static bool removal_leave(struct removal *removal)
{
    const struct level *above;
    struct stat status;
    int up;

    anyc__text_deinit(&removal_last(removal)->names);
    removal->depth--;
    if (removal->depth == 0)
        return true;
    above = removal_last(removal);
    up = openat(removal->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (up < 0 || fstat(up, &status) < 0) {
        removal_note(removal, errno);
        anyc__descriptor_close(up);
        return false;
    }
    anyc__descriptor_close(removal->fd);
    removal->fd = up;
    if (status.st_dev != above->device || status.st_ino != above->inode) {
        removal_note(removal, ESTALE);
        return false;
    }
    if (unlinkat(up, above->names.data + above->current, AT_REMOVEDIR) < 0)
        removal_note(removal, errno);
    return true;
}

/* The next name of the last level. */
static void removal_step(struct removal *removal)
{
    struct level *level = removal_last(removal);
    const char *name = level->names.data + level->next;

    level->current = level->next;
    level->next += strlen(name) + 1;
    if (unlinkat(removal->fd, name, 0) == 0)
        return;
    if (errno == EISDIR || errno == EPERM) /* POSIX has EPERM for directories */
        removal_enter(removal, removal->fd, name);
    else
        removal_note(removal, errno);
}

int anyc__remove_tree(const char *path)
{
    struct removal removal = {.fd = -1};
    bool at_home = true;

    removal_enter(&removal, AT_FDCWD, path);
    while (at_home && removal.depth > 0) {
        const struct level *level = removal_last(&removal);

        if (level->next < level->names.len)
            removal_step(&removal);
        else
            at_home = removal_leave(&removal);
    }
    while (removal.depth > 0) {
        anyc__text_deinit(&removal_last(&removal)->names);
        removal.depth--;
    }
    anyc__descriptor_close(removal.fd);
    anyc__free(removal.levels);
    if (at_home && rmdir(path) < 0)
        removal_note(&removal, errno);
    return removal.rc;
}
