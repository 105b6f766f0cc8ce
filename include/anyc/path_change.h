/* SPDX-License-Identifier: MIT */
/*
 * path_change.h - change what is on the disk at a path. anyc/path_disk.h includes it, and says what
 * holds for all calls.
 *
 *     anyc_path_mkdir_options options = {.parents = true, .exist_ok = true};
 *
 *     rc = anyc_path_mkdir(directory, &options);
 *     if (rc == 0)
 *         rc = anyc_path_write_bytes(file, "done\n", 5);
 *
 * No call is left half done by a cancellation: once its thread has begun, the task waits for it.
 */
#ifndef ANYC_PATH_CHANGE_H
#define ANYC_PATH_CHANGE_H

#include <sys/stat.h>
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

/** What anyc_path_copy may be told; all zero means the defaults. */
typedef struct anyc_path_copy_options {
    bool no_follow;         /* copy symbolic links as links */
    bool preserve_metadata; /* permissions and times too */
} anyc_path_copy_options;

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

/**
 * Make these bytes the whole contents of a file, which is made or cut short first.
 *
 * @param path  borrowed
 * @param data  the bytes; borrowed
 * @param len   how many
 *
 * Returns: 0, or
 *   -ENOSPC          the disk is full; the file holds a part
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.write_bytes.
 */
ANYC_MUST_USE ANYC_API int anyc_path_write_bytes(const anyc_path *path, const void *data,
                                                 size_t len);

/**
 * Make this text the whole contents of a file. Nothing is written if the text cannot be encoded.
 *
 * @param path     borrowed
 * @param text     UTF-8; borrowed
 * @param len      bytes
 * @param options  NULL or zero fields: defaults
 *
 * Returns: 0, or
 *   ANYC_EENCODE     the text is no UTF-8, or has no form in the encoding
 *   ANYC_EINVAL      no such encoding, or no such form of line ends
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.write_text.
 */
ANYC_MUST_USE ANYC_API int anyc_path_write_text(const anyc_path *path, const char *text, size_t len,
                                                const anyc_path_text_options *options);

/**
 * Copy a file, or a directory with all that is in it.
 *
 * @param path      borrowed
 * @param target    of a file: it is replaced; of a directory: it must not exist
 * @param options   NULL or zero fields: defaults
 * @param out_path  the target, with the limiter; NULL: not wanted
 *
 * Returns: 0, or
 *   -EEXIST          the target of a directory exists
 *   ANYC_EINVAL      the target is the source, or below it; no text
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.copy (4.8).
 */
ANYC_MUST_USE ANYC_API int anyc_path_copy(const anyc_path *path, const char *target,
                                          const anyc_path_copy_options *options,
                                          anyc_path **out_path);

/**
 * Copy it into a directory, under its own name.
 *
 * @param path       borrowed
 * @param directory  that exists
 * @param options    NULL or zero fields: defaults
 * @param out_path   the copy, with the limiter; NULL: not wanted
 *
 * Returns: 0, or
 *   ANYC_EINVAL      as anyc_path_copy; or the path has no name
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.copy_into (4.8).
 */
ANYC_MUST_USE ANYC_API int anyc_path_copy_into(const anyc_path *path, const char *directory,
                                               const anyc_path_copy_options *options,
                                               anyc_path **out_path);

/**
 * Rename a file or directory; to another file system it is copied with its times and permissions,
 * and then removed here.
 *
 * @param path      borrowed
 * @param target    of a file: it is replaced
 * @param out_path  the target, with the limiter; NULL: not wanted
 *
 * Returns: 0, or
 *   -ENOENT          the source does not exist
 *   ANYC_EINVAL      the target is below the source; no text
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.move (4.8).
 */
ANYC_MUST_USE ANYC_API int anyc_path_move(const anyc_path *path, const char *target,
                                          anyc_path **out_path);

/**
 * Move it into a directory, under its own name.
 *
 * @param path       borrowed
 * @param directory  that exists
 * @param out_path   its path there, with the limiter; NULL: not wanted
 *
 * Returns: 0, or
 *   ANYC_EINVAL      as anyc_path_move; or the path has no name
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  checkpoint until the thread has begun, then shielded: it is never left half done.
 * Threads: tasks only.
 * AnyIO:   Path.move_into (4.8).
 */
ANYC_MUST_USE ANYC_API int anyc_path_move_into(const anyc_path *path, const char *directory,
                                               anyc_path **out_path);

#ifdef __cplusplus
}
#endif

#endif
