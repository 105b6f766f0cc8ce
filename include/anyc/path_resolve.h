/* SPDX-License-Identifier: MIT */
/*
 * path_resolve.h - paths that the disk or the system completes: the working directory, homes,
 * links. anyc/path_disk.h includes it, and says what holds for all calls.
 *
 *     rc = anyc_path_resolve(path, true, &real);
 *     if (rc == 0)
 *         puts(anyc_path_str(real));
 */
#ifndef ANYC_PATH_RESOLVE_H
#define ANYC_PATH_RESOLVE_H

#include <anyc/base.h>
#include <anyc/path.h>

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif
