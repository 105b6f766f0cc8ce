/* SPDX-License-Identifier: MIT */
/*
 * path_iterator.h - what is in directories. anyc/path_disk.h includes it.
 *
 *     rc = anyc_path_rglob(directory, "*.c", NULL, &found);
 *     if (rc < 0)
 *         return rc;
 *     while ((rc = anyc_path_iterator_next(found, &path)) == 0)
 *         puts(anyc_path_str(path));
 *     anyc_aclose(found);
 *     return rc == ANYC_EOF ? 0 : rc;
 *
 * An iterator reads in a worker thread, some hundred entries at a time, as anyc/path_disk.h says
 * for questions. It holds these and a short record of each directory that it has met and not read
 * yet. The order is any. Files that come and go meanwhile may be met or not.
 *
 * Patterns are those of anyc/path_match.h, and relative. `**` enters no symbolic links unless told
 * to; then a link to a directory that leads to it is not entered once more. `..` goes to the parent.
 * A pattern that ends with a slash stands for directories only; one that ends with `**` for all
 * there is, the directory itself included. No path is met twice. Directories that may not be read,
 * or are gone, are passed over.
 */
#ifndef ANYC_PATH_ITERATOR_H
#define ANYC_PATH_ITERATOR_H

#include <anyc/base.h>
#include <anyc/path.h>
#include <anyc/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A listing under way. End it by anyc_aclose, which does not wait. */
typedef struct anyc_path_iterator {
    anyc_resource resource;
} anyc_path_iterator;

/** What a search may be told; all zero means the defaults. */
typedef struct anyc_path_glob_options {
    bool ignore_case; /* pathlib's case_sensitive=False; letters as the C library's locale says */
    bool recurse_symlinks; /* `**` enters links to directories too */
} anyc_path_glob_options;

/**
 * List a directory, without "." and "..".
 *
 * @param path          the directory; copied
 * @param out_iterator  the listing
 *
 * Returns: 0, or ANYC_ENOMEM. A directory that cannot be read is an error of the first
 *          anyc_path_iterator_next.
 * Owns:    end the iterator with anyc_aclose.
 * Cancel:  never suspends.
 * Threads: the loop's thread, which then is the only one that may use the iterator.
 * AnyIO:   Path.iterdir.
 */
ANYC_MUST_USE ANYC_API int anyc_path_iterdir(const anyc_path *path,
                                             anyc_path_iterator **out_iterator);

/**
 * Find the files below a directory whose paths match a pattern.
 *
 * @param path          the directory; copied
 * @param pattern       relative, see the top
 * @param options       NULL or zero fields: defaults
 * @param out_iterator  the search
 *
 * Returns: 0, or
 *   ANYC_EINVAL  the pattern is empty or absolute
 *   ANYC_ENOMEM  out of memory
 * Owns:    end the iterator with anyc_aclose.
 * Cancel:  never suspends.
 * Threads: the loop's thread, which then is the only one that may use the iterator.
 * AnyIO:   Path.glob.
 */
ANYC_MUST_USE ANYC_API int anyc_path_glob(const anyc_path *path, const char *pattern,
                                          const anyc_path_glob_options *options,
                                          anyc_path_iterator **out_iterator);

/**
 * The same with a slash and `**` before the pattern, which may be empty: all directories.
 *
 * @param path          the directory; copied
 * @param pattern       relative, see the top
 * @param options       NULL or zero fields: defaults
 * @param out_iterator  the search
 *
 * Returns: 0, or
 *   ANYC_EINVAL  the pattern is absolute
 *   ANYC_ENOMEM  out of memory
 * Owns:    end the iterator with anyc_aclose.
 * Cancel:  never suspends.
 * Threads: the loop's thread, which then is the only one that may use the iterator.
 * AnyIO:   Path.rglob.
 */
ANYC_MUST_USE ANYC_API int anyc_path_rglob(const anyc_path *path, const char *pattern,
                                           const anyc_path_glob_options *options,
                                           anyc_path_iterator **out_iterator);

/**
 * The next path.
 *
 * @param iterator  borrowed
 * @param out_path  the path, with the limiter
 *
 * Returns: 0, or
 *   ANYC_EOF        there are no more
 *   ANYC_EBUSY      another task is asking
 *   ANYC_ECLOSED    the iterator is closed
 *   ANYC_EBROKEN    an earlier call was cancelled while its thread was reading
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory; nothing is lost
 *   -errno          the directory of anyc_path_iterdir cannot be read; or, in a search, anything
 *                   but that a directory may not be read or is gone, such as -EMFILE or -EIO;
 *                   nothing is lost
 * Owns:    the path is borrowed until the next call or the iterator's end; see anyc_path_clone.
 * Cancel:  checkpoint. The reading is abandoned.
 * Threads: tasks of the iterator's loop only.
 * AnyIO:   the result of Path.iterdir, glob and rglob: __anext__.
 */
ANYC_MUST_USE ANYC_API int anyc_path_iterator_next(anyc_path_iterator *iterator,
                                                   const anyc_path **out_path);

#ifdef __cplusplus
}
#endif

#endif
