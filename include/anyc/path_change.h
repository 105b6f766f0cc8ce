/* SPDX-License-Identifier: MIT */
/*
 * path_change.h - change what is on the disk at a path. anyc/path_disk.h includes it, and says what
 * holds for all calls.
 *
 *     anyc_path_mkdir_options options = {.parents = true, .exist_ok = true};
 *
 *     rc = anyc_path_mkdir(directory, &options);
 *     if (rc == 0)
 *         rc = anyc_path_rename(file, anyc_path_str(place), NULL);
 *
 * No call is left half done by a cancellation: once its thread has begun, the task waits for it.
 */
#ifndef ANYC_PATH_CHANGE_H
#define ANYC_PATH_CHANGE_H

#include <sys/types.h>

#include <anyc/base.h>
#include <anyc/path.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What anyc_path_mkdir may be told; all zero means the defaults. */
typedef struct anyc_path_mkdir_options {
    mode_t mode;   /* permissions before the umask; 0: 0777 */
    bool parents;  /* make missing parents too, with 0777 */
    bool exist_ok; /* a directory that exists is no error */
} anyc_path_mkdir_options;

/** What anyc_path_touch may be told; all zero means the defaults. */
typedef struct anyc_path_touch_options {
    mode_t mode;      /* permissions of a new file before the umask; 0: 0666 */
    bool must_be_new; /* pathlib's exist_ok=False */
} anyc_path_touch_options;

/**
 * Set the permission bits, chmod(2).
 *
 * @param path     borrowed
 * @param mode     such as 0644
 * @param options  NULL or zero fields: defaults
 *
 * Returns: 0, or
 *   -ENOENT          the file does not exist
 *   -EPERM           it belongs to somebody else
 *   -EOPNOTSUPP      no_follow, and the system cannot do that
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.chmod.
 */
ANYC_MUST_USE ANYC_API int anyc_path_chmod(const anyc_path *path, mode_t mode,
                                           const anyc_path_follow_options *options);

/**
 * The same for a symbolic link itself.
 *
 * @param path  borrowed
 * @param mode  such as 0644
 *
 * Returns: 0, or
 *   -EOPNOTSUPP      the system cannot do that (Linux, for links)
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.lchmod.
 */
ANYC_MUST_USE ANYC_API int anyc_path_lchmod(const anyc_path *path, mode_t mode);

/**
 * Make a directory, mkdir(2).
 *
 * @param path     borrowed
 * @param options  NULL or zero fields: defaults
 *
 * Returns: 0, or
 *   -EEXIST          there is something already
 *   -ENOENT          its parent does not exist
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.mkdir.
 */
ANYC_MUST_USE ANYC_API int anyc_path_mkdir(const anyc_path *path,
                                           const anyc_path_mkdir_options *options);

/**
 * Remove an empty directory, rmdir(2).
 *
 * @param path  borrowed
 *
 * Returns: 0, or
 *   -ENOENT          there is none
 *   -ENOTEMPTY       there is something in it
 *   -ENOTDIR         it is no directory
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.rmdir.
 */
ANYC_MUST_USE ANYC_API int anyc_path_rmdir(const anyc_path *path);

/**
 * Make an empty file, or set the times of one that exists to now.
 *
 * @param path     borrowed
 * @param options  NULL or zero fields: defaults
 *
 * Returns: 0, or
 *   -EEXIST          it exists, with must_be_new
 *   -ENOENT          its directory does not exist
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.touch.
 */
ANYC_MUST_USE ANYC_API int anyc_path_touch(const anyc_path *path,
                                           const anyc_path_touch_options *options);

/**
 * Remove a file or a symbolic link, unlink(2).
 *
 * @param path        borrowed
 * @param missing_ok  a missing file is no error
 *
 * Returns: 0, or
 *   -ENOENT          there is none
 *   -EISDIR          it is a directory
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.unlink.
 */
ANYC_MUST_USE ANYC_API int anyc_path_unlink(const anyc_path *path, bool missing_ok);

/**
 * Make the path a symbolic link, symlink(2).
 *
 * @param path    borrowed
 * @param target  what it is to point to; need not exist
 *
 * Returns: 0, or
 *   -EEXIST          there is something already
 *   ANYC_EINVAL      no text
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.symlink_to.
 */
ANYC_MUST_USE ANYC_API int anyc_path_symlink_to(const anyc_path *path, const char *target);

/**
 * Make the path one more name of a file, link(2).
 *
 * @param path    borrowed
 * @param target  a name that it has
 *
 * Returns: 0, or
 *   -EEXIST          there is something already
 *   -ENOENT          there is no such file
 *   ANYC_EINVAL      no text
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.hardlink_to.
 */
ANYC_MUST_USE ANYC_API int anyc_path_hardlink_to(const anyc_path *path, const char *target);

/**
 * Give a file another name, rename(2). A file that has this name is replaced.
 *
 * @param path      borrowed
 * @param target    the new name
 * @param out_path  the target, with the limiter; NULL: not wanted
 *
 * Returns: 0, or
 *   -ENOENT          it does not exist
 *   -EXDEV           the target is on another file system
 *   ANYC_EINVAL      no text
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.rename.
 */
ANYC_MUST_USE ANYC_API int anyc_path_rename(const anyc_path *path, const char *target,
                                            anyc_path **out_path);

/**
 * The same: systems like this one replace in any case.
 *
 * @param path      borrowed
 * @param target    the new name
 * @param out_path  the target, with the limiter; NULL: not wanted
 *
 * Returns: 0, or
 *   -ENOENT          it does not exist
 *   -EXDEV           the target is on another file system
 *   ANYC_EINVAL      no text
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.replace.
 */
ANYC_MUST_USE ANYC_API int anyc_path_replace(const anyc_path *path, const char *target,
                                             anyc_path **out_path);

#ifdef __cplusplus
}
#endif

#endif
