/* SPDX-License-Identifier: MIT */
/*
 * path_join.h - paths made of a path and a text. anyc/path.h includes it.
 *
 *     rc = anyc_path_joinpath(folder, "notes.txt", &file);       // "/home/me/notes.txt"
 *     rc = anyc_path_with_suffix(file, ".bak", &backup);         // "/home/me/notes.bak"
 *     rc = anyc_path_relative_to(backup, "/home", false, &way);  // "me/notes.bak"
 */
#ifndef ANYC_PATH_JOIN_H
#define ANYC_PATH_JOIN_H

#include <anyc/base.h>
#include <anyc/path.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Put a path behind this one.
 *
 * @param path      borrowed
 * @param other     what follows; if it is absolute, it is the result
 * @param out_path  the joined path, with the limiter of `path`
 *
 * Returns: 0, or
 *   ANYC_EINVAL  no text
 *   ANYC_ENOMEM  out of memory
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.joinpath, Path.__truediv__.
 */
ANYC_MUST_USE ANYC_API int anyc_path_joinpath(const anyc_path *path, const char *other,
                                              anyc_path **out_path);

/**
 * Replace the name.
 *
 * @param path      borrowed
 * @param name      the new one
 * @param out_path  the path with it, with the limiter
 *
 * Returns: 0, or
 *   ANYC_EINVAL  the path has no name; the new one is empty, "." or contains a slash
 *   ANYC_ENOMEM  out of memory
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.with_name.
 */
ANYC_MUST_USE ANYC_API int anyc_path_with_name(const anyc_path *path, const char *name,
                                               anyc_path **out_path);

/**
 * Replace the stem and keep the suffix.
 *
 * @param path      borrowed
 * @param stem      the new one
 * @param out_path  the path with it, with the limiter
 *
 * Returns: 0, or
 *   ANYC_EINVAL  as anyc_path_with_name; or the stem is empty and there is a suffix
 *   ANYC_ENOMEM  out of memory
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.with_stem.
 */
ANYC_MUST_USE ANYC_API int anyc_path_with_stem(const anyc_path *path, const char *stem,
                                               anyc_path **out_path);

/**
 * Replace the suffix, or add one.
 *
 * @param path      borrowed
 * @param suffix    the new one, beginning with a dot and not a dot alone; "" takes the suffix away
 * @param out_path  the path with it, with the limiter
 *
 * Returns: 0, or
 *   ANYC_EINVAL  the path has no name, or the suffix is none
 *   ANYC_ENOMEM  out of memory
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.with_suffix.
 */
ANYC_MUST_USE ANYC_API int anyc_path_with_suffix(const anyc_path *path, const char *suffix,
                                                 anyc_path **out_path);

/**
 * The way from another path to this one. Goes by the texts: links are not looked at.
 *
 * @param path      borrowed
 * @param other     the path to begin at
 * @param walk_up   may the way begin with ".."?
 * @param out_path  the way, with the limiter
 *
 * Returns: 0, or
 *   ANYC_EINVAL  the path does not lie below the other one; with walk_up: one is absolute and one
 *                not, or the way would have to go back along ".."
 *   ANYC_ENOMEM  out of memory
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.relative_to.
 */
ANYC_MUST_USE ANYC_API int anyc_path_relative_to(const anyc_path *path, const char *other,
                                                 bool walk_up, anyc_path **out_path);

/**
 * Is the path the other one, or below it?
 *
 * @param path   borrowed
 * @param other  the path that may contain it
 *
 * Returns: 1, 0, or
 *   ANYC_EINVAL  no text
 *   ANYC_ENOMEM  out of memory
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.is_relative_to.
 */
ANYC_API int anyc_path_is_relative_to(const anyc_path *path, const char *other);

#ifdef __cplusplus
}
#endif

#endif
