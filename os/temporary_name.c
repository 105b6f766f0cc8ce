/* SPDX-License-Identifier: MIT */
/*
 * temporary_name.c - new names in the directory for temporary files. AnyIO: tempfile's
 * _candidate_tempdir_list and _RandomNameSequence.
 */
#include "os/temporary_name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/descriptor.h"
#include "core/error.h"

#define NAME_TRIES 10000
#define NAME_RANDOM 8 /* characters */

static const char *const name_variables[] = {"TMPDIR", "TEMP", "TMP"};
static const char *const name_usual[] = {"/tmp", "/var/tmp", "/usr/tmp", "."};

static bool name_add_dir(struct temporary_name *name, const char *dir)
{
    return anyc__text_append(&name->dirs, dir, strlen(dir) + 1);
}

static bool name_add_dirs(struct temporary_name *name, const char *dir)
{
    bool done = true;

    if (dir != NULL)
        return name_add_dir(name, dir);
    for (size_t i = 0; done && i < sizeof name_variables / sizeof *name_variables; i++) {
        const char *value = getenv(name_variables[i]);

        if (value != NULL && *value != '\0')
            done = name_add_dir(name, value);
    }
    for (size_t i = 0; done && i < sizeof name_usual / sizeof *name_usual; i++)
        done = name_add_dir(name, name_usual[i]);
    return done;
}

int anyc__temporary_name_init(struct temporary_name *name, const char *suffix, const char *prefix,
                              const char *dir)
{
    *name = (struct temporary_name){.suffix = suffix != NULL ? suffix : "",
                                    .prefix = prefix != NULL ? prefix : "tmp",
                                    .given = dir != NULL};
    if (strchr(name->suffix, '/') != NULL || strchr(name->prefix, '/') != NULL)
        return anyc__fail(ANYC_EINVAL, 0, "temporary name: a prefix or suffix with a slash");
    if (!name_add_dirs(name, dir)) {
        anyc__temporary_name_deinit(name);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    return 0;
}

void anyc__temporary_name_deinit(struct temporary_name *name)
{
    anyc__text_deinit(&name->dirs);
}

static bool name_dir_is_good(const char *dir)
{
    struct stat status;

    return stat(dir, &status) == 0 && S_ISDIR(status.st_mode) &&
           faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0;
}

static int name_working_directory(struct text_buffer *path)
{
    for (size_t room = PATH_MAX;; room *= 2) {
        if (!anyc__text_reserve(path, room))
            return ANYC_ENOMEM;
        if (getcwd(path->data, path->room) != NULL) {
            path->len = strlen(path->data);
            return 0;
        }
        if (errno != ERANGE)
            return -errno;
    }
}

/* The directory's absolute path. */
static int name_make_absolute(const char *dir, struct text_buffer *path)
{
    int rc = 0;

    if (*dir != '/') {
        rc = name_working_directory(path);
        if (rc == 0 && !anyc__text_append(path, "/", 1))
            rc = ANYC_ENOMEM;
    }
    if (rc == 0 && !anyc__text_append_string(path, dir))
        rc = ANYC_ENOMEM;
    return rc;
}

/* "/a//b/./c/" becomes "/a/b/c". ".." stays: what is before it may be a link. */
static void name_tidy(struct text_buffer *path)
{
    size_t tidy = 0;
    size_t len;

    for (size_t at = 0; at < path->len; at += len) {
        const char *part = path->data + at; /* with the slash before it */

        len = 1 + strcspn(part + 1, "/");
        if (len > 2 || (len == 2 && part[1] != '.')) {
            memmove(path->data + tidy, part, len);
            tidy += len;
        }
    }
    path->len = tidy > 0 ? tidy : 1; /* the first slash is left */
    path->data[path->len] = '\0';
}

int anyc__temporary_name_dir(const struct temporary_name *name, struct text_buffer *out_path)
{
    const char *end = name->dirs.data + name->dirs.len;
    const char *dir = name->dirs.data;
    struct text_buffer path = {0};
    int rc;

    while (!name->given && dir < end && !name_dir_is_good(dir))
        dir += strlen(dir) + 1;
    if (dir == end)
        return -ENOENT;
    rc = name_make_absolute(dir, &path);
    if (rc < 0) {
        anyc__text_deinit(&path);
        return rc;
    }
    name_tidy(&path);
    *out_path = path;
    return 0;
}

static int name_append_random(struct text_buffer *path)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    unsigned char bytes[NAME_RANDOM];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return errno > 0 ? -errno : -EIO;
    if (!anyc__text_reserve(path, sizeof bytes))
        return ANYC_ENOMEM;
    for (size_t i = 0; i < sizeof bytes; i++)
        path->data[path->len + i] = letters[bytes[i] % (sizeof letters - 1)];
    anyc__text_grow(path, sizeof bytes);
    return 0;
}

static int name_try_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    return fd < 0 ? -errno : fd;
}

static int name_try_directory(const char *path)
{
    return mkdir(path, 0700) < 0 ? -errno : 0;
}

/* Another name each time, until one is free. `path`: the directory's, then the whole. */
static int name_try_all(const struct temporary_name *name, int (*try)(const char *path),
                        struct text_buffer *path)
{
    size_t len;
    int rc = -EEXIST;

    if (path->data[path->len - 1] != '/' && !anyc__text_append(path, "/", 1))
        return ANYC_ENOMEM;
    if (!anyc__text_append_string(path, name->prefix))
        return ANYC_ENOMEM;
    len = path->len;
    for (int i = 0; rc == -EEXIST && i < NAME_TRIES; i++) {
        path->len = len;
        rc = name_append_random(path);
        if (rc == 0)
            rc = anyc__text_append_string(path, name->suffix) ? try(path->data) : ANYC_ENOMEM;
    }
    return rc;
}

static int name_make(const struct temporary_name *name, int (*try)(const char *path),
                     struct text_buffer *out_path)
{
    struct text_buffer path = {0};
    int rc = anyc__temporary_name_dir(name, &path);

    if (rc == 0)
        rc = name_try_all(name, try, &path);
    if (rc < 0)
        anyc__text_deinit(&path);
    else
        *out_path = path;
    return rc;
}

int anyc__temporary_name_file(const struct temporary_name *name, struct text_buffer *out_path)
{
    return name_make(name, name_try_file, out_path);
}

int anyc__temporary_name_directory(const struct temporary_name *name, struct text_buffer *out_path)
{
    return name_make(name, name_try_directory, out_path);
}

/* O_TMPFILE is of Linux, and not every file system has it. */
static int name_open_unnamed(const char *dir)
{
#ifdef O_TMPFILE
    int fd = open(dir, O_RDWR | O_TMPFILE | O_EXCL | O_CLOEXEC, 0600);

    return fd < 0 ? -errno : fd;
#else
    (void)dir;
    return -EOPNOTSUPP;
#endif
}

int anyc__temporary_name_none(const struct temporary_name *name)
{
    struct text_buffer path = {0};
    int fd = anyc__temporary_name_dir(name, &path);

    if (fd < 0)
        return fd;
    fd = name_open_unnamed(path.data);
    anyc__text_deinit(&path);
    if (fd != -EOPNOTSUPP && fd != -EISDIR && fd != -EINVAL)
        return fd;
    fd = anyc__temporary_name_file(name, &path);
    if (fd >= 0 && unlink(path.data) < 0) {
        int error = errno;

        anyc__descriptor_close(fd);
        fd = -error;
    }
    anyc__text_deinit(&path);
    return fd;
}
