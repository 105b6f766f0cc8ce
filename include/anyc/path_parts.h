/* SPDX-License-Identifier: MIT */
/*
 * path_parts.h - the parts of a path. anyc/path.h includes it.
 *
 *     for (i = 0; anyc_path_parts(path, i, &part); i++)
 *         printf("%.*s\n", (int)part.len, part.text);
 */
#ifndef ANYC_PATH_PARTS_H
#define ANYC_PATH_PARTS_H

#include <anyc/base.h>
#include <anyc/path.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A piece of a path's text, not ended by NUL. */
typedef struct anyc_path_piece {
    const char *text;
    size_t len; /* bytes */
} anyc_path_piece;

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

#ifdef __cplusplus
}
#endif

#endif
