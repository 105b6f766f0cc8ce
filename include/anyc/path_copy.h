/* SPDX-License-Identifier: MIT */
/*
 * path_copy.h - copies of files and of whole trees, and moves. anyc/path_disk.h includes it, and
 * says what holds for all calls.
 *
 *     anyc_path_copy_options options = {.no_follow = true};
 *
 *     rc = anyc_path_copy(folder, "/backup/today", &options, NULL);
 *
 * No call is left half done by a cancellation: once its thread has begun, the task waits for it.
 */
#ifndef ANYC_PATH_COPY_H
#define ANYC_PATH_COPY_H

#include <anyc/base.h>
#include <anyc/path.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What anyc_path_copy may be told; all zero means the defaults. */
typedef struct anyc_path_copy_options {
    bool no_follow;         /* copy symbolic links as links */
    bool preserve_metadata; /* permissions and times too */
} anyc_path_copy_options;

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
 *   ANYC_EINVAL      the target is the source, or below it; no text
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
