/* SPDX-License-Identifier: MIT */
/*
 * path.h - paths of files: their parts, and what is on the disk (anyc/path_disk.h and
 * anyc/path_iterator.h, which this header includes).
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
 * slashes at the beginning are kept as a root of their own, and the empty path is ".". All that is
 * here follows pathlib of Python 3.13.
 *
 * A path may carry a capacity limiter: its disk calls take their tokens from that one, and each
 * path that is made from it carries it too. Other paths that a function takes ("other", "target")
 * are texts: use anyc_path_str for a path.
 *
 * In patterns `*` stands for any characters of one part, `?` for one character, `[a-z]` and
 * `[!a-z]` for one of a set, `**` as a whole part for any number of parts. Names that begin with a
 * dot match like others. A character is one of UTF-8, or one byte that is none.
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

/** A piece of a path's text, not ended by NUL. */
typedef struct anyc_path_piece {
    const char *text;
    size_t len; /* bytes */
} anyc_path_piece;

/** What a matching may be told; all zero means the defaults. */
typedef struct anyc_path_match_options {
    bool ignore_case; /* letters beyond ASCII as the C library's locale says */
} anyc_path_match_options;

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
 * The last part of a path without its root.
 *
 * @param path  borrowed
 *
 * Returns: the name, ended by NUL; "" for a root and for ".".
 * Owns:    borrowed from the path.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.name.
 */
ANYC_API const char *anyc_path_name(const anyc_path *path);

/**
 * The name without its suffix.
 *
 * @param path  borrowed
 *
 * Returns: the stem, maybe empty.
 * Owns:    borrowed from the path.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.stem.
 */
ANYC_API anyc_path_piece anyc_path_stem(const anyc_path *path);

/**
 * The last dot of the name and what follows it.
 *
 * @param path  borrowed
 *
 * Returns: the suffix, ended by NUL; "" if the only dot begins the name or a dot ends it.
 * Owns:    borrowed from the path.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.suffix.
 */
ANYC_API const char *anyc_path_suffix(const anyc_path *path);

/**
 * One of the suffixes of the name: for (i = 0; anyc_path_suffixes(path, i, &suffix); i++).
 *
 * @param path       borrowed
 * @param index      0 is the first: ".tar" of "a.tar.gz"
 * @param out_piece  the suffix with its dot; unchanged if there is none
 *
 * Returns: true, or false when there are not so many.
 * Owns:    what the piece points to is borrowed from the path.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.suffixes.
 */
ANYC_API bool anyc_path_suffixes(const anyc_path *path, size_t index, anyc_path_piece *out_piece);

/**
 * One of the parts: for (i = 0; anyc_path_parts(path, i, &part); i++).
 *
 * @param path       borrowed
 * @param index      0 is the first, which is the root if there is one
 * @param out_piece  the part; unchanged if there is none
 *
 * Returns: true, or false when there are not so many.
 * Owns:    what the piece points to is borrowed from the path.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.parts.
 */
ANYC_API bool anyc_path_parts(const anyc_path *path, size_t index, anyc_path_piece *out_piece);

/**
 * The root of a path.
 *
 * @param path  borrowed
 *
 * Returns: "/", "//", or "" for a relative path.
 * Owns:    static text.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.root.
 */
ANYC_API const char *anyc_path_root(const anyc_path *path);

/**
 * The same: paths have no drives here.
 *
 * @param path  borrowed
 *
 * Returns: as anyc_path_root.
 * Owns:    static text.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.anchor.
 */
ANYC_API const char *anyc_path_anchor(const anyc_path *path);

/**
 * Does the path begin at a root?
 *
 * @param path  borrowed
 *
 * Returns: true or false.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.is_absolute.
 */
ANYC_API bool anyc_path_is_absolute(const anyc_path *path);

/**
 * The path without its last part; of a root and of ".": the same path.
 *
 * @param path      borrowed
 * @param out_path  the parent, with the limiter
 *
 * Returns: 0, or ANYC_ENOMEM.
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.parent.
 */
ANYC_MUST_USE ANYC_API int anyc_path_parent(const anyc_path *path, anyc_path **out_path);

/**
 * One of the parents: index 0 is the parent, 1 its parent, up to the root or ".".
 *
 * @param path      borrowed
 * @param index     which
 * @param out_path  that parent, with the limiter
 *
 * Returns: 0, or
 *   ANYC_EOF     there are not so many
 *   ANYC_ENOMEM  out of memory
 * Owns:    free the new path with anyc_path_destroy.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.parents.
 */
ANYC_MUST_USE ANYC_API int anyc_path_parents(const anyc_path *path, size_t index,
                                             anyc_path **out_path);

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

/**
 * Does a pattern match the path from the right? An absolute one must match all of it. Here `**` is
 * nothing special.
 *
 * @param path     borrowed
 * @param pattern  see the top
 * @param options  NULL or zero fields: defaults
 *
 * Returns: 1, 0, or
 *   ANYC_EINVAL  the pattern is empty
 *   ANYC_ENOMEM  out of memory
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.match.
 */
ANYC_API int anyc_path_match(const anyc_path *path, const char *pattern,
                             const anyc_path_match_options *options);

/**
 * Does a pattern match the whole path? `**` stands for any number of parts.
 *
 * @param path     borrowed
 * @param pattern  see the top
 * @param options  NULL or zero fields: defaults
 *
 * Returns: 1, 0, or
 *   ANYC_EINVAL  no text
 *   ANYC_ENOMEM  out of memory
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   Path.full_match (4.5).
 */
ANYC_API int anyc_path_full_match(const anyc_path *path, const char *pattern,
                                  const anyc_path_match_options *options);

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
#include <anyc/path_iterator.h>

#endif
