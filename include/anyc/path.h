/* SPDX-License-Identifier: MIT */
/*
 * path.h - paths of files: the values themselves. The other headers of paths are included
 * at the end; each says what it is about.
 *
 *     anyc_path *source, *object;
 *
 *     anyc_path_create("src//main.c", NULL, &source);             // "src/main.c"
 *     anyc_path_with_suffix(source, ".o", &object);               // "src/main.o"
 *     printf("%s of %s\n", anyc_path_name(object), anyc_path_str(object));
 *     anyc_path_destroy(object);
 *     anyc_path_destroy(source);
 *
 * A path is a value that never changes. Its text is bytes in any encoding but without NUL, in
 * pathlib's normal form: repeated slashes, "." and a slash at the end are gone, ".." stays, two
 * slashes at the beginning are kept as a root of their own, and the empty path is ".". All of it
 * follows pathlib of Python 3.13.
 *
 * A path may carry a capacity limiter: its disk calls take their tokens from that one, and each
 * path that is made from it carries it too. Other paths that a function takes ("other", "target")
 * are texts: use anyc_path_str for a path.
 *
 * What a path says by itself: anyc/path_parts.h, anyc/path_join.h, anyc/path_match.h. What is on
 * the disk: anyc/path_disk.h.
 */
#ifndef ANYC_PATH_H
#define ANYC_PATH_H

#include <anyc/base.h>
#include <anyc/capacity_limiter.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A path. */
typedef struct anyc_path anyc_path;

/**
 * Make a path of a text.
 *
 * @param text      the bytes, ended by NUL; copied
 * @param limiter   for its disk calls; borrowed; NULL: the run's limiter of file calls
 * @param out_path  the path
 *
 * Returns: 0, or
 *   ANYC_EINVAL  no text
 *   ANYC_ENOMEM  out of memory
 * Owns:    free the path with anyc_path_destroy. The limiter must outlive it and every path made
 *          from it; after an abandoned call (see anyc/path_disk.h) also the run.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.
 */
ANYC_MUST_USE ANYC_API int anyc_path_create(const char *text, anyc_capacity_limiter *limiter,
                                            anyc_path **out_path);

/**
 * Copy a path, with its limiter.
 *
 * @param path      to be copied; borrowed
 * @param out_path  the copy
 *
 * Returns: 0, or ANYC_ENOMEM.
 * Owns:    free the copy with anyc_path_destroy.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart: paths of Python are shared.
 */
ANYC_MUST_USE ANYC_API int anyc_path_clone(const anyc_path *path, anyc_path **out_path);

/**
 * Free a path.
 *
 * @param path  any path that the caller owns; NULL is fine
 *
 * Owns:    takes `path`.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   the end of its life.
 */
ANYC_API void anyc_path_destroy(anyc_path *path);

/**
 * The bytes of a path.
 *
 * @param path  borrowed
 *
 * Returns: its text, ended by NUL; never empty.
 * Owns:    borrowed from the path.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.__str__, Path.__bytes__.
 */
ANYC_API const char *anyc_path_str(const anyc_path *path);

/**
 * The limiter that a path carries.
 *
 * @param path  borrowed
 *
 * Returns: the limiter, or NULL.
 * Owns:    borrowed.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path(limiter=...).
 */
ANYC_API anyc_capacity_limiter *anyc_path_limiter(const anyc_path *path);

/**
 * Order two paths part by part, each by its bytes.
 *
 * @param path   borrowed
 * @param other  borrowed; its limiter does not matter
 *
 * Returns: < 0, 0 or > 0 as `path` is before, equal to or after `other`.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.__eq__, Path.__lt__ ...
 */
ANYC_API int anyc_path_compare(const anyc_path *path, const anyc_path *other);

/**
 * The path as a URI, RFC 8089.
 *
 * @param path     absolute; borrowed
 * @param out_uri  "file://" and the path, all but letters, digits and _.-~/ as %XX
 *
 * Returns: 0, or
 *   ANYC_EINVAL  the path is relative
 *   ANYC_ENOMEM  out of memory
 * Owns:    free the text with anyc_path_free.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.as_uri.
 */
ANYC_MUST_USE ANYC_API int anyc_path_as_uri(const anyc_path *path, char **out_uri);

/**
 * Make a path of a URI, RFC 8089: file:/path, file:///path or file://localhost/path. What stands
 * after any other host is taken for a path with two slashes, as pathlib does.
 *
 * @param uri       the URI
 * @param limiter   as for anyc_path_create
 * @param out_path  the path
 *
 * Returns: 0, or
 *   ANYC_EINVAL  no such URI; the path in it is relative or has a NUL
 *   ANYC_ENOMEM  out of memory
 * Owns:    free the path with anyc_path_destroy.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.from_uri (4.5).
 */
ANYC_MUST_USE ANYC_API int anyc_path_from_uri(const char *uri, anyc_capacity_limiter *limiter,
                                              anyc_path **out_path);

/**
 * Free a text, or the contents of a file, that a function of paths answered.
 *
 * @param data  that; NULL is fine
 *
 * Owns:    takes `data`.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_path_free(void *data);

#ifdef __cplusplus
}
#endif

#include <anyc/path_disk.h>
#include <anyc/path_join.h>
#include <anyc/path_match.h>
#include <anyc/path_parts.h>

#endif
