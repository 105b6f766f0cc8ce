/* SPDX-License-Identifier: MIT */
/*
 * path_disk.h - what is on the disk at a path: questions and contents. anyc/path.h includes it.
 *
 *     rc = anyc_path_is_dir(path, NULL);           // 1, 0, or an error
 *     if (rc == 0)
 *         rc = anyc_path_read_text(path, NULL, &text, NULL);
 *
 * Each call is one call of a worker thread, under the limiter that the path carries or else the
 * run's own for files (40 tokens). Questions are abandoned when the task is cancelled: the thread
 * goes on, and a limiter that the path carries must live until it is done. The questions that
 * answer yes or no say no, without an error, to what is missing, to links that lead nowhere or in
 * a circle, and to files in place of directories. A tilde means nothing here, but see
 * anyc_path_expanduser.
 *
 * Besides what each function names, all answer ANYC_ECANCELLED (the enclosing scope was
 * cancelled), ANYC_ENOLOOP (not called from a task), ANYC_ENOMEM, and -EAGAIN if the system
 * refused a thread. What they write on success is unchanged on failure.
 */
#ifndef ANYC_PATH_DISK_H
#define ANYC_PATH_DISK_H

#include <sys/stat.h>
#include <sys/types.h>

#include <anyc/base.h>
#include <anyc/file.h>
#include <anyc/path.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a call may be told about links; all zero means the defaults. */
typedef struct anyc_path_follow_options {
    bool no_follow; /* look at a symbolic link itself, not at what it leads to */
} anyc_path_follow_options;

/** What the reading and writing of text may be told; all zero means the defaults. */
typedef struct anyc_path_text_options {
    const char *encoding; /* a name that iconv(3) knows; NULL: UTF-8 */

    /* NULL: reading makes CR LF and CR to LF, writing keeps LF. "": nothing changes. "\n", "\r" or
     * "\r\n": writing makes LF to that, reading changes nothing. */
    const char *newline;
} anyc_path_text_options;

/**
 * The working directory.
 *
 * @param limiter   for this call and the new path; NULL: none
 * @param out_path  the directory
 *
 * Returns: 0, or
 *   -ENOENT          it has been removed
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.cwd.
 */
ANYC_MUST_USE ANYC_API int anyc_path_cwd(anyc_capacity_limiter *limiter, anyc_path **out_path);

/**
 * The home directory: HOME, or what the system knows of the user.
 *
 * @param limiter   for this call and the new path; NULL: none
 * @param out_path  the directory
 *
 * Returns: 0, or
 *   -ENOENT          neither says it
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.home.
 */
ANYC_MUST_USE ANYC_API int anyc_path_home(anyc_capacity_limiter *limiter, anyc_path **out_path);

/**
 * The path behind the working directory, unless it is absolute. Nothing else of it changes: ".."
 * stays, links are not looked at.
 *
 * @param path      borrowed
 * @param out_path  the absolute path, with the limiter
 *
 * Returns: 0, or
 *   -ENOENT          the working directory has been removed
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.absolute.
 */
ANYC_MUST_USE ANYC_API int anyc_path_absolute(const anyc_path *path, anyc_path **out_path);

/**
 * Replace "~" or "~user" at the beginning by that home directory.
 *
 * @param path      borrowed
 * @param out_path  the path with it, with the limiter
 *
 * Returns: 0, or
 *   -ENOENT          no such user, or no home
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.expanduser.
 */
ANYC_MUST_USE ANYC_API int anyc_path_expanduser(const anyc_path *path, anyc_path **out_path);

/**
 * The absolute path without links and "..". What is missing, may not be searched, or leads in a
 * circle is taken as it is.
 *
 * @param path      borrowed
 * @param strict    such a part is an error
 * @param out_path  the real path, with the limiter
 *
 * Returns: 0, or
 *   -ENOENT          strict: a part is missing
 *   -ELOOP           strict: links lead in a circle
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.resolve.
 */
ANYC_MUST_USE ANYC_API int anyc_path_resolve(const anyc_path *path, bool strict,
                                             anyc_path **out_path);

/**
 * What a symbolic link points to.
 *
 * @param path      borrowed
 * @param out_path  its text as a path, with the limiter
 *
 * Returns: 0, or
 *   -EINVAL          the path is no symbolic link
 *   -ENOENT          it does not exist
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.readlink.
 */
ANYC_MUST_USE ANYC_API int anyc_path_readlink(const anyc_path *path, anyc_path **out_path);

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
 * Is another file system mounted there, or is it the root?
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

/**
 * The whole contents of a file.
 *
 * @param path      borrowed
 * @param out_data  the bytes, and a NUL behind them
 * @param out_len   how many bytes
 *
 * Returns: 0, or
 *   -ENOENT          the file does not exist
 *   -EISDIR          it is a directory
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the bytes with anyc_path_free.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.read_bytes.
 */
ANYC_MUST_USE ANYC_API int anyc_path_read_bytes(const anyc_path *path, uint8_t **out_data,
                                                size_t *out_len);

/**
 * The whole contents of a file as UTF-8. Unless told otherwise, CR LF and CR become LF.
 *
 * @param path      borrowed
 * @param options   NULL or zero fields: defaults
 * @param out_text  the text, and a NUL behind it
 * @param out_len   its length, bytes; may be NULL
 *
 * Returns: 0, or
 *   -ENOENT          the file does not exist
 *   ANYC_EDECODE     the contents are no text in the encoding
 *   ANYC_EINVAL      no such encoding, or no such form of line ends
 *   any other -errno of the system; ANYC_ECANCELLED, ANYC_ENOLOOP, ANYC_ENOMEM (see the top)
 * Owns:    free the text with anyc_path_free.
 * Cancel:  checkpoint. The call itself may go on in its thread; its answer is dropped.
 * Threads: tasks only.
 * AnyIO:   Path.read_text.
 */
ANYC_MUST_USE ANYC_API int anyc_path_read_text(const anyc_path *path,
                                               const anyc_path_text_options *options,
                                               char **out_text, size_t *out_len);

/**
 * Open the file at a path.
 *
 * @param path      borrowed; if it carries a limiter, the file's calls use that one
 * @param mode      as for anyc_open_file
 * @param options   NULL or zero fields: defaults; a limiter in it comes before that of the path
 * @param out_file  the file
 *
 * Returns: as anyc_open_file.
 * Owns:    as anyc_open_file.
 * Cancel:  as anyc_open_file.
 * Threads: tasks only.
 * AnyIO:   Path.open.
 */
ANYC_MUST_USE ANYC_API int anyc_path_open(const anyc_path *path, const char *mode,
                                          const anyc_open_file_options *options,
                                          anyc_file **out_file);

#ifdef __cplusplus
}
#endif

#include <anyc/path_change.h>

#endif
