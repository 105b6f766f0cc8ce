/* SPDX-License-Identifier: MIT */
/*
 * path_stat.h - what kind of file is at a path, and whose. anyc/path_disk.h includes it, and says
 * what holds for all calls.
 *
 *     rc = anyc_path_is_dir(path, NULL);           // 1, 0, or an error
 *     if (rc == 1)
 *         rc = anyc_path_owner(path, NULL, &name);
 *
 * The questions that answer yes or no say no, without an error, to what is missing, to links that
 * lead nowhere or in a circle, and to files in place of directories.
 */
#ifndef ANYC_PATH_STAT_H
#define ANYC_PATH_STAT_H

#include <sys/stat.h>

#include <anyc/base.h>
#include <anyc/path.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What the system knows of a file, stat(2).
 *
 * @param path      borrowed
 * @param options   NULL or zero fields: defaults
 * @param out_stat  that
 *
 * Returns: 0, or
 *   -ENOENT          it does not exist
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.stat.
 */
ANYC_MUST_USE ANYC_API int anyc_path_stat(const anyc_path *path,
                                          const anyc_path_follow_options *options,
                                          struct stat *out_stat);

/**
 * The same of a symbolic link itself, lstat(2).
 *
 * @param path      borrowed
 * @param out_stat  that
 *
 * Returns: 0, or
 *   -ENOENT          it does not exist
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.lstat.
 */
ANYC_MUST_USE ANYC_API int anyc_path_lstat(const anyc_path *path, struct stat *out_stat);

/**
 * Does the path lead to anything?
 *
 * @param path     borrowed
 * @param options  NULL or zero fields: defaults
 *
 * Returns: 1, 0, or
 *   -EACCES          a directory on the way may not be searched
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.exists.
 */
ANYC_API int anyc_path_exists(const anyc_path *path, const anyc_path_follow_options *options);

/**
 * Is it a directory?
 *
 * @param path     borrowed
 * @param options  NULL or zero fields: defaults
 *
 * Returns: 1, 0, or
 *   -EACCES          a directory on the way may not be searched
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.is_dir.
 */
ANYC_API int anyc_path_is_dir(const anyc_path *path, const anyc_path_follow_options *options);

/**
 * Is it a regular file?
 *
 * @param path     borrowed
 * @param options  NULL or zero fields: defaults
 *
 * Returns: 1, 0, or
 *   -EACCES          a directory on the way may not be searched
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.is_file.
 */
ANYC_API int anyc_path_is_file(const anyc_path *path, const anyc_path_follow_options *options);

/**
 * Is it a symbolic link, wherever that leads?
 *
 * @param path  borrowed
 *
 * Returns: 1, 0, or
 *   -EACCES          a directory on the way may not be searched
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.is_symlink.
 */
ANYC_API int anyc_path_is_symlink(const anyc_path *path);

/**
 * Is it a block device?
 *
 * @param path  borrowed
 *
 * Returns: 1, 0, or
 *   -EACCES          a directory on the way may not be searched
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.is_block_device.
 */
ANYC_API int anyc_path_is_block_device(const anyc_path *path);

/**
 * Is it a character device?
 *
 * @param path  borrowed
 *
 * Returns: 1, 0, or
 *   -EACCES          a directory on the way may not be searched
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.is_char_device.
 */
ANYC_API int anyc_path_is_char_device(const anyc_path *path);

/**
 * Is it a FIFO?
 *
 * @param path  borrowed
 *
 * Returns: 1, 0, or
 *   -EACCES          a directory on the way may not be searched
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.is_fifo.
 */
ANYC_API int anyc_path_is_fifo(const anyc_path *path);

/**
 * Is it a UNIX socket?
 *
 * @param path  borrowed
 *
 * Returns: 1, 0, or
 *   -EACCES          a directory on the way may not be searched
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.is_socket.
 */
ANYC_API int anyc_path_is_socket(const anyc_path *path);

/**
 * Is another file system mounted there, or is it the root? A file can be a mount point too.
 *
 * @param path  borrowed
 *
 * Returns: 1, 0, or
 *   -EACCES          a directory on the way may not be searched
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.is_mount.
 */
ANYC_API int anyc_path_is_mount(const anyc_path *path);

/**
 * Do two paths lead to the same file?
 *
 * @param path   borrowed
 * @param other  the other path
 *
 * Returns: 1, 0, or
 *   -ENOENT          one of them does not exist
 *   ANYC_EINVAL      no text
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.samefile.
 */
ANYC_API int anyc_path_samefile(const anyc_path *path, const char *other);

/**
 * The name of the file's owner.
 *
 * @param path      borrowed
 * @param options   NULL or zero fields: defaults
 * @param out_name  the name
 *
 * Returns: 0, or
 *   -ENOENT          the file does not exist
 *   ANYC_ENOTFOUND   the user has no name
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the name with anyc_path_free.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.owner.
 */
ANYC_MUST_USE ANYC_API int
anyc_path_owner(const anyc_path *path, const anyc_path_follow_options *options, char **out_name);

/**
 * The name of the file's group.
 *
 * @param path      borrowed
 * @param options   NULL or zero fields: defaults
 * @param out_name  the name
 *
 * Returns: 0, or
 *   -ENOENT          the file does not exist
 *   ANYC_ENOTFOUND   the group has no name
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the name with anyc_path_free.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.group.
 */
ANYC_MUST_USE ANYC_API int
anyc_path_group(const anyc_path *path, const anyc_path_follow_options *options, char **out_name);

#ifdef __cplusplus
}
#endif

#endif
