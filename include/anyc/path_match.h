/* SPDX-License-Identifier: MIT */
/*
 * path_match.h - patterns against paths. anyc/path.h includes it.
 *
 *     if (anyc_path_match(path, "*.[ch]", NULL) == 1)
 *         puts("a source");
 *
 * In patterns `*` stands for any characters of one part, `?` for one character, `[a-z]` and
 * `[!a-z]` for one of a set, `**` as a whole part for any number of parts. Names that begin with a
 * dot match like others. A character is one of UTF-8, or one byte that is none.
 */
#ifndef ANYC_PATH_MATCH_H
#define ANYC_PATH_MATCH_H

#include <anyc/base.h>
#include <anyc/path.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a matching may be told; all zero means the defaults. */
typedef struct anyc_path_match_options {
    bool ignore_case; /* letters beyond ASCII as the C library's locale says */
} anyc_path_match_options;

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

#ifdef __cplusplus
}
#endif

#endif
